/*
 * Pages of real exporters, and what they would be a while later: whole, cut at every byte and in
 * pieces by chance the results are the same, and they are those of a naive reader.
 */
#include "scrape_unit.h"

#include "naive_page.h"

#define PIECES_TRIED 20

static const struct captured {
	const char *name;
	bool openmetrics;
	const char *counter;	/* its families, NULL = none */
	const char *histogram;
	bool handlers;
	const char *own;	/* series that are left out begin so */
} captured[] = {
	{ "caddy", false, "caddy_http_requests_total", "caddy_http_request_duration_seconds", true,
	  NULL },
	{ "haproxy", false, "haproxy_frontend_http_requests_total", NULL, false,
	  "haproxy_frontend_http_requests_total{proxy=\"stats\"}" },
	{ "node-exporter", false, NULL, NULL, false, NULL },
	{ "prom-client", false, "http_requests_total", "http_request_duration_seconds", false,
	  NULL },
	{ "prom-client.openmetrics", true, "http_requests_total", "http_request_duration_seconds",
	  false, NULL },
	{ "prometheus", false, "prometheus_http_requests_total",
	  "prometheus_http_request_duration_seconds", false, NULL },
	{ "pushgateway", false, NULL, NULL, false, NULL },
	{ "victoria-metrics", false, NULL, NULL, false, NULL },
};

/* Every sample grows by chance, a bucket by as much as the one before it and more. */
static char *later(const char *text, size_t *len)
{
	size_t cap = 2 * strlen(text) + 64, n = 0;
	char *out = malloc(cap), *copy = strdup(text), *rest = copy, *line;
	uint64_t seed = 1;
	unsigned grown = 0;

	while ((line = strsep(&rest, "\n")) && rest) {
		char *value = strrchr(line, ' ');

		if (line[0] == '#' || !value || strstr(line, "NaN")) {
			n += snprintf(out + n, cap - n, "%s\n", line);
			continue;
		}
		if (!strstr(line, "_bucket"))
			grown = 0;
		grown += unit_random(&seed) % 50;
		n += snprintf(out + n, cap - n, "%.*s %.17g\n", (int)(value - line), line,
			      strtod(value, NULL) + grown);
		assert_true(n < cap);
		if (strstr(line, "+Inf"))
			grown = 0;
	}
	free(copy);
	*len = n;
	return out;
}

static char *without(const char *text, const char *own)
{
	char *out = calloc(1, strlen(text) + 1), *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) && rest) {
		if (own && strncmp(line, own, strlen(own)) == 0)
			continue;
		strcat(strcat(out, line), "\n");
	}
	free(copy);
	return out;
}

struct page {
	char *text;
	size_t len;
};

static void load(const struct captured *c, struct page pages[2])
{
	pages[0].text = page_load(c->name, &pages[0].len);
	pages[1].text = later(pages[0].text, &pages[1].len);
}

static void run(const struct captured *c, const struct page pages[2], struct page_pieces how,
		struct scrape_result out[2])
{
	struct scrape *s = unit_scrape(NULL, NULL);

	for (int i = 0; i < 2; i++) {
		if (page_feed_all(s, pages[i].text, pages[i].len, c->openmetrics, how,
				  (i + 1) * PAGE_INTERVAL_NS, &out[i]) != 0)
			fail_msg("%s: %s", c->name, out[i].error);
	}
	scrape_free(s);
}

