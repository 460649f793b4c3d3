/*
 * wire_range - range requests and replies in protobuf; their JSON is in wire_range_json.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query.pb-c.h"
#include "wire_internal.h"

static_assert((int)AGGREGATE_MEAN == METER__V1__AGGREGATE__MEAN &&
	      (int)AGGREGATE_MIN == METER__V1__AGGREGATE__MIN &&
	      (int)AGGREGATE_MAX == METER__V1__AGGREGATE__MAX &&
	      (int)AGGREGATE_LAST == METER__V1__AGGREGATE__LAST, "numbered as on the wire");
static_assert((int)ALIGN_SINCE == METER__V1__ALIGN__SINCE &&
	      (int)ALIGN_EPOCH == METER__V1__ALIGN__EPOCH, "numbered as on the wire");

/* The columns of a generated Series: its n_x and x. */
static const struct column_field {
	const char *name;
	size_t n;
	size_t values;
} columns[METRIC_COUNT] = {
#define COLUMN(name)                                                                               \
	{ #name, offsetof(Meter__V1__Series, n_##name), offsetof(Meter__V1__Series, name) }
	[METRIC_CPU_PERCENT] = COLUMN(cpu_percent),
	[METRIC_MEMORY_USED] = COLUMN(memory_used_bytes),
	[METRIC_MEMORY_LIMIT] = COLUMN(memory_limit_bytes),
	[METRIC_NETWORK_IN] = COLUMN(network_in_bytes_per_sec),
	[METRIC_NETWORK_OUT] = COLUMN(network_out_bytes_per_sec),
	[METRIC_REQUESTS] = COLUMN(requests_per_sec),
	[METRIC_LATENCY_P95] = COLUMN(latency_p95_ms),
#undef COLUMN
};

static size_t *column_n(Meter__V1__Series *s, int metric)
{
	return (size_t *)(void *)((char *)s + columns[metric].n);
}

static double **column_values(Meter__V1__Series *s, int metric)
{
	return (double **)(void *)((char *)s + columns[metric].values);
}

/* --- request --- */

static int request_from_pb(const Meter__V1__RangeRequest *m, struct range_request *out,
			   struct problem *p)
{
	unsigned seen = 0;

	out->since_ms = m->since_unix_ms;
	out->until_ms = m->until_unix_ms;
	out->range_ms = m->range_ms;
	out->resolution_ms = m->resolution_ms;
	out->align = (enum align)m->align;
	out->raw = m->raw;
	/* Not more than fit: that is what wire_check() bounds. */
	for (size_t i = 0; i < m->n_aggregates; i++) {
		enum aggregate a = (enum aggregate)m->aggregates[i];

		if (seen & AGGREGATE_BIT(a))
			return problem_set(p, PROBLEM_MALFORMED,
					   "aggregates has %s twice: each may be there once",
					   aggregate_name(a));
		seen |= AGGREGATE_BIT(a);
		out->aggregates[out->n_aggregates++] = a;
	}
	return 0;
}

int wire_decode_range_request(enum encoding e, const void *body, size_t len,
			      struct range_request *out, struct problem *p)
{
	ProtobufCMessage *m;
	int r;

	*out = (struct range_request){ 0 };
	if (len == 0)
		return 0;
	if (e == ENCODING_JSON) {
		r = wire_range_request_from_json(body, len, out, p);
	} else {
		r = wire_unpack(&meter__v1__range_request__descriptor, body, len, &m, p);
		if (r == 0)
			r = request_from_pb((Meter__V1__RangeRequest *)m, out, p);
		wire_free(m);
	}
	if (r != 0)
		*out = (struct range_request){ 0 };
	return r;
}

int wire_encode_range_request(const struct range_request *r, struct buffer *out)
{
	Meter__V1__RangeRequest m = METER__V1__RANGE_REQUEST__INIT;
	Meter__V1__Aggregate aggregates[AGGREGATE_COUNT];

	assert(r->n_aggregates <= AGGREGATE_COUNT);
	m.has_since_unix_ms = r->since_ms != 0;
	m.since_unix_ms = r->since_ms;
	m.has_until_unix_ms = r->until_ms != 0;
	m.until_unix_ms = r->until_ms;
	m.has_range_ms = r->range_ms != 0;
	m.range_ms = r->range_ms;
	m.has_resolution_ms = r->resolution_ms != 0;
	m.resolution_ms = r->resolution_ms;
	for (size_t i = 0; i < r->n_aggregates; i++)
		aggregates[i] = (Meter__V1__Aggregate)r->aggregates[i];
	m.n_aggregates = r->n_aggregates;
	m.aggregates = aggregates;
	m.has_align = r->align != ALIGN_SINCE;
	m.align = (Meter__V1__Align)r->align;
	m.has_raw = r->raw;
	m.raw = r->raw;
	return wire_pack(&m.base, out);
}

/* --- reply, out --- */

/* The series point at the rows of the reply: nothing is copied. */
struct reply_pb {
	Meter__V1__RangeReply m;
	Meter__V1__Series series[AGGREGATE_COUNT];
	Meter__V1__Series *list[AGGREGATE_COUNT];
};

static void series_to_pb(const struct range_reply *r, enum aggregate a, Meter__V1__Series *m)
{
	const struct range_result *rows = &r->result;

	meter__v1__series__init(m);
	m->has_aggregate = !r->raw;
	m->aggregate = (Meter__V1__Aggregate)a;
	m->n_at_unix_ms = rows->n;
	m->at_unix_ms = rows->at_ms;
	m->n_count = rows->n;
	m->count = rows->count;
	for (int i = 0; i < METRIC_COUNT; i++) {
		*column_n(m, i) = rows->column[a][i] ? rows->n : 0;
		*column_values(m, i) = rows->column[a][i];
	}
}

static void reply_to_pb(const struct range_reply *r, struct reply_pb *pb)
{
	Meter__V1__RangeReply *m = &pb->m;
	size_t n = r->raw ? r->tracked : r->n_aggregates;

	assert(n <= AGGREGATE_COUNT);
	meter__v1__range_reply__init(m);
	m->instance_id = (char *)r->instance_id;
	m->has_tracked = true;
	m->tracked = r->tracked;
	m->has_since_unix_ms = true;
	m->since_unix_ms = r->since_ms;
	m->has_until_unix_ms = true;
	m->until_unix_ms = r->until_ms;
	m->has_resolution_ms = !r->raw;
	m->resolution_ms = r->resolution_ms;
	m->has_next_since_unix_ms = r->raw && r->next_since_ms != 0;
	m->next_since_unix_ms = r->next_since_ms;
	for (size_t i = 0; i < n; i++) {
		series_to_pb(r, r->raw ? AGGREGATE_MEAN : r->aggregates[i], &pb->series[i]);
		pb->list[i] = &pb->series[i];
	}
	m->n_series = n;
	m->series = pb->list;
}

int wire_encode_range_reply(enum encoding e, const struct range_reply *r, struct buffer *out)
{
	struct reply_pb pb;

	if (e == ENCODING_JSON) {
		wire_range_reply_json(r, out);
		return out->failed ? -ENOMEM : 0;
	}
	reply_to_pb(r, &pb);
	return wire_pack(&pb.m.base, out);
}

/* --- reply, in --- */

/* Are the columns of this series as long as its rows, and its numbers such as meterd sends? */
static int check_series(Meter__V1__Series *s, struct problem *p)
{
	size_t n = s->n_at_unix_ms;
	int64_t at;
	int r;

	if (s->n_count != n)
		return problem_set(p, PROBLEM_MALFORMED, "count must be as long as at_unix_ms");
	for (size_t i = 0; i < n; i++) {
		r = wire_take_time(true, s->at_unix_ms[i], "at_unix_ms", &at, p);
		if (r != 0)
			return r;
		if (i > 0 && at < s->at_unix_ms[i - 1])
			return problem_set(p, PROBLEM_MALFORMED, "at_unix_ms must be in order");
	}
	for (int m = 0; m < METRIC_COUNT; m++) {
		const double *values = *column_values(s, m);

		if (*column_n(s, m) != 0 && *column_n(s, m) != n)
			return problem_set(p, PROBLEM_MALFORMED,
					   "%s must be as long as at_unix_ms, or empty",
					   columns[m].name);
		for (size_t i = 0; i < *column_n(s, m); i++) {
			if (isinf(values[i]) || values[i] < 0)
				return problem_set(p, PROBLEM_MALFORMED,
						   "%s must be finite and not negative, or NaN",
						   columns[m].name);
		}
	}
	return 0;
}

static int same_rows(const Meter__V1__Series *a, const Meter__V1__Series *b)
{
	size_t n = a->n_at_unix_ms;

	if (b->n_at_unix_ms != n)
		return 0;
	return n == 0 || (!memcmp(a->at_unix_ms, b->at_unix_ms, n * sizeof *a->at_unix_ms) &&
			  !memcmp(a->count, b->count, n * sizeof *a->count));
}

/* Which aggregates are there, each once; all series with the rows of the first. */
static int check_all_series(const Meter__V1__RangeReply *m, struct range_reply *out,
			    struct problem *p)
{
	unsigned seen = 0;
	int r;

	if (out->raw && m->n_series > 1)
		return problem_set(p, PROBLEM_MALFORMED,
				   "series must have one element where there is no resolution_ms");
	for (size_t i = 0; i < m->n_series; i++) {
		Meter__V1__Series *s = m->series[i];
		enum aggregate a = (enum aggregate)s->aggregate;

		if (out->raw)
			a = AGGREGATE_MEAN;
		else if (!s->has_aggregate || (seen & AGGREGATE_BIT(a)))
			return problem_set(p, PROBLEM_MALFORMED,
					   "each series must have an aggregate of its own");
		seen |= AGGREGATE_BIT(a);
		out->aggregates[i] = a;
		r = check_series(s, p);
		if (r != 0)
			return r;
		if (!same_rows(m->series[0], s))
			return problem_set(p, PROBLEM_MALFORMED,
					   "all series must have the same at_unix_ms and count");
	}
	out->n_aggregates = m->n_series;
	return 0;
}

static int copy_rows(const Meter__V1__RangeReply *m, struct range_reply *out)
{
	struct range_result *rows = &out->result;
	size_t n = m->n_series ? m->series[0]->n_at_unix_ms : 0;
	unsigned aggregates = 0;
	int r;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < out->n_aggregates; i++)
		aggregates |= AGGREGATE_BIT(out->aggregates[i]);
	r = range_result_init(rows, n, aggregates);
	if (r != 0)
		return r;
	memcpy(rows->at_ms, m->series[0]->at_unix_ms, n * sizeof *rows->at_ms);
	memcpy(rows->count, m->series[0]->count, n * sizeof *rows->count);
	for (size_t i = 0; i < m->n_series; i++) {
		for (int metric = 0; metric < METRIC_COUNT; metric++) {
			double *to = rows->column[out->aggregates[i]][metric];

			if (*column_n(m->series[i], metric) == n)
				memcpy(to, *column_values(m->series[i], metric), n * sizeof *to);
		}
	}
	range_result_drop_empty(rows);
	return 0;
}

