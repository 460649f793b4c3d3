/*
 * generator - samples of every kind that a ring may meet, and questions about them.
 *
 * All of it follows from the seed, so that a failing case is the same on every machine.
 */
#ifndef METER_GENERATOR_H
#define METER_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "naive.h"
#include "range.h"
#include "sample.h"
#include "trace_file.h"

struct generator;

struct value_kind {
	const char *name;
	double (*next)(struct generator *g, enum metric m);
};

struct time_kind {
	const char *name;
	int64_t (*next)(struct generator *g);
};

extern const struct value_kind value_kinds[];
extern const size_t value_kind_count;
extern const struct time_kind time_kinds[];
extern const size_t time_kind_count;

struct generator {
	uint64_t seed;
	uint64_t made;			/* samples so far */
	const struct value_kind *values;
	const struct time_kind *times;
	const struct trace *trace;	/* for the kinds that follow one; may be NULL */
	int64_t interval_ms;
	int64_t clock_ms;
	uint64_t trace_row;
	const struct value_kind *regime;	/* of the kind that changes from one to the next */
	uint64_t regime_left;
	double level[METRIC_COUNT];
	double step[METRIC_COUNT];
	double absent[METRIC_COUNT];	/* how likely a reading is absent */
	bool stretches;			/* columns are absent for whole stretches */
	bool gone[METRIC_COUNT];
};

/* Times begin about at start_ms. Every reading is there until absent is set. */
void generator_start(struct generator *g, uint64_t seed, const struct value_kind *values,
		     const struct time_kind *times, int64_t start_ms, int64_t interval_ms,
		     const struct trace *trace);
/* Gives each metric one of the likelihoods of being absent, and perhaps stretches. */
void generator_drop_some(struct generator *g);
struct sample generator_next(struct generator *g);

/* A question about what the model holds: mostly a small window at a sample, at times anything. */
struct range_query generator_query(uint64_t *seed, const struct naive *nv, int64_t interval_ms);

uint64_t generator_bits(uint64_t *seed);		/* 64 random ones */
double generator_unit(uint64_t *seed);			/* [0, 1) */
uint64_t generator_below(uint64_t *seed, uint64_t n);	/* n > 0 */

#endif
