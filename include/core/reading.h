/*
 * reading - raw counters of one instance at one moment, and the sample two of them make.
 *
 * A source fills a reading; rate_sample() turns this one and the last good one into rates. A rate
 * exists only between two good readings of one incarnation.
 */
#ifndef METER_READING_H
#define METER_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

enum reading_has {
	READING_CPU_TIME = 1 << 0,	/* cpu_ns */
	READING_CPU_PERCENT = 1 << 1,	/* cpu_percent: a source that already knows the rate */
	READING_MEMORY_USED = 1 << 2,
	READING_MEMORY_LIMIT = 1 << 3,
	READING_NETWORK_IN = 1 << 4,
	READING_NETWORK_OUT = 1 << 5,
	READING_REQUESTS = 1 << 6,	/* of its page of metrics, these two */
	READING_LATENCY = 1 << 7,
	READING_NETWORK = READING_NETWORK_IN | READING_NETWORK_OUT,
};

struct reading {
	unsigned has;			/* which of the fields below were read */
	int64_t mono_ns;		/* monotonic time at which the counters were read */
	int64_t stamp_ms;		/* the source's own Unix time of them; 0 = it has none */
	uint64_t incarnation[2];	/* differs as soon as the counters may have begun anew */
	uint64_t cpu_ns;		/* counter: CPU time used */
	double cpu_percent;
	uint64_t memory_used;		/* bytes, working set */
	uint64_t memory_limit;		/* bytes, the effective one; absent when there is none */
	uint64_t network_in;		/* counters: bytes over all interfaces but lo */
	uint64_t network_out;
	double requests_per_sec;	/* rates already, as cpu_percent may be */
	double latency_p95_ms;
};

/* A source's own stamp is believed when it is this near to now. */
#define READING_STAMP_SLACK_MS (5 * 60 * 1000)

/* Are the counters of both readings the same ones, as far as the source can tell? */
bool reading_same_incarnation(const struct reading *a, const struct reading *b);

/* Is *now the very reading that *before was: both carry a stamp, and it is the same? */
bool reading_is_same(const struct reading *before, const struct reading *now);

/*
 * The sample of *now; *before is the last good reading or NULL. CPU % = d(cpu_ns) / d(time) x 100,
 * network = d(bytes) / d(time). The time between is that of the stamps when both have one, else
 * monotonic. Absent are rates over another incarnation, over a counter that went back (one network
 * counter takes the other with it, the CPU counter both), and over no time. wall_ms is now by our clock.
 */
void rate_sample(const struct reading *before, const struct reading *now, int64_t wall_ms,
		 struct sample *out);

#endif
