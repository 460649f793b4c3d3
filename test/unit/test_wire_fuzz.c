/*
 * All decoders against bytes that nobody meant: cut short, changed, random, deep and long. What
 * they say does not matter; that they read within bounds and give back what they take is for the
 * sanitizers to see. Bodies stand in memory of exactly their length.
 */
#include "test_wire.h"

#define RANDOM_ROUNDS 30000
#define CHANGED_ROUNDS 30000
#define BODY_MAX 65536

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static size_t below(size_t n)
{
	return (size_t)(next_random() % n);
}

typedef int (*decode)(enum encoding e, const void *body, size_t len, struct problem *p);

static int sample(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct wire_sample out;

	(void)e;
	return wire_decode_sample(body, len, &out, p);
}

static int range_request(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct range_request out;
	int r = wire_decode_range_request(e, body, len, &out, p);

	assert_in_range(out.n_aggregates, 0, AGGREGATE_COUNT);
	return r;
}

/* What was understood goes out again in both encodings. */
static int range_reply(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct buffer b = { 0 };
	struct range_reply out;
	int r = wire_decode_range_reply(body, len, &out, p);

	(void)e;
	if (r == 0) {
		assert_int_equal(wire_encode_range_reply(ENCODING_JSON, &out, &b), 0);
		assert_int_equal(wire_encode_range_reply(ENCODING_PROTOBUF, &out, &b), 0);
		buffer_clear(&b);
	}
	range_result_clear(&out.result);
	return r;
}

static int latest_reply(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct latest_reply out;

	(void)e;
	return wire_decode_latest_reply(body, len, &out, p);
}

static int list_request(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct list_request out;
	int r = wire_decode_list_request(e, body, len, &out, p);

	assert_in_range(strlen(out.page_token), 0, IDENT_MAX);
	return r;
}

static int list_reply(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct buffer b = { 0 };
	struct list_reply out;
	int r = wire_decode_list_reply(body, len, &out, p);

	(void)e;
	if (r == 0) {
		assert_int_equal(wire_encode_list_reply(ENCODING_JSON, &out, &b), 0);
		assert_int_equal(wire_encode_list_reply(ENCODING_PROTOBUF, &out, &b), 0);
		buffer_clear(&b);
	}
	wire_list_reply_clear(&out);
	return r;
}

static int event(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct lifecycle_event out;
	int r = wire_decode_event(e, body, len, &out, p);

	assert_true(out.target.latency_quantile >= 0 && out.target.latency_quantile < 1);
	lifecycle_event_clear(&out);
	return r;
}

static int usage(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct resource_usage out;

	return wire_decode_usage(e, body, len, &out, p);
}

static int instance_list(enum encoding e, const void *body, size_t len, struct problem *p)
{
	struct instance_list out;
	int r = wire_decode_instance_list(e, body, len, &out, p);

	wire_instance_list_clear(&out);
	return r;
}

