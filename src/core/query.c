#include "query.h"
#include "request.h"
#include "timefmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Before a reply that is too long is refused, so many resolutions are tried for one that fits:
 * first such as the length of the last try suggests, then the middle of what is left between one
 * too fine and one that fits, until these are within 1/16. From 1 ms to 100 years that takes no
 * more.
 */
#define FINEST_TRIES_MAX 20
#define FINEST_GUESSES_MAX 4
/* Of a list reply, for what is not its entries: brackets, total, next_page_token and node. */
#define LIST_OVERHEAD (2 * IDENT_MAX + 256)

static int encode_raw(const struct query_options *q, const struct ring *ring, enum encoding e,
		      struct range_reply *r, struct buffer *out, struct problem *p)
{
	size_t rows = (size_t)q->points_max;
	int result;

	/* Rows have about one size: after one cut to measure the next one fits. Each has fewer. */
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
		if (r->result.n <= 1)
			break;
		rows = (size_t)((double)r->result.n * (double)q->bytes_max / (double)out->len *
				15 / 16);
		if (rows == 0)
			rows = 1;
		range_result_clear(&r->result);
		out->len = 0;
	}
	out->len = 0;
	return problem_set(p, PROBLEM_TOO_LARGE, "even a reply %s has more than %zu bytes",
			   r->result.n ? "of one row" : "without rows", q->bytes_max);
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

/* The search for the finest resolution whose reply has no more bytes than it may. */
struct search {
	const struct query_options *q;
	const struct ring *ring;
	enum encoding e;
	struct range_request *request;	/* what was asked, at the resolution tried last */
	int64_t now_ms;
	struct range_reply *r;		/* of the last try, as is out */
	struct buffer *out;
	int64_t too_fine_ms;		/* the coarsest that was found to be so */
	int64_t high_ms;		/* none coarser need be tried */
	bool found;			/* and that one fits */
};

/* 0 with the bounds drawn closer, or -ENOMEM. */
static int search_try(struct search *s, int64_t resolution_ms)
{
	struct request_limits limits = { s->q->interval_ms, s->q->points_max };
	struct range_query query;
	struct problem ignored;
	int result;

	s->request->resolution_ms = resolution_ms;
	result = request_resolve(s->request, &limits, s->now_ms, &query, s->r->aggregates,
				 &s->r->n_aggregates, &ignored);
	if (result == 0)
		result = encode_buckets(s->ring, s->e, &query, s->r, s->out);
	if (result < 0)
		return result;
	/* More than 0: aligned to this one the window has one bucket too many. */
	if (result == 0 && s->out->len <= s->q->bytes_max) {
		s->high_ms = resolution_ms;
		s->found = true;
	} else {
		s->too_fine_ms = resolution_ms;
	}
	return 0;
}

/* So coarse that the window is in one bucket, as far as a request may ask for that. */
static int64_t coarsest(const struct range_reply *r, enum align align)
{
	int64_t ms = r->until_ms - r->since_ms;

	if (align == ALIGN_EPOCH && ms < r->until_ms)
		ms = r->until_ms;
	return ms < DURATION_MS_MAX ? ms : DURATION_MS_MAX;
}

/* The one to try next, between the two bounds; a guess is 1/16 coarser than too fine at least. */
static int64_t search_next(const struct search *s, int tries)
{
	int64_t low_ms = s->too_fine_ms, step_ms = low_ms / 16 + 1;
	/* A little less than may be: until it is asked again, rows may come that are longer. */
	double bytes = (double)s->q->bytes_max * 63 / 64;
	double guess = (double)s->r->resolution_ms * (double)s->out->len / bytes;
	int64_t ratio = s->high_ms / low_ms;

	if (tries < FINEST_GUESSES_MAX && guess < (double)s->high_ms - 1)
		return guess > (double)(low_ms + step_ms) ? (int64_t)guess + 1 : low_ms + step_ms;
	if (ratio < 4)
		return low_ms + (s->high_ms - low_ms) / 2;
	return low_ms << ((63 - __builtin_clzll((uint64_t)ratio)) / 2);
}

/* The reply that was just encoded has too many bytes: says which resolution has not. */
static int too_many_bytes(struct search *s, struct problem *p)
{
	int result = 0;

	s->too_fine_ms = s->r->resolution_ms;
	s->high_ms = coarsest(s->r, s->request->align);
	for (int tries = 0; tries < FINEST_TRIES_MAX && result == 0; tries++) {
		bool close = s->high_ms - s->too_fine_ms <= s->too_fine_ms / 16 + 1;

		if (close || (s->found && s->r->resolution_ms == s->high_ms &&
			      s->out->len > s->q->bytes_max / 16 * 15))
			break;
		result = search_try(s, search_next(s, tries));
	}
	if (result == 0 && !s->found && s->too_fine_ms < s->high_ms)
		result = search_try(s, s->high_ms);
	s->out->len = 0;
	if (result < 0)
		return result;
	if (!s->found)
		return problem_set(p, PROBLEM_TOO_LARGE,
				   "even a reply of one row for each aggregate has more than %zu "
				   "bytes", s->q->bytes_max);
	return problem_set(p, PROBLEM_TOO_LARGE,
			   "the reply has more than %zu bytes: "
			   "the finest resolution for this window is %lld ms",
			   s->q->bytes_max, (long long)s->high_ms);
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
	if (result == 0 && out->len > q->bytes_max) {
		struct search search = { .q = q, .ring = i->ring, .e = e, .request = &request,
					 .now_ms = now_ms, .r = r, .out = out };

		result = too_many_bytes(&search, p);
	}
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
		.source = i->source == SOURCE_NONE ? NULL : source_kind_name(i->source),
		.last_error = i->last_error[0] ? i->last_error : NULL,
		.last_error_ms = i->last_error_ms,
		.request_family = i->request_family,
		.latency_family = i->latency_family,
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
