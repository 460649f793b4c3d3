/*
 * bus - the NATS connection on the loop.
 *
 * Everything here, subscriptions included, happens on the loop thread, and no call waits: while the
 * connection is down nothing touches it, since the library may hold its lock for seconds then. A
 * connection that is lost is followed by a new one, for which everything is to be subscribed again.
 */
#ifndef METER_BUS_H
#define METER_BUS_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "problem.h"

/* What may wait in one subscription before the library drops it. */
#define BUS_PENDING_MESSAGES 65536
#define BUS_PENDING_BYTES (64 * 1024 * 1024)

struct bus_options {
	const char *servers;		/* one or several URLs, comma-separated */
	const char *where;		/* the same as they may be logged: without passwords */
	const char *name;		/* of the connection, as the server shows it */
	size_t max_output_bytes;	/* waiting to be sent; beyond it nothing more is taken */
	/* All of them on the loop thread. */
	void (*on_up)(void *ctx);	/* time to subscribe */
	void (*on_down)(void *ctx);	/* lost */
	void (*on_lost)(void *ctx);	/* it has ended: unsubscribe everything */
	void (*on_input)(void *ctx);	/* messages may wait in subscriptions */
	void *ctx;
};

struct bus;

/* Begins to connect when the loop runs, and goes on trying, forever; never waits. -ENOMEM. */
int bus_new(struct bus **out, struct loop *loop, const struct bus_options *options);
/*
 * Closes the connection; NULL is fine. All subscriptions are to be closed before. false = a library thread
 * is stuck with a server that does not answer: the process has to end without waiting for the library.
 */
bool bus_free(struct bus *b);

bool bus_is_up(const struct bus *b);
size_t bus_max_payload(struct bus *b);		/* of the server connected to; 0 while down */
size_t bus_unsent(struct bus *b);		/* bytes that wait to be sent; 0 while down */
uint64_t bus_received(struct bus *b);		/* messages so far, on all subscriptions */
/* Calls on_input once more, in the next pass. */
void bus_wake(struct bus *b);

enum bus_result { BUS_SENT, BUS_DOWN, BUS_FULL };

/* reply may be NULL. */
enum bus_result bus_publish(struct bus *b, const char *subject, const char *reply,
			    const void *body, size_t len);
enum bus_result bus_reply(struct bus *b, const char *subject, const char *content_type,
			  const void *body, size_t len);
enum bus_result bus_reply_error(struct bus *b, const char *subject, const struct problem *p);

/* Only while up: NULL otherwise, and when it fails (logged). queue may be NULL. */
natsSubscription *bus_subscribe(struct bus *b, const char *subject, const char *queue);
void bus_unsubscribe(struct bus *b, natsSubscription *sub);	/* NULL is fine */

/*
 * Tells the server that nothing more is wanted on it; what is under way still comes in. The end of it,
 * at most timeout_ms later, is told by bus_drained(). While down there is nothing to wait for.
 */
void bus_drain(struct bus *b, natsSubscription *sub, int64_t timeout_ms);	/* NULL is fine */
bool bus_drained(struct bus *b, natsSubscription *sub);

enum bus_next { BUS_MESSAGE, BUS_NOTHING, BUS_NO_RESPONDERS };

struct bus_message {
	natsMsg *msg;
	size_t header_bytes;
};

/*
 * The library takes quadratic time over headers with many lines of one key: headers that are longer than
 * this are not looked at. For a message without a body it looks by itself, inside of NextMsg, in search
 * of "no responders": what that costs is bounded by the server's max_payload only.
 */
#define BUS_HEADERS_MAX 4096

/*
 * The next message of a subscription, never waits; the caller gives out->msg to natsMsg_Destroy(). Anybody
 * may send what comes out as BUS_NO_RESPONDERS; other messages may wait behind it.
 */
enum bus_next bus_next(struct bus *b, natsSubscription *sub, struct bus_message *out);

bool bus_headers_too_long(const struct bus_message *m);
/* NULL = absent, or the headers are too long. Lives as long as the message. */
const char *bus_header(const struct bus_message *m, const char *key);

#endif
