/*
 * wire_target - where an instance can be read, as events and lists of instances say it.
 *
 * A control plane of many versions writes this: what cannot be used counts as not said, and the
 * rest still applies.
 */
#include <string.h>

#include "json_in.h"
#include "wire_internal.h"

static const struct target_field {
	const char *key;
	size_t pb;	/* of its char * in the generated struct */
	size_t own;	/* and in struct target */
} strings[] = {
#define STRING(name) { #name, offsetof(Meter__V1__Target, name), offsetof(struct target, name) }
	STRING(node),
	STRING(cgroup_path),
	STRING(container_id),
	STRING(container_name),
	STRING(metrics_url),
	STRING(workload_id),
#undef STRING
};

#define STRINGS (sizeof strings / sizeof strings[0])

static char **own_string(struct target *t, size_t i)
{
	return (char **)(void *)((char *)t + strings[i].own);
}

static char **pb_string(Meter__V1__Target *m, size_t i)
{
	return (char **)(void *)((char *)m + strings[i].pb);
}

int wire_target_from_pb(const Meter__V1__Target *m, struct target *out)
{
	int r = 0;

	*out = (struct target){ 0 };
	if (!m)
		return 0;
	for (size_t i = 0; r == 0 && i < STRINGS; i++) {
		const char *s = *pb_string((Meter__V1__Target *)m, i);

		r = wire_take_text(s, s ? strlen(s) : 0, own_string(out, i));
	}
	out->pid = m->pid > 0 ? m->pid : 0;
	return r;
}

int wire_target_from_json(const struct json_t *v, struct target *out)
{
	int64_t pid;
	int r = 0;

	*out = (struct target){ 0 };
	for (size_t i = 0; r == 0 && i < STRINGS; i++) {
		const char *s;
		size_t len;

		if (json_in_string(json_in_get(v, strings[i].key), &s, &len))
			r = wire_take_text(s, len, own_string(out, i));
	}
	if (json_in_whole(json_in_get(v, "pid"), &pid) && pid > 0)
		out->pid = pid;
	return r;
}

bool wire_target_to_pb(const struct target *t, Meter__V1__Target *m)
{
	bool any = t->pid > 0;

	meter__v1__target__init(m);
	m->has_pid = any;
	m->pid = t->pid;
	for (size_t i = 0; i < STRINGS; i++) {
		char *s = *own_string((struct target *)t, i);

		if (!s || !*s)
			continue;
		*pb_string(m, i) = s;
		any = true;
	}
	return any;
}
