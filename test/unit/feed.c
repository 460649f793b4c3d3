#include "feed.h"

#include "generator.h"

static struct sample next_of_trace(struct feed *f)
{
	struct sample s = trace_sample(f->trace, f->i++);

	for (int m = 0; m < METRIC_COUNT && f->absent > 0; m++)
		if (generator_unit(&f->seed) < f->absent)
			s.value[m] = NAN;
	return s;
}

struct feed feed_trace(const struct trace *t, double absent)
{
	return (struct feed){ .name = t->name, .next = next_of_trace, .trace = t, .absent = absent,
			      .seed = 1 };
}

static struct sample next_constant(struct feed *f)
{
	return (struct sample){ (int64_t)f->i++ * TRACE_INTERVAL_MS,
				{ 12.5, 1 << 28, 1 << 29, 20000, 50000, 150, 20 } };
}

struct feed feed_constant(void)
{
	return (struct feed){ .name = "constant", .next = next_constant };
}

static struct sample next_entropy(struct feed *f)
{
	struct sample s = { .at_ms = (int64_t)f->i++ * TRACE_INTERVAL_MS };

	for (int m = 0; m < METRIC_COUNT; m++)
		s.value[m] = generator_unit(&f->seed) *
			     (m == METRIC_MEMORY_USED || m == METRIC_MEMORY_LIMIT ? 0x1p36 : 1e9);
	return s;
}

struct feed feed_entropy(void)
{
	return (struct feed){ .name = "entropy", .next = next_entropy, .seed = 1 };
}
