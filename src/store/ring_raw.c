#include "ring.h"

#include <errno.h>
#include <stdlib.h>

#include "buckets.h"
#include "code.h"
#include "walk.h"

struct row {
	int64_t at_ms;
	size_t order;	/* of arrival */
	uint32_t code[METRIC_COUNT];
};

struct rows {
	struct row *row;
	size_t n;
	size_t most;	/* no more are taken */
};

/* Appends the rows of the walk's block that are in the window. */
static void take_block(struct rows *rows, struct walk *w)
{
	int64_t at_ms[BLOCK_ROWS];

	buckets_times(w, at_ms);
	walk_codes(w, ALL_METRICS, w->times.rows);
	for (unsigned i = 0; i < w->times.rows && rows->n < rows->most; i++) {
		struct row *row = &rows->row[rows->n];

		if (at_ms[i] < w->since_ms || at_ms[i] >= w->until_ms)
			continue;
		row->at_ms = at_ms[i];
		row->order = rows->n++;
		for (int m = 0; m < METRIC_COUNT; m++)
			row->code[m] = w->column[COLUMN_OF(m)][i];
	}
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static size_t rows_at_most(const struct ring *r, int64_t since_ms, int64_t until_ms)
{
	struct walk w;
	size_t n = 0;

	walk_begin(&w, r, since_ms, until_ms);
	while (walk_next(&w))
		n += w.times.rows;
	return n;
}

/*
 * The window's rows in time order; the first max_rows + 1 of them will do. The caller frees
 * rows->row.
 */
static int collect(const struct ring *r, int64_t since_ms, int64_t until_ms, size_t max_rows,
		   struct rows *rows)
{
	bool ordered = ring_is_ordered(r);
	struct walk w;

	*rows = (struct rows){ .most = rows_at_most(r, since_ms, until_ms) };
	/* The first by time are the first of all only where all are in order. */
	if (ordered && max_rows < rows->most)
		rows->most = max_rows + 1;
	rows->row = malloc((rows->most + 1) * sizeof *rows->row);
	if (!rows->row)
		return -ENOMEM;
	walk_begin(&w, r, since_ms, until_ms);
	while (rows->n < rows->most && walk_next(&w))
		take_block(rows, &w);
	if (!ordered)	/* the clock was set back: rare enough to sort when asked */
		qsort(rows->row, rows->n, sizeof *rows->row, compare_rows);
	return 0;
}

static int fill(struct range_result *out, const struct row *row, size_t n)
{
	int result = range_result_init(out, n, AGGREGATE_BIT(AGGREGATE_MEAN));

	for (size_t i = 0; result == 0 && i < n; i++) {
		out->at_ms[i] = row[i].at_ms;
		out->count[i] = 1;
		for (int m = 0; m < METRIC_COUNT; m++)
			out->column[AGGREGATE_MEAN][m][i] =
				code_value((enum metric)m, row[i].code[m]);
	}
	range_result_drop_empty(out);
	return result;
}

int ring_raw(const struct ring *r, int64_t since_ms, int64_t until_ms, size_t max_rows,
	     struct range_result *out, int64_t *next_since_ms)
{
	struct rows rows;
	size_t n;
	int result;

	*out = (struct range_result){ 0 };
	*next_since_ms = 0;
	result = collect(r, since_ms, until_ms, max_rows, &rows);
	if (result < 0)
		return result;
	n = rows.n;
	if (n > max_rows) {
		for (n = max_rows; n > 0; n--)
			if (rows.row[n].at_ms != rows.row[n - 1].at_ms)
				break;
		if (n == 0)
			result = -ENOSPC;
		else
			*next_since_ms = rows.row[n].at_ms;
	}
	if (result == 0)
		result = fill(out, rows.row, n);
	free(rows.row);
	return result;
}