/* hex and json are valid messages with every field; no json where there is no such decoder. */
static const struct decoder {
	const char *name;
	decode decode;
	const char *hex;
	const char *json;
} decoders[] = {
	{ "sample", sample,
	  "0a06696e73745f3110ac021880dae7e79f342100000000000029402880808032"
	  "30003900000000000000004100000000000190405100000000000008407801", NULL },
	{ "range request", range_request, "080110021860220203002801300538017801",
	  "{\"since\":1,\"until\":\"1970-01-01T00:00:00Z\",\"range\":\"6h\",\"resolution\":60.0,"
	  "\"aggregates\":[\"max\",\"mean\"],\"align\":\"epoch\",\"raw\":true}" },
	{ "range reply", range_reply,
	  "0a03692d31100118e80720c8dc0328b0ea01323208021205e80798f2011a0303"
	  "c8012210000000000000f83f000000000000f87f421000000000000000400000"
	  "000000001040323208001205e80798f2011a0303c8012210000000000000e03f"
	  "000000000000f87f4210000000000000f03f0000000000001040", NULL },
	{ "latest reply", latest_reply, "0a016910011a0e0a01691005210000000000002940", NULL },
	{ "list request", list_request, "0a03612d62100a", "{\"page_token\":\"a-b\",\"limit\":10}" },
	{ "list reply", list_reply,
	  "0a2c0a016910e8071807220b21000000000000294010052a017432017742"
	  "02c3a448d00f52037265715a036c61740a030a016a12016a180522016e", NULL },
	{ "event", event,
	  "0a0265311210696e7374616e63652e637265617465641a01742206696e73745f"
	  "312a016130053a2f0a016e12022f631807220263692a02636e3208687474703a2f2f6d3a0177"
	  "420272634a026c6851000000000000e03f",
	  "{\"id\":\"e1\",\"type\":\"instance.created\",\"tenant_id\":\"t\",\"instance_id\":\"i\","
	  "\"payload\":{\"node\":\"n\",\"pid\":7,\"metrics_url\":\"http://m\","
	  "\"request_counter\":\"r\",\"latency_histogram\":\"l\",\"latency_quantile\":0.95},\"timestamp\":5}" },
	{ "usage", usage,
	  "09000000000000f83f1005180621000000000000004029000000000000e03f30073a0178",
	  "{\"cpu_percent\":1.5,\"memory_used_mb\":5,\"memory_limit_mb\":6.0,\"network_in_mb\":2,"
	  "\"network_out_mb\":0.5,\"at\":\"1970-01-01T00:00:00.007Z\",\"incarnation\":\"x\"}" },
	{ "instance list", instance_list, "0a0d0a01611201741a050a016e18070a030a01621203746f6b",
	  "{\"instances\":[{\"instance_id\":\"a\",\"tenant_id\":\"t\",\"target\":{\"node\":\"n\","
	  "\"pid\":7}},{\"instance_id\":\"b\"}],\"next_page_token\":\"t\"}" },
};

/* In memory of its own, so that a byte past its end is seen. */
static int run(const struct decoder *d, enum encoding e, const void *body, size_t len)
{
	struct problem p = { 0 };
	void *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, body, len);
	r = d->decode(e, copy, len, &p);
	free(copy);
	assert_true(r == 0 || (r == 400 && p.code == 400 && p.text[0]));
	return r;
}

static enum encoding body_of(const struct decoder *d, bool json, struct bytes *b)
{
	b->len = 0;
	if (json)
		put_raw(b, d->json, strlen(d->json));
	else
		put_hex(b, d->hex);
	return json ? ENCODING_JSON : ENCODING_PROTOBUF;
}

static void cut_short_at_every_length(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(decoders); i++) {
		const struct decoder *d = &decoders[i / 2];
		size_t refused = 0;
		enum encoding e;

		if (i % 2 && !d->json)
			continue;
		row(d->name);
		e = body_of(d, i % 2, &b);
		assert_int_equal(run(d, e, b.data, b.len), 0);
		for (size_t len = 0; len < b.len; len++)
			refused += run(d, e, b.data, len) == 400;
		/* Protobuf may end after any field; JSON, unless it is empty, only at its end. */
		assert_in_range(refused, i % 2 ? b.len - 1 : b.len / 3, b.len);
	}
}

static void random_bytes(void **state)
{
	uint8_t body[256];

	(void)state;
	for (size_t i = 0; i < COUNT(decoders); i++) {
		row(decoders[i].name);
		for (int n = 0; n < RANDOM_ROUNDS; n++) {
			size_t len = below(n % 8 ? 24 : sizeof body);

			for (size_t k = 0; k < len; k++)
				body[k] = (uint8_t)next_random();
			run(&decoders[i], ENCODING_PROTOBUF, body, len);
			if (len > 0)
				body[0] = '{';
			run(&decoders[i], ENCODING_JSON, body, len);
		}
	}
}

