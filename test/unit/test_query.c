/* Requests → replies over a known state: both encodings, pages, and every bound. */
#include "unit.h"

#include <jansson.h>

#include "query.h"

#define T0 1790000000000LL
#define MINUTE 60000LL

struct bench {
	struct stats stats;
	struct tracker *tracker;
	struct query_options options;
	struct moment now;
};

static void track(struct bench *b, const char *id)
{
	struct lifecycle_event e = { .type = EVENT_CREATED };
	struct instance *i;

	snprintf(e.instance_id, sizeof e.instance_id, "%s", id);
	assert_int_equal(tracker_apply(b->tracker, &e, &b->now, &i), TRACKER_TRACKED);
	lifecycle_event_clear(&e);
}

static void feed(struct bench *b, const char *id, int n)
{
	struct instance *i = tracker_find(b->tracker, id);

	for (int k = 0; k < n; k++) {
		struct sample s = { .at_ms = b->now.wall_ms - (n - k) * 10000LL };

		for (int m = 0; m < METRIC_COUNT; m++)
			s.value[m] = (k % 97) * 1.37 + m * 1000.1;
		assert_int_equal(ring_append(i->ring, &s), 0);
		memcpy(i->latest.instance_id, i->id, sizeof i->id);
		i->latest.sample = s;
		i->latest.sequence = ++i->sequence;
		i->has_latest = true;
	}
}

static void bench_init(struct bench *b)
{
	struct tracker_options o = { "", 60480, 10000, 100000, 10, 60000 };

	*b = (struct bench){ .now = { 0, T0 } };
	assert_int_equal(tracker_new(&b->tracker, &o, &b->stats), 0);
	b->options = (struct query_options){ b->tracker, "", 10000, 11000, 1048576 - 4096 };
}

static int ask(struct bench *b, enum query_kind kind, const char *id, const char *body,
	       struct buffer *out, struct problem *p)
{
	*out = (struct buffer){ 0 };
	*p = (struct problem){ 0 };
	return query_answer(&b->options, kind, id,
			    wire_encoding(NULL, CONTENT_TYPE_JSON, body, strlen(body)), body,
			    strlen(body), &b->now, out, p);
}

static json_t *parse(struct buffer *out)
{
	json_t *j = json_loadb((const char *)out->data, out->len, 0, NULL);

	assert_non_null(j);
	buffer_clear(out);
	return j;
}

static void test_unknown_instance_is_an_empty_answer(void **state)
{
	struct bench b;
	struct buffer out;
	struct problem p;
	json_t *j;

	(void)state;
	bench_init(&b);
	assert_int_equal(ask(&b, QUERY_RANGE, "nobody", "{}", &out, &p), 0);
	j = parse(&out);
	assert_true(json_is_false(json_object_get(j, "tracked")));
	assert_int_equal(json_array_size(json_object_get(j, "series")), 0);
	json_decref(j);
	assert_int_equal(ask(&b, QUERY_LATEST, "nobody", "", &out, &p), 0);
	j = parse(&out);
	assert_true(json_is_false(json_object_get(j, "tracked")));
	assert_null(json_object_get(j, "sample"));
	json_decref(j);
	tracker_free(b.tracker);
}

static void test_bad_ids(void **state)
{
	static char longest[IDENT_MAX + 2];
	const char *const ids[] = { "", "a b", "a\r\nb", "ä", "*", ">", longest };
	struct bench b;
	struct buffer out;
	struct problem p;

	(void)state;
	memset(longest, 'a', IDENT_MAX + 1);
	bench_init(&b);
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		assert_int_equal(ask(&b, QUERY_RANGE, ids[i], "{}", &out, &p), 400);
		assert_int_equal(ask(&b, QUERY_LATEST, ids[i], "", &out, &p), 400);
	}
	longest[IDENT_MAX] = '\0';
	assert_int_equal(ask(&b, QUERY_LATEST, longest, "", &out, &p), 0);
	buffer_clear(&out);
	tracker_free(b.tracker);
}

