/* The JSON writer, and the buffer under it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_out.h"

#define RANDOM_NUMBERS 300000

static const struct number_case {
	const char *name;
	double v;
	const char *want;
} number_cases[] = {
	{ "zero", 0.0, "0" },
	{ "minus zero", -0.0, "0" },
	{ "one", 1, "1" },
	{ "minus one", -1, "-1" },
	{ "ten", 10, "10" },
	{ "a tenth", 0.1, "0.1" },
	{ "minus a tenth", -0.1, "-0.1" },
	{ "a third", 1.0 / 3, "0.3333333333333333" },
	{ "two thirds", 2.0 / 3, "0.6666666666666666" },
	{ "the sum that is not 0.3", 0.1 + 0.2, "0.30000000000000004" },
	{ "percent", 12.5, "12.5" },
	{ "seventeen digits", 5e-324 + 9007199254740991.0 / 7, "1286742750677284.5" },
	{ "just above one", 1 + DBL_EPSILON, "1.0000000000000002" },
	{ "just below one", 1 - DBL_EPSILON / 2, "0.9999999999999999" },
	{ "a thousandth", 0.001, "0.001" },
	{ "just below a thousandth", 0.001 - 0x1p-62, "0.0009999999999999998" },
	{ "a hundredth", 0.01, "0.01" },
	{ "small without exponent", 0.0001, "0.0001" },
	{ "small with exponent", 0.00001, "1e-5" },
	{ "small with digits and exponent", 0.0000123, "1.23e-5" },
	{ "of two as near the even one", 812365262961842.25, "812365262961842.2" },
	{ "of two as near the even one, above", 116589800645292.375, "116589800645292.38" },
	{ "largest with a half", 4503599627370495.5, "4503599627370495.5" },
	{ "not whole, over 10^15", 1000000000000000.125, "1000000000000000.1" },
	{ "just below 10^15", 999999999999999.875, "999999999999999.9" },
	{ "2^53 - 1", 9007199254740991.0, "9007199254740991" },
	{ "2^53", 9007199254740992.0, "9007199254740992" },
	{ "2^53 + 2", 9007199254740994.0, "9007199254740994" },
	{ "10^16", 1e16, "10000000000000000" },
	{ "10^17", 1e17, "1e+17" },
	{ "below 10^17", 99999999999999984.0, "99999999999999980" },
	{ "10^22", 1e22, "1e+22" },
	{ "10^23, the double below", 1e23, "1e+23" },
	{ "the next after 10^23", 1.0000000000000001e23, "1.0000000000000001e+23" },
	{ "2^63", 0x1p63, "9.223372036854776e+18" },
	{ "the largest", DBL_MAX, "1.7976931348623157e+308" },
	{ "the smallest normal", DBL_MIN, "2.2250738585072014e-308" },
	{ "the largest subnormal", 0x1.ffffffffffffep-1023, "2.225073858507201e-308" },
	{ "the smallest", 0x1p-1074, "5e-324" },
	{ "twice the smallest", 0x1p-1073, "1e-323" },
	{ "subnormal of two digits", 0x3p-1074, "1.5e-323" },
	{ "subnormal of three digits", 0x21p-1074, "1.63e-322" },
	{ "power of two, its nearest 16 digits fail", 0x1p-44, "5.684341886080802e-14" },
	{ "its neighbour", 0x1.0000000000001p-44, "5.684341886080803e-14" },
	{ "2^-1017", 0x1p-1017, "7.120236347223045e-307" },
	{ "2^-921", 0x1p-921, "5.641232424577593e-278" },
	{ "2^-549", 0x1p-549, "5.426657103235053e-166" },
	{ "2^-296", 0x1p-296, "7.854549544476363e-90" },
	{ "2^-77", 0x1p-77, "6.617444900424222e-24" },
	{ "2^89", 0x1p89, "6.189700196426902e+26" },
	{ "2^172", 0x1p172, "5.986310706507379e+51" },
	{ "2^976", 0x1p976, "6.386688990511104e+293" },
	{ "power of two of 17 digits", 0x1p-25, "2.9802322387695312e-8" },
	{ "power of two, exact", 0x1p-9, "0.001953125" },
};

static void test_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof number_cases / sizeof number_cases[0]; i++) {
		const struct number_case *c = &number_cases[i];
		char out[JSON_NUMBER_SIZE];

		printf("# %s\n", c->name);
		assert_int_equal(json_number(c->v, out), strlen(c->want));
		assert_string_equal(out, c->want);
		assert_true(strtod(out, NULL) == c->v);
	}
}

static regex_t json_grammar;

/* Significant digits: those of the mantissa without zeros at either end. */
static int significant(const char *text)
{
	int n = 0, zeros = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text < '0' || *text > '9' || (*text == '0' && n == 0))
			continue;
		zeros = *text == '0' ? zeros + 1 : 0;
		n++;
	}
	return n - zeros;
}

