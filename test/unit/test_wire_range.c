/* Range replies; the requests are in test_wire_request.c. */
#include "test_wire.h"

/* protoc --encode=meter.v1.RangeReply of the values in golden() */
#define GOLDEN                                                                                     \
	"0a03692d31100118e80720c8dc0328b0ea01323208021205e80798f2011a0303"                         \
	"c8012210000000000000f83f000000000000f87f421000000000000000400000"                         \
	"000000001040323208001205e80798f2011a0303c8012210000000000000e03f"                         \
	"000000000000f87f4210000000000000f03f0000000000001040"

#define HEAD "{\"instance_id\":\"i-1\",\"tracked\":true,"                                         \
	     "\"since\":\"1970-01-01T00:00:01.000Z\",\"until\":\"1970-01-01T00:01:01.000Z\","

/* Two rows with max and mean, the second without CPU; network_out differs between the two. */
static struct range_reply golden(void)
{
	struct range_reply r = {
		.instance_id = "i-1", .tracked = true, .since_ms = 1000, .until_ms = 61000,
		.resolution_ms = 30000, .n_aggregates = 2,
		.aggregates = { AGGREGATE_MAX, AGGREGATE_MEAN },
	};
	struct range_result *rows = &r.result;

	assert_int_equal(range_result_init(rows, 2, AGGREGATE_BIT(AGGREGATE_MAX) |
					   AGGREGATE_BIT(AGGREGATE_MEAN)), 0);
	rows->at_ms[0] = 1000;
	rows->at_ms[1] = 31000;
	rows->count[0] = 3;
	rows->count[1] = 200;
	rows->column[AGGREGATE_MAX][METRIC_CPU_PERCENT][0] = 1.5;
	rows->column[AGGREGATE_MEAN][METRIC_CPU_PERCENT][0] = 0.5;
	rows->column[AGGREGATE_MAX][METRIC_NETWORK_OUT][0] = 2;
	rows->column[AGGREGATE_MAX][METRIC_NETWORK_OUT][1] = 4;
	rows->column[AGGREGATE_MEAN][METRIC_NETWORK_OUT][0] = 1;
	rows->column[AGGREGATE_MEAN][METRIC_NETWORK_OUT][1] = 4;
	range_result_drop_empty(rows);
	return r;
}

static void assert_same_rows(const struct range_result *a, const struct range_result *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->at_ms[i], b->at_ms[i]);
		assert_int_equal(a->count[i], b->count[i]);
	}
	for (int n = 0; n < AGGREGATE_COUNT * METRIC_COUNT; n++) {
		const double *x = a->column[n / METRIC_COUNT][n % METRIC_COUNT];
		const double *y = b->column[n / METRIC_COUNT][n % METRIC_COUNT];

		assert_int_equal(!x, !y);
		for (size_t i = 0; x && i < a->n; i++)
			assert_true(x[i] == y[i] || (isnan(x[i]) && isnan(y[i])));
	}
}

static void round_trip(const struct range_reply *r)
{
	struct range_reply back;
	struct buffer out = { 0 };
	struct problem p;

	assert_int_equal(wire_encode_range_reply(ENCODING_PROTOBUF, r, &out), 0);
	assert_result(wire_decode_range_reply(out.data, out.len, &back, &p), 0, &p, NULL);
	assert_string_equal(back.instance_id, r->instance_id);
	assert_int_equal(back.tracked, r->tracked);
	assert_int_equal(back.raw, r->raw);
	assert_int_equal(back.since_ms, r->since_ms);
	assert_int_equal(back.until_ms, r->until_ms);
	assert_int_equal(back.resolution_ms, r->resolution_ms);
	assert_int_equal(back.next_since_ms, r->next_since_ms);
	assert_int_equal(back.n_aggregates, r->n_aggregates);
	assert_memory_equal(back.aggregates, r->aggregates, sizeof r->aggregates);
	assert_same_rows(&back.result, &r->result);
	range_result_clear(&back.result);
	buffer_clear(&out);
}

static void assert_json(const struct range_reply *r, const char *want)
{
	struct buffer out = { 0 };

	assert_int_equal(wire_encode_range_reply(ENCODING_JSON, r, &out), 0);
	assert_text(&out, want);
	buffer_clear(&out);
}

