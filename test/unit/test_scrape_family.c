/* Which family a page is read by, and those whose label sets are not all summed. */
#include "scrape_unit.h"

/* What two pages make: the families, how much requests grew, the latency. */
struct family_case {
	const char *name;
	const char *before, *now;
	const char *requests, *latency;	/* families, NULL = none */
	double increase, ms;
};

#define BUCKETS(name, labels, one, all) \
	name "_bucket{" labels "le=\"1\"} " #one "\n" \
	name "_bucket{" labels "le=\"+Inf\"} " #all "\n"

static void check_case(const struct family_case *c)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	printf("# %s\n", c->name);
	assert_int_equal(unit_page(s, c->before, 1, &out), 0);
	assert_int_equal(unit_page(s, c->now, 2, &out), 0);
	if (c->requests)
		assert_string_equal(out.request_family, c->requests);
	else
		assert_null(out.request_family);
	if (c->latency)
		assert_string_equal(out.latency_family, c->latency);
	else
		assert_null(out.latency_family);
	unit_number(out.requests_per_sec, c->increase == NONE ? NONE : c->increase / SECONDS);
	unit_number(out.latency_p95_ms, c->ms);
	scrape_free(s);
}

/* --- the table, each alone and against all behind it --- */

static const char *const counters[] = {
	"http_requests_total", "http_server_request_duration_seconds_count",
	"http_server_duration_milliseconds_count", "http_server_requests_seconds_count",
	"django_http_requests_before_middlewares_total", "flask_http_request_total",
	"http_requests_received_total", "envoy_http_downstream_rq_total", "istio_requests_total",
	"traefik_entrypoint_requests_total", "nginx_ingress_controller_requests",
	"nginx_http_requests_total", "caddy_http_requests_total",
	"haproxy_frontend_http_requests_total", "prometheus_http_requests_total",
	"grpc_server_handled_total",
};

static const struct {
	const char *name;
	double ms;	/* of a request that took 1 of its unit */
} histograms[] = {
	{ "http_request_duration_highr_seconds", 1000 },
	{ "http_request_duration_seconds", 1000 },
	{ "http_server_request_duration_seconds", 1000 },
	{ "http_server_duration_milliseconds", 1 },
	{ "http_server_requests_seconds", 1000 },
	{ "django_http_requests_latency_including_middlewares_seconds", 1000 },
	{ "flask_http_request_duration_seconds", 1000 },
	{ "envoy_http_downstream_rq_time", 1 },
	{ "istio_request_duration_milliseconds", 1 },
	{ "traefik_entrypoint_request_duration_seconds", 1000 },
	{ "nginx_ingress_controller_request_duration_seconds", 1000 },
	{ "caddy_http_request_duration_seconds", 1000 },
	{ "prometheus_http_request_duration_seconds", 1000 },
	{ "grpc_server_handling_seconds", 1000 },
};

/*
 * All from first on, the best one in the middle of the others; the best one grows by 7, others by
 * 1000.
 */
static void table_page(char *page, size_t size, size_t first, bool now)
{
	size_t n = COUNT_OF(counters), at = 0;

	for (size_t k = 0; k < n - first; k++) {
		size_t i = first + (k + (n - first) / 2) % (n - first);

		at += snprintf(page + at, size - at, "%s %d\n", counters[i],
			       !now ? 5 : i == first ? 12 : 1005);
	}
	n = COUNT_OF(histograms);
	for (size_t k = 0; first < n && k < n - first; k++) {
		size_t i = first + (k + (n - first) / 2) % (n - first);

		at += snprintf(page + at, size - at,
			"%s_bucket{le=\"1\"} %d\n%s_bucket{le=\"+Inf\"} %d\n",
			       histograms[i].name, now ? 100 : 0, histograms[i].name,
			       !now ? 0 : i == first ? 100 : 1000);
	}
}

static void test_table(void **state)
{
	char before[8192], now[8192];

	(void)state;
	for (size_t first = 0; first < COUNT_OF(counters); first++) {
		bool has_latency = first < COUNT_OF(histograms);
		struct family_case c = {
			.name = counters[first], .before = before, .now = now,
			.requests = counters[first], .increase = 7,
			.latency = has_latency ? histograms[first].name : NULL,
			.ms = has_latency ? 0.95 * histograms[first].ms : NONE,
		};

		table_page(before, sizeof before, first, false);
		table_page(now, sizeof now, first, true);
		check_case(&c);
	}
}

