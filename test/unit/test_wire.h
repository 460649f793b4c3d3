/*
 * test_wire - what the tests of the wire share: protobuf written by hand, and checks.
 *
 * Valid and broken messages are built from tags and values, so that nothing depends on the library
 * that the code under test uses.
 */
#ifndef METER_TEST_WIRE_H
#define METER_TEST_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
/* A string literal with its length, NULs inside included. */
#define LITERAL(s) (s), sizeof(s) - 1

struct bytes {
	size_t len;
	uint8_t data[200000];
};

static inline void put_raw(struct bytes *b, const void *data, size_t n)
{
	assert_true(n <= sizeof b->data - b->len);
	memcpy(b->data + b->len, data, n);
	b->len += n;
}

static inline void put_varint(struct bytes *b, uint64_t v)
{
	uint8_t byte;

	do {
		byte = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		put_raw(b, &byte, 1);
		v >>= 7;
	} while (v);
}

static inline void put_int(struct bytes *b, unsigned field, int64_t v)
{
	put_varint(b, field << 3);
	put_varint(b, (uint64_t)v);
}

static inline void put_double(struct bytes *b, unsigned field, double v)
{
	put_varint(b, field << 3 | 1);
	put_raw(b, &v, sizeof v);
}

static inline void put_string(struct bytes *b, unsigned field, const void *s, size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	put_raw(b, s, len);
}

static inline void put_text(struct bytes *b, unsigned field, const char *s)
{
	put_string(b, field, s, strlen(s));
}

static inline void put_message(struct bytes *b, unsigned field, const struct bytes *m)
{
	put_string(b, field, m->data, m->len);
}

static inline void put_hex(struct bytes *b, const char *hex)
{
	for (; *hex; hex += 2) {
		char pair[3] = { hex[0], hex[1], '\0' };
		uint8_t byte = (uint8_t)strtoul(pair, NULL, 16);

		put_raw(b, &byte, 1);
	}
}

static inline void assert_hex(const void *data, size_t len, const char *hex)
{
	static struct bytes want;

	want.len = 0;
	put_hex(&want, hex);
	assert_int_equal(len, want.len);
	assert_memory_equal(data, want.data, len);
}

static inline void assert_text(const struct buffer *b, const char *text)
{
	if (b->len != strlen(text) || memcmp(b->data, text, b->len) != 0)
		fail_msg("got  %.*s\nwant %s", (int)b->len, (const char *)b->data, text);
}

/* A name of a row; legal TAP. */
static inline void row(const char *name)
{
	printf("# %s\n", name);
}

/* Says why, when the result of a decoder is not what was wanted. */
static inline void assert_result(int r, int want, const struct problem *p, const char *says)
{
	if (r != want)
		fail_msg("got %d, want %d: %s", r, want, r > 0 ? p->text : "");
	if (r > 0) {
		assert_int_equal(p->code, want);
		if (says && !strstr(p->text, says))
			fail_msg("\"%s\" does not say \"%s\"", p->text, says);
		for (const char *c = p->text; *c; c++)
			assert_in_range(*c, ' ', '~');
	}
}

static inline struct wire_sample sample_of(const char *id)
{
	struct wire_sample s = { .sequence = 300 };

	snprintf(s.instance_id, sizeof s.instance_id, "%s", id);
	s.sample.at_ms = 1795245600000;
	for (int i = 0; i < METRIC_COUNT; i++)
		s.sample.value[i] = NAN;
	s.sample.value[METRIC_CPU_PERCENT] = 12.5;
	s.sample.value[METRIC_MEMORY_USED] = 104857600;
	s.sample.value[METRIC_NETWORK_OUT] = 1024.25;
	return s;
}

static inline void assert_same_sample(const struct wire_sample *a, const struct wire_sample *b)
{
	assert_string_equal(a->instance_id, b->instance_id);
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->final, b->final);
	assert_int_equal(a->sample.at_ms, b->sample.at_ms);
	for (int i = 0; i < METRIC_COUNT; i++) {
		assert_int_equal(isnan(a->sample.value[i]), isnan(b->sample.value[i]));
		if (!isnan(a->sample.value[i]))
			assert_true(a->sample.value[i] == b->sample.value[i]);
	}
}

#endif