/* The number a 413 names; 0 = none. */
static long long named(const struct problem *p)
{
	const char *at = strstr(p->text, "the finest resolution for this window is ");

	return at ? atoll(at + strlen("the finest resolution for this window is ")) : 0;
}

/* The resolution that a 413 names is asked, and fits; it is not much coarser than needed. */
static void test_reply_too_long_names_what_fits(void **state)
{
	static const char *const forms[] = {
		"",
		",\"aggregates\":[\"mean\",\"min\",\"max\",\"last\"]",
		",\"align\":\"epoch\"",
	};
	struct bench b;

	(void)state;
	bench_init(&b);
	track(&b, "a");
	feed(&b, "a", 60480);
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		char body[200], resolution[32] = "1s";
		struct buffer out;
		struct problem p;
		int tries = 0;

		for (;; tries++) {
			snprintf(body, sizeof body,
				 "{\"range\":\"7d\",\"resolution\":\"%s\"%s}", resolution, forms[i]);
			if (ask(&b, QUERY_RANGE, "a", body, &out, &p) == 0)
				break;
			assert_int_equal(p.code, 413);
			buffer_clear(&out);
			printf("# %s -> %s\n", body, p.text);
			snprintf(resolution, sizeof resolution, "%lldms", named(&p));
		}
		/* First too many points, then too many bytes, then it fits. */
		assert_in_range(tries, 1, 2);
		assert_true(out.len <= b.options.bytes_max);
		assert_true(out.len > b.options.bytes_max / 2);
		buffer_clear(&out);
	}
	tracker_free(b.tracker);
}

static int ask_range(struct bench *b, enum encoding e, const struct range_request *r,
		     struct buffer *out, struct problem *p)
{
	const char *const align = r->align == ALIGN_EPOCH ? "epoch" : "since";
	struct buffer body = { 0 };
	char json[300];
	int result, n;

	*out = (struct buffer){ 0 };
	*p = (struct problem){ 0 };
	if (e == ENCODING_PROTOBUF) {
		assert_int_equal(wire_encode_range_request(r, &body), 0);
		result = query_answer(&b->options, QUERY_RANGE, "a", e, body.data, body.len, &b->now, out, p);
		buffer_clear(&body);
		return result;
	}
	n = snprintf(json, sizeof json,
		     "{\"since\":%lld,\"until\":%lld,\"resolution\":\"%lldms\",\"align\":\"%s\",\"raw\":%s,"
		     "\"aggregates\":[", (long long)r->since_ms, (long long)r->until_ms,
		     (long long)r->resolution_ms, align, r->raw ? "true" : "false");
	for (size_t i = 0; i < r->n_aggregates; i++)
		n += snprintf(json + n, sizeof json - (size_t)n, "%s\"%s\"", i ? "," : "",
			      aggregate_name(r->aggregates[i]));
	snprintf(json + n, sizeof json - (size_t)n, "]}");
	return query_answer(&b->options, QUERY_RANGE, "a", e, json, strlen(json), &b->now, out, p);
}

static struct range_request random_range(uint64_t *seed)
{
	static const int64_t windows[] = { 1, 59999, 600000, 3600000, 86400000, 7 * 86400000LL,
					   30 * 86400000LL, 100 * 86400000LL };
	int64_t window = windows[unit_random(seed) % COUNT_OF(windows)];
	struct range_request r = { .until_ms = T0 - unit_random(seed) % 100000 };
	int64_t finest = window / 11000 + 1;

	r.since_ms = r.until_ms - window - unit_random(seed) % 5000;
	r.resolution_ms = finest + (int64_t)(unit_random(seed) % 8 * (uint64_t)finest / 2);
	r.align = unit_random(seed) % 2 ? ALIGN_EPOCH : ALIGN_SINCE;
	r.n_aggregates = 1 + unit_random(seed) % AGGREGATE_COUNT;
	for (size_t i = 0; i < r.n_aggregates; i++)
		r.aggregates[i] = (enum aggregate)i;
	return r;
}

