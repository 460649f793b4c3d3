#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus_internal.h"
#include "log.h"
#include "servers.h"

#define CONNECT_TIMEOUT_MS 2000
#define RECONNECT_WAIT_MS 500
#define RECONNECT_JITTER_MS 250
#define PING_INTERVAL_MS 10000
#define PINGS_OUT_MAX 2
/* The library tells the end of a connection on a thread of its own. */
#define CLOSE_WAIT_S 10

/* --- up, down, lost --- */

static void *connect_once(void *arg)
{
	struct bus *b = arg;
	natsConnection *nc = NULL;
	natsStatus s = natsConnection_Connect(&nc, b->nats_options);

	pthread_mutex_lock(&b->lock);
	if (nc)
		b->nc = nc;
	if (s != NATS_OK && s != NATS_NOT_YET_CONNECTED) {
		b->closed = true;
		snprintf(b->closed_why, sizeof b->closed_why, "%s", natsStatus_GetText(s));
	}
	pthread_mutex_unlock(&b->lock);
	event_active(b->sync, 0, 0);
	return NULL;
}

static void start_connecting(struct bus *b)
{
	b->connecting = pthread_create(&b->connector, NULL, connect_once, b) == 0;
	if (!b->connecting)
		log_error("cannot start a thread to connect to NATS with");
}

static void end_connecting(struct bus *b)
{
	if (b->connecting)
		pthread_join(b->connector, NULL);
	b->connecting = false;
}

/* The connection will not come back by itself. Makes another one, later. */
static void on_closed(struct bus *b)
{
	struct timeval wait = { b->retry_ms / 1000, b->retry_ms % 1000 * 1000 };
	natsConnection *nc;

	end_connecting(b);
	log_error("NATS refused us: %s; trying again in %lld s", b->closed_why,
		  (long long)b->retry_ms / 1000);
	b->options.on_lost(b->options.ctx);
	bus_socket_forget(b);
	pthread_mutex_lock(&b->lock);
	nc = b->nc;
	b->nc = NULL;
	b->closed = false;
	pthread_mutex_unlock(&b->lock);
	natsConnection_Destroy(nc);
	event_add(b->retry, &wait);
	b->retry_ms = b->retry_ms * 2 > BUS_RETRY_MAX_MS ? BUS_RETRY_MAX_MS : b->retry_ms * 2;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;

	(void)fd, (void)what;
	loop_enter(b->loop);
	start_connecting(b);
}

static void destroy_retired(struct bus *b)
{
	for (size_t i = 0; i < b->n_retired; i++)
		natsSubscription_Destroy(b->retired[i]);
	b->n_retired = 0;
}

static void tell_down(struct bus *b)
{
	if (!b->told_up)
		return;
	b->told_up = false;
	b->loop->stats->connected = 0;
	b->loop->stats->disconnects++;
	b->options.on_down(b->options.ctx);
}

static void on_sync(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;
	bool closed;

	(void)fd, (void)what;
	loop_enter(b->loop);
	if (bus_socket_watch(b) > 0 || !bus_is_up(b))
		tell_down(b);
	pthread_mutex_lock(&b->lock);
	closed = b->closed;
	pthread_mutex_unlock(&b->lock);
	if (closed && !bus_is_up(b)) {
		on_closed(b);
		return;
	}
	if (!bus_is_up(b) || b->told_up)
		return;
	b->told_up = true;
	b->retry_ms = BUS_RETRY_MIN_MS;
	b->loop->stats->connected = 1;
	destroy_retired(b);
	b->options.on_up(b->options.ctx);
	event_active(b->input, 0, 0);
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;

	(void)fd, (void)what;
	loop_enter(b->loop);
	b->options.on_input(b->options.ctx);
}

/* --- what the library's threads tell --- */

static void library_connected(natsConnection *nc, void *arg)
{
	(void)nc, (void)arg;	/* the library wants it for connecting in the background */
}

static void library_closed(natsConnection *nc, void *arg)
{
	struct bus *b = arg;
	const char *why = NULL;

	natsConnection_GetLastError(nc, &why);
	pthread_mutex_lock(&b->lock);
	b->closed = true;
	snprintf(b->closed_why, sizeof b->closed_why, "%s", why && *why ? why : "closed");
	event_active(b->sync, 0, 0);
	pthread_cond_signal(&b->told_closed);
	pthread_mutex_unlock(&b->lock);	/* *b may be gone after this */
}

static void library_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
	(void)nc, (void)sub, (void)arg;
	/* A slow consumer is told by bus_next() as well, where it is counted. */
	if (s != NATS_SLOW_CONSUMER)
		log_warning("NATS: %s", natsStatus_GetText(s));
}

/* --- making and ending --- */

static natsStatus set_servers(natsOptions *o, const char *list)
{
	const char *servers[SERVERS_MAX];
	char *copy;
	size_t n = servers_split(list, servers, &copy);
	natsStatus s = natsOptions_SetServers(o, servers, (int)n);

	free(copy);
	return s;
}

