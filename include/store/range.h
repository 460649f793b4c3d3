/*
 * range - what can be asked of a ring over a window of time, and the shape of the answer.
 */
#ifndef METER_RANGE_H
#define METER_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"

/* Numbered as on the wire. */
enum aggregate {
	AGGREGATE_MEAN,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_LAST,	/* the newest reading by time; of equal times the one that came last */
	AGGREGATE_COUNT
};

#define AGGREGATE_BIT(a) (1u << (a))
#define AGGREGATE_ALL (AGGREGATE_BIT(AGGREGATE_COUNT) - 1)

/* A bound of the store itself; what one reply may hold is a setting of the service and lower. */
#define RANGE_BUCKETS_MAX 100000

struct range_query {
	int64_t since_ms;	/* inclusive */
	int64_t until_ms;	/* exclusive */
	int64_t resolution_ms;	/* length of a bucket, > 0 */
	unsigned aggregates;	/* AGGREGATE_BIT()s, at least one */
};

/*
 * Columns of n rows each, in time order. column[a][m] is NULL when aggregate a was not asked, or
 * when metric m has no reading in the whole window; NaN in a column = no reading in that bucket.
 */
struct range_result {
	size_t n;
	int64_t *at_ms;		/* start of each bucket */
	uint32_t *count;	/* samples in each bucket */
	double *column[AGGREGATE_COUNT][METRIC_COUNT];
	void *memory;		/* one allocation holds all of it */
};

/*
 * One allocation for n rows with all columns of the aggregates set; the columns are NaN. -ENOMEM.
 */
int range_result_init(struct range_result *r, size_t n, unsigned aggregates);
void range_result_clear(struct range_result *r);	/* zeroed is fine */

/* Forgets each column that holds no reading at all. */
void range_result_drop_empty(struct range_result *r);

/* How many buckets the window has: ceil(window / resolution). 0 for an empty or inverted one. */
int64_t range_query_points(const struct range_query *q);

#endif
