#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "connect_options.h"
#include "link.h"
#include "log.h"

/* So many given up attempts may be stuck in the library at once; then no more are made. */
#define ABANDONED_MAX 16
/* Between attempts, doubling, and up to half as much again by chance. */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000
#define RETRY_REFUSED_MAX_MS 30000	/* the server is there and does not want us */
/* A connection that lasted this long was a good one: after it the doubling begins anew. */
#define STEADY_MS 5000
/* While connecting fails it is said again this often. */
#define SAY_AGAIN_MS 60000

struct bus {
	struct loop *loop;
	struct bus_options options;
	struct event *input;	/* messages may wait */
	struct event *sync;	/* a library thread changed the state of the link */
	struct event *retry;	/* time for the next attempt, or to give up the present one */
	struct link *link;	/* NULL between attempts */
	struct link *abandoned[ABANDONED_MAX];
	bool told_up;		/* what on_up and on_down were told last */
	int64_t up_since_ms;	/* monotonic: when on_up was told of this link; 0 = not yet */
	int64_t retry_ms;
	int64_t said_ms;	/* monotonic: when it was logged that it cannot connect; 0 = not yet */

	natsSubscription **retired;	/* to be destroyed once the link has ended */
	size_t n_retired;
	size_t cap_retired;
};

/* --- attempts --- */

static void arm_retry(struct bus *b, int64_t ms)
{
	const struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	event_add(b->retry, &wait);
}

/* Attempts that came back after all are freed. A place for one more, or NULL. */
static struct link **abandoned_place(struct bus *b)
{
	struct link **place = NULL;

	for (size_t i = 0; i < ABANDONED_MAX; i++) {
		if (b->abandoned[i] && link_look(b->abandoned[i]) == LINK_ENDED) {
			link_free(b->abandoned[i]);
			b->abandoned[i] = NULL;
		}
		if (!b->abandoned[i])
			place = &b->abandoned[i];
	}
	return place;
}

/* Doubles up to the bound that fits the reason, and spreads out those who lost the same server. */
static void retry_later(struct bus *b, bool refused)
{
	int64_t max = refused ? RETRY_REFUSED_MAX_MS : RETRY_MAX_MS;
	uint32_t chance = 0;

	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) < 0)
		chance = (uint32_t)b->loop->now.mono_ns;
	arm_retry(b, b->retry_ms + chance % (b->retry_ms / 2 + 1));
	b->retry_ms = b->retry_ms * 2 > max ? max : b->retry_ms * 2;
}

static void attempt(struct bus *b)
{
	natsOptions *options;

	if (!abandoned_place(b)) {
		arm_retry(b, RETRY_REFUSED_MAX_MS);
		return;
	}
	options = connect_options_new(b->options.servers, b->options.name);
	b->link = options ? link_new(b->loop, options, b->sync, b->input) : NULL;
	if (!b->link) {
		log_error("cannot begin to connect to NATS: out of memory or threads");
		retry_later(b, true);
		return;
	}
	arm_retry(b, connect_deadline_ms(b->options.servers));
}

static void say_why(struct bus *b, const char *why)
{
	int64_t now_ms = moment_mono_ms(&b->loop->now);

	if (b->said_ms && now_ms - b->said_ms < SAY_AGAIN_MS)
		return;
	log_warning("cannot connect to NATS at %s: %s; trying again", b->options.where, why);
	b->said_ms = now_ms;
}

/* --- up, down, ended --- */

static void tell_down(struct bus *b)
{
	if (!b->told_up)
		return;
	b->told_up = false;
	b->loop->stats->connected = 0;
	b->loop->stats->disconnects++;
	b->options.on_down(b->options.ctx);
}

static void tell_up(struct bus *b)
{
	if (b->told_up)
		return;
	b->told_up = true;
	b->up_since_ms = moment_mono_ms(&b->loop->now);
	b->said_ms = 0;
	event_del(b->retry);
	b->loop->stats->connected = 1;
	b->options.on_up(b->options.ctx);
	event_active(b->input, 0, 0);
}

static void destroy_retired(struct bus *b)
{
	for (size_t i = 0; i < b->n_retired; i++)
		natsSubscription_Destroy(b->retired[i]);
	b->n_retired = 0;
}

/* Subscriptions end with their connection. */
static void forget_subscriptions(struct bus *b)
{
	b->options.on_lost(b->options.ctx);
	destroy_retired(b);
}

static void on_ended(struct bus *b)
{
	bool refused = link_was_refused(b->link);

	if (!b->up_since_ms)
		say_why(b, link_why(b->link));
	else if (moment_mono_ms(&b->loop->now) - b->up_since_ms >= STEADY_MS)
		b->retry_ms = RETRY_MIN_MS;
	tell_down(b);
	b->up_since_ms = 0;
	forget_subscriptions(b);
	link_free(b->link);
	b->link = NULL;
	retry_later(b, refused);
}

