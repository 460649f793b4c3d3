/*
 * precision - what a ring holds of a value: it rounds on the way in.
 *
 * The five rates and percentages are held as the top bits of value + offset, where the offset is 1
 * %, 1024 bytes/s, 1 request/s or 1 ms: the exponent and 10 bits of the mantissa, rounded to
 * nearest. The error is at most (value + offset) / 2048: 0.05 % of a large value, half a thousandth
 * of the offset near zero. Zero is exact.
 *
 * Memory is held in whole KiB, rounded to nearest: exact for what a kernel counts in pages. From 2
 * TiB on with 27 bits behind the leading one, which adds an error of at most 2^-28 of the value.
 *
 * A greater value than can be held is held as the greatest: just under 2^37 x offset, and 2^53
 * bytes.
 */
#ifndef METER_PRECISION_H
#define METER_PRECISION_H

#include "sample.h"

/* The value that comes back of one that is stored. NaN for NaN. value >= 0. */
double precision_round(enum metric m, double value);

#endif
