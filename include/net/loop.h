/*
 * loop - the one event loop, its clock, and how long it was held up.
 *
 * Every callback begins with loop_enter(). The time is read once per pass; the longest pass, from its first
 * callback to its end, is the gauge loop_held_max_us. Loop thread only, but for what libevent
 * itself allows others.
 */
#ifndef METER_LOOP_H
#define METER_LOOP_H

#include <event2/event.h>
#include <stdbool.h>

#include "moment.h"
#include "stats.h"

struct loop {
	struct event_base *base;
	struct stats *stats;
	struct moment now;
	bool in_pass;
	bool stopping;
};

/* -ENOMEM. Turns on libevent's locking: the NATS library's threads wake the loop. */
int loop_init(struct loop *l, struct stats *stats);
void loop_deinit(struct loop *l);	/* zeroed is fine */

/* At the head of every callback: the time of this pass. */
const struct moment *loop_enter(struct loop *l);
/* By both clocks, read now. */
struct moment loop_clock(void);

/* Runs until loop_stop(); after each pass after_pass, unless NULL, is called. */
void loop_run(struct loop *l, void (*after_pass)(void *ctx), void *ctx);
void loop_stop(struct loop *l);

#endif
