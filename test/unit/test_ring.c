/* What the ring's header promises, case by case. For everything else see test_ring_random.c. */
#include "unit.h"

#include <errno.h>

#include "generator.h"
#include "naive.h"
#include "precision.h"
#include "ring.h"

#define START_MS 1790000000000
#define INTERVAL_MS 10000

static struct sample sample_at(int64_t at_ms, double value)
{
	struct sample s = { .at_ms = at_ms };

	for (int m = 0; m < METRIC_COUNT; m++)
		s.value[m] = value;
	return s;
}

static struct ring *ring_of(size_t capacity)
{
	struct ring *r;

	assert_int_equal(ring_new(&r, capacity, INTERVAL_MS), 0);
	return r;
}

static void append(struct ring *r, struct naive *nv, const struct sample *s)
{
	assert_int_equal(ring_append(r, s), 0);
	if (nv)
		naive_append(nv, s);
}

static void fail_because(const char *why)
{
	if (why)
		fail_msg("%s", why);
}

static const struct new_case {
	const char *name;
	size_t capacity;
	int64_t interval_ms;
	int want;
} new_cases[] = {
	{ "the smallest", 1, 1, 0 },
	{ "no capacity", 0, 10000, -EINVAL },
	{ "the greatest capacity", RING_CAPACITY_MAX, 10000, 0 },
	{ "too large", RING_CAPACITY_MAX + 1u, 10000, -EINVAL },
	{ "no interval", 10, 0, -EINVAL },
	{ "a negative interval", 10, -1, -EINVAL },
	{ "a long interval", 10, 1ll << 40, 0 },
#ifdef RING_INTERVAL_MAX_MS
	{ "the longest interval", 10, RING_INTERVAL_MAX_MS, 0 },
	{ "too long an interval", 10, RING_INTERVAL_MAX_MS + 1, -EINVAL },
#endif
};

static void test_new(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(new_cases); i++) {
		struct ring *r = NULL;

		printf("# %s\n", new_cases[i].name);
		assert_int_equal(ring_new(&r, new_cases[i].capacity, new_cases[i].interval_ms),
				 new_cases[i].want);
		if (new_cases[i].want != 0)
			continue;
		for (int n = 0; n < 200; n++) {
			struct sample s = sample_at(START_MS + n, n);

			append(r, NULL, &s);
		}
		ring_free(r);
	}
	ring_free(NULL);
}

static const struct refused_case {
	const char *name;
	double value;
	int want;
} refused_cases[] = {
	{ "zero", 0, 0 },
	{ "minus zero", -0.0, 0 },
	{ "absent", NAN, 0 },
	{ "absent, with the other sign", -NAN, 0 },
	{ "the greatest that is held", 137438953472.0 * 1024 * 2047 / 2048, 0 },
	{ "held as the greatest", 1e16, 1 },
	{ "infinite", INFINITY, -EINVAL },
	{ "negative infinite", -INFINITY, -EINVAL },
	{ "negative", -1, -EINVAL },
	{ "hardly negative", -1e-300, -EINVAL },
};

/* Wherever the ring is in making a block or a group: what it refuses leaves no trace. */
static void test_what_is_refused(void **state)
{
	(void)state;
	for (size_t before = 0; before < 4200; before = before * 2 + 1) {
		struct ring *r = ring_of(3000);
		struct naive nv = { 0 };

		for (size_t i = 0; i < before; i++) {
			struct sample s = sample_at(START_MS + (int64_t)i * INTERVAL_MS, i % 100);

			append(r, &nv, &s);
		}
		for (size_t i = 0; i < COUNT_OF(refused_cases); i++) {
			struct sample s = sample_at(START_MS, 1);
			size_t count = ring_count(r);

			s.value[METRIC_NETWORK_OUT] = refused_cases[i].value;
			if (before == 0)
				printf("# %s\n", refused_cases[i].name);
			assert_int_equal(ring_append(r, &s), refused_cases[i].want);
			if (refused_cases[i].want < 0)
				assert_int_equal(ring_count(r), count);
			else
				naive_append(&nv, &s);
			fail_because(naive_follow(&nv, r, 3000));
		}
		fail_because(naive_pages_differ(&nv, r, INT64_MIN, INT64_MAX, 1000));
		ring_free(r);
		naive_clear(&nv);
	}
}

/* Full, and full many times over: what is held is the newest, and no more than it may be. */
static void test_the_oldest_are_forgotten(void **state)
{
	static const size_t capacities[] = { 1, 2, 7, 63, 64, 65, 500, 2048, 2049, 5000 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(capacities); i++) {
		struct ring *r = ring_of(capacities[i]);
		struct naive nv = { 0 };

		printf("# %zu\n", capacities[i]);
		for (size_t n = 0; n < 3 * capacities[i] + 7000; n++) {
			struct sample s = sample_at(START_MS + (int64_t)n * INTERVAL_MS, n % 1000);
			size_t count = ring_count(r);

			append(r, &nv, &s);
			assert_true(ring_count(r) <= count + 1);
			if (n % 97 == 0)
				fail_because(naive_follow(&nv, r, capacities[i]));
		}
		fail_because(naive_follow(&nv, r, capacities[i]));
		fail_because(naive_pages_differ(&nv, r, INT64_MIN, INT64_MAX, 1000));
		ring_free(r);
		naive_clear(&nv);
	}
}

