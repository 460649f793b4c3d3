#include "range.h"

#include <errno.h>
#include <stdlib.h>

int range_result_init(struct range_result *r, size_t n, unsigned aggregates)
{
	size_t columns = 0;
	double *values;

	*r = (struct range_result){ 0 };
	if (n == 0)
		return 0;
	for (int a = 0; a < AGGREGATE_COUNT; a++)
		columns += (aggregates & AGGREGATE_BIT(a)) ? METRIC_COUNT : 0;
	/* Widest first, so that everything is aligned. */
	r->memory = malloc(n * (sizeof *r->at_ms + columns * sizeof *values + sizeof *r->count));
	if (!r->memory)
		return -ENOMEM;
	r->n = n;
	r->at_ms = r->memory;
	values = (double *)(r->at_ms + n);
	r->count = (uint32_t *)(values + columns * n);
	for (size_t i = 0; i < columns * n; i++)
		values[i] = NAN;
	for (int a = 0; a < AGGREGATE_COUNT; a++) {
		for (int m = 0; (aggregates & AGGREGATE_BIT(a)) && m < METRIC_COUNT; m++) {
			r->column[a][m] = values;
			values += n;
		}
	}
	return 0;
}

void range_result_clear(struct range_result *r)
{
	free(r->memory);
	*r = (struct range_result){ 0 };
}

static int column_is_empty(const double *column, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isnan(column[i]))
			return 0;
	return 1;
}

void range_result_drop_empty(struct range_result *r)
{
	for (int a = 0; a < AGGREGATE_COUNT; a++)
		for (int m = 0; m < METRIC_COUNT; m++)
			if (r->column[a][m] && column_is_empty(r->column[a][m], r->n))
				r->column[a][m] = NULL;
}

int64_t range_query_points(const struct range_query *q)
{
	int64_t window;

	if (q->resolution_ms <= 0 || __builtin_sub_overflow(q->until_ms, q->since_ms, &window) ||
	    window <= 0)
		return 0;
	return window / q->resolution_ms + (window % q->resolution_ms != 0);
}
