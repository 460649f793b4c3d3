/* Range requests, in both encodings. */
#include "test_wire.h"

static void assert_same_request(const struct range_request *a, const struct range_request *b)
{
	assert_int_equal(a->since_ms, b->since_ms);
	assert_int_equal(a->until_ms, b->until_ms);
	assert_int_equal(a->range_ms, b->range_ms);
	assert_int_equal(a->resolution_ms, b->resolution_ms);
	assert_int_equal(a->n_aggregates, b->n_aggregates);
	assert_memory_equal(a->aggregates, b->aggregates, sizeof a->aggregates);
	assert_int_equal(a->align, b->align);
	assert_int_equal(a->raw, b->raw);
}

static void bytes_are_those_of_protoc(void **state)
{
	static const struct range_request full = {
		.since_ms = -1, .until_ms = 2, .resolution_ms = 60000, .range_ms = 5,
		.aggregates = { AGGREGATE_LAST, AGGREGATE_MEAN }, .n_aggregates = 2,
		.align = ALIGN_EPOCH, .raw = true,
	};
	static const struct range_request defaults;
	struct range_request back;
	struct buffer out = { 0 };
	struct problem p;

	(void)state;
	assert_int_equal(wire_encode_range_request(&full, &out), 0);
	assert_hex(out.data, out.len,
		   "08ffffffffffffffffff01100218e0d40322020300280130053801");
	assert_int_equal(wire_decode_range_request(ENCODING_PROTOBUF, out.data, out.len, &back, &p),
			 0);
	assert_same_request(&back, &full);
	buffer_clear(&out);

	assert_int_equal(wire_encode_range_request(&defaults, &out), 0);
	assert_int_equal(out.len, 0);
	memset(&back, 0xff, sizeof back);
	assert_int_equal(wire_decode_range_request(ENCODING_PROTOBUF, NULL, 0, &back, &p), 0);
	assert_same_request(&back, &defaults);
	assert_int_equal(wire_decode_range_request(ENCODING_JSON, "", 0, &back, &p), 0);
	buffer_clear(&out);
}

static const struct protobuf_case {
	const char *name;
	const char *hex;
	int want;
	size_t n;	/* aggregates */
	const char *says;
} protobuf_cases[] = {
	{ "packed", "2202" "0301", 0, 2, NULL },
	{ "not packed", "2003" "2001", 0, 2, NULL },
	{ "both", "2003" "220101", 0, 2, NULL },
	{ "packed and empty", "2200", 0, 0, NULL },
	{ "all four", "220403020100", 0, 4, NULL },
	{ "an unknown field", "780141", 400, 0, "not a valid" },
	{ "unknown fields", "7801f2ff0102ff00", 0, 0, NULL },
	{ "twice", "22020101", 400, 0, "aggregates has min twice" },
	{ "twice, not packed", "20002000", 400, 0, "aggregates has mean twice" },
	{ "five", "22050001020300", 400, 0, "aggregates must have at most 4" },
	{ "five, not packed", "20002001200220032000", 400, 0, "aggregates must have at most 4" },
	{ "out of the list", "220104", 400, 0, "aggregates must be one of MEAN, MIN, MAX, LAST" },
	{ "out of the list, not packed", "2005", 400, 0, "aggregates must be one of" },
	{ "2^32 is not 0", "20808080801" "0", 400, 0, "aggregates must be one of" },
	{ "-1", "20ffffffffffffffffff01", 400, 0, "aggregates must be one of" },
	{ "-1 packed", "220affffffffffffffffff01", 400, 0, "aggregates must be one of" },
	{ "aggregates as double", "210000000000000000", 400, 0, "aggregates must be an enum" },
	{ "a packed one without end", "220180", 400, 0, "not a valid meter.v1.RangeRequest" },
	{ "align out of the list", "2802", 400, 0, "align must be one of SINCE, EPOCH" },
	{ "align packed", "2a0101", 400, 0, "align must be an enum" },
	{ "raw as a string", "3a00", 400, 0, "raw must be a bool" },
	{ "since as a double", "090000000000000000", 400, 0, "since_unix_ms must be an int64" },
};

