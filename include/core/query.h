/*
 * query - request bytes → what the tracker and its rings know → reply bytes.
 *
 * A pure function of the state: no sockets, no clock. Loop thread only.
 */
#ifndef METER_QUERY_H
#define METER_QUERY_H

#include <stddef.h>

#include "buffer.h"
#include "moment.h"
#include "problem.h"
#include "tracker.h"
#include "wire.h"

enum query_kind { QUERY_RANGE, QUERY_LATEST, QUERY_LIST };

struct query_options {
	const struct tracker *tracker;
	const char *node;	/* "" = none; said in list replies */
	int64_t interval_ms;
	int64_t points_max;	/* of one range reply, over all aggregates */
	size_t bytes_max;	/* of one encoded reply */
};

/* Requests are small: a longer one is refused before anything is read. */
#define QUERY_BODY_MAX 65536

/*
 * id is what stood in the subject, of any form; NULL for QUERY_LIST. 0 and the reply appended to *out;
 * > 0 with *p (the reply is then empty); -ENOMEM. Cost: range, one pass over the window and its rows;
 * list, O(log n) and its page; latest, O(1).
 */
int query_answer(const struct query_options *q, enum query_kind kind, const char *id,
		 enum encoding e, const void *body, size_t len, const struct moment *now,
		 struct buffer *out, struct problem *p);

#endif
