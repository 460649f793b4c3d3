/* What a family of metrics may be called, which quantile may be asked for, and UTF-8 under both. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>

#include "family.h"
#include "utf8.h"

static const struct {
	const char *name;
	bool valid;
} names[] = {
	{ "http_requests_total", true },
	{ "namespace:requests:rate", true },
	{ "http.server.request.duration", true },
	{ "service/requests-count", true },
	{ "anfragen_gez\xc3\xa4hlt", true },
	{ "\xe6\xb1\x82\xf0\x9f\x98\x80", true },
	{ "9", true },
	{ "", false },
	{ " ", false },
	{ "a b", false },
	{ "a\tb", false },
	{ "a\n", false },
	{ "a\x7f", false },
	{ "\"http.requests\"", false },
	{ "requests{code=\"200\"}", false },
	{ "a}", false },
	{ "a\\", false },
	{ "a\xff", false },
	{ "a\xc3", false },
	{ "\xc0\x80", false },
	{ "\xed\xa0\x80", false },
};

static void test_names(void **state)
{
	char longest[FAMILY_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		printf("# row %zu\n", i);
		assert_int_equal(family_name_valid(names[i].name, strlen(names[i].name)),
				 names[i].valid);
	}
	assert_false(family_name_valid("a\0b", 3));
	memset(longest, 'x', sizeof longest);
	assert_true(family_name_valid(longest, FAMILY_NAME_MAX));
	assert_false(family_name_valid(longest, FAMILY_NAME_MAX + 1));
}

static const struct {
	const char *text;
	double want;	/* 0: refused */
} quantiles[] = {
	{ "0.95", 0.95 },
	{ ".95", 0.95 },
	{ "00.950", 0.95 },
	{ "0.5", 0.5 },
	{ "0.1", 0.1 },
	{ "0.999", 0.999 },
	{ "0.999999999999999", 0.999999999999999 },
	{ "0.000000000000001", 1e-15 },
	{ "0.123456789012345", 0.123456789012345 },
	{ "", 0 },
	{ ".", 0 },
	{ "0", 0 },
	{ "0.", 0 },
	{ "0.0", 0 },
	{ "1", 0 },
	{ "1.0", 0 },
	{ "1.5", 0 },
	{ "95", 0 },
	{ "0,95", 0 },
	{ "-0.95", 0 },
	{ "+0.95", 0 },
	{ " 0.95", 0 },
	{ "0.95 ", 0 },
	{ "0.9.5", 0 },
	{ "0.95e0", 0 },
	{ "0x.8p0", 0 },
	{ "nan", 0 },
	{ "inf", 0 },
	{ "0.1234567890123456", 0 },	/* a place too many */
	{ "0.99999999999999999999999999999999999999999", 0 },
};

static void test_quantiles(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(quantiles); i++) {
		double got = -1;

		printf("# \"%s\"\n", quantiles[i].text);
		assert_int_equal(family_quantile_parse(quantiles[i].text, &got),
				 quantiles[i].want != 0);
		assert_true(got == (quantiles[i].want != 0 ? quantiles[i].want : -1));
	}
	assert_true(family_quantile_valid(0x1p-1074) && family_quantile_valid(nextafter(1, 0)));
	assert_false(family_quantile_valid(0) || family_quantile_valid(1));
	assert_false(family_quantile_valid(-0.5) || family_quantile_valid(INFINITY));
	assert_false(family_quantile_valid(NAN));
}

/* All that are written with few places read as the compiler reads them. */
static void test_nearest(void **state)
{
	char text[16];
	double got;

	(void)state;
	for (int i = 1; i < 100000; i++) {
		snprintf(text, sizeof text, "0.%05d", i);
		assert_true(family_quantile_parse(text, &got));
		assert_true(got == strtod(text, NULL));
	}
}

static const struct {
	const char *text;
	bool valid;
} texts[] = {
	{ "", true },
	{ "a", true },
	{ "\x7f", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf\xee\x80\x80", true },
	{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true },
	{ "\x80", false },
	{ "\xc1\xbf", false },
	{ "\xe0\x9f\xbf", false },
	{ "\xed\xa0\x80", false },
	{ "\xed\xbf\xbf", false },
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xf4\x90\x80\x80", false },
	{ "\xf8\x88\x80\x80\x80", false },
	{ "\xc2", false },
	{ "\xe0\xa0", false },
	{ "\xf0\x90\x80", false },
	{ "\xc2" "a", false },
};

static void test_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		size_t len = strlen(texts[i].text);
		char *exact = malloc(len ? len : 1);	/* nothing behind its end */

		printf("# row %zu\n", i);
		memcpy(exact, texts[i].text, len);
		assert_int_equal(utf8_valid(exact, len), texts[i].valid);
		free(exact);
	}
	assert_false(utf8_valid("a\0", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