static int reply_from_pb(const Meter__V1__RangeReply *m, struct range_reply *out,
			 struct problem *p)
{
	int r;

	out->tracked = m->tracked;
	out->raw = !m->has_resolution_ms;
	out->resolution_ms = m->resolution_ms;
	if (m->has_resolution_ms && m->resolution_ms <= 0)
		return problem_set(p, PROBLEM_MALFORMED, "resolution_ms must be above 0");
	r = wire_take_ident(m->instance_id, "instance_id", out->instance_id, p);
	if (r == 0)
		r = wire_take_time(m->has_since_unix_ms, m->since_unix_ms, "since_unix_ms",
				   &out->since_ms, p);
	if (r == 0)
		r = wire_take_time(m->has_until_unix_ms, m->until_unix_ms, "until_unix_ms",
				   &out->until_ms, p);
	if (r == 0)
		r = wire_take_time(out->raw && m->has_next_since_unix_ms, m->next_since_unix_ms,
				   "next_since_unix_ms", &out->next_since_ms, p);
	if (r == 0)
		r = check_all_series(m, out, p);
	if (r == 0)
		r = copy_rows(m, out);
	return r;
}

int wire_decode_range_reply(const void *body, size_t len, struct range_reply *out,
			    struct problem *p)
{
	ProtobufCMessage *m;
	int r;

	*out = (struct range_reply){ 0 };
	r = wire_unpack(&meter__v1__range_reply__descriptor, body, len, &m, p);
	if (r == 0)
		r = reply_from_pb((Meter__V1__RangeReply *)m, out, p);
	wire_free(m);
	if (r != 0) {
		range_result_clear(&out->result);
		*out = (struct range_reply){ 0 };
	}
	return r;
}
