/*
 * stats - what this process counted since it started, and a few gauges. Loop thread only.
 */
#ifndef METER_STATS_H
#define METER_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "origin.h"

/* name, what it counts */
#define STATS_COUNTERS(X) \
	X(readings, "readings begun") \
	X(readings_failed, "readings that failed: a gap") \
	X(readings_timed_out, "of these, not answered within one interval") \
	X(readings_reopened, "readings that opened files anew: the bound of kept ones is reached") \
	X(limits_too_deep, "readings without a limit: more cgroups above than are looked at") \
	X(network_unreadable, "readings without a network: its namespace cannot be read") \
	X(readings_repeated, "answers that carried the stamp of the one before: no sample") \
	X(samples, "samples stored") \
	X(samples_refused, "samples the store refused or had no memory for") \
	X(values_saturated, "values too large to be stored, kept as the greatest that can be") \
	X(published, "samples published") \
	X(publish_dropped_down, "samples not published: no connection") \
	X(publish_dropped_full, "samples not published: the output buffer is full") \
	X(events, "lifecycle events applied") \
	X(events_other, "lifecycle events of a type that is no concern of ours") \
	X(events_stale, "lifecycle events older than the last one applied to their id") \
	X(events_elsewhere, "lifecycle events of instances of another node") \
	X(events_malformed, "lifecycle events that could not be understood") \
	X(events_oversized, "lifecycle events over the bound of a body") \
	X(events_ahead, "lifecycle events dated more than 5 minutes ahead, taken as now") \
	X(instances_refused, "instances not tracked: the bound of instances is reached") \
	X(tombstones_evicted, "tombstones forgotten early: their bound is reached") \
	X(requests, "requests answered, also with an error") \
	X(requests_malformed, "of these with 400") \
	X(requests_too_large, "of these with 413") \
	X(requests_too_many, "of these with 429: the bound of pending requests is reached") \
	X(requests_unanswerable, "requests without a reply subject, or with one of our own subjects") \
	X(replies_dropped, "replies not sent: no connection, or the output buffer is full") \
	X(answers_late, "answers of the control plane that nobody waited for any more") \
	X(no_responders, "questions to the control plane that nobody listens for") \
	X(engine_questions, "questions about a container that were put to an engine") \
	X(engine_found, "of these, answered with a container that runs") \
	X(engine_unknown, "of these, no such container, or one that does not run") \
	X(engine_failures, "of these, not answered as an engine does, or not at all") \
	X(engine_suspended, "questions not put to an engine, because it failed just before") \
	X(scrapes, "pages of metrics that were to be fetched") \
	X(scrapes_failed, "of these, failed for one of the reasons that follow") \
	X(scrapes_refused_url, "of these, not begun: no URL, or a family's name that cannot be") \
	X(scrapes_refused_address, "of these, not connected: the address is in no network that is allowed") \
	X(scrapes_refused_full, "of these, not begun: too many are under way") \
	X(scrapes_unanswered, "of these, without a whole answer: not reached, too slow, cut short") \
	X(scrapes_status, "of these, answered with another status than 200") \
	X(scrapes_too_large, "of these, with a page over the bound of bytes") \
	X(scrapes_too_many_series, "of these, with a family over the bound of series") \
	X(scrapes_malformed, "of these, with a page that cannot be read, or nothing in it to tell") \
	X(slow_consumer, "times the library dropped messages because we did not keep up") \
	X(disconnects, "connections to NATS lost") \
	X(loop_passes, "passes of the event loop")

#define STATS_GAUGES(X) \
	X(instances, "instances tracked") \
	X(tombstones, "tombstones held") \
	X(files_kept, "files kept open from one reading to the next") \
	X(connected, "1 while connected to NATS") \
	X(loop_held_max_us, "the longest that one pass of the loop took, in microseconds")

/*
 * Of one source; their items are called cgroup_readings, cgroup_failed_gone, and so on. Time is what
 * good readings took: on the loop, but of the bus from the question to the answer.
 */
struct stats_source {
	uint64_t readings;		/* good ones */
	uint64_t time_ns;		/* of these together */
	uint64_t time_max_ns;		/* of the longest */
	uint64_t failed[FAILURE_COUNT];	/* by reason */
};

#define STATS_FIELD(name, text) uint64_t name;
struct stats {
	STATS_COUNTERS(STATS_FIELD)
	STATS_GAUGES(STATS_FIELD)
	struct stats_source source[SOURCE_KIND_COUNT];
};
#undef STATS_FIELD

/* A good reading of this source took so long. */
void stats_reading(struct stats *s, enum source_kind kind, int64_t ns);
void stats_failure(struct stats *s, enum source_kind kind, enum failure reason);

struct stats_item {
	const char *name;
	const char *help;
	size_t offset;		/* of its uint64_t in struct stats */
	int is_gauge;
};

/* All of them in the order above; *n says how many. */
const struct stats_item *stats_items(size_t *n);
uint64_t stats_value(const struct stats *s, const struct stats_item *item);

#endif
