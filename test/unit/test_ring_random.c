/*
 * The ring against a naive model: every kind of values with every kind of times, rings of all
 * sizes, hundreds of thousands of random questions.
 *
 *   test_ring_random [ROUNDS [FIRST]]	more of them, or one again: each failure says its round
 */
#include "unit.h"

#include <inttypes.h>

#include "generator.h"
#include "naive.h"
#include "ring.h"

#define ROUNDS 840	/* four times each kind of values with each kind of times */
#define QUESTIONS 560	/* a round, about */

static size_t rounds = ROUNDS, first_round;
static uint64_t questions;
static struct trace traces[TRACE_COUNT];

struct round {
	size_t number;
	uint64_t seed;
	struct generator g;
	size_t capacity;
	struct ring *ring;
	struct naive naive;
};

static void round_end(struct round *rd)
{
	ring_free(rd->ring);
	naive_clear(&rd->naive);
}

/* Frees the round before it fails, so that no leak report hides the sentence. */
static void round_fail(struct round *rd, const char *what, const char *why)
{
	size_t n = rd->naive.n;

	round_end(rd);
	fail_msg("round %zu: %s, %s, capacity %zu, interval %" PRId64 ", after %zu samples: %s: %s",
		 rd->number, rd->g.values->name, rd->g.times->name, rd->capacity, rd->g.interval_ms,
		 n, what, why);
}

static size_t some_capacity(uint64_t *seed)
{
	static const size_t special[] = {
		1, 2, 63, 64, 65, 128, 2047, 2048, 2049, 2112, 4096, 6144
	};

	switch (generator_below(seed, 16)) {
	case 0:
	case 1:
		return special[generator_below(seed, COUNT_OF(special))];
	case 2:
		return 1 + generator_below(seed, 20000);
	case 3:
	case 4:
	case 5:
	case 6:
		return 1 + generator_below(seed, 7000);
	default:
		return 1 + generator_below(seed, 900);
	}
}

static void round_start(struct round *rd, size_t number)
{
	static const int64_t intervals[] = { 1, 1000, 10000, 10000, 10000, 3600000 };
	int64_t interval_ms, kept_ms, start_ms;

	*rd = (struct round){ .number = number, .seed = 1000003u * number };
	rd->capacity = some_capacity(&rd->seed);
	interval_ms = intervals[generator_below(&rd->seed, COUNT_OF(intervals))];
	/* Often the ring is told another interval than the one that the samples keep. */
	kept_ms = generator_below(&rd->seed, 4)
			  ? interval_ms
			  : intervals[generator_below(&rd->seed, COUNT_OF(intervals))];
	start_ms = generator_below(&rd->seed, 8)
			   ? 1790000000000
			   : (int64_t)generator_below(&rd->seed, 2000000) - 1000000;
	generator_start(&rd->g, generator_bits(&rd->seed), &value_kinds[number % value_kind_count],
			&time_kinds[number / value_kind_count % time_kind_count], start_ms, kept_ms,
			&traces[generator_below(&rd->seed, TRACE_COUNT)]);
	generator_drop_some(&rd->g);
	assert_int_equal(ring_new(&rd->ring, rd->capacity, interval_ms), 0);
}

static void round_append(struct round *rd, size_t n)
{
	for (; n > 0; n--) {
		struct sample s = generator_next(&rd->g);
		size_t before = ring_count(rd->ring);

		if (ring_append(rd->ring, &s) < 0)
			round_fail(rd, "ring_append", "refused a sample");
		naive_append(&rd->naive, &s);
		if (ring_count(rd->ring) > before + 1)
			round_fail(rd, "ring_append", "one sample counts as several");
	}
}

static void ask_range(struct round *rd)
{
	struct range_query q = generator_query(&rd->seed, &rd->naive, rd->g.interval_ms);
	const char *why = naive_range_differs(&rd->naive, rd->ring, &q);
	char what[160];

	questions++;
	if (!why)
		return;
	snprintf(what, sizeof what, "[%" PRId64 ", %" PRId64 ") by %" PRId64 ", aggregates %u",
		 q.since_ms, q.until_ms, q.resolution_ms, q.aggregates);
	round_fail(rd, what, why);
}

static void ask_raw(struct round *rd)
{
	struct range_query q = generator_query(&rd->seed, &rd->naive, rd->g.interval_ms);
	size_t max_rows = generator_below(&rd->seed, 16) ? 1 + generator_below(&rd->seed, 300) :
							   generator_below(&rd->seed, 3) * 10000;
	const char *why = naive_raw_differs(&rd->naive, rd->ring, q.since_ms, q.until_ms, max_rows);
	char what[160];

	questions++;
	if (!why)
		return;
	snprintf(what, sizeof what, "raw [%" PRId64 ", %" PRId64 "), at most %zu", q.since_ms,
		 q.until_ms, max_rows);
	round_fail(rd, what, why);
}

static void ask_everything(struct round *rd)
{
	const char *why = naive_pages_differ(&rd->naive, rd->ring, INT64_MIN, INT64_MAX,
					     500 + generator_below(&rd->seed, 1000));

	questions++;
	if (why)
		round_fail(rd, "pages of raw", why);
}

static void round_ask(struct round *rd, size_t n)
{
	const char *why = naive_follow(&rd->naive, rd->ring, rd->capacity);

	if (why)
		round_fail(rd, "ring_count", why);
	for (; n > 0; n--) {
		if (generator_below(&rd->seed, 10) == 0)
			ask_raw(rd);
		else
			ask_range(rd);
	}
}

static void test_equals_naive(void **state)
{
	(void)state;
	for (size_t i = first_round; i < first_round + rounds; i++) {
		struct round rd;
		size_t stops;

		round_start(&rd, i);
		stops = 1 + generator_below(&rd.seed, 5);
		for (size_t stop = 0; stop < stops; stop++) {
			round_append(&rd, generator_below(&rd.seed, rd.capacity * 3 / stops + 200));
			round_ask(&rd, QUESTIONS / stops);
		}
		ask_everything(&rd);
		round_end(&rd);
	}
	print_message("# %" PRIu64 " questions\n", questions);
}

/* Asked after each single sample, all along the making of blocks and groups. */
static void test_equals_naive_after_every_sample(void **state)
{
	static const struct {
		size_t capacity;
		size_t samples;
	} sizes[] = { { 100, 700 }, { 1000, 2300 }, { 2048, 6500 }, { 5000, 9300 } };

	(void)state;
	for (size_t i = 0; first_round == 0 && i < 8; i++) {
		struct round rd;

		round_start(&rd, 7 + i * 31);
		ring_free(rd.ring);
		rd.capacity = sizes[i % COUNT_OF(sizes)].capacity;
		assert_int_equal(ring_new(&rd.ring, rd.capacity, rd.g.interval_ms), 0);
		while (rd.naive.n < sizes[i % COUNT_OF(sizes)].samples) {
			round_append(&rd, 1);
			round_ask(&rd, rd.naive.n % 64 < 3 ? 4 : 1);
			if (rd.naive.n % 512 == 0)
				ask_everything(&rd);
		}
		round_end(&rd);
	}
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_naive),
		cmocka_unit_test(test_equals_naive_after_every_sample),
	};

	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		first_round = strtoul(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, traces_read, traces_clear);
}
