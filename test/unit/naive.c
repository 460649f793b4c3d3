#include "naive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "precision.h"

#define MEAN_TOLERANCE 1e-12

static const char *differs(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *differs(const char *format, ...)
{
	static char why[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	return why;
}

void naive_clear(struct naive *nv)
{
	free(nv->samples);
	free(nv->sorted);
	*nv = (struct naive){ 0 };
}

static void *grown(void *memory, size_t cap, size_t size)
{
	memory = reallocarray(memory, cap, size);
	if (!memory)
		abort();
	return memory;
}

void naive_append(struct naive *nv, const struct sample *s)
{
	if (nv->n == nv->cap) {
		nv->cap = nv->cap ? nv->cap * 2 : 1024;
		nv->samples = grown(nv->samples, nv->cap, sizeof *nv->samples);
		nv->sorted = grown(nv->sorted, nv->cap, sizeof *nv->sorted);
	}
	nv->samples[nv->n] = *s;
	for (int m = 0; m < METRIC_COUNT; m++)
		nv->samples[nv->n].value[m] = precision_round((enum metric)m, s->value[m]);
	nv->n++;
}

/* The first row at or after a time. */
static size_t row_at(const struct naive *nv, int64_t at_ms)
{
	size_t from = 0, to = nv->n_sorted;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (nv->sorted[middle].at_ms < at_ms)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Behind all rows of the same time: samples are taken in order of arrival. */
static void sorted_insert(struct naive *nv, size_t order)
{
	int64_t at_ms = nv->samples[order].at_ms;
	size_t at = nv->n_sorted;

	/* Nearly always it is the newest. */
	if (at > 0 && nv->sorted[at - 1].at_ms > at_ms)
		at = row_at(nv, at_ms + 1);	/* there is a greater time, so that this cannot overflow */
	memmove(nv->sorted + at + 1, nv->sorted + at, (nv->n_sorted - at) * sizeof *nv->sorted);
	nv->sorted[at] = (struct naive_row){ at_ms, order };
	nv->n_sorted++;
}

const char *naive_follow(struct naive *nv, const struct ring *r, size_t capacity)
{
	size_t held = ring_count(r), kept = 0;

	if (held > nv->n)
		return differs("%zu samples of %zu that were appended", held, nv->n);
	if (held < (nv->n < capacity ? nv->n : capacity))
		return differs("%zu samples, %zu appended, capacity %zu", held, nv->n, capacity);
	if (held > capacity + capacity / 8 + 4096)
		return differs("%zu samples, too many for capacity %zu", held, capacity);
	if (nv->n - held > nv->n_seen)
		nv->n_seen = nv->n - held;
	/* A sample that was forgotten does not come back. */
	for (size_t i = 0; i < nv->n_sorted; i++)
		if (nv->sorted[i].order >= nv->n - held)
			nv->sorted[kept++] = nv->sorted[i];
	nv->n_sorted = kept;
	while (nv->n_seen < nv->n)
		sorted_insert(nv, nv->n_seen++);
	if (nv->n_sorted != held)
		return differs("%zu samples, of which %zu had been forgotten", held,
			       held - nv->n_sorted);
	return NULL;
}

/* What one bucket knows of one metric. */
struct tally {
	size_t n;
	long double sum;
	double value[AGGREGATE_COUNT];
};

static void tally_add(struct tally *t, double v)
{
	if (isnan(v))
		return;
	if (t->n == 0 || v < t->value[AGGREGATE_MIN])
		t->value[AGGREGATE_MIN] = v;
	if (t->n == 0 || v > t->value[AGGREGATE_MAX])
		t->value[AGGREGATE_MAX] = v;
	t->value[AGGREGATE_LAST] = v;	/* rows come by (time, arrival) */
	t->sum += (long double)v;
	t->n++;
	t->value[AGGREGATE_MEAN] = (double)(t->sum / (long double)t->n);
}

static int value_is(double got, double want, double tolerance)
{
	if (isnan(want))
		return isnan(got);
	return fabs(got - want) <= tolerance * want;
}

/*
 * One row of an answer against the samples of its bucket; which columns there are is for
 * columns_differ().
 */
static const char *row_differs(const struct range_result *got, size_t row,
			       const struct tally *tallies)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		for (int a = 0; a < AGGREGATE_COUNT; a++) {
			double want = tallies[m].n ? tallies[m].value[a] : (double)NAN;
			double value = got->column[a][m] ? got->column[a][m][row] : want;

			if (!value_is(value, want, a == AGGREGATE_MEAN ? MEAN_TOLERANCE : 0))
				return differs(
					"row %zu: aggregate %d of metric %d is %.17g, not %.17g",
					row, a, m, value, want);
		}
	}
	return NULL;
}

static const char *columns_differ(const struct range_result *got, unsigned aggregates,
				  const size_t readings[METRIC_COUNT])
{
	for (int a = 0; a < AGGREGATE_COUNT; a++) {
		for (int m = 0; m < METRIC_COUNT; m++) {
			int want = (aggregates & AGGREGATE_BIT(a)) && readings[m] > 0;

			if (!got->column[a][m] != !want)
				return differs("column of aggregate %d, metric %d is %s", a, m,
					       want ? "missing" : "there");
		}
	}
	return NULL;
}

/* The rows of one bucket, from *at on, into tallies. Returns how many there are. */
static uint32_t bucket_take(const struct naive *nv, const struct range_query *q, size_t *at,
			    struct tally tallies[METRIC_COUNT])
{
	int64_t bucket = (nv->sorted[*at].at_ms - q->since_ms) / q->resolution_ms;
	uint32_t count = 0;

	memset(tallies, 0, METRIC_COUNT * sizeof *tallies);
	for (; *at < nv->n_sorted && nv->sorted[*at].at_ms < q->until_ms; ++*at, count++) {
		const struct sample *s = &nv->samples[nv->sorted[*at].order];

		if ((s->at_ms - q->since_ms) / q->resolution_ms != bucket)
			break;
		for (int m = 0; m < METRIC_COUNT; m++)
			tally_add(&tallies[m], s->value[m]);
	}
	return count;
}

static const char *range_compare(const struct naive *nv, const struct range_query *q,
				 const struct range_result *got)
{
	size_t readings[METRIC_COUNT] = { 0 }, row = 0, at = row_at(nv, q->since_ms);
	struct tally tallies[METRIC_COUNT];
	const char *why = NULL;

	for (; !why && at < nv->n_sorted && nv->sorted[at].at_ms < q->until_ms; row++) {
		int64_t into = nv->sorted[at].at_ms - q->since_ms;
		int64_t start = q->since_ms + into / q->resolution_ms * q->resolution_ms;
		uint32_t count = bucket_take(nv, q, &at, tallies);

		if (row >= got->n)
			return differs("%zu rows, and no bucket at %" PRId64, got->n, start);
		if (got->at_ms[row] != start)
			return differs("row %zu is at %" PRId64 ", not %" PRId64, row,
				       got->at_ms[row], start);
		if (got->count[row] != count)
			return differs("row %zu counts %" PRIu32 ", not %" PRIu32, row,
				       got->count[row], count);
		for (int m = 0; m < METRIC_COUNT; m++)
			readings[m] += tallies[m].n;
		why = row_differs(got, row, tallies);
	}
	if (!why && row != got->n)
		return differs("%zu rows, not %zu", got->n, row);
	return why ? why : columns_differ(got, q->aggregates, readings);
}

const char *naive_range_differs(const struct naive *nv, const struct ring *r,
				const struct range_query *q)
{
	struct range_result got;
	const char *why;
	int result = ring_range(r, q, &got);

	if (result != 0)
		return differs("ring_range: %s", strerror(-result));
	if (q->since_ms >= q->until_ms)
		why = got.n ? differs("%zu rows of an empty window", got.n) : NULL;
	else
		why = range_compare(nv, q, &got);
	range_result_clear(&got);
	return why;
}

static const char *raw_compare(const struct naive *nv, size_t at, size_t rows,
			       const struct range_result *got)
{
	size_t readings[METRIC_COUNT] = { 0 };

	if (got->n != rows)
		return differs("%zu raw rows, not %zu", got->n, rows);
	for (size_t i = 0; i < rows; i++) {
		const struct sample *s = &nv->samples[nv->sorted[at + i].order];

		if (got->at_ms[i] != s->at_ms || got->count[i] != 1)
			return differs("raw row %zu is at %" PRId64 " and counts %" PRIu32 ", not %"
				       PRId64 " and 1", i, got->at_ms[i], got->count[i], s->at_ms);
		for (int m = 0; m < METRIC_COUNT; m++) {
			const double *column = got->column[AGGREGATE_MEAN][m];

			readings[m] += !isnan(s->value[m]);
			if (column && !value_is(column[i], s->value[m], 0))
				return differs("raw row %zu: metric %d is %.17g, not %.17g", i, m,
					       column[i], s->value[m]);
		}
	}
	return columns_differ(got, AGGREGATE_BIT(AGGREGATE_MEAN), readings);
}

/* How many of n rows one answer holds: never a part of those that share a time. */
static size_t page_rows(const struct naive *nv, size_t at, size_t n, size_t max_rows)
{
	size_t rows = n < max_rows ? n : max_rows;

	while (rows > 0 && rows < n &&
	       nv->sorted[at + rows - 1].at_ms == nv->sorted[at + rows].at_ms)
		rows--;
	return rows;
}

/* One page; *next_ms as the ring has it. */
static const char *page_differs(const struct naive *nv, const struct ring *r, int64_t since_ms,
				int64_t until_ms, size_t max_rows, int64_t *next_ms)
{
	size_t at = row_at(nv, since_ms), end = row_at(nv, until_ms), n = end > at ? end - at : 0;
	size_t rows = page_rows(nv, at, n, max_rows);
	int64_t want_ms = rows < n ? nv->sorted[at + rows].at_ms : 0;
	struct range_result got;
	const char *why;
	int result = ring_raw(r, since_ms, until_ms, max_rows, &got, next_ms);

	if (n > 0 && rows == 0) {
		*next_ms = 0;
		return result == -ENOSPC ? NULL : differs("ring_raw: %d, not -ENOSPC", result);
	}
	if (result != 0)
		return differs("ring_raw: %s", strerror(-result));
	why = raw_compare(nv, at, rows, &got);
	if (!why && *next_ms != want_ms)
		why = differs("next raw row at %" PRId64 ", not %" PRId64, *next_ms, want_ms);
	range_result_clear(&got);
	return why;
}

const char *naive_raw_differs(const struct naive *nv, const struct ring *r, int64_t since_ms,
			      int64_t until_ms, size_t max_rows)
{
	int64_t next_ms;

	return page_differs(nv, r, since_ms, until_ms, max_rows, &next_ms);
}

const char *naive_pages_differ(const struct naive *nv, const struct ring *r, int64_t since_ms,
			       int64_t until_ms, size_t max_rows)
{
	const char *why;

	do {
		why = page_differs(nv, r, since_ms, until_ms, max_rows, &since_ms);
	} while (!why && since_ms != 0);
	return why;
}
