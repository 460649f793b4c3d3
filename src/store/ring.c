#include "ring.h"

#include "code.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Samples of one block; the newest block grows up to this by doubling. */
#define BLOCK_SAMPLES 256u
#define BLOCK_SAMPLES_FIRST 8u

struct block {
	struct sample *samples;	/* in order of arrival */
	size_t n;
	size_t cap;
	int64_t least_ms;	/* of the block's times: what lies outside a window is skipped whole */
	int64_t greatest_ms;
};

/*
 *   blocks:  [ oldest ][ ... ][ ... ][ newest ]
 *             ^ skip            all full but the newest
 *
 * Eviction moves skip forward; a block that is skipped whole is freed.
 */
struct ring {
	struct block *blocks;
	size_t n_blocks;
	size_t cap_blocks;
	size_t capacity;
	size_t count;
	size_t skip;
};

int ring_new(struct ring **out, size_t capacity, int64_t interval_ms)
{
	struct ring *r;

	if (capacity == 0 || capacity > RING_CAPACITY_MAX || interval_ms < 1)
		return -EINVAL;
	r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	r->capacity = capacity;
	*out = r;
	return 0;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_blocks; i++)
		free(r->blocks[i].samples);
	free(r->blocks);
	free(r);
}

/* A newest block with room for one more sample, or NULL without memory. */
static struct block *ring_room(struct ring *r)
{
	struct block *b = r->n_blocks ? &r->blocks[r->n_blocks - 1] : NULL;
	struct sample *samples;
	size_t cap;

	if (!b || b->n == BLOCK_SAMPLES) {
		if (r->n_blocks == r->cap_blocks) {
			cap = r->cap_blocks ? r->cap_blocks * 2 : 4;
			b = realloc(r->blocks, cap * sizeof *b);
			if (!b)
				return NULL;
			r->blocks = b;
			r->cap_blocks = cap;
		}
		b = &r->blocks[r->n_blocks++];
		*b = (struct block){ .least_ms = INT64_MAX, .greatest_ms = INT64_MIN };
	}
	if (b->n < b->cap)
		return b;
	cap = b->cap ? b->cap * 2 : BLOCK_SAMPLES_FIRST;
	samples = realloc(b->samples, cap * sizeof *samples);
	if (!samples)
		return NULL;
	b->samples = samples;
	b->cap = cap;
	return b;
}

static void ring_evict(struct ring *r)
{
	while (r->count > r->capacity) {
		r->count--;
		if (++r->skip < r->blocks[0].n)
			continue;
		free(r->blocks[0].samples);
		r->n_blocks--;
		memmove(r->blocks, r->blocks + 1, r->n_blocks * sizeof *r->blocks);
		r->skip = 0;
	}
}

int ring_append(struct ring *r, const struct sample *s)
{
	int saturated = 0;
	struct block *b;

	for (int m = 0; m < METRIC_COUNT; m++)
		if (isinf(s->value[m]) || s->value[m] < 0)
			return -EINVAL;
	b = ring_room(r);
	if (!b)
		return -ENOMEM;
	b->samples[b->n].at_ms = s->at_ms;
	for (int m = 0; m < METRIC_COUNT; m++) {
		bool is = false;

		b->samples[b->n].value[m] = code_value(m, code_of(m, s->value[m], &is));
		saturated += is;
	}
	b->n++;
	if (s->at_ms < b->least_ms)
		b->least_ms = s->at_ms;
	if (s->at_ms > b->greatest_ms)
		b->greatest_ms = s->at_ms;
	r->count++;
	ring_evict(r);
	return saturated;
}

size_t ring_count(const struct ring *r)
{
	return r->count;
}

size_t ring_bytes(const struct ring *r)
{
	size_t bytes = sizeof *r + r->cap_blocks * sizeof *r->blocks;

	for (size_t i = 0; i < r->n_blocks; i++)
		bytes += r->blocks[i].cap * sizeof *r->blocks[i].samples;
	return bytes;
}

/* Walks the samples of a window in order of arrival. */
struct cursor {
	const struct ring *ring;
	int64_t since_ms;
	int64_t until_ms;
	size_t block;
	size_t next;	/* in that block */
};

static struct cursor cursor_start(const struct ring *r, int64_t since_ms, int64_t until_ms)
{
	return (struct cursor){ r, since_ms, until_ms, 0, r->skip };
}

static const struct sample *cursor_next(struct cursor *c)
{
	for (; c->block < c->ring->n_blocks; c->block++, c->next = 0) {
		const struct block *b = &c->ring->blocks[c->block];

		if (b->greatest_ms < c->since_ms || b->least_ms >= c->until_ms)
			continue;
		while (c->next < b->n) {
			const struct sample *s = &b->samples[c->next++];

			if (s->at_ms >= c->since_ms && s->at_ms < c->until_ms)
				return s;
		}
	}
	return NULL;
}

/* What one bucket knows of one metric. */
struct tally {
	uint32_t n;
	double sum;
	double min;
	double max;
	double last;
	int64_t last_ms;
};

