/*
 * feed - endless samples to fill a ring with: a trace repeated, or one of the two extremes.
 */
#ifndef METER_FEED_H
#define METER_FEED_H

#include <stdint.h>

#include "sample.h"
#include "trace_file.h"

struct feed {
	const char *name;
	struct sample (*next)(struct feed *f);
	const struct trace *trace;
	double absent;		/* how likely a reading is absent, of a trace */
	uint64_t i;		/* samples so far: begin anywhere */
	uint64_t seed;
};

/* All are 10 s apart, or nearly. */
struct feed feed_trace(const struct trace *t, double absent);
/* One value for ever. */
struct feed feed_constant(void);
/* Rates and percentages to a billion, memory to 64 GiB, each value as likely as any other. */
struct feed feed_entropy(void);

static inline struct sample feed_next(struct feed *f)
{
	return f->next(f);
}

#endif
