#include "generator.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define DAY_MS 86400000ll
#define HOUR_MS 3600000ll
#define REGIME_LONGEST 3000

/* splitmix64: any seed is as good as any other. */
uint64_t generator_bits(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

double generator_unit(uint64_t *seed)
{
	return (double)(generator_bits(seed) >> 11) * 0x1p-53;
}

uint64_t generator_below(uint64_t *seed, uint64_t n)
{
	return generator_bits(seed) % n;
}

static bool chance(uint64_t *seed, double likelihood)
{
	return generator_unit(seed) < likelihood;
}

static bool is_memory(enum metric m)
{
	return m == METRIC_MEMORY_USED || m == METRIC_MEMORY_LIMIT;
}

/* What a metric is about, in everyday life. */
static const double scale[METRIC_COUNT] = { 30, 268435456, 536870912, 20000, 50000, 50, 20 };

static double constant(struct generator *g, enum metric m)
{
	return g->level[m];
}

static double walk(struct generator *g, enum metric m)
{
	g->level[m] *= 1 + 0.02 * (generator_unit(&g->seed) - 0.5);
	return g->level[m];
}

static double uniform(struct generator *g, enum metric m)
{
	return scale[m] * 2 * generator_unit(&g->seed);
}

/* All octaves are as likely, far beyond what can be held and far below what can be told from 0. */
static double any_magnitude(struct generator *g, enum metric m)
{
	return exp2(generator_unit(&g->seed) * 100 - 40) * (is_memory(m) ? 1024 : 1);
}

static double any_bits(struct generator *g, enum metric m)
{
	uint64_t bits = generator_bits(&g->seed) >> 1;
	double value;

	(void)m;
	memcpy(&value, &bits, sizeof value);
	return isfinite(value) ? value : 0;
}

static double bursts(struct generator *g, enum metric m)
{
	if (chance(&g->seed, 0.02))
		g->step[m] = (double)generator_below(&g->seed, 20);
	if (g->step[m] < 1)
		return is_memory(m) ? scale[m] : 0;
	g->step[m]--;
	return scale[m] * generator_unit(&g->seed);
}

/*
 * To 2^53 bytes and around 2 TiB, where the precision of memory changes; the other metrics as high.
 */
static double huge(struct generator *g, enum metric m)
{
	double most = is_memory(m) ? 0x1p53 : 0x1p46;

	switch (generator_below(&g->seed, 4)) {
	case 0:
		return 0x1p41 + (generator_unit(&g->seed) - 0.5) * 65536;
	case 1:
		return most - generator_unit(&g->seed) * 65536;
	default:
		return most * generator_unit(&g->seed);
	}
}

static double saturating(struct generator *g, enum metric m)
{
	static const double values[] = {
		0, DBL_MIN, 1, 1e16, 0x1p53, 0x1p53 + 1024, 0x1p47, 1e300, DBL_MAX,
	};

	return chance(&g->seed, 0.1)
		       ? values[generator_below(&g->seed, sizeof values / sizeof *values)]
		       : uniform(g, m);
}

/* Exactly on the edges of rounding and beside them. */
static double halves(struct generator *g, enum metric m)
{
	double unit = is_memory(m)					  ? 1024
		      : m == METRIC_NETWORK_IN || m == METRIC_NETWORK_OUT ? 1
									  : 0x1p-10;
	double value = unit / 2 * (double)generator_below(&g->seed, 5000);

	switch (generator_below(&g->seed, 3)) {
	case 0:
		return nextafter(value, INFINITY);
	case 1:
		return fmax(0, nextafter(value, -1));
	default:
		return value;
	}
}

/* What goes out is nearly what came in, the higher of the two. */
static double correlated(struct generator *g, enum metric m)
{
	if (m != METRIC_NETWORK_OUT)
		return g->level[m] = exp2(generator_unit(&g->seed) * 12) * scale[m] / 4096;
	return g->level[METRIC_NETWORK_IN] * 1.04 + generator_unit(&g->seed) * 30;
}

static double ramp(struct generator *g, enum metric m)
{
	g->level[m] += g->step[m];
	if (g->level[m] > scale[m] * 4)
		g->level[m] = 0;
	return g->level[m];
}

static double few_levels(struct generator *g, enum metric m)
{
	return scale[m] / 7 * (double)(generator_below(&g->seed, 4) * generator_below(&g->seed, 3));
}

static double saw(struct generator *g, enum metric m)
{
	return scale[m] / 60 * (double)(g->made % 60);
}

static double from_trace(struct generator *g, enum metric m)
{
	return g->trace ? g->trace->rows[g->trace_row % g->trace->n].value[m] : walk(g, m);
}

static double regimes(struct generator *g, enum metric m)
{
	return g->regime->next(g, m);
}

const struct value_kind value_kinds[] = {
	{ "constant", constant },
	{ "walk", walk },
	{ "uniform", uniform },
	{ "any magnitude", any_magnitude },
	{ "any bits", any_bits },
	{ "bursts", bursts },
	{ "huge", huge },
	{ "saturating", saturating },
	{ "halves", halves },
	{ "correlated", correlated },
	{ "ramp", ramp },
	{ "few levels", few_levels },
	{ "saw", saw },
	{ "trace", from_trace },
	{ "regimes", regimes },	/* the last: it takes the others in turn */
};
const size_t value_kind_count = sizeof value_kinds / sizeof *value_kinds;

static int64_t on_time(struct generator *g)
{
	return g->clock_ms += g->interval_ms;
}

/* The lateness of a timer does not add up. */
static int64_t late(struct generator *g)
{
	g->clock_ms += g->interval_ms;
	return g->clock_ms + (int64_t)(20 * generator_unit(&g->seed) * generator_unit(&g->seed));
}

static int64_t gaps(struct generator *g)
{
	if (chance(&g->seed, 0.01))
		g->clock_ms += g->interval_ms * (int64_t)generator_below(&g->seed, 2000);
	return late(g);
}

static int64_t steps_back(struct generator *g)
{
	if (chance(&g->seed, 0.01))
		g->clock_ms -= g->interval_ms * (int64_t)generator_below(&g->seed, 100);
	return late(g);
}

static int64_t hours_back_and_forth(struct generator *g)
{
	if (chance(&g->seed, 0.005))
		g->clock_ms += ((int64_t)generator_below(&g->seed, 9) - 4) * HOUR_MS;
	return late(g);
}

/* Over 25 and over 50 days milliseconds no longer fit 32 bits. */
static int64_t months(struct generator *g)
{
	if (chance(&g->seed, 0.003))
		g->clock_ms += ((int64_t)generator_below(&g->seed, 121) - 60) * DAY_MS;
	return late(g);
}

static int64_t ties(struct generator *g)
{
	if (chance(&g->seed, 0.4))
		return g->clock_ms;
	return on_time(g);
}

static int64_t one_instant(struct generator *g)
{
	return g->clock_ms;
}

static int64_t no_order(struct generator *g)
{
	return g->clock_ms + (int64_t)generator_below(&g->seed, 5000) * g->interval_ms;
}

static int64_t jagged(struct generator *g)
{
	g->clock_ms += g->interval_ms;
	return g->clock_ms +
	       ((int64_t)generator_below(&g->seed, 2001) - 1000) * (1 + g->interval_ms / 50);
}

static int64_t back_at_every_reading(struct generator *g)
{
	return g->clock_ms -= 1 + g->interval_ms;
}

static int64_t any_time(struct generator *g)
{
	if (chance(&g->seed, 0.05))
		g->clock_ms =
			(int64_t)(generator_bits(&g->seed) >> (1 + generator_below(&g->seed, 40)));
	if (chance(&g->seed, 0.03))
		g->clock_ms = -g->clock_ms;
	return g->clock_ms < INT64_MAX - g->interval_ms ? on_time(g) : g->clock_ms;
}

static int64_t at_the_limits(struct generator *g)
{
	int64_t off = (int64_t)generator_below(&g->seed, 100);

	switch (generator_below(&g->seed, 40)) {
	case 0:
		return INT64_MIN + off;
	case 1:
		return INT64_MAX - off;
	case 2:
		return INT64_MIN;
	case 3:
		return INT64_MAX;
	default:
		return late(g);
	}
}

static int64_t of_trace(struct generator *g)
{
	return g->trace ? trace_sample(g->trace, g->trace_row).at_ms : late(g);
}

const struct time_kind time_kinds[] = {
	{ "on time", on_time },
	{ "late", late },
	{ "gaps", gaps },
	{ "steps back", steps_back },
	{ "hours back and forth", hours_back_and_forth },
	{ "months", months },
	{ "ties", ties },
	{ "one instant", one_instant },
	{ "no order", no_order },
	{ "jagged", jagged },
	{ "back at every reading", back_at_every_reading },
	{ "any time", any_time },
	{ "at the limits", at_the_limits },
	{ "of trace", of_trace },
};
const size_t time_kind_count = sizeof time_kinds / sizeof *time_kinds;

static void levels_draw(struct generator *g)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		g->level[m] = scale[m] * generator_unit(&g->seed);
		g->step[m] = g->level[m] / 500;
	}
}

