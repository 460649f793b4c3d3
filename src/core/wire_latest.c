#include <errno.h>

#include "json_out.h"
#include "query.pb-c.h"
#include "wire_internal.h"

static int encode_json(const struct latest_reply *r, struct buffer *out)
{
	struct json_out j = { .b = out };

	json_open(&j, NULL, '{');
	json_text(&j, "instance_id", r->instance_id);
	json_bool(&j, "tracked", r->tracked);
	if (r->has_sample)
		wire_sample_json(&j, "sample", &r->sample);
	json_close(&j, '}');
	return out->failed ? -ENOMEM : 0;
}

int wire_encode_latest_reply(enum encoding e, const struct latest_reply *r, struct buffer *out)
{
	Meter__V1__LatestReply m = METER__V1__LATEST_REPLY__INIT;
	Meter__V1__Sample sample;

	if (e == ENCODING_JSON)
		return encode_json(r, out);
	m.instance_id = (char *)r->instance_id;
	m.has_tracked = true;
	m.tracked = r->tracked;
	if (r->has_sample) {
		wire_sample_to_pb(&r->sample, &sample);
		m.sample = &sample;
	}
	return wire_pack(&m.base, out);
}

int wire_decode_latest_reply(const void *body, size_t len, struct latest_reply *out,
			     struct problem *p)
{
	ProtobufCMessage *base;
	Meter__V1__LatestReply *m;
	int r;

	*out = (struct latest_reply){ 0 };
	r = wire_unpack(&meter__v1__latest_reply__descriptor, body, len, &base, p);
	if (r != 0)
		return r;
	m = (Meter__V1__LatestReply *)base;
	r = wire_take_ident(m->instance_id, "instance_id", out->instance_id, p);
	if (r == 0 && m->sample)
		r = wire_sample_from_pb(m->sample, m->instance_id, &out->sample, p);
	if (r == 0) {
		out->tracked = m->tracked;
		out->has_sample = m->sample != NULL;
	} else {
		*out = (struct latest_reply){ 0 };
	}
	wire_free(base);
	return r;
}
