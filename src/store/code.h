/*
 * code - a value as the small whole number that is stored.
 *
 * 0 is an absent reading; codes of values begin at 1 and grow with the value, so that the least and
 * the greatest of a run can be found on the codes. See precision.h for what is rounded.
 *
 * Values of the same metric are whole multiples of one unit (1 KiB; offset / 1024), and so small
 * that 64 of them add up exactly in a double. A sum of a block less the sum of its first rows is
 * therefore exactly the sum of the others, and no order of adding is better than another.
 */
#ifndef METER_CODE_H
#define METER_CODE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sample.h"

#define CODE_ABSENT 0u

/* The top bits of 1 + value / offset: an exponent that is never negative, and these. */
#define CODE_MANTISSA_BITS 10
#define CODE_OCTAVES 37
#define CODE_FLOAT_MAX (CODE_OCTAVES * (1u << CODE_MANTISSA_BITS))

/* KiB as they are up to 2^31; above, an octave each 2^27 codes, up to 2^43. */
#define CODE_KIB_EXACT_BITS 31
#define CODE_KIB_MANTISSA_BITS 27
#define CODE_KIB_MAX_BITS 43

#define CODE_DOUBLE_MANTISSA_BITS 52
#define CODE_DOUBLE_BIAS 1023

static inline bool code_is_memory(enum metric m)
{
	return m == METRIC_MEMORY_USED || m == METRIC_MEMORY_LIMIT;
}

/* A power of two, so that what is decoded is a whole multiple of unit. */
static inline double code_offset(enum metric m)
{
	return m == METRIC_NETWORK_IN || m == METRIC_NETWORK_OUT ? 1024 : 1;
}

static inline double code_unit(enum metric m)
{
	return code_is_memory(m) ? 1024 : code_offset(m) / (1 << CODE_MANTISSA_BITS);
}

static inline uint32_t code_of_kib(uint64_t kib)
{
	unsigned octave, shift;

	if (kib < 1ull << CODE_KIB_EXACT_BITS)
		return 1 + (uint32_t)kib;
	shift = 63 - (unsigned)__builtin_clzll(kib) - CODE_KIB_MANTISSA_BITS;
	/* May carry into the next octave, which is right. */
	kib = ((kib + (1ull << (shift - 1))) >> shift) - (1u << CODE_KIB_MANTISSA_BITS);
	octave = shift + CODE_KIB_MANTISSA_BITS - CODE_KIB_EXACT_BITS;
	return 1 + (1u << CODE_KIB_EXACT_BITS) + (octave << CODE_KIB_MANTISSA_BITS) + (uint32_t)kib;
}

static inline uint64_t code_kib(uint32_t code)
{
	uint64_t mantissa;

	code--;
	if (code < 1u << CODE_KIB_EXACT_BITS)
		return code;
	code -= 1u << CODE_KIB_EXACT_BITS;
	mantissa = (code & ((1u << CODE_KIB_MANTISSA_BITS) - 1)) | (1u << CODE_KIB_MANTISSA_BITS);
	return mantissa << ((code >> CODE_KIB_MANTISSA_BITS) + CODE_KIB_EXACT_BITS -
			    CODE_KIB_MANTISSA_BITS);
}

/* Of a value that is not negative, or NaN. *saturated is set if it is greater than can be held. */
static inline uint32_t code_of(enum metric m, double value, bool *saturated)
{
	const int shift = CODE_DOUBLE_MANTISSA_BITS - CODE_MANTISSA_BITS;
	double most;
	uint64_t bits;

	if (isnan(value))
		return CODE_ABSENT;
	if (code_is_memory(m)) {
		most = (double)(1ull << CODE_KIB_MAX_BITS);
		value = value / 1024 + 0.5;
		*saturated |= value >= most + 1;
		return code_of_kib((uint64_t)(value < most ? value : most));
	}
	value = 1 + value / code_offset(m);
	memcpy(&bits, &value, sizeof bits);
	bits = (bits + (1ull << (shift - 1))) >> shift;
	bits -= (uint64_t)CODE_DOUBLE_BIAS << CODE_MANTISSA_BITS;
	if (bits < CODE_FLOAT_MAX)
		return 1 + (uint32_t)bits;
	*saturated = true;
	return CODE_FLOAT_MAX;
}

/* How many units a code of a rate or percentage stands for. */
static inline double code_float_units(uint32_t code)
{
	uint64_t bits = (uint64_t)(code - 1 + (CODE_DOUBLE_BIAS << CODE_MANTISSA_BITS))
			<< (CODE_DOUBLE_MANTISSA_BITS - CODE_MANTISSA_BITS);
	double value;

	memcpy(&value, &bits, sizeof value);
	return (value - 1) * (1 << CODE_MANTISSA_BITS);
}

/* How many units; not for CODE_ABSENT. */
static inline double code_units(enum metric m, uint32_t code)
{
	return code_is_memory(m) ? (double)code_kib(code) : code_float_units(code);
}

/* NaN for CODE_ABSENT. */
static inline double code_value(enum metric m, uint32_t code)
{
	return code == CODE_ABSENT ? (double)NAN : code_units(m, code) * code_unit(m);
}

#endif
