/*
 * wire_target - where an instance can be read, as events and lists of instances say it.
 *
 * A control plane of many versions writes this: what cannot be used counts as not said, and the
 * rest still applies.
 */
#include <string.h>

#include "family.h"
#include "json_in.h"
#include "wire_internal.h"

static const struct target_field {
	const char *key;
	size_t pb;	/* of its char * in the generated struct */
	size_t own;	/* and in struct target */
	bool (*valid)(const char *s, size_t len);	/* beyond any text's; NULL = any is */
} strings[] = {
#define STRING(name, valid) \
	{ #name, offsetof(Meter__V1__Target, name), offsetof(struct target, name), valid }
	STRING(node, NULL),
	STRING(cgroup_path, NULL),
	STRING(container_id, NULL),
	STRING(container_name, NULL),
	STRING(metrics_url, NULL),
	STRING(workload_id, NULL),
	STRING(request_counter, family_name_valid),
	STRING(latency_histogram, family_name_valid),
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

/* What this field cannot be is left NULL. */
static int take_string(const char *s, size_t len, size_t i, struct target *out)
{
	if (strings[i].valid && !strings[i].valid(s, len))
		return 0;
	return wire_take_text(s, len, own_string(out, i));
}

int wire_target_from_pb(const Meter__V1__Target *m, struct target *out)
{
	int r = 0;

	*out = (struct target){ 0 };
	if (!m)
		return 0;
	for (size_t i = 0; r == 0 && i < STRINGS; i++) {
		const char *s = *pb_string((Meter__V1__Target *)m, i);

		if (s)
			r = take_string(s, strlen(s), i, out);
	}
	out->pid = m->pid > 0 ? m->pid : 0;
	if (family_quantile_valid(m->latency_quantile))
		out->latency_quantile = m->latency_quantile;
	return r;
}

int wire_target_from_json(const struct json_t *v, struct target *out)
{
	double quantile;
	int64_t pid;
	int r = 0;

	*out = (struct target){ 0 };
	for (size_t i = 0; r == 0 && i < STRINGS; i++) {
		const char *s;
		size_t len;

		if (json_in_string(json_in_get(v, strings[i].key), &s, &len))
			r = take_string(s, len, i, out);
	}
	if (json_in_whole(json_in_get(v, "pid"), &pid) && pid > 0)
		out->pid = pid;
	if (json_in_double(json_in_get(v, "latency_quantile"), &quantile) &&
	    family_quantile_valid(quantile))
		out->latency_quantile = quantile;
	return r;
}

bool wire_target_to_pb(const struct target *t, Meter__V1__Target *m)
{
	bool any = t->pid > 0 || t->latency_quantile != 0;

	meter__v1__target__init(m);
	m->has_pid = t->pid > 0;
	m->pid = t->pid;
	m->has_latency_quantile = t->latency_quantile != 0;
	m->latency_quantile = t->latency_quantile;
	for (size_t i = 0; i < STRINGS; i++) {
		char *s = *own_string((struct target *)t, i);

		if (!s || !*s)
			continue;
		*pb_string(m, i) = s;
		any = true;
	}
	return any;
}
