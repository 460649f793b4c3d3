#include "reading.h"

bool reading_same_incarnation(const struct reading *a, const struct reading *b)
{
	return a->incarnation[0] == b->incarnation[0] && a->incarnation[1] == b->incarnation[1];
}

bool reading_is_same(const struct reading *before, const struct reading *now)
{
	return before->stamp_ms && before->stamp_ms == now->stamp_ms &&
	       reading_same_incarnation(before, now);
}

/* Seconds between the two; 0 or less = no time that a rate could be over. */
static double seconds_between(const struct reading *before, const struct reading *now)
{
	if (before->stamp_ms && now->stamp_ms)
		return (double)(now->stamp_ms - before->stamp_ms) / 1e3;
	return (double)(now->mono_ns - before->mono_ns) / 1e9;
}

/* Did a counter that both readings have go back? */
static bool went_back(const struct reading *before, const struct reading *now, unsigned what,
		      uint64_t counter_before, uint64_t counter_now)
{
	return (before->has & now->has & what) && counter_now < counter_before;
}

static void rate(const struct reading *before, const struct reading *now, unsigned what,
		 uint64_t counter_before, uint64_t counter_now, double per_second, double *out)
{
	if (before->has & now->has & what)
		*out = (double)(counter_now - counter_before) * per_second;
}

static void rates(const struct reading *before, const struct reading *now, struct sample *out)
{
	double seconds = seconds_between(before, now);

	if (!reading_same_incarnation(before, now) || seconds <= 0)
		return;
	/* A CPU counter that began anew without saying so: the others did too. */
	if (went_back(before, now, READING_CPU_TIME, before->cpu_ns, now->cpu_ns))
		return;
	rate(before, now, READING_CPU_TIME, before->cpu_ns, now->cpu_ns, 100 / (seconds * 1e9),
	     &out->value[METRIC_CPU_PERCENT]);
	if (went_back(before, now, READING_NETWORK_IN, before->network_in, now->network_in) ||
	    went_back(before, now, READING_NETWORK_OUT, before->network_out, now->network_out))
		return;
	rate(before, now, READING_NETWORK_IN, before->network_in, now->network_in, 1 / seconds,
	     &out->value[METRIC_NETWORK_IN]);
	rate(before, now, READING_NETWORK_OUT, before->network_out, now->network_out, 1 / seconds,
	     &out->value[METRIC_NETWORK_OUT]);
}

void rate_sample(const struct reading *before, const struct reading *now, int64_t wall_ms,
		 struct sample *out)
{
	int64_t off = now->stamp_ms - wall_ms;
	bool believed = now->stamp_ms && off <= READING_STAMP_SLACK_MS &&
			off >= -READING_STAMP_SLACK_MS;

	out->at_ms = believed ? now->stamp_ms : wall_ms;
	for (int m = 0; m < METRIC_COUNT; m++)
		out->value[m] = NAN;
	if (now->has & READING_MEMORY_USED)
		out->value[METRIC_MEMORY_USED] = (double)now->memory_used;
	if (now->has & READING_MEMORY_LIMIT)
		out->value[METRIC_MEMORY_LIMIT] = (double)now->memory_limit;
	if (before)
		rates(before, now, out);
	if (now->has & READING_CPU_PERCENT)
		out->value[METRIC_CPU_PERCENT] = now->cpu_percent;
	if (now->has & READING_REQUESTS)
		out->value[METRIC_REQUESTS] = now->requests_per_sec;
	if (now->has & READING_LATENCY)
		out->value[METRIC_LATENCY_P95] = now->latency_p95_ms;
}
