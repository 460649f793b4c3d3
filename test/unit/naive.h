/*
 * naive - what a ring has to answer, straight from the definition: everything that was ever
 * appended, sorted by (time, arrival), and one pass over the window for each question.
 *
 * Values are kept as precision_round() says. So counts, times, min, max, last and raw rows have to
 * be equal to the bit; means within 1e-12, as sums of whole multiples of one unit that is a power
 * of two.
 *
 * A ring may forget in larger pieces than one sample: the model holds as many of the newest as the
 * ring says that it holds, and naive_follow() says whether that many is possible.
 */
#ifndef METER_NAIVE_H
#define METER_NAIVE_H

#include <stddef.h>
#include <stdint.h>

#include "ring.h"

struct naive_row {
	int64_t at_ms;
	size_t order;	/* of arrival: index in samples */
};

struct naive {
	struct sample *samples;		/* in order of arrival, nothing forgotten */
	size_t n;
	size_t cap;
	struct naive_row *sorted;	/* the newest of them, by (time, arrival) */
	size_t n_sorted;
	size_t n_seen;			/* of samples, those that went through sorted */
};

void naive_clear(struct naive *nv);	/* zeroed is empty, and fine */
void naive_append(struct naive *nv, const struct sample *s);

/*
 * Each returns NULL where the ring is right, else a sentence that stays valid until the next one.
 * Call naive_follow() after appending and before asking.
 */
const char *naive_follow(struct naive *nv, const struct ring *r, size_t capacity);
const char *naive_range_differs(const struct naive *nv, const struct ring *r,
				const struct range_query *q);
const char *naive_raw_differs(const struct naive *nv, const struct ring *r, int64_t since_ms,
			      int64_t until_ms, size_t max_rows);
/* ring_raw() from one page to the next. */
const char *naive_pages_differ(const struct naive *nv, const struct ring *r, int64_t since_ms,
			       int64_t until_ms, size_t max_rows);

#endif
