#include "sampler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scraper.h"

struct sampler {
	struct sampler_options options;
	struct source_set *sources;
	struct locator *locator;
	struct scraper *scraper;
	char why[2 * SOURCE_ERROR_MAX];	/* of the reading given up last */
};

/* What struct instance.reader points at. */
struct reader {
	enum source_kind kind;
	struct source *source;	/* NULL for SOURCE_BUS, and until it could be bound */
	bool by_name;		/* it is that of a container an engine named */
	struct search *search;	/* for that container; NULL = none goes on */
	struct page *page;	/* NULL = it has none */
};

/* A page of metrics, and the reading that waits for it. */
struct page {
	struct scraped *scraped;
	enum scraped_begun begun;
	bool is_read;		/* the other half has ended well: */
	struct reading reading;
	struct moment at;
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

/* --- the end of a reading --- */

static void begin_page(struct sampler *s, struct instance *i)
{
	struct reader *r = i->reader;
	struct page *page = r->page;

	if (!scraper_concerns(s->scraper, i))
		return;
	if (!page) {
		page = calloc(1, sizeof *page);
		if (!page || scraped_new(&page->scraped, s->scraper, i) < 0) {
			free(page);
			return;
		}
		r->page = page;
	}
	if (page->begun == SCRAPED_NO_PAGE)
		page->begun = scraped_begin(page->scraped);
}

static void publish(struct sampler *s, struct instance *i, struct page *page)
{
	const char *why = scraped_result(page->scraped, &page->reading);

	page->is_read = false;
	pipeline_on_reading(s->options.pipeline, i, &page->reading, &page->at);
	if (why)
		pipeline_note(i, why, &s->options.loop->now);
}

void sampler_on_reading(struct sampler *s, struct instance *i, const struct reading *reading)
{
	struct reader *r = i->reader;
	struct page *page = r->page;

	if (page && i->has_previous && !reading_same_incarnation(&i->previous, reading))
		scraped_restart(page->scraped);
	begin_page(s, i);	/* if it could not be begun before it was known where that is */
	page = r->page;
	if (!page) {
		pipeline_on_reading(s->options.pipeline, i, reading, &s->options.loop->now);
		return;
	}
	page->is_read = true;
	page->reading = *reading;
	page->at = s->options.loop->now;
	if (!scraped_is_under_way(page->scraped))
		publish(s, i, page);
}

void sampler_on_failure(struct sampler *s, struct instance *i, enum failure reason,
			const char *error)
{
	struct reader *r = i->reader;

	if (r && r->page)
		scraped_give_up(r->page->scraped);
	pipeline_on_failure(s->options.pipeline, i, reason, error, &s->options.loop->now);
}

static void on_page(void *ctx, struct instance *i)
{
	struct reader *r = i->reader;

	if (r->page->is_read)
		publish(ctx, i, r->page);
}

static bool address_of(void *ctx, struct instance *i, char out[SOURCE_ADDRESS_MAX])
{
	struct sampler *s = ctx;
	struct reader *r = i->reader;

	return r->source && source_address(s->sources, r->source, out);
}

static void page_free(struct page *page)
{
	if (!page)
		return;
	scraped_free(page->scraped);
	free(page);
}

/* --- its begin --- */

/* What is told of a container that nothing in its target leads to: both ways, if both were tried. */
static void fail(struct sampler *s, struct instance *i, const struct reader *r,
		 enum failure reason, const char *error)
{
	bool tried = i->target.pid != 0 || said(i->target.container_id);
	char both[2 * SOURCE_ERROR_MAX];

	if (!r->search) {
		sampler_on_failure(s, i, reason, error);
		return;
	}
	snprintf(both, sizeof both, "%s%s%s", tried ? error : "", tried ? "; " : "",
		 search_why(r->search));
	sampler_on_failure(s, i, tried ? reason : FAILURE_ABSENT, both);
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
		sampler_on_reading(s, i, &reading);
	return reason;
}

/* No engine is waited for. */
static void read_unnamed(struct sampler *s, struct instance *i, struct reader *r)
{
	char error[SOURCE_ERROR_MAX];
	enum failure reason;

	if (r->kind == SOURCE_BUS) {
		remote_ask(s->options.remote, i);
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

static void begin_source(struct sampler *s, struct instance *i, struct reader *r)
{
	char error[SOURCE_ERROR_MAX];
	enum failure reason;

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
		if (r->page)
			scraped_restart(r->page->scraped);
		choose_anew(s, i, r);
	}
	if (!await_name(s, i, r))
		fail(s, i, r, reason, error);
}

void sampler_begin(struct sampler *s, struct instance *i)
{
	struct reader *r = i->reader;

	if (!r) {
		r = i->reader = calloc(1, sizeof *r);
		if (!r) {
			sampler_on_failure(s, i, FAILURE_SHORT, "out of memory");
			return;
		}
	}
	if (r->page) {
		r->page->begun = SCRAPED_NO_PAGE;
		r->page->is_read = false;
	}
	begin_source(s, i, r);
	/* Who has to be asked takes as long as the page does. */
	if (i->reading_under_way)
		begin_page(s, i);
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

	if (r && r->page)
		scraped_give_up(r->page->scraped);
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
	page_free(r->page);
	search_free(r->search);
	source_free(r->source);
	free(r);
	i->reader = NULL;
}

int sampler_new(struct sampler **out, const struct sampler_options *options)
{
	struct sampler *s = calloc(1, sizeof *s);
	struct scraper_options scraper = { options->config, options->loop,
					   options->max_connections, address_of, on_page, s };
	struct locator_options locator = { options->config->interval_ms, on_found, on_not_found, s };
	int r;

	if (!s)
		return -ENOMEM;
	s->options = *options;
	r = source_set_new(&s->sources, &options->sources);
	if (r == 0)
		r = locator_new(&s->locator, options->loop, options->engines, &locator);
	if (r == 0)
		r = scraper_new(&s->scraper, &scraper);
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
	scraper_free(s->scraper);
	locator_free(s->locator);
	source_set_free(s->sources);
	free(s);
}
