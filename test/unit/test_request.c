/* The contract's table of what a range request may say; also the sentences of problem.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"
#include "timefmt.h"

#define NOW 1800000000000LL
#define HOUR 3600000LL
#define INTERVAL 10000
#define POINTS 11000

#define TIME_BOUNDS "it may be 0 to 253402300799999 (Unix ms)"
#define DURATION_BOUNDS "it may be 0 to 3155760000000 (ms)"

static const struct request_limits limits = { INTERVAL, POINTS };

static const struct good_case {
	const char *name;
	struct range_request in;
	int64_t since, until, resolution;
	size_t n;	/* aggregates to answer with; in the order asked */
	enum aggregate first, last;
} good_cases[] = {
	{ "nothing said: the last hour in 120 buckets", { 0 },
	  NOW - HOUR, NOW, 30000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "since absent: one hour before until", { .until_ms = 5 * HOUR },
	  4 * HOUR, 5 * HOUR, 30000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "until absent: now", { .since_ms = NOW - 2 * HOUR },
	  NOW - 2 * HOUR, NOW, 60000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "since and until", { .since_ms = HOUR, .until_ms = 3 * HOUR },
	  HOUR, 3 * HOUR, 60000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "range ends now", { .range_ms = 6 * HOUR },
	  NOW - 6 * HOUR, NOW, 180000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "range ends at until", { .range_ms = HOUR, .until_ms = 9 * HOUR },
	  8 * HOUR, 9 * HOUR, 30000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "resolution absent: rounded up", { .range_ms = HOUR + 1 },
	  NOW - HOUR - 1, NOW, 30001, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "resolution absent: no finer than the interval", { .range_ms = 60000 },
	  NOW - 60000, NOW, INTERVAL, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "resolution finer than the interval", { .range_ms = 60000, .resolution_ms = 7 },
	  NOW - 60000, NOW, 7, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "resolution longer than the window", { .resolution_ms = 24 * HOUR },
	  NOW - HOUR, NOW, 24 * HOUR, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "one aggregate", { .aggregates = { AGGREGATE_MAX }, .n_aggregates = 1 },
	  NOW - HOUR, NOW, 30000, 1, AGGREGATE_MAX, AGGREGATE_MAX },
	{ "all aggregates in the order asked",
	  { .aggregates = { AGGREGATE_LAST, AGGREGATE_MEAN, AGGREGATE_MAX, AGGREGATE_MIN },
	    .n_aggregates = 4 },
	  NOW - HOUR, NOW, 30000, 4, AGGREGATE_LAST, AGGREGATE_MIN },

	{ "since = until: empty", { .since_ms = HOUR, .until_ms = HOUR },
	  HOUR, HOUR, INTERVAL, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "since = until, all aggregates",
	  { .since_ms = 1, .until_ms = 1, .n_aggregates = 2,
	    .aggregates = { AGGREGATE_MIN, AGGREGATE_MAX } },
	  1, 1, INTERVAL, 2, AGGREGATE_MIN, AGGREGATE_MAX },
	{ "since = until: empty when aligned too",
	  { .since_ms = 12345, .until_ms = 12345, .align = ALIGN_EPOCH },
	  12345, 12345, INTERVAL, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "since = now: empty", { .since_ms = NOW },
	  NOW, NOW, INTERVAL, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },

	{ "epoch rounds out",
	  { .since_ms = 61234, .until_ms = 119999, .resolution_ms = 10000, .align = ALIGN_EPOCH },
	  60000, 120000, 10000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "epoch leaves multiples",
	  { .since_ms = 60000, .until_ms = 120000, .resolution_ms = 10000, .align = ALIGN_EPOCH },
	  60000, 120000, 10000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "epoch with the default resolution",
	  { .since_ms = 1000003, .until_ms = 1000003 + HOUR, .align = ALIGN_EPOCH },
	  990000, 4620000, 30000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "epoch before 1970 rounds down", { .until_ms = 1000, .align = ALIGN_EPOCH },
	  -HOUR, 30000, 30000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "a default before 1970", { .until_ms = 1000 },
	  1000 - HOUR, 1000, 30000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },

	{ "last time", { .since_ms = TIME_MS_MAX, .until_ms = TIME_MS_MAX },
	  TIME_MS_MAX, TIME_MS_MAX, INTERVAL, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "all of time", { .since_ms = 1, .until_ms = TIME_MS_MAX },
	  1, TIME_MS_MAX, 2111685840000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "epoch ends with the last time there is",
	  { .since_ms = TIME_MS_MAX - 10500, .until_ms = TIME_MS_MAX, .resolution_ms = 10000,
	    .align = ALIGN_EPOCH },
	  TIME_MS_MAX - 19999, TIME_MS_MAX, 10000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "epoch would end years after it",
	  { .since_ms = TIME_MS_MAX - 1, .until_ms = TIME_MS_MAX, .resolution_ms = DURATION_MS_MAX,
	    .align = ALIGN_EPOCH },
	  TIME_MS_MAX / DURATION_MS_MAX * DURATION_MS_MAX, TIME_MS_MAX, DURATION_MS_MAX, 1,
	  AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "epoch, just as many points to the last time",
	  { .since_ms = TIME_MS_MAX - 10999999, .until_ms = TIME_MS_MAX, .resolution_ms = 1000,
	    .align = ALIGN_EPOCH },
	  TIME_MS_MAX - 10999999, TIME_MS_MAX, 1000, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "range of 100 years", { .range_ms = DURATION_MS_MAX },
	  NOW - DURATION_MS_MAX, NOW, DURATION_MS_MAX / 120, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "resolution of 100 years", { .resolution_ms = DURATION_MS_MAX, .align = ALIGN_EPOCH },
	  0, DURATION_MS_MAX, DURATION_MS_MAX, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },

	{ "just as many points as may be",
	  { .since_ms = 1, .until_ms = 11001, .resolution_ms = 1 },
	  1, 11001, 1, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "just as many points with a part of a bucket",
	  { .since_ms = 1, .until_ms = 109992, .resolution_ms = 10 },
	  1, 109992, 10, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "just as many points of all aggregates",
	  { .since_ms = 1, .until_ms = 2751, .resolution_ms = 1, .n_aggregates = 4,
	    .aggregates = { AGGREGATE_MEAN, AGGREGATE_MIN, AGGREGATE_MAX, AGGREGATE_LAST } },
	  1, 2751, 1, 4, AGGREGATE_MEAN, AGGREGATE_LAST },

	{ "raw", { .raw = true },
	  NOW - HOUR, NOW, 0, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "raw ignores resolution, align and aggregates",
	  { .raw = true, .since_ms = 12345, .until_ms = 23456, .resolution_ms = 1000,
	    .align = ALIGN_EPOCH, .n_aggregates = 2,
	    .aggregates = { AGGREGATE_MAX, AGGREGATE_MIN } },
	  12345, 23456, 0, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "raw has no bound of points",
	  { .raw = true, .since_ms = 1, .until_ms = TIME_MS_MAX, .resolution_ms = 1 },
	  1, TIME_MS_MAX, 0, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
	{ "raw, since = until", { .raw = true, .since_ms = 5, .until_ms = 5 },
	  5, 5, 0, 1, AGGREGATE_MEAN, AGGREGATE_MEAN },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good_cases / sizeof good_cases[0]; i++) {
		const struct good_case *c = &good_cases[i];
		enum aggregate aggregates[AGGREGATE_COUNT];
		struct range_query q;
		struct problem p = { 0 };
		unsigned set = 0;
		size_t n = 0;

		printf("# %s\n", c->name);
		assert_int_equal(request_resolve(&c->in, &limits, NOW, &q, aggregates, &n, &p), 0);
		assert_true(q.since_ms == c->since);
		assert_true(q.until_ms == c->until);
		assert_true(q.resolution_ms == c->resolution);
		assert_int_equal(n, c->n);
		assert_int_equal(aggregates[0], c->first);
		assert_int_equal(aggregates[n - 1], c->last);
		for (size_t a = 0; a < n; a++)
			set |= AGGREGATE_BIT(aggregates[a]);
		assert_int_equal(q.aggregates, set);
		assert_int_equal(p.code, 0);
	}
}