static void check_name(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void test_captured(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(captured); i++) {
		const struct captured *c = &captured[i];
		struct naive_page *before, *now;
		struct scrape_result out[2];
		struct page pages[2];
		char *plain[2];

		load(c, pages);
		run(c, pages, (struct page_pieces){ 0 }, out);
		for (int k = 0; k < 2; k++) {
			check_name(out[k].request_family, c->counter);
			check_name(out[k].latency_family, c->histogram);
			assert_int_equal(out[k].bytes, pages[k].len);
			assert_int_equal(out[k].duplicates, 0);
			plain[k] = without(pages[k].text, c->own);
		}
		before = naive_page_read(plain[0]);
		now = naive_page_read(plain[1]);
		printf("# %s: %g requests, %g ms\n", c->name, out[1].requests_per_sec * SECONDS,
		       out[1].latency_p95_ms);
		unit_number(out[1].requests_per_sec, !c->counter ? NONE :
			    naive_increase(before, now, c->counter, c->handlers) / SECONDS);
		unit_number(out[1].latency_p95_ms, !c->histogram ? NONE :
			    naive_quantile(before, now, c->histogram, 0.95, c->handlers) * 1000);
		for (int k = 0; k < 2; k++) {
			free(pages[k].text);
			free(plain[k]);
		}
		naive_page_free(before);
		naive_page_free(now);
	}
}

/* A series that has no TYPE line, by the name that is given. */
static void test_without_types(void **state)
{
	struct scrape *s = unit_scrape("vm_http_requests_total", NULL);
	const struct captured c = { "victoria-metrics", .counter = "vm_http_requests_total" };
	struct naive_page *before, *now;
	struct scrape_result out;
	struct page pages[2];

	(void)state;
	load(&c, pages);
	assert_int_equal(unit_page(s, pages[0].text, 1, &out), 0);
	assert_int_equal(unit_page(s, pages[1].text, 2, &out), 0);
	before = naive_page_read(pages[0].text);
	now = naive_page_read(pages[1].text);
	unit_number(out.requests_per_sec, naive_increase(before, now, c.counter, false) / SECONDS);
	assert_true(out.requests_per_sec > 0);
	assert_true(out.series > 50);
	naive_page_free(before);
	naive_page_free(now);
	free(pages[0].text);
	free(pages[1].text);
	scrape_free(s);
}

static void test_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(captured); i++) {
		struct scrape_result want[2], out[2];
		struct page pages[2];

		printf("# %s\n", captured[i].name);
		load(&captured[i], pages);
		run(&captured[i], pages, (struct page_pieces){ 0 }, want);
		for (size_t k = 1; k <= PIECES_TRIED; k++) {
			/* Of exactly k bytes, then of up to 40 k by chance. */
			run(&captured[i], pages, (struct page_pieces){ .most = k }, out);
			assert_true(page_results_equal(&out[1], &want[1]));
			run(&captured[i], pages, (struct page_pieces){ 40 * k, k }, out);
			assert_true(page_results_equal(&out[1], &want[1]));
		}
		free(pages[0].text);
		free(pages[1].text);
	}
}

/*
 * In two pieces, at each byte; and not whole: what there is before each byte is refused, or a page.
 */
static void test_every_byte(void **state)
{
	static const char *const names[] = { "caddy", "prom-client.openmetrics", "prom-client" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		bool openmetrics = strstr(names[i], "openmetrics") != NULL;
		struct scrape *s = unit_scrape(NULL, NULL);
		struct scrape_result want, out;
		size_t len;
		char *text = page_load(names[i], &len);

		printf("# %s\n", names[i]);
		page_feed_all(s, text, len, openmetrics, (struct page_pieces){ 0 }, 1, &want);
		scrape_reset(s);
		for (size_t at = 0; at < len; at++) {
			int r;

			assert_int_equal(scrape_begin(s, openmetrics), 0);
			assert_int_equal(scrape_feed(s, text, at), 0);
			assert_int_equal(scrape_feed(s, text + at, len - at), 0);
			assert_int_equal(scrape_end(s, 1, &out), 0);
			assert_true(page_results_equal(&out, &want));
			scrape_reset(s);
			assert_int_equal(scrape_begin(s, openmetrics), 0);
			assert_int_equal(scrape_feed(s, text, at), 0);
			r = scrape_end(s, 1, &out);
			if (openmetrics)
				assert_int_equal(r, at + 1 < len);
			else
				assert_int_equal(r, at == 0 || text[at - 1] != '\n');
			scrape_reset(s);
		}
		free(text);
		scrape_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured),
		cmocka_unit_test(test_without_types),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
