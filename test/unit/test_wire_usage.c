#include "test_wire.h"

#define ALL (USAGE_CPU_PERCENT | USAGE_MEMORY_USED | USAGE_MEMORY_LIMIT | USAGE_NETWORK_IN |       \
	     USAGE_NETWORK_OUT)
#define HASH_X 0xaf63f54c86021707	/* FNV-1a of "x" */

static const struct usage_case {
	const char *name;
	enum encoding e;
	const char *body;	/* protobuf: in hex */
	int want;
	struct resource_usage is;
	const char *says;
} usage_cases[] = {
	{ "an empty body", ENCODING_PROTOBUF, "", 0, { 0 }, NULL },
	{ "all of it", ENCODING_PROTOBUF, "09000000000000f83f" "1005" "1806" "210000000000000040"
	  "29000000000000e03f" "3007" "3a0178", 0,
	  { ALL, 1.5, 5, 6, 2, 0.5, 7, HASH_X }, NULL },
	{ "zero is there", ENCODING_PROTOBUF, "090000000000000000" "1000", 0,
	  { .has = USAGE_CPU_PERCENT | USAGE_MEMORY_USED }, NULL },
	{ "no stamp", ENCODING_PROTOBUF, "3000", 0, { 0 }, NULL },
	{ "a negative stamp", ENCODING_PROTOBUF, "30ffffffffffffffffff01", 0, { 0 }, NULL },
	{ "a stamp after 9999", ENCODING_PROTOBUF, "30ffffffffffffffff7f", 400, { 0 },
	  "at_unix_ms must not be after" },
	{ "an empty incarnation", ENCODING_PROTOBUF, "3a00", 0, { 0 }, NULL },
	{ "an unknown field", ENCODING_PROTOBUF, "7801", 0, { 0 }, NULL },
	{ "the most memory", ENCODING_PROTOBUF, "108080808020", 0,
	  { .has = USAGE_MEMORY_USED, .memory_used_mb = 1LL << 33 }, NULL },
	{ "more memory", ENCODING_PROTOBUF, "108180808020", 400, { 0 }, "memory_used_mb must be" },
	{ "negative memory", ENCODING_PROTOBUF, "18ffffffffffffffffff01", 400, { 0 },
	  "memory_limit_mb must be between 0 and 8589934592" },
	{ "the most network", ENCODING_PROTOBUF, "21000000000000a042", 0,
	  { .has = USAGE_NETWORK_IN, .network_in_mb = 0x1p43 }, NULL },
	{ "more network", ENCODING_PROTOBUF, "21010000000000a042", 400, { 0 },
	  "network_in_mb must be between 0 and 8796093022208" },
	{ "negative network", ENCODING_PROTOBUF, "29000000000000f0bf", 400, { 0 },
	  "network_out_mb" },
	{ "NaN", ENCODING_PROTOBUF, "09000000000000f87f", 400, { 0 }, "cpu_percent must be" },
	{ "infinite", ENCODING_PROTOBUF, "09000000000000f07f", 400, { 0 }, "cpu_percent must be" },
	{ "negative CPU", ENCODING_PROTOBUF, "09000000000000f0bf", 400, { 0 },
	  "cpu_percent must be" },
	{ "memory as a double", ENCODING_PROTOBUF, "110000000000000000", 400, { 0 },
	  "memory_used_mb must be an int64" },
	{ "NUL in the incarnation", ENCODING_PROTOBUF, "3a0100", 400, { 0 },
	  "incarnation must be" },

	{ "an empty body, JSON", ENCODING_JSON, "", 0, { 0 }, NULL },
	{ "an empty object", ENCODING_JSON, "{}", 0, { 0 }, NULL },
	{ "all of it, JSON", ENCODING_JSON, "{\"cpu_percent\":1.5,\"memory_used_mb\":5,"
	  "\"memory_limit_mb\":6.0,\"network_in_mb\":2,\"network_out_mb\":0.5,"
	  "\"at\":\"1970-01-01T00:00:00.007Z\",\"incarnation\":\"x\",\"more\":null}", 0,
	  { ALL, 1.5, 5, 6, 2, 0.5, 7, HASH_X }, NULL },
	{ "a stamp of Unix ms", ENCODING_JSON, "{\"at\":7}", 0, { .at_ms = 7 }, NULL },
	{ "the zero time of Go", ENCODING_JSON, "{\"at\":\"0001-01-01T00:00:00Z\"}", 0, { 0 },
	  NULL },
	{ "a stamp in words", ENCODING_JSON, "{\"at\":\"now\"}", 400, { 0 }, "at must be" },
	{ "a stamp of null", ENCODING_JSON, "{\"at\":null}", 400, { 0 }, "at must be" },
	{ "a stamp after 9999, JSON", ENCODING_JSON, "{\"at\":9e15}", 400, { 0 }, "at must not" },
	{ "CPU a string", ENCODING_JSON, "{\"cpu_percent\":\"1\"}", 400, { 0 },
	  "cpu_percent must be a number" },
	{ "CPU null", ENCODING_JSON, "{\"cpu_percent\":null}", 400, { 0 }, "cpu_percent must be" },
	{ "CPU negative", ENCODING_JSON, "{\"cpu_percent\":-0.1}", 400, { 0 }, "cpu_percent" },
	{ "memory with a fraction", ENCODING_JSON, "{\"memory_used_mb\":1.5}", 400, { 0 },
	  "memory_used_mb must be a whole number" },
	{ "memory a string", ENCODING_JSON, "{\"memory_limit_mb\":\"1\"}", 400, { 0 },
	  "memory_limit_mb must be" },
	{ "memory negative", ENCODING_JSON, "{\"memory_limit_mb\":-1}", 400, { 0 },
	  "memory_limit_mb must be" },
	{ "memory past 64 bits", ENCODING_JSON, "{\"memory_limit_mb\":18446744073709551616}", 400,
	  { 0 }, "memory_limit_mb must be" },
	{ "network an array", ENCODING_JSON, "{\"network_in_mb\":[1]}", 400, { 0 },
	  "network_in_mb" },
	{ "network false", ENCODING_JSON, "{\"network_out_mb\":false}", 400, { 0 },
	  "network_out_mb must be a number" },
	{ "too much network", ENCODING_JSON, "{\"network_out_mb\":1e14}", 400, { 0 },
	  "network_out_mb must be between" },
	{ "an incarnation that is a number", ENCODING_JSON, "{\"incarnation\":1}", 400, { 0 },
	  "incarnation must be a string" },
	{ "a key twice", ENCODING_JSON, "{\"at\":1,\"at\":1}", 400, { 0 }, "duplicate" },
	{ "trailing bytes", ENCODING_JSON, "{}{}", 400, { 0 }, "not JSON" },
	{ "an array", ENCODING_JSON, "[]", 400, { 0 }, "must be a JSON object" },
};

static void assert_same_usage(const struct resource_usage *a, const struct resource_usage *b)
{
	assert_int_equal(a->has, b->has);
	assert_true(a->cpu_percent == b->cpu_percent);
	assert_int_equal(a->memory_used_mb, b->memory_used_mb);
	assert_int_equal(a->memory_limit_mb, b->memory_limit_mb);
	assert_true(a->network_in_mb == b->network_in_mb);
	assert_true(a->network_out_mb == b->network_out_mb);
	assert_int_equal(a->at_ms, b->at_ms);
	assert_int_equal(a->incarnation, b->incarnation);
}

static void decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(usage_cases); i++) {
		const struct usage_case *c = &usage_cases[i];
		struct resource_usage out;
		struct problem p;

		row(c->name);
		b.len = 0;
		if (c->e == ENCODING_PROTOBUF)
			put_hex(&b, c->body);
		else
			put_raw(&b, c->body, strlen(c->body));
		memset(&out, 0xff, sizeof out);
		assert_result(wire_decode_usage(c->e, b.data, b.len, &out, &p), c->want, &p,
			      c->says);
		assert_same_usage(&out, &c->is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_or_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
