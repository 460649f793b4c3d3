/*
 * bus - the NATS connection on the loop.
 *
 * The library keeps threads of its own for connecting; they reach in here only to say which socket to
 * watch. Everything else, subscriptions included, happens on the loop thread, and no call here waits:
 * while the connection is down nothing touches it, since the library may hold its lock for seconds then.
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
	const char *name;		/* of the connection, as the server shows it */
	size_t max_output_bytes;	/* waiting to be sent; beyond it nothing more is taken */
	/* All of them on the loop thread. */
	void (*on_up)(void *ctx);	/* also after each reconnect: subscriptions are kept */
	void (*on_down)(void *ctx);
	/* The server refused us for good; a new connection will be made. Unsubscribe everything. */
	void (*on_lost)(void *ctx);
	void (*on_input)(void *ctx);	/* messages may wait in subscriptions */
	void *ctx;
};

struct bus;

/*
 * Begins to connect and goes on trying, forever; never waits. -EINVAL with a line in error for servers that
 * are no URLs; -ENOMEM.
 */
int bus_new(struct bus **out, struct loop *loop, const struct bus_options *options, char *error,
	    size_t error_size);
/* Closes the connection at once; NULL is fine. All subscriptions are to be closed before. */
void bus_free(struct bus *b);

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

/*
 * Only while up: NULL otherwise, and when it fails (logged). queue may be NULL. bus_unsubscribe() while
 * down is remembered and done after the next connect.
 */
natsSubscription *bus_subscribe(struct bus *b, const char *subject, const char *queue);
void bus_unsubscribe(struct bus *b, natsSubscription *sub);	/* NULL is fine */

/*
 * Tells the server that nothing more is wanted on it; what is under way still comes in. The end of it,
 * at most timeout_ms later, is told by bus_drained(). While down there is nothing to wait for.
 */
void bus_drain(struct bus *b, natsSubscription *sub, int64_t timeout_ms);	/* NULL is fine */
bool bus_drained(struct bus *b, natsSubscription *sub);

enum bus_next { BUS_MESSAGE, BUS_NOTHING, BUS_NO_RESPONDERS };

/* The next message of a subscription, never waits; the caller gives it to natsMsg_Destroy(). */
enum bus_next bus_next(struct bus *b, natsSubscription *sub, natsMsg **out);

#endif