/* --- what stays chosen --- */

static void test_stays(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(unit_page(s, "grpc_server_handled_total 5\n", 1, &out), 0);
	/* A better one shows up, before it and behind. */
	assert_int_equal(unit_page(s, "http_requests_total 1\ngrpc_server_handled_total 6\n"
				   "caddy_http_requests_total 1\n", 2, &out), 0);
	assert_string_equal(out.request_family, "grpc_server_handled_total");
	unit_number(out.requests_per_sec, 1 / SECONDS);
	/* It goes: the best of the others, which is the first page with it. */
	assert_int_equal(unit_page(s, "caddy_http_requests_total 2\nhttp_requests_total 9\n", 3,
				   &out), 0);
	assert_string_equal(out.request_family, "http_requests_total");
	assert_int_equal(out.requests_why, SCRAPE_FIRST);
	/* It comes back, and that one stays. */
	assert_int_equal(unit_page(s, "http_requests_total 10\ngrpc_server_handled_total 7\n", 4,
				   &out), 0);
	assert_string_equal(out.request_family, "http_requests_total");
	unit_number(out.requests_per_sec, 1 / SECONDS);
	/* None: forgotten. */
	assert_int_equal(unit_page(s, "x 1\n", 5, &out), 0);
	assert_null(out.request_family);
	assert_int_equal(unit_page(s, "http_requests_total 11\n", 6, &out), 0);
	assert_int_equal(out.requests_why, SCRAPE_FIRST);
	scrape_free(s);
}

/* --- TYPE --- */

static const struct family_case type_cases[] = {
	{ "a TYPE that fits", "# TYPE http_requests_total counter\nhttp_requests_total 5\n",
	  "# TYPE http_requests_total counter\nhttp_requests_total 6\n", "http_requests_total",
	  NULL, 1,
	  NONE },
	{ "one that is quoted", "# TYPE \"http_requests_total\" gauge\nhttp_requests_total 5\n",
	  "# TYPE \"http_requests_total\" gauge\nhttp_requests_total 6\n", NULL, NULL, NONE, NONE },
	{ "untyped", "# TYPE http_requests_total untyped\nhttp_requests_total 5\n",
	  "#\tTYPE  http_requests_total \tuntyped \nhttp_requests_total 6\n", "http_requests_total",
	  NULL, 1, NONE },
	{ "of another name", "# TYPE http_requests gauge\nhttp_requests_total 5\n",
	  "# TYPE http_requests gauge\nhttp_requests_total 6\n", "http_requests_total", NULL, 1,
	  NONE },
	{ "a gauge is passed over for the next",
	  "# TYPE http_requests_total gauge\nhttp_requests_total 5\nnginx_http_requests_total 1\n",
	  "# TYPE http_requests_total gauge\nhttp_requests_total 6\nnginx_http_requests_total 3\n",
	  "nginx_http_requests_total", NULL, 2, NONE },
	{ "a gauge histogram is none",
	  "# TYPE http_request_duration_seconds gaugehistogram\n"
	  BUCKETS("http_request_duration_seconds", "", 0, 0),
	  "# TYPE http_request_duration_seconds gaugehistogram\n"
	  BUCKETS("http_request_duration_seconds", "", 9, 9), NULL, NULL, NONE, NONE },
	{ "a summary is no histogram",
	  "# TYPE http_request_duration_seconds summary\n"
	  "http_request_duration_seconds{quantile=\"0.95\"} 1\n",
	  "# TYPE http_request_duration_seconds summary\n"
	  "http_request_duration_seconds{quantile=\"0.95\"} 1\n", NULL, NULL, NONE, NONE },
	{ "scrapes are no requests",
	  "promhttp_metric_handler_requests_total{code=\"200\"} 5\nhttp_server_active_requests 5\n",
	  "promhttp_metric_handler_requests_total{code=\"200\"} 6\nhttp_server_active_requests 6\n",
	  NULL, NULL, NONE, NONE },
};