/*
 * What a 413 names, asked again, is answered, whatever the bound; a tenth finer would not be, as far as
 * finer means longer: in JSON a stored value has fewer digits than a mean of two.
 */
static void check_named(struct bench *b, bool steady, uint64_t *seed, int *too_long)
{
	enum encoding e = unit_random(seed) % 2 ? ENCODING_JSON : ENCODING_PROTOBUF;
	struct range_request r = random_range(seed);
	bool by_bytes = false;
	struct buffer out;
	struct problem p;
	int result = ask_range(b, e, &r, &out, &p);

	/* First by points, which may be followed by one by bytes. */
	for (int n = 0; n < 2 && result == 413; n++) {
		by_bytes = strstr(p.text, "bytes") != NULL;
		assert_true(strlen(p.text) > 0 && named(&p) > r.resolution_ms);
		buffer_clear(&out);
		r.resolution_ms = named(&p);
		result = ask_range(b, e, &r, &out, &p);
		if (by_bytes)
			break;
	}
	if (result != 0)
		fail_msg("%zu bytes, %zu aggregates, %lld to %lld, align %d, %lld ms: %s",
			 b->options.bytes_max, r.n_aggregates, (long long)r.since_ms,
			 (long long)r.until_ms, (int)r.align, (long long)r.resolution_ms, p.text);
	assert_true(out.len > 0 && out.len <= b->options.bytes_max);
	buffer_clear(&out);
	*too_long += by_bytes;
	if (by_bytes && steady && e == ENCODING_PROTOBUF && r.align == ALIGN_SINCE) {
		r.resolution_ms = r.resolution_ms * 10 / 11 - 1;
		assert_int_equal(ask_range(b, e, &r, &out, &p), 413);
		buffer_clear(&out);
	}
}

/* Samples that come and go: four of five hours have none. */
static void feed_in_bursts(struct bench *b, const char *id, int n, uint64_t *seed)
{
	struct instance *i = tracker_find(b->tracker, id);

	for (int k = 0; k < n; k++) {
		struct sample s = { .at_ms = T0 - (n - k + (n - k) / 360 * 1440) * 10000LL };

		for (int m = 0; m < METRIC_COUNT; m++)
			s.value[m] = unit_random(seed) % 4 ? unit_random(seed) / 1000.0 : NAN;
		assert_int_equal(ring_append(i->ring, &s), 0);
	}
}

static void test_named_resolution_is_answered(void **state)
{
	uint64_t seed = 5;
	int too_long = 0;

	(void)state;
	for (int bursts = 0; bursts < 2; bursts++) {
		struct bench b;

		bench_init(&b);
		track(&b, "a");
		if (bursts)
			feed_in_bursts(&b, "a", 20000, &seed);
		else
			feed(&b, "a", 20000);
		for (int n = 0; n < 250; n++) {
			b.options.bytes_max = 3000u << unit_random(&seed) % 9;
			b.options.bytes_max += unit_random(&seed) % b.options.bytes_max;
			if (b.options.bytes_max > 1048576)
				b.options.bytes_max = 1048576;
			check_named(&b, !bursts, &seed, &too_long);
		}
		tracker_free(b.tracker);
	}
	printf("# %d were too long\n", too_long);
	assert_true(too_long > 100);
}

/* A bound that not even one bucket keeps is said plainly, at once, and so is one for raw rows. */
static void test_nothing_fits(void **state)
{
	static const struct {
		const char *name;
		size_t bytes_max;
		bool raw;
		const char *want;
	} cases[] = {
		{ "one bucket is too long", 300, false,
		  "even a reply of one row for each aggregate has more than 300 bytes" },
		{ "one row is too long", 300, true, "even a reply of one row has more than 300 bytes" },
		{ "no rows are too long", 50, true, "even a reply without rows has more than 50 bytes" },
	};
	struct bench b;

	(void)state;
	bench_init(&b);
	track(&b, "a");
	feed(&b, "a", 1000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		/* Without rows: a window that no sample is in. */
		int64_t since = cases[i].bytes_max < 100 ? 1 : T0 - 3600000;
		struct range_request r = { .since_ms = since, .until_ms = since + 3000000,
					   .resolution_ms = 30000, .raw = cases[i].raw };
		struct buffer out;
		struct problem p;

		printf("# %s\n", cases[i].name);
		b.options.bytes_max = cases[i].bytes_max;
		assert_int_equal(ask_range(&b, ENCODING_JSON, &r, &out, &p), 413);
		assert_string_equal(p.text, cases[i].want);
		assert_int_equal(out.len, 0);
		buffer_clear(&out);
	}
	tracker_free(b.tracker);
}