static const struct bad_case {
	const char *name;
	struct range_request in;
	int code;
	const char *text;
} bad_cases[] = {
	{ "since > until", { .since_ms = 2, .until_ms = 1 }, 400,
	  "since is after until: it may be at most 1 (Unix ms)" },
	{ "since > until, raw", { .since_ms = 2, .until_ms = 1, .raw = true }, 400,
	  "since is after until: it may be at most 1 (Unix ms)" },
	{ "since in the future", { .since_ms = NOW + 1 }, 400,
	  "since is after until: it may be at most now, 1800000000000 (Unix ms)" },
	{ "negative since", { .since_ms = -1 }, 400, "since is negative: " TIME_BOUNDS },
	{ "negative until", { .until_ms = -1 }, 400, "until is negative: " TIME_BOUNDS },
	{ "negative range", { .range_ms = -1 }, 400, "range is negative: " DURATION_BOUNDS },
	{ "negative resolution", { .resolution_ms = -1 }, 400,
	  "resolution is negative: " DURATION_BOUNDS },
	{ "negative resolution, raw", { .resolution_ms = -1, .raw = true }, 400,
	  "resolution is negative: " DURATION_BOUNDS },
	{ "most negative since", { .since_ms = INT64_MIN }, 400,
	  "since is negative: " TIME_BOUNDS },
	{ "most negative range", { .range_ms = INT64_MIN }, 400,
	  "range is negative: " DURATION_BOUNDS },
	{ "since after year 9999", { .since_ms = TIME_MS_MAX + 1 }, 400,
	  "since is after the year 9999: " TIME_BOUNDS },
	{ "until after year 9999", { .until_ms = TIME_MS_MAX + 1 }, 400,
	  "until is after the year 9999: " TIME_BOUNDS },
	{ "until far after year 9999", { .until_ms = INT64_MAX }, 400,
	  "until is after the year 9999: " TIME_BOUNDS },
	{ "range over 100 years", { .range_ms = DURATION_MS_MAX + 1 }, 400,
	  "range is over 100 years: " DURATION_BOUNDS },
	{ "resolution over 100 years", { .resolution_ms = DURATION_MS_MAX + 1 }, 400,
	  "resolution is over 100 years: " DURATION_BOUNDS },
	{ "longest resolution", { .resolution_ms = INT64_MAX }, 400,
	  "resolution is over 100 years: " DURATION_BOUNDS },
	{ "since and range both", { .since_ms = 1, .range_ms = 1 }, 400,
	  "since and range are both given: only one of them may be" },
	{ "an aggregate twice",
	  { .aggregates = { AGGREGATE_MAX, AGGREGATE_MIN, AGGREGATE_MAX }, .n_aggregates = 3 }, 400,
	  "aggregates has max twice: each may be there once" },
	{ "an aggregate twice, raw",
	  { .aggregates = { AGGREGATE_MEAN, AGGREGATE_MEAN }, .n_aggregates = 2, .raw = true }, 400,
	  "aggregates has mean twice: each may be there once" },

	{ "too many points", { .range_ms = 10 * HOUR, .resolution_ms = 900 }, 413,
	  "40,000 points are more than 11,000: "
	  "the finest resolution for this window is 3273 ms" },
	{ "one point too many", { .since_ms = 1, .until_ms = 11002, .resolution_ms = 1 }, 413,
	  "11,001 points are more than 11,000: the finest resolution for this window is 2 ms" },
	{ "a part of a bucket too many", { .since_ms = 1, .until_ms = 110002, .resolution_ms = 10 },
	  413,
	  "11,001 points are more than 11,000: the finest resolution for this window is 11 ms" },
	{ "too many points of all aggregates",
	  { .range_ms = 10 * HOUR, .resolution_ms = 10000, .n_aggregates = 4,
	    .aggregates = { AGGREGATE_MEAN, AGGREGATE_MIN, AGGREGATE_MAX, AGGREGATE_LAST } },
	  413,
	  "14,400 points are more than 11,000: "
	  "the finest resolution for this window is 13091 ms" },
	{ "too many points by alignment",
	  { .since_ms = 500, .until_ms = 11000500, .resolution_ms = 1000, .align = ALIGN_EPOCH },
	  413,
	  "11,001 points are more than 11,000: "
	  "the finest resolution for this window is 1001 ms" },
	{ "too many points by alignment to the last time",
	  { .since_ms = TIME_MS_MAX - 11000000, .until_ms = TIME_MS_MAX, .resolution_ms = 1000,
	    .align = ALIGN_EPOCH },
	  413,
	  "11,001 points are more than 11,000: "
	  "the finest resolution for this window is 1001 ms" },
	{ "all of time in milliseconds",
	  { .since_ms = 1, .until_ms = TIME_MS_MAX, .resolution_ms = 1, .n_aggregates = 4,
	    .aggregates = { AGGREGATE_MEAN, AGGREGATE_MIN, AGGREGATE_MAX, AGGREGATE_LAST } },
	  413,
	  "1,013,609,203,199,992 points are more than 11,000: "
	  "the finest resolution for this window is 92146291200 ms" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_cases / sizeof bad_cases[0]; i++) {
		const struct bad_case *c = &bad_cases[i];
		enum aggregate aggregates[AGGREGATE_COUNT] = { AGGREGATE_LAST };
		struct range_query q = { .since_ms = 77 };
		struct problem p = { 0 };
		size_t n = 99;

		printf("# %s\n", c->name);
		assert_int_equal(request_resolve(&c->in, &limits, NOW, &q, aggregates, &n, &p),
				 c->code);
		assert_int_equal(p.code, c->code);
		assert_string_equal(p.text, c->text);
		/* The outputs are as they were. */
		assert_true(q.since_ms == 77 && n == 99 && aggregates[0] == AGGREGATE_LAST);
	}
}

