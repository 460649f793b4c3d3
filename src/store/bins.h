/*
 * bins - cuts numbers into the intervals that describe them in the fewest bits.
 *
 * A bin is an interval [base, base + 2^extra) with base a multiple of 2^extra: dyadic. A number is
 * told by its bin, in about log2(all / in this bin) bits, and the extra bits that say where in it.
 * The search starts from one bin around everything and halves a bin at the highest bit in which its
 * least and its greatest number differ, as long as both halves together cost less:
 *
 *   numbers   0 0 0 0 0 0 0 0       96 97 97 99 99 100 101 103               4711
 *             └ extra 0: a level    └ extra 3: a cloud of noise, 96..103     └ extra 0: an outlier
 *
 * So one rule finds exact levels, the shape of noise, and what is rare.
 */
#ifndef METER_BINS_H
#define METER_BINS_H

#include <stddef.h>
#include <stdint.h>

#define BINS_MAX 128
/* A code of up to 8 bits and these are read as one word. */
#define BIN_EXTRA_MAX 31

struct bin {
	uint32_t base;
	uint32_t count;		/* of the numbers that were searched */
	uint8_t extra;
};

struct bins {
	unsigned n;
	struct bin bin[BINS_MAX];	/* ascending */
};

/*
 * Of n >= 1 numbers in ascending order, at most `most` bins (2 to BINS_MAX). What one bin more
 * costs is bin_bits, above 0; where that gives too many it is taken as more. Returns how many bits all
 * numbers and bins take, about. Cost: linear in n, up to n log n.
 */
float bins_find(const uint32_t *sorted, size_t n, float bin_bits, unsigned most, struct bins *out);

#endif
