#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "timefmt.h"

#define BAD INT64_MIN	/* is refused; no parser returns it */
#define RANDOM_TIMES 200000

#define MINUTE 60000LL
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct format_case {
	const char *name;
	int64_t ms;
	const char *want;
} format_cases[] = {
	{ "epoch", 0, "1970-01-01T00:00:00.000Z" },
	{ "milliseconds", 7, "1970-01-01T00:00:00.007Z" },
	{ "just before the epoch", -1, "1969-12-31T23:59:59.999Z" },
	{ "a whole day before", -DAY, "1969-12-31T00:00:00.000Z" },
	{ "the header's example", 1795244820000, "2026-11-21T07:07:00.000Z" },
	{ "leap day of 2000", 951782400000, "2000-02-29T00:00:00.000Z" },
	{ "after the 28th of February 1900", -2203891200000, "1900-03-01T00:00:00.000Z" },
	{ "end of a leap year", 1735689599999, "2024-12-31T23:59:59.999Z" },
	{ "past 32 bits", 4294967296000, "2106-02-07T06:28:16.000Z" },
	{ "last", TIME_MS_MAX, "9999-12-31T23:59:59.999Z" },
	{ "first", -62167219200000, "0000-01-01T00:00:00.000Z" },
	{ "leap day of the year 0", -62162121600000, "0000-02-29T00:00:00.000Z" },
	{ "after the last: the last", TIME_MS_MAX + 1, "9999-12-31T23:59:59.999Z" },
	{ "before the first: the first", -62167219200001, "0000-01-01T00:00:00.000Z" },
	{ "far after", INT64_MAX, "9999-12-31T23:59:59.999Z" },
	{ "far before", INT64_MIN, "0000-01-01T00:00:00.000Z" },
};

static void test_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof format_cases / sizeof format_cases[0]; i++) {
		const struct format_case *c = &format_cases[i];
		char buf[TIMEFMT_SIZE];

		printf("# %s\n", c->name);
		assert_ptr_equal(timefmt_rfc3339(c->ms, buf), buf);
		assert_string_equal(buf, c->want);
	}
}

