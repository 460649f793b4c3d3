#include "intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "log.h"
#include "query.h"
#include "request_queue.h"
#include "subject.h"

/* The work of one pass. */
#define EVENTS_PER_PASS 256
#define ANSWERS_PER_PASS 256
#define REQUESTS_PER_PASS 2048	/* taken in, most of them to be refused when there are so many */
#define REQUESTS_NS_PER_PASS 2000000	/* answered */

/* Bad events are warned of no more often than this. */
#define EVENT_WARNING_MS 10000

#define QUEUE_GROUP "q"
/* Left free of max_payload: headers and subject go with the reply. */
#define REPLY_HEADROOM 4096

struct intake {
	const struct config *config;
	struct loop *loop;
	struct bus *bus;
	struct pipeline *pipeline;
	struct remote *remote;
	struct query_options query;
	struct request_queue queue;
	natsSubscription *events;
	natsSubscription *range;	/* without a node: of all instances */
	natsSubscription *latest;
	natsSubscription *list;
	struct endpoints *endpoints;	/* with a node: of each instance; else NULL */
	size_t room;			/* requests that this pass still takes in */
	bool stopped;
	int64_t said_ms;	/* monotonic, of the last warning of a bad event */
	uint64_t unsaid;
};

static bool take(void *ctx, natsSubscription *sub, enum query_kind kind);

int intake_new(struct intake **out, const struct config *config, struct loop *loop,
	       struct bus *bus, struct pipeline *pipeline, struct remote *remote)
{
	struct intake *in = calloc(1, sizeof *in);
	struct endpoints_options endpoints = { config->subject_prefix, QUEUE_GROUP, take, in };

	if (!in)
		return -ENOMEM;
	in->bus = bus;
	if (request_queue_init(&in->queue, (size_t)config->max_pending_requests) < 0 ||
	    (config->node[0] && endpoints_new(&in->endpoints, loop, bus, &endpoints) < 0)) {
		intake_free(in);
		return -ENOMEM;
	}
	in->config = config;
	in->loop = loop;
	in->pipeline = pipeline;
	in->remote = remote;
	in->query = (struct query_options){
		.tracker = pipeline_tracker(pipeline),
		.node = config->node,
		.interval_ms = config->interval_ms,
		.points_max = config->max_reply_points,
	};
	*out = in;
	return 0;
}

static void drop(struct intake *in, natsSubscription **sub)
{
	bus_unsubscribe(in->bus, *sub);
	*sub = NULL;
}

static void drop_all(struct intake *in)
{
	drop(in, &in->events);
	drop(in, &in->range);
	drop(in, &in->latest);
	drop(in, &in->list);
	if (in->endpoints)
		endpoints_drop(in->endpoints);
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	drop_all(in);
	endpoints_free(in->endpoints);
	request_queue_clear(&in->queue);
	free(in);
}

/* --- what is subscribed --- */

static void subscribe(struct intake *in, natsSubscription **sub, const char *rest,
		      const char *queue)
{
	char subject[SUBJECT_MAX];

	if (*sub)
		return;
	snprintf(subject, sizeof subject, "%s.%s", in->config->subject_prefix, rest);
	*sub = bus_subscribe(in->bus, subject, queue);
}

void intake_on_up(struct intake *in)
{
	size_t max_payload = bus_max_payload(in->bus);

	if (in->stopped)
		return;
	in->query.bytes_max = max_payload > 2 * REPLY_HEADROOM ? max_payload - REPLY_HEADROOM
							       : max_payload / 2;
	if (!in->events)
		in->events = bus_subscribe(in->bus, in->config->lifecycle_subject, NULL);
	/* With a node everybody answers for its own. */
	subscribe(in, &in->list, "list", in->endpoints ? NULL : QUEUE_GROUP);
	if (in->endpoints) {
		endpoints_on_up(in->endpoints);
		return;
	}
	subscribe(in, &in->range, "range.*", QUEUE_GROUP);
	subscribe(in, &in->latest, "latest.*", QUEUE_GROUP);
}