static void bytes_are_those_of_protoc(void **state)
{
	struct range_reply r = golden();
	struct buffer out = { 0 };

	(void)state;
	buffer_add(&out, "x", 1);	/* encoders append */
	assert_int_equal(wire_encode_range_reply(ENCODING_PROTOBUF, &r, &out), 0);
	assert_hex(out.data + 1, out.len - 1, GOLDEN);
	round_trip(&r);
	buffer_clear(&out);
	range_result_clear(&r.result);
}

static void json_of_several_aggregates(void **state)
{
	struct range_reply r = golden();

	(void)state;
	assert_json(&r, HEAD "\"resolution_ms\":30000,\"series\":{"
		    "\"max\":[{\"at\":\"1970-01-01T00:00:01.000Z\",\"cpu_percent\":1.5,"
		    "\"network_out_bytes_per_sec\":2,\"count\":3},"
		    "{\"at\":\"1970-01-01T00:00:31.000Z\",\"network_out_bytes_per_sec\":4,"
		    "\"count\":200}],"
		    "\"mean\":[{\"at\":\"1970-01-01T00:00:01.000Z\",\"cpu_percent\":0.5,"
		    "\"network_out_bytes_per_sec\":1,\"count\":3},"
		    "{\"at\":\"1970-01-01T00:00:31.000Z\",\"network_out_bytes_per_sec\":4,"
		    "\"count\":200}]}}");
	range_result_clear(&r.result);
	assert_json(&r, HEAD "\"resolution_ms\":30000,\"series\":{\"max\":[],\"mean\":[]}}");
	round_trip(&r);
}

static void json_of_all_metrics(void **state)
{
	struct range_reply r = golden();
	double *memory;

	(void)state;
	range_result_clear(&r.result);
	r.aggregates[0] = AGGREGATE_LAST;
	r.aggregates[1] = AGGREGATE_MEAN;
	r.n_aggregates = 1;
	assert_int_equal(range_result_init(&r.result, 1, AGGREGATE_BIT(AGGREGATE_LAST)), 0);
	r.result.at_ms[0] = 1000;
	r.result.count[0] = 1;
	for (int m = 0; m < METRIC_COUNT; m++)
		r.result.column[AGGREGATE_LAST][m][0] = 0.25 * m;
	/* A mean of bytes has a fraction, JSON shows whole ones; nearly 3 MiB are 2. */
	memory = r.result.column[AGGREGATE_LAST][METRIC_MEMORY_USED];
	*memory = 3 * 1048576 - 0.5;
	assert_json(&r, HEAD "\"resolution_ms\":30000,\"series\":[{"
		    "\"at\":\"1970-01-01T00:00:01.000Z\",\"cpu_percent\":0,\"memory_used_mb\":2,"
		    "\"memory_limit_mb\":0,\"memory_used_bytes\":3145727,\"memory_limit_bytes\":0,"
		    "\"network_in_bytes_per_sec\":0.75,\"network_out_bytes_per_sec\":1,"
		    "\"requests_per_sec\":1.25,\"latency_p95_ms\":1.5,\"count\":1}]}");
	range_result_clear(&r.result);
	assert_json(&r, HEAD "\"resolution_ms\":30000,\"series\":[]}");
}

static void untracked_has_no_series(void **state)
{
	struct range_reply r = { .instance_id = "i", .until_ms = 5, .resolution_ms = 10 };

	(void)state;
	assert_json(&r, "{\"instance_id\":\"i\",\"tracked\":false,"
		    "\"since\":\"1970-01-01T00:00:00.000Z\",\"until\":\"1970-01-01T00:00:00.005Z\","
		    "\"resolution_ms\":10,\"series\":[]}");
	round_trip(&r);
	r.raw = true;
	r.resolution_ms = 0;
	assert_json(&r, "{\"instance_id\":\"i\",\"tracked\":false,"
		    "\"since\":\"1970-01-01T00:00:00.000Z\",\"until\":\"1970-01-01T00:00:00.005Z\","
		    "\"series\":[]}");
	round_trip(&r);
}