/* Just one row to a page goes on; a millisecond that has more of them than a page does not. */
static void test_raw_row_by_row(void **state)
{
	struct range_request r = { .since_ms = T0 - 500000, .until_ms = T0, .raw = true };
	struct bench b;
	struct buffer out;
	struct problem p;
	size_t pages = 0;

	(void)state;
	bench_init(&b);
	track(&b, "a");
	feed(&b, "a", 50);
	b.options.bytes_max = 500;
	for (; r.since_ms; pages++) {
		struct range_reply reply;

		assert_int_equal(ask_range(&b, ENCODING_PROTOBUF, &r, &out, &p), 0);
		assert_true(out.len <= 500);
		assert_int_equal(wire_decode_range_reply(out.data, out.len, &reply, &p), 0);
		assert_true(reply.result.n > 0);
		r.since_ms = reply.next_since_ms;
		range_result_clear(&reply.result);
		buffer_clear(&out);
	}
	assert_in_range(pages, 5, 50);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ring_append(tracker_find(b.tracker, "a")->ring,
					     &(struct sample){ .at_ms = T0 - 1 }), 0);
	r.since_ms = T0 - 1;
	assert_int_equal(ask_range(&b, ENCODING_JSON, &r, &out, &p), 413);
	assert_string_equal(p.text, "one millisecond has more samples than a reply holds");
	buffer_clear(&out);
	tracker_free(b.tracker);
}

static void test_raw_pages(void **state)
{
	int64_t since = T0 - 60480 * 10000LL;
	struct bench b;
	size_t rows = 0, pages = 0;

	(void)state;
	bench_init(&b);
	track(&b, "a");
	feed(&b, "a", 20000);
	while (since) {
		struct range_request request = { .since_ms = since, .raw = true };
		struct buffer body = { 0 }, out = { 0 };
		struct range_reply reply;
		struct problem p;

		assert_int_equal(wire_encode_range_request(&request, &body), 0);
		assert_int_equal(query_answer(&b.options, QUERY_RANGE, "a", ENCODING_PROTOBUF, body.data,
					      body.len, &b.now, &out, &p), 0);
		assert_true(out.len <= b.options.bytes_max);
		assert_int_equal(wire_decode_range_reply(out.data, out.len, &reply, &p), 0);
		assert_true(reply.result.n <= 11000);
		rows += reply.result.n;
		pages++;
		since = reply.next_since_ms;
		range_result_clear(&reply.result);
		buffer_clear(&body);
		buffer_clear(&out);
	}
	assert_int_equal(rows, 20000);
	assert_int_equal(pages, 2);
	tracker_free(b.tracker);
}

/* JSON rows are longer than protobuf's: the page is cut by bytes, and nothing is lost. */
static void test_raw_json_pages_by_bytes(void **state)
{
	char body[100] = "{\"since\":1,\"raw\":true}";
	struct bench b;
	size_t rows = 0, pages = 0;

	(void)state;
	bench_init(&b);
	track(&b, "a");
	feed(&b, "a", 9000);
	for (;;) {
		struct buffer out;
		struct problem p;
		const char *next;
		json_t *j;

		assert_int_equal(ask(&b, QUERY_RANGE, "a", body, &out, &p), 0);
		assert_true(out.len <= b.options.bytes_max);
		j = parse(&out);
		rows += json_array_size(json_object_get(j, "series"));
		pages++;
		next = json_string_value(json_object_get(j, "next_since"));
		if (next)
			snprintf(body, sizeof body, "{\"since\":\"%s\",\"raw\":true}", next);
		json_decref(j);
		if (!next)
			break;
	}
	assert_int_equal(rows, 9000);
	assert_in_range(pages, 2, 5);
	tracker_free(b.tracker);
}

