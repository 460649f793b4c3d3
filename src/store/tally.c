#include "tally.h"

#include <errno.h>
#include <stdlib.h>

#include "code.h"
#include "fold.h"

static bool asked(const struct tally *t, enum aggregate a)
{
	return t->query->aggregates & AGGREGATE_BIT(a);
}

/* Where one metric's running values stand. */
static void init_cells(struct tally *t, int m, bool last_ms)
{
	double *const *column[] = { t->out->column[AGGREGATE_MEAN], t->out->column[AGGREGATE_MIN],
				    t->out->column[AGGREGATE_MAX], t->out->column[AGGREGATE_LAST] };
	size_t points = t->points, at = (size_t)m * points;
	int64_t *times = t->memory;
	uint32_t *counts = (uint32_t *)(times + (last_ms ? METRIC_COUNT * points : 0));

	t->cells[m] = (struct cells){
		.sum = column[0][m],
		.least = column[1][m],
		.greatest = column[2][m],
		.last = column[3][m],
		.last_ms = last_ms ? times + at : NULL,
		.missing = counts + at,
	};
	for (size_t i = 0; t->cells[m].sum && i < points; i++)
		t->cells[m].sum[i] = 0;
}

int tally_init(struct tally *t, const struct range_query *q, size_t points, bool ordered,
	       struct range_result *out)
{
	bool last_ms = (q->aggregates & AGGREGATE_BIT(AGGREGATE_LAST)) && !ordered;
	size_t each = sizeof(uint32_t) + (last_ms ? sizeof(int64_t) : 0);
	int result = range_result_init(out, points, q->aggregates);

	if (result < 0)
		return result;
	*t = (struct tally){
		.query = q,
		.out = out,
		.points = points,
		.only_mean = q->aggregates == AGGREGATE_BIT(AGGREGATE_MEAN),
		.memory = calloc(METRIC_COUNT * points, each),
	};
	if (!t->memory)
		return -ENOMEM;
	for (int m = 0; m < METRIC_COUNT; m++)
		init_cells(t, m, last_ms);
	for (size_t i = 0; i < points; i++)
		out->count[i] = 0;
	return 0;
}

void tally_clear(struct tally *t)
{
	free(t->memory);
	*t = (struct tally){ 0 };
}

/* --- one metric of some rows --- */

/* What is not there, yet or at all, is NaN, which is neither less nor more. */
static inline void add_least(double *cell, double value)
{
	if (value < *cell || isnan(*cell))
		*cell = value;
}

static inline void add_greatest(double *cell, double value)
{
	if (value > *cell || isnan(*cell))
		*cell = value;
}

static inline void add_last(double *cell, double value)
{
	if (!isnan(value))
		*cell = value;
}

/* --- a block in order --- */

static void add_constant(struct cells *c, enum metric m, uint32_t code, const struct segment *s,
			 unsigned n)
{
	bool absent = code == CODE_ABSENT;
	double value = code_value(m, code), units = absent ? 0 : code_units(m, code);

	for (unsigned i = 0; i < n && c->sum; i++)
		c->sum[s[i].bucket] += units * (s[i].to - s[i].from);
	for (unsigned i = 0; i < n && absent; i++)
		c->missing[s[i].bucket] += (uint32_t)(s[i].to - s[i].from);
	for (unsigned i = 0; i < n && c->least; i++)
		add_least(&c->least[s[i].bucket], value);
	for (unsigned i = 0; i < n && c->greatest; i++)
		add_greatest(&c->greatest[s[i].bucket], value);
	for (unsigned i = 0; i < n && c->last; i++)
		add_last(&c->last[s[i].bucket], value);
}

/* Behind the last edge is what the rows before it leave of the totals. */
static void add_sums(struct cells *c, enum metric m, const uint32_t *codes, const struct segment *s,
		     unsigned n, const struct block_totals *totals)
{
	double units[BLOCK_ROWS], rest;

	if (!totals) {
		fold_sums(m, codes, s, n, units);
	} else {
		fold_sums(m, codes, s, n - 1, units);
		rest = totals->units[m] - fold_sum(m, codes, s->from);
		for (unsigned i = 0; i < n - 1; i++)
			rest -= units[i];
		units[n - 1] = rest;
	}
	for (unsigned i = 0; i < n; i++)
		c->sum[s[i].bucket] += units[i];
}

