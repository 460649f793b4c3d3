/*
 * moment - now, by both clocks: monotonic for intervals and deadlines, wall time only as a stamp.
 *
 * Taken once per pass of the loop and handed down, so that tests bring their own.
 */
#ifndef METER_MOMENT_H
#define METER_MOMENT_H

#include <stdint.h>

struct moment {
	int64_t mono_ns;
	int64_t wall_ms;
};

static inline int64_t moment_mono_ms(const struct moment *m)
{
	return m->mono_ns / 1000000;
}

#endif