/* With so few points the finest resolution can be one that no request may ask for. */
static void test_no_resolution_fits(void **state)
{
	const struct request_limits few = { INTERVAL, 2 };
	const struct range_request r = { .since_ms = 1, .until_ms = TIME_MS_MAX };
	enum aggregate aggregates[AGGREGATE_COUNT];
	struct range_query q;
	struct problem p;
	size_t n;

	(void)state;
	assert_int_equal(request_resolve(&r, &few, NOW, &q, aggregates, &n, &p), 413);
	assert_string_equal(p.text, "120 points are more than 2: since must be nearer to until");
}

static uint64_t random_next(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Of any size up to max, small ones as often as large ones. */
static int64_t random_up_to(uint64_t *x, int64_t max)
{
	uint64_t r = random_next(x);

	return (int64_t)(r >> (1 + random_next(x) % 63)) % max;
}

static int64_t floor_to(int64_t v, int64_t step)
{
	return v - ((v % step) + step) % step;
}

static int64_t count_buckets(int64_t since, int64_t until, int64_t r, enum align align)
{
	if (align == ALIGN_EPOCH)
		return (floor_to(until + r - 1, r) - floor_to(since, r)) / r;
	return (until - since + r - 1) / r;
}

/* Against trying one after the other, where that ends soon. */
static void test_finest_by_trial(void **state)
{
	uint64_t x = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t since = random_up_to(&x, 100000000) * (random_next(&x) % 8 ? 1 : -1);
		int64_t until = since + 1 + random_up_to(&x, 100000);
		size_t n = 1 + random_next(&x) % AGGREGATE_COUNT;
		int64_t points = 2 * (int64_t)n + random_up_to(&x, 2000);
		enum align align = random_next(&x) % 4 ? ALIGN_EPOCH : ALIGN_SINCE;
		int64_t want = 1;
		int64_t got = request_finest_resolution(since, until, align, n, points);

		while (count_buckets(since, until, want, align) * (int64_t)n > points)
			want++;
		if (got != want)
			fail_msg("%lld to %lld, align %d, %zu of %lld: %lld, not %lld",
				 (long long)since, (long long)until, (int)align, n,
				 (long long)points, (long long)got, (long long)want);
	}
}

