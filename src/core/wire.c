/*
 * wire - which encoding a body has, and the small things that all messages share.
 */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire_internal.h"

static const char *const aggregate_names[AGGREGATE_COUNT] = {
	[AGGREGATE_MEAN] = "mean",
	[AGGREGATE_MIN] = "min",
	[AGGREGATE_MAX] = "max",
	[AGGREGATE_LAST] = "last",
};

/* Is application/json among the media types of this header? Their parameters do not matter. */
static bool names_json(const char *header)
{
	const size_t json_len = strlen(CONTENT_TYPE_JSON);
	const char *s = header;

	while (s) {
		size_t len;

		s += strspn(s, " \t");
		len = strcspn(s, " \t;,");
		if (len == json_len && strncasecmp(s, CONTENT_TYPE_JSON, len) == 0)
			return true;
		s = strchr(s, ',');
		if (s)
			s++;
	}
	return false;
}

enum encoding wire_encoding(const char *content_type, const char *accept, const void *body,
			    size_t len)
{
	bool json;

	if (content_type && !*content_type)
		content_type = NULL;
	if (len == 0)
		json = (accept && names_json(accept)) || (content_type && names_json(content_type));
	else if (content_type)
		json = names_json(content_type);
	else
		json = *(const uint8_t *)body == '{';
	return json ? ENCODING_JSON : ENCODING_PROTOBUF;
}

const char *wire_content_type(enum encoding e)
{
	return e == ENCODING_JSON ? CONTENT_TYPE_JSON : CONTENT_TYPE_PROTOBUF;
}

bool aggregate_parse(const char *name, size_t len, enum aggregate *out)
{
	for (size_t i = 0; i < AGGREGATE_COUNT; i++) {
		if (strlen(aggregate_names[i]) == len && !memcmp(name, aggregate_names[i], len)) {
			*out = (enum aggregate)i;
			return true;
		}
	}
	return false;
}

const char *aggregate_name(enum aggregate a)
{
	return aggregate_names[a];
}

int wire_pack(const ProtobufCMessage *m, struct buffer *out)
{
	size_t size = protobuf_c_message_get_packed_size(m);
	uint8_t *at;

	if (size == 0)
		return out->failed ? -ENOMEM : 0;
	at = buffer_reserve(out, size);
	if (!at)
		return -ENOMEM;
	out->len += protobuf_c_message_pack(m, at);
	return 0;
}

static void *unpack_alloc(void *failed, size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		*(bool *)failed = true;
	return memory;
}

static void unpack_free(void *failed, void *memory)
{
	(void)failed;
	free(memory);
}

int wire_unpack(const ProtobufCMessageDescriptor *d, const void *body, size_t len,
		ProtobufCMessage **out, struct problem *p)
{
	bool failed = false;
	/* malloc() and free() in the end: whoever has the message need not know of this one. */
	ProtobufCAllocator allocator = { unpack_alloc, unpack_free, &failed };
	int r;

	*out = NULL;
	r = wire_check(d, body, len, p);
	if (r != 0)
		return r;
	*out = protobuf_c_message_unpack(d, &allocator, len, body);
	if (*out)
		return 0;
	if (failed)
		return -ENOMEM;
	return problem_set(p, PROBLEM_MALFORMED, "the body is not a valid %s", d->name);
}

void wire_free(ProtobufCMessage *m)
{
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

int wire_take_ident(const char *s, const char *field, char out[IDENT_MAX + 1], struct problem *p)
{
	size_t len = s ? strlen(s) : 0;

	if (!s || !ident_valid(s, len))
		return problem_set(p, PROBLEM_MALFORMED, "%s must be " IDENT_RULE, field);
	memcpy(out, s, len + 1);
	return 0;
}

int wire_take_time(bool has, int64_t unix_ms, const char *field, int64_t *out,
		   struct problem *p)
{
	if (has && (unix_ms < -WIRE_TIME_REACH_MS || unix_ms > WIRE_TIME_REACH_MS))
		return problem_set(p, PROBLEM_MALFORMED, "%s must be a Unix time in milliseconds",
				   field);
	*out = has ? unix_ms : 0;
	return 0;
}

static bool has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return true;
	}
	return false;
}

int wire_take_text(const char *s, size_t len, char **out)
{
	if (!s || len == 0 || len > TARGET_STRING_MAX || has_control(s, len))
		return 0;
	*out = strndup(s, len);
	return *out ? 0 : -ENOMEM;
}
