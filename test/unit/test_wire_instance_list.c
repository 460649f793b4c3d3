#include "test_wire.h"

static void request_bytes(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(wire_encode_instance_list_request("tok", 500, &out), 0);
	assert_hex(out.data, out.len, "0a03746f6b10f403");
	buffer_clear(&out);
	assert_int_equal(wire_encode_instance_list_request(NULL, 0, &out), 0);
	assert_int_equal(wire_encode_instance_list_request("", 0, &out), 0);
	assert_int_equal(out.len, 0);
	buffer_clear(&out);
}

/* Two instances and a token, as both encodings say them. */
static void assert_two(const struct instance_list *l)
{
	assert_int_equal(l->n_instances, 2);
	assert_string_equal(l->instances[0].instance_id, "a");
	assert_string_equal(l->instances[0].tenant_id, "t");
	assert_string_equal(l->instances[0].target.node, "n");
	assert_int_equal(l->instances[0].target.pid, 7);
	assert_null(l->instances[0].target.cgroup_path);
	assert_string_equal(l->instances[1].instance_id, "b");
	assert_null(l->instances[1].tenant_id);
	assert_null(l->instances[1].target.node);
	assert_string_equal(l->next_page_token, "opaque/token=");
}

static void both_encodings(void **state)
{
	static const char json[] =
		"{\"instances\":[{\"instance_id\":\"a\",\"tenant_id\":\"t\","
		"\"target\":{\"node\":\"n\","
		"\"pid\":7,\"cgroup_path\":3}},{\"instance_id\":\"b\",\"tenant_id\":[],"
		"\"target\":null,\"more\":1}],\"next_page_token\":\"opaque/token=\"}";
	static struct bytes b;
	struct instance_list l;
	struct problem p;

	(void)state;
	b.len = 0;
	put_hex(&b, "0a0d" "0a0161" "120174" "1a050a016e1807" "0a05" "0a0162" "7801");
	put_text(&b, 2, "opaque/token=");
	assert_result(wire_decode_instance_list(ENCODING_PROTOBUF, b.data, b.len, &l, &p), 0, &p,
		      NULL);
	assert_two(&l);
	wire_instance_list_clear(&l);
	assert_result(wire_decode_instance_list(ENCODING_JSON, LITERAL(json), &l, &p), 0, &p, NULL);
	assert_two(&l);
	wire_instance_list_clear(&l);
}

static const struct decode_case {
	const char *name;
	enum encoding e;
	const char *body;	/* protobuf: in hex */
	int want;
	size_t n;
	const char *says;
} decode_cases[] = {
	{ "an empty body", ENCODING_PROTOBUF, "", 0, 0, NULL },
	{ "one", ENCODING_PROTOBUF, "0a030a0161", 0, 1, NULL },
	{ "an empty token", ENCODING_PROTOBUF, "0a030a01611200", 0, 1, NULL },
	{ "an unknown field", ENCODING_PROTOBUF, "0a030a01617801", 0, 1, NULL },
	{ "no id", ENCODING_PROTOBUF, "0a030a01610a00", 400, 0, "each instance_id must be" },
	{ "an id that is none", ENCODING_PROTOBUF, "0a030a012e", 400, 0, "instance_id must be" },
	{ "bad UTF-8 deep inside", ENCODING_PROTOBUF, "0a080a01611a030a01ff", 400, 0,
	  "node must be UTF-8" },
	{ "an instance as a number", ENCODING_PROTOBUF, "0801", 400, 0,
	  "instances must be a message" },
	{ "NUL in the token", ENCODING_PROTOBUF, "120100", 400, 0,
	  "next_page_token must be UTF-8" },

	{ "an empty object is an empty list", ENCODING_JSON, "{}", 0, 0, NULL },
	{ "a token alone", ENCODING_JSON, "{\"next_page_token\":\"x\"}", 0, 0, NULL },
	{ "null, as Go writes an empty list", ENCODING_JSON, "{\"instances\":null}", 0, 0, NULL },
	{ "an empty list", ENCODING_JSON, "{\"instances\":[],\"more\":1}", 0, 0, NULL },
	{ "one, no token", ENCODING_JSON, "{\"instances\":[{\"instance_id\":\"a\"}],"
	  "\"next_page_token\":null}", 0, 1, NULL },
	{ "something else is no list", ENCODING_JSON, "{\"error\":\"internal\"}", 400, 0,
	  "instances must be an array" },
	{ "with a token neither", ENCODING_JSON, "{\"error\":1,\"next_page_token\":\"\"}", 400, 0,
	  "instances must be an array" },
	{ "an object", ENCODING_JSON, "{\"instances\":{}}", 400, 0, "instances must be an array" },
	{ "an entry that is no object", ENCODING_JSON, "{\"instances\":[\"a\"]}", 400, 0,
	  "each instance_id must be" },
	{ "an entry of null", ENCODING_JSON, "{\"instances\":[null]}", 400, 0, "instance_id" },
	{ "no id, JSON", ENCODING_JSON, "{\"instances\":[{\"tenant_id\":\"t\"}]}", 400, 0,
	  "instance_id" },
	{ "a number as id", ENCODING_JSON, "{\"instances\":[{\"instance_id\":1}]}", 400, 0,
	  "instance_id" },
	{ "the second is wrong", ENCODING_JSON, "{\"instances\":[{\"instance_id\":\"a\","
	  "\"tenant_id\":\"t\",\"target\":{\"node\":\"n\"}},{\"instance_id\":\"a b\"}]}", 400, 0,
	  "instance_id" },
	{ "a token of the wrong type", ENCODING_JSON, "{\"instances\":[],\"next_page_token\":1}",
	  400,
	  0, "next_page_token must be" },
	{ "a NUL in the token", ENCODING_JSON, "{\"instances\":[{\"instance_id\":\"a\"}],"
	  "\"next_page_token\":\"a\\u0000b\"}", 400, 0, "next_page_token must be" },
	{ "a key twice", ENCODING_JSON, "{\"instances\":[],\"instances\":[]}", 400, 0,
	  "duplicate" },
	{ "an array", ENCODING_JSON, "[]", 400, 0, "must be a JSON object" },
	{ "an empty body, JSON", ENCODING_JSON, "", 400, 0, "not JSON" },
	{ "trailing bytes", ENCODING_JSON, "{\"instances\":[]},", 400, 0, "not JSON" },
};

