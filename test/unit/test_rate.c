/* Two readings → one sample: rows 1 to 6 of what is better than the reference. */
#include "unit.h"

#include "reading.h"
#include "usage.h"

#define WALL 1790000000000LL
#define SECOND_NS 1000000000LL
#define ALL (READING_CPU_TIME | READING_MEMORY_USED | READING_NETWORK)

static struct reading reading(int64_t mono_ns, uint64_t cpu_ns, uint64_t in, uint64_t out)
{
	return (struct reading){ .has = ALL, .mono_ns = mono_ns, .incarnation = { 7, 7 },
				 .cpu_ns = cpu_ns, .memory_used = 4096, .network_in = in,
				 .network_out = out };
}

static const struct rate_case {
	const char *name;
	struct reading before;
	struct reading now;
	double cpu, in, out;
} rate_cases[] = {
	{ "one core busy for ten seconds",
	  { ALL, 0, 0, { 1, 1 }, 0, 0, 0, 0, 1000, 2000, 0, 0 },
	  { ALL, 10 * SECOND_NS, 0, { 1, 1 }, 10 * SECOND_NS, 0, 0, 0, 6000, 2000, 0, 0 },
	  100, 500, 0 },
	{ "four cores busy: more than 100",
	  { ALL, 0, 0, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { ALL, SECOND_NS, 0, { 1, 1 }, 4 * SECOND_NS, 0, 0, 0, 0, 0, 0, 0 },
	  400, 0, 0 },
	{ "row 2: another incarnation has no rates",
	  { ALL, 0, 0, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { ALL, SECOND_NS, 0, { 1, 2 }, SECOND_NS, 0, 0, 0, 10, 10, 0, 0 },
	  NAN, NAN, NAN },
	{ "row 3: a CPU counter that went back takes all rates with it",
	  { ALL, 0, 0, { 1, 1 }, 500, 0, 0, 0, 0, 0, 0, 0 },
	  { ALL, SECOND_NS, 0, { 1, 1 }, 499, 0, 0, 0, 10, 10, 0, 0 },
	  NAN, NAN, NAN },
	{ "row 3: one network counter that went back takes the other with it",
	  { ALL, 0, 0, { 1, 1 }, 0, 0, 0, 0, 50, 50, 0, 0 },
	  { ALL, SECOND_NS, 0, { 1, 1 }, SECOND_NS / 2, 0, 0, 0, 49, 100, 0, 0 },
	  50, NAN, NAN },
	{ "row 1: no network reading is not zero traffic",
	  { ALL, 0, 0, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { READING_CPU_TIME, SECOND_NS, 0, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  0, NAN, NAN },
	{ "no time between them: no rate over it",
	  { ALL, SECOND_NS, 0, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { ALL, SECOND_NS, 0, { 1, 1 }, 10, 0, 0, 0, 10, 10, 0, 0 },
	  NAN, NAN, NAN },
	{ "two stamps: their difference is the interval, not the time of arrival",
	  { ALL, 0, WALL, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { ALL, 9 * SECOND_NS, WALL + 2000, { 1, 1 }, SECOND_NS, 0, 0, 0, 1000, 0, 0, 0 },
	  50, 500, 0 },
	{ "one stamp only: monotonic",
	  { ALL, 0, 0, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { ALL, 10 * SECOND_NS, WALL + 2000, { 1, 1 }, SECOND_NS, 0, 0, 0, 1000, 0, 0, 0 },
	  10, 100, 0 },
	{ "stamps that go back: no rate",
	  { ALL, 0, WALL, { 1, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { ALL, 10 * SECOND_NS, WALL - 1, { 1, 1 }, SECOND_NS, 0, 0, 0, 1000, 0, 0, 0 },
	  NAN, NAN, NAN },
	{ "a source that knows the rate itself needs no reading before",
	  { 0, 0, 0, { 0, 1 }, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { READING_CPU_PERCENT, SECOND_NS, 0, { 1, 1 }, 0, 12.5, 0, 0, 0, 0, 0, 0 },
	  12.5, NAN, NAN },
};

static void assert_rate(double got, double want)
{
	if (isnan(want))
		assert_true(isnan(got));
	else
		assert_true(fabs(got - want) < 1e-9);
}

static void test_rates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rate_cases); i++) {
		const struct rate_case *c = &rate_cases[i];
		struct sample s;

		printf("# %s\n", c->name);
		rate_sample(&c->before, &c->now, WALL, &s);
		assert_rate(s.value[METRIC_CPU_PERCENT], c->cpu);
		assert_rate(s.value[METRIC_NETWORK_IN], c->in);
		assert_rate(s.value[METRIC_NETWORK_OUT], c->out);
	}
}

/* Row 1: the first reading has no rates, and says so by leaving them out. */
static void test_first_reading_has_no_rates(void **state)
{
	struct reading r = reading(5 * SECOND_NS, 123, 456, 789);
	struct sample s;

	(void)state;
	rate_sample(NULL, &r, WALL, &s);
	assert_int_equal(s.at_ms, WALL);
	assert_true(isnan(s.value[METRIC_CPU_PERCENT]));
	assert_true(isnan(s.value[METRIC_NETWORK_IN]));
	assert_true(s.value[METRIC_MEMORY_USED] == 4096);
	assert_true(isnan(s.value[METRIC_MEMORY_LIMIT]));
	assert_true(isnan(s.value[METRIC_REQUESTS]));
}

/* What a page of metrics told is a rate already, and of no other reading. */
static void test_requests_and_latency(void **state)
{
	struct reading before = reading(0, 0, 0, 0), now = reading(SECOND_NS, 0, 0, 0);
	struct sample s;

	(void)state;
	before.has |= READING_REQUESTS | READING_LATENCY;
	before.requests_per_sec = before.latency_p95_ms = 7;
	now.has |= READING_REQUESTS;
	now.requests_per_sec = 0;
	now.latency_p95_ms = 3;
	rate_sample(&before, &now, WALL, &s);
	assert_true(s.value[METRIC_REQUESTS] == 0);
	assert_true(isnan(s.value[METRIC_LATENCY_P95]));
	now.has |= READING_LATENCY;
	rate_sample(NULL, &now, WALL, &s);
	assert_true(s.value[METRIC_LATENCY_P95] == 3);
}

/* Row 4: a wall clock that steps changes the stamp and nothing else. */
static void test_wall_clock_steps(void **state)
{
	static const int64_t steps[] = { 0, 3600000, -3600000, -WALL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct reading a = reading(0, 0, 0, 0), b = reading(10 * SECOND_NS, SECOND_NS, 1000, 0);
		struct sample s;

		rate_sample(&a, &b, WALL + steps[i], &s);
		assert_int_equal(s.at_ms, WALL + steps[i]);
		assert_rate(s.value[METRIC_CPU_PERCENT], 10);
		assert_rate(s.value[METRIC_NETWORK_IN], 100);
	}
}

static const struct stamp_case {
	const char *name;
	int64_t stamp_ms;
	int64_t want_ms;
} stamp_cases[] = {
	{ "none: our clock", 0, WALL },
	{ "a second ago", WALL - 1000, WALL - 1000 },
	{ "five minutes ago", WALL - 300000, WALL - 300000 },
	{ "longer ago: our clock", WALL - 300001, WALL },
	{ "five minutes ahead", WALL + 300000, WALL + 300000 },
	{ "further ahead: our clock", WALL + 300001, WALL },
	{ "the year 9999: our clock", 253402300799999, WALL },
};

static void test_stamps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(stamp_cases); i++) {
		struct reading r = reading(0, 0, 0, 0);
		struct sample s;

		printf("# %s\n", stamp_cases[i].name);
		r.stamp_ms = stamp_cases[i].stamp_ms;
		rate_sample(NULL, &r, WALL, &s);
		assert_int_equal(s.at_ms, stamp_cases[i].want_ms);
	}
}

static void test_an_equal_stamp_is_the_same_reading(void **state)
{
	struct reading a = reading(0, 0, 0, 0), b = reading(SECOND_NS, 5, 0, 0);

	(void)state;
	assert_false(reading_is_same(&a, &b));	/* neither has one */
	a.stamp_ms = b.stamp_ms = WALL;
	assert_true(reading_is_same(&a, &b));
	b.stamp_ms++;
	assert_false(reading_is_same(&a, &b));
	b.stamp_ms--;
	b.incarnation[0]++;
	assert_false(reading_is_same(&a, &b));
}

static const struct usage_case {
	const char *name;
	struct resource_usage usage;
	bool want;
	unsigned has;
} usage_cases[] = {
	{ "nothing there", { 0 }, false, 0 },
	{ "only a stamp", { .at_ms = WALL, .incarnation = 5 }, false, 0 },
	{ "all zero: not found", { .has = 0x1f, .at_ms = WALL }, false, 0 },
	{ "one zero field: not found", { .has = USAGE_CPU_PERCENT }, false, 0 },
	{ "idle, but it has memory", { .has = USAGE_CPU_PERCENT | USAGE_MEMORY_USED, .memory_used_mb = 3 },
	  true, READING_CPU_PERCENT | READING_MEMORY_USED },
	{ "a limit of 0 is none", { .has = USAGE_MEMORY_USED | USAGE_MEMORY_LIMIT, .memory_used_mb = 3 },
	  true, READING_MEMORY_USED },
	{ "network in only", { .has = USAGE_NETWORK_IN, .network_in_mb = 0.5 }, true,
	  READING_NETWORK_IN },
};

static void test_what_is_a_reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(usage_cases); i++) {
		struct reading r;

		printf("# %s\n", usage_cases[i].name);
		assert_int_equal(usage_reading(&usage_cases[i].usage, 1, &r), usage_cases[i].want);
		if (usage_cases[i].want)
			assert_int_equal(r.has, usage_cases[i].has);
	}
}

static void test_usage_units(void **state)
{
	struct resource_usage u = { .has = 0x1f, .cpu_percent = 1, .memory_used_mb = 2,
				    .memory_limit_mb = 64, .network_in_mb = 0.5, .network_out_mb = 3 };
	struct reading r;

	(void)state;
	assert_true(usage_reading(&u, 42, &r));
	assert_int_equal(r.mono_ns, 42);
	assert_int_equal(r.memory_used, 2 << 20);
	assert_int_equal(r.memory_limit, 64 << 20);
	assert_int_equal(r.network_in, 1 << 19);
	assert_int_equal(r.network_out, 3 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_first_reading_has_no_rates),
		cmocka_unit_test(test_requests_and_latency),
		cmocka_unit_test(test_wall_clock_steps),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_an_equal_stamp_is_the_same_reading),
		cmocka_unit_test(test_what_is_a_reading),
		cmocka_unit_test(test_usage_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
