#include "buckets.h"

static uint64_t distance(int64_t from_ms, int64_t to_ms)
{
	return (uint64_t)to_ms - (uint64_t)from_ms;
}

bool buckets_hold(const struct range_query *q, const struct block_times *t, uint32_t *bucket)
{
	uint64_t resolution = (uint64_t)q->resolution_ms, least, n;

	if (t->least_ms < q->since_ms || t->greatest_ms >= q->until_ms)
		return false;
	least = distance(q->since_ms, t->least_ms);
	n = least / resolution;
	*bucket = (uint32_t)n;
	return distance(q->since_ms, t->greatest_ms) - n * resolution < resolution;
}

void buckets_times(struct walk *w, int64_t out[BLOCK_ROWS])
{
	walk_codes(w, 1u << COLUMN_TIME, w->times.rows);
	for (unsigned i = 0; i < w->times.rows; i++)
		out[i] = column_time(w->times.start_ms, w->ring->interval_ms, i,
				     w->column[COLUMN_TIME][i]);
}

/*
 * How many rows of an ordered block are before a time that is not before its start, from the time
 * it started and the bounds of its lateness alone; -1 if that does not tell.
 */
static int rows_before(const struct walk *w, int64_t at_ms)
{
	int64_t interval = w->ring->interval_ms, rows = w->times.rows;
	int64_t after, latest, earliest, n;

	if (at_ms > w->times.greatest_ms)
		return (int)rows;
	after = (int64_t)distance(w->times.start_ms, at_ms) + TIME_CODE_ZERO;
	latest = after - w->time_greatest;
	earliest = after - w->time_least;
	n = latest <= 0 ? 0 : (latest - 1) / interval + 1;
	if (n >= rows)
		return (int)rows;
	return n * interval >= earliest ? (int)n : -1;
}

/* By the pace of the samples; 0 if that is not sure. */
static unsigned cut_by_pace(const struct range_query *q, const struct walk *w,
			    struct segment out[BLOCK_ROWS])
{
	uint64_t resolution = (uint64_t)q->resolution_ms;
	uint64_t window = distance(q->since_ms, q->until_ms), edge = 0, bucket = 0;
	int from = 0, to;
	unsigned n = 0;

	if (w->times.start_ms >= q->since_ms)
		bucket = distance(q->since_ms, w->times.start_ms) / resolution;
	else
		from = rows_before(w, q->since_ms);
	for (; from >= 0 && from < (int)w->times.rows && edge < window; bucket++, from = to) {
		edge = (bucket + 1) * resolution;
		edge = edge < window ? edge : window;
		to = rows_before(w, (int64_t)((uint64_t)q->since_ms + edge));
		/* An empty bucket may be one of very many. */
		if (to <= from)
			return 0;
		out[n++] = (struct segment){ (uint32_t)bucket, (uint8_t)from, (uint8_t)to };
	}
	return from < 0 ? 0 : n;
}

static unsigned cut_by_times(const struct range_query *q, struct walk *w,
			     struct segment out[BLOCK_ROWS])
{
	uint64_t resolution = (uint64_t)q->resolution_ms;
	unsigned n = 0, from = 0, rows = w->times.rows;
	int64_t at_ms[BLOCK_ROWS];

	buckets_times(w, at_ms);
	while (from < rows && at_ms[from] < q->since_ms)
		from++;
	while (from < rows && at_ms[from] < q->until_ms) {
		uint64_t bucket = distance(q->since_ms, at_ms[from]) / resolution;
		unsigned to = from + 1;

		while (to < rows && at_ms[to] < q->until_ms &&
		       distance(q->since_ms, at_ms[to]) - bucket * resolution < resolution)
			to++;
		out[n++] = (struct segment){ (uint32_t)bucket, (uint8_t)from, (uint8_t)to };
		from = to;
	}
	return n;
}

unsigned buckets_cut(const struct range_query *q, struct walk *w, struct segment out[BLOCK_ROWS])
{
	unsigned n = cut_by_pace(q, w, out);

	return n ? n : cut_by_times(q, w, out);
}