static void decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(decode_cases); i++) {
		const struct decode_case *c = &decode_cases[i];
		struct instance_list l;
		struct problem p;

		row(c->name);
		b.len = 0;
		if (c->e == ENCODING_PROTOBUF)
			put_hex(&b, c->body);
		else
			put_raw(&b, c->body, strlen(c->body));
		memset(&l, 0xff, sizeof l);
		assert_result(wire_decode_instance_list(c->e, b.data, b.len, &l, &p), c->want, &p,
			      c->says);
		assert_int_equal(l.n_instances, c->n);
		if (c->want != 0) {
			assert_null(l.instances);
			assert_null(l.next_page_token);
		}
		wire_instance_list_clear(&l);
	}
}

/* 65,536 fit a page; the body of one more would be 2 bytes longer. */
static void entries_are_bounded(void **state)
{
	const size_t max = 65536;
	uint8_t *body = calloc(max + 1, 5);
	struct instance_list l;
	struct problem p;

	(void)state;
	for (size_t i = 0; i <= max; i++)
		memcpy(body + i * 5, "\x0a\x03\x0a\x01" "a", 5);
	assert_result(wire_decode_instance_list(ENCODING_PROTOBUF, body, max * 5, &l, &p), 0, &p,
		      NULL);
	assert_int_equal(l.n_instances, max);
	wire_instance_list_clear(&l);
	assert_result(wire_decode_instance_list(ENCODING_PROTOBUF, body, (max + 1) * 5, &l, &p),
		      400, &p, "instances must have at most 65536 elements");
	free(body);
}

static void unknown_fields_are_bounded(void **state)
{
	const size_t max = 65536;
	uint8_t *body = calloc(max + 1, 2);
	struct instance_list l;
	struct problem p;

	(void)state;
	for (size_t i = 0; i <= max; i++)
		memcpy(body + i * 2, "\x78\x01", 2);
	assert_result(wire_decode_instance_list(ENCODING_PROTOBUF, body, max * 2, &l, &p), 0, &p,
		      NULL);
	wire_instance_list_clear(&l);
	assert_result(wire_decode_instance_list(ENCODING_PROTOBUF, body, (max + 1) * 2, &l, &p),
		      400, &p, "not a valid");
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_bytes),
		cmocka_unit_test(both_encodings),
		cmocka_unit_test(decodes_or_refuses),
		cmocka_unit_test(entries_are_bounded),
		cmocka_unit_test(unknown_fields_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