static void test_list_pages(void **state)
{
	char body[300] = "{\"limit\":7}", last[IDENT_MAX + 1] = "";
	size_t seen = 0;
	struct bench b;

	(void)state;
	bench_init(&b);
	for (int i = 0; i < 50; i++) {
		char id[16];

		snprintf(id, sizeof id, "i%d", i * 7919 % 50);
		track(&b, id);
	}
	for (;;) {
		struct buffer out;
		struct problem p;
		const char *next;
		json_t *j, *list;

		assert_int_equal(ask(&b, QUERY_LIST, NULL, body, &out, &p), 0);
		j = parse(&out);
		list = json_object_get(j, "instances");
		assert_true(json_array_size(list) <= 7);
		assert_int_equal(json_integer_value(json_object_get(j, "total")), 50);
		for (size_t i = 0; i < json_array_size(list); i++, seen++) {
			const char *id = json_string_value(json_object_get(json_array_get(list, i), "instance_id"));

			assert_true(strcmp(id, last) > 0);
			snprintf(last, sizeof last, "%s", id);
		}
		next = json_string_value(json_object_get(j, "next_page_token"));
		if (next)
			snprintf(body, sizeof body, "{\"limit\":7,\"page_token\":\"%s\"}", next);
		json_decref(j);
		if (!next)
			break;
	}
	assert_int_equal(seen, 50);
	tracker_free(b.tracker);
}

/* A page is filled by bytes, whatever the strings in it cost. */
static void test_list_page_fits(void **state)
{
	struct bench b;
	struct buffer out;
	struct problem p;

	(void)state;
	bench_init(&b);
	for (int i = 0; i < 1000; i++) {
		char id[IDENT_MAX + 1];
		struct instance *instance;

		snprintf(id, sizeof id, "%0*d", IDENT_MAX, i);
		track(&b, id);
		feed(&b, id, 1);
		instance = tracker_find(b.tracker, id);
		memset(instance->last_error, '"', INSTANCE_ERROR_MAX - 1);
		instance->tenant_id = strdup("t\"\"\"\"");
	}
	b.options.bytes_max = 60000;
	for (int json = 0; json < 2; json++) {
		assert_int_equal(ask(&b, QUERY_LIST, NULL, json ? "{}" : "", &out, &p), 0);
		assert_true(out.len <= b.options.bytes_max && out.len > b.options.bytes_max / 4);
		buffer_clear(&out);
	}
	tracker_free(b.tracker);
}

static void test_oversized_request(void **state)
{
	static char body[QUERY_BODY_MAX + 2];
	struct bench b;
	struct buffer out;
	struct problem p;

	(void)state;
	bench_init(&b);
	memset(body, ' ', sizeof body - 1);
	body[0] = '{';
	assert_int_equal(ask(&b, QUERY_RANGE, "a", body, &out, &p), 400);
	assert_int_equal(ask(&b, QUERY_LIST, NULL, body, &out, &p), 400);
	tracker_free(b.tracker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_instance_is_an_empty_answer),
		cmocka_unit_test(test_bad_ids),
		cmocka_unit_test(test_reply_too_long_names_what_fits),
		cmocka_unit_test(test_named_resolution_is_answered),
		cmocka_unit_test(test_nothing_fits),
		cmocka_unit_test(test_raw_row_by_row),
		cmocka_unit_test(test_raw_pages),
		cmocka_unit_test(test_raw_json_pages_by_bytes),
		cmocka_unit_test(test_list_pages),
		cmocka_unit_test(test_list_page_fits),
		cmocka_unit_test(test_oversized_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