static void add_missing(struct cells *c, enum metric m, const uint32_t *codes,
			const struct segment *s, unsigned n, const struct block_totals *totals)
{
	uint32_t rest = totals ? totals->missing[m] - fold_absent(codes, s->from) : 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t missing = rest;

		if (!totals || i < n - 1)
			missing = fold_absent(codes + s[i].from, (unsigned)(s[i].to - s[i].from));
		c->missing[s[i].bucket] += missing;
		rest -= missing;
	}
}

static void add_extremes(struct cells *c, enum metric m, const uint32_t *codes, bool present,
			 const struct segment *s, unsigned n)
{
	for (; n > 0; n--, s++) {
		const uint32_t *first = codes + s->from;
		unsigned rows = (unsigned)(s->to - s->from);
		uint32_t least, greatest;

		if (present)
			fold_extremes_present(first, rows, &least, &greatest);
		else
			fold_extremes(first, rows, &least, &greatest);
		if (c->least)
			add_least(&c->least[s->bucket], code_value(m, least));
		if (c->greatest)
			add_greatest(&c->greatest[s->bucket], code_value(m, greatest));
	}
}

static void add_lasts(struct cells *c, enum metric m, const uint32_t *codes,
		      const struct segment *s, unsigned n)
{
	for (; n > 0; n--, s++) {
		uint32_t last = fold_last(codes + s->from, (unsigned)(s->to - s->from));

		add_last(&c->last[s->bucket], code_value(m, last));
	}
}

/* Many segments of few rows each, none of them absent: every row is looked at once. */
static void add_present(struct cells *c, enum metric m, const uint32_t *codes,
			const struct segment *s, unsigned n)
{
	double unit = code_unit(m);
	struct folded f[BLOCK_ROWS];

	fold_present(m, codes, s, n, f);
	for (unsigned i = 0; i < n; i++) {
		uint32_t bucket = s[i].bucket;

		if (c->sum)
			c->sum[bucket] += f[i].sum;
		if (c->least)
			add_least(&c->least[bucket], f[i].least * unit);
		if (c->greatest)
			add_greatest(&c->greatest[bucket], f[i].greatest * unit);
		if (c->last)
			c->last[bucket] = f[i].last * unit;
	}
}

static void add_column(struct tally *t, const struct walk *w, unsigned column,
		       const struct segment *s, unsigned n, const struct block_totals *rest)
{
	bool present = !(w->absent >> column & 1);
	const uint32_t *codes = w->column[column];
	enum metric m = column_metric(column);
	struct cells *c = &t->cells[m];

	if (present && n >= SEGMENTS_MANY && !t->only_mean) {
		add_present(c, m, codes, s, n);
		return;
	}
	if (c->sum)
		add_sums(c, m, codes, s, n, rest);
	if (!present)
		add_missing(c, m, codes, s, n, rest);
	if (c->least || c->greatest)
		add_extremes(c, m, codes, present, s, n);
	if (c->last)
		add_lasts(c, m, codes, s, n);
}

static void add_segments(struct tally *t, struct walk *w, const struct segment *s, unsigned n)
{
	const struct segment *last = s + n - 1;
	/* The sum of what is behind the last edge is the rest of the totals. */
	bool rest = last->to == w->times.rows && !w->open;
	unsigned rows = rest && t->only_mean ? last->from : last->to;
	struct block_totals totals;

	if (rest)
		walk_totals(w, &totals);
	if (rows > 0)
		walk_codes(w, ALL_METRICS & ~w->constant, rows);
	for (unsigned i = 0; i < n; i++)
		t->out->count[s[i].bucket] += (uint32_t)(s[i].to - s[i].from);
	for (unsigned column = COLUMN_OF(0); column < COLUMN_COUNT; column++) {
		enum metric m = column_metric(column);

		if (w->constant >> column & 1)
			add_constant(&t->cells[m], m, walk_constant(w, column), s, n);
		else
			add_column(t, w, column, s, n, rest ? &totals : NULL);
	}
}

