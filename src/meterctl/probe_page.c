#include "probe_page.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "http.h"
#include "metrics_url.h"
#include "networks.h"
#include "scrape.h"
#include "scrape_format.h"

struct probe_page {
	const struct config *config;
	const char *url;
	struct stats stats;
	struct loop loop;
	struct networks networks;
	struct http *http;
	struct scrape *scrape;
	/* Of the page under way. */
	struct http_op *op;
	bool began;
	bool good;
	int fed;			/* what scrape_feed() said last */
	int64_t read_ns;
	struct reading *out;
	char *found;
};

static const char *given(const char *text)
{
	return *text != '\0' ? text : NULL;
}

static void begin(struct probe_page *p, const char *content_type)
{
	p->began = true;
	p->read_ns = loop_clock().mono_ns;
	p->fed = scrape_begin(p->scrape, scrape_is_openmetrics(content_type));
}

static void on_chunk(void *ctx, const void *data, size_t len)
{
	struct probe_page *p = ctx;

	if (!p->began)
		begin(p, http_content_type(p->op));
	if (p->fed == 0)
		p->fed = scrape_feed(p->scrape, data, len);
}

/* "http_requests_total", or why there is none of it */
static const char *family(const char *name, enum scrape_why why)
{
	return name ? name : scrape_why_text(why);
}

static void take(struct probe_page *p, const struct scrape_result *page)
{
	if (isfinite(page->requests_per_sec)) {
		p->out->has |= READING_REQUESTS;
		p->out->requests_per_sec = page->requests_per_sec;
	}
	if (isfinite(page->latency_p95_ms)) {
		p->out->has |= READING_LATENCY;
		p->out->latency_p95_ms = page->latency_p95_ms;
	}
	snprintf(p->found, PROBE_FOUND_MAX, "%llu lines, %zu series; requests: %.60s%s%.60s; "
		 "latency: %.60s%s%.60s", (unsigned long long)page->lines, page->series,
		 family(page->request_family, page->requests_why),
		 page->request_family && page->requests_why ? ", " : "",
		 page->request_family && page->requests_why ? scrape_why_text(page->requests_why) : "",
		 family(page->latency_family, page->latency_why),
		 page->latency_family && page->latency_why ? ", " : "",
		 page->latency_family && page->latency_why ? scrape_why_text(page->latency_why) : "");
}

static void on_done(void *ctx, const struct http_result *result)
{
	struct probe_page *p = ctx;
	struct scrape_result page;
	int r;

	p->op = NULL;
	loop_stop(&p->loop);
	if (result->status != 200) {
		scrape_abandon(p->scrape);
		if (result->status == 0)
			snprintf(p->found, PROBE_FOUND_MAX, "%s", result->why);
		else
			snprintf(p->found, PROBE_FOUND_MAX, "it answers with HTTP status %d",
				 result->status);
		return;
	}
	if (!p->began)	/* an empty one */
		begin(p, result->content_type);
	r = p->fed < 0 ? p->fed : scrape_end(p->scrape, p->read_ns, &page);
	p->good = r == 0;
	if (r == 0)
		take(p, &page);
	else
		snprintf(p->found, PROBE_FOUND_MAX, "%s", r > 0 ? page.error : "out of memory");
}

bool probe_page_read(struct probe_page *p, struct reading *out, char found[PROBE_FOUND_MAX])
{
	const struct config *c = p->config;
	static const char *const headers[] = { SCRAPE_ACCEPT, NULL };
	const struct http_request request = {
		.url = p->url,
		.timeout_ms = c->metrics_timeout_ms,
		.max_bytes = (size_t)c->max_scrape_bytes,
		.compressed = true,
		.headers = headers,
		.ca_file = given(c->metrics_ca),
		.on_chunk = on_chunk,
		.on_done = on_done,
		.ctx = p,
	};

	p->began = p->good = false;
	p->fed = 0;
	p->out = out;
	p->found = found;
	p->loop.stopping = false;
	if (http_get(p->http, &request, &p->op) < 0)
		snprintf(found, PROBE_FOUND_MAX, "out of memory");
	else
		loop_run(&p->loop, NULL, NULL);
	return p->good;
}

static bool on_allow(void *ctx, const struct sockaddr *address)
{
	const struct probe_page *p = ctx;

	return networks_allow(&p->networks, address);
}

static int make(struct probe_page *p)
{
	const struct config *c = p->config;
	const struct scrape_rules rules = {
		.request_counter = given(c->request_counter),
		.latency_histogram = given(c->latency_histogram),
		.quantile = c->latency_quantile,
		.max_series = (size_t)c->max_scrape_series,
	};
	const struct http_options options = { .allow = on_allow, .allow_ctx = p };
	struct problem problem;
	int r;

	/* The setting was checked. */
	networks_parse(&p->networks, c->metrics_networks, &problem);
	r = loop_init(&p->loop, &p->stats);
	if (r == 0)
		r = http_new(&p->http, &p->loop, &options);
	if (r == 0)
		r = scrape_new(&p->scrape, &rules);
	return r;
}

int probe_page_new(struct probe_page **out, const struct config *config, const char *url,
		   char why[SOURCE_ERROR_MAX])
{
	struct probe_page *p;
	struct problem problem;
	int r;

	if (metrics_url_check(url, &problem) != 0) {
		snprintf(why, SOURCE_ERROR_MAX, "%.*s", SOURCE_ERROR_MAX - 1, problem.text);
		return FAILURE_TARGET;
	}
	p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	p->config = config;
	p->url = url;
	r = make(p);
	if (r < 0) {
		probe_page_free(p);
		return r;
	}
	*out = p;
	return 0;
}

void probe_page_free(struct probe_page *p)
{
	if (!p)
		return;
	scrape_free(p->scrape);
	http_free(p->http);
	loop_deinit(&p->loop);
	free(p);
}
