/*
 * tally - what the buckets of a query have seen so far.
 *
 * It stands in the columns of the result itself: sums in the unit of each metric under MEAN, values
 * under the others. tally_finish() makes an answer of it.
 */
#ifndef METER_TALLY_H
#define METER_TALLY_H

#include "buckets.h"
#include "range.h"

/* Of one metric, a number for each bucket; NULL what is not asked. */
struct cells {
	double *sum;
	double *least;
	double *greatest;
	double *last;
	int64_t *last_ms;	/* of the newest reading; NULL if samples are in order, too */
	uint32_t *missing;	/* absent readings */
};

struct tally {
	const struct range_query *query;
	struct range_result *out;
	size_t points;
	bool only_mean;
	struct cells cells[METRIC_COUNT];
	void *memory;
};

/* -ENOMEM, and nothing is held. out is the caller's to clear. */
int tally_init(struct tally *t, const struct range_query *q, size_t points, bool ordered,
	       struct range_result *out);
void tally_clear(struct tally *t);

/* The block that the walk is at. */
void tally_add(struct tally *t, struct walk *w);

/* Means are divided, empty buckets are left out. */
void tally_finish(struct tally *t);

#endif
