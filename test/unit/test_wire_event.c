#include "test_wire.h"

#include "family.h"

static void assert_same_text(const char *got, const char *want)
{
	assert_int_equal(!got, !want);
	if (got)
		assert_string_equal(got, want);
}

static void assert_same_event(const struct lifecycle_event *a, const struct lifecycle_event *b)
{
	assert_string_equal(a->instance_id, b->instance_id);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->at_ms, b->at_ms);
	assert_same_text(a->tenant_id, b->tenant_id);
	assert_same_text(a->target.node, b->target.node);
	assert_same_text(a->target.cgroup_path, b->target.cgroup_path);
	assert_same_text(a->target.container_id, b->target.container_id);
	assert_same_text(a->target.container_name, b->target.container_name);
	assert_same_text(a->target.metrics_url, b->target.metrics_url);
	assert_same_text(a->target.workload_id, b->target.workload_id);
	assert_same_text(a->target.request_counter, b->target.request_counter);
	assert_same_text(a->target.latency_histogram, b->target.latency_histogram);
	assert_true(a->target.latency_quantile == b->target.latency_quantile);
	assert_int_equal(a->target.pid, b->target.pid);
}

/* Not to be cleared: the strings are not its own. */
static const struct lifecycle_event full = {
	.instance_id = "inst_1", .type = EVENT_CREATED, .at_ms = 5, .tenant_id = (char *)"t",
	.target = {
		.node = (char *)"n", .cgroup_path = (char *)"/c", .container_id = (char *)"ci",
		.container_name = (char *)"cn", .metrics_url = (char *)"http://m",
		.workload_id = (char *)"w", .request_counter = (char *)"rc",
		.latency_histogram = (char *)"lh", .latency_quantile = 0.5, .pid = 7,
	},
};

static void bytes_are_those_of_protoc(void **state)
{
	struct lifecycle_event back;
	struct buffer out = { 0 };
	struct problem p;

	(void)state;
	assert_int_equal(wire_encode_event(&full, "e1", "a", &out), 0);
	assert_hex(out.data, out.len,
		   "0a0265311210696e7374616e63652e637265617465641a01742206696e73745f"
		   "312a016130053a2f0a016e12022f631807220263692a02636e3208687474703a"
		   "2f2f6d3a0177420272634a026c6851000000000000e03f");
	assert_result(wire_decode_event(ENCODING_PROTOBUF, out.data, out.len, &back, &p), 0, &p,
		      NULL);
	assert_same_event(&back, &full);
	lifecycle_event_clear(&back);
	buffer_clear(&out);
}

static void every_type_round_trips(void **state)
{
	struct lifecycle_event e = { .instance_id = "i" }, back;
	struct problem p;

	(void)state;
	for (int t = EVENT_OTHER; t <= EVENT_DELETED; t++) {
		struct buffer out = { 0 };

		e.type = (enum event_type)t;
		assert_int_equal(wire_encode_event(&e, NULL, NULL, &out), 0);
		assert_result(wire_decode_event(ENCODING_PROTOBUF, out.data, out.len, &back, &p), 0,
			      &p, NULL);
		assert_same_event(&back, &e);
		lifecycle_event_clear(&back);
		buffer_clear(&out);
	}
}

static void json_envelope(void **state)
{
	static const char body[] =
		"{\"id\":\"e1\",\"type\":\"instance.created\",\"tenant_id\":\"t\","
		"\"instance_id\":\"inst_1\",\"actor_id\":\"a\",\"payload\":{\"node\":\"n\","
		"\"cgroup_path\":\"/c\",\"pid\":7,\"container_id\":\"ci\","
		"\"container_name\":\"cn\","
		"\"metrics_url\":\"http://m\",\"workload_id\":\"w\",\"request_counter\":\"rc\","
		"\"latency_histogram\":\"lh\",\"latency_quantile\":0.5,\"more\":{}},"
		"\"timestamp\":\"1970-01-01T00:00:00.005Z\"}";
	struct lifecycle_event e;
	struct problem p;

	(void)state;
	assert_result(wire_decode_event(ENCODING_JSON, body, sizeof body - 1, &e, &p), 0, &p, NULL);
	assert_same_event(&e, &full);
	lifecycle_event_clear(&e);
}

