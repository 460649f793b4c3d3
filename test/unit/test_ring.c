/* The ring against a plain list: the same samples, the same questions, the same answers. */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>

#include "precision.h"
#include "ring.h"

#define NAIVE_MAX 4096

struct naive {
	struct sample samples[NAIVE_MAX];	/* in order of arrival; the newest capacity of them count */
	size_t n;
	size_t capacity;
};

static struct sample sample_at(int64_t at_ms, double value)
{
	struct sample s = { .at_ms = at_ms };

	for (int m = 0; m < METRIC_COUNT; m++)
		s.value[m] = value;
	return s;
}

static void naive_append(struct naive *nv, const struct sample *s)
{
	if (nv->n == nv->capacity) {
		memmove(nv->samples, nv->samples + 1, (nv->n - 1) * sizeof *s);
		nv->n--;
	}
	nv->samples[nv->n] = *s;
	for (int m = 0; m < METRIC_COUNT; m++)
		nv->samples[nv->n].value[m] = precision_round(m, s->value[m]);
	nv->n++;
}

/* One aggregate of one metric over [since, until), straight from its definition. NaN = no reading. */
static double naive_aggregate(const struct naive *nv, enum aggregate a, int metric, int64_t since,
			      int64_t until, uint32_t *count)
{
	double sum = 0, min = INFINITY, max = -INFINITY, last = NAN;
	int64_t last_at = INT64_MIN;
	size_t readings = 0;

	*count = 0;
	for (size_t i = 0; i < nv->n; i++) {
		const struct sample *s = &nv->samples[i];

		if (s->at_ms < since || s->at_ms >= until)
			continue;
		++*count;
		if (isnan(s->value[metric]))
			continue;
		readings++;
		sum += s->value[metric];
		min = fmin(min, s->value[metric]);
		max = fmax(max, s->value[metric]);
		if (s->at_ms >= last_at) {
			last = s->value[metric];
			last_at = s->at_ms;
		}
	}
	if (readings == 0)
		return NAN;
	return a == AGGREGATE_MEAN ? sum / (double)readings : a == AGGREGATE_MIN ? min :
	       a == AGGREGATE_MAX ? max : last;
}

static void assert_value(double got, double want)
{
	if (isnan(want))
		assert_true(isnan(got));
	else
		assert_true(fabs(got - want) <= 1e-12 * fabs(want));
}

static void compare_range(const struct ring *r, const struct naive *nv,
			  const struct range_query *q)
{
	int64_t points = range_query_points(q);
	struct range_result got;
	size_t row = 0;

	assert_int_equal(ring_range(r, q, &got), 0);
	for (int64_t i = 0; i < points; i++) {
		int64_t start = q->since_ms + i * q->resolution_ms, end = start + q->resolution_ms;
		uint32_t count;

		end = end < q->until_ms ? end : q->until_ms;
		naive_aggregate(nv, AGGREGATE_MEAN, 0, start, end, &count);
		if (count == 0)
			continue;
		assert_true(row < got.n);
		assert_int_equal(got.at_ms[row], start);
		assert_int_equal(got.count[row], count);
		for (int a = 0; a < AGGREGATE_COUNT; a++) {
			for (int m = 0; m < METRIC_COUNT; m++) {
				double want = naive_aggregate(nv, (enum aggregate)a, m, start, end, &count);

				if (!(q->aggregates & AGGREGATE_BIT(a)))
					assert_null(got.column[a][m]);
				else
					assert_value(got.column[a][m] ? got.column[a][m][row] : NAN, want);
			}
		}
		row++;
	}
	assert_int_equal(row, got.n);
	range_result_clear(&got);
}

static struct sample random_sample(uint64_t *seed, int64_t *clock)
{
	uint32_t kind = unit_random(seed) % 100;
	struct sample s;

	/* Mostly the interval and some lateness; sometimes a gap, a tie, a step back. */
	if (kind < 90)
		*clock += 10000 + unit_random(seed) % 20;
	else if (kind < 94)
		*clock += 500000;
	else if (kind < 97)
		*clock -= 300000;
	s = sample_at(*clock, 0);
	for (int m = 0; m < METRIC_COUNT; m++)
		s.value[m] = unit_random(seed) % 4 == 0 ? NAN : (double)(unit_random(seed) % 100000) / 7;
	return s;
}

static void test_equals_naive(void **state)
{
	static struct naive nv;
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 40; round++) {
		size_t capacity = 1 + unit_random(&seed) % 1200;
		int64_t clock = 1790000000000, first = clock;
		struct ring *r;

		nv.n = 0;
		nv.capacity = capacity;
		assert_int_equal(ring_new(&r, capacity, 10000), 0);
		for (size_t n = unit_random(&seed) % 3000; n > 0; n--) {
			struct sample s = random_sample(&seed, &clock);

			assert_int_equal(ring_append(r, &s), 0);
			naive_append(&nv, &s);
		}
		assert_int_equal(ring_count(r), nv.n);
		for (int i = 0; i < 12; i++) {
			struct range_query q = { .aggregates = 1 + unit_random(&seed) % AGGREGATE_ALL };

			q.since_ms = first + unit_random(&seed) % 40000000 - 1000000;
			q.until_ms = q.since_ms + unit_random(&seed) % 30000000;
			q.resolution_ms = 1 + (q.until_ms - q.since_ms) / (1 + unit_random(&seed) % 150);
			compare_range(r, &nv, &q);
		}
		ring_free(r);
	}
}

