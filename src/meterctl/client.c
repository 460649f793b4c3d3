#include "client.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "output.h"
#include "servers.h"

#define RECONNECT_WAIT_MS 250
/* A server that went away without a word is noticed after two of these. */
#define PING_INTERVAL_MS 10000
#define PINGS_OUT_MAX 2
/* Closing waits for threads that may be inside connect(). */
#define CLOSE_WAIT_MS 5000

struct client {
	natsConnection *nc;
	natsOptions *options;
	const struct config *config;
	char *where;		/* the servers as they may be printed */
	atomic_uint changes;	/* odd while the connection is lost; the library's thread counts */
};

/* --- servers --- */

static natsStatus set_servers(natsOptions *o, const char *list)
{
	const char *servers[SERVERS_MAX];
	char *copy;
	size_t n = servers_split(list, servers, &copy);
	natsStatus s = natsOptions_SetServers(o, servers, (int)n);

	free(copy);
	return s;
}

/* --- connecting --- */

static void on_lost(natsConnection *nc, void *arg)
{
	struct client *c = arg;

	(void)nc;
	atomic_fetch_or(&c->changes, 1);
}

static void on_back(natsConnection *nc, void *arg)
{
	struct client *c = arg;

	(void)nc;
	atomic_fetch_or(&c->changes, 1);
	atomic_fetch_add(&c->changes, 1);
}

/* Without a handler the library prints on standard error by itself. */
static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
	(void)nc, (void)sub, (void)s, (void)arg;
}