static void protobuf_decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(protobuf_cases); i++) {
		const struct protobuf_case *c = &protobuf_cases[i];
		struct range_request out;
		struct problem p;

		row(c->name);
		b.len = 0;
		put_hex(&b, c->hex);
		assert_result(wire_decode_range_request(ENCODING_PROTOBUF, b.data, b.len, &out, &p),
			      c->want, &p, c->says);
		assert_int_equal(out.n_aggregates, c->n);
	}
}

static const struct json_case {
	const char *name;
	const char *body;
	int want;
	struct range_request is;
	const char *says;
} json_cases[] = {
	{ "nothing", "{}", 0, { 0 }, NULL },
	{ "blanks around", " \t\r\n{} \n", 0, { 0 }, NULL },
	{ "unknown keys", "{\"x\":null,\"y\":{\"since\":[1]}}", 0, { 0 }, NULL },
	{ "all of it", "{\"since\":1,\"until\":\"2\",\"range\":\"6h\",\"resolution\":60,"
	  "\"aggregates\":[\"max\",\"mean\"],\"align\":\"epoch\",\"raw\":true}", 0,
	  { .since_ms = 1, .until_ms = 2, .range_ms = 21600000, .resolution_ms = 60000,
	    .aggregates = { AGGREGATE_MAX, AGGREGATE_MEAN }, .n_aggregates = 2,
	    .align = ALIGN_EPOCH, .raw = true }, NULL },
	{ "a time with an offset", "{\"since\":\"1970-01-01T01:00:00.5+01:00\"}", 0,
	  { .since_ms = 500 }, NULL },
	{ "a real that is whole", "{\"since\":1.7e12,\"range\":60.0}", 0,
	  { .since_ms = 1700000000000, .range_ms = 60000 }, NULL },
	{ "negative is not lost", "{\"since\":-5,\"range\":-1,\"resolution\":\"-1s\"}", 0,
	  { .since_ms = -5, .range_ms = -1000, .resolution_ms = -1000 }, NULL },
	{ "a string of seconds", "{\"range\":\"60\"}", 0, { .range_ms = 60000 }, NULL },
	{ "milliseconds", "{\"resolution\":\"250ms\"}", 0, { .resolution_ms = 250 }, NULL },
	{ "durations saturate", "{\"range\":9223372036854775807,\"resolution\":1e18}", 0,
	  { .range_ms = 3155760000001, .resolution_ms = 3155760000001 }, NULL },
	{ "downwards too", "{\"range\":-9223372036854775808}", 0, { .range_ms = -3155760000001 },
	  NULL },
	{ "the longest duration", "{\"range\":3155760000}", 0, { .range_ms = 3155760000000 },
	  NULL },
	{ "no aggregate", "{\"aggregates\":[]}", 0, { 0 }, NULL },
	{ "align since", "{\"align\":\"since\",\"raw\":false}", 0, { 0 }, NULL },

	{ "since null", "{\"since\":null}", 400, { 0 }, "since must be an RFC 3339 time" },
	{ "since bool", "{\"since\":true}", 400, { 0 }, "since must be" },
	{ "since with a fraction", "{\"since\":1.5}", 400, { 0 }, "since must be" },
	{ "since an array", "{\"since\":[]}", 400, { 0 }, "since must be" },
	{ "since in words", "{\"since\":\"yesterday\"}", 400, { 0 }, "since must be" },
	{ "since empty", "{\"since\":\"\"}", 400, { 0 }, "since must be" },
	{ "since with a NUL", "{\"since\":\"1\\u0000\"}", 400, { 0 }, "since must be" },
	{ "since past 64 bits", "{\"since\":9223372036854775808}", 400, { 0 }, "since must be" },
	{ "since far past 64 bits", "{\"since\":1e30}", 400, { 0 }, "since must be" },
	{ "until an object", "{\"until\":{}}", 400, { 0 }, "until must be" },
	{ "range null", "{\"range\":null}", 400, { 0 }, "range must be whole seconds" },
	{ "range with a fraction", "{\"range\":0.5}", 400, { 0 }, "range must be" },
	{ "range in words", "{\"range\":\"6 hours\"}", 400, { 0 }, "range must be" },
	{ "resolution false", "{\"resolution\":false}", 400, { 0 }, "resolution must be" },
	{ "aggregates null", "{\"aggregates\":null}", 400, { 0 }, "aggregates must be an array" },
	{ "aggregates a string", "{\"aggregates\":\"mean\"}", 400, { 0 }, "aggregates must be" },
	{ "aggregates of numbers", "{\"aggregates\":[1]}", 400, { 0 }, "aggregates must be" },
	{ "an unknown aggregate", "{\"aggregates\":[\"p99\"]}", 400, { 0 }, "aggregates must be" },
	{ "capitals", "{\"aggregates\":[\"MEAN\"]}", 400, { 0 }, "aggregates must be" },
	{ "twice", "{\"aggregates\":[\"max\",\"max\"]}", 400, { 0 }, "aggregates has max twice" },
	{ "five", "{\"aggregates\":[\"max\",\"min\",\"mean\",\"last\",\"min\"]}", 400, { 0 },
	  "aggregates has min twice" },
	{ "align a number", "{\"align\":1}", 400, { 0 }, "align must be \"since\" or \"epoch\"" },
	{ "align unknown", "{\"align\":\"day\"}", 400, { 0 }, "align must be" },
	{ "align null", "{\"align\":null}", 400, { 0 }, "align must be" },
	{ "raw a number", "{\"raw\":1}", 400, { 0 }, "raw must be true or false" },
	{ "raw a string", "{\"raw\":\"true\"}", 400, { 0 }, "raw must be true or false" },
	{ "raw null", "{\"raw\":null}", 400, { 0 }, "raw must be true or false" },

	{ "a key twice", "{\"since\":1,\"since\":1}", 400, { 0 }, "not JSON: duplicate" },
	{ "an unknown key twice", "{\"x\":{\"y\":1,\"y\":2}}", 400, { 0 }, "duplicate" },
	{ "trailing bytes", "{}x", 400, { 0 }, "not JSON" },
	{ "two objects", "{}{}", 400, { 0 }, "not JSON" },
	{ "an array", "[]", 400, { 0 }, "must be a JSON object" },
	{ "a string", "\"{}\"", 400, { 0 }, "not JSON" },
	{ "blanks alone", "  ", 400, { 0 }, "not JSON" },
	{ "cut short", "{\"since\":1", 400, { 0 }, "not JSON" },
	{ "a comma too many", "{\"since\":1,}", 400, { 0 }, "not JSON" },
	{ "NaN", "{\"since\":NaN}", 400, { 0 }, "not JSON" },
	{ "past a double", "{\"since\":1e999}", 400, { 0 }, "not JSON" },
	{ "bad UTF-8", "{\"x\":\"\xff\"}", 400, { 0 }, "not JSON" },
	{ "half a surrogate pair", "{\"x\":\"\\ud800\"}", 400, { 0 }, "not JSON" },
	{ "a NUL in a key", "{\"a\\u0000\":1}", 400, { 0 }, "not JSON" },
	{ "a byte order mark", "\xef\xbb\xbf{}", 400, { 0 }, "not JSON" },
	{ "a line end in what is wrong", "{\"a\nb\":1}", 400, { 0 }, "not JSON" },
};

static void json_decodes_or_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(json_cases); i++) {
		const struct json_case *c = &json_cases[i];
		struct range_request out;
		struct problem p;

		row(c->name);
		memset(&out, 0xff, sizeof out);
		assert_result(wire_decode_range_request(ENCODING_JSON, c->body, strlen(c->body),
							&out, &p), c->want, &p, c->says);
		assert_same_request(&out, &c->is);
	}
}

/* The bytes end where len says: here in the middle of a larger text. */
static void length_is_the_end(void **state)
{
	struct range_request out;
	struct problem p;

	(void)state;
	assert_result(wire_decode_range_request(ENCODING_JSON, "{}garbage", 2, &out, &p), 0, &p,
		      NULL);
	assert_result(wire_decode_range_request(ENCODING_JSON, LITERAL("{}\0"), &out, &p), 400, &p,
		      "not JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_those_of_protoc),
		cmocka_unit_test(protobuf_decodes_or_refuses),
		cmocka_unit_test(json_decodes_or_refuses),
		cmocka_unit_test(length_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
