/*
 * fold - many codes of one metric into one number. Absent readings are left out.
 */
#ifndef METER_FOLD_H
#define METER_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "code.h"
#include "column.h"
#include "sample.h"

/* Rows [from, to) of a block are in this bucket of a query. */
struct segment {
	uint32_t bucket;
	uint8_t from;
	uint8_t to;
};

/* So many segments of a block are worth the detour over an array of its values. */
#define SEGMENTS_MANY 4

/* Exact, in the unit of the metric. n <= BLOCK_ROWS. */
double fold_sum(enum metric m, const uint32_t *codes, unsigned n);
/* The same for each segment; these are in order, and not beyond BLOCK_ROWS. */
void fold_sums(enum metric m, const uint32_t *codes, const struct segment *s, unsigned n,
	       double units[BLOCK_ROWS]);
uint32_t fold_absent(const uint32_t *codes, unsigned n);	/* how many are */

/* Least and greatest code; CODE_ABSENT when all are. */
static inline void fold_extremes(const uint32_t *codes, unsigned n, uint32_t *least,
				 uint32_t *greatest)
{
	/* One less than a code, so that an absent one is above all others. */
	uint32_t low = CODE_ABSENT - 1, high = CODE_ABSENT;

	for (unsigned i = 0; i < n; i++) {
		low = codes[i] - 1 < low ? codes[i] - 1 : low;
		high = codes[i] > high ? codes[i] : high;
	}
	*least = low + 1;
	*greatest = high;
}

/*
 * The same where none is absent. Signed numbers are compared faster, so half of the range is taken
 * off.
 */
static inline void fold_extremes_present(const uint32_t *codes, unsigned n, uint32_t *least,
					 uint32_t *greatest)
{
	const uint32_t half = 0x80000000u;
	int32_t low = INT32_MAX, high = INT32_MIN;

	for (unsigned i = 0; i < n; i++) {
		int32_t code = (int32_t)(codes[i] - half);

		low = code < low ? code : low;
		high = code > high ? code : high;
	}
	*least = (uint32_t)low + half;
	*greatest = (uint32_t)high + half;
}

/* Of one segment, in units. */
struct folded {
	double sum;
	double least;
	double greatest;
	double last;
};

/* All of that at once, for short segments without absent readings. */
void fold_present(enum metric m, const uint32_t *codes, const struct segment *s, unsigned n,
		  struct folded out[BLOCK_ROWS]);

/* CODE_ABSENT when all are. */
static inline uint32_t fold_last(const uint32_t *codes, unsigned n)
{
	while (n > 0 && codes[n - 1] == CODE_ABSENT)
		n--;
	return n > 0 ? codes[n - 1] : CODE_ABSENT;
}

#endif
