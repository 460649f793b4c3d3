#include "test_wire.h"

/* protoc --encode=meter.v1.Sample of the values in golden() */
#define GOLDEN                                                                                     \
	"0a06696e73745f3110ac021880dae7e79f342100000000000029402880808032"                         \
	"30003900000000000000004100000000000190405100000000000008407801"

static struct wire_sample golden(void)
{
	struct wire_sample s = sample_of("inst_1");

	s.final = true;
	s.sample.value[METRIC_MEMORY_LIMIT] = 0;
	s.sample.value[METRIC_NETWORK_IN] = 0;
	s.sample.value[METRIC_LATENCY_P95] = 3;
	return s;
}

static void bytes_are_those_of_protoc(void **state)
{
	struct wire_sample s = golden(), back;
	uint8_t out[WIRE_SAMPLE_MAX];
	size_t len = wire_encode_sample(&s, out);
	struct problem p;

	(void)state;
	assert_hex(out, len, GOLDEN);
	assert_result(wire_decode_sample(out, len, &back, &p), 0, &p, NULL);
	assert_same_sample(&back, &s);
}

/* Each metric alone, and none: absent stays absent, and 0 stays 0. */
static void absent_is_not_zero(void **state)
{
	uint8_t out[WIRE_SAMPLE_MAX];
	struct wire_sample back;
	struct problem p;

	(void)state;
	for (int m = -1; m < METRIC_COUNT; m++) {
		struct wire_sample s = sample_of("i");

		for (int i = 0; i < METRIC_COUNT; i++)
			s.sample.value[i] = i == m ? 0 : NAN;
		assert_result(wire_decode_sample(out, wire_encode_sample(&s, out), &back, &p), 0,
			      &p, NULL);
		assert_same_sample(&back, &s);
	}
}

static void longest_fits(void **state)
{
	struct wire_sample s = { .sequence = UINT64_MAX, .final = true }, back;
	uint8_t *out = malloc(WIRE_SAMPLE_MAX);	/* so that a byte past it is seen */
	struct problem p;

	(void)state;
	memset(s.instance_id, 'x', IDENT_MAX);
	s.sample.at_ms = INT64_MIN;
	for (int i = 0; i < METRIC_COUNT; i++)
		s.sample.value[i] = 0x1p70;
	assert_in_range(wire_encode_sample(&s, out), 200, WIRE_SAMPLE_MAX);
	s.sample.at_ms = 253402300799999;
	assert_result(wire_decode_sample(out, wire_encode_sample(&s, out), &back, &p), 0, &p, NULL);
	/* What 64 bits do not hold saturates; the doubles are as they were. */
	assert_true(back.sample.value[METRIC_MEMORY_USED] == 0x1p64);
	assert_true(back.sample.value[METRIC_NETWORK_IN] == 0x1p70);
	free(out);
}

static void unreadable_values_are_left_out(void **state)
{
	static const double bad[] = { INFINITY, -INFINITY, -1, NAN };
	uint8_t out[WIRE_SAMPLE_MAX];
	struct wire_sample back;
	struct problem p;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct wire_sample s = sample_of("i");

		for (int m = 0; m < METRIC_COUNT; m++)
			s.sample.value[m] = bad[i];
		assert_result(wire_decode_sample(out, wire_encode_sample(&s, out), &back, &p), 0,
			      &p, NULL);
		for (int m = 0; m < METRIC_COUNT; m++)
			assert_true(isnan(back.sample.value[m]));
	}
}

/* Each row is appended to {instance_id: "i"} unless it brings its own. */
static const struct decode_case {
	const char *name;
	bool own_id;
	const char *hex;
	int want;
	const char *says;
} decode_cases[] = {
	{ "the id alone", false, "", 0, NULL },
	{ "no id", true, "1001", 400, "instance_id must be" },
	{ "an empty body", true, "", 400, "instance_id" },
	{ "an empty id", true, "0a00", 400, "instance_id" },
	{ "a blank in the id", true, "0a03612062", 400, "instance_id" },
	{ "a dot in the id", true, "0a03612e62", 400, "instance_id" },
	{ "CRLF in the id", true, "0a03610d0a", 400, "instance_id" },
	{ "NUL in the id", true, "0a03610062", 400, "instance_id must be UTF-8 without NUL" },
	{ "bad UTF-8 in the id", true, "0a0261ff", 400, "instance_id must be UTF-8" },
	{ "letters outside ASCII", true, "0a02c3a4", 400, "instance_id must be 1 to 128" },
	{ "the last of two ids counts", false, "0a0162", 0, NULL },
	{ "NaN", false, "21000000000000f87f", 400, "cpu_percent must be finite" },
	{ "infinite", false, "21000000000000f07f", 400, "cpu_percent" },
	{ "negative", false, "39000000000000f0bf", 400, "network_in_bytes_per_sec" },
	{ "negative zero is zero", false, "390000000000000080", 0, NULL },
	{ "all 64 bits of memory", false, "28ffffffffffffffffff01", 0, NULL },
	{ "a time out of reach", false, "18ffffffffffffffff7f", 400, "at_unix_ms" },
	{ "an unknown varint", false, "e00601", 0, NULL },
	{ "an unknown fixed64", false, "e1060102030405060708", 0, NULL },
	{ "an unknown string, whatever is in it", false, "e2060200ff", 0, NULL },
	{ "an unknown fixed32", false, "e50601020304", 0, NULL },
	{ "the greatest field number", false, "f8ffffff0f01", 0, NULL },
	{ "a field number past it", false, "f8ffffff1f01", 400, "not a valid meter.v1.Sample" },
	{ "field number 0", false, "0001", 400, "not a valid" },
	{ "an unknown group", false, "e306e406", 400, "not a valid" },
	{ "an end of no group", false, "e406", 400, "not a valid" },
	{ "wire type 6", false, "e606", 400, "not a valid" },
	{ "wire type 7", false, "e706", 400, "not a valid" },
	{ "a double as varint", false, "2001", 400, "cpu_percent must be a double" },
	{ "a varint as double", false, "110000000000000000", 400, "sequence must be a uint64" },
	{ "a varint as string", false, "120101", 400, "sequence must be a uint64" },
	{ "a varint as fixed32", false, "1500000000", 400, "sequence" },
	{ "an id as varint", true, "0801", 400, "instance_id must be a string" },
	{ "a known field as a group", false, "13", 400, "not a valid" },
	{ "a varint of 10 bytes", false, "10ffffffffffffffffff01", 0, NULL },
	{ "a varint with a 65th bit", false, "10ffffffffffffffffff02", 400, "not a valid" },
	{ "a varint of 11 bytes", false, "108080808080808080808000", 400, "not a valid" },
	{ "a varint padded with zeros", false, "10818000", 0, NULL },
	{ "a tag padded with zeros", false, "90800001", 0, NULL },
	{ "a tag padded to five bytes", false, "908080800001", 0, NULL },
	{ "a tag padded to six", false, "90808080800001", 400, "not a valid" },
	{ "a length padded to six", true, "0a81808080800069", 400, "not a valid" },
	{ "a varint without end", false, "10ff", 400, "not a valid" },
	{ "a tag without end", false, "90", 400, "not a valid" },
	{ "a tag without value", false, "10", 400, "not a valid" },
	{ "a double cut short", false, "2100000000000000", 400, "not a valid" },
	{ "a string longer than the body", true, "0a0261", 400, "not a valid" },
	{ "a string longer than everything", true, "0affffffffffffffffff0161", 400, "not a valid" },
	{ "a string of 2 GB", true, "0affffffff0761", 400, "not a valid" },
};

