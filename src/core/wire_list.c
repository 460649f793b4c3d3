#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_in.h"
#include "json_out.h"
#include "query.pb-c.h"
#include "wire_internal.h"

#define TOKEN_RULE "empty, or " IDENT_RULE

/* Upper bounds in JSON of an entry without its strings, and of its sample; a test holds them. */
#define ENTRY_JSON_MAX 320
#define SAMPLE_JSON_MAX 560
/* A byte of a string at its worst: \u001f */
#define ESCAPED_MAX 6
/* Tag and length of an entry inside of its reply. */
#define ENTRY_PREFIX_MAX 6

/* --- request --- */

static int set_request(const char *token, size_t token_len, uint64_t limit,
		       struct list_request *out, struct problem *p)
{
	if (token_len > 0) {
		if (!ident_valid(token, token_len))
			return problem_set(p, PROBLEM_MALFORMED, "page_token must be " TOKEN_RULE);
		memcpy(out->page_token, token, token_len);
		out->page_token[token_len] = '\0';
	}
	out->limit = limit > LIST_LIMIT_MAX ? LIST_LIMIT_MAX : (uint32_t)limit;
	return 0;
}

static int request_from_pb(const void *body, size_t len, struct list_request *out,
			   struct problem *p)
{
	ProtobufCMessage *base;
	Meter__V1__ListRequest *m;
	int r;

	r = wire_unpack(&meter__v1__list_request__descriptor, body, len, &base, p);
	if (r != 0)
		return r;
	m = (Meter__V1__ListRequest *)base;
	r = set_request(m->page_token, m->page_token ? strlen(m->page_token) : 0, m->limit, out, p);
	wire_free(base);
	return r;
}

static int request_from_json(const void *body, size_t len, struct list_request *out,
			     struct problem *p)
{
	const struct json_t *v;
	struct json_t *top;
	const char *token = NULL;
	size_t token_len = 0;
	int64_t limit = 0;
	int r;

	r = json_in_load(body, len, &top, p);
	if (r != 0)
		return r;
	v = json_in_get(top, "page_token");
	if (v && !json_in_string(v, &token, &token_len))
		r = problem_set(p, PROBLEM_MALFORMED, "page_token must be a string");
	v = json_in_get(top, "limit");
	if (r == 0 && v && (!json_in_whole(v, &limit) || limit < 0))
		r = problem_set(p, PROBLEM_MALFORMED,
				"limit must be a whole number, not negative");
	if (r == 0)
		r = set_request(token, token_len, (uint64_t)limit, out, p);
	json_in_free(top);
	return r;
}

int wire_decode_list_request(enum encoding e, const void *body, size_t len,
			     struct list_request *out, struct problem *p)
{
	*out = (struct list_request){ 0 };
	if (len == 0)
		return 0;
	if (e == ENCODING_JSON)
		return request_from_json(body, len, out, p);
	return request_from_pb(body, len, out, p);
}

int wire_encode_list_request(const struct list_request *r, struct buffer *out)
{
	Meter__V1__ListRequest m = METER__V1__LIST_REQUEST__INIT;

	m.page_token = r->page_token[0] ? (char *)r->page_token : NULL;
	m.has_limit = r->limit != 0;
	m.limit = r->limit;
	return wire_pack(&m.base, out);
}

/* --- reply, out --- */

static char *said(const char *s)
{
	return s && *s ? (char *)s : NULL;
}

static void entry_to_pb(const struct list_entry *entry, Meter__V1__ListEntry *m,
			Meter__V1__Sample *latest)
{
	meter__v1__list_entry__init(m);
	m->instance_id = said(entry->instance_id);
	m->has_tracked_since_unix_ms = entry->tracked_since_ms != 0;
	m->tracked_since_unix_ms = entry->tracked_since_ms;
	m->has_samples = true;
	m->samples = entry->samples;
	if (entry->has_latest) {
		wire_sample_to_pb(&entry->latest, latest);
		m->latest = latest;
	}
	m->tenant_id = said(entry->tenant_id);
	m->workload_id = said(entry->workload_id);
	m->source = said(entry->source);
	m->last_error = said(entry->last_error);
	m->has_last_error_unix_ms = entry->last_error_ms != 0;
	m->last_error_unix_ms = entry->last_error_ms;
	m->request_family = said(entry->request_family);
	m->latency_family = said(entry->latency_family);
}

static int reply_to_pb(const struct list_reply *r, struct buffer *out)
{
	struct entry_pb {
		Meter__V1__ListEntry m;
		Meter__V1__Sample latest;
	} *entries = NULL;
	Meter__V1__ListReply m = METER__V1__LIST_REPLY__INIT;
	Meter__V1__ListEntry **list = NULL;
	int result = -ENOMEM;

	if (r->n_entries > 0) {
		entries = calloc(r->n_entries, sizeof *entries);
		list = calloc(r->n_entries, sizeof(Meter__V1__ListEntry *));
		if (!entries || !list)
			goto out;
	}
	for (size_t i = 0; i < r->n_entries; i++) {
		entry_to_pb(&r->entries[i], &entries[i].m, &entries[i].latest);
		list[i] = &entries[i].m;
	}
	m.n_instances = r->n_entries;
	m.instances = list;
	m.next_page_token = said(r->next_page_token);
	m.has_total = true;
	m.total = r->total;
	m.node = said(r->node);
	result = wire_pack(&m.base, out);
out:
	free(list);
	free(entries);
	return result;
}

static void said_json(struct json_out *j, const char *key, const char *value)
{
	if (said(value))
		json_text(j, key, value);
}

