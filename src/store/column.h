/*
 * column - the eight columns of a stored sample, and the sizes that all parts of the store share.
 *
 * A ring keeps its samples column by column: their times, then the seven metrics, each as codes
 * (code.h). The code of a time is its distance from where it should be: at - time of the block's
 * first sample - row x interval, in ms, so that samples that come when expected have one and the
 * same code.
 */
#ifndef METER_COLUMN_H
#define METER_COLUMN_H

#include <stdint.h>

#include "sample.h"

#define COLUMN_TIME 0
#define COLUMN_OF(metric) ((unsigned)(metric) + 1)
#define COLUMN_COUNT (METRIC_COUNT + 1)

/* As a set, a bit for each column. */
#define ALL_METRICS (((1u << METRIC_COUNT) - 1) << COLUMN_OF(0))

#define BLOCK_ROWS 64
#define GROUP_BLOCKS_MAX 32
#define GROUP_ROWS_MAX (GROUP_BLOCKS_MAX * BLOCK_ROWS)

/* The code of a time that is exactly where it should be. */
#define TIME_CODE_ZERO 0x80000000u

static inline enum metric column_metric(unsigned column)
{
	return (enum metric)(column - 1);
}

/*
 * When row i of a block was, whose first sample was at start_ms. Modulo 2^64, as nothing overflows
 * then.
 */
static inline int64_t column_time(int64_t start_ms, int64_t interval_ms, unsigned i, uint32_t code)
{
	return (int64_t)((uint64_t)start_ms + (uint64_t)interval_ms * i + code - TIME_CODE_ZERO);
}

#endif