#define MIDDLE 500

/* 1000 samples, sample i at START_MS + i * 10 s; a window in ms from the sample MIDDLE. */
static const struct window_case {
	const char *name;
	int64_t since;
	int64_t until;
	int64_t resolution;
	size_t want_rows;
	uint32_t want_first;	/* the count of the first row */
} window_cases[] = {
	{ "one ms at a sample", 0, 1, 1, 1, 1 },
	{ "one ms before a sample", -1, 0, 1, 0, 0 },
	{ "one ms after a sample", 1, 2, 1, 0, 0 },
	{ "the end is exclusive", 0, 10000, 10000, 1, 1 },
	{ "the start is inclusive", 0, 10001, 10000, 2, 1 },
	{ "empty", 0, 0, 1, 0, 0 },
	{ "inverted", 10, 0, 1, 0, 0 },
	{ "two samples a bucket", 0, 100000, 20000, 5, 2 },
	{ "the last bucket is cut off", 0, 50000, 40000, 2, 4 },
	{ "buckets shorter than the interval", 0, 100000, 4000, 10, 1 },
	{ "one bucket longer than the window", 0, 100000, INT64_MAX, 1, 10 },
	{ "all before", -90000000, -5000001, 1000, 0, 0 },
	{ "all after", 4990001, 90000000, 1000, 0, 0 },
	{ "everything", -5000000, 4990001, 9990001, 1, 1000 },
};

static void test_windows(void **state)
{
	struct ring *r = ring_of(2000);
	struct naive nv = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct sample s = sample_at(START_MS + i * INTERVAL_MS, i);

		append(r, &nv, &s);
	}
	fail_because(naive_follow(&nv, r, 2000));
	for (size_t i = 0; i < COUNT_OF(window_cases); i++) {
		const struct window_case *c = &window_cases[i];
		struct range_query q = {
			.since_ms = START_MS + MIDDLE * INTERVAL_MS + c->since,
			.until_ms = START_MS + MIDDLE * INTERVAL_MS + c->until,
			.resolution_ms = c->resolution,
		};
		struct range_result got;

		printf("# %s\n", c->name);
		for (q.aggregates = 1; q.aggregates <= AGGREGATE_ALL; q.aggregates++) {
			assert_int_equal(ring_range(r, &q, &got), 0);
			assert_int_equal(got.n, c->want_rows);
			assert_int_equal(got.n ? got.count[0] : 0, c->want_first);
			range_result_clear(&got);
			fail_because(naive_range_differs(&nv, r, &q));
		}
	}
	ring_free(r);
	naive_clear(&nv);
}

static const struct query_case {
	const char *name;
	struct range_query query;
	int want;
} query_cases[] = {
	{ "a resolution of 0", { 0, 1000, 0, AGGREGATE_ALL }, -EINVAL },
	{ "a negative resolution", { 0, 1000, -1, AGGREGATE_ALL }, -EINVAL },
	{ "no aggregate", { 0, 1000, 10, 0 }, -EINVAL },
	{ "as many buckets as there may be", { 0, RANGE_BUCKETS_MAX, 1, 1 }, 0 },
	{ "one more", { 0, RANGE_BUCKETS_MAX + 1, 1, 1 }, -EINVAL },
	{ "from the beginning of time", { INT64_MIN, -1, INT64_MAX, 1 }, 0 },
	{ "to the end of time", { 0, INT64_MAX, INT64_MAX, 1 }, 0 },
	{ "the last instant", { INT64_MAX - 1, INT64_MAX, 1, 1 }, 0 },
	{ "the first instant", { INT64_MIN, INT64_MIN + 1, 1, 1 }, 0 },
};

static void test_queries(void **state)
{
	struct ring *empty = ring_of(10), *r = ring_of(5000);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct sample s = sample_at(i * INTERVAL_MS, i);

		append(r, NULL, &s);
	}
	for (size_t i = 0; i < COUNT_OF(query_cases); i++) {
		struct range_result got;

		printf("# %s\n", query_cases[i].name);
		assert_int_equal(ring_range(r, &query_cases[i].query, &got), query_cases[i].want);
		range_result_clear(&got);	/* zeroed after a failure */
		assert_int_equal(ring_range(empty, &query_cases[i].query, &got),
				 query_cases[i].want);
		assert_int_equal(got.n, 0);
		range_result_clear(&got);
	}
	ring_free(empty);
	ring_free(r);
}

