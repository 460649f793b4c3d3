/*
 * wire_range_size - what a range reply will take at least, without making it.
 */
#include "wire.h"

/* {"at":"2026-11-21T07:07:00.000Z","count":1}, */
#define JSON_ROW_LEAST 44

/* A reading's key, its punctuation and one digit. */
static const size_t json_reading_least[METRIC_COUNT] = {
	[METRIC_CPU_PERCENT] = sizeof "\"cpu_percent\":0,",
	[METRIC_MEMORY_USED] = sizeof "\"memory_used_mb\":0,\"memory_used_bytes\":0,",
	[METRIC_MEMORY_LIMIT] = sizeof "\"memory_limit_mb\":0,\"memory_limit_bytes\":0,",
	[METRIC_NETWORK_IN] = sizeof "\"network_in_bytes_per_sec\":0,",
	[METRIC_NETWORK_OUT] = sizeof "\"network_out_bytes_per_sec\":0,",
	[METRIC_REQUESTS] = sizeof "\"requests_per_sec\":0,",
	[METRIC_LATENCY_P95] = sizeof "\"latency_p95_ms\":0,",
};

static size_t column_least(enum encoding e, const double *column, size_t n, int metric)
{
	size_t readings = 0;

	if (e == ENCODING_PROTOBUF)
		return n * sizeof *column;
	for (size_t i = 0; i < n; i++)
		readings += isnan(column[i]) ? 0 : 1;
	return readings * (json_reading_least[metric] - 1);
}

size_t wire_range_reply_least(enum encoding e, const struct range_reply *r)
{
	const size_t n = r->result.n;
	size_t bytes = 0;

	for (size_t a = 0; a < r->n_aggregates; a++) {
		bytes += n * (e == ENCODING_JSON ? JSON_ROW_LEAST : 2);
		for (int m = 0; m < METRIC_COUNT; m++)
			if (r->result.column[r->aggregates[a]][m])
				bytes += column_least(e, r->result.column[r->aggregates[a]][m], n,
						      m);
	}
	return bytes;
}