#define NOTHING { .type = EVENT_OTHER }
#define ID "\"instance_id\":\"i\""
#define OK "{" ID ",\"type\":\"started\""
static const struct json_case {
	const char *name;
	const char *body;
	int want;
	struct lifecycle_event is;
	const char *says;
} json_cases[] = {
	{ "no more than is needed", OK "}", 0, { .type = EVENT_STARTED }, NULL },
	{ "a long type", "{" ID ",\"type\":\"instance.started\"}", 0, { .type = EVENT_STARTED },
	  NULL },
	{ "an unknown type", "{" ID ",\"type\":\"instance.moved\"}", 0, NOTHING, NULL },
	{ "a type of another family", "{" ID ",\"type\":\"deploy.started\"}", 0, NOTHING, NULL },
	{ "an empty type", "{" ID ",\"type\":\"\"}", 0, NOTHING, NULL },
	{ "a type with a NUL", "{" ID ",\"type\":\"started\\u0000\"}", 0, NOTHING, NULL },
	{ "payload null", OK ",\"payload\":null}", 0, { .type = EVENT_STARTED }, NULL },
	{ "payload a string", OK ",\"payload\":\"node\"}", 0, { .type = EVENT_STARTED }, NULL },
	{ "payload an array", OK ",\"payload\":[1]}", 0, { .type = EVENT_STARTED }, NULL },
	{ "wrong types inside, the rest applies", OK ",\"payload\":{\"node\":5,\"pid\":\"7\","
	  "\"container_id\":null,\"cgroup_path\":[],\"workload_id\":\"w\"}}", 0,
	  { .type = EVENT_STARTED, .target = { .workload_id = (char *)"w" } }, NULL },
	{ "empty strings", OK ",\"tenant_id\":\"\",\"payload\":{\"node\":\"\"}}", 0,
	  { .type = EVENT_STARTED }, NULL },
	{ "control characters", OK ",\"tenant_id\":\"a\\nb\",\"payload\":{\"node\":\"\\u007f\","
	  "\"container_id\":\"a\\u0000b\",\"cgroup_path\":\"/a\\tb\","
	  "\"workload_id\":\"w \\u00e4\"}}",
	  0, { .type = EVENT_STARTED, .target = { .workload_id = (char *)"w \xc3\xa4" } }, NULL },
	{ "tenant a number", OK ",\"tenant_id\":1}", 0, { .type = EVENT_STARTED }, NULL },
	{ "pid 0", OK ",\"payload\":{\"pid\":0}}", 0, { .type = EVENT_STARTED }, NULL },
	{ "pid negative", OK ",\"payload\":{\"pid\":-3}}", 0, { .type = EVENT_STARTED }, NULL },
	{ "pid with a fraction", OK ",\"payload\":{\"pid\":1.5}}", 0, { .type = EVENT_STARTED },
	  NULL },
	{ "pid past 64 bits", OK ",\"payload\":{\"pid\":9223372036854775808}}", 0,
	  { .type = EVENT_STARTED }, NULL },
	{ "families of any UTF-8", OK ",\"payload\":{\"request_counter\":\"anfragen.gez\u00e4hlt\","
	  "\"latency_histogram\":\"a:b/c-d\"}}", 0,
	  { .type = EVENT_STARTED, .target = { .request_counter = (char *)"anfragen.gez\xc3\xa4hlt",
	    .latency_histogram = (char *)"a:b/c-d" } }, NULL },
	{ "families that are none, the rest applies", OK ",\"payload\":{\"workload_id\":\"w\","
	  "\"request_counter\":\"a{b=\\\"c\\\"}\",\"latency_histogram\":\"a b\"}}", 0,
	  { .type = EVENT_STARTED, .target = { .workload_id = (char *)"w" } }, NULL },
	{ "families and a quantile of a wrong type", OK ",\"payload\":{\"workload_id\":\"w\","
	  "\"request_counter\":1,\"latency_histogram\":[\"a\"],\"latency_quantile\":\"0.95\"}}", 0,
	  { .type = EVENT_STARTED, .target = { .workload_id = (char *)"w" } }, NULL },
	{ "a quantile", OK ",\"payload\":{\"latency_quantile\":0.999}}", 0,
	  { .type = EVENT_STARTED, .target = { .latency_quantile = 0.999 } }, NULL },
	{ "quantile 0", OK ",\"payload\":{\"latency_quantile\":0}}", 0, { .type = EVENT_STARTED },
	  NULL },
	{ "quantile 1", OK ",\"payload\":{\"latency_quantile\":1}}", 0, { .type = EVENT_STARTED },
	  NULL },
	{ "a percent quantile", OK ",\"payload\":{\"latency_quantile\":95.0}}", 0,
	  { .type = EVENT_STARTED }, NULL },
	{ "a negative quantile", OK ",\"payload\":{\"latency_quantile\":-0.5}}", 0,
	  { .type = EVENT_STARTED }, NULL },
	{ "quantile null", OK ",\"payload\":{\"latency_quantile\":null}}", 0,
	  { .type = EVENT_STARTED }, NULL },
	{ "a stamp of Unix ms", OK ",\"timestamp\":1700000000000}", 0,
	  { .type = EVENT_STARTED, .at_ms = 1700000000000 }, NULL },
	{ "a stamp with an offset", OK ",\"timestamp\":\"1970-01-01T01:00:01.5+01:00\"}", 0,
	  { .type = EVENT_STARTED, .at_ms = 1500 }, NULL },
	{ "the zero time of Go", OK ",\"timestamp\":\"0001-01-01T00:00:00Z\"}", 0,
	  { .type = EVENT_STARTED }, NULL },
	{ "a stamp of 0", OK ",\"timestamp\":0}", 0, { .type = EVENT_STARTED }, NULL },
	{ "a stamp in words", OK ",\"timestamp\":\"now\"}", 0, { .type = EVENT_STARTED }, NULL },
	{ "a stamp of null", OK ",\"timestamp\":null}", 0, { .type = EVENT_STARTED }, NULL },

	{ "no type", "{" ID "}", 400, NOTHING, "type must be a string" },
	{ "a type of null", "{" ID ",\"type\":null}", 400, NOTHING, "type must be a string" },
	{ "a type that is a number", "{" ID ",\"type\":1}", 400, NOTHING, "type must be a string" },
	{ "no id", "{\"type\":\"started\"}", 400, NOTHING, "instance_id must be 1 to 128" },
	{ "an id of null", "{\"type\":\"started\",\"instance_id\":null}", 400, NOTHING,
	  "instance_id" },
	{ "a number as id", "{\"type\":\"started\",\"instance_id\":1}", 400, NOTHING,
	  "instance_id" },
	{ "an empty id", "{\"type\":\"started\",\"instance_id\":\"\"}", 400, NOTHING,
	  "instance_id" },
	{ "a dot in the id", "{\"type\":\"started\",\"instance_id\":\"a.b\"}", 400, NOTHING,
	  "instance_id" },
	{ "a NUL in the id", "{\"type\":\"started\",\"instance_id\":\"a\\u0000\"}", 400, NOTHING,
	  "instance_id" },
	{ "the id twice", "{" ID "," ID ",\"type\":\"started\"}", 400, NOTHING, "duplicate" },
	{ "a key of the payload twice", OK ",\"payload\":{\"pid\":1,\"pid\":1}}", 400, NOTHING,
	  "duplicate" },
	{ "an array", "[]", 400, NOTHING, "must be a JSON object" },
	{ "trailing bytes", OK "}]", 400, NOTHING, "not JSON" },
	{ "an empty body", "", 400, NOTHING, "not JSON" },
	{ "bad UTF-8", OK ",\"tenant_id\":\"\xc0\x80\"}", 400, NOTHING, "not JSON" },
};

