/*
 * ring - the newest samples of one instance, oldest forgotten first.
 *
 * Memory grows only as samples come: a new ring costs its header. Samples may go back in time (a
 * wall clock that was set back); answers are in time order all the same. One thread at a time.
 */
#ifndef METER_RING_H
#define METER_RING_H

#include <stddef.h>

#include "range.h"
#include "sample.h"

#define RING_CAPACITY_MAX 16777216u

struct ring;

/*
 * A ring for the newest capacity samples. interval_ms is the time that is expected between two: samples
 * that keep to it cost less memory, all else is independent of it. On 0 the caller owns *out. -EINVAL for a
 * capacity of 0 or over RING_CAPACITY_MAX or an interval under 1, -ENOMEM.
 */
int ring_new(struct ring **out, size_t capacity, int64_t interval_ms);
void ring_free(struct ring *r);	/* NULL is fine */

/*
 * Keeps *s, rounded as precision.h says. Returns how many of its values were too large to be held and are
 * held as the greatest that can be: as a rule 0. -EINVAL for a value that is infinite or negative, -ENOMEM;
 * the ring is then as it was. Amortised O(1).
 */
int ring_append(struct ring *r, const struct sample *s);

size_t ring_count(const struct ring *r);	/* samples held, at most the capacity */
size_t ring_bytes(const struct ring *r);	/* memory held, the ring itself included */

/*
 * Buckets of [q->since_ms, q->until_ms), bucket n starting at since + n x resolution; empty buckets
 * are left out. On 0 the caller gives *out back to range_result_clear(). Cost: one pass over the
 * blocks that touch the window. -EINVAL for a query that range_query_points() does not accept, -ENOMEM.
 */
int ring_range(const struct ring *r, const struct range_query *q, struct range_result *out);

/*
 * Stored samples of [since, until) in time order, one row each under AGGREGATE_MEAN with a count of
 * 1, at most max_rows. Where more remain *next_since_ms is the time to go on from, else 0: rows of
 * one millisecond are never cut apart. -ENOSPC if more than max_rows share the first one's; -ENOMEM.
 */
int ring_raw(const struct ring *r, int64_t since_ms, int64_t until_ms, size_t max_rows,
	     struct range_result *out, int64_t *next_since_ms);

#endif