static natsStatus set_options(struct bus *b)
{
	natsOptions *o = b->nats_options;
	natsStatus s = set_servers(o, b->options.servers);

	if (s == NATS_OK)
		s = bus_socket_install(b);
	if (s == NATS_OK)
		s = natsOptions_SetName(o, b->options.name);
	if (s == NATS_OK)
		s = natsOptions_SetTimeout(o, CONNECT_TIMEOUT_MS);
	if (s == NATS_OK)
		s = natsOptions_SetSendAsap(o, true);
	if (s == NATS_OK)
		s = natsOptions_SetMaxReconnect(o, -1);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectWait(o, RECONNECT_WAIT_MS);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectJitter(o, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS);
	if (s == NATS_OK)
		s = natsOptions_SetRetryOnFailedConnect(o, true, library_connected, b);
	if (s == NATS_OK)
		s = natsOptions_SetClosedCB(o, library_closed, b);
	if (s == NATS_OK)
		s = natsOptions_SetErrorHandler(o, library_error, b);
	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(o, PING_INTERVAL_MS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxPingsOut(o, PINGS_OUT_MAX);
	return s;
}

int bus_new(struct bus **out, struct loop *loop, const struct bus_options *options, char *error,
	    size_t error_size)
{
	struct bus *b = calloc(1, sizeof *b);
	int r = -ENOMEM;
	natsStatus s;

	if (!b)
		return r;
	b->loop = loop;
	b->options = *options;
	b->retry_ms = BUS_RETRY_MIN_MS;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->told_closed, NULL);
	b->input = event_new(loop->base, -1, 0, on_input, b);
	b->sync = event_new(loop->base, -1, 0, on_sync, b);
	b->retry = evtimer_new(loop->base, on_retry, b);
	if (!b->input || !b->sync || !b->retry || natsOptions_Create(&b->nats_options) != NATS_OK)
		goto fail;
	s = set_options(b);
	if (s != NATS_OK) {
		r = -EINVAL;
		snprintf(error, error_size, "--server: not a list of NATS URLs: %s",
			 natsStatus_GetText(s));
		goto fail;
	}
	start_connecting(b);
	*out = b;
	return 0;
fail:
	bus_free(b);
	return r;
}

/* Closes the connection and waits until the library has said so: it is the last time it knows of us. */
static void close_connection(struct bus *b)
{
	struct timespec until;

	if (!b->nc)
		return;
	natsConnection_Close(b->nc);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_WAIT_S;
	pthread_mutex_lock(&b->lock);
	while (!b->closed)
		if (pthread_cond_timedwait(&b->told_closed, &b->lock, &until) != 0)
			break;
	pthread_mutex_unlock(&b->lock);
	natsConnection_Destroy(b->nc);
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	end_connecting(b);
	destroy_retired(b);
	close_connection(b);
	natsOptions_Destroy(b->nats_options);
	bus_socket_forget(b);
	if (b->input)
		event_free(b->input);
	if (b->sync)
		event_free(b->sync);
	if (b->retry)
		event_free(b->retry);
	pthread_cond_destroy(&b->told_closed);
	pthread_mutex_destroy(&b->lock);
	free(b->retired);
	free(b);
}

/* --- using it --- */

bool bus_is_up(const struct bus *b)
{
	return atomic_load(&b->up);
}

size_t bus_max_payload(struct bus *b)
{
	return bus_is_up(b) ? (size_t)natsConnection_GetMaxPayload(b->nc) : 0;
}

size_t bus_unsent(struct bus *b)
{
	int bytes = bus_is_up(b) ? natsConnection_Buffered(b->nc) : 0;

	return bytes > 0 ? (size_t)bytes : 0;
}

uint64_t bus_received(struct bus *b)
{
	natsStatistics *statistics;
	uint64_t in = 0;

	if (!bus_is_up(b) || natsStatistics_Create(&statistics) != NATS_OK)
		return 0;
	if (natsConnection_GetStats(b->nc, statistics) == NATS_OK)
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
		return sent(natsConnection_PublishRequest(b->nc, subject, reply, body, (int)len));
	return sent(natsConnection_Publish(b->nc, subject, body, (int)len));
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
		s = natsConnection_PublishMsg(b->nc, m);
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
		s = natsConnection_QueueSubscribeSync(&sub, b->nc, subject, queue);
	else
		s = natsConnection_SubscribeSync(&sub, b->nc, subject);
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
			return;	/* it stays subscribed: what comes in on it is not read */
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

enum bus_next bus_next(struct bus *b, natsSubscription *sub, natsMsg **out)
{
	uint64_t waiting = 0;
	natsStatus s;

	/* Asking first is cheaper by far than an empty NextMsg, which builds an error. */
	if (!sub || natsSubscription_QueuedMsgs(sub, &waiting) != NATS_OK || waiting == 0)
		return BUS_NOTHING;
	s = natsSubscription_NextMsg(out, sub, 0);
	if (s == NATS_SLOW_CONSUMER) {
		/* Told once; what was not dropped is still there. */
		b->loop->stats->slow_consumer++;
		s = natsSubscription_NextMsg(out, sub, 0);
	}
	if (s == NATS_OK)
		return BUS_MESSAGE;
	return s == NATS_NO_RESPONDERS ? BUS_NO_RESPONDERS : BUS_NOTHING;
}