static void json_decodes_or_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(json_cases); i++) {
		const struct json_case *c = &json_cases[i];
		struct lifecycle_event e, want = c->is;
		struct problem p;

		row(c->name);
		memset(&e, 0xff, sizeof e);
		assert_result(wire_decode_event(ENCODING_JSON, c->body, strlen(c->body), &e, &p),
			      c->want, &p, c->says);
		if (c->want == 0)
			strcpy(want.instance_id, "i");
		assert_same_event(&e, &want);
		lifecycle_event_clear(&e);
	}
}

#define PB "220169120773746172746564"	/* instance_id "i", type "started" */
static const struct protobuf_case {
	const char *name;
	const char *hex;
	int want;
	struct lifecycle_event is;
	const char *says;
} protobuf_cases[] = {
	{ "no more than is needed", PB, 0, { .type = EVENT_STARTED }, NULL },
	{ "unknown fields", PB "7a00" "3a047a0201ff", 0, { .type = EVENT_STARTED }, NULL },
	{ "empty strings", PB "1a003a020a00", 0, { .type = EVENT_STARTED }, NULL },
	{ "control characters", PB "1a010a3a090a017f12011b3a0177", 0,
	  { .type = EVENT_STARTED, .target = { .workload_id = (char *)"w" } }, NULL },
	{ "a negative pid", PB "3a0b18ffffffffffffffffff01", 0, { .type = EVENT_STARTED }, NULL },
	{ "a negative stamp", PB "30ffffffffffffffffff01", 0, { .type = EVENT_STARTED }, NULL },
	{ "a target in two parts", PB "3a0218053a030a016e", 0,
	  { .type = EVENT_STARTED, .target = { .node = (char *)"n", .pid = 5 } }, NULL },
	{ "families and a quantile", PB "3a0f4201724a016c51000000000000e83f", 0,
	  { .type = EVENT_STARTED, .target = { .request_counter = (char *)"r",
	    .latency_histogram = (char *)"l", .latency_quantile = 0.75 } }, NULL },
	{ "families that are none", PB "3a0f4202227b4a01203a0177420361205c", 0,
	  { .type = EVENT_STARTED, .target = { .workload_id = (char *)"w" } }, NULL },
	{ "quantile 1", PB "3a0951000000000000f03f", 0, { .type = EVENT_STARTED }, NULL },
	{ "a quantile that is no number", PB "3a0951000000000000f87f", 0, { .type = EVENT_STARTED },
	  NULL },
	{ "an infinite quantile", PB "3a0951000000000000f07f", 0, { .type = EVENT_STARTED }, NULL },
	{ "a negative quantile", PB "3a0951000000000000e0bf", 0, { .type = EVENT_STARTED }, NULL },
	{ "a family as a number", PB "3a024005", 400, NOTHING, "request_counter must be a string" },
	{ "a quantile as a string", PB "3a03520135", 400, NOTHING,
	  "latency_quantile must be a double" },
	{ "bad UTF-8 in a family", PB "3a034a01ff", 400, NOTHING,
	  "latency_histogram must be UTF-8" },
	{ "an empty body", "", 400, NOTHING, "type must be" },
	{ "no type", "220169", 400, NOTHING, "type must be" },
	{ "no id", "120773746172746564", 400, NOTHING, "instance_id must be" },
	{ "an id that is none", PB "22012a", 400, NOTHING, "instance_id must be" },
	{ "NUL in the node", PB "3a050a03610062", 400, NOTHING, "node must be UTF-8 without NUL" },
	{ "bad UTF-8 in the tenant", PB "1a01ff", 400, NOTHING, "tenant_id must be UTF-8" },
	{ "bad UTF-8 in the id of the event", PB "0a01ff", 400, NOTHING, "id must be UTF-8" },
	{ "pid as a string", PB "3a031a0137", 400, NOTHING, "pid must be an int64" },
	{ "target as a number", PB "3801", 400, NOTHING, "target must be a message" },
	{ "a target cut short", PB "3a020a05", 400, NOTHING,
	  "not a valid meter.v1.LifecycleEvent" },
};

