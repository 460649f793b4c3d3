/*
 * wire_check - walks the raw bytes of a protobuf message along its descriptor, before protobuf-c
 * does.
 *
 * What passes here protobuf-c unpacks: it may only fail for want of memory.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "query.pb-c.h"
#include "utf8.h"
#include "wire_internal.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* Zeros may pad a number; but protobuf-c reads only so much of a tag and of a length. */
#define VARINT_BYTES_MAX 10
#define TAG_BYTES_MAX 5
/* More fields than any message has. */
#define FIELDS_MAX 16

struct walk {
	const uint8_t *at;
	const uint8_t *end;
};

struct token {
	uint32_t field;
	enum wire_type type;
	uint64_t varint;	/* WIRE_VARINT */
	const uint8_t *bytes;	/* all others */
	size_t len;
};

struct check {
	const ProtobufCMessageDescriptor *top;
	size_t unknown;
	struct problem *p;
};

/*
 * What each repeated field of a message may hold: a few bytes must not make protobuf-c allocate
 * without bound.
 */
static const struct bound {
	const ProtobufCMessageDescriptor *message;
	size_t max;
} bounds[] = {
	{ &meter__v1__range_request__descriptor, AGGREGATE_COUNT },
	{ &meter__v1__range_reply__descriptor, AGGREGATE_COUNT },
	{ &meter__v1__series__descriptor, RANGE_BUCKETS_MAX },
	{ &meter__v1__list_reply__descriptor, LIST_LIMIT_MAX },
	{ &meter__v1__instance_list__descriptor, WIRE_LISTED_MAX },
};

static size_t elements_max(const ProtobufCMessageDescriptor *d)
{
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
		if (bounds[i].message == d)
			return bounds[i].max;
	}
	return 0;
}

/* At most so many bytes, and no bit past the 64th. */
static bool read_varint(struct walk *w, unsigned bytes_max, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 7 * bytes_max && w->at < w->end; shift += 7) {
		uint8_t byte = *w->at++;

		if (shift == 63 && byte > 1)
			return false;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = v;
			return true;
		}
	}
	return false;
}

static bool read_token(struct walk *w, struct token *t)
{
	uint64_t v;

	if (!read_varint(w, TAG_BYTES_MAX, &v) || v > UINT32_MAX || v >> 3 == 0)
		return false;
	*t = (struct token){ .field = (uint32_t)(v >> 3), .type = (enum wire_type)(v & 7) };
	switch (t->type) {
	case WIRE_VARINT:
		return read_varint(w, VARINT_BYTES_MAX, &t->varint);
	case WIRE_FIXED64:
		v = 8;
		break;
	case WIRE_FIXED32:
		v = 4;
		break;
	case WIRE_BYTES:
		if (!read_varint(w, TAG_BYTES_MAX, &v))
			return false;
		break;
	default:	/* groups, which no message here has, and types that do not exist */
		return false;
	}
	if (v > (size_t)(w->end - w->at))
		return false;
	t->bytes = w->at;
	t->len = (size_t)v;
	w->at += t->len;
	return true;
}

static int malformed(struct check *c)
{
	return problem_set(c->p, PROBLEM_MALFORMED, "the body is not a valid %s", c->top->name);
}

static int wrong_type(struct check *c, const ProtobufCFieldDescriptor *f)
{
	static const char *const names[] = {
		[PROTOBUF_C_TYPE_INT64] = "an int64",	[PROTOBUF_C_TYPE_UINT32] = "a uint32",
		[PROTOBUF_C_TYPE_UINT64] = "a uint64",	[PROTOBUF_C_TYPE_DOUBLE] = "a double",
		[PROTOBUF_C_TYPE_BOOL] = "a bool",	[PROTOBUF_C_TYPE_ENUM] = "an enum",
		[PROTOBUF_C_TYPE_STRING] = "a string",	[PROTOBUF_C_TYPE_MESSAGE] = "a message",
	};
	const char *name = (size_t)f->type < sizeof names / sizeof names[0] ? names[f->type] : NULL;

	return problem_set(c->p, PROBLEM_MALFORMED, "%s must be %s", f->name,
			   name ? name : "of its type");
}

