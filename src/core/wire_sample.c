#include <assert.h>
#include <string.h>

#include "json_out.h"
#include "wire_internal.h"

/* The seven metrics of the generated struct. Memory is whole bytes there, all else a double. */
static const struct metric_field {
	const char *name;
	size_t has;	/* of its protobuf_c_boolean */
	size_t value;	/* of its uint64_t or double */
	bool whole;
} fields[METRIC_COUNT] = {
#define FIELD(name, whole)                                                                         \
	{ #name, offsetof(Meter__V1__Sample, has_##name), offsetof(Meter__V1__Sample, name), whole }
	[METRIC_CPU_PERCENT] = FIELD(cpu_percent, false),
	[METRIC_MEMORY_USED] = FIELD(memory_used_bytes, true),
	[METRIC_MEMORY_LIMIT] = FIELD(memory_limit_bytes, true),
	[METRIC_NETWORK_IN] = FIELD(network_in_bytes_per_sec, false),
	[METRIC_NETWORK_OUT] = FIELD(network_out_bytes_per_sec, false),
	[METRIC_REQUESTS] = FIELD(requests_per_sec, false),
	[METRIC_LATENCY_P95] = FIELD(latency_p95_ms, false),
#undef FIELD
};

static bool readable(double value)
{
	return isfinite(value) && value >= 0;
}

/* readable() */
static uint64_t whole_bytes(double value)
{
	return value < 0x1p64 ? (uint64_t)value : UINT64_MAX;
}

void wire_sample_to_pb(const struct wire_sample *s, Meter__V1__Sample *m)
{
	meter__v1__sample__init(m);
	/* protobuf-c takes char *, and only reads. */
	m->instance_id = s->instance_id[0] ? (char *)s->instance_id : NULL;
	m->has_sequence = s->sequence != 0;
	m->sequence = s->sequence;
	m->has_at_unix_ms = true;
	m->at_unix_ms = s->sample.at_ms;
	m->has_final = s->final;
	m->final = s->final;
	for (int i = 0; i < METRIC_COUNT; i++) {
		double value = s->sample.value[i];
		uint64_t whole;

		if (!readable(value))
			continue;
		*(protobuf_c_boolean *)((char *)m + fields[i].has) = true;
		whole = whole_bytes(value);
		if (fields[i].whole)
			memcpy((char *)m + fields[i].value, &whole, sizeof whole);
		else
			memcpy((char *)m + fields[i].value, &value, sizeof value);
	}
}

static int take_metrics(const Meter__V1__Sample *m, struct sample *out, struct problem *p)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		double value = NAN;
		uint64_t whole;

		if (*(const protobuf_c_boolean *)((const char *)m + fields[i].has)) {
			memcpy(&whole, (const char *)m + fields[i].value, sizeof whole);
			memcpy(&value, (const char *)m + fields[i].value, sizeof value);
			if (fields[i].whole)
				value = (double)whole;
			if (!readable(value))
				return problem_set(p, PROBLEM_MALFORMED,
						   "%s must be finite and not negative",
						   fields[i].name);
		}
		out->value[i] = value;
	}
	return 0;
}

int wire_sample_from_pb(const Meter__V1__Sample *m, const char *default_id,
			struct wire_sample *out, struct problem *p)
{
	int r;

	*out = (struct wire_sample){ 0 };
	r = wire_take_ident(m->instance_id ? m->instance_id : default_id, "instance_id",
			    out->instance_id, p);
	if (r == 0)
		r = wire_take_time(m->has_at_unix_ms, m->at_unix_ms, "at_unix_ms",
				   &out->sample.at_ms, p);
	if (r == 0)
		r = take_metrics(m, &out->sample, p);
	if (r != 0) {
		*out = (struct wire_sample){ 0 };
		return r;
	}
	out->sequence = m->sequence;
	out->final = m->final;
	return 0;
}

size_t wire_encode_sample(const struct wire_sample *s, uint8_t out[WIRE_SAMPLE_MAX])
{
	Meter__V1__Sample m;

	wire_sample_to_pb(s, &m);
	assert(meter__v1__sample__get_packed_size(&m) <= WIRE_SAMPLE_MAX);
	return meter__v1__sample__pack(&m, out);
}

int wire_decode_sample(const void *body, size_t len, struct wire_sample *out, struct problem *p)
{
	ProtobufCMessage *m;
	int r;

	*out = (struct wire_sample){ 0 };
	r = wire_unpack(&meter__v1__sample__descriptor, body, len, &m, p);
	if (r != 0)
		return r;
	r = wire_sample_from_pb((Meter__V1__Sample *)m, NULL, out, p);
	wire_free(m);
	return r;
}

void wire_metrics_json(struct json_out *j, const double value[METRIC_COUNT])
{
	uint64_t bytes;

	if (readable(value[METRIC_CPU_PERCENT]))
		json_double(j, fields[METRIC_CPU_PERCENT].name, value[METRIC_CPU_PERCENT]);
	if (readable(value[METRIC_MEMORY_USED]))
		json_uint(j, "memory_used_mb", whole_bytes(value[METRIC_MEMORY_USED]) >> 20);
	if (readable(value[METRIC_MEMORY_LIMIT]))
		json_uint(j, "memory_limit_mb", whole_bytes(value[METRIC_MEMORY_LIMIT]) >> 20);
	for (int i = METRIC_MEMORY_USED; i < METRIC_COUNT; i++) {
		if (!readable(value[i]))
			continue;
		bytes = whole_bytes(value[i]);
		if (fields[i].whole)
			json_uint(j, fields[i].name, bytes);
		else
			json_double(j, fields[i].name, value[i]);
	}
}

void wire_sample_json(struct json_out *j, const char *key, const struct wire_sample *s)
{
	json_open(j, key, '{');
	if (s->sequence)
		json_uint(j, "sequence", s->sequence);
	json_time(j, "at", s->sample.at_ms);
	wire_metrics_json(j, s->sample.value);
	if (s->final)
		json_bool(j, "final", true);
	json_close(j, '}');
}
