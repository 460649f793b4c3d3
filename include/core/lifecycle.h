/*
 * lifecycle - what the control plane tells of an instance, as plain structs.
 */
#ifndef METER_LIFECYCLE_H
#define METER_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ident.h"

enum event_type {
	EVENT_OTHER,	/* of no concern here, such as instance.health_changed */
	EVENT_CREATED,
	EVENT_STARTED,
	EVENT_UNSUSPENDED,
	EVENT_STOPPED,
	EVENT_SUSPENDED,
	EVENT_FAILED,
	EVENT_SCALED,
	EVENT_DELETED,
};

/* "created" or "instance.created" → EVENT_CREATED; anything unknown → EVENT_OTHER. */
enum event_type event_type_parse(const char *name, size_t len);
/* "created"; NULL for EVENT_OTHER */
const char *event_type_name(enum event_type t);

/* Longer strings in a Target are ignored like those of a wrong type. */
#define TARGET_STRING_MAX 4095

/* Where an instance can be read. Strings are owned, NULL = not said; a number: 0 = not said. */
struct target {
	char *node;
	char *cgroup_path;
	char *container_id;
	char *container_name;
	char *metrics_url;
	char *workload_id;
	/* What its page of metrics is asked for; see family.h */
	char *request_counter;
	char *latency_histogram;
	double latency_quantile;
	int64_t pid;
	/*
	 * Goes up with each merge that changed a value: who made something of the target, such as
	 * the URL of a page, sees that it has to be made anew.
	 */
	uint32_t version;
};

/* Frees the strings and zeroes. */
void target_clear(struct target *t);

/*
 * Takes over from *from what it says: every field that is set there, or, with only_empty, those
 * that *into does not have yet; "" is as not said. *from is left cleared. *moved (may be NULL) is
 * set, never cleared, when a field that tells where to read took another value: any but workload_id
 * and what says where its page of metrics is and what to ask of it.
 */
void target_merge(struct target *into, struct target *from, bool only_empty, bool *moved);

/* Does it name a place on its machine: a cgroup, a process, a container? */
bool target_says_place(const struct target *t);

struct lifecycle_event {
	char instance_id[IDENT_MAX + 1];
	enum event_type type;
	int64_t at_ms;		/* the event's own time; 0 = it has none */
	char *tenant_id;	/* owned; NULL = not said */
	struct target target;	/* owned */
};

void lifecycle_event_clear(struct lifecycle_event *e);

#endif
