#include "query.h"
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often a resolution that fits is looked for before a reply that is too long is refused. */
#define FINEST_TRIES_MAX 4
/* Of a list reply, for what is not its entries: brackets, total, next_page_token and node. */
#define LIST_OVERHEAD (2 * IDENT_MAX + 256)

static int encode_raw(const struct query_options *q, const struct ring *ring, enum encoding e,
		      struct range_reply *r, struct buffer *out, struct problem *p)
{
	size_t rows = (size_t)q->points_max;
	int result;

	/* Rows have about one size: after one cut to measure the next one fits. */
	for (;;) {
		result = ring_raw(ring, r->since_ms, r->until_ms, rows, &r->result,
				  &r->next_since_ms);
		if (result == -ENOSPC)
			return problem_set(p, PROBLEM_TOO_LARGE,
					   "one millisecond has more samples than a reply holds");
		if (result < 0)
			return result;
		result = wire_encode_range_reply(e, r, out);
		if (result < 0 || out->len <= q->bytes_max)
			return result;
		rows = (size_t)((double)r->result.n * (double)q->bytes_max / (double)out->len *
				15 / 16);
		range_result_clear(&r->result);
		out->len = 0;
	}
}

static int encode_buckets(const struct ring *ring, enum encoding e,
			  const struct range_query *query, struct range_reply *r,
			  struct buffer *out)
{
	int result;

	range_result_clear(&r->result);
	out->len = 0;
	r->since_ms = query->since_ms;
	r->until_ms = query->until_ms;
	r->resolution_ms = query->resolution_ms;
	result = ring_range(ring, query, &r->result);
	return result < 0 ? result : wire_encode_range_reply(e, r, out);
}

/*
 * The reply has too many bytes. Looks for the finest resolution that fits: the share of buckets that
 * would, and again while rows turn out longer than before (a mean has more digits than a sample).
 */
static int too_many_bytes(const struct query_options *q, const struct ring *ring, enum encoding e,
			  struct range_request *request, int64_t now_ms, struct range_reply *r,
			  struct buffer *out, struct problem *p)
{
	struct request_limits limits = { q->interval_ms, q->points_max };
	struct range_query query;
	int result;

	for (int tries = 0; tries < FINEST_TRIES_MAX && out->len > q->bytes_max; tries++) {
		double buckets = (double)((r->until_ms - r->since_ms) / r->resolution_ms + 1);
		double fit = buckets * (double)q->bytes_max / (double)out->len;
		int64_t points = (int64_t)fit * (int64_t)r->n_aggregates;

		if (fit < 2)
			break;
		request->resolution_ms = request_finest_resolution(
			r->since_ms, r->until_ms, request->align, r->n_aggregates, points);
		result = request_resolve(request, &limits, now_ms, &query, r->aggregates,
					 &r->n_aggregates, p);
		if (result == 0)
			result = encode_buckets(ring, e, &query, r, out);
		if (result != 0)
			return result;
	}
	if (out->len > q->bytes_max)
		return problem_set(p, PROBLEM_TOO_LARGE,
				   "the reply has more than %zu bytes: resolution may be coarser",
				   q->bytes_max);
	return problem_set(p, PROBLEM_TOO_LARGE,
			   "the reply has more than %zu bytes: "
			   "the finest resolution for this window is %lld ms",
			   q->bytes_max, (long long)r->resolution_ms);
}

