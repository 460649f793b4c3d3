#include "scraper.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "metrics_url.h"
#include "networks.h"
#include "scrape.h"
#include "scrape_format.h"
#include "url_template.h"

#define CONTAINER_IP "{container_ip}"

struct scraper {
	struct scraper_options options;
	struct networks networks;
	int64_t timeout_ms;		/* as a rule */
	int64_t end_ms;			/* after the begin of the reading, at the latest */
	char timeout_header[64];
	const char *headers[3];
	bool wants_address;		/* the template does */
	struct http *http;
};

struct scraped {
	struct scraper *scraper;
	struct instance *instance;
	char *url;			/* NULL = none yet, or one that cannot be: why */
	uint32_t version;		/* of the target that URL and rules were made of */
	bool is_made;
	bool look_again;		/* at the address */
	struct scrape *scrape;
	struct http_op *op;		/* under way, or NULL */
	bool began;			/* the page has, and is fed */
	int fed;			/* what scrape_feed() said last */
	bool restarted;			/* while it was under way */
	int64_t read_ns;		/* when the page began to come in */
	unsigned has;			/* what it told: of enum reading_has */
	double requests_per_sec;
	double latency_p95_ms;
	char why[INSTANCE_ERROR_MAX];	/* "" = it is good */
};

static bool said(const char *text)
{
	return text && *text;
}

static struct stats *stats_of(const struct scraped *d)
{
	return d->scraper->options.loop->stats;
}

