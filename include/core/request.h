/*
 * request - the table of what a range request may say, turned into a query.
 *
 *   absent or 0 in since, until, resolution, range      the default
 *   since = until                                       empty
 *   since > until; any negative; a time after year 9999; a duration over 100 years; since and range
 *   both; an aggregate twice                            400
 *   ceil(window / resolution) x aggregates > points     413, naming the finest resolution that fits
 *
 * The last row holds whatever the ring holds, and not for raw, which has no resolution.
 */
#ifndef METER_REQUEST_H
#define METER_REQUEST_H

#include "problem.h"
#include "wire.h"

#define REQUEST_WINDOW_DEFAULT_MS (60 * 60 * 1000)
#define REQUEST_POINTS_DEFAULT 120	/* buckets of a window when no resolution is asked */

struct request_limits {
	int64_t interval_ms;	/* no default resolution is finer than the poll interval */
	int64_t points_max;	/* buckets x aggregates of one reply */
};

/*
 * Resolves defaults and alignment at the time now_ms. 0, or > 0 with *p and the outputs as they
 * were. *aggregates and *n are the ones to answer with, in order; query->aggregates is the same as a
 * set. For raw: resolution_ms is 0, the aggregate is MEAN alone, nothing is aligned and nothing is
 * too large. An empty window is never aligned: it stays empty. A window that a default or range
 * makes may begin before 1970; none ends after the year 9999, though its last bucket be cut short
 * by that. r is as wire.h decodes it: no aggregate out of its list.
 */
int request_resolve(const struct range_request *r, const struct request_limits *limits,
		    int64_t now_ms, struct range_query *query,
		    enum aggregate aggregates[AGGREGATE_COUNT], size_t *n, struct problem *p);

/*
 * The finest resolution for this window that has at most points_max buckets over all aggregates,
 * whether or not a request may ask for one so coarse. points_max is at least 2 x n_aggregates.
 *
 * For EPOCH the window is aligned to each resolution that is tried, so it may come in either form:
 * as asked, or aligned to a finer one. At most 1000 are tried, then one is taken which
 * certainly fits: it has room for one bucket more. With 11,000 points and times of this century
 * that does not happen: the answer is the least there is.
 */
int64_t request_finest_resolution(int64_t since_ms, int64_t until_ms, enum align align,
				  size_t n_aggregates, int64_t points_max);

#endif