static int answer_range(const struct query_options *q, const struct instance *i,
			struct range_reply *r, enum encoding e, const void *body, size_t len,
			int64_t now_ms, struct buffer *out, struct problem *p)
{
	struct request_limits limits = { q->interval_ms, q->points_max };
	struct range_request request;
	struct range_query query;
	int result;

	result = wire_decode_range_request(e, body, len, &request, p);
	if (result != 0)
		return result;
	result = request_resolve(&request, &limits, now_ms, &query, r->aggregates,
				 &r->n_aggregates, p);
	if (result != 0)
		return result;
	r->since_ms = query.since_ms;
	r->until_ms = query.until_ms;
	r->resolution_ms = query.resolution_ms;
	r->raw = request.raw;
	if (!i) {
		r->n_aggregates = 0;
		return wire_encode_range_reply(e, r, out);
	}
	r->tracked = true;
	if (request.raw)
		result = encode_raw(q, i->ring, e, r, out, p);
	else
		result = encode_buckets(i->ring, e, &query, r, out);
	if (result == 0 && out->len > q->bytes_max)
		result = too_many_bytes(q, i->ring, e, &request, now_ms, r, out, p);
	range_result_clear(&r->result);
	return result;
}

static int answer_latest(const struct instance *i, const char *id, enum encoding e,
			 struct buffer *out)
{
	struct latest_reply r = { .tracked = i != NULL, .has_sample = i && i->has_latest };

	memcpy(r.instance_id, id, strlen(id) + 1);
	if (r.has_sample)
		r.sample = i->latest;
	return wire_encode_latest_reply(e, &r, out);
}

static struct list_entry entry_of(const struct instance *i)
{
	return (struct list_entry){
		.instance_id = i->id,
		.tracked_since_ms = i->tracked_since_ms,
		.samples = ring_count(i->ring),
		.has_latest = i->has_latest,
		.latest = i->latest,
		.tenant_id = i->tenant_id,
		.workload_id = i->target.workload_id,
		.source = i->source,
		.last_error = i->last_error[0] ? i->last_error : NULL,
		.last_error_ms = i->last_error_ms,
	};
}

static int answer_list(const struct query_options *q, enum encoding e, const void *body,
		       size_t len, struct buffer *out, struct problem *p)
{
	struct list_request request;
	struct list_reply r = { .total = (uint32_t)tracker_count(q->tracker) };
	size_t at, limit, bytes = LIST_OVERHEAD;
	int result;

	result = wire_decode_list_request(e, body, len, &request, p);
	if (result != 0)
		return result;
	limit = request.limit ? request.limit : LIST_LIMIT_MAX;
	r.node = q->node[0] ? q->node : NULL;
	r.entries = malloc(limit * sizeof *r.entries);
	if (!r.entries)
		return -ENOMEM;
	at = tracker_position_after(q->tracker, request.page_token);
	for (; at < r.total && r.n_entries < limit; at++) {
		struct list_entry entry = entry_of(tracker_at(q->tracker, at));

		bytes += wire_list_entry_size(e, &entry);
		if (bytes > q->bytes_max && r.n_entries > 0)
			break;
		r.entries[r.n_entries++] = entry;
	}
	if (at < r.total && r.n_entries > 0)
		r.next_page_token = r.entries[r.n_entries - 1].instance_id;
	result = wire_encode_list_reply(e, &r, out);
	free(r.entries);
	return result;
}

int query_answer(const struct query_options *q, enum query_kind kind, const char *id,
		 enum encoding e, const void *body, size_t len, const struct moment *now,
		 struct buffer *out, struct problem *p)
{
	struct range_reply r = { 0 };
	const struct instance *i;

	if (len > QUERY_BODY_MAX)
		return problem_set(p, PROBLEM_MALFORMED,
				   "the request has %zu bytes: it may have %d", len,
				   QUERY_BODY_MAX);
	if (kind == QUERY_LIST)
		return answer_list(q, e, body, len, out, p);
	if (!ident_valid(id, strlen(id)))
		return problem_set(p, PROBLEM_MALFORMED, "the instance id may be " IDENT_RULE);
	i = tracker_find(q->tracker, id);
	if (kind == QUERY_LATEST)
		return answer_latest(i, id, e, out);
	memcpy(r.instance_id, id, strlen(id) + 1);
	return answer_range(q, i, &r, e, body, len, now->wall_ms, out, p);
}
