/*
 * replay_report - what a ring that is full of a trace's samples costs in memory.
 */
#ifndef METERCTL_REPLAY_REPORT_H
#define METERCTL_REPLAY_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct trace;

struct replay_report {
	size_t samples;			/* held in the end; near the capacity */
	size_t capacity;
	double bytes_per_sample;	/* to three decimals */
	uint64_t bytes_per_instance;
	uint64_t instances_per_gib;
};

/*
 * Fills a ring of that capacity and interval with the trace, again and again with its times moved
 * on, and measures it. On 0 *out is filled; else -1 with one line in error.
 */
int replay_report(struct trace *t, size_t capacity, int64_t interval_ms, struct replay_report *out,
		  char *error, size_t error_size);

#endif