static const struct parse_case {
	const char *name;
	const char *text;
	int64_t want;
} time_cases[] = {
	{ "epoch", "1970-01-01T00:00:00Z", 0 },
	{ "milliseconds", "1970-01-01T00:00:01.234Z", 1234 },
	{ "one digit of fraction", "1970-01-01T00:00:00.5Z", 500 },
	{ "two digits of fraction", "1970-01-01T00:00:00.05Z", 50 },
	{ "nanoseconds are cut", "1970-01-01T00:00:00.999999999Z", 999 },
	{ "thirty digits of fraction", "1970-01-01T00:00:00.001999999999999999999999999999Z", 1 },
	{ "before the epoch", "1969-12-31T23:59:59.999Z", -1 },
	{ "small letters", "2026-11-21t07:07:00z", 1795244820000 },
	{ "offset east", "2026-11-21T08:07:00+01:00", 1795244820000 },
	{ "offset west", "2026-11-21T01:37:00-05:30", 1795244820000 },
	{ "unknown local offset", "1970-01-01T00:00:00-00:00", 0 },
	{ "largest offset", "1970-01-01T23:59:00+23:59", 0 },
	{ "fraction and offset", "1970-01-01T01:00:00.25+01:00", 250 },
	{ "leap day", "2024-02-29T00:00:00Z", 1709164800000 },
	{ "leap day of 2000", "2000-02-29T00:00:00Z", 951782400000 },
	{ "leap second", "2016-12-31T23:59:60Z", 1483228800000 },
	{ "within a leap second", "2016-12-31T23:59:60.5Z", 1483228800500 },
	{ "last", "9999-12-31T23:59:59.999Z", TIME_MS_MAX },
	{ "after the last by its offset", "9999-12-31T23:59:59.999-01:00", TIME_MS_MAX + HOUR },
	{ "first", "0000-01-01T00:00:00Z", -62167219200000 },
	{ "before the first by its offset", "0000-01-01T00:00:00+01:00", -62167219200000 - HOUR },
	{ "zero", "0", 0 },
	{ "digits", "1795244820000", 1795244820000 },
	{ "digits with leading zeros", "0000000000000000000000000012", 12 },
	{ "negative digits", "-5", -5 },
	{ "the largest", "9223372036854775807", INT64_MAX },
	{ "one more saturates", "9223372036854775808", INT64_MAX },
	{ "many digits saturate", "99999999999999999999999999999999999999999", INT64_MAX },
	{ "many negative digits saturate", "-99999999999999999999999999999", -INT64_MAX },

	{ "empty", "", BAD },
	{ "sign alone", "-", BAD },
	{ "plus sign", "+5", BAD },
	{ "two signs", "--5", BAD },
	{ "blank before", " 5", BAD },
	{ "blank after", "5 ", BAD },
	{ "decimals", "5.0", BAD },
	{ "exponent", "1e3", BAD },
	{ "hexadecimal", "0x10", BAD },
	{ "word", "now", BAD },
	{ "date alone", "2026-11-21", BAD },
	{ "no offset", "2026-11-21T07:07:00", BAD },
	{ "no seconds", "2026-11-21T07:07Z", BAD },
	{ "blank instead of T", "2026-11-21 07:07:00Z", BAD },
	{ "underscore instead of T", "2026-11-21_07:07:00Z", BAD },
	{ "year of two digits", "26-11-21T07:07:00Z", BAD },
	{ "year of five digits", "12026-11-21T07:07:00Z", BAD },
	{ "negative year", "-2026-11-21T07:07:00Z", BAD },
	{ "month 0", "2026-00-21T07:07:00Z", BAD },
	{ "month 13", "2026-13-21T07:07:00Z", BAD },
	{ "month of one digit", "2026-1-21T07:07:00Z", BAD },
	{ "day 0", "2026-11-00T07:07:00Z", BAD },
	{ "31 November", "2026-11-31T07:07:00Z", BAD },
	{ "29 February of a common year", "2026-02-29T07:07:00Z", BAD },
	{ "29 February 1900", "1900-02-29T07:07:00Z", BAD },
	{ "30 February", "2024-02-30T07:07:00Z", BAD },
	{ "hour 24", "2026-11-21T24:00:00Z", BAD },
	{ "minute 60", "2026-11-21T07:60:00Z", BAD },
	{ "second 61", "2026-11-21T07:07:61Z", BAD },
	{ "point without fraction", "2026-11-21T07:07:00.Z", BAD },
	{ "comma as point", "2026-11-21T07:07:00,5Z", BAD },
	{ "two offsets", "2026-11-21T07:07:00Z+01:00", BAD },
	{ "offset without colon", "2026-11-21T07:07:00+0100", BAD },
	{ "offset of hours alone", "2026-11-21T07:07:00+01", BAD },
	{ "offset of 24 hours", "2026-11-21T07:07:00+24:00", BAD },
	{ "offset of 60 minutes", "2026-11-21T07:07:00+01:60", BAD },
	{ "line end after", "2026-11-21T07:07:00Z\n", BAD },
	{ "blank before a date", " 2026-11-21T07:07:00Z", BAD },
};

/*
 * The text lies in an allocation of just its length, so that a sanitizer sees a read behind it.
 * What is refused leaves the output alone.
 */
static void check_parse(const struct parse_case *c,
			bool (*parse)(const char *s, size_t len, int64_t *out))
{
	size_t len = strlen(c->text);
	char *text = malloc(len ? len : 1);
	int64_t got = BAD;
	bool ok;

	assert_non_null(text);
	printf("# %s\n", c->name);
	memcpy(text, c->text, len);
	ok = parse(text, len, &got);
	free(text);
	assert_int_equal(ok, c->want != BAD);
	assert_true(got == c->want);
}

static void test_parse_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof time_cases / sizeof time_cases[0]; i++)
		check_parse(&time_cases[i], timefmt_parse_time);
}

