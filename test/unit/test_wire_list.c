#include "test_wire.h"

static const struct request_case {
	const char *name;
	enum encoding e;
	const char *body;	/* protobuf: in hex */
	int want;
	const char *token;
	uint32_t limit;
	const char *says;
} request_cases[] = {
	{ "an empty body", ENCODING_PROTOBUF, "", 0, "", 0, NULL },
	{ "both", ENCODING_PROTOBUF, "0a03612d62100a", 0, "a-b", 10, NULL },
	{ "an empty token", ENCODING_PROTOBUF, "0a00", 0, "", 0, NULL },
	{ "the most", ENCODING_PROTOBUF, "10e807", 0, "", 1000, NULL },
	{ "more counts as the most", ENCODING_PROTOBUF, "10e907", 0, "", 1000, NULL },
	{ "the greatest number", ENCODING_PROTOBUF, "10ffffffff0f", 0, "", 1000, NULL },
	{ "past 32 bits", ENCODING_PROTOBUF, "108080808010", 400, "", 0, "limit must be a uint32" },
	{ "a token that is no id", ENCODING_PROTOBUF, "0a012a", 400, "", 0, "page_token must be" },
	{ "NUL in the token", ENCODING_PROTOBUF, "0a03610062", 400, "", 0, "page_token must be" },
	{ "an unknown field", ENCODING_PROTOBUF, "1a00", 0, "", 0, NULL },

	{ "an empty body, JSON", ENCODING_JSON, "", 0, "", 0, NULL },
	{ "an empty object", ENCODING_JSON, "{}", 0, "", 0, NULL },
	{ "both, JSON", ENCODING_JSON, "{\"page_token\":\"a-b\",\"limit\":10}", 0, "a-b", 10,
	  NULL },
	{ "an empty token, JSON", ENCODING_JSON, "{\"page_token\":\"\"}", 0, "", 0, NULL },
	{ "whole real", ENCODING_JSON, "{\"limit\":10.0}", 0, "", 10, NULL },
	{ "past 32 bits, JSON", ENCODING_JSON, "{\"limit\":4294967297}", 0, "", 1000, NULL },
	{ "negative", ENCODING_JSON, "{\"limit\":-1}", 400, "", 0, "limit must be a whole number" },
	{ "a fraction", ENCODING_JSON, "{\"limit\":0.5}", 400, "", 0, "limit must be" },
	{ "a string", ENCODING_JSON, "{\"limit\":\"5\"}", 400, "", 0, "limit must be" },
	{ "null", ENCODING_JSON, "{\"limit\":null}", 400, "", 0, "limit must be" },
	{ "a token of the wrong type", ENCODING_JSON, "{\"page_token\":1}", 400, "", 0,
	  "page_token must be a string" },
	{ "a token that is no id, JSON", ENCODING_JSON, "{\"page_token\":\"a b\"}", 400, "", 0,
	  "page_token must be empty, or 1 to 128" },
	{ "a NUL in the token", ENCODING_JSON, "{\"page_token\":\"a\\u0000\"}", 400, "", 0,
	  "page_token must be" },
	{ "a key twice", ENCODING_JSON, "{\"limit\":1,\"limit\":1}", 400, "", 0, "duplicate" },
	{ "trailing bytes", ENCODING_JSON, "{} {}", 400, "", 0, "not JSON" },
	{ "an array", ENCODING_JSON, "[]", 400, "", 0, "must be a JSON object" },
};

static void requests(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(request_cases); i++) {
		const struct request_case *c = &request_cases[i];
		struct list_request out;
		struct problem p;

		row(c->name);
		b.len = 0;
		if (c->e == ENCODING_PROTOBUF)
			put_hex(&b, c->body);
		else
			put_raw(&b, c->body, strlen(c->body));
		memset(&out, 0xff, sizeof out);
		assert_result(wire_decode_list_request(c->e, b.data, b.len, &out, &p), c->want, &p,
			      c->says);
		assert_string_equal(out.page_token, c->token);
		assert_int_equal(out.limit, c->limit);
	}
}

static void requests_round_trip(void **state)
{
	struct list_request r = { .limit = 1000 }, back;
	struct buffer out = { 0 };
	struct problem p;

	(void)state;
	memset(r.page_token, 'x', IDENT_MAX);
	assert_int_equal(wire_encode_list_request(&r, &out), 0);
	assert_result(wire_decode_list_request(ENCODING_PROTOBUF, out.data, out.len, &back, &p), 0,
		      &p, NULL);
	assert_string_equal(back.page_token, r.page_token);
	assert_int_equal(back.limit, r.limit);
	buffer_clear(&out);
}

static struct list_entry full_entry(void)
{
	return (struct list_entry){
		.instance_id = "inst_1", .tracked_since_ms = 1000, .samples = 7, .has_latest = true,
		.latest = sample_of("inst_1"), .tenant_id = "t", .workload_id = "w",
		.source = "cgroup", .last_error = "said \"no\"", .last_error_ms = 2000,
		.request_family = "http_requests_total", .latency_family = "http_seconds",
	};
}

