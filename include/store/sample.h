/*
 * sample - one measurement of one instance.
 *
 * The seven metrics are doubles, NaN = no reading (never the same as 0). Units: percent of one
 * core, bytes, bytes per second, requests per second, milliseconds. Bytes are whole numbers up to
 * 2^53, which a double holds exactly.
 */
#ifndef METER_SAMPLE_H
#define METER_SAMPLE_H

#include <math.h>
#include <stdint.h>

enum metric {
	METRIC_CPU_PERCENT,
	METRIC_MEMORY_USED,
	METRIC_MEMORY_LIMIT,
	METRIC_NETWORK_IN,
	METRIC_NETWORK_OUT,
	METRIC_REQUESTS,
	METRIC_LATENCY_P95,
	METRIC_COUNT
};

struct sample {
	int64_t at_ms;			/* Unix time */
	double value[METRIC_COUNT];	/* NaN = absent */
};

#endif
