/*
 * ring - the newest samples of one instance, oldest forgotten first, packed to about 4 bytes each.
 *
 * Memory grows only as samples come: a new ring costs its header, one with a few samples 3 KB, and
 * a full one of 60,480 samples 50 to 500 KB, as the data is (README). Values are held as
 * precision.h says, times to the millisecond.
 *
 * Times may be anything, also go back (a wall clock that was set back); answers are in time order
 * all the same. Samples that keep to the interval cost least; one that is 24 days or more from
 * where it should be begins a block of its own, and many such cost memory. Questions over samples
 * whose times are some minutes out of order cost up to twice as much; where a whole week is in no
 * order, up to twenty times.
 *
 * A ring belongs to one thread at a time; different rings share nothing. No call reads a clock, a
 * file or an environment.
 */
#ifndef METER_RING_H
#define METER_RING_H

#include <stddef.h>

#include "range.h"
#include "sample.h"

#define RING_CAPACITY_MAX 16777216u
#define RING_INTERVAL_MAX_MS (1LL << 40)	/* 34 years */

struct ring;

/*
 * A ring for the newest capacity samples. interval_ms is the time that is expected between two:
 * samples that keep to it cost less memory, all else is independent of it. On 0 the caller owns
 * *out. -EINVAL for a capacity of 0 or over RING_CAPACITY_MAX, for an interval under 1 or over
 * RING_INTERVAL_MAX_MS; -ENOMEM.
 */
int ring_new(struct ring **out, size_t capacity, int64_t interval_ms);
void ring_free(struct ring *r);	/* NULL is fine */

/*
 * Keeps *s, rounded as precision.h says. Returns how many of its values were too large to be held
 * and are held as the greatest that can be: as a rule 0. -EINVAL for a value that is infinite or
 * negative, -ENOMEM; the ring is then as it was.
 *
 * Cost: 30 ns as a rule; each 64th packs a block (2 us), and of each 2,048 nine pack a column of
 * the older ones (20 to 200 us each); 0.2 us on average.
 */
int ring_append(struct ring *r, const struct sample *s);

/*
 * Samples held. They are evicted many at a time, so that there may be more than the capacity by an
 * eighth, and never more than 2,048; answers are from all of them.
 */
size_t ring_count(const struct ring *r);
/* All memory held, with what the allocator adds. Cost: it looks at every allocation, a few us. */
size_t ring_bytes(const struct ring *r);

/*
 * Buckets of [q->since_ms, q->until_ms), bucket n starting at since + n x resolution; empty buckets
 * are left out; a window that is empty, inverted or longer than INT64_MAX ms has none. On 0 the
 * caller gives *out back to range_result_clear(). -EINVAL for a window or resolution that gives
 * more than RANGE_BUCKETS_MAX buckets, a resolution under 1 or no aggregate; -ENOMEM.
 *
 * Cost: what it allocates is for the buckets alone. 120 buckets over an hour, a day, a week of
 * samples 10 s apart: 5, 50, 90 us for the mean; 9, 100, 700 us for all four aggregates, as these
 * need each value.
 */
int ring_range(const struct ring *r, const struct range_query *q, struct range_result *out);

/*
 * Stored samples of [since, until) in time order, one row each under AGGREGATE_MEAN with a count of
 * 1, at most max_rows; 0.1 us each. Where more remain *next_since_ms is the time to go on from,
 * else 0: rows of one millisecond are never cut apart. -ENOSPC if more than max_rows share the
 * first one's; -ENOMEM.
 */
int ring_raw(const struct ring *r, int64_t since_ms, int64_t until_ms, size_t max_rows,
	     struct range_result *out, int64_t *next_since_ms);

#endif
