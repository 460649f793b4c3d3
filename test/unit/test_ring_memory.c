/*
 * The memory of a ring: what ring_bytes() says is what is taken, all of it is given back, and when
 * there is none left, a ring is as it was.
 */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>

#include "counted_malloc.h"
#include "generator.h"
#include "naive.h"
#include "ring.h"

/* A sanitizer that brings its own; glibc then knows of nothing. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define OTHER_ALLOCATOR 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define OTHER_ALLOCATOR 1
#endif
#endif
#ifndef OTHER_ALLOCATOR
#define OTHER_ALLOCATOR 0
#endif

#define START_MS 1790000000000
#define INTERVAL_MS 10000
#define JUST_TRACKED_BYTES 4096

static void start(struct generator *g, size_t number)
{
	generator_start(g, number, &value_kinds[number % value_kind_count],
			&time_kinds[number % time_kind_count], START_MS, INTERVAL_MS, NULL);
	generator_drop_some(g);
}

/* ring_bytes() now, a sample at a time; *worst is the greatest part by which it is wrong. */
static void fill_and_count(struct ring *r, struct generator *g, size_t samples, size_t before,
			   double *worst)
{
	for (size_t i = 0; i < samples; i++) {
		struct sample s = generator_next(g);
		double held, said;

		assert_true(ring_append(r, &s) >= 0);
		held = (double)(counted.bytes - before);
		said = (double)ring_bytes(r);
		/* Not below 64 KiB: there the allocator's rounding up is more than 1 %. */
		if (held > 65536)
			*worst = fmax(*worst, fabs(held - said) / held);
		else
			assert_true(fabs(held - said) <= 1024);
	}
}

/* Buffers that are kept for all rings are made by the first; they are not a ring's memory. */
static int shared_memory_taken(void **state)
{
	struct ring *r;
	struct generator g;

	(void)state;
	assert_int_equal(ring_new(&r, 5000, INTERVAL_MS), 0);
	start(&g, 1);
	for (int i = 0; i < 9000; i++) {
		struct sample s = generator_next(&g);

		assert_true(ring_append(r, &s) >= 0);
	}
	ring_free(r);
	return 0;
}

static void test_bytes_are_all_of_it(void **state)
{
	static const size_t capacities[] = { 1, 100, 3000, 20000 };

	(void)state;
	for (size_t i = 0; i < 4 * value_kind_count; i++) {
		size_t capacity = capacities[i % COUNT_OF(capacities)], before = counted.bytes;
		size_t blocks = counted.blocks;
		double worst = 0;
		struct generator g;
		struct ring *r;

		start(&g, i);
		assert_int_equal(ring_new(&r, capacity, INTERVAL_MS), 0);
		fill_and_count(r, &g, capacity + 5000, before, &worst);
		if (worst > 0.01)
			fail_msg("%s, capacity %zu: ring_bytes() is %.1f %% off", g.values->name,
				 capacity, 100 * worst);
		ring_free(r);
		assert_int_equal(counted.bytes, before);
		assert_int_equal(counted.blocks, blocks);
	}
}

/* The same by the allocator's own count, over many rings, so that its rounding shows. */
static void test_bytes_are_what_the_allocator_says(void **state)
{
	struct ring *rings[50];
	struct mallinfo2 before, after;
	size_t said = 0, held;

	(void)state;
	if (OTHER_ALLOCATOR) {
		/* Not skip(): its "not ok # SKIP" is a failure to meson. */
		printf("# skipped: the sanitizer has an allocator of its own\n");
		return;
	}
	before = mallinfo2();
	for (size_t i = 0; i < COUNT_OF(rings); i++) {
		struct generator g;

		start(&g, i);
		assert_int_equal(ring_new(&rings[i], 10000, INTERVAL_MS), 0);
		for (int n = 0; n < 14000; n++) {
			struct sample s = generator_next(&g);

			assert_true(ring_append(rings[i], &s) >= 0);
		}
		said += ring_bytes(rings[i]);
	}
	after = mallinfo2();
	held = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
	printf("# said %zu, held %zu\n", said, held);
	assert_true(fabs((double)held - (double)said) <= 0.01 * (double)held);
	for (size_t i = 0; i < COUNT_OF(rings); i++)
		ring_free(rings[i]);
}

/* An instance that was just tracked costs next to nothing; a full ring stops growing. */
static void test_memory_grows_with_samples(void **state)
{
	size_t full;
	struct generator g;
	struct ring *r;

	(void)state;
	generator_start(&g, 1, &value_kinds[1], &time_kinds[0], START_MS, INTERVAL_MS, NULL);
	assert_int_equal(ring_new(&r, 60480, INTERVAL_MS), 0);
	for (int i = 0; i < 70000; i++) {
		struct sample s = generator_next(&g);

		if (i < 10)
			assert_true(ring_bytes(r) <= JUST_TRACKED_BYTES);
		assert_int_equal(ring_append(r, &s), 0);
	}
	full = ring_bytes(r);
	for (int i = 0; i < 140000; i++) {
		struct sample s = generator_next(&g);

		assert_int_equal(ring_append(r, &s), 0);
		assert_true(ring_bytes(r) <= full + full / 8);
	}
	ring_free(r);
}

struct victim {
	struct generator g;
	size_t capacity;
	struct ring *ring;
	struct naive naive;
	uint64_t seed;
	size_t refused;
};

static void victim_start(struct victim *v, size_t number, size_t capacity)
{
	*v = (struct victim){ .capacity = capacity, .seed = number };
	start(&v->g, number);
	assert_int_equal(ring_new(&v->ring, capacity, INTERVAL_MS), 0);
}

