#include "lifecycle.h"

#include <stdlib.h>
#include <string.h>

static const char *const event_names[] = {
	[EVENT_CREATED] = "created",
	[EVENT_STARTED] = "started",
	[EVENT_UNSUSPENDED] = "unsuspended",
	[EVENT_STOPPED] = "stopped",
	[EVENT_SUSPENDED] = "suspended",
	[EVENT_FAILED] = "failed",
	[EVENT_SCALED] = "scaled",
	[EVENT_DELETED] = "deleted",
};

#define EVENT_NAMES (sizeof event_names / sizeof event_names[0])
#define EVENT_PREFIX "instance."
#define EVENT_PREFIX_LEN (sizeof EVENT_PREFIX - 1)

enum event_type event_type_parse(const char *name, size_t len)
{
	if (len >= EVENT_PREFIX_LEN && memcmp(name, EVENT_PREFIX, EVENT_PREFIX_LEN) == 0) {
		name += EVENT_PREFIX_LEN;
		len -= EVENT_PREFIX_LEN;
	}
	for (unsigned t = EVENT_OTHER + 1; t < EVENT_NAMES; t++)
		if (strlen(event_names[t]) == len && memcmp(event_names[t], name, len) == 0)
			return (enum event_type)t;
	return EVENT_OTHER;
}

const char *event_type_name(enum event_type t)
{
	return (size_t)t < EVENT_NAMES ? event_names[t] : NULL;
}

/* The strings of a target, so that none is forgotten when it is freed or merged. */
static const size_t target_strings[] = {
	offsetof(struct target, node),
	offsetof(struct target, cgroup_path),
	offsetof(struct target, container_id),
	offsetof(struct target, container_name),
	/* From here on they say nothing of where it is: TARGET_STRINGS_WHERE */
	offsetof(struct target, metrics_url),
	offsetof(struct target, workload_id),
	offsetof(struct target, request_counter),
	offsetof(struct target, latency_histogram),
};

#define TARGET_STRINGS (sizeof target_strings / sizeof target_strings[0])
#define TARGET_STRINGS_WHERE 4

static char **target_string(struct target *t, size_t i)
{
	return (char **)(void *)((char *)t + target_strings[i]);
}

void target_clear(struct target *t)
{
	for (size_t i = 0; i < TARGET_STRINGS; i++)
		free(*target_string(t, i));
	*t = (struct target){ 0 };
}

static bool said(const char *s)
{
	return s && *s;
}

/* Returns whether *into took another value. *from is left what is still to be freed. */
static bool string_merge(char **into, char **from, bool only_empty)
{
	char *old = *into;

	if (!said(*from) || (only_empty && said(old)))
		return false;
	if (said(old) && strcmp(old, *from) == 0)
		return false;
	*into = *from;
	*from = old;
	return true;
}

/* Likewise. A number that is 0 says nothing. */
static bool quantile_merge(double *into, double from, bool only_empty)
{
	if (from == 0 || from == *into || (only_empty && *into != 0))
		return false;
	*into = from;
	return true;
}

static bool pid_merge(int64_t *into, int64_t from, bool only_empty)
{
	if (from == 0 || from == *into || (only_empty && *into != 0))
		return false;
	*into = from;
	return true;
}

void target_merge(struct target *into, struct target *from, bool only_empty, bool *moved)
{
	bool any = false, where = pid_merge(&into->pid, from->pid, only_empty);

	for (size_t i = 0; i < TARGET_STRINGS; i++) {
		if (!string_merge(target_string(into, i), target_string(from, i), only_empty))
			continue;
		any = true;
		where |= i < TARGET_STRINGS_WHERE;
	}
	any |= quantile_merge(&into->latency_quantile, from->latency_quantile, only_empty);
	if (any || where)
		into->version++;
	if (where && moved)
		*moved = true;
	target_clear(from);
}

bool target_says_place(const struct target *t)
{
	return t->pid != 0 || said(t->cgroup_path) || said(t->container_id) ||
	       said(t->container_name);
}

void lifecycle_event_clear(struct lifecycle_event *e)
{
	free(e->tenant_id);
	target_clear(&e->target);
	*e = (struct lifecycle_event){ 0 };
}