/* Rows in time order, all of the newest, however the pages are cut. */
static void test_raw_pages_cover_everything(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int round = 0; round < 30; round++) {
		size_t capacity = 1 + unit_random(&seed) % 700, rows = 0;
		int64_t clock = 1790000000000, since = 0, last = INT64_MIN, next;
		struct ring *r;

		assert_int_equal(ring_new(&r, capacity, 10000), 0);
		for (int n = 0; n < 900; n++) {
			struct sample s = random_sample(&seed, &clock);

			assert_int_equal(ring_append(r, &s), 0);
		}
		do {
			struct range_result got;

			assert_int_equal(ring_raw(r, since, INT64_MAX, 50, &got, &next), 0);
			assert_true(got.n <= 50);
			assert_true(got.n == 0 || got.at_ms[0] > last);	/* no millisecond in two pages */
			for (size_t i = 0; i < got.n; i++) {
				assert_true(got.at_ms[i] >= last);
				last = got.at_ms[i];
				assert_int_equal(got.count[i], 1);
			}
			rows += got.n;
			since = next;
			range_result_clear(&got);
		} while (next);
		assert_int_equal(rows, ring_count(r));
		ring_free(r);
	}
}

static void test_raw_of_one_millisecond_is_not_cut(void **state)
{
	struct range_result got;
	struct ring *r;
	int64_t next;

	(void)state;
	assert_int_equal(ring_new(&r, 100, 10000), 0);
	for (int i = 0; i < 20; i++) {
		struct sample s = sample_at(i < 5 ? 1000 : 2000, i);

		assert_int_equal(ring_append(r, &s), 0);
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

static const struct refused_case {
	const char *name;
	double value;
	int want;
} refused_cases[] = {
	{ "zero", 0, 0 },
	{ "absent", NAN, 0 },
	{ "the greatest that is held", 137438953472.0 * 1024 * 2047 / 2048, 0 },
	{ "held as the greatest", 1e16, 1 },
	{ "infinite", INFINITY, -EINVAL },
	{ "negative infinite", -INFINITY, -EINVAL },
	{ "negative", -1, -EINVAL },
};

static void test_what_is_refused(void **state)
{
	struct ring *r;

	(void)state;
	assert_int_equal(ring_new(&r, 0, 10000), -EINVAL);
	assert_int_equal(ring_new(&r, RING_CAPACITY_MAX + 1u, 10000), -EINVAL);
	assert_int_equal(ring_new(&r, 10, 10000), 0);
	for (size_t i = 0; i < COUNT_OF(refused_cases); i++) {
		size_t before = ring_count(r);
		struct sample s = sample_at(1000, 1);

		printf("# %s\n", refused_cases[i].name);
		s.value[METRIC_NETWORK_OUT] = refused_cases[i].value;
		assert_int_equal(ring_append(r, &s), refused_cases[i].want);
		assert_int_equal(ring_count(r), before + (refused_cases[i].want >= 0));
	}
	ring_free(r);
}

static void test_an_empty_window_is_an_empty_answer(void **state)
{
	struct range_query q = { 1000, 1000, 10, AGGREGATE_BIT(AGGREGATE_MEAN) };
	struct sample s = sample_at(1000, 1);
	struct range_result got;
	struct ring *r;

	(void)state;
	assert_int_equal(ring_new(&r, 10, 10000), 0);
	assert_int_equal(ring_append(r, &s), 0);
	assert_int_equal(ring_range(r, &q, &got), 0);
	assert_int_equal(got.n, 0);
	q.until_ms = 1001;
	assert_int_equal(ring_range(r, &q, &got), 0);
	assert_int_equal(got.n, 1);
	range_result_clear(&got);
	q.since_ms = 0;
	q.until_ms = 1000;	/* exclusive */
	assert_int_equal(ring_range(r, &q, &got), 0);
	assert_int_equal(got.n, 0);
	ring_free(r);
}

/* An instance that was just tracked costs next to nothing; a full ring stops growing. */
static void test_memory_grows_with_samples(void **state)
{
	size_t full;
	struct ring *r;

	(void)state;
	assert_int_equal(ring_new(&r, 60480, 10000), 0);
	assert_true(ring_bytes(r) < 4096);
	for (int i = 0; i < 70000; i++) {
		struct sample s = sample_at(i * 10000LL, i);

		assert_int_equal(ring_append(r, &s), 0);
	}
	full = ring_bytes(r);
	for (int i = 70000; i < 140000; i++) {
		struct sample s = sample_at(i * 10000LL, i);

		assert_int_equal(ring_append(r, &s), 0);
	}
	assert_int_equal(ring_count(r), 60480);
	assert_true(ring_bytes(r) <= full + 65536);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_naive),
		cmocka_unit_test(test_raw_pages_cover_everything),
		cmocka_unit_test(test_raw_of_one_millisecond_is_not_cut),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_an_empty_window_is_an_empty_answer),
		cmocka_unit_test(test_memory_grows_with_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