static const struct parse_case duration_cases[] = {
	{ "bare digits are seconds", "90", 90000 },
	{ "zero", "0", 0 },
	{ "milliseconds", "250ms", 250 },
	{ "seconds", "5s", 5000 },
	{ "minutes", "2m", 2 * MINUTE },
	{ "hours", "6h", 6 * HOUR },
	{ "days", "7d", 7 * DAY },
	{ "decimals", "1.5h", 90 * MINUTE },
	{ "smallest part of a second", "0.001s", 1 },
	{ "zeros at the end", "1.50000000000000000000000000s", 1500 },
	{ "whole milliseconds with decimals", "1.000ms", 1 },
	{ "a part of a day", "0.1d", 8640000 },
	{ "ten decimals that are whole", "0.0009765625d", 84375 },
	{ "leading zeros", "007s", 7000 },
	{ "100 years", "36525d", DURATION_MS_MAX },
	{ "100 years in seconds", "3155760000", DURATION_MS_MAX },
	{ "over 100 years", "36526d", DURATION_MS_MAX + 1 },
	{ "over 100 years by a fraction", "36525.5d", DURATION_MS_MAX + 1 },
	{ "one millisecond over", "3155760000001ms", DURATION_MS_MAX + 1 },
	{ "two milliseconds over", "3155760000002ms", DURATION_MS_MAX + 1 },
	{ "many digits saturate", "99999999999999999999999999999d", DURATION_MS_MAX + 1 },
	{ "negative", "-5s", -5000 },
	{ "negative bare digits", "-90", -90000 },
	{ "negative decimals", "-1.5s", -1500 },
	{ "many negative digits saturate", "-999999999999999999999h", -DURATION_MS_MAX - 1 },

	{ "empty", "", BAD },
	{ "unit alone", "h", BAD },
	{ "sign alone", "-", BAD },
	{ "sign and unit", "-h", BAD },
	{ "point alone", ".", BAD },
	{ "two numbers", "1h30m", BAD },
	{ "exponent", "1e3s", BAD },
	{ "blank before", " 5s", BAD },
	{ "blank within", "5 s", BAD },
	{ "blank after", "5s ", BAD },
	{ "plus sign", "+5s", BAD },
	{ "no whole milliseconds", "0.5ms", BAD },
	{ "no whole milliseconds of seconds", "0.0015s", BAD },
	{ "no whole milliseconds, long", "0.00000000000000000000000000001d", BAD },
	{ "no whole milliseconds of very many", "99999999999999999999.5ms", BAD },
	{ "decimals without unit", "1.5", BAD },
	{ "nothing before the point", ".5s", BAD },
	{ "nothing after the point", "5.s", BAD },
	{ "two points", "1.5.5s", BAD },
	{ "comma as point", "1,5s", BAD },
	{ "unit in capitals", "5S", BAD },
	{ "unknown unit", "5w", BAD },
	{ "unit and more", "5sec", BAD },
	{ "microseconds", "5us", BAD },
	{ "ms twice", "5msms", BAD },
	{ "word", "inf", BAD },
	{ "ISO 8601", "PT5S", BAD },
};

static void test_parse_duration(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof duration_cases / sizeof duration_cases[0]; i++)
		check_parse(&duration_cases[i], timefmt_parse_duration);
}

/* The length counts, not a NUL. */
static void test_embedded_nul(void **state)
{
	int64_t got = 0;

	(void)state;
	assert_false(timefmt_parse_time("5\0", 2, &got));
	assert_false(timefmt_parse_time("\0", 1, &got));
	assert_false(timefmt_parse_duration("5s\0", 3, &got));
	assert_true(timefmt_parse_duration("5s\0", 2, &got));
}

/* Against the C library, and back again. */
static void test_random_times(void **state)
{
	const uint64_t span = 62167219200000 + TIME_MS_MAX + 1;
	uint64_t x = 42;

	(void)state;
	for (int i = 0; i < RANDOM_TIMES; i++) {
		char got[TIMEFMT_SIZE], want[TIMEFMT_SIZE], day[TIMEFMT_SIZE];
		int64_t ms, part, back;
		time_t seconds;
		struct tm tm;

		x = x * 6364136223846793005 + 1442695040888963407;
		ms = (int64_t)((x >> 11) % span) - 62167219200000;
		part = (ms % 1000 + 1000) % 1000;
		seconds = (time_t)((ms - part) / 1000);
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_true(strftime(day, sizeof day, "-%m-%dT%H:%M:%S", &tm) > 0);
		snprintf(want, sizeof want, "%04d%.15s.%03dZ", tm.tm_year + 1900, day, (int)part);
		assert_string_equal(timefmt_rfc3339(ms, got), want);
		assert_true(timefmt_parse_time(got, strlen(got), &back));
		assert_true(back == ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_parse_time),
		cmocka_unit_test(test_parse_duration),
		cmocka_unit_test(test_embedded_nul),
		cmocka_unit_test(test_random_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
