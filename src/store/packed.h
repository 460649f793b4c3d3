/*
 * packed - up to 64 numbers as their distance from the least, in as few bits as the greatest
 * distance needs, without the zero bits that all distances end in.
 *
 *   | width of least (7) | shift (6) | width (7) | least, zigzag | n x (distance >> shift) |
 *
 * Numbers are 64 bits; differences are taken modulo 2^64, so that none overflows.
 */
#ifndef METER_PACKED_H
#define METER_PACKED_H

#include "bits.h"

/* A series found in a row of bytes. */
struct packed {
	const uint8_t *bytes;
	size_t at;	/* bit of the first distance */
	unsigned width;
	unsigned shift;
	uint64_t least;
};

/* Most that packed_write() writes for n numbers, without BITS_SLACK. */
#define PACKED_BITS_MAX(n) (20 + 64 + (n) * 64)

/* n >= 1 */
void packed_write(uint8_t *bytes, size_t *at, const int64_t *numbers, unsigned n);

/* *at moves behind it. */
struct packed packed_read(const uint8_t *bytes, size_t *at, unsigned n);

uint64_t packed_get_wide(const struct packed *p, unsigned i);

static inline int64_t packed_get(const struct packed *p, unsigned i)
{
	if (p->width > BITS_WIDTH_MAX)
		return (int64_t)packed_get_wide(p, i);
	return (int64_t)(p->least +
			 (bits_get(p->bytes, p->at + i * p->width, p->width) << p->shift));
}

#endif
