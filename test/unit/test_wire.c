#include "test_wire.h"

static const struct encoding_case {
	const char *name;
	const char *content_type, *accept, *body;
	enum encoding want;
} encoding_cases[] = {
	{ "nothing at all", NULL, NULL, "", ENCODING_PROTOBUF },
	{ "a brace", NULL, NULL, "{}", ENCODING_JSON },
	{ "a protobuf tag", NULL, NULL, "\x08\x01", ENCODING_PROTOBUF },
	{ "blanks are not skipped", NULL, NULL, " {}", ENCODING_PROTOBUF },
	{ "a newline is a tag", NULL, NULL, "\n{}", ENCODING_PROTOBUF },
	{ "an array is not ours", NULL, NULL, "[]", ENCODING_PROTOBUF },
	{ "JSON by header", "application/json", NULL, " {}", ENCODING_JSON },
	{ "JSON by header, empty body", "application/json", NULL, "", ENCODING_JSON },
	{ "header with a parameter", "application/json; charset=utf-8", NULL, " ", ENCODING_JSON },
	{ "header in capitals", " Application/JSON", NULL, " ", ENCODING_JSON },
	{ "header that only begins so", "application/jsonp", NULL, " ", ENCODING_PROTOBUF },
	{ "header that is cut short", "application/jso", NULL, " ", ENCODING_PROTOBUF },
	{ "the header wins over a brace", "application/x-protobuf", NULL, "{}", ENCODING_PROTOBUF },
	{ "an empty header is none", "", NULL, "{}", ENCODING_JSON },
	{ "accept, empty body", NULL, "application/json", "", ENCODING_JSON },
	{ "accept among others", NULL, "text/html, application/json;q=0.9", "", ENCODING_JSON },
	{ "accept of something else", NULL, "text/html,*/*", "", ENCODING_PROTOBUF },
	{ "accept for an empty body only", NULL, "application/json", "\x08\x01",
	  ENCODING_PROTOBUF },
};

static void encoding_of_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(encoding_cases); i++) {
		const struct encoding_case *c = &encoding_cases[i];

		row(c->name);
		assert_int_equal(wire_encoding(c->content_type, c->accept, c->body,
					       strlen(c->body)), c->want);
	}
	assert_int_equal(wire_encoding(NULL, NULL, NULL, 0), ENCODING_PROTOBUF);
	assert_string_equal(wire_content_type(ENCODING_JSON), "application/json");
	assert_string_equal(wire_content_type(ENCODING_PROTOBUF), "application/x-protobuf");
}

static void names_of_aggregates(void **state)
{
	static const char *const bad[] = { "", "mea", "means", "MEAN", "avg", " mean" };
	enum aggregate a;

	(void)state;
	for (unsigned i = 0; i < AGGREGATE_COUNT; i++) {
		const char *name = aggregate_name((enum aggregate)i);

		assert_true(aggregate_parse(name, strlen(name), &a));
		assert_int_equal(a, i);
	}
	assert_string_equal(aggregate_name(AGGREGATE_LAST), "last");
	assert_true(aggregate_parse("maximum", 3, &a));
	assert_int_equal(a, AGGREGATE_MAX);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(aggregate_parse(bad[i], strlen(bad[i]), &a));
	assert_false(aggregate_parse("mean\0", 5, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encoding_of_bodies),
		cmocka_unit_test(names_of_aggregates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
