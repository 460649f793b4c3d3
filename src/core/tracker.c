#include "tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many aged tombstones are let go of at each event: the work of one event stays bounded. */
#define TOMBSTONES_PER_EVENT 16

struct tombstone {
	char id[IDENT_MAX + 1];
	int64_t event_ms;	/* of the event that ended it */
	int64_t made_ms;		/* monotonic */
	UT_hash_handle hh;	/* iterates in order of insertion: the oldest first */
};

struct tracker {
	struct tracker_options options;
	struct stats *stats;
	struct instance *by_id;
	struct instance **ordered;	/* the same in byte order of id */
	size_t ordered_cap;
	struct tombstone *tombstones;
};

int tracker_new(struct tracker **out, const struct tracker_options *options, struct stats *stats)
{
	struct tracker *t = calloc(1, sizeof *t);

	if (!t)
		return -ENOMEM;
	t->options = *options;
	t->stats = stats;
	*out = t;
	return 0;
}

void instance_free(struct instance *i)
{
	if (!i)
		return;
	free(i->tenant_id);
	target_clear(&i->target);
	ring_free(i->ring);
	free(i);
}

static void tombstone_remove(struct tracker *t, struct tombstone *stone)
{
	HASH_DEL(t->tombstones, stone);
	free(stone);
	t->stats->tombstones = HASH_COUNT(t->tombstones);
}

void tracker_free(struct tracker *t)
{
	struct instance *i, *next_instance;
	struct tombstone *stone, *next_stone;

	if (!t)
		return;
	HASH_ITER(hh, t->by_id, i, next_instance) {
		HASH_DEL(t->by_id, i);
		instance_free(i);
	}
	HASH_ITER(hh, t->tombstones, stone, next_stone)
		tombstone_remove(t, stone);
	free(t->ordered);
	free(t);
}

struct instance *tracker_find(const struct tracker *t, const char *id)
{
	struct instance *i;

	HASH_FIND_STR(t->by_id, id, i);
	return i;
}

size_t tracker_count(const struct tracker *t)
{
	return HASH_COUNT(t->by_id);
}

