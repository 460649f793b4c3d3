#include "request.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "timefmt.h"

/* Candidates for the finest resolution before one that certainly fits is taken. */
#define FINEST_TRIES_MAX 1000

#define COUNT_TEXT_SIZE 32

/* d > 0 */
static int64_t floor_div(int64_t n, int64_t d)
{
	return n / d - (n % d < 0 ? 1 : 0);
}

static int64_t ceil_div(int64_t n, int64_t d)
{
	return n / d + (n % d > 0 ? 1 : 0);
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * An empty window has nothing to be rounded out to. Where time ends the last bucket is cut short:
 * the next request may then say until as this one's reply does.
 */
static void align_window(int64_t *since_ms, int64_t *until_ms, int64_t resolution_ms,
			 enum align align)
{
	if (align != ALIGN_EPOCH || *since_ms == *until_ms)
		return;
	*since_ms = floor_div(*since_ms, resolution_ms) * resolution_ms;
	*until_ms = min64(ceil_div(*until_ms, resolution_ms) * resolution_ms, TIME_MS_MAX);
}

static int64_t buckets(int64_t since_ms, int64_t until_ms, int64_t resolution_ms,
		       enum align align)
{
	align_window(&since_ms, &until_ms, resolution_ms, align);
	return ceil_div(until_ms - since_ms, resolution_ms);
}

/* The next resolution at which fewer buckets lie between the epoch and a time this far from it. */
static int64_t next_drop(int64_t distance_ms, int64_t resolution_ms)
{
	int64_t n = ceil_div(distance_ms, resolution_ms);

	return n > 1 ? ceil_div(distance_ms, n - 1) : INT64_MAX;
}

int64_t request_finest_resolution(int64_t since_ms, int64_t until_ms, enum align align,
				  size_t n_aggregates, int64_t points_max)
{
	int64_t max = points_max / (int64_t)n_aggregates;
	int64_t window = until_ms - since_ms;
	int64_t resolution, fits;

	assert(max >= 2);
	if (window <= 0)
		return 1;
	resolution = ceil_div(window, max);
	if (align != ALIGN_EPOCH)
		return resolution;
	/*
	 * Rounding both ends out adds at most one bucket, so one less in the window certainly fits;
	 * before that the count goes up and down with the resolution. It goes down only where an
	 * end of the window loses a bucket towards the epoch: nothing between need be tried.
	 */
	fits = ceil_div(window, max - 1);
	for (int i = 0; i < FINEST_TRIES_MAX && resolution < fits; i++) {
		if (buckets(since_ms, until_ms, resolution, align) <= max)
			return resolution;
		resolution = min64(next_drop(until_ms, resolution),
				   next_drop(-since_ms, resolution));
	}
	return fits;
}

static int check_time(const char *name, int64_t ms, struct problem *p)
{
	const char *wrong = ms < 0 ? "negative" : "after the year 9999";

	if (ms >= 0 && ms <= TIME_MS_MAX)
		return 0;
	return problem_set(p, PROBLEM_MALFORMED, "%s is %s: it may be 0 to %lld (Unix ms)", name,
			   wrong, TIME_MS_MAX);
}

static int check_duration(const char *name, int64_t ms, struct problem *p)
{
	const char *wrong = ms < 0 ? "negative" : "over 100 years";

	if (ms >= 0 && ms <= DURATION_MS_MAX)
		return 0;
	return problem_set(p, PROBLEM_MALFORMED, "%s is %s: it may be 0 to %lld (ms)", name, wrong,
			   DURATION_MS_MAX);
}

/* What is wrong whatever the time is now. */
static int check_fields(const struct range_request *r, struct problem *p)
{
	unsigned seen = 0;
	int rc;

	rc = check_time("since", r->since_ms, p);
	if (rc == 0)
		rc = check_time("until", r->until_ms, p);
	if (rc == 0)
		rc = check_duration("range", r->range_ms, p);
	if (rc == 0)
		rc = check_duration("resolution", r->resolution_ms, p);
	if (rc != 0)
		return rc;
	if (r->since_ms != 0 && r->range_ms != 0)
		return problem_set(p, PROBLEM_MALFORMED,
				   "since and range are both given: only one of them may be");
	for (size_t i = 0; i < r->n_aggregates; i++) {
		if (seen & AGGREGATE_BIT(r->aggregates[i]))
			return problem_set(p, PROBLEM_MALFORMED,
					   "aggregates has %s twice: each may be there once",
					   aggregate_name(r->aggregates[i]));
		seen |= AGGREGATE_BIT(r->aggregates[i]);
	}
	return 0;
}

static int resolve_window(const struct range_request *r, int64_t now_ms, struct range_query *q,
			  struct problem *p)
{
	int64_t length = r->range_ms != 0 ? r->range_ms : REQUEST_WINDOW_DEFAULT_MS;

	q->until_ms = r->until_ms != 0 ? r->until_ms : now_ms;
	q->since_ms = r->since_ms != 0 ? r->since_ms : q->until_ms - length;
	if (q->since_ms > q->until_ms)
		return problem_set(p, PROBLEM_MALFORMED,
				   "since is after until: it may be at most %s%" PRId64
				   " (Unix ms)",
				   r->until_ms != 0 ? "" : "now, ", q->until_ms);
	return 0;
}

static int64_t resolve_resolution(const struct range_request *r,
				  const struct request_limits *limits,
				  const struct range_query *q)
{
	int64_t resolution = ceil_div(q->until_ms - q->since_ms, REQUEST_POINTS_DEFAULT);

	if (r->resolution_ms != 0)
		return r->resolution_ms;
	return resolution > limits->interval_ms ? resolution : limits->interval_ms;
}

/* 11000 → "11,000"; n >= 0 */
static const char *count_text(int64_t n, char text[COUNT_TEXT_SIZE])
{
	char *p = text + COUNT_TEXT_SIZE;
	int digits = 0;

	*--p = '\0';
	do {
		if (digits && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + n % 10);
		n /= 10;
		digits++;
	} while (n);
	return p;
}

/* q is not aligned yet. */
static int too_many_points(const struct range_query *q, enum align align, size_t n,
			   int64_t points, int64_t points_max, struct problem *p)
{
	char have[COUNT_TEXT_SIZE], may[COUNT_TEXT_SIZE];
	int64_t finest = request_finest_resolution(q->since_ms, q->until_ms, align, n, points_max);

	if (finest > DURATION_MS_MAX)
		return problem_set(p, PROBLEM_TOO_LARGE,
				   "%s points are more than %s: since must be nearer to until",
				   count_text(points, have), count_text(points_max, may));
	return problem_set(p, PROBLEM_TOO_LARGE,
			   "%s points are more than %s: the finest resolution for this window is "
			   "%" PRId64 " ms",
			   count_text(points, have), count_text(points_max, may), finest);
}

int request_resolve(const struct range_request *r, const struct request_limits *limits,
		    int64_t now_ms, struct range_query *query,
		    enum aggregate aggregates[AGGREGATE_COUNT], size_t *n, struct problem *p)
{
	struct range_query q = { 0 };
	enum aggregate list[AGGREGATE_COUNT] = { AGGREGATE_MEAN };
	size_t count = 1;
	int64_t points;
	int rc;

	assert(r->n_aggregates <= AGGREGATE_COUNT);
	rc = check_fields(r, p);
	if (rc == 0)
		rc = resolve_window(r, now_ms, &q, p);
	if (rc != 0)
		return rc;
	if (!r->raw) {
		if (r->n_aggregates != 0) {
			memcpy(list, r->aggregates, sizeof list);
			count = r->n_aggregates;
		}
		q.resolution_ms = resolve_resolution(r, limits, &q);
		points = (int64_t)count *
			 buckets(q.since_ms, q.until_ms, q.resolution_ms, r->align);
		if (points > limits->points_max)
			return too_many_points(&q, r->align, count, points, limits->points_max, p);
		align_window(&q.since_ms, &q.until_ms, q.resolution_ms, r->align);
	}
	for (size_t i = 0; i < count; i++)
		q.aggregates |= AGGREGATE_BIT(list[i]);
	memcpy(aggregates, list, sizeof list);
	*n = count;
	*query = q;
	return 0;
}
