#include <stdio.h>
#include <string.h>

#include "json_in.h"
#include "wire_internal.h"

#define EVENT_TYPE_SIZE 64

static int set_id(const char *s, size_t len, struct lifecycle_event *out, struct problem *p)
{
	if (!s || !ident_valid(s, len))
		return problem_set(p, PROBLEM_MALFORMED, "instance_id must be " IDENT_RULE);
	memcpy(out->instance_id, s, len);
	return 0;
}

static int missing_type(struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED,
			   "type must be a string such as \"instance.created\"");
}

static int event_from_pb(const Meter__V1__LifecycleEvent *m, struct lifecycle_event *out,
			 struct problem *p)
{
	int r;

	if (!m->type)
		return missing_type(p);
	out->type = event_type_parse(m->type, strlen(m->type));
	r = set_id(m->instance_id, m->instance_id ? strlen(m->instance_id) : 0, out, p);
	if (r != 0)
		return r;
	out->at_ms = m->timestamp_unix_ms > 0 ? m->timestamp_unix_ms : 0;
	r = wire_take_text(m->tenant_id, m->tenant_id ? strlen(m->tenant_id) : 0, &out->tenant_id);
	if (r == 0)
		r = wire_target_from_pb(m->target, &out->target);
	return r;
}

static int event_from_json(const struct json_t *top, struct lifecycle_event *out,
			   struct problem *p)
{
	const char *s = NULL;
	size_t len = 0;
	int64_t at;
	int r;

	if (!json_in_string(json_in_get(top, "type"), &s, &len))
		return missing_type(p);
	out->type = event_type_parse(s, len);
	s = NULL;
	json_in_string(json_in_get(top, "instance_id"), &s, &len);
	r = set_id(s, len, out, p);
	if (r != 0)
		return r;
	/* The zero time of Go lies before 1970. */
	if (json_in_time(json_in_get(top, "timestamp"), &at) && at > 0)
		out->at_ms = at;
	if (json_in_string(json_in_get(top, "tenant_id"), &s, &len)) {
		r = wire_take_text(s, len, &out->tenant_id);
		if (r != 0)
			return r;
	}
	return wire_target_from_json(json_in_get(top, "payload"), &out->target);
}

int wire_decode_event(enum encoding e, const void *body, size_t len, struct lifecycle_event *out,
		      struct problem *p)
{
	ProtobufCMessage *m;
	struct json_t *top;
	int r;

	*out = (struct lifecycle_event){ 0 };
	if (e == ENCODING_JSON) {
		r = json_in_load(body, len, &top, p);
		if (r == 0)
			r = event_from_json(top, out, p);
		json_in_free(top);
	} else {
		r = wire_unpack(&meter__v1__lifecycle_event__descriptor, body, len, &m, p);
		if (r == 0)
			r = event_from_pb((Meter__V1__LifecycleEvent *)m, out, p);
		wire_free(m);
	}
	if (r != 0)
		lifecycle_event_clear(out);
	return r;
}

int wire_encode_event(const struct lifecycle_event *ev, const char *event_id, const char *actor_id,
		      struct buffer *out)
{
	Meter__V1__LifecycleEvent m = METER__V1__LIFECYCLE_EVENT__INIT;
	Meter__V1__Target target;
	const char *name = event_type_name(ev->type);
	char type[EVENT_TYPE_SIZE];

	/* The name of a type that is of no concern here was not kept. */
	snprintf(type, sizeof type, "instance.%s", name ? name : "other");
	m.id = (char *)event_id;
	m.type = type;
	m.tenant_id = ev->tenant_id;
	m.instance_id = (char *)ev->instance_id;
	m.actor_id = (char *)actor_id;
	m.has_timestamp_unix_ms = ev->at_ms != 0;
	m.timestamp_unix_ms = ev->at_ms;
	if (wire_target_to_pb(&ev->target, &target))
		m.target = &target;
	return wire_pack(&m.base, out);
}
