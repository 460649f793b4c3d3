#include "usage.h"

#define MIB 1048576.0

bool usage_reading(const struct resource_usage *u, int64_t mono_ns, struct reading *out)
{
	*out = (struct reading){ .mono_ns = mono_ns, .stamp_ms = u->at_ms,
				 .incarnation = { u->incarnation, 0 } };
	if (u->has & USAGE_CPU_PERCENT) {
		out->has |= READING_CPU_PERCENT;
		out->cpu_percent = u->cpu_percent;
	}
	if (u->has & USAGE_MEMORY_USED) {
		out->has |= READING_MEMORY_USED;
		out->memory_used = (uint64_t)u->memory_used_mb << 20;
	}
	if ((u->has & USAGE_MEMORY_LIMIT) && u->memory_limit_mb > 0) {
		out->has |= READING_MEMORY_LIMIT;
		out->memory_limit = (uint64_t)u->memory_limit_mb << 20;
	}
	if (u->has & USAGE_NETWORK_IN) {
		out->has |= READING_NETWORK_IN;
		out->network_in = (uint64_t)(u->network_in_mb * MIB);
	}
	if (u->has & USAGE_NETWORK_OUT) {
		out->has |= READING_NETWORK_OUT;
		out->network_out = (uint64_t)(u->network_out_mb * MIB);
	}
	return out->cpu_percent > 0 || out->memory_used || out->memory_limit || out->network_in ||
	       out->network_out;
}
