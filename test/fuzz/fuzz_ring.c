/*
 * Bytes as a programme: set what each metric does, append so many, step in time, ask. Every answer
 * has to be that of the naive model. The ways to make values are those that a packer treats each in
 * its own way: the same again, a step each time, noise of a few bits, two or more levels, raw bit
 * patterns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "naive.h"
#include "ring.h"

#define SAMPLES_MOST 12000	/* of one run: five groups and more */
#define QUESTIONS_MOST 60

enum shape { SAME, STEP, NOISE, LEVELS, RUNS, RAW, SHAPES };

struct maker {
	enum shape shape;
	double base;
	double step;
	unsigned noise_bits;
	unsigned absent;	/* of 256 */
};

struct run {
	const uint8_t *data;
	size_t left;
	struct ring *ring;
	struct naive naive;
	size_t capacity;
	int64_t interval_ms;
	int64_t clock_ms;
	int64_t step_ms;
	struct maker makers[METRIC_COUNT];
	uint64_t seed;
	int questions;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Little-endian, 0 where the bytes have ended. */
static uint64_t take(struct run *r, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes && r->left > 0; i++, r->left--)
		value |= (uint64_t)*r->data++ << (8 * i);
	return value;
}

static void check(const char *why)
{
	if (!why)
		return;
	fprintf(stderr, "ring and model differ: %s\n", why);
	abort();
}

/* Any double that may be stored. */
static double take_double(struct run *r)
{
	uint64_t bits = take(r, 8) & INT64_MAX;
	double value;

	memcpy(&value, &bits, sizeof value);
	return isfinite(value) ? value : 1;
}

/* Of a byte or a few, so that everyday values are as near as strange ones. */
static double take_value(struct run *r)
{
	uint8_t kind = (uint8_t)take(r, 1);

	switch (kind & 3) {
	case 0:
		return (double)(kind >> 2);
	case 1:
		return (double)take(r, 2) * (1 << (kind >> 4));
	case 2:
		return (double)take(r, 4) * 1024;
	default:
		return take_double(r);
	}
}

static double made_value(struct run *r, struct maker *k)
{
	double noise = (double)generator_below(&r->seed, 1ull << k->noise_bits);

	switch (k->shape) {
	case STEP:
		k->base = fmin(k->base + k->step, 1e300);
		return k->base;
	case NOISE:
		return fmin(k->base + noise * k->step, 1e300);
	case LEVELS:
		return generator_below(&r->seed, 2 + k->noise_bits) ? k->base : k->step;
	case RUNS:
		return r->naive.n / (1 + k->noise_bits) % 2 ? k->base : k->step;
	case RAW:
		return exp2((double)generator_below(&r->seed, 2000) - 1000);
	default:
		return k->base;
	}
}

static void append(struct run *r)
{
	struct sample s;

	if (__builtin_add_overflow(r->clock_ms, r->step_ms, &r->clock_ms))
		r->clock_ms = r->step_ms < 0 ? INT64_MAX : INT64_MIN;
	s.at_ms = r->clock_ms;
	for (int m = 0; m < METRIC_COUNT; m++) {
		s.value[m] = made_value(r, &r->makers[m]);
		if (generator_below(&r->seed, 256) < r->makers[m].absent)
			s.value[m] = NAN;
	}
	if (ring_append(r->ring, &s) < 0)
		check("a sample was refused");
	naive_append(&r->naive, &s);
}

static void append_many(struct run *r, uint8_t how)
{
	static const uint16_t counts[] = { 1,	2,   7,	   63,	 64,   65,   200,
					   500, 640, 1024, 2047, 2048, 2049, 3000 };
	size_t n = how < 128 ? how : counts[how % (sizeof counts / sizeof *counts)];

	while (n-- > 0 && r->naive.n < SAMPLES_MOST)
		append(r);
}

static void set_maker(struct run *r, uint8_t which)
{
	struct maker k = { .shape = (enum shape)(take(r, 1) % SHAPES) };

	k.base = take_value(r);
	if (k.shape != SAME && k.shape != RAW)
		k.step = take_value(r);
	if (k.shape == NOISE || k.shape == LEVELS || k.shape == RUNS)
		k.noise_bits = take(r, 1) % 53;
	/* One of them, or all at once. */
	for (unsigned m = 0; m < METRIC_COUNT; m++) {
		if (which % 8 == METRIC_COUNT || which % 8 == m) {
			k.absent = r->makers[m].absent;
			r->makers[m] = k;
		}
	}
}

static void set_time(struct run *r)
{
	uint8_t kind = (uint8_t)take(r, 1);

	switch (kind % 8) {
	case 0:
		r->step_ms = r->interval_ms;
		break;
	case 1:
		r->step_ms = 0;
		break;
	case 2:
		r->step_ms = r->interval_ms + (int8_t)take(r, 1);
		break;
	case 3:
		r->step_ms = -r->interval_ms;
		break;
	case 4:
		r->clock_ms -= r->clock_ms > INT64_MIN / 2 ? (int64_t)take(r, 4) : 0;
		break;
	case 5:
		r->clock_ms += r->clock_ms < INT64_MAX / 2 ? (int64_t)take(r, 5) : 0;
		break;
	case 6:
		r->step_ms = (int64_t)take(r, 3);
		break;
	default:
		r->clock_ms = (int64_t)take(r, 8);
		break;
	}
}

static void ask(struct run *r, uint8_t how)
{
	uint64_t seed = how + take(r, 1) * 256;
	struct range_query q;

	if (r->questions++ >= QUESTIONS_MOST)
		return;
	check(naive_follow(&r->naive, r->ring, r->capacity));
	for (int i = 0; i < 4; i++) {
		q = generator_query(&seed, &r->naive, r->interval_ms);
		check(naive_range_differs(&r->naive, r->ring, &q));
	}
	check(naive_raw_differs(&r->naive, r->ring, q.since_ms, q.until_ms, 1 + how));
}

static void run_start(struct run *r)
{
	static const uint16_t capacities[] = { 1, 60, 64, 129, 500, 2000, 2048, 2500, 4096, 7000 };
	static const int64_t intervals[] = { 10000, 1, 1000, 3600000 };
	uint8_t how = (uint8_t)take(r, 1);

	r->capacity = how < 128 ? capacities[how % 10] : 1 + take(r, 2) % 8192;
	r->interval_ms = intervals[how / 16 % 4];
	r->step_ms = r->interval_ms;
	r->clock_ms = 1790000000000;
	if (ring_new(&r->ring, r->capacity, r->interval_ms) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .data = data, .left = size, .seed = size };

	run_start(&r);
	while (r.left > 0 && r.naive.n < SAMPLES_MOST) {
		uint8_t what = (uint8_t)take(&r, 1);

		switch (what % 8) {
		case 0:
		case 1:
		case 2:
			append_many(&r, (uint8_t)take(&r, 1));
			break;
		case 3:
		case 4:
			set_maker(&r, what / 8);
			break;
		case 5:
			set_time(&r);
			break;
		case 6:
			r.makers[what / 8 % METRIC_COUNT].absent = (unsigned)take(&r, 1);
			break;
		default:
			ask(&r, what / 8);
			break;
		}
	}
	r.questions = 0;
	ask(&r, 1);
	check(naive_pages_differ(&r.naive, r.ring, INT64_MIN, INT64_MAX, 700));
	ring_free(r.ring);
	naive_clear(&r.naive);
	return 0;
}
