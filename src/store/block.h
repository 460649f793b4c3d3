/*
 * block - up to 64 samples in order of arrival: first open, as plain codes, then sealed.
 *
 * A sealed block keeps each column as distances from its least code, in as many bits as the
 * greatest distance needs, and beside that the exact sum of each metric: a question whose bucket
 * holds the whole block reads no row of it, and any row is found without reading those before it.
 *
 *   | times, counts | per column: least, width | time | cpu | ... | latency | sums |
 *                                               rows x width bits each      as wide as needed
 */
#ifndef METER_BLOCK_H
#define METER_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "column.h"

struct block_times {
	int64_t start_ms;	/* of the first sample */
	int64_t least_ms;
	int64_t greatest_ms;
	uint32_t rows;
	bool ordered;		/* no sample is older than the one before it */
};

/* What is known of a block without its rows. */
struct block_totals {
	double units[METRIC_COUNT];	/* exact sums, in the unit of each metric (code.h) */
	uint32_t missing[METRIC_COUNT];	/* absent readings */
};

struct open_block {
	struct block_times times;
	uint32_t code[COLUMN_COUNT][BLOCK_ROWS];
};

struct sealed_block {
	struct block_times times;
	uint32_t least[COLUMN_COUNT];
	uint8_t width[COLUMN_COUNT];
	uint8_t sum_width[METRIC_COUNT];
	uint8_t missing[METRIC_COUNT];
	uint8_t bits[];
};

/*
 * Adds a sample to a block that is not full, if its time is near enough to the block's others:
 * false if it is 24 days or more from where it should be. codes[COLUMN_TIME] need not be set.
 */
bool open_block_append(struct open_block *b, int64_t at_ms, int64_t interval_ms,
		       const uint32_t codes[COLUMN_COUNT]);
void open_block_totals(const struct open_block *b, struct block_totals *out);

/*
 * Puts its rows in order of time, those of equal times in order of arrival; unless they are so many
 * days apart that they would not fit any more.
 */
void open_block_sort(struct open_block *b, int64_t interval_ms);

/* The caller's to free(); NULL without memory. The block has at least one row. */
struct sealed_block *block_seal(const struct open_block *b);
void sealed_block_totals(const struct sealed_block *b, struct block_totals *out);
/* The first rows of one column. */
void sealed_block_codes(const struct sealed_block *b, unsigned column, unsigned rows,
			uint32_t *out);

#endif