void intake_on_lost(struct intake *in)
{
	drop_all(in);
}

void intake_tracked(struct intake *in, struct instance *i)
{
	if (in->endpoints)
		endpoints_add(in->endpoints, i);
}

void intake_untracked(struct intake *in, struct instance *i)
{
	/* At the end all of them go together. */
	if (in->endpoints && !in->stopped)
		endpoints_leave(in->endpoints, i);
}

/* --- requests --- */

/*
 * A reply goes where the request says, with our rights on the bus: never onto subjects that others
 * take as ours, or as the server's own.
 */
static bool may_reply_to(const struct intake *in, const char *reply)
{
	const char *const ours[] = { in->config->subject_prefix, in->config->control_prefix };
	char pattern[SUBJECT_MAX];

	if (!reply || !*reply || *reply == '$')
		return false;
	for (size_t i = 0; i < 2; i++) {
		snprintf(pattern, sizeof pattern, "%s.>", ours[i]);
		if (subject_matches(pattern, reply))
			return false;
	}
	return !subject_matches(in->config->lifecycle_subject, reply);
}

static void count_problem(struct stats *s, int code)
{
	s->requests_malformed += code == PROBLEM_MALFORMED;
	s->requests_too_large += code == PROBLEM_TOO_LARGE;
	s->requests_too_many += code == PROBLEM_TOO_MANY;
}

static void refuse(struct intake *in, natsMsg *m, const struct problem *p)
{
	count_problem(in->loop->stats, p->code);
	if (bus_reply_error(in->bus, natsMsg_GetReply(m), p) != BUS_SENT)
		in->loop->stats->replies_dropped++;
}

static void answer(struct intake *in, const struct pending_request *r)
{
	natsMsg *m = r->message.msg;
	const char *id = strrchr(natsMsg_GetSubject(m), '.') + 1;
	size_t len = (size_t)natsMsg_GetDataLength(m);
	const void *body = natsMsg_GetData(m);
	struct buffer reply = { 0 };
	struct problem p;
	enum encoding e;
	int result;

	e = wire_encoding(bus_header(&r->message, "Content-Type"),
			  bus_header(&r->message, "Accept"), body, len);
	result = query_answer(&in->query, r->kind, id, e, body, len, &in->loop->now, &reply, &p);
	if (result < 0)
		result = problem_set(&p, PROBLEM_TOO_MANY, "out of memory: ask again later");
	if (result > 0)
		refuse(in, m, &p);
	else if (bus_reply(in->bus, natsMsg_GetReply(m), wire_content_type(e), reply.data,
			   reply.len) != BUS_SENT)
		in->loop->stats->replies_dropped++;
	buffer_clear(&reply);
}

static int headers_too_long(const struct bus_message *m, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "the headers have %zu bytes: they may have %d",
			   m->header_bytes, BUS_HEADERS_MAX);
}

static void enqueue(struct intake *in, const struct bus_message *m, enum query_kind kind)
{
	struct problem p;

	if (!may_reply_to(in, natsMsg_GetReply(m->msg))) {
		in->loop->stats->requests_unanswerable++;
		natsMsg_Destroy(m->msg);
		return;
	}
	in->loop->stats->requests++;
	if (bus_headers_too_long(m))
		headers_too_long(m, &p);
	else if (request_queue_push(&in->queue, m, kind))
		return;
	else
		problem_set(&p, PROBLEM_TOO_MANY, "more than %lld requests wait: ask again later",
			    (long long)in->config->max_pending_requests);
	refuse(in, m->msg, &p);
	natsMsg_Destroy(m->msg);
}

