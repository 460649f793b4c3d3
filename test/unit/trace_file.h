/*
 * trace_file - the traces of test/data/traces, as tests and the benchmark read them.
 */
#ifndef METER_TRACE_FILE_H
#define METER_TRACE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"

#define TRACE_COUNT 11
#define TRACE_INTERVAL_MS 10000

extern const char *const trace_names[TRACE_COUNT];

struct trace {
	const char *name;
	struct sample *rows;
	size_t n;
};

/* Reads FOLDER/NAME.csv. Ends the process with a sentence when it is not there or not a trace. */
void trace_read(struct trace *t, const char *folder, const char *name);
void trace_clear(struct trace *t);

/*
 * The i-th sample of the trace repeated for ever: each time moved on by its span and one interval.
 */
struct sample trace_sample(const struct trace *t, uint64_t i);

#endif