static void decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(decode_cases); i++) {
		const struct decode_case *c = &decode_cases[i];
		struct wire_sample out;
		struct problem p;
		int r;

		row(c->name);
		b.len = 0;
		if (!c->own_id)
			put_text(&b, 1, "i");
		put_hex(&b, c->hex);
		memset(&out, 0xff, sizeof out);
		r = wire_decode_sample(b.data, b.len, &out, &p);
		assert_result(r, c->want, &p, c->says);
		if (r != 0) {
			assert_string_equal(out.instance_id, "");
			assert_int_equal(out.sequence, 0);
			assert_int_equal(out.sample.at_ms, 0);
		}
	}
}

/* In a string that decoders do not look at otherwise: request_family of a list entry. */
static const struct utf8_case {
	const char *name;
	const char *s;
	size_t len;
	int want;
} utf8_cases[] = {
	{ "ASCII", LITERAL("abc"), 0 },
	{ "empty", LITERAL(""), 0 },
	{ "two bytes", LITERAL("\xc2\x80\xdf\xbf"), 0 },
	{ "three bytes", LITERAL("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), 0 },
	{ "four bytes", LITERAL("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), 0 },
	{ "NUL", LITERAL("a\0b"), 400 },
	{ "NUL at the end", LITERAL("a\0"), 400 },
	{ "a byte that only follows", LITERAL("\x80"), 400 },
	{ "overlong NUL", LITERAL("\xc0\x80"), 400 },
	{ "overlong slash", LITERAL("\xc0\xaf"), 400 },
	{ "overlong in two", LITERAL("\xc1\xbf"), 400 },
	{ "overlong in three", LITERAL("\xe0\x9f\xbf"), 400 },
	{ "overlong in four", LITERAL("\xf0\x8f\xbf\xbf"), 400 },
	{ "first surrogate", LITERAL("\xed\xa0\x80"), 400 },
	{ "last surrogate", LITERAL("\xed\xbf\xbf"), 400 },
	{ "past the last character", LITERAL("\xf4\x90\x80\x80"), 400 },
	{ "five bytes", LITERAL("\xf8\x88\x80\x80\x80"), 400 },
	{ "fe", LITERAL("\xfe"), 400 },
	{ "ff", LITERAL("\xff"), 400 },
	{ "cut in two", LITERAL("a\xc3"), 400 },
	{ "cut in three", LITERAL("\xe2\x82"), 400 },
	{ "cut in four", LITERAL("\xf0\x9f\x98"), 400 },
	{ "followed by ASCII", LITERAL("\xc3" "a"), 400 },
	{ "followed by another", LITERAL("\xe2\x82\xc3\xa4"), 400 },
};

static void strings_are_utf8(void **state)
{
	static struct bytes entry, b;

	(void)state;
	for (size_t i = 0; i < COUNT(utf8_cases); i++) {
		const struct utf8_case *c = &utf8_cases[i];
		struct list_reply out;
		struct problem p;

		row(c->name);
		entry.len = b.len = 0;
		put_text(&entry, 1, "i");
		put_string(&entry, 10, c->s, c->len);
		put_message(&b, 1, &entry);
		assert_result(wire_decode_list_reply(b.data, b.len, &out, &p), c->want, &p,
			      "request_family must be UTF-8 without NUL");
		if (c->want == 0)
			wire_list_reply_clear(&out);
		assert_null(out.entries);
		assert_null(out.memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_those_of_protoc),
		cmocka_unit_test(absent_is_not_zero),
		cmocka_unit_test(longest_fits),
		cmocka_unit_test(unreadable_values_are_left_out),
		cmocka_unit_test(decodes_or_refuses),
		cmocka_unit_test(strings_are_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