static void victim_check(struct victim *v, int questions)
{
	const char *why = naive_follow(&v->naive, v->ring, v->capacity);

	for (; !why && questions > 0; questions--) {
		struct range_query q = generator_query(&v->seed, &v->naive, INTERVAL_MS);

		why = naive_range_differs(&v->naive, v->ring, &q);
	}
	if (why)
		fail_msg("%s, %s, capacity %zu, after %zu samples, %zu refused: %s",
			 v->g.values->name, v->g.times->name, v->capacity, v->naive.n, v->refused,
			 why);
}

static void victim_end(struct victim *v)
{
	const char *why;

	victim_check(v, 10);
	why = naive_pages_differ(&v->naive, v->ring, INT64_MIN, INT64_MAX, 20000);
	if (why)
		fail_msg("%s", why);
	ring_free(v->ring);
	naive_clear(&v->naive);
}

/* One sample, with the allocator as it was told. What is refused is as if it had never come. */
static int victim_append(struct victim *v, const struct sample *s)
{
	size_t count = ring_count(v->ring);
	int result = ring_append(v->ring, s);

	if (result == -ENOMEM) {
		v->refused++;
		assert_true(counted.failures > 0);
		assert_int_equal(ring_count(v->ring), count);
	} else {
		assert_true(result >= 0);
	}
	counted_fail_at(0);	/* the model takes memory too */
	if (result >= 0)
		naive_append(&v->naive, s);
	return result;
}

static const size_t victim_capacities[] = { 100, 1000, 2500, 6000 };

/*
 * Each call that an append makes fails once: the first, then the second, until one more is not
 * made.
 */
static void test_each_call_of_append_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct victim v;

		victim_start(&v, i * 5 + 1, victim_capacities[i % COUNT_OF(victim_capacities)]);
		while (v.naive.n < v.capacity + 4500) {
			struct sample s = generator_next(&v.g);
			size_t refused = v.refused;
			int result = -ENOMEM;

			for (size_t n = 1; result == -ENOMEM; n++) {
				counted_fail_at(n);
				result = victim_append(&v, &s);
				if (result == -ENOMEM && n == 1 && generator_below(&v.seed, 8) == 0)
					victim_check(&v, 2);
				assert_true(n < 1000);
			}
			if (v.refused > refused || v.naive.n % 512 == 0)
				victim_check(&v, 2);
		}
		printf("# %s: %zu refused\n", v.g.values->name, v.refused);
		victim_end(&v);
	}
}

/*
 * No memory at all for a while: some samples are lost, and when there is memory again all is well.
 */
static void test_all_calls_fail_for_a_while(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct victim v;

		victim_start(&v, i * 7 + 2, victim_capacities[i % COUNT_OF(victim_capacities)]);
		for (size_t n = 0; n < v.capacity * 2 + 8000;) {
			size_t good = generator_below(&v.seed, 2500),
			       bad = generator_below(&v.seed, 600);

			for (size_t k = 0; k < good + bad; k++, n++) {
				struct sample s = generator_next(&v.g);

				if (k >= good)
					counted_fail_from(1 + generator_below(&v.seed, 3));
				victim_append(&v, &s);
			}
			victim_check(&v, 10);
		}
		printf("# %s: %zu refused\n", v.g.values->name, v.refused);
		victim_end(&v);
	}
}

/* ring_range() and ring_raw(): -ENOMEM, nothing taken, and right when asked again. */
static void test_answers_without_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < value_kind_count; i++) {
		struct victim v;

		victim_start(&v, i, 6000);
		for (int n = 0; n < 9000; n++) {
			struct sample s = generator_next(&v.g);

			victim_append(&v, &s);
		}
		victim_check(&v, 1);
		for (size_t n = 0; n < 120; n++) {
			struct range_query q = generator_query(&v.seed, &v.naive, INTERVAL_MS);
			size_t blocks = counted.blocks, bytes = counted.bytes;
			struct range_result got;
			int64_t next;
			int result;

			counted_fail_at(1 + n % 4);
			result = n % 3 ? ring_range(v.ring, &q, &got)
				       : ring_raw(v.ring, q.since_ms, q.until_ms, 1000000, &got,
						  &next);
			assert_int_equal(result, counted.failures ? -ENOMEM : 0);
			counted_fail_at(0);
			range_result_clear(&got);
			assert_int_equal(counted.blocks, blocks);
			assert_int_equal(counted.bytes, bytes);
		}
		victim_check(&v, 20);
		victim_end(&v);
	}
}

static void test_new_without_memory(void **state)
{
	struct ring *r = NULL;
	int result = -ENOMEM;

	(void)state;
	for (size_t n = 1; result == -ENOMEM; n++) {
		size_t blocks = counted.blocks;

		counted_fail_at(n);
		result = ring_new(&r, 1000, INTERVAL_MS);
		counted_fail_at(0);
		if (result == -ENOMEM)
			assert_int_equal(counted.blocks, blocks);
	}
	assert_int_equal(result, 0);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_all_of_it),
		cmocka_unit_test(test_bytes_are_what_the_allocator_says),
		cmocka_unit_test(test_memory_grows_with_samples),
		cmocka_unit_test(test_each_call_of_append_fails),
		cmocka_unit_test(test_all_calls_fail_for_a_while),
		cmocka_unit_test(test_answers_without_memory),
		cmocka_unit_test(test_new_without_memory),
	};

	return cmocka_run_group_tests(tests, shared_memory_taken, NULL);
}
