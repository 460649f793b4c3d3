#include "packed.h"

#define WIDTH_BITS 7	/* of a width from 0 to 64 */
#define SHIFT_BITS 6
#define HALF 32		/* the lower part of a number too wide to be read at once */

static void put(uint8_t *bytes, size_t *at, uint64_t number, unsigned width)
{
	if (width > BITS_WIDTH_MAX) {
		bits_put(bytes, at, number >> HALF, width - HALF);
		number &= UINT32_MAX;
		width = HALF;
	}
	bits_put(bytes, at, number, width);
}

static uint64_t get(const uint8_t *bytes, size_t at, unsigned width)
{
	if (width <= BITS_WIDTH_MAX)
		return bits_get(bytes, at, width);
	return bits_get(bytes, at, width - HALF) << HALF | bits_get(bytes, at + width - HALF, HALF);
}

void packed_write(uint8_t *bytes, size_t *at, const int64_t *numbers, unsigned n)
{
	int64_t least = INT64_MAX;
	unsigned width, least_width, shift;
	uint64_t zigzag, distances = 0;

	for (unsigned i = 0; i < n; i++)
		least = numbers[i] < least ? numbers[i] : least;
	zigzag = (uint64_t)least << 1 ^ (least < 0 ? UINT64_MAX : 0);
	least_width = bits_width(zigzag);
	for (unsigned i = 0; i < n; i++)
		distances |= (uint64_t)numbers[i] - (uint64_t)least;
	shift = distances ? (unsigned)__builtin_ctzll(distances) : 0;
	width = bits_width(distances >> shift);
	put(bytes, at, least_width, WIDTH_BITS);
	put(bytes, at, shift, SHIFT_BITS);
	put(bytes, at, width, WIDTH_BITS);
	put(bytes, at, zigzag, least_width);
	for (unsigned i = 0; i < n; i++)
		put(bytes, at, ((uint64_t)numbers[i] - (uint64_t)least) >> shift, width);
}

struct packed packed_read(const uint8_t *bytes, size_t *at, unsigned n)
{
	unsigned least_width = (unsigned)bits_get(bytes, *at, WIDTH_BITS);
	struct packed p = {
		.bytes = bytes,
		.shift = (unsigned)bits_get(bytes, *at + WIDTH_BITS, SHIFT_BITS),
		.width = (unsigned)bits_get(bytes, *at + WIDTH_BITS + SHIFT_BITS, WIDTH_BITS),
	};
	size_t start = *at + 2 * WIDTH_BITS + SHIFT_BITS;
	uint64_t zigzag = get(bytes, start, least_width);

	p.least = zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0);
	p.at = start + least_width;
	*at = p.at + (size_t)n * p.width;
	return p;
}

uint64_t packed_get_wide(const struct packed *p, unsigned i)
{
	return p->least + (get(p->bytes, p->at + (size_t)i * p->width, p->width) << p->shift);
}
