/*
 * id - 128 bits that stand for a set of labels, whatever their order.
 *
 * The id of a set is the sum of the ids of its labels, so that a label can also be taken out again.
 * Two sets of an honest page never meet; who makes them meet on purpose spoils his own numbers.
 */
#ifndef METER_SCRAPE_ID_H
#define METER_SCRAPE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct id {
	uint64_t a, b;
};

static inline uint64_t id_fold(uint64_t x, uint64_t constant)
{
	unsigned __int128 product = (unsigned __int128)x * constant;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline void id_mix(struct id *i, uint64_t word)
{
	i->a = id_fold(i->a ^ word, 0x9e3779b97f4a7c15);
	i->b = id_fold(i->b + word, 0xd6e8feb86659fd93);
}

/* Up to 8 bytes, without reading behind them. */
static inline uint64_t id_tail(const char *p, size_t n)
{
	uint32_t low, high;
	uint64_t word;

	if (n >= 8) {
		memcpy(&word, p, 8);
		return word;
	}
	if (n >= 4) {
		memcpy(&low, p, 4);
		memcpy(&high, p + n - 4, 4);
		return (uint64_t)high << 32 | low;
	}
	if (n == 0)
		return 0;
	return (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1];
}

static inline void id_mix_bytes(struct id *i, const char *p, size_t n)
{
	id_mix(i, n ^ 0xa0761d6478bd642f);
	for (; n > 8; p += 8, n -= 8)
		id_mix(i, id_tail(p, 8));
	id_mix(i, id_tail(p, n));
}

static inline struct id id_of_label(const char *name, size_t name_len, const char *value,
				    size_t value_len)
{
	struct id i = { 0x243f6a8885a308d3, 0x13198a2e03707344 };

	id_mix_bytes(&i, name, name_len);
	id_mix_bytes(&i, value, value_len);
	id_mix(&i, 0x452821e638d01377);
	return i;
}

static inline void id_add(struct id *sum, struct id part)
{
	sum->a += part.a;
	sum->b += part.b;
}

static inline void id_take(struct id *sum, struct id part)
{
	sum->a -= part.a;
	sum->b -= part.b;
}

static inline bool id_equal(struct id x, struct id y)
{
	return x.a == y.a && x.b == y.b;
}

static inline int id_order(struct id x, struct id y)
{
	if (x.a != y.a)
		return x.a < y.a ? -1 : 1;
	return x.b < y.b ? -1 : x.b > y.b;
}

#endif