static void on_sync(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;

	(void)fd, (void)what;
	loop_enter(b->loop);
	if (!b->link)
		return;
	switch (link_look(b->link)) {
	case LINK_CONNECTING:
		break;
	case LINK_UP:
		tell_up(b);
		break;
	case LINK_DOWN:
		tell_down(b);
		break;
	case LINK_ENDED:
		on_ended(b);
		break;
	}
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;

	(void)fd, (void)what;
	loop_enter(b->loop);
	if (b->link) {
		/* Neither up nor refused in all this time: somebody says hello and nothing more. */
		say_why(b, "it does not answer");
		link_abandon(b->link);
		*abandoned_place(b) = b->link;
		b->link = NULL;
	}
	attempt(b);
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;

	(void)fd, (void)what;
	loop_enter(b->loop);
	b->options.on_input(b->options.ctx);
}

/* --- making and ending --- */

int bus_new(struct bus **out, struct loop *loop, const struct bus_options *options)
{
	struct bus *b = calloc(1, sizeof *b);

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->options = *options;
	b->retry_ms = RETRY_MIN_MS;
	b->input = event_new(loop->base, -1, 0, on_input, b);
	b->sync = event_new(loop->base, -1, 0, on_sync, b);
	b->retry = evtimer_new(loop->base, on_retry, b);
	if (!b->input || !b->sync || !b->retry) {
		bus_free(b);
		return -ENOMEM;
	}
	arm_retry(b, 0);
	*out = b;
	return 0;
}

/* false = its thread is stuck: the process ends without waiting for it. */
static bool end_link(struct link *l)
{
	if (!l)
		return true;
	if (!link_close(l)) {
		link_abandon(l);
		return false;
	}
	link_free(l);
	return true;
}

bool bus_free(struct bus *b)
{
	bool clean = true;

	if (!b)
		return clean;
	destroy_retired(b);
	for (size_t i = 0; i < ABANDONED_MAX; i++)
		clean &= end_link(b->abandoned[i]);
	clean &= end_link(b->link);
	if (b->retry)
		event_free(b->retry);
	if (!clean)
		return false;	/* a stuck thread may yet activate the others */
	if (b->input)
		event_free(b->input);
	if (b->sync)
		event_free(b->sync);
	free(b->retired);
	free(b);
	return true;
}

/* --- using it --- */

bool bus_is_up(const struct bus *b)
{
	return b->link && b->told_up && link_is_up(b->link);
}

size_t bus_max_payload(struct bus *b)
{
	return bus_is_up(b) ? (size_t)natsConnection_GetMaxPayload(link_connection(b->link)) : 0;
}

size_t bus_unsent(struct bus *b)
{
	int bytes = bus_is_up(b) ? natsConnection_Buffered(link_connection(b->link)) : 0;

	return bytes > 0 ? (size_t)bytes : 0;
}

uint64_t bus_received(struct bus *b)
{
	natsStatistics *statistics;
	uint64_t in = 0;

	if (!bus_is_up(b) || natsStatistics_Create(&statistics) != NATS_OK)
		return 0;
	if (natsConnection_GetStats(link_connection(b->link), statistics) == NATS_OK)
		natsStatistics_GetCounts(statistics, &in, NULL, NULL, NULL, NULL);
	natsStatistics_Destroy(statistics);
	return in;
}

void bus_wake(struct bus *b)
{
	const struct timeval at_once = { 0, 0 };

	/* Not event_active(): the loop would go on with it in this very pass, before any timer. */
	event_add(b->input, &at_once);
}

/* Is there room for so many bytes? */
static enum bus_result may_send(struct bus *b, size_t len)
{
	if (!bus_is_up(b))
		return BUS_DOWN;
	return bus_unsent(b) + len > b->options.max_output_bytes ? BUS_FULL : BUS_SENT;
}

static enum bus_result sent(natsStatus s)
{
	if (s == NATS_OK)
		return BUS_SENT;
	log_debug("NATS: %s", natsStatus_GetText(s));
	return BUS_DOWN;
}

enum bus_result bus_publish(struct bus *b, const char *subject, const char *reply,
			    const void *body, size_t len)
{
	enum bus_result r = may_send(b, len);

	if (r != BUS_SENT)
		return r;
	if (reply)
		return sent(natsConnection_PublishRequest(link_connection(b->link), subject, reply, body, (int)len));
	return sent(natsConnection_Publish(link_connection(b->link), subject, body, (int)len));
}