static void assert_same_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void assert_same_entry(const struct list_entry *a, const struct list_entry *b)
{
	assert_string_equal(a->instance_id, b->instance_id);
	assert_int_equal(a->tracked_since_ms, b->tracked_since_ms);
	assert_int_equal(a->samples, b->samples);
	assert_int_equal(a->has_latest, b->has_latest);
	if (a->has_latest)
		assert_same_sample(&a->latest, &b->latest);
	assert_same_text(a->tenant_id, b->tenant_id);
	assert_same_text(a->workload_id, b->workload_id);
	assert_same_text(a->source, b->source);
	assert_same_text(a->last_error, b->last_error);
	assert_int_equal(a->last_error_ms, b->last_error_ms);
	assert_same_text(a->request_family, b->request_family);
	assert_same_text(a->latency_family, b->latency_family);
}

static void replies_round_trip(void **state)
{
	struct list_entry entries[] = { full_entry(), { .instance_id = "j" } };
	struct list_reply r = { entries, 2, "j", 5, "node-1", NULL }, back;
	struct buffer out = { 0 };
	struct problem p;

	(void)state;
	assert_int_equal(wire_encode_list_reply(ENCODING_PROTOBUF, &r, &out), 0);
	assert_result(wire_decode_list_reply(out.data, out.len, &back, &p), 0, &p, NULL);
	assert_int_equal(back.n_entries, 2);
	assert_same_entry(&back.entries[0], &entries[0]);
	assert_same_entry(&back.entries[1], &entries[1]);
	assert_string_equal(back.next_page_token, "j");
	assert_int_equal(back.total, 5);
	assert_string_equal(back.node, "node-1");
	wire_list_reply_clear(&back);
	buffer_clear(&out);

	r = (struct list_reply){ 0 };
	assert_int_equal(wire_encode_list_reply(ENCODING_PROTOBUF, &r, &out), 0);
	assert_result(wire_decode_list_reply(out.data, out.len, &back, &p), 0, &p, NULL);
	assert_int_equal(back.n_entries, 0);
	assert_null(back.next_page_token);
	assert_null(back.node);
	wire_list_reply_clear(&back);
	buffer_clear(&out);
}

static void json_of_replies(void **state)
{
	struct list_entry entries[] = { full_entry(), { .instance_id = "j", .tenant_id = "" } };
	struct list_reply r = { entries, 2, "j", 5, "node-1", NULL };
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(wire_encode_list_reply(ENCODING_JSON, &r, &out), 0);
	assert_text(&out, "{\"instances\":[{\"instance_id\":\"inst_1\","
		    "\"tracked_since\":\"1970-01-01T00:00:01.000Z\",\"samples\":7,"
		    "\"latest\":{\"sequence\":300,\"at\":\"2026-11-21T07:20:00.000Z\","
		    "\"cpu_percent\":12.5,\"memory_used_mb\":100,\"memory_used_bytes\":104857600,"
		    "\"network_out_bytes_per_sec\":1024.25},\"tenant_id\":\"t\","
		    "\"workload_id\":\"w\",\"source\":\"cgroup\","
		    "\"last_error\":\"said \\\"no\\\"\","
		    "\"last_error_at\":\"1970-01-01T00:00:02.000Z\","
		    "\"request_family\":\"http_requests_total\","
		    "\"latency_family\":\"http_seconds\"},"
		    "{\"instance_id\":\"j\",\"samples\":0}],"
		    "\"next_page_token\":\"j\",\"total\":5,\"node\":\"node-1\"}");
	buffer_clear(&out);
	r = (struct list_reply){ 0 };
	assert_int_equal(wire_encode_list_reply(ENCODING_JSON, &r, &out), 0);
	assert_text(&out, "{\"instances\":[],\"total\":0}");
	buffer_clear(&out);
}

/* What an entry adds to a reply that has one before it. */
static size_t added(enum encoding e, const struct list_entry *entry)
{
	struct list_entry two[2] = { *entry, *entry };
	struct list_reply r = { .entries = two, .n_entries = 1 };
	struct buffer out = { 0 };
	size_t one;

	assert_int_equal(wire_encode_list_reply(e, &r, &out), 0);
	one = out.len;
	r.n_entries = 2;
	assert_int_equal(wire_encode_list_reply(e, &r, &out), 0);
	one = out.len - one - one;
	buffer_clear(&out);
	return one;
}