/* Windows of this century with the usual bound: the one before does not fit, nor 300 before it. */
static void test_finest_real(void **state)
{
	uint64_t x = 2;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		int64_t until = NOW + random_up_to(&x, NOW);
		int64_t since = until - 1 - random_up_to(&x, DURATION_MS_MAX);
		size_t n = 1 + random_next(&x) % AGGREGATE_COUNT;
		int64_t r = request_finest_resolution(since, until, ALIGN_EPOCH, n, POINTS);

		assert_true(count_buckets(since, until, r, ALIGN_EPOCH) * (int64_t)n <= POINTS);
		for (int64_t b = r - 1; b > 0 && b > r - 300; b--)
			assert_true(count_buckets(since, until, b, ALIGN_EPOCH) * (int64_t)n >
				    POINTS);
	}
}

/* Whatever the trials end with, it fits. */
static void test_finest_bounded(void **state)
{
	uint64_t x = 3;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t until = random_up_to(&x, TIME_MS_MAX);
		int64_t since = until - 1 - random_up_to(&x, TIME_MS_MAX);
		int64_t points = 2 + random_up_to(&x, 1000);
		int64_t r = request_finest_resolution(since, until, ALIGN_EPOCH, 1, points);

		assert_true(r >= 1);
		assert_true(count_buckets(since, until, r, ALIGN_EPOCH) <= points);
	}
	assert_true(request_finest_resolution(5, 5, ALIGN_EPOCH, 1, 2) == 1);
	assert_true(request_finest_resolution(5, 5, ALIGN_SINCE, 4, 8) == 1);
}

