#include "plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void plain_init(struct plain *p, size_t capacity)
{
	*p = (struct plain){ .capacity = capacity };
	p->samples = calloc(capacity, sizeof *p->samples);
	if (!p->samples)
		abort();
}

void plain_clear(struct plain *p)
{
	free(p->samples);
	*p = (struct plain){ 0 };
}

void plain_append(struct plain *p, const struct sample *s)
{
	size_t at = p->oldest + p->count;
	struct plain_sample *to;

	to = &p->samples[at < p->capacity ? at : at - p->capacity];
	to->at_ms = s->at_ms;
	memcpy(to->value, s->value, sizeof to->value);
	to->sequence = p->appended++;
	if (p->count < p->capacity)
		p->count++;
	else if (++p->oldest == p->capacity)
		p->oldest = 0;
}

static const struct plain_sample *sample_of(const struct plain *p, size_t i)
{
	size_t at = p->oldest + i;

	return &p->samples[at < p->capacity ? at : at - p->capacity];
}

/* The first sample at or after a time. */
static size_t sample_at(const struct plain *p, int64_t at_ms)
{
	size_t from = 0, to = p->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (sample_of(p, middle)->at_ms < at_ms)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct tally {
	uint32_t count;
	uint32_t n[METRIC_COUNT];
	double sum[METRIC_COUNT];
	double min[METRIC_COUNT];
	double max[METRIC_COUNT];
	double last[METRIC_COUNT];
};

static inline void tally_add(struct tally *t, const struct plain_sample *s, int all)
{
	t->count++;
	for (int m = 0; m < METRIC_COUNT; m++) {
		double v = s->value[m];
		int there = !isnan(v);

		t->n[m] += (uint32_t)there;
		t->sum[m] += there ? v : 0;
		if (!all)
			continue;
		t->min[m] = v < t->min[m] ? v : t->min[m];
		t->max[m] = v > t->max[m] ? v : t->max[m];
		t->last[m] = there ? v : t->last[m];
	}
}

static void tally_start(struct tally *t)
{
	memset(t, 0, sizeof *t);
	for (int m = 0; m < METRIC_COUNT; m++) {
		t->min[m] = INFINITY;
		t->max[m] = -INFINITY;
	}
}

static void row_write(struct range_result *out, size_t row, int64_t at_ms, const struct tally *t,
		      int all)
{
	out->at_ms[row] = at_ms;
	out->count[row] = t->count;
	for (int m = 0; m < METRIC_COUNT; m++) {
		if (t->n[m] == 0)
			continue;
		out->column[AGGREGATE_MEAN][m][row] = t->sum[m] / t->n[m];
		if (!all)
			continue;
		out->column[AGGREGATE_MIN][m][row] = t->min[m];
		out->column[AGGREGATE_MAX][m][row] = t->max[m];
		out->column[AGGREGATE_LAST][m][row] = t->last[m];
	}
}

/* Compiled once for the mean alone and once for all four. */
static inline __attribute__((always_inline)) size_t
window_read(const struct plain *p, const struct range_query *q, struct range_result *out, int all)
{
	size_t i = sample_at(p, q->since_ms), end = sample_at(p, q->until_ms), row = 0;
	const struct plain_sample *s = sample_of(p, i), *wrap = p->samples + p->capacity;
	int64_t start = q->since_ms;
	struct tally t;

	while (i < end) {
		if (s->at_ms >= start + q->resolution_ms)	/* a gap: buckets without samples */
			start += (s->at_ms - start) / q->resolution_ms * q->resolution_ms;
		tally_start(&t);
		for (; i < end && s->at_ms < start + q->resolution_ms; i++) {
			tally_add(&t, s, all);
			if (++s == wrap)
				s = p->samples;
		}
		row_write(out, row++, start, &t, all);
		start += q->resolution_ms;
	}
	return row;
}

int plain_range(const struct plain *p, const struct range_query *q, struct range_result *out)
{
	int all = q->aggregates != AGGREGATE_BIT(AGGREGATE_MEAN);
	int result = range_result_init(out, (size_t)range_query_points(q), q->aggregates);

	if (result != 0)
		return result;
	out->n = all ? window_read(p, q, out, 1) : window_read(p, q, out, 0);
	range_result_drop_empty(out);
	return 0;
}