static natsStatus set_options(struct client *c, bool reconnects)
{
	natsOptions *o = c->options;
	natsStatus s = set_servers(o, c->config->server);

	if (s == NATS_OK)
		s = natsOptions_SetName(o, "meterctl");
	if (s == NATS_OK)
		s = natsOptions_SetTimeout(o, c->config->timeout_ms);
	if (s == NATS_OK)
		s = natsOptions_SetAllowReconnect(o, reconnects);
	if (s == NATS_OK)
		s = natsOptions_SetMaxReconnect(o, -1);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectWait(o, RECONNECT_WAIT_MS);
	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(o, PING_INTERVAL_MS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxPingsOut(o, PINGS_OUT_MAX);
	if (s == NATS_OK)
		s = natsOptions_SetDisconnectedCB(o, on_lost, c);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectedCB(o, on_back, c);
	if (s == NATS_OK)
		s = natsOptions_SetErrorHandler(o, on_error, c);
	return s;
}

int client_connect(struct client **out, const struct config *config, bool reconnects)
{
	struct client *c = calloc(1, sizeof *c);
	natsStatus s;

	if (!c || !(c->where = servers_masked(config->server))) {
		free(c);
		output_error("out of memory");
		return -1;
	}
	c->config = config;
	s = natsOptions_Create(&c->options);
	if (s == NATS_OK)
		s = set_options(c, reconnects);
	if (s == NATS_OK)
		s = natsConnection_Connect(&c->nc, c->options);
	if (s == NATS_OK) {
		*out = c;
		return 0;
	}
	if (s == NATS_NO_SERVER)
		output_error("no NATS server answers at %s", c->where);
	else
		output_error("cannot connect to %s: %s", c->where, natsStatus_GetText(s));
	client_free(c);
	return -1;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	natsConnection_Destroy(c->nc);
	natsOptions_Destroy(c->options);
	/* Its threads know of *c: what they may still touch is not freed. */
	if (nats_CloseAndWait(CLOSE_WAIT_MS) != NATS_OK)
		return;
	free(c->where);
	free(c);
}

void client_tell_losses(struct client *c, unsigned *told)
{
	unsigned now = atomic_load(&c->changes);

	if (now == *told)
		return;
	/* A loss that is already over: both are told. */
	if (*told % 2 == 0)
		output_error("lost the connection to %s, waiting for it to come back", c->where);
	if (now % 2 == 0)
		output_error("connected to %s again", c->where);
	*told = now;
}

/* --- what can go wrong with a message --- */

const char *client_subject(const struct client *c, const char *endpoint, const char *id,
			   char out[CLIENT_SUBJECT_SIZE])
{
	snprintf(out, CLIENT_SUBJECT_SIZE, "%s.%s%s%s", c->config->subject_prefix, endpoint,
		 id ? "." : "", id ? id : "");
	return out;
}

static int tell(struct client *c, const char *subject, natsStatus s)
{
	const char *why = NULL;

	if (s == NATS_CONNECTION_CLOSED || s == NATS_CONNECTION_DISCONNECTED ||
	    s == NATS_STALE_CONNECTION)
		output_error("lost the connection to %s", c->where);
	else if (s == NATS_NOT_PERMITTED && natsConnection_GetLastError(c->nc, &why) == s && why)
		output_error("%s at %s: %s", subject, c->where, why);
	else
		output_error("%s at %s: %s", subject, c->where, natsStatus_GetText(s));
	return -1;
}

int client_no_answer(struct client *c, const char *subject, int64_t timeout_ms)
{
	const char *why = NULL;

	/* The server refuses in passing, without a word to the request itself. */
	if (natsConnection_GetLastError(c->nc, &why) == NATS_NOT_PERMITTED)
		return tell(c, subject, NATS_NOT_PERMITTED);
	output_error("no meterd answers on %s at %s within %lld ms", subject, c->where,
		     (long long)timeout_ms);
	return -1;
}

/* Nobody listens. With --node that may also mean that nobody has the id. */
static int tell_no_responders(struct client *c, const char *subject)
{
	char list[CLIENT_SUBJECT_SIZE];

	if (strcmp(subject, client_subject(c, "list", NULL, list)) == 0) {
		output_error("no meterd answers on %s at %s", subject, c->where);
		return -1;
	}
	output_error("no meterd answers on %s at %s: none runs, or with --node none knows this id",
		     subject, c->where);
	return -1;
}

/* Does the answer have the headers of an error? */
static int refusal(natsMsg *m, struct problem *p)
{
	const char *code = NULL, *text = NULL;
	int number;

	if (natsMsgHeader_Get(m, "Nats-Service-Error-Code", &code) != NATS_OK)
		return 0;
	natsMsgHeader_Get(m, "Nats-Service-Error", &text);
	number = atoi(code);
	if (number <= 0)
		number = 500;
	return problem_set(p, (enum problem_code)number, "%s",
			   text && *text ? text : "refused without a reason");
}

/* --- messages --- */

int client_send(struct client *c, const char *subject, const struct buffer *body,
		natsSubscription **answers)
{
	natsSubscription *sub = NULL;
	natsInbox *inbox = NULL;
	natsStatus s = NATS_NO_MEMORY;

	if (body->failed)
		goto out;
	s = natsInbox_Create(&inbox);
	if (s == NATS_OK)
		s = natsConnection_SubscribeSync(&sub, c->nc, inbox);
	if (s == NATS_OK)
		s = natsConnection_PublishRequest(c->nc, subject, inbox,
						  body->data ? (const void *)body->data : "",
						  (int)body->len);
out:
	natsInbox_Destroy(inbox);
	if (s != NATS_OK) {
		natsSubscription_Destroy(sub);
		return tell(c, subject, s);
	}
	*answers = sub;
	return 0;
}

int client_next(struct client *c, natsSubscription *answers, const char *subject,
		int64_t timeout_ms, natsMsg **out, struct problem *p)
{
	natsMsg *m = NULL;
	natsStatus s = natsSubscription_NextMsg(&m, answers, timeout_ms);
	int r;

	*out = NULL;
	if (s == NATS_TIMEOUT)
		return 0;
	if (s == NATS_NO_RESPONDERS)
		return tell_no_responders(c, subject);
	if (s != NATS_OK)
		return tell(c, subject, s);
	r = refusal(m, p);
	if (r != 0)
		natsMsg_Destroy(m);
	else
		*out = m;
	return r;
}

int client_ask(struct client *c, const char *subject, const struct buffer *body, natsMsg **out,
	       struct problem *p)
{
	natsSubscription *answers = NULL;
	int r = client_send(c, subject, body, &answers);

	if (r == 0)
		r = client_next(c, answers, subject, c->config->timeout_ms, out, p);
	if (r == 0 && !*out)
		r = client_no_answer(c, subject, c->config->timeout_ms);
	natsSubscription_Destroy(answers);
	return r;
}

/* Waits until the server has read what was sent, and says what it refused of it. */
static natsStatus settle(struct client *c)
{
	const char *why = NULL;
	natsStatus s = natsConnection_FlushTimeout(c->nc, c->config->timeout_ms);

	if (s == NATS_OK && natsConnection_GetLastError(c->nc, &why) == NATS_NOT_PERMITTED)
		s = NATS_NOT_PERMITTED;
	return s;
}

int client_publish(struct client *c, const char *subject, const struct buffer *body)
{
	natsStatus s = NATS_NO_MEMORY;

	if (!body->failed)
		s = natsConnection_Publish(c->nc, subject, body->data, (int)body->len);
	if (s == NATS_OK)
		s = settle(c);
	return s == NATS_OK ? 0 : tell(c, subject, s);
}

int client_subscribe(struct client *c, const char *subject, natsSubscription **out)
{
	natsSubscription *sub = NULL;
	natsStatus s = natsConnection_SubscribeSync(&sub, c->nc, subject);

	if (s == NATS_OK)
		s = settle(c);
	if (s == NATS_OK) {
		*out = sub;
		return 0;
	}
	natsSubscription_Destroy(sub);
	return tell(c, subject, s);
}
