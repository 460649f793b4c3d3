/*
 * buckets - which rows of a block fall into which bucket of a query.
 *
 * Times are looked at as their distance from the window's begin, which never overflows.
 */
#ifndef METER_BUCKETS_H
#define METER_BUCKETS_H

#include "fold.h"
#include "range.h"
#include "walk.h"

/* Is the whole block in one bucket of the query? */
bool buckets_hold(const struct range_query *q, const struct block_times *t, uint32_t *bucket);

/* Segments of an ordered block, in order; returns how many. Decodes times only where it must. */
unsigned buckets_cut(const struct range_query *q, struct walk *w,
		     struct segment out[BLOCK_ROWS]);

/* The times of a block's rows, in any order. */
void buckets_times(struct walk *w, int64_t out[BLOCK_ROWS]);

#endif
