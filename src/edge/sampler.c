#include "sampler.h"

#include <errno.h>
#include <stdlib.h>

/* What struct instance.reader points at. */
struct reader {
	enum source_kind kind;
	struct source *source;	/* NULL for SOURCE_BUS, and until it could be bound */
};

static enum source_kind choose(struct sampler *s, const struct instance *i)
{
	switch ((enum config_source)s->config->source) {
	case CONFIG_SOURCE_CGROUP:
		return SOURCE_CGROUP;
	case CONFIG_SOURCE_PROCESS:
		return SOURCE_PROCESS;
	case CONFIG_SOURCE_BUS:
		return SOURCE_BUS;
	default:
		return source_choose(s->sources, &i->target);
	}
}

static int read_local(struct sampler *s, struct instance *i, struct reader *r,
		      struct reading *out, char error[SOURCE_ERROR_MAX])
{
	int64_t began_ns;
	int result = 0;

	if (!r->source)
		result = source_bind(s->sources, r->kind, &i->target, &r->source, error);
	if (result != 0)
		return result;
	began_ns = loop_clock().mono_ns;
	result = source_read(s->sources, r->source, out, error);
	if (result == 0)
		stats_reading(s->loop->stats, r->kind, loop_clock().mono_ns - began_ns);
	return result;
}

void sampler_begin(struct sampler *s, struct instance *i)
{
	const struct moment *now = &s->loop->now;
	struct reader *r = i->reader;
	char error[SOURCE_ERROR_MAX];
	struct reading reading;
	int result;

	if (!r) {
		r = i->reader = calloc(1, sizeof *r);
		if (!r) {
			pipeline_on_failure(s->pipeline, i, FAILURE_SHORT, "out of memory", now);
			return;
		}
	}
	/* While nothing could be bound the choice is open: a process may yet appear. */
	if (!r->source)
		r->kind = choose(s, i);
	i->source = r->kind;
	if (r->kind == SOURCE_BUS) {
		remote_ask(s->remote, i, now);
		return;
	}
	result = read_local(s, i, r, &reading, error);
	if (result == 0)
		pipeline_on_reading(s->pipeline, i, &reading, now);
	else if (result > 0)
		pipeline_on_failure(s->pipeline, i, (enum failure)result, error, now);
	else
		pipeline_on_failure(s->pipeline, i, FAILURE_SHORT, "out of memory", now);
}

const char *sampler_give_up(struct sampler *s, struct instance *i)
{
	return remote_forget(s->remote, i);
}

void sampler_unbind(struct sampler *s, struct instance *i)
{
	struct reader *r = i->reader;

	(void)s;
	if (!r)
		return;
	source_free(r->source);
	free(r);
	i->reader = NULL;
}