/* Counted, and said with the URL as it may be shown. */
static void fail(struct scraped *d, uint64_t *counter, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void fail(struct scraped *d, uint64_t *counter, const char *format, ...)
{
	char what[INSTANCE_ERROR_MAX], shown[METRICS_URL_SHOWN_MAX];
	const char *url = d->url ? metrics_url_shown(d->url, shown) : "";
	va_list arguments;

	stats_of(d)->scrapes_failed++;
	(*counter)++;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	if (snprintf(d->why, sizeof d->why, "metrics: %s%s%s", what, *url ? ", at " : "", url) >=
	    (int)sizeof d->why)
		strcpy(d->why + sizeof d->why - sizeof "...", "...");
}

/* --- where its page is --- */

bool scraper_concerns(const struct scraper *s, const struct instance *i)
{
	return said(i->target.metrics_url) || *s->options.config->metrics_url_template;
}

/* 0; > 0 with a sentence; URL_NO_VALUE is told by an empty url. */
static int find_url(struct scraped *d, char url[METRICS_URL_MAX + 1], struct problem *p)
{
	const struct scraper_options *o = &d->scraper->options;
	const struct target *t = &d->instance->target;
	char address[SOURCE_ADDRESS_MAX] = "";
	struct url_values values = { d->instance->id, t->node, t->workload_id, t->container_name,
				     address };
	int r;

	url[0] = '\0';
	if (said(t->metrics_url)) {
		r = metrics_url_check(t->metrics_url, p);
		if (r == 0)
			strcpy(url, t->metrics_url);
		return r;
	}
	if (d->scraper->wants_address && !o->address(o->ctx, d->instance, address))
		return 0;
	return url_template_expand(o->config->metrics_url_template, &values, url, p) == URL_UNUSABLE;
}

static void forget_page_before(struct scraped *d)
{
	if (d->scrape)
		scrape_reset(d->scrape);
}

/* By the target or a setting; NULL: the table of known ones is searched. */
static const char *named(const char *by_target, const char *by_setting)
{
	if (said(by_target))
		return by_target;
	return said(by_setting) ? by_setting : NULL;
}

static const char *named_counter(const struct scraped *d)
{
	return named(d->instance->target.request_counter,
		     d->scraper->options.config->request_counter);
}

static const char *named_histogram(const struct scraped *d)
{
	return named(d->instance->target.latency_histogram,
		     d->scraper->options.config->latency_histogram);
}

static int make_scrape(struct scraped *d)
{
	const struct config *c = d->scraper->options.config;
	const struct target *t = &d->instance->target;
	struct scrape_rules rules = {
		.request_counter = named_counter(d),
		.latency_histogram = named_histogram(d),
		.quantile = t->latency_quantile > 0 ? t->latency_quantile : c->latency_quantile,
		.max_series = (size_t)c->max_scrape_series,
	};

	d->instance->request_family = d->instance->latency_family = NULL;
	scrape_free(d->scrape);
	d->scrape = NULL;
	return scrape_new(&d->scrape, &rules);
}

/* Another page than before has nothing to be compared with. */
static int take_url(struct scraped *d, const char *url)
{
	if (d->url && strcmp(d->url, url) == 0)
		return 0;
	free(d->url);
	d->url = *url ? strdup(url) : NULL;
	forget_page_before(d);
	return *url && !d->url ? -ENOMEM : 0;
}

/* From the target as it is now. 0, also when there is no URL; > 0 with a sentence; -ENOMEM. */
static int make(struct scraped *d, struct problem *p)
{
	char url[METRICS_URL_MAX + 1];
	bool is_new = !d->is_made || d->version != d->instance->target.version;
	int r = 0;

	if (!is_new && d->url && !(d->look_again && d->scraper->wants_address))
		return 0;
	d->is_made = false;
	if (is_new)
		r = make_scrape(d);
	if (r == -EINVAL)
		return problem_set(p, PROBLEM_MALFORMED, "a family's name may have 1 to %d bytes",
				   SCRAPE_NAME_MAX);
	if (r < 0)
		return r;
	r = find_url(d, url, p);
	if (r == 0)
		r = take_url(d, url);
	else
		take_url(d, "");
	if (r != 0)
		return r;
	d->version = d->instance->target.version;
	d->is_made = true;
	d->look_again = false;
	return 0;
}

/* --- the page as it comes in --- */

static bool on_allow(void *ctx, const struct sockaddr *address)
{
	const struct scraper *s = ctx;

	return networks_allow(&s->networks, address);
}

static void begin_page(struct scraped *d, const char *content_type)
{
	d->began = true;
	d->read_ns = d->scraper->options.loop->now.mono_ns;
	d->fed = scrape_begin(d->scrape, scrape_is_openmetrics(content_type));
}

static void on_chunk(void *ctx, const void *data, size_t len)
{
	struct scraped *d = ctx;

	if (!d->began)
		begin_page(d, http_content_type(d->op));
	if (d->fed == 0)
		d->fed = scrape_feed(d->scrape, data, len);
}

/* What makes a family absent, and will not pass by itself. */
static bool is_wrong(enum scrape_why why)
{
	return why == SCRAPE_TOO_MANY || why == SCRAPE_TOO_MANY_LAYOUTS || why == SCRAPE_BAD_VALUE ||
	       why == SCRAPE_NO_INF || why == SCRAPE_BOUNDS_CHANGED;
}

static void tell_wrong(struct scraped *d, const char *family, enum scrape_why why)
{
	struct stats *s = stats_of(d);

	fail(d, why == SCRAPE_TOO_MANY ? &s->scrapes_too_many_series : &s->scrapes_malformed,
	     "%.64s is left out: %s", family ? family : "", scrape_why_text(why));
}

/* Whoever names a family wants it; else there is nothing wrong with a page that has none. */
static void tell_missing(struct scraped *d, const char *family)
{
	fail(d, &stats_of(d)->scrapes_malformed, "the page has no family %.64s", family);
}

static void take_page(struct scraped *d, const struct scrape_result *page)
{
	if (page->requests_why == SCRAPE_PRESENT && isfinite(page->requests_per_sec)) {
		d->has |= READING_REQUESTS;
		d->requests_per_sec = page->requests_per_sec;
	}
	if (page->latency_why == SCRAPE_PRESENT && isfinite(page->latency_p95_ms)) {
		d->has |= READING_LATENCY;
		d->latency_p95_ms = page->latency_p95_ms;
	}
	d->instance->request_family = page->request_family;
	d->instance->latency_family = page->latency_family;
	if (is_wrong(page->requests_why))
		tell_wrong(d, page->request_family, page->requests_why);
	else if (is_wrong(page->latency_why))
		tell_wrong(d, page->latency_family, page->latency_why);
	else if (named_counter(d) && !page->request_family)
		tell_missing(d, named_counter(d));
	else if (named_histogram(d) && !page->latency_family)
		tell_missing(d, named_histogram(d));
}

/* The page is whole. */
static void end_page(struct scraped *d, const char *content_type)
{
	struct scrape_result page;
	int r;

	if (!d->began)		/* an empty one */
		begin_page(d, content_type);
	r = d->fed;
	if (r >= 0)
		r = scrape_end(d->scrape, d->read_ns, &page);
	if (r == 0)
		take_page(d, &page);
	else if (r > 0)
		fail(d, &stats_of(d)->scrapes_malformed, "%s", page.error);
	else
		fail(d, &stats_of(d)->scrapes_malformed, "out of memory");
}

static void tell_unanswered(struct scraped *d, const struct http_result *result)
{
	struct stats *s = stats_of(d);

	if (result->trouble == HTTP_TOO_LARGE)
		fail(d, &s->scrapes_too_large, "%s", result->why);
	else if (result->trouble == HTTP_NOT_ALLOWED)
		fail(d, &s->scrapes_refused_address, "%s", result->why);
	else
		fail(d, &s->scrapes_unanswered, "%s", result->why);
}

static void end(struct scraped *d)
{
	d->op = NULL;
	if (d->restarted) {
		forget_page_before(d);
		d->has = 0;
		d->restarted = false;
	} else if (d->scrape) {
		scrape_abandon(d->scrape);
	}
}

static void on_done(void *ctx, const struct http_result *result)
{
	struct scraped *d = ctx;
	const struct scraper_options *o = &d->scraper->options;

	if (result->status == 200)
		end_page(d, result->content_type);
	else if (result->status != 0)
		fail(d, &stats_of(d)->scrapes_status, "the answer is %d instead of 200",
		     result->status);
	else
		tell_unanswered(d, result);
	d->look_again = d->look_again || result->status == 0;
	end(d);
	o->done(o->ctx, d->instance);
}

/* --- one instance --- */

int scraped_new(struct scraped **out, struct scraper *s, struct instance *i)
{
	struct scraped *d = calloc(1, sizeof *d);

	if (!d)
		return -ENOMEM;
	d->scraper = s;
	d->instance = i;
	*out = d;
	return 0;
}

void scraped_free(struct scraped *d)
{
	if (!d)
		return;
	http_cancel(d->op);
	d->instance->request_family = d->instance->latency_family = NULL;
	scrape_free(d->scrape);
	free(d->url);
	free(d);
}

/* What is left of the time until which the reading can wait for it. */
static int64_t deadline_ms(const struct scraped *d)
{
	const struct scraper *s = d->scraper;
	int64_t left_ms = d->instance->reading_since_ms + s->end_ms -
			  moment_mono_ms(&s->options.loop->now);

	if (left_ms > s->timeout_ms)
		left_ms = s->timeout_ms;
	return left_ms > 0 ? left_ms : 1;
}

static int fetch(struct scraped *d)
{
	const struct scraper *s = d->scraper;
	const struct config *c = s->options.config;
	struct http_request request = {
		.url = d->url,
		.timeout_ms = deadline_ms(d),
		.max_bytes = (size_t)c->max_scrape_bytes,
		.keep_alive = true,
		.compressed = true,
		.headers = s->headers,
		.ca_file = *c->metrics_ca ? c->metrics_ca : NULL,
		.on_chunk = on_chunk,
		.on_done = on_done,
		.ctx = d,
	};

	return http_get(s->http, &request, &d->op);
}

enum scraped_begun scraped_begin(struct scraped *d)
{
	struct stats *s = stats_of(d);
	struct problem p;
	int r;

	scraped_give_up(d);
	d->has = 0;
	d->why[0] = '\0';
	d->began = false;
	r = make(d, &p);
	if (r == 0 && !d->url)
		return SCRAPED_NO_PAGE;
	s->scrapes++;
	if (r == 0) {
		r = fetch(d);
		if (r == 0)
			return SCRAPED_UNDER_WAY;
	}
	if (r > 0)
		fail(d, &s->scrapes_refused_url, "%s", p.text);
	else if (r == -EAGAIN)
		fail(d, &s->scrapes_refused_full, "too many other pages are being fetched");
	else
		fail(d, &s->scrapes_unanswered, "out of memory");
	return SCRAPED_ENDED;
}

bool scraped_is_under_way(const struct scraped *d)
{
	return d->op != NULL;
}

void scraped_give_up(struct scraped *d)
{
	if (!d->op)
		return;
	http_cancel(d->op);
	end(d);
}

void scraped_restart(struct scraped *d)
{
	d->look_again = true;
	if (d->op) {
		d->restarted = true;
		return;
	}
	forget_page_before(d);
	d->has = 0;
}

const char *scraped_result(const struct scraped *d, struct reading *out)
{
	out->has |= d->has;
	out->requests_per_sec = d->requests_per_sec;
	out->latency_p95_ms = d->latency_p95_ms;
	return d->why[0] ? d->why : NULL;
}

/* --- all of them --- */

int scraper_new(struct scraper **out, const struct scraper_options *options)
{
	const struct config *c = options->config;
	struct scraper *s = calloc(1, sizeof *s);
	struct http_options http = { SCRAPER_REQUESTS_MAX, options->max_connections, on_allow, s };
	struct problem p;
	int r;

	if (!s)
		return -ENOMEM;
	if (http.requests_max > options->max_connections)
		http.requests_max = options->max_connections;
	s->options = *options;
	s->end_ms = c->interval_ms / 4 * 3;
	s->timeout_ms = c->metrics_timeout_ms < s->end_ms ? c->metrics_timeout_ms : s->end_ms;
	s->wants_address = strstr(c->metrics_url_template, CONTAINER_IP) != NULL;
	snprintf(s->timeout_header, sizeof s->timeout_header,
		 "X-Prometheus-Scrape-Timeout-Seconds: %" PRId64 ".%03" PRId64,
		 s->timeout_ms / 1000, s->timeout_ms % 1000);
	s->headers[0] = SCRAPE_ACCEPT;
	s->headers[1] = s->timeout_header;
	/* That it can be had is checked with all settings. */
	r = networks_parse(&s->networks, c->metrics_networks, &p);
	if (r == 0)
		r = http_new(&s->http, options->loop, &http);
	if (r != 0) {
		scraper_free(s);
		return r > 0 ? -EINVAL : r;
	}
	*out = s;
	return 0;
}

void scraper_free(struct scraper *s)
{
	if (!s)
		return;
	http_free(s->http);
	free(s);
}