struct bucket {
	uint32_t count;
	struct tally tally[METRIC_COUNT];
};

static void bucket_add(struct bucket *b, const struct sample *s)
{
	b->count++;
	for (int m = 0; m < METRIC_COUNT; m++) {
		struct tally *t = &b->tally[m];
		double v = s->value[m];

		if (isnan(v))
			continue;
		if (t->n == 0 || v < t->min)
			t->min = v;
		if (t->n == 0 || v > t->max)
			t->max = v;
		if (t->n == 0 || s->at_ms >= t->last_ms) {
			t->last = v;
			t->last_ms = s->at_ms;
		}
		t->sum += v;
		t->n++;
	}
}

static double tally_aggregate(const struct tally *t, enum aggregate a)
{
	switch (a) {
	case AGGREGATE_MIN:
		return t->min;
	case AGGREGATE_MAX:
		return t->max;
	case AGGREGATE_LAST:
		return t->last;
	default:
		return t->sum / t->n;
	}
}

static void result_row(struct range_result *out, size_t row, const struct bucket *b)
{
	out->count[row] = b->count;
	for (int a = 0; a < AGGREGATE_COUNT; a++)
		for (int m = 0; m < METRIC_COUNT; m++)
			if (out->column[a][m] && b->tally[m].n)
				out->column[a][m][row] =
					tally_aggregate(&b->tally[m], (enum aggregate)a);
}

int ring_range(const struct ring *r, const struct range_query *q, struct range_result *out)
{
	int64_t points = range_query_points(q);
	struct cursor c = cursor_start(r, q->since_ms, q->until_ms);
	const struct sample *s;
	struct bucket *buckets;
	size_t rows = 0;
	int result;

	*out = (struct range_result){ 0 };
	if (points > RANGE_BUCKETS_MAX || q->resolution_ms <= 0 || !(q->aggregates & AGGREGATE_ALL))
		return -EINVAL;
	if (points == 0)
		return 0;
	buckets = calloc((size_t)points, sizeof *buckets);
	if (!buckets)
		return -ENOMEM;
	while ((s = cursor_next(&c))) {
		struct bucket *b = &buckets[(s->at_ms - q->since_ms) / q->resolution_ms];

		rows += b->count == 0;
		bucket_add(b, s);
	}
	result = range_result_init(out, rows, q->aggregates);
	for (size_t row = 0, i = 0; result == 0 && row < rows; i++) {
		if (buckets[i].count == 0)
			continue;
		out->at_ms[row] = q->since_ms + (int64_t)i * q->resolution_ms;
		result_row(out, row++, &buckets[i]);
	}
	range_result_drop_empty(out);
	free(buckets);
	return result;
}

struct arrival {
	const struct sample *sample;
	size_t order;
};

static int arrival_compare(const void *left, const void *right)
{
	const struct arrival *a = left, *b = right;

	if (a->sample->at_ms != b->sample->at_ms)
		return a->sample->at_ms < b->sample->at_ms ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The window's samples in time order; *n of them, the caller's to free(). NULL without memory. */
static struct arrival *arrivals_sorted(const struct ring *r, int64_t since_ms, int64_t until_ms,
				       size_t *n)
{
	struct cursor c = cursor_start(r, since_ms, until_ms);
	struct arrival *all = malloc((r->count + 1) * sizeof *all);
	const struct sample *s;
	bool sorted = true;

	*n = 0;
	while (all && (s = cursor_next(&c))) {
		if (*n && all[*n - 1].sample->at_ms > s->at_ms)
			sorted = false;
		all[*n] = (struct arrival){ s, *n };
		++*n;
	}
	if (!sorted)	/* the clock was set back: rare enough to sort when asked */
		qsort(all, *n, sizeof *all, arrival_compare);
	return all;
}

int ring_raw(const struct ring *r, int64_t since_ms, int64_t until_ms, size_t max_rows,
	     struct range_result *out, int64_t *next_since_ms)
{
	struct arrival *all;
	size_t n, rows;
	int result = -ENOSPC;

	*out = (struct range_result){ 0 };
	*next_since_ms = 0;
	all = arrivals_sorted(r, since_ms, until_ms, &n);
	if (!all)
		return -ENOMEM;
	rows = n;
	if (n > max_rows) {
		for (rows = max_rows; rows > 0; rows--)
			if (all[rows].sample->at_ms != all[rows - 1].sample->at_ms)
				break;
		if (rows == 0)
			goto out;
		*next_since_ms = all[rows].sample->at_ms;
	}
	result = range_result_init(out, rows, AGGREGATE_BIT(AGGREGATE_MEAN));
	for (size_t i = 0; result == 0 && i < rows; i++) {
		out->at_ms[i] = all[i].sample->at_ms;
		out->count[i] = 1;
		for (int m = 0; m < METRIC_COUNT; m++)
			out->column[AGGREGATE_MEAN][m][i] = all[i].sample->value[m];
	}
	range_result_drop_empty(out);
out:
	free(all);
	return result;
}
