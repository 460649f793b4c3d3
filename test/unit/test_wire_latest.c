#include "test_wire.h"

static void round_trip(const struct latest_reply *r, const char *json)
{
	struct latest_reply back;
	struct buffer out = { 0 };
	struct problem p;

	assert_int_equal(wire_encode_latest_reply(ENCODING_PROTOBUF, r, &out), 0);
	assert_result(wire_decode_latest_reply(out.data, out.len, &back, &p), 0, &p, NULL);
	assert_string_equal(back.instance_id, r->instance_id);
	assert_int_equal(back.tracked, r->tracked);
	assert_int_equal(back.has_sample, r->has_sample);
	if (r->has_sample)
		assert_same_sample(&back.sample, &r->sample);
	buffer_clear(&out);
	assert_int_equal(wire_encode_latest_reply(ENCODING_JSON, r, &out), 0);
	assert_text(&out, json);
	buffer_clear(&out);
}

static void round_trips(void **state)
{
	struct latest_reply r = { .instance_id = "inst_1" };

	(void)state;
	round_trip(&r, "{\"instance_id\":\"inst_1\",\"tracked\":false}");
	r.tracked = true;
	round_trip(&r, "{\"instance_id\":\"inst_1\",\"tracked\":true}");
	r.has_sample = true;
	r.sample = sample_of("inst_1");
	round_trip(&r, "{\"instance_id\":\"inst_1\",\"tracked\":true,\"sample\":{\"sequence\":300,"
		   "\"at\":\"2026-11-21T07:20:00.000Z\",\"cpu_percent\":12.5,"
		   "\"memory_used_mb\":100,\"memory_used_bytes\":104857600,"
		   "\"network_out_bytes_per_sec\":1024.25}}");
}

static const struct decode_case {
	const char *name;
	const char *hex;
	int want;
	const char *says;
} decode_cases[] = {
	{ "no sample", "0a01691001", 0, NULL },
	{ "an empty sample takes the id of the reply", "0a01691a00", 0, NULL },
	{ "a sample in two parts is merged", "0a01691a0210051a021807", 0, NULL },
	{ "unknown fields at both levels", "0a0169780a1a03e00601", 0, NULL },
	{ "an empty body", "", 400, "instance_id must be" },
	{ "an id that is none", "0a012a", 400, "instance_id must be" },
	{ "another id that is none", "0a01691a030a012a", 400, "instance_id must be" },
	{ "a negative metric", "0a01691a0921000000000000f0bf", 400, "cpu_percent" },
	{ "a sample as a number", "0a01691801", 400, "sample must be a message" },
	{ "a sample cut short", "0a01691a0110", 400, "not a valid meter.v1.LatestReply" },
	{ "a sample longer than the body", "0a01691a0510", 400, "not a valid" },
};

static void decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(decode_cases); i++) {
		const struct decode_case *c = &decode_cases[i];
		struct latest_reply out;
		struct problem p;

		row(c->name);
		b.len = 0;
		put_hex(&b, c->hex);
		memset(&out, 0xff, sizeof out);
		assert_result(wire_decode_latest_reply(b.data, b.len, &out, &p), c->want, &p,
			      c->says);
		assert_string_equal(out.instance_id, c->want ? "" : "i");
		if (c->want == 0)
			assert_int_equal(out.has_sample, i > 0);
		if (out.has_sample)
			assert_string_equal(out.sample.instance_id, "i");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(decodes_or_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