void generator_start(struct generator *g, uint64_t seed, const struct value_kind *values,
		     const struct time_kind *times, int64_t start_ms, int64_t interval_ms,
		     const struct trace *trace)
{
	*g = (struct generator){
		.seed = seed,
		.values = values,
		.times = times,
		.trace = trace,
		.interval_ms = interval_ms,
		.clock_ms = start_ms,
	};
	g->trace_row = trace ? generator_below(&g->seed, trace->n) : 0;
	levels_draw(g);
}

void generator_drop_some(struct generator *g)
{
	static const double likelihoods[] = { 0, 0.01, 0.3, 0.99, 1 };
	bool any = chance(&g->seed, 0.7);

	for (int m = 0; m < METRIC_COUNT; m++)
		g->absent[m] = any ? likelihoods[generator_below(&g->seed, 5)] : 0;
	g->stretches = chance(&g->seed, 0.3);
}

static void regime_change(struct generator *g)
{
	if (g->regime_left-- > 0)
		return;
	g->regime_left = generator_below(&g->seed, REGIME_LONGEST);
	g->regime = &value_kinds[generator_below(&g->seed, value_kind_count - 1)];
	levels_draw(g);
}

struct sample generator_next(struct generator *g)
{
	struct sample s;

	if (g->values == &value_kinds[value_kind_count - 1])
		regime_change(g);
	s.at_ms = g->times->next(g);
	for (int m = 0; m < METRIC_COUNT; m++) {
		s.value[m] = g->values->next(g, (enum metric)m);
		if (g->stretches && chance(&g->seed, 0.005))
			g->gone[m] = !g->gone[m];
		if (g->gone[m] || (g->absent[m] > 0 && chance(&g->seed, g->absent[m])))
			s.value[m] = NAN;
	}
	g->made++;
	g->trace_row++;
	return s;
}