/* Bytes set, swapped, taken out and put in: most of it stays what it was. */
static void change(struct bytes *b)
{
	static const uint8_t telling[] = { 0x00, 0x7f, 0x80, 0xff, 0x0a, '"', '{', '[', ',', '\\' };

	for (size_t n = 1 + below(4); n > 0 && b->len > 0; n--) {
		size_t at = below(b->len), to = below(b->len);
		uint8_t byte = (uint8_t)next_random();

		switch (below(6)) {
		case 0:
			b->data[at] = byte;
			break;
		case 1:
			b->data[at] = telling[below(sizeof telling)];
			break;
		case 2:
			b->data[at] ^= (uint8_t)(1 << below(8));
			break;
		case 3:
			b->len--;
			memmove(b->data + at, b->data + at + 1, b->len - at);
			break;
		case 4:
			memmove(b->data + at + 1, b->data + at, b->len - at);
			b->len++;
			break;
		default:	/* a part once more */
			put_raw(b, b->data + (at < to ? at : to), at < to ? to - at : at - to);
		}
	}
}

static void changed_bytes(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(decoders); i++) {
		const struct decoder *d = &decoders[i / 2];

		if (i % 2 && !d->json)
			continue;
		row(d->name);
		for (int n = 0; n < CHANGED_ROUNDS; n++) {
			enum encoding e = body_of(d, i % 2, &b);

			change(&b);
			run(d, e, b.data, b.len);
		}
	}
}

/* What nests, in the encoding where it does. */
static void deep_nesting(void **state)
{
	static char body[BODY_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(decoders); i++) {
		const struct decoder *d = &decoders[i];

		row(d->name);
		memset(body, '[', sizeof body);
		memcpy(body, "{\"x\":", 5);
		if (d->json) {
			assert_int_equal(run(d, ENCODING_JSON, body, 10000), 400);
			assert_int_equal(run(d, ENCODING_JSON, body, sizeof body), 400);
			for (size_t n = 0; n + 5 <= sizeof body; n += 5)
				memcpy(body + n, "{\"x\":", 5);
			assert_int_equal(run(d, ENCODING_JSON, body, sizeof body), 400);
		}
		memset(body, 0x7b, sizeof body);	/* groups in groups */
		assert_int_equal(run(d, ENCODING_PROTOBUF, body, sizeof body), 400);
	}
}

/* 64 KiB of what costs most for its length. */
static void long_bodies(void **state)
{
	static const char *const units[] = {
		"\x78\x01", "\x0a\x00", "\x1a\x00", "\x32\x00", "\x22\x00",
		"\x3a\x00", "\x20\x00", "\x10\x01", "\x7a\x00",
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(decoders); i++) {
		const struct decoder *d = &decoders[i];

		row(d->name);
		for (size_t u = 0; u < COUNT(units); u++) {
			for (b.len = 0; b.len < BODY_MAX;)
				put_raw(&b, units[u], 2);
			run(d, ENCODING_PROTOBUF, b.data, BODY_MAX);
		}
		if (!d->json)
			continue;
		b.len = (size_t)sprintf((char *)b.data, "{\"instances\":[[]");
		while (b.len < BODY_MAX - 3)
			put_raw(&b, ",[]", 3);
		put_raw(&b, "]}", 2);
		run(d, ENCODING_JSON, b.data, b.len);
		b.len = (size_t)sprintf((char *)b.data, "{\"k\":0");
		for (int n = 0; b.len < BODY_MAX - 20; n++)
			b.len += (size_t)sprintf((char *)b.data + b.len, ",\"%d\":0", n);
		put_raw(&b, "}", 1);
		run(d, ENCODING_JSON, b.data, b.len);
		memset(b.data, ' ', BODY_MAX);
		memcpy(b.data, "{}", 2);
		run(d, ENCODING_JSON, b.data, BODY_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_short_at_every_length),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(changed_bytes),
		cmocka_unit_test(deep_nesting),
		cmocka_unit_test(long_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
