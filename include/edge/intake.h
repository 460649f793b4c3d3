/*
 * intake - everything that comes in on the bus: lifecycle events and requests.
 *
 * Events are applied in order of arrival. Requests wait in one queue with a bound; one that finds it full
 * is answered with 429 at once. Each pass does a bounded amount of work and then lets the timers have
 * their turn.
 */
#ifndef METER_INTAKE_H
#define METER_INTAKE_H

#include "bus.h"
#include "config.h"
#include "pipeline.h"
#include "remote.h"

struct intake;

/* Everything is borrowed. -ENOMEM. */
int intake_new(struct intake **out, const struct config *config, struct loop *loop,
	       struct bus *bus, struct pipeline *pipeline, struct remote *remote);
void intake_free(struct intake *in);	/* before the bus; NULL is fine */

void intake_on_up(struct intake *in);
void intake_on_lost(struct intake *in);

/* With a node each instance has subjects of its own, so that NATS itself finds the owner. */
void intake_tracked(struct intake *in, struct instance *i);
void intake_untracked(struct intake *in, struct instance *i);

/* What waits, as much as one pass may do; goes on in the next pass by itself. */
void intake_drain(struct intake *in);
/* Takes in nothing more; what is under way is still answered, for at most timeout_ms. */
void intake_stop(struct intake *in, int64_t timeout_ms);
/* After intake_stop(): nothing is left to answer. */
bool intake_is_done(struct intake *in);

#endif
