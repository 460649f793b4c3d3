/*
 * wire_internal - what the wire_*.c share. Nothing else includes it.
 *
 * Decoding protobuf is: wire_unpack(), then the wire_take_*() of each field. Results are three-way,
 * as in problem.h.
 */
#ifndef METER_WIRE_INTERNAL_H
#define METER_WIRE_INTERNAL_H

#include <protobuf-c/protobuf-c.h>

#include "lifecycle.pb-c.h"
#include "sample.pb-c.h"
#include "timefmt.h"
#include "wire.h"

struct json_out;
struct json_t;

/* Messages of ours nest three deep; a descriptor that goes deeper is refused. */
#define WIRE_DEPTH_MAX 8
/* protobuf-c copies each unknown field; so many are borne with in one body. */
#define WIRE_UNKNOWN_MAX 65536
/* One page of the control plane. */
#define WIRE_LISTED_MAX 65536
/*
 * Times in replies are within this. Alignment and the default window may take them out of the years
 * 1970 to 9999; what is far outside would only overflow somebody's arithmetic.
 */
#define WIRE_TIME_REACH_MS (2 * TIME_MS_MAX)

/*
 * Is this a valid message of type d? protobuf-c checks neither UTF-8 nor embedded NUL (its strings
 * have no length) nor enum values, and allocates what the bytes ask for: all of that is looked at
 * here, without allocating.
 */
int wire_check(const ProtobufCMessageDescriptor *d, const void *body, size_t len,
	       struct problem *p);

/* Checks and unpacks. On 0 *out is for wire_free(). */
int wire_unpack(const ProtobufCMessageDescriptor *d, const void *body, size_t len,
		ProtobufCMessage **out, struct problem *p);
void wire_free(ProtobufCMessage *m);	/* NULL is fine */
int wire_pack(const ProtobufCMessage *m, struct buffer *out);

/* s may be NULL, which is no id. */
int wire_take_ident(const char *s, const char *field, char out[IDENT_MAX + 1], struct problem *p);
/* 0 where absent. */
int wire_take_time(bool has, int64_t unix_ms, const char *field, int64_t *out,
		   struct problem *p);

/*
 * Copies a string that somebody else chose into *out. One that is absent, empty, longer than
 * TARGET_STRING_MAX or has control characters leaves *out NULL: it is ignored. 0 or -ENOMEM.
 */
int wire_take_text(const char *s, size_t len, char **out);

void wire_sample_to_pb(const struct wire_sample *s, Meter__V1__Sample *m);	/* borrows the id */
/*
 * default_id, when not NULL, stands in for an absent instance_id: samples inside of a reply may
 * leave it out.
 */
int wire_sample_from_pb(const Meter__V1__Sample *m, const char *default_id,
			struct wire_sample *out, struct problem *p);
/* "key":{...} with sequence, without instance_id. */
void wire_sample_json(struct json_out *j, const char *key, const struct wire_sample *s);

/* What cannot be used is ignored. *out is zeroed before; on -ENOMEM the caller clears it. */
int wire_target_from_pb(const Meter__V1__Target *m, struct target *out);
int wire_target_from_json(const struct json_t *v, struct target *out);
/* Borrows the strings. false when nothing is set. */
bool wire_target_to_pb(const struct target *t, Meter__V1__Target *m);

int wire_range_request_from_json(const void *body, size_t len, struct range_request *out,
				 struct problem *p);
void wire_range_reply_json(const struct range_reply *r, struct buffer *out);

#endif