static void size_is_an_upper_bound(void **state)
{
	static char long_id[IDENT_MAX + 1], worst[4096];
	struct list_entry small = { .instance_id = "j" }, full = full_entry(), large = full;

	(void)state;
	memset(long_id, 'x', IDENT_MAX);
	memset(worst, 0x1f, sizeof worst - 1);
	large.instance_id = long_id;
	large.samples = large.latest.sequence = UINT64_MAX;
	large.tracked_since_ms = large.last_error_ms = large.latest.sample.at_ms = 253402300799999;
	for (int m = 0; m < METRIC_COUNT; m++)
		large.latest.sample.value[m] =
			m % 3 ? 0x1.fffffffffffffp+69 : 1.2345678901234567e-300;
	large.latest.final = true;
	large.tenant_id = large.workload_id = large.source = large.last_error = worst;
	large.request_family = large.latency_family = worst;
	for (int e = ENCODING_PROTOBUF; e <= ENCODING_JSON; e++) {
		const struct list_entry *all[] = { &small, &full, &large };

		for (size_t i = 0; i < COUNT(all); i++) {
			size_t bound = wire_list_entry_size((enum encoding)e, all[i]);

			assert_in_range(added((enum encoding)e, all[i]), 1, bound);
			/* Pages are filled by it: it must not be far off either. */
			assert_in_range(bound, 1, added((enum encoding)e, all[i]) + 900);
		}
	}
}

static const struct reply_case {
	const char *name;
	const char *hex;
	int want;
	const char *says;
} reply_cases[] = {
	{ "an empty body is an empty list", "", 0, NULL },
	{ "one entry", "0a030a0169", 0, NULL },
	{ "an entry without id", "0a00", 400, "instance_id must be" },
	{ "an entry with an id that is none", "0a030a012a", 400, "instance_id must be" },
	{ "the second one is wrong", "0a030a01690a00", 400, "instance_id must be" },
	{ "a page token that is none", "12012a", 400, "next_page_token must be" },
	{ "an empty page token is none", "1200", 0, NULL },
	{ "a time out of reach", "0a0d0a016910ffffffffffffffff7f", 400, "tracked_since_unix_ms" },
	{ "another time out of reach", "0a0d0a016948ffffffffffffffff7f", 400,
	  "last_error_unix_ms" },
	{ "latest of another id", "0a080a016922030a016a", 0, NULL },
	{ "latest with an id that is none", "0a080a016922030a012a", 400, "instance_id must be" },
	{ "total as a string", "1a0131", 400, "total must be a uint32" },
	{ "samples as a double", "0a0c0a0169190000000000000000", 400, "samples must be a uint64" },
	{ "NUL in node", "220100", 400, "node must be UTF-8" },
};

static void decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(reply_cases); i++) {
		const struct reply_case *c = &reply_cases[i];
		struct list_reply out;
		struct problem p;

		row(c->name);
		b.len = 0;
		put_hex(&b, c->hex);
		memset(&out, 0xff, sizeof out);
		assert_result(wire_decode_list_reply(b.data, b.len, &out, &p), c->want, &p,
			      c->says);
		if (c->want == 0)
			wire_list_reply_clear(&out);
		assert_null(out.memory);
		assert_null(out.entries);
		assert_null(out.next_page_token);
		assert_int_equal(out.n_entries, 0);
	}
}

static void control_characters_do_not_pass(void **state)
{
	static struct bytes entry, b;
	struct list_reply out;
	struct problem p;

	(void)state;
	entry.len = b.len = 0;
	put_text(&entry, 1, "i");
	put_text(&entry, 5, "a\x1b[2J\r\n\x7f" "b");
	put_text(&entry, 8, "\xc2\x9b" "1m \xc2\xa0\xc3\xa4");
	put_message(&b, 1, &entry);
	put_text(&b, 4, "\xc2\x80");
	assert_result(wire_decode_list_reply(b.data, b.len, &out, &p), 0, &p, NULL);
	assert_string_equal(out.entries[0].tenant_id, "a?[2J???b");
	assert_string_equal(out.entries[0].last_error, "??1m \xc2\xa0\xc3\xa4");
	assert_string_equal(out.node, "??");
	wire_list_reply_clear(&out);
}

static void no_more_entries_than_a_page(void **state)
{
	static struct bytes b;
	struct list_reply out;
	struct problem p;

	(void)state;
	b.len = 0;
	for (int i = 0; i < LIST_LIMIT_MAX; i++)
		put_hex(&b, "0a030a0169");
	assert_result(wire_decode_list_reply(b.data, b.len, &out, &p), 0, &p, NULL);
	assert_int_equal(out.n_entries, LIST_LIMIT_MAX);
	wire_list_reply_clear(&out);
	put_hex(&b, "0a030a0169");
	assert_result(wire_decode_list_reply(b.data, b.len, &out, &p), 400, &p,
		      "instances must have at most 1000 elements");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(requests_round_trip),
		cmocka_unit_test(replies_round_trip),
		cmocka_unit_test(json_of_replies),
		cmocka_unit_test(size_is_an_upper_bound),
		cmocka_unit_test(decodes_or_refuses),
		cmocka_unit_test(control_characters_do_not_pass),
		cmocka_unit_test(no_more_entries_than_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