static void raw_has_no_resolution(void **state)
{
	struct range_reply r = golden();
	struct buffer out = { 0 };

	(void)state;
	range_result_clear(&r.result);
	r.raw = true;
	r.resolution_ms = 0;
	r.n_aggregates = 1;
	r.aggregates[0] = r.aggregates[1] = AGGREGATE_MEAN;
	round_trip(&r);
	assert_int_equal(range_result_init(&r.result, 1, AGGREGATE_BIT(AGGREGATE_MEAN)), 0);
	r.result.at_ms[0] = 1007;
	r.result.count[0] = 1;
	r.result.column[AGGREGATE_MEAN][METRIC_REQUESTS][0] = 0.1;
	range_result_drop_empty(&r.result);
	r.next_since_ms = 1008;
	round_trip(&r);
	/* No resolution, no aggregate. */
	assert_int_equal(wire_encode_range_reply(ENCODING_PROTOBUF, &r, &out), 0);
	assert_hex(out.data, out.len, "0a03692d31100118e80720c8dc03" "3211" "1202ef07" "1a0101"
		   "4a08" "9a9999999999b93f" "38f007");
	buffer_clear(&out);
	assert_json(&r, HEAD "\"series\":[{\"at\":\"1970-01-01T00:00:01.007Z\","
		    "\"requests_per_sec\":0.1,\"count\":1}],"
		    "\"next_since\":\"1970-01-01T00:00:01.008Z\"}");
	range_result_clear(&r.result);
}

/* Each row is one Series or two, and what stands before them. */
#define AT2 "1202e807"			/* at_unix_ms 1000, packed */
#define N2 "1a0103"			/* count 3, packed */
#define CPU "2208000000000000f03f"	/* cpu_percent 1, packed */
static const struct reply_case {
	const char *name;
	const char *head;
	const char *series[2];
	int want;
	const char *says;
} reply_cases[] = {
	{ "one series", "28b0ea01", { "0800" AT2 N2 CPU }, 0, NULL },
	{ "without a metric", "28b0ea01", { "0800" AT2 N2 }, 0, NULL },
	{ "without a row", "28b0ea01", { "0800" }, 0, NULL },
	{ "two", "28b0ea01", { "0800" AT2 N2 CPU, "0802" AT2 N2 }, 0, NULL },
	{ "raw", "", { AT2 N2 CPU }, 0, NULL },
	{ "columns that are not packed", "28b0ea01", { "080010e8071803" "21000000000000f03f" }, 0,
	  NULL },
	{ "packed and not in one", "28b0ea01", { "0800" AT2 "10e807" N2 "1804" CPU
	  "21000000000000f03f" }, 0, NULL },
	{ "the metric is all NaN", "28b0ea01", { "0800" AT2 N2 "2208000000000000f87f" }, 0, NULL },
	{ "raw with two", "", { AT2 N2, AT2 N2 }, 400, "series must have one" },
	{ "no aggregate", "28b0ea01", { AT2 N2 CPU }, 400, "aggregate of its own" },
	{ "one aggregate twice", "28b0ea01", { "0801" AT2 N2, "0801" AT2 N2 }, 400,
	  "aggregate of its own" },
	{ "an aggregate past the list", "28b0ea01", { "0804" AT2 N2 }, 400,
	  "aggregate must be one of MEAN, MIN, MAX, LAST" },
	{ "a resolution of 0", "2800", { "0800" AT2 N2 }, 400, "resolution_ms" },
	{ "a negative resolution", "28ffffffffffffffffff01", { "0800" }, 400, "resolution_ms" },
	{ "a time out of reach", "18ffffffffffffffff7f28b0ea01", { "0800" }, 400, "since_unix_ms" },
	{ "a row out of reach", "28b0ea01", { "0800" "1209ffffffffffffffff7f" N2 }, 400,
	  "at_unix_ms" },
	{ "rows out of order", "28b0ea01", { "0800" "12020201" "1a020101" }, 400, "in order" },
	{ "count is shorter", "28b0ea01", { "0800" "12020102" N2 }, 400, "count must be as long" },
	{ "count is absent", "28b0ea01", { "0800" AT2 }, 400, "count must be as long" },
	{ "count without rows", "28b0ea01", { "0800" N2 }, 400, "count must be as long" },
	{ "count past 32 bits", "28b0ea01", { "0800" AT2 "1a058080808010" }, 400,
	  "count must be a uint32" },
	{ "a column is shorter", "28b0ea01", { "0800" "12020102" "1a020101" CPU }, 400,
	  "cpu_percent must be as long as at_unix_ms" },
	{ "a column without rows", "28b0ea01", { "0800" CPU }, 400, "cpu_percent" },
	{ "a column of 7 bytes", "28b0ea01", { "0800" AT2 N2 "220700000000000000" }, 400,
	  "cpu_percent must be a double" },
	{ "a packed varint without end", "28b0ea01", { "0800" "1202e887" N2 }, 400, "not a valid" },
	{ "an infinite value", "28b0ea01", { "0800" AT2 N2 "5208000000000000f07f" }, 400,
	  "latency_p95_ms" },
	{ "a negative value", "28b0ea01", { "0800" AT2 N2 "2208000000000000f0bf" }, 400,
	  "cpu_percent must be finite" },
	{ "rows of another time", "28b0ea01", { "0800" AT2 N2, "0801" "1202e907" N2 }, 400,
	  "all series must have the same" },
	{ "another count", "28b0ea01", { "0800" AT2 N2, "0801" AT2 "1a0104" }, 400,
	  "all series must have the same" },
	{ "fewer rows in the second", "28b0ea01", { "0800" AT2 N2, "0801" }, 400,
	  "all series must have the same" },
	{ "an id that is none", "0a012e28b0ea01", { "0800" }, 400, "instance_id must be" },
	{ "tracked as a string", "12012e28b0ea01", { "0800" }, 400, "tracked must be a bool" },
	{ "a series as a number", "3001", { "0800" }, 400, "series must be a message" },
};

