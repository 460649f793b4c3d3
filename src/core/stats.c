#include "stats.h"

#define COUNTER(name, help) { #name, help, offsetof(struct stats, name), 0 },
#define GAUGE(name, help) { #name, help, offsetof(struct stats, name), 1 },

/* Of one source: SOURCE_CGROUP with its name cgroup, and so on. */
#define OF(kind, field) offsetof(struct stats, source[kind].field)
#define FAILED(kind, source, reason, name, help) \
	{ #source "_failed_" #name, "readings that failed: " help, OF(kind, failed[reason]), 0 },
#define SOURCE(kind, name) \
	{ #name "_readings", "good readings", OF(kind, readings), 0 }, \
	{ #name "_time_ns", "what they took together, in nanoseconds", OF(kind, time_ns), 0 }, \
	{ #name "_time_max_ns", "what the longest took, in nanoseconds", OF(kind, time_max_ns), 1 }, \
	FAILURES(FAILED, kind, name)

static const struct stats_item items[] = {
	STATS_COUNTERS(COUNTER)
	STATS_GAUGES(GAUGE)
	SOURCE_KINDS(SOURCE)
};

const struct stats_item *stats_items(size_t *n)
{
	*n = sizeof items / sizeof *items;
	return items;
}

uint64_t stats_value(const struct stats *s, const struct stats_item *item)
{
	return *(const uint64_t *)((const char *)s + item->offset);
}

void stats_reading(struct stats *s, enum source_kind kind, int64_t ns)
{
	struct stats_source *of = &s->source[kind];
	uint64_t took = ns > 0 ? (uint64_t)ns : 0;

	of->readings++;
	of->time_ns += took;
	if (took > of->time_max_ns)
		of->time_max_ns = took;
}

void stats_failure(struct stats *s, enum source_kind kind, enum failure reason)
{
	s->source[kind].failed[reason]++;
}