/* Of equal times the one that came last; an absent reading is none, not even the last. */
static void test_last_of_equal_times(void **state)
{
	struct range_query q = { START_MS, START_MS + 1000, 1000, AGGREGATE_BIT(AGGREGATE_LAST) };
	struct range_result got;
	struct ring *r = ring_of(10);
	struct sample s[] = {
		sample_at(START_MS + 5, 1), sample_at(START_MS + 5, 2), sample_at(START_MS + 4, 3),
		sample_at(START_MS + 5, NAN),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(s); i++)
		append(r, NULL, &s[i]);
	assert_int_equal(ring_range(r, &q, &got), 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.count[0], 4);
	assert_true(got.column[AGGREGATE_LAST][METRIC_CPU_PERCENT][0] == 2);
	range_result_clear(&got);
	ring_free(r);
}

static void test_absent_is_not_zero(void **state)
{
	struct range_query q = { START_MS, START_MS + 100, 10, AGGREGATE_ALL };
	struct range_result got;
	struct ring *r = ring_of(10);
	struct sample s = sample_at(START_MS, 4);

	(void)state;
	s.value[METRIC_REQUESTS] = NAN;
	append(r, NULL, &s);
	s.at_ms++;
	s.value[METRIC_CPU_PERCENT] = NAN;
	append(r, NULL, &s);
	s.at_ms = START_MS + 50;
	append(r, NULL, &s);
	assert_int_equal(ring_range(r, &q, &got), 0);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.count[0], 2);
	assert_true(got.column[AGGREGATE_MEAN][METRIC_CPU_PERCENT][0] == 4);
	assert_true(isnan(got.column[AGGREGATE_MEAN][METRIC_CPU_PERCENT][1]));
	assert_null(got.column[AGGREGATE_MEAN][METRIC_REQUESTS]);
	range_result_clear(&got);
	ring_free(r);
}

static void test_raw_of_one_millisecond_is_not_cut(void **state)
{
	struct range_result got;
	struct ring *r = ring_of(100);
	int64_t next;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct sample s = sample_at(i < 5 ? 1000 : 2000, i);

		append(r, NULL, &s);
	}
	assert_int_equal(ring_raw(r, 0, 5000, 10, &got, &next), 0);
	assert_int_equal(got.n, 5);
	assert_int_equal(next, 2000);
	range_result_clear(&got);
	assert_int_equal(ring_raw(r, next, 5000, 10, &got, &next), -ENOSPC);
	assert_int_equal(ring_raw(r, 2000, 5000, 15, &got, &next), 0);
	assert_int_equal(got.n, 15);
	assert_int_equal(next, 0);
	range_result_clear(&got);
	ring_free(r);
}

/* A clock that was set back for an hour: rows in time order, equal times in order of arrival. */
static void test_raw_in_time_order(void **state)
{
	struct ring *r = ring_of(6000);
	struct naive nv = { 0 };

	(void)state;
	for (int i = 0; i < 5000; i++) {
		int64_t back = i > 2500 ? 3600000 : 0;
		struct sample s = sample_at(START_MS + i * INTERVAL_MS - back, i);

		append(r, &nv, &s);
	}
	fail_because(naive_follow(&nv, r, 6000));
	for (size_t rows = 1; rows < 6000; rows = rows * 3 + 1)
		fail_because(naive_pages_differ(&nv, r, INT64_MIN, INT64_MAX, rows));
	ring_free(r);
	naive_clear(&nv);
}

/* Sums of whole groups, of parts of a block, and of what a block leaves of its sum. */
static void test_sums_are_exact(void **state)
{
	struct ring *r = ring_of(20000);
	struct naive nv = { 0 };
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 9000; i++) {
		struct sample s = sample_at(START_MS + i * INTERVAL_MS, 0);

		/* All of the mantissa, all of the range: what does not add up exactly shows. */
		for (int m = 0; m < METRIC_COUNT; m++)
			s.value[m] = exp2(generator_unit(&seed) * 36);
		append(r, &nv, &s);
	}
	fail_because(naive_follow(&nv, r, 20000));
	for (int i = 0; i < 400; i++) {
		int64_t first = (int64_t)generator_below(&seed, 9000);
		int64_t n = 1 + (int64_t)generator_below(&seed, 9000);
		struct range_query q = {
			.since_ms = START_MS + first * INTERVAL_MS,
			.until_ms = START_MS + (first + n) * INTERVAL_MS,
			.aggregates = AGGREGATE_ALL,
		};

		q.resolution_ms =
			1 + (q.until_ms - q.since_ms) / (1 + (int64_t)generator_below(&seed, 120));
		fail_because(naive_range_differs(&nv, r, &q));
	}
	ring_free(r);
	naive_clear(&nv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_the_oldest_are_forgotten),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_last_of_equal_times),
		cmocka_unit_test(test_absent_is_not_zero),
		cmocka_unit_test(test_raw_of_one_millisecond_is_not_cut),
		cmocka_unit_test(test_raw_in_time_order),
		cmocka_unit_test(test_sums_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
