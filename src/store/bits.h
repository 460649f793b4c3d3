/*
 * bits - numbers of any width in a row of bytes, the highest bit first.
 *
 * Reading and writing touch the 8 bytes that begin with the one of the first bit: a buffer has
 * BITS_SLACK bytes more than its bits need. A buffer to write to is zeroed.
 */
#ifndef METER_BITS_H
#define METER_BITS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BITS_SLACK 8
/* So many fit beside the up to 7 bits before them. */
#define BITS_WIDTH_MAX 57

/* How many bits value needs; 0 for 0. */
static inline unsigned bits_width(uint64_t value)
{
	return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

/* The bits from at on: the highest 57 are right, the others are not. */
static inline uint64_t bits_peek(const uint8_t *bytes, size_t at)
{
	uint64_t word;

	memcpy(&word, bytes + (at >> 3), sizeof word);
	return be64toh(word) << (at & 7);
}

static inline uint64_t bits_get(const uint8_t *bytes, size_t at, unsigned width)
{
	/* In two steps, as a shift by 64 is none. */
	return bits_peek(bytes, at) >> 1 >> (63 - width);
}

/* value has no more bits than width, and width is at most BITS_WIDTH_MAX. */
static inline void bits_put(uint8_t *bytes, size_t *at, uint64_t value, unsigned width)
{
	uint8_t *first = bytes + (*at >> 3);
	uint64_t word;

	memcpy(&word, first, sizeof word);
	word |= htobe64(value << 1 << (63 - width) >> (*at & 7));
	memcpy(first, &word, sizeof word);
	*at += width;
}

/* n bits from bit `from` of another row, which has BITS_SLACK too. */
static inline void bits_copy(uint8_t *bytes, size_t *at, const uint8_t *source, size_t from,
			     size_t n)
{
	for (; n > BITS_WIDTH_MAX; n -= BITS_WIDTH_MAX, from += BITS_WIDTH_MAX)
		bits_put(bytes, at, bits_get(source, from, BITS_WIDTH_MAX), BITS_WIDTH_MAX);
	bits_put(bytes, at, bits_get(source, from, (unsigned)n), (unsigned)n);
}

static inline size_t bits_bytes(size_t bits)
{
	return (bits + 7) / 8;
}

#endif
