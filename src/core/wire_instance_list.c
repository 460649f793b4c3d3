#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_in.h"
#include "wire_internal.h"

int wire_encode_instance_list_request(const char *page_token, uint32_t limit, struct buffer *out)
{
	Meter__V1__InstanceListRequest m = METER__V1__INSTANCE_LIST_REQUEST__INIT;

	m.page_token = page_token && *page_token ? (char *)page_token : NULL;
	m.has_limit = limit != 0;
	m.limit = limit;
	return wire_pack(&m.base, out);
}

static int take_id(const char *s, size_t len, struct listed_instance *out, struct problem *p)
{
	if (!s || !ident_valid(s, len))
		return problem_set(p, PROBLEM_MALFORMED,
				   "instances: each instance_id must be " IDENT_RULE);
	memcpy(out->instance_id, s, len);
	return 0;
}

/* Entries are counted once they are zeroed: the list can be cleared at any time. */
static int make_room(struct instance_list *l, size_t n)
{
	if (n == 0)
		return 0;
	l->instances = calloc(n, sizeof *l->instances);
	if (!l->instances)
		return -ENOMEM;
	l->n_instances = n;
	return 0;
}

static int list_from_pb(const Meter__V1__InstanceList *m, struct instance_list *out,
			struct problem *p)
{
	int r = make_room(out, m->n_instances);

	for (size_t i = 0; r == 0 && i < m->n_instances; i++) {
		const Meter__V1__InstanceList__Instance *from = m->instances[i];
		struct listed_instance *to = &out->instances[i];
		const char *id = from->instance_id;
		const char *tenant = from->tenant_id;

		r = take_id(id, id ? strlen(id) : 0, to, p);
		if (r == 0)
			r = wire_take_text(tenant, tenant ? strlen(tenant) : 0, &to->tenant_id);
		if (r == 0)
			r = wire_target_from_pb(from->target, &to->target);
	}
	if (r != 0 || !m->next_page_token || !*m->next_page_token)
		return r;
	out->next_page_token = strdup(m->next_page_token);
	return out->next_page_token ? 0 : -ENOMEM;
}

static int instance_from_json(const struct json_t *v, struct listed_instance *to,
			      struct problem *p)
{
	const char *s = NULL;
	size_t len = 0;
	int r;

	json_in_string(json_in_get(v, "instance_id"), &s, &len);
	r = take_id(s, len, to, p);
	if (r == 0 && json_in_string(json_in_get(v, "tenant_id"), &s, &len))
		r = wire_take_text(s, len, &to->tenant_id);
	if (r == 0)
		r = wire_target_from_json(json_in_get(v, "target"), &to->target);
	return r;
}

/*
 * Absent and null are how an empty list is written by some. But an object that says something else
 * instead, such as {"error":…}, is no list: to take it for an empty one would untrack everything.
 */
static int check_instances(const struct json_t *top, const struct json_t *list, size_t *n,
			   struct problem *p)
{
	*n = 0;
	if (json_in_is_null(list))
		return 0;
	if (!list && json_in_keys(top) == (json_in_get(top, "next_page_token") ? 1 : 0))
		return 0;
	if (!json_in_array(list, n))
		return problem_set(p, PROBLEM_MALFORMED, "instances must be an array");
	if (*n > WIRE_LISTED_MAX)
		return problem_set(p, PROBLEM_MALFORMED,
				   "instances must have at most %d elements", WIRE_LISTED_MAX);
	return 0;
}

static int take_token(const struct json_t *v, char **out, struct problem *p)
{
	const char *s;
	size_t len;

	if (!v || json_in_is_null(v))
		return 0;
	if (!json_in_string(v, &s, &len) || memchr(s, '\0', len))
		return problem_set(p, PROBLEM_MALFORMED, "next_page_token must be a string");
	if (len == 0)
		return 0;
	*out = strndup(s, len);
	return *out ? 0 : -ENOMEM;
}

static int list_from_json(const struct json_t *top, struct instance_list *out, struct problem *p)
{
	const struct json_t *list = json_in_get(top, "instances");
	size_t n;
	int r;

	r = check_instances(top, list, &n, p);
	if (r == 0)
		r = make_room(out, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = instance_from_json(json_in_item(list, i), &out->instances[i], p);
	if (r == 0)
		r = take_token(json_in_get(top, "next_page_token"), &out->next_page_token, p);
	return r;
}

int wire_decode_instance_list(enum encoding e, const void *body, size_t len,
			      struct instance_list *out, struct problem *p)
{
	ProtobufCMessage *m;
	struct json_t *top;
	int r;

	*out = (struct instance_list){ 0 };
	if (e == ENCODING_JSON) {
		r = json_in_load(body, len, &top, p);
		if (r == 0)
			r = list_from_json(top, out, p);
		json_in_free(top);
	} else {
		r = wire_unpack(&meter__v1__instance_list__descriptor, body, len, &m, p);
		if (r == 0)
			r = list_from_pb((Meter__V1__InstanceList *)m, out, p);
		wire_free(m);
	}
	if (r != 0)
		wire_instance_list_clear(out);
	return r;
}

void wire_instance_list_clear(struct instance_list *l)
{
	for (size_t i = 0; i < l->n_instances; i++) {
		free(l->instances[i].tenant_id);
		target_clear(&l->instances[i].target);
	}
	free(l->instances);
	free(l->next_page_token);
	*l = (struct instance_list){ 0 };
}