/* How many ids are below this one, or, with upto, not above it. */
static size_t position(const struct tracker *t, const char *id, bool upto)
{
	size_t low = 0, high = tracker_count(t);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(t->ordered[middle]->id, id);

		if (order < 0 || (upto && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t tracker_position_after(const struct tracker *t, const char *id)
{
	return position(t, id, true);
}

struct instance *tracker_at(const struct tracker *t, size_t at)
{
	return t->ordered[at];
}

static int tracker_insert(struct tracker *t, struct instance *i)
{
	size_t n = tracker_count(t), at = position(t, i->id, false);

	if (n == t->ordered_cap) {
		size_t cap = n ? n * 2 : 64;
		struct instance **ordered = realloc(t->ordered, cap * sizeof *ordered);

		if (!ordered)
			return -ENOMEM;
		t->ordered = ordered;
		t->ordered_cap = cap;
	}
	memmove(&t->ordered[at + 1], &t->ordered[at], (n - at) * sizeof *t->ordered);
	t->ordered[at] = i;
	HASH_ADD_STR(t->by_id, id, i);
	t->stats->instances = n + 1;
	return 0;
}

static void tracker_take_out(struct tracker *t, struct instance *i)
{
	size_t n = tracker_count(t), at = position(t, i->id, false);

	memmove(&t->ordered[at], &t->ordered[at + 1], (n - at - 1) * sizeof *t->ordered);
	HASH_DEL(t->by_id, i);
	t->stats->instances = n - 1;
}

static struct tombstone *tombstone_find(const struct tracker *t, const char *id)
{
	struct tombstone *stone;

	HASH_FIND_STR(t->tombstones, id, stone);
	return stone;
}

static void tombstones_age(struct tracker *t, const struct moment *now)
{
	for (int n = 0; n < TOMBSTONES_PER_EVENT && t->tombstones; n++) {
		if (moment_mono_ms(now) - t->tombstones->made_ms < t->options.tombstone_ttl_ms)
			break;
		tombstone_remove(t, t->tombstones);
	}
}

/* Without memory there is none: a late event may then bring the instance back, nothing worse. */
static void tombstone_set(struct tracker *t, const char *id, int64_t event_ms,
			  const struct moment *now)
{
	struct tombstone *stone = tombstone_find(t, id);

	if (stone)
		tombstone_remove(t, stone);	/* made anew as the youngest */
	if (t->options.max_tombstones == 0)
		return;
	if (HASH_COUNT(t->tombstones) >= t->options.max_tombstones) {
		tombstone_remove(t, t->tombstones);
		t->stats->tombstones_evicted++;
	}
	stone = calloc(1, sizeof *stone);
	if (!stone)
		return;
	memcpy(stone->id, id, strlen(id) + 1);
	stone->event_ms = event_ms;
	stone->made_ms = moment_mono_ms(now);
	HASH_ADD_STR(t->tombstones, id, stone);
	t->stats->tombstones = HASH_COUNT(t->tombstones);
}

static bool tracks(enum event_type type)
{
	return type == EVENT_CREATED || type == EVENT_STARTED || type == EVENT_UNSUSPENDED;
}

static bool stops(enum event_type type)
{
	return type == EVENT_STOPPED || type == EVENT_SUSPENDED || type == EVENT_FAILED;
}

/* Does the event say that the instance lives on another node? */
static bool elsewhere(const struct tracker *t, const struct lifecycle_event *e)
{
	return t->options.node[0] && e->target.node && strcmp(e->target.node, t->options.node) != 0;
}

static void take_tenant(struct instance *i, struct lifecycle_event *e)
{
	if (!e->tenant_id)
		return;
	free(i->tenant_id);
	i->tenant_id = e->tenant_id;
	e->tenant_id = NULL;
}

static struct instance *instance_new(struct tracker *t, struct lifecycle_event *e, int64_t at_ms,
				     int64_t now_ms)
{
	struct instance *i = calloc(1, sizeof *i);

	if (!i || ring_new(&i->ring, t->options.capacity, t->options.interval_ms) < 0)
		goto fail;
	memcpy(i->id, e->instance_id, sizeof i->id);
	if (tracker_insert(t, i) < 0)
		goto fail;
	take_tenant(i, e);
	target_merge(&i->target, &e->target, false, NULL);
	i->tracked_since_ms = now_ms;
	i->event_ms = at_ms;
	return i;
fail:
	instance_free(i);
	return NULL;
}

struct event_time {
	int64_t at_ms;	/* as which it counts, unless it is stale */
	bool stale;	/* older than the last one applied */
};

/* The last event applied to this id was at last_ms; 0 = none is known. */
static struct event_time event_time(struct tracker *t, const struct lifecycle_event *e,
				    int64_t last_ms, const struct moment *now)
{
	int64_t ahead_ms = now->wall_ms + TRACKER_AHEAD_MAX_MS;
	bool set_back = last_ms > ahead_ms;	/* the clock, since the last one */
	struct event_time time = { .at_ms = e->at_ms ? e->at_ms : now->wall_ms };

	time.stale = e->at_ms && e->at_ms < last_ms && (!set_back || e->at_ms > ahead_ms);
	if (time.at_ms > ahead_ms) {
		t->stats->events_ahead++;
		time.at_ms = now->wall_ms;
	}
	if (time.at_ms < last_ms && !set_back)
		time.at_ms = last_ms;	/* it came later */
	return time;
}

/* An event of an id that is not tracked. */
static enum tracker_change apply_unknown(struct tracker *t, struct lifecycle_event *e,
					 const struct moment *now, struct instance **i)
{
	struct tombstone *stone = tombstone_find(t, e->instance_id);
	struct event_time time = event_time(t, e, stone ? stone->event_ms : 0, now);

	if (time.stale) {
		t->stats->events_stale++;
		return TRACKER_NOTHING;
	}
	if (elsewhere(t, e) || (tracks(e->type) && t->options.node[0] && !e->target.node)) {
		t->stats->events_elsewhere++;
		return TRACKER_NOTHING;
	}
	if (tracks(e->type) && tracker_count(t) >= t->options.max_instances) {
		t->stats->instances_refused++;
		return TRACKER_NOTHING;
	}
	t->stats->events++;
	if (e->type == EVENT_DELETED)
		tombstone_set(t, e->instance_id, time.at_ms, now);
	if (!tracks(e->type))
		return TRACKER_NOTHING;
	*i = instance_new(t, e, time.at_ms, now->wall_ms);
	if (!*i) {
		t->stats->instances_refused++;
		return TRACKER_NOTHING;
	}
	if (stone)
		tombstone_remove(t, stone);
	return TRACKER_TRACKED;
}

static enum tracker_change apply_tracked(struct tracker *t, struct lifecycle_event *e,
					 const struct moment *now, struct instance *i)
{
	struct event_time time = event_time(t, e, i->event_ms, now);
	bool place = target_says_place(&e->target), moved = false, restarted = false;

	if (time.stale) {
		t->stats->events_stale++;
		if (!elsewhere(t, e))
			target_merge(&i->target, &e->target, true, &moved);
		return moved ? TRACKER_CHANGED : TRACKER_NOTHING;
	}
	t->stats->events++;
	if (e->type == EVENT_DELETED || elsewhere(t, e)) {
		tracker_take_out(t, i);
		tombstone_set(t, i->id, time.at_ms, now);
		return TRACKER_UNTRACKED;
	}
	i->event_ms = time.at_ms;
	take_tenant(i, e);
	target_merge(&i->target, &e->target, false, &moved);
	if (stops(e->type))
		i->stopped = true;
	if (tracks(e->type)) {
		restarted = i->stopped || i->failures > 0;
		/* It may have been started anew a moment ago, with no reading since. */
		moved = moved || (place && (restarted || i->last_error[0]));
		i->stopped = false;
	}
	if (moved)
		return TRACKER_CHANGED;
	return restarted ? TRACKER_RESTARTED : TRACKER_NOTHING;
}

enum tracker_change tracker_apply(struct tracker *t, struct lifecycle_event *e,
				  const struct moment *now, struct instance **i)
{
	*i = NULL;
	tombstones_age(t, now);
	if (e->type == EVENT_OTHER) {
		t->stats->events_other++;
		return TRACKER_NOTHING;
	}
	*i = tracker_find(t, e->instance_id);
	return *i ? apply_tracked(t, e, now, *i) : apply_unknown(t, e, now, i);
}