/* a + b without leaving the range. */
static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b < 0 ? INT64_MIN : INT64_MAX;
}

/* The time of a sample, most often of one of the newest. */
static int64_t some_time(uint64_t *seed, const struct naive *nv)
{
	size_t n = nv->n_sorted, order;

	if (n == 0)
		return (int64_t)generator_below(seed, 1000000);
	switch (generator_below(seed, 8)) {
	case 0:
		return nv->sorted[0].at_ms;
	case 1:
		return nv->sorted[n - 1].at_ms;
	case 2:
	case 3:
		order = nv->n - 1 - generator_below(seed, n < 700 ? n : 700);
		return nv->samples[order].at_ms;
	default:
		return nv->sorted[generator_below(seed, n)].at_ms;
	}
}

/* The time of a sample up to so many rows after another one. */
static int64_t later_time(uint64_t *seed, const struct naive *nv, int64_t at_ms, size_t rows)
{
	size_t from = 0, to = nv->n_sorted;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (nv->sorted[middle].at_ms < at_ms)
			from = middle + 1;
		else
			to = middle;
	}
	from += generator_below(seed, rows + 1);
	return from < nv->n_sorted ? nv->sorted[from].at_ms : at_ms;
}

/* So that at most parts of it cover the window. */
static int64_t split(int64_t window, int64_t parts)
{
	return window < 1 ? 1 : (window - 1) / parts + 1;
}

