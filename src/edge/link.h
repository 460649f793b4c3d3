/*
 * link - one connection of the NATS library, from the first attempt to its end, and its socket on our loop.
 *
 * A link never reconnects: the library keeps the half of a protocol line that it has read when a
 * connection dies, and would go on with it on the next one. After the end of a link the bus makes
 * another.
 *
 * The library connects on a thread of ours, since that can take seconds, or forever when a server says
 * hello and then nothing. It calls back on that thread and on its own ones, often with its lock held: the
 * callbacks only note what is wanted and take watchers away; watchers are made on the loop. So no
 * library thread waits for a callback of the loop, and no callback of the loop for a connection that a
 * library thread holds.
 */
#ifndef METER_LINK_H
#define METER_LINK_H

#include <nats/nats.h>
#include <stdbool.h>

#include "loop.h"

struct link;

enum link_state {
	LINK_CONNECTING,
	LINK_UP,	/* calls on link_connection() do not wait */
	LINK_DOWN,	/* lost; library threads are not done with it yet */
	LINK_ENDED,	/* nothing but link_free() is left */
};

/*
 * Begins to connect with these options, which the link takes over, also on failure. sync is activated
 * when the state may have changed, input when something was read. NULL without memory or threads.
 */
struct link *link_new(struct loop *loop, natsOptions *options, struct event *sync,
		      struct event *input);

/* Watches a socket that is new and tells the state. Loop thread. */
enum link_state link_look(struct link *l);
bool link_is_up(const struct link *l);		/* the cheap question */
natsConnection *link_connection(struct link *l);	/* while up, and until the link is freed */
const char *link_why(const struct link *l);	/* once ended: one line */
bool link_was_refused(const struct link *l);	/* once ended: a server was there and did not want us */

/* Ends the connection and waits for that, briefly. false = a thread is stuck in the library. */
bool link_close(struct link *l);
/* Nobody waits for it any more: whenever its thread comes back, it ends. */
void link_abandon(struct link *l);
void link_free(struct link *l);			/* ended ones only; NULL is fine */

#endif