static void add_totals(struct tally *t, const struct walk *w, uint32_t bucket)
{
	struct block_totals totals;

	walk_totals(w, &totals);
	t->out->count[bucket] += w->times.rows;
	for (int m = 0; m < METRIC_COUNT; m++) {
		t->cells[m].sum[bucket] += totals.units[m];
		t->cells[m].missing[bucket] += totals.missing[m];
	}
}

/* --- rows in any order --- */

static void add_row(struct cells *c, uint32_t bucket, enum metric m, int64_t at_ms, uint32_t code)
{
	double value = code_value(m, code);

	if (code == CODE_ABSENT) {
		c->missing[bucket]++;
		return;
	}
	if (c->sum)
		c->sum[bucket] += code_units(m, code);
	if (c->least)
		add_least(&c->least[bucket], value);
	if (c->greatest)
		add_greatest(&c->greatest[bucket], value);
	/* Of equal times the one that came last. */
	if (c->last_ms && (isnan(c->last[bucket]) || at_ms >= c->last_ms[bucket])) {
		c->last_ms[bucket] = at_ms;
		c->last[bucket] = value;
	}
}

static void add_rows(struct tally *t, struct walk *w)
{
	const struct range_query *q = t->query;
	int64_t at_ms[BLOCK_ROWS];

	buckets_times(w, at_ms);
	walk_codes(w, ALL_METRICS, w->times.rows);
	for (unsigned i = 0; i < w->times.rows; i++) {
		uint32_t bucket;

		if (at_ms[i] < q->since_ms || at_ms[i] >= q->until_ms)
			continue;
		bucket = (uint32_t)(((uint64_t)at_ms[i] - (uint64_t)q->since_ms) /
				    (uint64_t)q->resolution_ms);
		t->out->count[bucket]++;
		for (unsigned c = COLUMN_OF(0); c < COLUMN_COUNT; c++)
			add_row(&t->cells[column_metric(c)], bucket, column_metric(c), at_ms[i],
				w->column[c][i]);
	}
}

void tally_add(struct tally *t, struct walk *w)
{
	struct segment segments[BLOCK_ROWS];
	uint32_t bucket;
	unsigned n;

	if (t->only_mean && buckets_hold(t->query, &w->times, &bucket)) {
		add_totals(t, w, bucket);
		return;
	}
	if (!w->times.ordered || t->cells[0].last_ms) {
		add_rows(t, w);
		return;
	}
	n = buckets_cut(t->query, w, segments);
	if (n > 0)
		add_segments(t, w, segments, n);
}

/* --- the answer --- */

static void divide(struct tally *t)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		double *mean = t->cells[m].sum, unit = code_unit((enum metric)m);
		const uint32_t *missing = t->cells[m].missing;

		/*
		 * No ring has so many that a signed number, which is converted faster, would not
		 * do.
		 */
		for (size_t i = 0; i < t->points; i++)
			mean[i] = mean[i] * unit / (int32_t)(t->out->count[i] - missing[i]);
	}
}

static void leave_out_empty(struct tally *t)
{
	struct range_result *out = t->out;
	size_t n = 0;

	for (size_t i = 0; i < t->points; i++) {
		if (out->count[i] == 0)
			continue;
		out->at_ms[n] = t->query->since_ms + (int64_t)i * t->query->resolution_ms;
		out->count[n] = out->count[i];
		for (int a = 0; n < i && a < AGGREGATE_COUNT; a++)
			for (int m = 0; asked(t, (enum aggregate)a) && m < METRIC_COUNT; m++)
				out->column[a][m][n] = out->column[a][m][i];
		n++;
	}
	out->n = n;
}

void tally_finish(struct tally *t)
{
	if (asked(t, AGGREGATE_MEAN))
		divide(t);
	leave_out_empty(t);
	range_result_drop_empty(t->out);
}
