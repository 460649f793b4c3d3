/* What is held of a value: how far off it may be, and what holds of it exactly. */
#include "unit.h"

#include <errno.h>
#include <float.h>

#include "precision.h"
#include "ring.h"

#define STEPS 200000	/* of a sweep over all magnitudes */

static const struct metric_case {
	const char *name;
	enum metric metric;
	double offset;		/* of a rate or percentage; 0 = memory */
} metric_cases[] = {
	{ "cpu, %", METRIC_CPU_PERCENT, 1 },
	{ "memory used", METRIC_MEMORY_USED, 0 },
	{ "memory limit", METRIC_MEMORY_LIMIT, 0 },
	{ "network in, bytes/s", METRIC_NETWORK_IN, 1024 },
	{ "network out, bytes/s", METRIC_NETWORK_OUT, 1024 },
	{ "requests/s", METRIC_REQUESTS, 1 },
	{ "latency, ms", METRIC_LATENCY_P95, 1 },
};

/* From far below what can be told from 0 to beyond what can be held, each octave as densely. */
static double sweep(int step)
{
	return exp2(-40 + 100.0 * step / STEPS);
}

/* From here on all is held as the greatest that can be. */
static double greatest(const struct metric_case *c)
{
	return c->offset > 0 ? 0x1p37 * c->offset : 0x1p53;
}

/*
 * Half of what lies between what can be held around a value. Memory is rounded to whole KiB first.
 */
static double error_allowed(const struct metric_case *c, double value)
{
	if (c->offset > 0)
		return (value + c->offset) / 2048;
	return value < 0x1p41 - 512 ? 512 : value * 0x1p-28 + 512;
}

static void test_error_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(metric_cases); i++) {
		const struct metric_case *c = &metric_cases[i];

		printf("# %s\n", c->name);
		for (int step = 0; step < STEPS && sweep(step) < greatest(c) * (1 - 1.0 / 2048);
		     step++) {
			double value = sweep(step), got = precision_round(c->metric, value);

			if (!(fabs(got - value) <= error_allowed(c, value)))
				fail_msg("%.17g is held as %.17g", value, got);
		}
	}
}

static void test_order_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(metric_cases); i++) {
		double before = 0;

		for (int step = 0; step < STEPS; step++) {
			double value = precision_round(metric_cases[i].metric, sweep(step));

			assert_true(value >= before);
			before = value;
		}
	}
}

/* A value that came back of a ring may be stored again, and again be the same. */
static void test_what_is_held_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(metric_cases); i++) {
		for (int step = 0; step < STEPS; step++) {
			double once = precision_round(metric_cases[i].metric, sweep(step));

			assert_true(precision_round(metric_cases[i].metric, once) == once);
		}
	}
}

/* A whole multiple of one power of two, which is what makes sums exact. */
static void test_held_in_one_unit(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(metric_cases); i++) {
		const struct metric_case *c = &metric_cases[i];
		double unit = c->offset > 0 ? c->offset / 1024 : 1024;

		for (int step = 0; step < STEPS; step++) {
			double value = precision_round(c->metric, sweep(step));

			assert_true(fmod(value, unit) == 0);
			assert_true(value <= greatest(c));
		}
	}
}

static void test_nothing_is_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(metric_cases); i++) {
		double of_minus_zero = precision_round(metric_cases[i].metric, -0.0);

		assert_true(precision_round(metric_cases[i].metric, 0) == 0);
		assert_true(of_minus_zero == 0 && !signbit(of_minus_zero));
		assert_true(precision_round(metric_cases[i].metric, DBL_TRUE_MIN) == 0);
		assert_true(isnan(precision_round(metric_cases[i].metric, NAN)));
		assert_true(isnan(precision_round(metric_cases[i].metric, -NAN)));
	}
}

static const struct memory_case {
	const char *name;
	double value;
	double want;
} memory_cases[] = {
	{ "less than half a KiB", 511, 0 },
	{ "half a KiB", 512, 1024 },
	{ "a page", 4096, 4096 },
	{ "a page and a bit", 4096 + 511, 4096 },
	{ "the last KiB that is exact", 0x1p41 - 1024, 0x1p41 - 1024 },
	{ "2 TiB", 0x1p41, 0x1p41 },
	{ "2 TiB, rounded up to", 0x1p41 - 512, 0x1p41 },
	{ "steps of 16 KiB from there on: down", 0x1p41 + 7 * 1024, 0x1p41 },
	{ "up", 0x1p41 + 8192, 0x1p41 + 16384 },
	{ "a carry into the next octave", 0x1p42 - 1024, 0x1p42 },
	{ "the greatest", 0x1p53, 0x1p53 },
	{ "held as the greatest", 0x1p60, 0x1p53 },
	{ "DBL_MAX", DBL_MAX, 0x1p53 },
};

static void test_memory(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(memory_cases); i++) {
		printf("# %s\n", memory_cases[i].name);
		assert_true(precision_round(METRIC_MEMORY_USED, memory_cases[i].value) ==
			    memory_cases[i].want);
		assert_true(precision_round(METRIC_MEMORY_LIMIT, memory_cases[i].value) ==
			    memory_cases[i].want);
	}
	for (int i = 0; i < 100000; i++) {
		double kib = unit_random(&seed) >> unit_random(&seed) % 31;

		assert_true(precision_round(METRIC_MEMORY_USED, kib * 1024) == kib * 1024);
	}
}

/*
 * ring_append() counts the values that do not fit, and precision_round() says what is held instead.
 */
static void test_too_large_is_counted(void **state)
{
	(void)state;
	for (int wanted = 0; wanted <= METRIC_COUNT; wanted++) {
		struct sample s = { .at_ms = 1000 };
		struct range_result got;
		struct ring *r;
		int64_t next;

		for (int m = 0; m < METRIC_COUNT; m++)
			s.value[m] = m < wanted ? 1e300 : 1;
		assert_int_equal(ring_new(&r, 10, 10000), 0);
		assert_int_equal(ring_append(r, &s), wanted);
		assert_int_equal(ring_raw(r, 0, 2000, 10, &got, &next), 0);
		for (int m = 0; m < METRIC_COUNT; m++)
			assert_true(got.column[AGGREGATE_MEAN][m][0] ==
				    precision_round((enum metric)m, s.value[m]));
		range_result_clear(&got);
		ring_free(r);
	}
}

/* Where counting begins, a value is off by no more than any other is. */
static void test_counted_from_the_greatest_on(void **state)
{
	struct ring *r;

	(void)state;
	assert_int_equal(ring_new(&r, 10, 10000), 0);
	for (size_t i = 0; i < COUNT_OF(metric_cases); i++) {
		const struct metric_case *c = &metric_cases[i];

		printf("# %s\n", c->name);
		for (int step = 0; step < STEPS; step++) {
			struct sample s = { .at_ms = 1000 };
			double held = precision_round(c->metric, sweep(step));
			int counted;

			s.value[c->metric] = sweep(step);
			counted = ring_append(r, &s);
			assert_in_range(counted, 0, 1);
			if (counted)
				assert_true(held == precision_round(c->metric, DBL_MAX));
			else
				assert_true(fabs(held - sweep(step)) <=
					    error_allowed(c, sweep(step)));
		}
	}
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_is_bounded),
		cmocka_unit_test(test_order_is_kept),
		cmocka_unit_test(test_what_is_held_stays),
		cmocka_unit_test(test_held_in_one_unit),
		cmocka_unit_test(test_nothing_is_exact),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_too_large_is_counted),
		cmocka_unit_test(test_counted_from_the_greatest_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