/* Up to two headers; the second key may be NULL. */
static enum bus_result send_with_headers(struct bus *b, const char *subject,
					 const char *const headers[4], const void *body,
					 size_t len)
{
	enum bus_result r = may_send(b, len);
	natsMsg *m = NULL;
	natsStatus s;

	if (r != BUS_SENT)
		return r;
	s = natsMsg_Create(&m, subject, NULL, body, (int)len);
	for (int i = 0; s == NATS_OK && i < 4 && headers[i]; i += 2)
		s = natsMsgHeader_Set(m, headers[i], headers[i + 1]);
	if (s == NATS_OK)
		s = natsConnection_PublishMsg(link_connection(b->link), m);
	natsMsg_Destroy(m);
	return sent(s);
}

enum bus_result bus_reply(struct bus *b, const char *subject, const char *content_type,
			  const void *body, size_t len)
{
	const char *const headers[4] = { "Content-Type", content_type };

	return send_with_headers(b, subject, headers, body, len);
}

enum bus_result bus_reply_error(struct bus *b, const char *subject, const struct problem *p)
{
	char code[16];
	const char *const headers[4] = { "Nats-Service-Error-Code", code, "Nats-Service-Error",
					 p->text };

	snprintf(code, sizeof code, "%d", p->code);
	return send_with_headers(b, subject, headers, "", 0);
}

natsSubscription *bus_subscribe(struct bus *b, const char *subject, const char *queue)
{
	natsSubscription *sub = NULL;
	natsStatus s;

	if (!bus_is_up(b))
		return NULL;
	if (queue)
		s = natsConnection_QueueSubscribeSync(&sub, link_connection(b->link), subject, queue);
	else
		s = natsConnection_SubscribeSync(&sub, link_connection(b->link), subject);
	if (s == NATS_OK)
		s = natsSubscription_SetPendingLimits(sub, BUS_PENDING_MESSAGES, BUS_PENDING_BYTES);
	if (s == NATS_OK)
		return sub;
	log_error("cannot subscribe to %s: %s", subject, natsStatus_GetText(s));
	natsSubscription_Destroy(sub);
	return NULL;
}

void bus_unsubscribe(struct bus *b, natsSubscription *sub)
{
	natsSubscription **retired;
	size_t cap;

	if (!sub)
		return;
	if (bus_is_up(b)) {
		natsSubscription_Destroy(sub);
		return;
	}
	if (b->n_retired == b->cap_retired) {
		cap = b->cap_retired ? b->cap_retired * 2 : 64;
		retired = realloc(b->retired, cap * sizeof *retired);
		if (!retired)
			return;	/* leaked, rather than waited for */
		b->retired = retired;
		b->cap_retired = cap;
	}
	b->retired[b->n_retired++] = sub;
}

void bus_drain(struct bus *b, natsSubscription *sub, int64_t timeout_ms)
{
	if (sub && bus_is_up(b))
		natsSubscription_DrainTimeout(sub, timeout_ms);
}

bool bus_drained(struct bus *b, natsSubscription *sub)
{
	/* Anything but "still going on" is an end. */
	return !sub || !bus_is_up(b) ||
	       natsSubscription_DrainCompletionStatus(sub) != NATS_ILLEGAL_STATE;
}

enum bus_next bus_next(struct bus *b, natsSubscription *sub, struct bus_message *out)
{
	int waiting = 0, bytes = 0, left = 0;
	natsStatus s;

	/* Asking first is cheaper by far than an empty NextMsg, which builds an error. */
	if (!sub || natsSubscription_GetPending(sub, &waiting, &bytes) != NATS_OK || waiting == 0)
		return BUS_NOTHING;
	s = natsSubscription_NextMsg(&out->msg, sub, 0);
	if (s == NATS_SLOW_CONSUMER) {
		/* Told once; what was not dropped is still there. */
		b->loop->stats->slow_consumer++;
		s = natsSubscription_NextMsg(&out->msg, sub, 0);
	}
	if (s == NATS_NO_RESPONDERS)
		return BUS_NO_RESPONDERS;
	if (s != NATS_OK)
		return BUS_NOTHING;
	natsSubscription_GetPending(sub, &waiting, &left);
	out->header_bytes = (size_t)(bytes - left - natsMsg_GetDataLength(out->msg));
	return BUS_MESSAGE;
}

bool bus_headers_too_long(const struct bus_message *m)
{
	return m->header_bytes > BUS_HEADERS_MAX;
}

const char *bus_header(const struct bus_message *m, const char *key)
{
	const char *value = NULL;

	if (!bus_headers_too_long(m))
		natsMsgHeader_Get(m->msg, key, &value);
	return value;
}
