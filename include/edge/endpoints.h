/*
 * endpoints - with --node: the exact subjects of each instance, so that NATS itself finds its owner and
 * answers "no responders" at once for an id that nobody has.
 *
 * The subjects of an instance that goes are drained: requests that were under way when the server was
 * told are still answered. A drain takes a thread of the library for one round trip, so only a few
 * run at a time; those that wait their turn go on being answered. Loop thread only.
 */
#ifndef METER_ENDPOINTS_H
#define METER_ENDPOINTS_H

#include "bus.h"
#include "instance.h"
#include "query.h"

struct endpoints;

struct endpoints_options {
	const char *subject_prefix;
	const char *queue;
	/* Takes what waits in one subscription; false = it had to leave some. */
	bool (*take)(void *ctx, natsSubscription *sub, enum query_kind kind);
	void *ctx;
};

/* Everything is borrowed. -ENOMEM. */
int endpoints_new(struct endpoints **out, struct loop *loop, struct bus *bus,
		  const struct endpoints_options *options);
/* Before the bus; instances may be gone already. NULL is fine. */
void endpoints_free(struct endpoints *e);

/* Without memory the instance is sampled, but cannot be asked for: logged. */
void endpoints_add(struct endpoints *e, struct instance *i);
void endpoints_leave(struct endpoints *e, struct instance *i);

void endpoints_on_up(struct endpoints *e);	/* subscribes what could not be while down */
void endpoints_drop(struct endpoints *e);	/* every subscription, at once */

/*
 * Takes from all of them what came in since the last call; false = some is left. Costs a look at each
 * subscription (14 ns), and nothing when no message came in at all.
 */
bool endpoints_take(struct endpoints *e);

#endif
