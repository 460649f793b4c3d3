/*
 * What reading a page of metrics costs: the captured ones of test/data/exposition and two made ones
 * of 60 KB, in pieces as they come from a socket, beside a plain walk over the lines of the same
 * bytes with memchr(), which does nothing with them. And the bytes that are kept from page to page.
 *
 *   bench_scrape [--quick]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "page_feed.h"

#define BYTES_READ (64u << 20)	/* of each page, read again and again */
#define QUICK 64		/* times fewer */
#define BATCH 4		/* pages timed together */
#define PIECE 16384		/* what libcurl hands on at once */
#define MADE_BYTES 60000
#define STATE_SERIES 2000

struct page {
	const char *name;
	char *text;
	size_t len;
};

static size_t bytes_read = BYTES_READ;

static struct scrape *new_scrape(void)
{
	struct scrape_rules rules = { 0 };
	struct scrape *s;

	if (scrape_new(&s, &rules) < 0)
		abort();
	return s;
}

static void read_page(struct scrape *s, const struct page *p, int64_t now_ns,
		      struct scrape_result *out)
{
	bool openmetrics = strstr(p->name, "openmetrics") != NULL;

	if (scrape_begin(s, openmetrics) < 0)
		abort();
	for (size_t at = 0; at < p->len; at += PIECE) {
		size_t left = p->len - at;

		if (scrape_feed(s, p->text + at, left < PIECE ? left : PIECE) != 0)
			abort();
	}
	if (scrape_end(s, now_ns, out) != 0)
		abort();
}

/* --- the two, timed in turns --- */

static double scan_ns(const struct page *p, int times)
{
	int64_t start = measure_now_ns();
	size_t lines = 0;

	for (int i = 0; i < times; i++) {
		const char *at = p->text, *end = p->text + p->len;

		while (at < end) {
			const char *feed = memchr(at, '\n', (size_t)(end - at));

			at = feed ? feed + 1 : end;
			lines++;
		}
		/* So that the compiler cannot know that it is the same each time. */
		__asm__ volatile("" : : "r"(lines) : "memory");
	}
	return (double)(measure_now_ns() - start) / times;
}

static double scrape_ns(struct scrape *s, const struct page *p, int times,
			struct scrape_result *out)
{
	int64_t start = measure_now_ns();

	for (int i = 0; i < times; i++)
		read_page(s, p, start + i, out);
	return (double)(measure_now_ns() - start) / times;
}

static void report(const struct page *p)
{
	size_t batches = bytes_read / BATCH / p->len + 1, empty;
	struct scrape *s = new_scrape();
	struct times scans = { 0 }, reads = { 0 };
	struct scrape_result out;
	double scan, read;

	empty = scrape_memory(s);
	for (size_t i = 0; i < batches; i++) {
		times_add(&scans, scan_ns(p, BATCH));
		times_add(&reads, scrape_ns(s, p, BATCH, &out));
	}
	/* Others use the machine too: what is not held up by them. */
	scan = times_quantile(&scans, 0.1);
	read = times_quantile(&reads, 0.1);
	printf("%-24s %7zu %6llu %6zu %9.0f %9.0f %7.1f %8.1f %8.1f %7zu\n", p->name, p->len,
	       (unsigned long long)out.lines, out.series, 1e3 * (double)p->len / scan,
	       1e3 * (double)p->len / read, read / scan, read / 1e3,
	       times_quantile(&reads, 0.5) / 1e3, scrape_memory(s) - empty);
	times_clear(&scans);
	times_clear(&reads);
	scrape_free(s);
}

/* --- pages that are made --- */

/* A histogram and a counter of many routes, and before them as many lines of others as fit. */
static struct page make_page(const char *name, int routes, size_t bytes)
{
	static const char *const bounds[] = {
		"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
		"0.5", "1", "2.5", "5", "10", "+Inf",
	};
	struct page p = { .name = name, .text = malloc(bytes + (size_t)routes * 2000) };
	size_t own = (size_t)routes * (12 * 91 + 70);

	if (!p.text)
		abort();
	for (int i = 0; p.len + own < bytes; i++)
		p.len += (size_t)sprintf(p.text + p.len,
					 "app_cache_entries{region=\"r%d\",kind=\"users\"} %d\n", i,
					 1000 + i);
	for (int r = 0; r < routes; r++) {
		for (int b = 0; b < 12; b++)
			p.len += (size_t)sprintf(p.text + p.len,
				"http_request_duration_seconds_bucket{method=\"GET\","
				"route=\"/r/%d\",code=\"200\",le=\"%s\"} %d\n", r, bounds[b],
				1000 * (b + 1));
	}
	for (int r = 0; r < routes; r++)
		p.len += (size_t)sprintf(p.text + p.len,
			"http_requests_total{method=\"GET\",route=\"/r/%d\",code=\"200\"} %d\n", r,
			12000);
	return p;
}

static void report_made(const char *name, int routes)
{
	struct page p = make_page(name, routes, MADE_BYTES);

	report(&p);
	free(p.text);
}

/* --- what is kept --- */

static void report_state(void)
{
	struct page p = { .name = "state", .text = malloc(STATE_SERIES * 100) };
	struct scrape_result out;
	struct scrape *s = new_scrape();
	size_t empty = scrape_memory(s), counters;

	if (!p.text)
		abort();
	for (int i = 0; i < STATE_SERIES; i++)
		p.len += (size_t)sprintf(p.text + p.len, "http_requests_total{i=\"%d\"} 1\n", i);
	read_page(s, &p, 1, &out);
	counters = scrape_memory(s) - empty;
	free(p.text);
	p = make_page("state", STATE_SERIES / 12, 0);
	scrape_reset(s);
	read_page(s, &p, 1, &out);
	printf("\nkept: %zu bytes an instance, %.1f a series of a counter, %.1f a bucket of 12\n",
		empty,
	       (double)counters / STATE_SERIES,
	       ((double)(scrape_memory(s) - empty) - 32.0 * (STATE_SERIES / 12)) /
	       (STATE_SERIES / 12 * 12));
	free(p.text);
	scrape_free(s);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "caddy", "haproxy", "node-exporter", "prom-client",
					     "prom-client.openmetrics", "prometheus", "pushgateway",
					     "victoria-metrics" };

	if (argc > 1 && strcmp(argv[1], "--quick") == 0)
		bytes_read /= QUICK;
	printf("%-24s %7s %6s %6s %9s %9s %7s %8s %8s %7s\n", "page", "bytes", "lines",
	       "series", "walk MB/s", "read MB/s", "times", "us", "median", "kept");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct page p = { .name = names[i] };

		p.text = page_load(names[i], &p.len);
		report(&p);
		free(p.text);
	}
	report_made("60 KB, 10 routes", 10);
	report_made("60 KB, 51 routes", 51);
	report_state();
	return 0;
}