/* What waits in one subscription, as much as this pass takes in; false = some may be left. */
static bool take(void *ctx, natsSubscription *sub, enum query_kind kind)
{
	struct intake *in = ctx;
	struct bus_message m;
	enum bus_next next;

	for (; in->room > 0; in->room--) {
		next = bus_next(in->bus, sub, &m);
		if (next == BUS_NOTHING)
			return true;
		if (next == BUS_MESSAGE)
			enqueue(in, &m, kind);
	}
	return false;
}

static bool take_requests(struct intake *in)
{
	in->room = REQUESTS_PER_PASS;
	return take(in, in->list, QUERY_LIST) && take(in, in->range, QUERY_RANGE) &&
	       take(in, in->latest, QUERY_LATEST) &&
	       (!in->endpoints || endpoints_take(in->endpoints));
}

/* false = some are left. */
static bool answer_queued(struct intake *in)
{
	int64_t end = loop_clock().mono_ns + REQUESTS_NS_PER_PASS;
	struct pending_request r;

	while (request_queue_pop(&in->queue, &r)) {
		answer(in, &r);
		natsMsg_Destroy(r.message.msg);
		if (loop_clock().mono_ns >= end)
			return request_queue_count(&in->queue) == 0;
	}
	return true;
}

/* --- events --- */

/* One line at a time for events that come to nothing: there may be floods of them. */
static void warn_of_event(struct intake *in, const char *subject, const struct problem *p)
{
	int64_t now_ms = moment_mono_ms(&in->loop->now);

	in->unsaid++;
	if (in->said_ms && now_ms - in->said_ms < EVENT_WARNING_MS)
		return;
	log_warning("event on %.200s ignored: %s (%llu since the last such line)", subject, p->text,
		    (unsigned long long)in->unsaid);
	in->said_ms = now_ms;
	in->unsaid = 0;
}

static void on_event(struct intake *in, const struct bus_message *m)
{
	const char *subject = natsMsg_GetSubject(m->msg);
	struct problem p;
	int result;

	if (bus_headers_too_long(m)) {
		in->loop->stats->events_malformed++;
		result = headers_too_long(m, &p);
	} else {
		result = pipeline_on_event(in->pipeline, subject, bus_header(m, "Content-Type"),
					   natsMsg_GetData(m->msg),
					   (size_t)natsMsg_GetDataLength(m->msg), &in->loop->now,
					   &p);
	}
	if (result > 0)
		warn_of_event(in, subject, &p);
	else if (result < 0)
		log_error("event on %s: out of memory", subject);
}

/* false = some may be left. */
static bool take_events(struct intake *in)
{
	struct bus_message m;
	enum bus_next next;

	for (size_t n = 0; n < EVENTS_PER_PASS; n++) {
		next = bus_next(in->bus, in->events, &m);
		if (next == BUS_NOTHING)
			return true;
		if (next != BUS_MESSAGE)
			continue;
		on_event(in, &m);
		natsMsg_Destroy(m.msg);
	}
	return false;
}

void intake_drain(struct intake *in)
{
	bool more = !take_events(in);

	more |= remote_drain(in->remote, &in->loop->now, ANSWERS_PER_PASS);
	more |= !take_requests(in);
	more |= !answer_queued(in);
	if (more)
		bus_wake(in->bus);
}

void intake_stop(struct intake *in, int64_t timeout_ms)
{
	natsSubscription *const shared[] = { in->events, in->list, in->range, in->latest };

	in->stopped = true;
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
		bus_drain(in->bus, shared[i], timeout_ms);
	/*
	 * Instances' own subscriptions are too many for that, which takes a thread each: what has come
	 * in on them is answered, and they end with the connection.
	 */
	intake_drain(in);
}

bool intake_is_done(struct intake *in)
{
	intake_drain(in);
	return request_queue_count(&in->queue) == 0 && bus_drained(in->bus, in->events) &&
	       bus_drained(in->bus, in->list) && bus_drained(in->bus, in->range) &&
	       bus_drained(in->bus, in->latest);
}