static void test_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(type_cases); i++)
		check_case(&type_cases[i]);
}

/* --- exceptions --- */

#define CADDY(server, handler, code, n) \
	"caddy_http_requests_total{server=\"" server "\",handler=\"" handler "\"," \
	"code=\"" code "\"} " #n "\n"
#define CADDY_TIME(server, handler, one, all) \
	BUCKETS("caddy_http_request_duration_seconds", \
		"handler=\"" handler "\",server=\"" server "\",", one, all)
#define HAPROXY(proxy, n) "haproxy_frontend_http_requests_total{proxy=\"" proxy "\"} " #n "\n"
#define ISTIO(reporter, n) "istio_requests_total{reporter=\"" reporter "\",a=\"b\"} " #n "\n"
#define ISTIO_TIME(reporter, one, all) \
	BUCKETS("istio_request_duration_milliseconds", "reporter=\"" reporter "\",", one, all)
#define QUANTILE(uri, q, v) \
	"http_server_requests_seconds{uri=\"" uri "\",quantile=\"" q "\"} " #v "\n"

static const struct family_case exception_cases[] = {
	/* The one with the largest increase, not the largest value. */
	{ "Caddy: the largest handler of each server",
	  CADDY("a", "subroute", "200", 10) CADDY("b", "subroute", "200", 10)
	  CADDY("a", "file", "200", 1000) CADDY("b", "proxy", "200", 0),
	  CADDY("a", "subroute", "200", 30) CADDY("b", "subroute", "200", 17)
	  CADDY("a", "file", "200", 1015) CADDY("b", "proxy", "200", 7),
	  "caddy_http_requests_total", NULL, 20 + 7, NONE },
	{ "Caddy: codes of a handler are summed",
	  CADDY("a", "subroute", "200", 0) CADDY("a", "subroute", "404", 0)
	  CADDY("a", "file", "200", 0),
	  CADDY("a", "subroute", "200", 4) CADDY("a", "subroute", "404", 3)
	  CADDY("a", "file", "200", 6),
	  "caddy_http_requests_total", NULL, 7, NONE },
	{ "Caddy: a new handler counts from 0",
	  CADDY("a", "subroute", "200", 10) CADDY("a", "file", "200", 10),
	  CADDY("a", "subroute", "200", 12) CADDY("a", "file", "200", 12)
	  CADDY("a", "proxy", "200", 3),
	  "caddy_http_requests_total", NULL, 3, NONE },
	/* The file server answered half of the 100, and none of these within 1 s. */
	{ "Caddy: the histogram of the largest handler",
	  CADDY_TIME("a", "subroute", 0, 0) CADDY_TIME("a", "file", 0, 0),
	  CADDY_TIME("a", "subroute", 100, 100) CADDY_TIME("a", "file", 0, 50), NULL,
	  "caddy_http_request_duration_seconds", NONE, 950 },
	{ "Caddy: of two that are equal the slower one, which is outside",
	  CADDY_TIME("a", "file", 0, 0) CADDY_TIME("a", "subroute", 0, 0),
	  CADDY_TIME("a", "file", 100, 100) CADDY_TIME("a", "subroute", 0, 100), NULL,
	  "caddy_http_request_duration_seconds", NONE, 1000 },
	{ "Caddy: two servers add up",
	  CADDY_TIME("a", "file", 0, 0) CADDY_TIME("b", "file", 0, 0)
	  CADDY_TIME("a", "x", 0, 0),
	  CADDY_TIME("a", "file", 190, 190) CADDY_TIME("b", "file", 0, 10)
	  CADDY_TIME("a", "x", 0, 20), NULL, "caddy_http_request_duration_seconds", NONE, 1000 },
	{ "HAProxy: not its own proxies",
	  HAPROXY("web", 5) HAPROXY("stats", 5) HAPROXY("metrics", 5) HAPROXY("prometheus", 5),
	  HAPROXY("stats", 105) HAPROXY("web", 6) HAPROXY("metrics", 105)
	  HAPROXY("prometheus", 105), "haproxy_frontend_http_requests_total", NULL, 1, NONE },
	{ "HAProxy: nothing but its own", HAPROXY("stats", 5), HAPROXY("stats", 6), NULL, NULL,
	  NONE,
	  NONE },
	{ "the label proxy of another family", "http_requests_total{proxy=\"stats\"} 5\n",
	  "http_requests_total{proxy=\"stats\"} 6\n", "http_requests_total", NULL, 1, NONE },
	{ "Istio: the destination, if there is one",
	  ISTIO("source", 5) ISTIO("destination", 5) ISTIO("source", 5),
	  ISTIO("source", 105) ISTIO("destination", 6) ISTIO("source", 105), "istio_requests_total",
	  NULL, 1, NONE },
	{ "Istio: else the source", ISTIO("source", 5), ISTIO("source", 7), "istio_requests_total",
	  NULL, 2, NONE },
	{ "Istio: the histogram of the destination, in ms",
	  ISTIO_TIME("source", 0, 0) ISTIO_TIME("destination", 0, 0),
	  ISTIO_TIME("source", 0, 1000) ISTIO_TIME("destination", 100, 100), NULL,
	  "istio_request_duration_milliseconds", NONE, 0.95 },
	{ "Traefik: entry points only",
	  "traefik_service_requests_total 5\n"
	  "traefik_entrypoint_requests_total{entrypoint=\"web\"} 5\n"
	  "traefik_router_requests_total 5\n",
	  "traefik_service_requests_total 6\n"
	  "traefik_entrypoint_requests_total{entrypoint=\"web\"} 7\n"
	  "traefik_router_requests_total 6\n", "traefik_entrypoint_requests_total", NULL, 2, NONE },
	{ "Traefik: a service alone is nothing", "traefik_service_requests_total 5\n",
	  "traefik_service_requests_total 6\n", NULL, NULL, NONE, NONE },
	{ "Micrometer: the greatest of its quantiles", "x 1\n",
	  QUANTILE("/a", "0.5", 9) QUANTILE("/a", "0.95", 0.2) QUANTILE("/b", "0.95", 0.3)
	  QUANTILE("/c", "0.95", NaN) QUANTILE("/d", "0.95", 0.1) QUANTILE("/a", "0.99", 9), NULL,
	  "http_server_requests_seconds", NONE, 300 },
	{ "Micrometer: none that measured anything", "x 1\n",
	  QUANTILE("/a", "0.95", 0) QUANTILE("/b", "0.95", NaN), NULL,
	  "http_server_requests_seconds",
	  NONE, NONE },
	{ "Micrometer: not the one", "x 1\n", QUANTILE("/a", "0.5", 1), NULL, NULL, NONE, NONE },
	{ "Micrometer: buckets are better",
	  QUANTILE("/a", "0.95", 9) BUCKETS("http_server_requests_seconds", "", 0, 0)
	  QUANTILE("/b", "0.95", 9),
	  QUANTILE("/a", "0.95", 9) BUCKETS("http_server_requests_seconds", "", 100, 100)
	  QUANTILE("/b", "0.95", 9), NULL, "http_server_requests_seconds", NONE, 950 },
	{ "Micrometer: requests are counted by its histogram",
	  "http_server_requests_seconds_count 5\nhttp_server_requests_seconds_sum 5\n",
	  "http_server_requests_seconds_count 6\nhttp_server_requests_seconds_sum 5\n",
	  "http_server_requests_seconds_count", NULL, 1, NONE },
};

static void test_exceptions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(exception_cases); i++)
		check_case(&exception_cases[i]);
}

/* Who reports is part of what is compared: the source's values are not the destination's. */
static void test_destination_shows_up(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(unit_page(s, ISTIO("source", 5), 1, &out), 0);
	assert_int_equal(unit_page(s, ISTIO("source", 6) ISTIO("destination", 100), 2, &out), 0);
	assert_int_equal(out.requests_why, SCRAPE_FIRST);
	assert_int_equal(unit_page(s, ISTIO("source", 6) ISTIO("destination", 103), 3, &out), 0);
	unit_number(out.requests_per_sec, 3 / SECONDS);
	scrape_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_destination_shows_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