static void build_reply(const struct reply_case *c, struct bytes *b)
{
	static struct bytes s;

	b->len = 0;
	put_text(b, 1, "i");
	put_hex(b, c->head);
	for (size_t i = 0; i < 2 && c->series[i]; i++) {
		s.len = 0;
		put_hex(&s, c->series[i]);
		put_message(b, 6, &s);
	}
}

static void decodes_or_refuses(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(reply_cases); i++) {
		const struct reply_case *c = &reply_cases[i];
		struct range_reply out;
		struct problem p;

		row(c->name);
		build_reply(c, &b);
		memset(&out, 0xff, sizeof out);
		assert_result(wire_decode_range_reply(b.data, b.len, &out, &p), c->want, &p,
			      c->says);
		assert_int_equal(out.n_aggregates, c->want ? 0 : c->series[1] ? 2 : 1);
		if (c->want == 0) {
			range_result_clear(&out.result);
			continue;
		}
		assert_string_equal(out.instance_id, "");
		assert_null(out.result.memory);
		assert_int_equal(out.result.n, 0);
	}
}

static void more_than_four_series(void **state)
{
	static struct bytes b;
	struct range_reply out;
	struct problem p;

	(void)state;
	b.len = 0;
	put_hex(&b, "0a016928b0ea01");
	for (int i = 0; i < 5; i++)
		put_hex(&b, "320208" "00");
	assert_result(wire_decode_range_reply(b.data, b.len, &out, &p), 400, &p,
		      "series must have at most 4 elements");
}

static void unpacked_reads_as_packed(void **state)
{
	static struct bytes b;
	struct range_reply out;
	struct problem p;

	(void)state;
	build_reply(&reply_cases[6], &b);
	assert_int_equal(wire_decode_range_reply(b.data, b.len, &out, &p), 0);
	assert_int_equal(out.result.n, 2);
	assert_int_equal(out.result.at_ms[1], 1000);
	assert_int_equal(out.result.count[0], 3);
	assert_int_equal(out.result.count[1], 4);
	assert_true(out.result.column[AGGREGATE_MEAN][METRIC_CPU_PERCENT][1] == 1);
	assert_null(out.result.column[AGGREGATE_MEAN][METRIC_REQUESTS]);
	range_result_clear(&out.result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_those_of_protoc),
		cmocka_unit_test(json_of_several_aggregates),
		cmocka_unit_test(json_of_all_metrics),
		cmocka_unit_test(untracked_has_no_series),
		cmocka_unit_test(raw_has_no_resolution),
		cmocka_unit_test(decodes_or_refuses),
		cmocka_unit_test(more_than_four_series),
		cmocka_unit_test(unpacked_reads_as_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
