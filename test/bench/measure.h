/* measure - times of one call, and what to make of many. */
#ifndef METER_MEASURE_H
#define METER_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

static inline int64_t measure_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* A growing list of times. */
struct times {
	double *ns;
	size_t n;
	size_t cap;
};

void times_add(struct times *t, double ns);
/* The one that part of all are below: 0.5 is the median, 1 the longest. Sorts. NAN of none. */
double times_quantile(struct times *t, double part);
void times_clear(struct times *t);

/* What two readings of the clock in a row say. */
double measure_clock_ns(void);
/* Writes more memory than the caches hold. */
void measure_sweep_caches(void);

#endif
