/*
 * tracker - which instances are alive, from lifecycle events in whatever order they come.
 *
 * created, started and unsuspended track; deleted untracks; stopped, suspended, failed and scaled leave
 * what is held as it is. An event older than the last one applied to its id changes nothing: for ids
 * that are gone a tombstone remembers that time. With a node, only instances whose Target names it
 * are tracked, and one that moves elsewhere is let go. Loop thread only.
 *
 * An event without a timestamp applies in order of arrival: its time is now, or that of the last
 * one applied if that is later. Once the clock has been set back by more than TRACKER_AHEAD_MAX_MS,
 * the times from before say nothing about those it gives now: they count only against each other.
 */
#ifndef METER_TRACKER_H
#define METER_TRACKER_H

#include <stddef.h>
#include <stdint.h>

#include "instance.h"
#include "moment.h"
#include "stats.h"

/* An event dated further ahead counts as of now: one bad clock must not make an instance undeletable. */
#define TRACKER_AHEAD_MAX_MS (5 * 60 * 1000)

struct tracker_options {
	const char *node;		/* "" = all instances */
	size_t capacity;		/* samples of each ring */
	int64_t interval_ms;		/* expected between two of them */
	size_t max_instances;
	size_t max_tombstones;
	int64_t tombstone_ttl_ms;
};

enum tracker_change {
	TRACKER_NOTHING,
	TRACKER_TRACKED,	/* new */
	/*
	 * Bind it again, read it at once: its Target tells of another place, or names the one it
	 * has as it is started anew after it was stopped or failed.
	 */
	TRACKER_CHANGED,
	/* Read it at once by what reads it now: started anew likewise, but who knows where. */
	TRACKER_RESTARTED,
	TRACKER_UNTRACKED,	/* taken out of the tracker; the caller gives it to instance_free() */
};

struct tracker;

/* options->node is borrowed. Counts into stats. -ENOMEM. */
int tracker_new(struct tracker **out, const struct tracker_options *options, struct stats *stats);
void tracker_free(struct tracker *t);	/* and every instance; NULL is fine */

/*
 * Applies one event, taking over what it owns (the caller still clears it). *i is set unless nothing
 * was done. O(log n), and a move of pointers when an instance comes or goes.
 */
enum tracker_change tracker_apply(struct tracker *t, struct lifecycle_event *e,
				  const struct moment *now, struct instance **i);

struct instance *tracker_find(const struct tracker *t, const char *id);	/* NULL = not tracked */
size_t tracker_count(const struct tracker *t);

/* The position of the first id after this one in byte order; "" for the start. O(log n). */
size_t tracker_position_after(const struct tracker *t, const char *id);
struct instance *tracker_at(const struct tracker *t, size_t position);	/* < tracker_count() */

void instance_free(struct instance *i);

#endif
