/*
 * pipeline - the path itself: event → who lives → when → reading → sample → ring and bus.
 *
 * No sockets, no loop, no clock: what it needs done outside it asks of struct pipeline_io, and what
 * happens outside comes in through pipeline_on_*(). Loop thread only.
 */
#ifndef METER_PIPELINE_H
#define METER_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance.h"
#include "moment.h"
#include "stats.h"
#include "tracker.h"

/* A stopped instance that cannot be read is tried again after at most so many intervals. */
#define PIPELINE_BACKOFF_MAX 6
/* Of an interval, over which readings are spread: at 10 s one is 50 ms long. */
#define PIPELINE_PHASES 200
/* The second reading follows the first after this, or after one interval if that is shorter. */
#define PIPELINE_SECOND_READING_MS 1000

/* All of them are called on the loop thread; ctx comes first. */
struct pipeline_io {
	/* Sends one sample on the instance's own subject, or counts why not. */
	void (*publish)(void *ctx, const struct instance *i, const uint8_t *body, size_t len);
	/*
	 * Begins one reading. Its end is told by pipeline_on_reading() or pipeline_on_failure(), from
	 * inside this call or later.
	 */
	void (*begin_reading)(void *ctx, struct instance *i);
	/*
	 * The reading under way is no longer waited for. What is known of why there was no answer:
	 * one sentence, or NULL.
	 */
	const char *(*give_up_reading)(void *ctx, struct instance *i);
	void (*tracked)(void *ctx, struct instance *i);
	/* An event said where it is, see TRACKER_CHANGED: what reads it has to be chosen again. */
	void (*changed)(void *ctx, struct instance *i);
	/* Let go of what reader and endpoints point at; the instance is freed after this. */
	void (*untracked)(void *ctx, struct instance *i);
	void *ctx;
};

struct pipeline_options {
	struct tracker_options tracker;
	const char *lifecycle_base;	/* lifecycle subject without its last ".>" */
	int64_t interval_ms;
	size_t max_body;		/* bytes of an event */
};

struct pipeline;

/* Everything is borrowed and outlives the pipeline. -ENOMEM. */
int pipeline_new(struct pipeline **out, const struct pipeline_options *options,
		 const struct pipeline_io *io, struct stats *stats, const struct moment *now);
/* Calls untracked for each instance that is left; sends nothing. NULL is fine. */
void pipeline_free(struct pipeline *p);

const struct tracker *pipeline_tracker(const struct pipeline *p);

/*
 * A lifecycle event as it came. The body is authoritative; an empty one is read from the subject,
 * <base>.<type>.<id>. 0; > 0 a malformed one, counted, *problem says why; < 0 without memory.
 */
int pipeline_on_event(struct pipeline *p, const char *subject, const char *content_type,
		      const void *body, size_t len, const struct moment *now,
		      struct problem *problem);

/* Begins what is due, at most max readings. true = more is due already. */
bool pipeline_tick(struct pipeline *p, const struct moment *now, size_t max);
/* Monotonic ms at which pipeline_tick() is next due; -1 = nothing waits. */
int64_t pipeline_next_ms(const struct pipeline *p);

/*
 * It can be read now, better than before: the next reading is due at once, those after it as for a new
 * instance, and one under way is given up.
 */
void pipeline_read_now(struct pipeline *p, struct instance *i, const struct moment *now);

/* The end of a reading that was begun. One that nobody waits for any more changes nothing. */
void pipeline_on_reading(struct pipeline *p, struct instance *i, const struct reading *reading,
			 const struct moment *now);
/* error is one sentence, copied; the reason is counted with the source of the instance. */
void pipeline_on_failure(struct pipeline *p, struct instance *i, enum failure reason,
			 const char *error, const struct moment *now);
/*
 * Of a good reading that has just ended: why the page of metrics that belongs to it is missing. It is
 * shown as the last error, and no reading failed for it.
 */
void pipeline_note(struct instance *i, const char *error, const struct moment *now);

#endif