/* It is JSON, reads back, and nothing with a digit less does. */
static void check_number(double v)
{
	char out[JSON_NUMBER_SIZE], shorter[2 * JSON_NUMBER_SIZE];
	size_t len = json_number(v, out);
	int digits = significant(out);

	if (len != strlen(out) || regexec(&json_grammar, out, 0, NULL, 0) != 0)
		fail_msg("%a is written %s, no JSON", v, out);
	if (strtod(out, NULL) != v)
		fail_msg("%a is written %s, which is another number", v, out);
	for (int less = digits - 1; less >= 1 && less >= digits - 3; less--) {
		snprintf(shorter, sizeof shorter, "%.*e", less - 1, v);
		if (strtod(shorter, NULL) == v)
			fail_msg("%a is written %s and not %s", v, out, shorter);
	}
}

static uint64_t random_next(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static double from_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

static void test_random_bits(void **state)
{
	uint64_t x = 1;

	(void)state;
	for (int i = 0; i < RANDOM_NUMBERS; i++) {
		double v = from_bits(random_next(&x));

		if (isfinite(v))
			check_number(v);
	}
}

/* The magnitudes that metrics have, which are written by another way than the rest. */
static void test_random_usual(void **state)
{
	uint64_t x = 2;

	(void)state;
	for (int i = 0; i < RANDOM_NUMBERS; i++) {
		uint64_t r = random_next(&x);
		/* Exponents -12 to 51, all bits of the mantissa */
		double v = from_bits((1023 - 12 + r % 64) << 52 | r >> 12);
		double decimal = (double)(r >> 20) / exp10((double)(r % 19));

		check_number(v);
		check_number(decimal);
	}
}

/* What was written with 15 digits or fewer comes back with as many. */
static void test_random_short(void **state)
{
	uint64_t x = 4;

	(void)state;
	for (int i = 0; i < RANDOM_NUMBERS; i++) {
		uint64_t r = random_next(&x);
		uint64_t digits = 1 + (r >> (14 + r % 46)) % 999999999999999;
		char text[JSON_NUMBER_SIZE], out[JSON_NUMBER_SIZE];

		snprintf(text, sizeof text, "%llue-%d", (unsigned long long)digits,
			 (int)(random_next(&x) % 24));
		json_number(strtod(text, NULL), out);
		if (significant(out) != significant(text))
			fail_msg("%s is written %s", text, out);
	}
}

static void test_random_subnormal(void **state)
{
	uint64_t x = 3;

	(void)state;
	for (int i = 0; i < RANDOM_NUMBERS / 10; i++) {
		uint64_t r = random_next(&x);

		check_number(from_bits(r >> (12 + r % 52)));
	}
}

/* Where the neighbours are not equally far, and the places where digits or exponents begin. */
static void test_edges(void **state)
{
	(void)state;
	for (int e = -1074; e <= 1023; e++) {
		double v = ldexp(1, e);

		check_number(v);
		check_number(nextafter(v, 0));
		check_number(nextafter(v, INFINITY));
	}
	for (int e = -323; e <= 308; e++) {
		char text[JSON_NUMBER_SIZE];
		double v;

		snprintf(text, sizeof text, "1e%d", e);
		v = strtod(text, NULL);
		check_number(v);
		check_number(nextafter(v, 0));
		check_number(nextafter(v, INFINITY));
	}
}

/* meterctl sets the user's locale, and some write a decimal comma. */
static void test_locale(void **state)
{
	static const char *const comma[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8" };
	char out[JSON_NUMBER_SIZE];
	bool found = false;

	(void)state;
	for (size_t i = 0; i < sizeof comma / sizeof comma[0] && !found; i++)
		found = setlocale(LC_NUMERIC, comma[i]) != NULL;
	if (!found)
		printf("# no locale with a comma here\n");
	json_number(1.5e-7, out);
	setlocale(LC_NUMERIC, "C");
	assert_string_equal(out, "1.5e-7");
}

static void assert_text(const struct buffer *b, const char *want)
{
	assert_false(b->failed);
	assert_int_equal(b->len, strlen(want));
	assert_memory_equal(b->data, want, b->len);
}

static const struct string_case {
	const char *name;
	const char *value;
	const char *want;
} string_cases[] = {
	{ "empty", "", "\"\"" },
	{ "plain", "inst_1", "\"inst_1\"" },
	{ "quote", "a\"b", "\"a\\\"b\"" },
	{ "backslash", "a\\b", "\"a\\\\b\"" },
	{ "slash is left", "a/b", "\"a/b\"" },
	{ "line end", "a\r\nb", "\"a\\u000d\\u000ab\"" },
	{ "first control character", "\x01", "\"\\u0001\"" },
	{ "last control character", "\x1f", "\"\\u001f\"" },
	{ "delete is left", "\x7f", "\"\x7f\"" },
	{ "UTF-8 is left", "\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
	{ "at both ends", "\"x\"", "\"\\\"x\\\"\"" },
};

static void test_string(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof string_cases / sizeof string_cases[0]; i++) {
		const struct string_case *c = &string_cases[i];
		struct buffer b = { 0 };
		struct json_out j = { .b = &b };

		printf("# %s\n", c->name);
		json_text(&j, NULL, c->value);
		assert_text(&b, c->want);
		buffer_clear(&b);
	}
}

static void test_document(void **state)
{
	struct buffer b = { 0 };
	struct json_out j = { .b = &b };

	(void)state;
	json_open(&j, NULL, '{');
	json_text(&j, "id", "x");
	json_open(&j, "empty", '[');
	json_close(&j, ']');
	json_open(&j, "rows", '[');
	json_open(&j, NULL, '{');
	json_time(&j, "at", 7);
	json_double(&j, "v", 0.5);
	json_close(&j, '}');
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_double(&j, NULL, -1e300);
	json_close(&j, ']');
	json_int(&j, "least", INT64_MIN);
	json_int(&j, "most", INT64_MAX);
	json_int(&j, "none", 0);
	json_int(&j, "minus", -1);
	json_uint(&j, "all", UINT64_MAX);
	json_bool(&j, "yes", true);
	json_bool(&j, "a\"no", false);
	json_close(&j, '}');
	assert_text(&b, "{\"id\":\"x\",\"empty\":[],\"rows\":["
			"{\"at\":\"1970-01-01T00:00:00.007Z\",\"v\":0.5},{},-1e+300],"
			"\"least\":-9223372036854775808,\"most\":9223372036854775807,\"none\":0,"
			"\"minus\":-1,\"all\":18446744073709551615,"
			"\"yes\":true,\"a\\\"no\":false}");
	buffer_clear(&b);
}

static void test_buffer_grows(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint8_t byte = (uint8_t)i;

		buffer_add(&b, &byte, 1);
	}
	buffer_add(&b, NULL, 0);
	buffer_add_text(&b, "");
	assert_false(b.failed);
	assert_int_equal(b.len, 10000);
	assert_true(b.cap >= b.len && b.cap <= 2 * b.len);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
	buffer_clear(&b);
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
	buffer_clear(&b);
}

static void test_buffer_reserve(void **state)
{
	struct buffer b = { 0 };
	uint8_t *room;

	(void)state;
	assert_non_null(buffer_reserve(&b, 0));
	buffer_add_text(&b, "abc");
	room = buffer_reserve(&b, 100000);
	assert_non_null(room);
	assert_ptr_equal(room, b.data + 3);
	memset(room, 'x', 100000);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "abc", 3);
	buffer_clear(&b);
}

/* Sizes that no object has: told once, what was there stays, what follows is dropped. */
static void test_buffer_fails(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 3, (size_t)PTRDIFF_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buffer b = { 0 };
		struct json_out j = { .b = &b };

		buffer_add_text(&b, "abc");
		assert_null(buffer_reserve(&b, sizes[i]));
		assert_true(b.failed);
		assert_null(buffer_reserve(&b, 1));
		json_text(&j, "key", "value");
		assert_int_equal(b.len, 3);
		assert_memory_equal(b.data, "abc", 3);
		buffer_clear(&b);
		assert_false(b.failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_random_bits),
		cmocka_unit_test(test_random_usual),
		cmocka_unit_test(test_random_short),
		cmocka_unit_test(test_random_subnormal),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_buffer_grows),
		cmocka_unit_test(test_buffer_reserve),
		cmocka_unit_test(test_buffer_fails),
	};
	int failed;

	if (regcomp(&json_grammar, "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?(e[+-]?[0-9]+)?$",
		    REG_EXTENDED | REG_NOSUB) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	regfree(&json_grammar);
	return failed;
}