static void entry_json(struct json_out *j, const struct list_entry *entry)
{
	json_open(j, NULL, '{');
	said_json(j, "instance_id", entry->instance_id);
	if (entry->tracked_since_ms != 0)
		json_time(j, "tracked_since", entry->tracked_since_ms);
	json_uint(j, "samples", entry->samples);
	if (entry->has_latest)
		wire_sample_json(j, "latest", &entry->latest);
	said_json(j, "tenant_id", entry->tenant_id);
	said_json(j, "workload_id", entry->workload_id);
	said_json(j, "source", entry->source);
	said_json(j, "last_error", entry->last_error);
	if (entry->last_error_ms != 0)
		json_time(j, "last_error_at", entry->last_error_ms);
	said_json(j, "request_family", entry->request_family);
	said_json(j, "latency_family", entry->latency_family);
	json_close(j, '}');
}

int wire_encode_list_reply(enum encoding e, const struct list_reply *r, struct buffer *out)
{
	struct json_out j = { .b = out };

	if (e == ENCODING_PROTOBUF)
		return reply_to_pb(r, out);
	json_open(&j, NULL, '{');
	json_open(&j, "instances", '[');
	for (size_t i = 0; i < r->n_entries; i++)
		entry_json(&j, &r->entries[i]);
	json_close(&j, ']');
	said_json(&j, "next_page_token", r->next_page_token);
	json_uint(&j, "total", r->total);
	said_json(&j, "node", r->node);
	json_close(&j, '}');
	return out->failed ? -ENOMEM : 0;
}

size_t wire_list_entry_size(enum encoding e, const struct list_entry *entry)
{
	const char *const strings[] = { entry->tenant_id,      entry->workload_id,
					entry->source,	       entry->last_error,
					entry->request_family, entry->latency_family };
	Meter__V1__ListEntry m;
	Meter__V1__Sample latest;
	size_t size;

	if (e == ENCODING_PROTOBUF) {
		entry_to_pb(entry, &m, &latest);
		return meter__v1__list_entry__get_packed_size(&m) + ENTRY_PREFIX_MAX;
	}
	/* The id is an ident: nothing in it is escaped. */
	size = ENTRY_JSON_MAX + strlen(entry->instance_id);
	if (entry->has_latest)
		size += SAMPLE_JSON_MAX;
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		size += strings[i] ? ESCAPED_MAX * strlen(strings[i]) : 0;
	return size;
}

/* --- reply, in --- */

/*
 * Of strings that others chose, and that end up on somebody's terminal: control characters become
 * '?', those of U+0080 to U+009f (c2 80 to c2 9f) too. Empty is absent.
 */
static const char *printable(char *s)
{
	if (!s || !*s)
		return NULL;
	for (unsigned char *c = (unsigned char *)s; *c; c++) {
		if (*c < 0x20 || *c == 0x7f) {
			*c = '?';
		} else if (c[0] == 0xc2 && c[1] < 0xa0) {
			*c++ = '?';
			*c = '?';
		}
	}
	return s;
}

static int entry_from_pb(Meter__V1__ListEntry *m, struct list_entry *out, struct problem *p)
{
	char id[IDENT_MAX + 1];
	int r;

	r = wire_take_ident(m->instance_id, "instance_id", id, p);
	if (r == 0)
		r = wire_take_time(m->has_tracked_since_unix_ms, m->tracked_since_unix_ms,
				   "tracked_since_unix_ms", &out->tracked_since_ms, p);
	if (r == 0)
		r = wire_take_time(m->has_last_error_unix_ms, m->last_error_unix_ms,
				   "last_error_unix_ms", &out->last_error_ms, p);
	if (r == 0 && m->latest)
		r = wire_sample_from_pb(m->latest, id, &out->latest, p);
	if (r != 0)
		return r;
	out->has_latest = m->latest != NULL;
	out->instance_id = m->instance_id;
	out->samples = m->samples;
	out->tenant_id = printable(m->tenant_id);
	out->workload_id = printable(m->workload_id);
	out->source = printable(m->source);
	out->last_error = printable(m->last_error);
	out->request_family = printable(m->request_family);
	out->latency_family = printable(m->latency_family);
	return 0;
}

static int reply_from_pb(Meter__V1__ListReply *m, struct list_reply *out, struct problem *p)
{
	char token[IDENT_MAX + 1];
	int r;

	if (said(m->next_page_token)) {
		r = wire_take_ident(m->next_page_token, "next_page_token", token, p);
		if (r != 0)
			return r;
		out->next_page_token = m->next_page_token;
	}
	out->total = m->total;
	out->node = printable(m->node);
	if (m->n_instances == 0)
		return 0;
	out->entries = calloc(m->n_instances, sizeof *out->entries);
	if (!out->entries)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_instances; i++) {
		r = entry_from_pb(m->instances[i], &out->entries[i], p);
		if (r != 0)
			return r;
	}
	out->n_entries = m->n_instances;
	return 0;
}

int wire_decode_list_reply(const void *body, size_t len, struct list_reply *out,
			   struct problem *p)
{
	ProtobufCMessage *m;
	int r;

	*out = (struct list_reply){ 0 };
	r = wire_unpack(&meter__v1__list_reply__descriptor, body, len, &m, p);
	if (r != 0)
		return r;
	/* The strings stay where protobuf-c put them. */
	out->memory = m;
	r = reply_from_pb((Meter__V1__ListReply *)m, out, p);
	if (r != 0)
		wire_list_reply_clear(out);
	return r;
}

void wire_list_reply_clear(struct list_reply *r)
{
	free(r->entries);
	wire_free(r->memory);
	*r = (struct list_reply){ 0 };
}
