/*
 * remote - the source `bus`: asks the control plane what an instance uses, on
 * <control prefix>.instances.resources.<id>, and takes the answer from one inbox of its own.
 *
 * Deadlines are the pipeline's: a question it gives up is forgotten, and its answer, if it still
 * comes, is counted as late.
 */
#ifndef METER_REMOTE_H
#define METER_REMOTE_H

#include "bus.h"
#include "instance.h"
#include "stats.h"

struct remote;

struct remote_options {
	const char *control_prefix;
	size_t max_body;	/* bytes of an answer */
	/* The end of what remote_ask() began; also from inside it. error is one sentence. */
	void (*on_reading)(void *ctx, struct instance *i, const struct reading *reading);
	void (*on_failure)(void *ctx, struct instance *i, enum failure reason, const char *error);
	void *ctx;
};

/* Everything is borrowed. -ENOMEM. */
int remote_new(struct remote **out, struct bus *bus, const struct remote_options *options,
	       struct stats *stats);
void remote_free(struct remote *r);	/* before the bus; NULL is fine */

void remote_on_up(struct remote *r);
void remote_on_lost(struct remote *r);

/* Asks. Ends in on_reading or on_failure, now or later. */
void remote_ask(struct remote *r, struct instance *i);
/* Nobody waits for its answer any more. One sentence if nobody was there to be asked, else NULL. */
const char *remote_forget(struct remote *r, struct instance *i);

/* Takes at most max answers from the bus; true = more wait. */
bool remote_drain(struct remote *r, const struct moment *now, size_t max);

#endif