static int check_enum(struct check *c, const ProtobufCFieldDescriptor *f, uint64_t v)
{
	const ProtobufCEnumDescriptor *d = f->descriptor;
	char list[PROBLEM_TEXT_MAX / 2] = "";
	size_t used = 0;

	/* All 64 bits count: protobuf-c would cut 2^32 to 0. */
	if (v <= INT32_MAX && protobuf_c_enum_descriptor_get_value(d, (int)v))
		return 0;
	for (unsigned i = 0; i < d->n_values; i++) {
		const char *name = d->values[i].name;

		if (used + strlen(name) + 3 > sizeof list)
			break;
		if (i > 0)
			used = (size_t)(stpcpy(list + used, ", ") - list);
		used = (size_t)(stpcpy(list + used, name) - list);
	}
	return problem_set(c->p, PROBLEM_MALFORMED, "%s must be one of %s", f->name, list);
}

static int check_number(struct check *c, const ProtobufCFieldDescriptor *f, uint64_t v)
{
	if (f->type == PROTOBUF_C_TYPE_ENUM)
		return check_enum(c, f, v);
	if (f->type == PROTOBUF_C_TYPE_UINT32 && v > UINT32_MAX)
		return wrong_type(c, f);
	return 0;
}

/* The wire type of a single value. */
static enum wire_type type_on_wire(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		return WIRE_VARINT;
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_FIXED64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_BYTES;
	default:	/* our own mistake: a new field of a type that none had */
		abort();
	}
}

static int check_packed(struct check *c, const ProtobufCFieldDescriptor *f, const struct token *t,
			size_t *n)
{
	struct walk w = { t->bytes, t->bytes + t->len };
	uint64_t v;
	int r;

	if (type_on_wire(f->type) == WIRE_FIXED64) {
		*n = t->len / 8;
		return t->len % 8 == 0 ? 0 : wrong_type(c, f);
	}
	for (*n = 0; w.at < w.end; (*n)++) {
		if (!read_varint(&w, VARINT_BYTES_MAX, &v))
			return malformed(c);
		r = check_number(c, f, v);
		if (r != 0)
			return r;
	}
	return 0;
}

static int check_message(struct check *c, const ProtobufCMessageDescriptor *d, const uint8_t *body,
			 size_t len, int depth);

/* *n is how many values stand here. */
static int check_field(struct check *c, const ProtobufCFieldDescriptor *f, const struct token *t,
		       int depth, size_t *n)
{
	enum wire_type type = type_on_wire(f->type);

	*n = 1;
	if (f->label == PROTOBUF_C_LABEL_REPEATED && type != WIRE_BYTES && t->type == WIRE_BYTES)
		return check_packed(c, f, t, n);
	if (t->type != type)
		return wrong_type(c, f);
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return check_message(c, f->descriptor, t->bytes, t->len, depth + 1);
	if (f->type == PROTOBUF_C_TYPE_STRING && !utf8_valid(t->bytes, t->len))
		return problem_set(c->p, PROBLEM_MALFORMED, "%s must be UTF-8 without NUL",
				   f->name);
	if (type == WIRE_VARINT)
		return check_number(c, f, t->varint);
	return 0;
}

static int check_message(struct check *c, const ProtobufCMessageDescriptor *d, const uint8_t *body,
			 size_t len, int depth)
{
	struct walk w = { body, body + len };
	size_t count[FIELDS_MAX] = { 0 };
	struct token t;
	int r;

	assert(d->n_fields <= FIELDS_MAX);
	if (depth >= WIRE_DEPTH_MAX)
		return malformed(c);
	while (w.at < w.end) {
		const ProtobufCFieldDescriptor *f;
		size_t n, max;

		if (!read_token(&w, &t))
			return malformed(c);
		f = protobuf_c_message_descriptor_get_field(d, t.field);
		if (!f) {
			if (++c->unknown > WIRE_UNKNOWN_MAX)
				return malformed(c);
			continue;
		}
		r = check_field(c, f, &t, depth, &n);
		if (r != 0)
			return r;
		if (f->label != PROTOBUF_C_LABEL_REPEATED)
			continue;
		max = elements_max(d);
		if (n > max - count[f - d->fields])
			return problem_set(c->p, PROBLEM_MALFORMED,
					   "%s must have at most %zu elements", f->name, max);
		count[f - d->fields] += n;
	}
	return 0;
}

int wire_check(const ProtobufCMessageDescriptor *d, const void *body, size_t len,
	       struct problem *p)
{
	struct check c = { .top = d, .p = p };

	return len == 0 ? 0 : check_message(&c, d, body, len, 0);
}