static int64_t some_resolution(uint64_t *seed, int64_t window, int64_t interval_ms)
{
	int64_t resolution;

	switch (generator_below(seed, 8)) {
	case 0:
		resolution = 1;
		break;
	case 1:
		resolution = window;
		break;
	case 2:
		resolution = INT64_MAX - (int64_t)generator_below(seed, 2);
		break;
	case 3:
		resolution = interval_ms - 1 + (int64_t)generator_below(seed, 3);
		break;
	case 4:
		resolution = interval_ms * (1 + (int64_t)generator_below(seed, 70));
		break;
	default:
		resolution = split(window, 1 + (int64_t)generator_below(seed, 150));
		break;
	}
	/* Seldom more buckets than a hundred or so, which is where the time of a test goes. */
	if (resolution < 1 ||
	    window / resolution >= (chance(seed, 0.001) ? RANGE_BUCKETS_MAX - 1 : 150))
		resolution = split(window, 1 + (int64_t)generator_below(seed, 130));
	return resolution;
}

struct range_query generator_query(uint64_t *seed, const struct naive *nv, int64_t interval_ms)
{
	static const int64_t edges[] = { INT64_MIN, INT64_MIN + 1, -1,	     0,
					 1,	    INT64_MAX - 1, INT64_MAX };
	struct range_query q = { .aggregates = 1 + (unsigned)generator_below(seed, AGGREGATE_ALL) };
	int64_t window;

	q.since_ms = add(some_time(seed, nv), (int64_t)generator_below(seed, 5) - 2);
	switch (generator_below(seed, 64)) {
	case 0:
		q.since_ms = edges[generator_below(seed, 7)];
		q.until_ms = edges[generator_below(seed, 7)];
		break;
	case 1:
		q.until_ms = add(some_time(seed, nv), (int64_t)generator_below(seed, 5) - 2);
		break;
	case 2:		/* all of it, and perhaps more */
		q.since_ms = nv->n_sorted ? nv->sorted[0].at_ms : 0;
		q.until_ms = add(nv->n_sorted ? nv->sorted[nv->n_sorted - 1].at_ms : 0, 1);
		break;
	case 3:		/* before or after everything */
		q.since_ms =
			nv->n_sorted
				? nv->sorted[generator_below(seed, 2) * (nv->n_sorted - 1)].at_ms
				: 0;
		q.since_ms = add(q.since_ms, 1 - (int64_t)generator_below(seed, 2) * 100000);
		q.until_ms = add(q.since_ms, 99999);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		q.until_ms = add(q.since_ms, 1 + (int64_t)generator_below(seed, 2));
		break;
	default:
		q.since_ms =
			add(q.since_ms, -(int64_t)generator_below(seed, (uint64_t)interval_ms + 1));
		q.until_ms =
			add(later_time(seed, nv, q.since_ms, generator_below(seed, 8) ? 60 : 500),
			    (int64_t)generator_below(seed, (uint64_t)interval_ms + 1));
		break;
	}
	/* A window longer than an int64 is not a question that can be put. */
	if (q.until_ms > q.since_ms && __builtin_sub_overflow(q.until_ms, q.since_ms, &window))
		q.until_ms = add(q.since_ms, INT64_MAX);
	window = q.until_ms > q.since_ms ? q.until_ms - q.since_ms : 0;
	q.resolution_ms = some_resolution(seed, window, interval_ms);
	return q;
}
