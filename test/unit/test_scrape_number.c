/* Numbers as Go reads them, held against strtod() where both agree on what a number is. */
#include "unit.h"

#include <locale.h>
#include <math.h>

#include "number.h"

static const struct number_case {
	const char *text;
	bool good;
	double want;
} cases[] = {
	{ "0", true, 0 },
	{ "-0", true, -0.0 },
	{ "1", true, 1 },
	{ "+1", true, 1 },
	{ "-1", true, -1 },
	{ "1.", true, 1 },
	{ ".5", true, 0.5 },
	{ "0.1", true, 0.1 },
	{ "00012.50", true, 12.5 },
	{ "0.0000000000000000000000000000000000001", true, 1e-37 },
	{ "1e3", true, 1000 },
	{ "1E+3", true, 1000 },
	{ "1e-3", true, 0.001 },
	{ "1.048576e+06", true, 1048576 },
	{ "2e-1", true, 0.2 },
	{ "0.00011099700000000001", true, 0.00011099700000000001 },
	{ "9007199254740992", true, 9007199254740992.0 },
	{ "9007199254740993", true, 9007199254740992.0 },	/* halfway, to the even one */
	{ "9007199254740993.00000000000000000000000000000000001", true, 9007199254740994.0 },
	{ "18446744073709551615", true, 18446744073709551615.0 },
	{ "123456789012345678901234567890", true, 123456789012345678901234567890.0 },
	{ "1.7976931348623157e308", true, 1.7976931348623157e308 },
	{ "4.9e-324", true, 4.9e-324 },
	{ "1e-400", true, 0 },		/* too small is 0 */
	{ "0e999999999999", true, 0 },
	{ "inf", true, INFINITY },
	{ "+Inf", true, INFINITY },
	{ "-INF", true, -INFINITY },
	{ "Infinity", true, INFINITY },
	{ "-infinity", true, -INFINITY },
	{ "nan", true, NAN },
	{ "NaN", true, NAN },
	{ "0x1p4", true, 16 },
	{ "0X1.8P1", true, 3 },
	{ "-0x.8p0", true, -0.5 },
	{ "0xAbCp-4", true, 171.75 },
	{ "0x1.fffffffffffff8p0", true, 2 },	/* halfway, to the even one */
	{ "", false, 0 },
	{ "+", false, 0 },
	{ "-", false, 0 },
	{ ".", false, 0 },
	{ "e1", false, 0 },
	{ "1e", false, 0 },
	{ "1e+", false, 0 },
	{ "1e1.5", false, 0 },
	{ "1.2.3", false, 0 },
	{ "--1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "1,5", false, 0 },
	{ "1_000", false, 0 },
	{ "0x1", false, 0 },		/* a hexadecimal needs its p */
	{ "0x", false, 0 },
	{ "0xp1", false, 0 },
	{ "0x1pa", false, 0 },
	{ "0x_1p4", false, 0 },
	{ "1p4", false, 0 },
	{ "0b1", false, 0 },
	{ "12a", false, 0 },
	{ "1e400", false, 0 },		/* too large is none */
	{ "-1e400", false, 0 },
	{ "0x1p5000", false, 0 },
	{ "1e99999999999999999999", false, 0 },
	{ "+nan", false, 0 },		/* Go knows no sign of it */
	{ "-NaN", false, 0 },
	{ "infinit", false, 0 },
	{ "infinityy", false, 0 },
	{ "in", false, 0 },
	{ "true", false, 0 },
	{ "nan(1)", false, 0 },
	{ "1\r", false, 0 },
	{ "\xff", false, 0 },
};

/* Without a byte behind it that could be read by mistake. */
static bool read_text(const char *text, size_t len, double *value)
{
	char *copy = malloc(len ? len : 1);
	bool good;

	memcpy(copy, text, len);
	good = number_read(copy, len, value);
	free(copy);
	return good;
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct number_case *c = &cases[i];
		double value = 0;

		printf("# '%s'\n", c->text);
		assert_int_equal(read_text(c->text, strlen(c->text), &value), c->good);
		if (!c->good)
			continue;
		if (isnan(c->want))
			assert_true(isnan(value));
		else
			assert_memory_equal(&value, &c->want, sizeof value);
	}
	assert_false(number_read("1\0", 2, &(double){ 0 }));
}

static void check_against_strtod(const char *text)
{
	double want = strtod(text, NULL), value;

	if (!read_text(text, strlen(text), &value))
		fail_msg("'%s' was not read", text);
	if (memcmp(&value, &want, sizeof value) != 0)
		fail_msg("'%s' is %a and was read as %a", text, want, value);
}

/* Every finite double, printed in several ways. */
static void test_doubles_come_back(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t bits = (uint64_t)unit_random(&seed) << 32 | unit_random(&seed);
		char text[400];
		double d;

		if (i % 2)
			d = (double)(bits >> (bits & 63)) / 1e3;
		else
			memcpy(&d, &bits, sizeof d);
		if (!isfinite(d))
			continue;
		if (i % 8 == 7)
			snprintf(text, sizeof text, "%a", d);
		else if (i % 8 == 6)
			snprintf(text, sizeof text, "%.3f", d);
		else
			snprintf(text, sizeof text, i % 3 ? "%.*g" : "%.*e", 5 + i % 25, d);
		if (isfinite(strtod(text, NULL)))
			check_against_strtod(text);
	}
}

/* Digits upon digits: exactly halfway between two doubles, and a hair beside. */
static void test_long_ones(void **state)
{
	char text[9000];
	uint64_t seed = 2;
	int n;

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint64_t bits = (uint64_t)unit_random(&seed) << 21 | 1;
		double d;

		memcpy(&d, &bits, sizeof d);
		/* All of a tiny double's digits, then a last one far behind. */
		n = snprintf(text, sizeof text, "%.1074f", d);
		check_against_strtod(text);
		text[n++] = '5';
		text[n] = '\0';
		check_against_strtod(text);
		memset(text + n, '0', 6000);
		strcpy(text + n + 6000, "1");
		check_against_strtod(text);
	}
	/*
	 * Halfway between 1 and the next: the last digit decides, and it is not among those kept.
	 */
	strcpy(text, "1.00000000000000011102230246251565404236316680908203125");
	check_against_strtod(text);
	n = (int)strlen(text);
	memset(text + n, '0', 2000);
	strcpy(text + n + 2000, "1");
	check_against_strtod(text);
	memset(text, '0', 3000);
	memcpy(text, "0x1.", 4);
	strcpy(text + 3000, "1p-3");
	check_against_strtod(text);
	memset(text, '0', 3000);
	strcpy(text + 3000, "12.5e1");
	check_against_strtod(text);
	memset(text, '9', 3000);
	strcpy(text + 3000, "e-3000");
	check_against_strtod(text);
}

/* A locale in which the point is a comma, where there is one. */
static void test_locale(void **state)
{
	static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE" };
	double value;
	bool any = false;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names) && !any; i++)
		any = setlocale(LC_ALL, names[i]) != NULL;
	if (!any) {
		/* Not skip(): its "not ok # SKIP" is a failure to meson. */
		printf("# no such locale here\n");
		return;
	}
	assert_true(read_text("0.12345678901234567890", 22, &value));
	assert_true(value == 0x1.f9add3746f65fp-4);
	assert_true(read_text("0x1.8p1", 7, &value));
	assert_true(value == 3);
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_doubles_come_back),
		cmocka_unit_test(test_long_ones),
		cmocka_unit_test(test_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
