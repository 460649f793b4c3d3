#include "sampler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct sampler {
	struct sampler_options options;
	struct source_set *sources;
	struct locator *locator;
	char why[2 * SOURCE_ERROR_MAX];	/* of the reading given up last */
};

/* What struct instance.reader points at. */
struct reader {
	enum source_kind kind;
	struct source *source;	/* NULL for SOURCE_BUS, and until it could be bound */
	bool by_name;		/* it is that of a container an engine named */
	struct search *search;	/* for that container; NULL = none goes on */
};

static enum source_kind choose(struct sampler *s, const struct instance *i)
{
	switch ((enum config_source)s->options.config->source) {
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

static bool said(const char *text)
{
	return text && *text;
}

/* Is it worth to ask an engine when the rest of the target does not lead anywhere? */
static bool has_name(const struct sampler *s, const struct instance *i, enum source_kind kind)
{
	enum config_source source = (enum config_source)s->options.config->source;

	if (locator_is_idle(s->locator) || said(i->target.cgroup_path))
		return false;
	if (source == CONFIG_SOURCE_CGROUP)
		return true;
	if (source != CONFIG_SOURCE_AUTO)
		return false;
	/* A container that was started anew has another pid, and still its name, if that was said. */
	return kind == SOURCE_BUS || said(i->target.container_name);
}

static int read_local(struct sampler *s, struct instance *i, struct reader *r,
		      struct reading *out, char error[SOURCE_ERROR_MAX])
{
	int64_t began_ns;
	int result = 0;

	if (!r->source) {
		result = source_bind(s->sources, r->kind, &i->target, &r->source, error);
		if (result != 0)
			return result;
		search_free(r->search);	/* found without an engine */
		r->search = NULL;
	}
	began_ns = loop_clock().mono_ns;
	result = source_read(s->sources, r->source, out, error);
	if (result == 0)
		stats_reading(s->options.loop->stats, r->kind, loop_clock().mono_ns - began_ns);
	return result;
}

/* What is told of a container that nothing in its target leads to: both ways, if both were tried. */
static void fail(struct sampler *s, struct instance *i, const struct reader *r,
		 enum failure reason, const char *error)
{
	const struct moment *now = &s->options.loop->now;
	bool tried = i->target.pid != 0 || said(i->target.container_id);
	char both[2 * SOURCE_ERROR_MAX];

	if (!r->search) {
		pipeline_on_failure(s->options.pipeline, i, reason, error, now);
		return;
	}
	snprintf(both, sizeof both, "%s%s%s", tried ? error : "", tried ? "; " : "",
		 search_why(r->search));
	pipeline_on_failure(s->options.pipeline, i, tried ? reason : FAILURE_ABSENT, both, now);
}

/* What a function of source.h came to, with a sentence in any case. */
static enum failure failure_from(int result, char error[SOURCE_ERROR_MAX])
{
	if (result >= 0)
		return (enum failure)result;
	snprintf(error, SOURCE_ERROR_MAX, "out of memory");
	return FAILURE_SHORT;
}

/* Reads it from here; else why not. */
static enum failure read_here(struct sampler *s, struct instance *i, struct reader *r,
			      char error[SOURCE_ERROR_MAX])
{
	struct reading reading;
	enum failure reason = failure_from(read_local(s, i, r, &reading, error), error);

	if (reason == FAILURE_NONE)
		pipeline_on_reading(s->options.pipeline, i, &reading, &s->options.loop->now);
	return reason;
}

/* No engine is waited for. */
static void read_unnamed(struct sampler *s, struct instance *i, struct reader *r)
{
	char error[SOURCE_ERROR_MAX];
	enum failure reason;

	if (r->kind == SOURCE_BUS) {
		remote_ask(s->options.remote, i, &s->options.loop->now);
		return;
	}
	reason = read_here(s, i, r, error);
	if (reason != FAILURE_NONE)
		fail(s, i, r, reason, error);
}

/* true: the reading waits for an engine. Only one that is the first, or finds its container gone. */
static bool await_name(struct sampler *s, struct instance *i, struct reader *r)
{
	if (r->source || !has_name(s, i, r->kind))
		return false;
	if (!r->search)
		return search_new(&r->search, s->locator, i) == 0;
	return i->readings == 1 && search_again(r->search) == 0;
}

/* While nothing could be bound the choice is open: a process may yet appear. */
static void choose_anew(struct sampler *s, struct instance *i, struct reader *r)
{
	r->kind = choose(s, i);
	i->source = r->kind;
}

void sampler_begin(struct sampler *s, struct instance *i)
{
	struct reader *r = i->reader;
	char error[SOURCE_ERROR_MAX];
	enum failure reason;

	if (!r) {
		r = i->reader = calloc(1, sizeof *r);
		if (!r) {
			pipeline_on_failure(s->options.pipeline, i, FAILURE_SHORT, "out of memory",
					    &s->options.loop->now);
			return;
		}
	}
	if (!r->source)
		choose_anew(s, i, r);
	if (r->kind == SOURCE_BUS) {
		if (!await_name(s, i, r))
			read_unnamed(s, i, r);
		return;
	}
	reason = read_here(s, i, r, error);
	if (reason == FAILURE_NONE)
		return;
	/* The container may have been made anew, under the same name and with another id. */
	if (r->by_name && reason == FAILURE_GONE) {
		source_free(r->source);
		r->source = NULL;
		r->by_name = false;
		choose_anew(s, i, r);
	}
	if (!await_name(s, i, r))
		fail(s, i, r, reason, error);
}

/* --- what the locator tells --- */

static bool on_found(void *ctx, struct instance *i, const struct container *container,
		     bool awaited, char error[SOURCE_ERROR_MAX])
{
	struct sampler *s = ctx;
	struct reader *r = i->reader;
	int result = source_bind_container(s->sources, container, &r->source, error);

	if (failure_from(result, error) != FAILURE_NONE)
		return false;
	search_free(r->search);
	r->search = NULL;
	r->by_name = true;
	r->kind = SOURCE_CGROUP;
	i->source = r->kind;
	if (awaited)
		read_unnamed(s, i, r);
	else
		pipeline_read_now(s->options.pipeline, i, &s->options.loop->now);
	return true;
}

static void on_not_found(void *ctx, struct instance *i)
{
	read_unnamed(ctx, i, i->reader);
}

/* --- */

const char *sampler_give_up(struct sampler *s, struct instance *i)
{
	const char *why = remote_forget(s->options.remote, i);
	struct reader *r = i->reader;

	if (!r || !r->search)
		return why;
	search_give_up(r->search);
	snprintf(s->why, sizeof s->why, "%s%s%s", why ? why : "", why ? "; " : "",
		 search_why(r->search));
	return s->why;
}

void sampler_unbind(struct sampler *s, struct instance *i)
{
	struct reader *r = i->reader;

	(void)s;
	if (!r)
		return;
	search_free(r->search);
	source_free(r->source);
	free(r);
	i->reader = NULL;
}

int sampler_new(struct sampler **out, const struct sampler_options *options)
{
	struct sampler *s = calloc(1, sizeof *s);
	struct locator_options locator = { options->config->interval_ms, on_found, on_not_found, s };
	int r;

	if (!s)
		return -ENOMEM;
	s->options = *options;
	r = source_set_new(&s->sources, &options->sources);
	if (r == 0)
		r = locator_new(&s->locator, options->loop, options->engines, &locator);
	if (r < 0) {
		sampler_free(s);
		return r;
	}
	*out = s;
	return 0;
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	locator_free(s->locator);
	source_set_free(s->sources);
	free(s);
}
