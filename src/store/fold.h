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

/* Exact, in the unit of the metric. n <= BLOCK_ROWS. */
double fold_sum(enum metric m, const uint32_t *codes, unsigned n);
/* The same for each segment. */
void fold_sums(enum metric m, const uint32_t *codes, const struct segment *s, unsigned n,
	       double units[BLOCK_ROWS]);
/* Values of codes, NaN for CODE_ABSENT. */
void fold_values(enum metric m, const uint32_t *codes, unsigned n, double *values);
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

/* CODE_ABSENT when all are. */
static inline uint32_t fold_last(const uint32_t *codes, unsigned n)
{
	while (n > 0 && codes[n - 1] == CODE_ABSENT)
		n--;
	return n > 0 ? codes[n - 1] : CODE_ABSENT;
}

#endif
