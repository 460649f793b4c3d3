#include <math.h>
#include <string.h>

#include "json_in.h"
#include "wire_internal.h"

/* What no machine has, and what leaves the arithmetic on bytes room to spare. */
#define MEMORY_MB_MAX (INT64_C(1) << 33)
#define NETWORK_MB_MAX 0x1p43
#define CPU_PERCENT_MAX 0x1p53

static int put_real(struct resource_usage *u, enum usage_has has, const char *field, double value,
		    double max, double *slot, struct problem *p)
{
	if (!isfinite(value) || value < 0 || value > max)
		return problem_set(p, PROBLEM_MALFORMED, "%s must be between 0 and %.0f", field,
				   max);
	*slot = value;
	u->has |= has;
	return 0;
}

static int put_mb(struct resource_usage *u, enum usage_has has, const char *field, int64_t value,
		  int64_t *slot, struct problem *p)
{
	if (value < 0 || value > MEMORY_MB_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "%s must be between 0 and %lld", field,
				   (long long)MEMORY_MB_MAX);
	*slot = value;
	u->has |= has;
	return 0;
}

/* The zero time of Go lies before 1970: it is as if nothing was said. */
static int put_time(struct resource_usage *u, const char *field, int64_t at_ms, struct problem *p)
{
	if (at_ms > TIME_MS_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "%s must not be after the year 9999",
				   field);
	u->at_ms = at_ms > 0 ? at_ms : 0;
	return 0;
}

static void put_incarnation(struct resource_usage *u, const char *s, size_t len)
{
	uint64_t hash = ident_hash(s, len);

	if (len > 0)
		u->incarnation = hash ? hash : 1;	/* 0 is taken: not said */
}

static int usage_from_pb(const Meter__V1__ResourceUsage *m, struct resource_usage *u,
			 struct problem *p)
{
	int r = 0;

	if (m->has_cpu_percent)
		r = put_real(u, USAGE_CPU_PERCENT, "cpu_percent", m->cpu_percent, CPU_PERCENT_MAX,
			     &u->cpu_percent, p);
	if (r == 0 && m->has_memory_used_mb)
		r = put_mb(u, USAGE_MEMORY_USED, "memory_used_mb", m->memory_used_mb,
			   &u->memory_used_mb, p);
	if (r == 0 && m->has_memory_limit_mb)
		r = put_mb(u, USAGE_MEMORY_LIMIT, "memory_limit_mb", m->memory_limit_mb,
			   &u->memory_limit_mb, p);
	if (r == 0 && m->has_network_in_mb)
		r = put_real(u, USAGE_NETWORK_IN, "network_in_mb", m->network_in_mb,
			     NETWORK_MB_MAX, &u->network_in_mb, p);
	if (r == 0 && m->has_network_out_mb)
		r = put_real(u, USAGE_NETWORK_OUT, "network_out_mb", m->network_out_mb,
			     NETWORK_MB_MAX, &u->network_out_mb, p);
	if (r == 0 && m->has_at_unix_ms)
		r = put_time(u, "at_unix_ms", m->at_unix_ms, p);
	if (r == 0 && m->incarnation)
		put_incarnation(u, m->incarnation, strlen(m->incarnation));
	return r;
}

static int take_real(const struct json_t *top, struct resource_usage *u, enum usage_has has,
		     const char *key, double max, double *slot, struct problem *p)
{
	const struct json_t *v = json_in_get(top, key);
	double value;

	if (!v)
		return 0;
	if (!json_in_double(v, &value))
		return problem_set(p, PROBLEM_MALFORMED, "%s must be a number", key);
	return put_real(u, has, key, value, max, slot, p);
}

static int take_mb(const struct json_t *top, struct resource_usage *u, enum usage_has has,
		   const char *key, int64_t *slot, struct problem *p)
{
	const struct json_t *v = json_in_get(top, key);
	int64_t value;

	if (!v)
		return 0;
	if (!json_in_whole(v, &value))
		return problem_set(p, PROBLEM_MALFORMED, "%s must be a whole number", key);
	return put_mb(u, has, key, value, slot, p);
}

static int take_time_and_incarnation(const struct json_t *top, struct resource_usage *u,
				     struct problem *p)
{
	const struct json_t *v = json_in_get(top, "at");
	const char *s;
	size_t len;
	int64_t at;
	int r = 0;

	if (v && !json_in_time(v, &at))
		return problem_set(p, PROBLEM_MALFORMED,
				   "at must be an RFC 3339 time or Unix milliseconds");
	if (v)
		r = put_time(u, "at", at, p);
	v = json_in_get(top, "incarnation");
	if (r != 0 || !v)
		return r;
	if (!json_in_string(v, &s, &len))
		return problem_set(p, PROBLEM_MALFORMED, "incarnation must be a string");
	put_incarnation(u, s, len);
	return 0;
}

static int usage_from_json(const struct json_t *top, struct resource_usage *u, struct problem *p)
{
	int r;

	r = take_real(top, u, USAGE_CPU_PERCENT, "cpu_percent", CPU_PERCENT_MAX,
		      &u->cpu_percent, p);
	if (r == 0)
		r = take_mb(top, u, USAGE_MEMORY_USED, "memory_used_mb", &u->memory_used_mb, p);
	if (r == 0)
		r = take_mb(top, u, USAGE_MEMORY_LIMIT, "memory_limit_mb", &u->memory_limit_mb, p);
	if (r == 0)
		r = take_real(top, u, USAGE_NETWORK_IN, "network_in_mb", NETWORK_MB_MAX,
			      &u->network_in_mb, p);
	if (r == 0)
		r = take_real(top, u, USAGE_NETWORK_OUT, "network_out_mb", NETWORK_MB_MAX,
			      &u->network_out_mb, p);
	if (r == 0)
		r = take_time_and_incarnation(top, u, p);
	return r;
}

int wire_decode_usage(enum encoding e, const void *body, size_t len, struct resource_usage *out,
		      struct problem *p)
{
	ProtobufCMessage *m;
	struct json_t *top;
	int r;

	*out = (struct resource_usage){ 0 };
	if (len == 0)
		return 0;
	if (e == ENCODING_JSON) {
		r = json_in_load(body, len, &top, p);
		if (r == 0)
			r = usage_from_json(top, out, p);
		json_in_free(top);
	} else {
		r = wire_unpack(&meter__v1__resource_usage__descriptor, body, len, &m, p);
		if (r == 0)
			r = usage_from_pb((Meter__V1__ResourceUsage *)m, out, p);
		wire_free(m);
	}
	if (r != 0)
		*out = (struct resource_usage){ 0 };
	return r;
}