static void protobuf_decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(protobuf_cases); i++) {
		const struct protobuf_case *c = &protobuf_cases[i];
		struct lifecycle_event e, want = c->is;
		struct problem p;

		row(c->name);
		b.len = 0;
		put_hex(&b, c->hex);
		memset(&e, 0xff, sizeof e);
		assert_result(wire_decode_event(ENCODING_PROTOBUF, b.data, b.len, &e, &p), c->want,
			      &p, c->says);
		if (c->want == 0)
			strcpy(want.instance_id, "i");
		assert_same_event(&e, &want);
		lifecycle_event_clear(&e);
	}
}

/* The longest string that is kept, and one more; an id likewise. */
static void lengths(void **state)
{
	static struct bytes target, b;
	static char s[TARGET_STRING_MAX + 2];
	struct problem p;

	(void)state;
	memset(s, 'x', sizeof s - 1);
	for (size_t len = TARGET_STRING_MAX; len <= TARGET_STRING_MAX + 1; len++) {
		struct lifecycle_event e;

		target.len = b.len = 0;
		put_string(&target, 1, s, len);
		put_hex(&b, PB);
		put_message(&b, 7, &target);
		assert_int_equal(wire_decode_event(ENCODING_PROTOBUF, b.data, b.len, &e, &p), 0);
		assert_int_equal(e.target.node != NULL, len == TARGET_STRING_MAX);
		lifecycle_event_clear(&e);

		b.len = (size_t)sprintf((char *)b.data, OK ",\"tenant_id\":\"%.*s\","
					"\"payload\":{\"metrics_url\":\"%.*s\"}}", (int)len, s,
					(int)len, s);
		assert_int_equal(wire_decode_event(ENCODING_JSON, b.data, b.len, &e, &p), 0);
		assert_int_equal(e.target.metrics_url != NULL, len == TARGET_STRING_MAX);
		assert_int_equal(e.tenant_id != NULL, len == TARGET_STRING_MAX);
		lifecycle_event_clear(&e);
	}
	for (int len = FAMILY_NAME_MAX; len <= FAMILY_NAME_MAX + 1; len++) {
		struct lifecycle_event e;

		b.len = (size_t)sprintf((char *)b.data, OK ",\"payload\":{\"request_counter\":"
					"\"%.*s\"}}", len, s);
		assert_int_equal(wire_decode_event(ENCODING_JSON, b.data, b.len, &e, &p), 0);
		assert_int_equal(e.target.request_counter != NULL, len == FAMILY_NAME_MAX);
		lifecycle_event_clear(&e);
	}
	for (int len = IDENT_MAX; len <= IDENT_MAX + 1; len++) {
		struct lifecycle_event e;

		b.len = (size_t)sprintf((char *)b.data, "{\"type\":\"\",\"instance_id\":\"%.*s\"}",
					len, s);
		assert_int_equal(wire_decode_event(ENCODING_JSON, b.data, b.len, &e, &p),
				 len == IDENT_MAX ? 0 : 400);
		lifecycle_event_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_those_of_protoc),
		cmocka_unit_test(every_type_round_trips),
		cmocka_unit_test(json_envelope),
		cmocka_unit_test(json_decodes_or_refuses),
		cmocka_unit_test(protobuf_decodes_or_refuses),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
