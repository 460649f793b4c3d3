#include "stats.h"

#define COUNTER(name, help) { #name, help, offsetof(struct stats, name), 0 },
#define GAUGE(name, help) { #name, help, offsetof(struct stats, name), 1 },

static const struct stats_item items[] = { STATS_COUNTERS(COUNTER) STATS_GAUGES(GAUGE) };

const struct stats_item *stats_items(size_t *n)
{
	*n = sizeof items / sizeof *items;
	return items;
}

uint64_t stats_value(const struct stats *s, const struct stats_item *item)
{
	return *(const uint64_t *)((const char *)s + item->offset);
}