static int64_t random_field(uint64_t *x, int64_t max)
{
	static const int64_t odd[] = { -1, INT64_MIN, INT64_MAX, 1 };

	switch (random_next(x) % 16) {
	case 0:
		return odd[random_next(x) % 4];
	case 1:
		return max;
	case 2:
		return max + 1;
	case 3: case 4: case 5: case 6:
		return 0;
	default:
		return random_up_to(x, max);
	}
}

/* Any request: nothing overflows, what is accepted fits, and what a 413 names is accepted. */
static void test_random_requests(void **state)
{
	uint64_t x = 4;
	int accepted = 0, too_large = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct range_request r = {
			.since_ms = random_field(&x, TIME_MS_MAX),
			.until_ms = random_field(&x, TIME_MS_MAX),
			.range_ms = random_next(&x) % 2 ? 0 : random_field(&x, DURATION_MS_MAX),
			.resolution_ms = random_field(&x, DURATION_MS_MAX),
			.n_aggregates = random_next(&x) % (AGGREGATE_COUNT + 1),
			.aggregates = { AGGREGATE_MIN, AGGREGATE_MEAN, AGGREGATE_MAX,
					AGGREGATE_LAST },
			.align = random_next(&x) % 2 ? ALIGN_EPOCH : ALIGN_SINCE,
			.raw = random_next(&x) % 8 == 0,
		};
		enum aggregate aggregates[AGGREGATE_COUNT];
		struct range_query q;
		struct problem p;
		const char *named;
		size_t n;
		int rc = request_resolve(&r, &limits, NOW, &q, aggregates, &n, &p);

		if (rc == 413) {
			too_large++;
			named = strstr(p.text, "window is ");
			assert_non_null(named);
			r.resolution_ms = strtoll(named + strlen("window is "), NULL, 10);
			rc = request_resolve(&r, &limits, NOW, &q, aggregates, &n, &p);
			assert_int_equal(rc, 0);
		}
		if (rc == 0) {
			accepted++;
			assert_true(q.since_ms <= q.until_ms);
			assert_true(q.until_ms <= TIME_MS_MAX);
			if (r.raw)
				assert_true(q.resolution_ms == 0);
			else
				assert_true(count_buckets(q.since_ms, q.until_ms, q.resolution_ms,
							  ALIGN_SINCE) * (int64_t)n <= POINTS);
		} else {
			assert_int_equal(rc, 400);
		}
	}
	printf("# %d accepted, %d of them after a 413\n", accepted, too_large);
	assert_true(too_large > 1000 && accepted > 10000);
}

/* Text from the bus goes into a header: nothing in it may end the line, and it is cut to fit. */
static void test_problem(void **state)
{
	struct problem p;
	char longer[2 * PROBLEM_TEXT_MAX];

	(void)state;
	assert_int_equal(problem_set(&p, PROBLEM_MALFORMED, "%s is %d", "x", 7), 400);
	assert_int_equal(p.code, 400);
	assert_string_equal(p.text, "x is 7");
	assert_int_equal(problem_set(&p, PROBLEM_TOO_MANY, "%s", "a\r\nb\tc\x7f\xc3\xa4~ "), 429);
	assert_string_equal(p.text, "a??b?c???~ ");
	memset(longer, 'y', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(problem_set(&p, PROBLEM_TOO_LARGE, "%s", longer), 413);
	assert_int_equal(strlen(p.text), PROBLEM_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_resolution_fits),
		cmocka_unit_test(test_finest_by_trial),
		cmocka_unit_test(test_finest_real),
		cmocka_unit_test(test_finest_bounded),
		cmocka_unit_test(test_random_requests),
		cmocka_unit_test(test_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
