/*
 * How many bytes a sample takes: deterministic, so asserted. Rings are full with the traces
 * repeated, all memory is counted, and the mean is taken over one cycle in which a group of blocks
 * comes to be and the oldest goes. The limits are promises of README, "Benchmark"; whoever raises
 * one says why.
 */
#include "unit.h"

#include "feed.h"
#include "ring.h"
#include "trace_file.h"

#define CAPACITY 60480	/* a week at 10 s */
#define CYCLE 2048	/* samples of a group */

/* Bytes a sample, and bytes of a full instance. */
#define MEAN_MOST 4.9		/* over the eleven traces */
#define TRACE_MOST 9.3		/* of the worst of them */
#define IDLE_MOST 1.0		/* cap_idle */
#define FULL_MOST 300e3		/* a full instance, mean over the traces */
#define ENTROPY_MOST 15.0	/* where no two values have anything in common */
#define CONSTANT_MOST 0.5	/* one value, always on time */
#define ABSENT_MOST 0.5		/* added by 30 % of each field being absent at random */
#define EARLY_MOST 4096		/* an instance of EARLY_SAMPLES */
#define EARLY_SAMPLES 10

static struct trace traces[TRACE_COUNT];

struct size {
	double sample;		/* bytes, mean over a cycle */
	double instance;
};

static void append(struct ring *r, struct feed *f)
{
	struct sample s = feed_next(f);

	assert_int_equal(ring_append(r, &s), 0);
}

static struct size size_of(struct feed f)
{
	struct size size = { 0 };
	struct ring *r;

	assert_int_equal(ring_new(&r, CAPACITY, TRACE_INTERVAL_MS), 0);
	/*
	 * As many again as may be held over the capacity, so that the cycle is one of a full ring.
	 */
	for (int i = 0; i < CAPACITY + 2 * CYCLE; i++)
		append(r, &f);
	for (int i = 0; i < CYCLE; i++) {
		append(r, &f);
		assert_true(ring_count(r) >= CAPACITY);
		size.sample += (double)ring_bytes(r) / (double)ring_count(r) / CYCLE;
		size.instance += (double)ring_bytes(r) / CYCLE;
	}
	ring_free(r);
	return size;
}

static void test_traces(void **state)
{
	struct size mean = { 0 };
	double worst = 0;

	(void)state;
	for (size_t i = 0; i < TRACE_COUNT; i++) {
		struct size size = size_of(feed_trace(&traces[i], 0));

		printf("# %-12s %6.2f\n", traces[i].name, size.sample);
		mean.sample += size.sample / TRACE_COUNT;
		mean.instance += size.instance / TRACE_COUNT;
		worst = fmax(worst, size.sample);
	}
	printf("# %-12s %6.2f, %.0f bytes an instance\n", "mean", mean.sample, mean.instance);
	assert_true(mean.sample <= MEAN_MOST);
	assert_true(worst <= TRACE_MOST);
	assert_true(mean.instance <= FULL_MOST);
}

static void test_idle(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRACE_COUNT; i++)
		if (strcmp(traces[i].name, "cap_idle") == 0)
			assert_true(size_of(feed_trace(&traces[i], 0)).sample <= IDLE_MOST);
}

static void test_absent_readings(void **state)
{
	double more = 0;

	(void)state;
	for (size_t i = 0; i < TRACE_COUNT; i++) {
		double full = size_of(feed_trace(&traces[i], 0)).sample;
		double part = size_of(feed_trace(&traces[i], 0.3)).sample;

		printf("# %-12s %6.2f, with 30 %% absent %6.2f\n", traces[i].name, full, part);
		more += (part - full) / TRACE_COUNT;
	}
	printf("# %-12s %+6.2f\n", "mean", more);
	assert_true(more <= ABSENT_MOST);
}

static void test_extremes(void **state)
{
	double entropy = size_of(feed_entropy()).sample;
	double constant = size_of(feed_constant()).sample;

	(void)state;
	printf("# %-12s %6.2f\n# %-12s %6.2f\n", "entropy", entropy, "constant", constant);
	assert_true(entropy <= ENTROPY_MOST);
	assert_true(constant <= CONSTANT_MOST);
}

/* The daemon may have just been told of ten thousands of instances. */
static void test_just_tracked(void **state)
{
	struct feed f = feed_entropy();
	struct ring *r;

	(void)state;
	assert_int_equal(ring_new(&r, CAPACITY, TRACE_INTERVAL_MS), 0);
	for (int i = 0; i < EARLY_SAMPLES; i++) {
		append(r, &f);
		assert_true(ring_bytes(r) <= EARLY_MOST);
	}
	ring_free(r);
}

static int traces_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRACE_COUNT; i++)
		trace_read(&traces[i], TRACES, trace_names[i]);
	return 0;
}

static int traces_clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRACE_COUNT; i++)
		trace_clear(&traces[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traces),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_absent_readings),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_just_tracked),
	};

	return cmocka_run_group_tests(tests, traces_read, traces_clear);
}
