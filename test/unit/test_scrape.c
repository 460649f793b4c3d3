/* Pages in, numbers out: lines good and bad, what is refused, and what two pages make. */
#include "unit.h"

#include "scrape_unit.h"

/* --- one line --- */

/*
 * The second line of a page, behind "x 0"; a value stands for @. counts: it is of the counter; else
 * it is passed over, or the page is refused.
 */
static const struct line_case {
	const char *line;
	bool counts;
	const char *error;	/* part of the sentence */
} line_cases[] = {
	{ "http_requests_total @", true, NULL },
	{ "http_requests_total\t@", true, NULL },
	{ "  http_requests_total \t @ \t", true, NULL },
	{ "http_requests_total{} @", true, NULL },
	{ "http_requests_total{}@", true, NULL },
	{ "http_requests_total { } @", true, NULL },
	{ "http_requests_total{a=\"b\"} @", true, NULL },
	{ "http_requests_total{a=\"b\",} @", true, NULL },
	{ "http_requests_total { a = \"b\" , c\t=\t\"d\" , } @", true, NULL },
	{ "http_requests_total{a=\"\\\\\",b=\"\\\"\",c=\"\\n\"} @", true, NULL },
	{ "http_requests_total{a=\"} 7 # {\"} @", true, NULL },
	{ "http_requests_total{a=\"\\q\"} @", true, NULL },
	{ "http_requests_total{a=\"\"} @", true, NULL },
	{ "http_requests_total{_a0=\"\xc3\xbc\"} @", true, NULL },
	{ "http_requests_total{\"a.b\"=\"c\"} @", true, NULL },
	{ "{\"http_requests_total\"} @", true, NULL },
	{ "{\"http_requests_total\",a=\"b\"} @", true, NULL },
	{ "{ \"http_requests_total\" , a = \"b\" , } @", true, NULL },
	{ "{a=\"b\",\"http_requests_total\"} @", true, NULL },
	{ "http_requests_total @ 1700000000000", true, NULL },
	{ "http_requests_total @ -1", true, NULL },
	{ "http_requests_total @e0", true, NULL },
	/* passed over, whatever they say */
	{ "# HELP http_requests_total \\ \" {", false, NULL },
	{ "#http_requests_total 5", false, NULL },
	{ "# http_requests_total 5", false, NULL },
	{ "# TYPE http_requests_totals bogus", false, NULL },
	{ "# TYPED http_requests_total bogus", false, NULL },
	{ "#TYPE http_requests_total bogus", false, NULL },
	{ "# EOF", false, NULL },
	{ "", false, NULL },
	{ " \t", false, NULL },
	{ "http_requests_totals 5", false, NULL },
	{ "http_requests_tota 5", false, NULL },
	{ "http_requests 5", false, NULL },
	{ "http_requests_created 5", false, NULL },
	{ "HTTP_requests_total 5", false, NULL },
	{ "xhttp_requests_total 5", false, NULL },
	{ "{\"http_requests_totals\"} 5", false, NULL },
	{ "vm_http_requests_total{ nonsense", false, NULL },
	{ "promhttp_metric_handler_requests_total{code=\"200\"} 5", false, NULL },
	{ "http_server_active_requests 5", false, NULL },
	/* refused */
	{ "http_requests_total", false, "line 2 has no value" },
	{ "http_requests_total{}", false, "has no value" },
	{ "http_requests_total five", false, "value that is no number" },
	{ "http_requests_total 5_0", false, "value that is no number" },
	{ "http_requests_total 1e999", false, "value that is no number" },
	{ "http_requests_total 5\r", false, "CR LF" },
	{ "http_requests_total 5 now", false, "timestamp that is no number" },
	{ "http_requests_total 5 NaN", false, "timestamp that is no number" },
	{ "http_requests_total 5 1 2", false, "goes on behind its timestamp" },
	{ "http_requests_total 5 # comment", false, "exemplar without labels" },
	{ "http_requests_total 5 # {} x", false, "exemplar without a value" },
	{ "http_requests_total 5 # {a} 1", false, "without =" },
	{ "http_requests_total 5 # {} 1 x", false, "timestamp that is no number" },
	{ "http_requests_total 5 # {} 1 2 3", false, "goes on behind its exemplar" },
	{ "http_requests_total-5", false, "byte that none has" },
	{ "http_requests_total\x01 5", false, "byte that none has" },
	{ "http_requests_total{", false, "brace that does not end" },
	{ "http_requests_total{a=\"b\" 5", false, "comma" },
	{ "http_requests_total{a=\"b\" c=\"d\"} 5", false, "comma" },
	{ "http_requests_total{a=\"b} 5", false, "without a quoted value" },
	{ "http_requests_total{a=\"b\\\"} 5", false, "without a quoted value" },
	{ "http_requests_total{a=\"b\\", false, "without a quoted value" },
	{ "http_requests_total{a=b} 5", false, "without a quoted value" },
	{ "http_requests_total{a='b'} 5", false, "without a quoted value" },
	{ "http_requests_total{a=} 5", false, "without a quoted value" },
	{ "http_requests_total{a} 5", false, "without =" },
	{ "http_requests_total{=\"b\"} 5", false, "without a name" },
	{ "http_requests_total{,} 5", false, "without a name" },
	{ "http_requests_total{a=\"b\",,} 5", false, "without a name" },
	{ "http_requests_total{0=\"b\"} 5", false, "without a name" },
	{ "http_requests_total{\xff=\"b\"} 5", false, "without a name" },
	{ "http_requests_total{a=\"1\",a=\"2\"} 5", false, "label twice" },
	{ "http_requests_total{\"x\"} 5", false, "two names" },
	{ "{\"http_requests_total\",\"x\"} 5", false, "two names" },
	{ "{\"http_requests_total} 5", false, "quote that does not end" },
	{ "{a=\"http_requests_total\"} 5", false, "no name" },
	{ "{} 5", false, "no name" },
	{ "http_requests_total{le=\"x\"} 5", false, "le that is no number" },
	{ "http_requests_total{le=\"NaN\"} 5", false, "le that is no number" },
	{ "# TYPE http_requests_total bogus", false, "TYPE that there is not" },
	{ "# TYPE http_requests_total", false, "TYPE that there is not" },
	{ "# TYPE http_requests_total counter\r", false, "CR LF" },
	{ "<html>", false, "byte that no line begins with" },
	{ "5", false, "byte that no line begins with" },
	{ "\r", false, "byte that no line begins with" },
	{ "\xef\xbb\xbfhttp_requests_total 5", false, "byte that no line begins with" },
};

static void fill_in(char *page, size_t size, const char *line, const char *value)
{
	const char *at = strchr(line, '@');

	if (at)
		snprintf(page, size, "x 0\n%.*s%s%s\n", (int)(at - line), line, value, at + 1);
	else
		snprintf(page, size, "x 0\n%s\n", line);
}

/* In the page after it is 7 more: of a series that is not the same it would be another number. */
static void check_line(const struct line_case *c)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;
	char page[512];
	int r;

	fill_in(page, sizeof page, c->line, "5");
	r = unit_page(s, page, 1, &out);
	if (c->error) {
		assert_int_equal(r, 1);
		if (!strstr(out.error, c->error))
			fail_msg("'%s' lacks '%s'", out.error, c->error);
		assert_true(isnan(out.requests_per_sec) && isnan(out.latency_p95_ms));
		scrape_free(s);
		return;
	}
	if (r != 0)
		fail_msg("refused: %s", out.error);
	assert_int_equal(out.lines, 2);
	assert_int_equal(out.requests_why, c->counts ? SCRAPE_FIRST : SCRAPE_NO_FAMILY);
	if (c->counts)
		assert_string_equal(out.request_family, "http_requests_total");
	fill_in(page, sizeof page, c->line, "12");
	assert_int_equal(unit_page(s, page, 2, &out), 0);
	unit_number(out.requests_per_sec, c->counts ? (12 - 5) / SECONDS : NONE);
	scrape_free(s);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(line_cases); i++) {
		printf("# %s\n", line_cases[i].line);
		check_line(&line_cases[i]);
	}
}

/* --- the ends of pages --- */

static const struct end_case {
	const char *name;
	bool openmetrics;	/* as the Content-Type says */
	const char *page;
	const char *error;	/* NULL = it is whole */
} end_cases[] = {
	{ "text", false, "x 1\n", NULL },
	{ "text with a comment that is no end", false, "# EOF\nx 1\n", NULL },
	{ "OpenMetrics", true, "x 1\n# EOF\n", NULL },
	{ "OpenMetrics without the last line feed", true, "x 1\n# EOF", NULL },
	{ "OpenMetrics that is not said to be one", false, "x 1\n# EOF\n", NULL },
	{ "blank lines alone", false, "\n\n", NULL },
	{ "nothing", false, "", "the page is empty" },
	{ "nothing, OpenMetrics", true, "", "the page is empty" },
	{ "within a value", false, "x 1\nhttp_requests_total 12",
	  "cut short: it ends within line 2" },
	{ "within a line that does not matter", false, "x 1\ny 1", "ends within line 2" },
	{ "within a short one", false, "x", "ends within line 1" },
	{ "within a comment", false, "x 1\n# HELP", "ends within line 2" },
	{ "within EOF", true, "x 1\n# EO", "ends within line 2" },
	{ "a blank too far", true, "x 1\n# EOF ", "ends within line 2" },
	{ "OpenMetrics without an end", true, "x 1\n", "does not end in # EOF" },
	{ "what only OpenMetrics has: an exemplar", false,
	  "http_requests_total 1 # {trace_id=\"a\"} 0.5 1.5\n", "does not end in # EOF" },
	{ "the same, with an end", false,
	  "http_requests_total 1 # {trace_id=\"a\"} 0.5 1.5\n# EOF\n", NULL },
	{ "exemplar without a timestamp, behind one", false,
	  "http_requests_total 1 1.5 # {} 0.5\n# EOF\n", NULL },
	{ "what only OpenMetrics has: a timestamp in seconds", false,
	  "http_requests_total 1 1700000000.5\n", "does not end in # EOF" },
	{ "more behind the end", true, "x 1\n# EOF\ny 1\n", "goes on behind # EOF" },
	{ "an empty line behind the end", true, "x 1\n# EOF\n\n", "goes on behind # EOF" },
};

static void test_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(end_cases); i++) {
		const struct end_case *c = &end_cases[i];
		struct scrape *s = unit_scrape(NULL, NULL);
		struct scrape_result out;
		int r;

		printf("# %s\n", c->name);
		r = page_feed_all(s, c->page, strlen(c->page), c->openmetrics,
				  (struct page_pieces){ 0 }, 1, &out);
		assert_int_equal(r, c->error ? 1 : 0);
		if (c->error && !strstr(out.error, c->error))
			fail_msg("'%s' lacks '%s'", out.error, c->error);
		if (!c->error)
			assert_string_equal(out.error, "");
		scrape_free(s);
	}
}

/* --- two pages --- */

#define H "http_request_duration_seconds_bucket"
#define TWO_BUCKETS(one, two, all) \
	H "{le=\"1\"} " #one "\n" H "{le=\"2\"} " #two "\n" H "{le=\"+Inf\"} " #all "\n"

static const struct pair_case {
	const char *name;
	const char *counter, *histogram;	/* rules */
	const char *before, *now;
	double requests, ms;	/* increase; NONE = absent */
	enum scrape_why requests_why, latency_why;
} pair_cases[] = {
	{ "a counter", NULL, NULL, "http_requests_total 5\n", "http_requests_total 12\n", 7, NONE,
	  0,
	  SCRAPE_NO_FAMILY },
	{ "idle", NULL, NULL, "http_requests_total 5\n", "http_requests_total 5\n", 0, NONE, 0,
	  SCRAPE_NO_FAMILY },
	{ "began anew", NULL, NULL, "http_requests_total 5\n", "http_requests_total 3\n", 3, NONE,
	  0,
	  SCRAPE_NO_FAMILY },
	{ "began anew, one of two", NULL, NULL,
	  "http_requests_total{a=\"1\"} 5\nhttp_requests_total{a=\"2\"} 100\n",
	  "http_requests_total{a=\"1\"} 3\nhttp_requests_total{a=\"2\"} 110\n", 13, NONE, 0,
	  SCRAPE_NO_FAMILY },
	{ "labels in another order, and an empty one", NULL, NULL,
	  "http_requests_total{a=\"1\",b=\"2\"} 5\n",
	  "http_requests_total{b=\"2\",c=\"\",a=\"1\"} 12\n", 7, NONE, 0, SCRAPE_NO_FAMILY },
	{ "the same label in two ways", NULL, NULL, "http_requests_total{a=\"\\\"\\\\q\"} 5\n",
	  "{\"http_requests_total\",\"a\"=\"\\\"\\q\"} 12\n", 7, NONE, 0, SCRAPE_NO_FAMILY },
	{ "labels that are not the same", NULL, NULL,
	  "http_requests_total{a=\"1\",b=\"2\"} 5\nhttp_requests_total{a=\"2\",b=\"1\"} 5\n"
	  "http_requests_total{ab=\"12\"} 5\nhttp_requests_total{a=\"1b2\"} 5\n",
	  "http_requests_total{a=\"1\",b=\"2\"} 6\nhttp_requests_total{a=\"2\",b=\"1\"} 6\n"
	  "http_requests_total{ab=\"12\"} 6\nhttp_requests_total{a=\"1b2\"} 6\n", 4, NONE, 0,
	  SCRAPE_NO_FAMILY },
	{ "a new series counts from 0", NULL, NULL, "http_requests_total{a=\"1\"} 5\n",
	  "http_requests_total{a=\"1\"} 6\nhttp_requests_total{a=\"2\"} 3\n", 4, NONE, 0,
	  SCRAPE_NO_FAMILY },
	{ "one that is gone adds nothing", NULL, NULL,
	  "http_requests_total{a=\"1\"} 5\nhttp_requests_total{a=\"2\"} 3\n",
	  "http_requests_total{a=\"1\"} 6\n", 1, NONE, 0, SCRAPE_NO_FAMILY },
	{ "all new: nothing to compare with", NULL, NULL, "http_requests_total{a=\"1\"} 5\n",
	  "http_requests_total{a=\"2\"} 6\n", NONE, NONE, SCRAPE_FIRST, SCRAPE_NO_FAMILY },
	{ "told twice: the first counts", NULL, NULL, "http_requests_total 5\n",
	  "http_requests_total 6\nhttp_requests_total 100\n", 1, NONE, 0, SCRAPE_NO_FAMILY },
	{ "no counter: NaN", NULL, NULL, "http_requests_total 5\n", "http_requests_total NaN\n",
	  NONE,
	  NONE, SCRAPE_BAD_VALUE, SCRAPE_NO_FAMILY },
	{ "no counter: infinite", NULL, NULL, "http_requests_total 5\n",
	  "http_requests_total +Inf\n", NONE, NONE, SCRAPE_BAD_VALUE, SCRAPE_NO_FAMILY },
	{ "no counter: negative", NULL, NULL, "http_requests_total 5\n", "http_requests_total -1\n",
	  NONE, NONE, SCRAPE_BAD_VALUE, SCRAPE_NO_FAMILY },
	{ "no counter: by its TYPE", NULL, NULL, "http_requests_total 5\n",
	  "# TYPE http_requests_total gauge\nhttp_requests_total 6\n", NONE, NONE,
	  SCRAPE_NO_FAMILY, SCRAPE_NO_FAMILY },
	{ "as OpenMetrics has it", NULL, NULL, "http_requests_total 5\n",
	  "# TYPE http_requests counter\n# UNIT http_requests requests\nhttp_requests_total 6 1.5\n"
	  "http_requests_created 1.5\n# EOF\n", 1, NONE, 0, SCRAPE_NO_FAMILY },
	{ "huge and fractions", NULL, NULL, "http_requests_total 2251799813685248\n",
	  "http_requests_total 2251799813685250.5\n", 2.5, NONE, 0, SCRAPE_NO_FAMILY },

	{ "a histogram", NULL, NULL, TWO_BUCKETS(0, 0, 0), TWO_BUCKETS(90, 100, 100), NONE, 1500,
	  SCRAPE_NO_FAMILY, 0 },
	{ "a histogram's increase", NULL, NULL, TWO_BUCKETS(1000, 1000, 1000),
	  TWO_BUCKETS(1090, 1100, 1100), NONE, 1500, SCRAPE_NO_FAMILY, 0 },
	{ "a histogram without requests", NULL, NULL, TWO_BUCKETS(5, 6, 7), TWO_BUCKETS(5, 6, 7),
	  NONE, NONE, SCRAPE_NO_FAMILY, SCRAPE_NO_REQUEST },
	{ "a histogram that began anew", NULL, NULL, TWO_BUCKETS(1000, 1000, 1000),
	  TWO_BUCKETS(90, 100, 100), NONE, 1500, SCRAPE_NO_FAMILY, 0 },
	{ "a histogram with all above the last bound", NULL, NULL, TWO_BUCKETS(0, 0, 0),
	  TWO_BUCKETS(0, 0, 9), NONE, 2000, SCRAPE_NO_FAMILY, 0 },
	{ "buckets in another order, bounds in another form", NULL, NULL, TWO_BUCKETS(0, 0, 0),
	  H "{le=\"inf\"} 100\n" H "{le=\"0.2e1\"} 100\n" H "{le=\"1.0\"} 90\n", NONE, 1500,
	  SCRAPE_NO_FAMILY, 0 },
	{ "bounds that change", NULL, NULL, TWO_BUCKETS(0, 0, 0),
	  H "{le=\"1\"} 90\n" H "{le=\"3\"} 100\n" H "{le=\"+Inf\"} 100\n", NONE, NONE,
	  SCRAPE_NO_FAMILY, SCRAPE_BOUNDS_CHANGED },
	{ "a bound more", NULL, NULL, TWO_BUCKETS(0, 0, 0),
	  TWO_BUCKETS(90, 100, 100) H "{le=\"3\"} 100\n", NONE, NONE, SCRAPE_NO_FAMILY,
	  SCRAPE_BOUNDS_CHANGED },
	{ "label sets with bounds of their own", NULL, NULL,
	  TWO_BUCKETS(0, 0, 0) H "{a=\"1\",le=\"1.5\"} 0\n" H "{a=\"1\",le=\"+Inf\"} 0\n",
	  TWO_BUCKETS(80, 90, 90) H "{a=\"1\",le=\"1.5\"} 10\n" H "{a=\"1\",le=\"+Inf\"} 10\n",
	  /* 80 up to 1, then 10 (forced to 80) up to 1.5, then 90 up to 2: all of 100 is beyond */
	  NONE, 2000, SCRAPE_NO_FAMILY, 0 },
	{ "a new label set adds nothing to a histogram", NULL, NULL, TWO_BUCKETS(0, 0, 0),
	  TWO_BUCKETS(90, 100, 100) H "{a=\"1\",le=\"1\"} 0\n" H "{a=\"1\",le=\"2\"} 0\n"
	  H "{a=\"1\",le=\"+Inf\"} 50\n", NONE, 1500, SCRAPE_NO_FAMILY, 0 },
	{ "without +Inf", NULL, NULL, TWO_BUCKETS(0, 0, 0), H "{le=\"1\"} 9\n" H "{le=\"2\"} 9\n",
	  NONE, NONE, SCRAPE_NO_FAMILY, SCRAPE_NO_INF },
	{ "+Inf alone", NULL, NULL, H "{le=\"+Inf\"} 0\n", H "{le=\"+Inf\"} 9\n", NONE, NONE,
	  SCRAPE_NO_FAMILY, SCRAPE_NO_INF },
	{ "one label set without +Inf", NULL, NULL, TWO_BUCKETS(0, 0, 0),
	  TWO_BUCKETS(9, 9, 9) H "{a=\"1\",le=\"1\"} 9\n", NONE, NONE, SCRAPE_NO_FAMILY,
	  SCRAPE_NO_INF },
	{ "buckets without le are none", NULL, NULL, H "{vmrange=\"1...2\"} 9\n",
	  H "{vmrange=\"1...2\"} 9\n", NONE, NONE, SCRAPE_NO_FAMILY, SCRAPE_NO_FAMILY },
	{ "a bucket told twice", NULL, NULL, TWO_BUCKETS(0, 0, 0),
	  TWO_BUCKETS(90, 100, 100) H "{le=\"1e0\"} 7\n", NONE, 1500, SCRAPE_NO_FAMILY, 0 },
	{ "a bound of 0 has no sign", NULL, NULL, H "{le=\"0\"} 0\n" H "{le=\"+Inf\"} 0\n",
	  H "{le=\"-0\"} 1\n" H "{le=\"+Inf\"} 1\n", NONE, 0, SCRAPE_NO_FAMILY, 0 },

	{ "given names", "my_hits", "my_time_milliseconds",
	  "http_requests_total 5\nmy_hits 5\nmy_time_milliseconds_bucket{le=\"10\"} 0\n"
	  "my_time_milliseconds_bucket{le=\"+Inf\"} 0\n",
	  "http_requests_total 9\nmy_hits 7\nmy_time_milliseconds_bucket{le=\"10\"} 9\n"
	  "my_time_milliseconds_bucket{le=\"+Inf\"} 9\n", 2, 9.5, 0, 0 },
	{ "given names with _bucket, in seconds by default", NULL, "t_bucket",
	  "t_bucket{le=\"1\"} 0\nt_bucket{le=\"+Inf\"} 0\n",
	  "t_bucket{le=\"1\"} 9\nt_bucket{le=\"+Inf\"} 9\n", NONE, 950, SCRAPE_NO_FAMILY, 0 },
	{ "a given name is believed whatever its TYPE", "hits", NULL, "hits 5\n",
	  "# TYPE hits gauge\nhits 6\n", 1, NONE, 0, SCRAPE_NO_FAMILY },
	{ "a given name that is not there", "hits", NULL, "http_requests_total 5\n",
	  "http_requests_total 6\n", NONE, NONE, SCRAPE_NO_FAMILY, SCRAPE_NO_FAMILY },
	{ "a given name with bytes of its own", "my.hits", NULL, "{\"my.hits\",a=\"1\"} 5\n",
	  "{\"my.hits\",a=\"1\"} 6\n", 1, NONE, 0, SCRAPE_NO_FAMILY },
	{ "a given name that cannot stand without quotes", "my.hits", NULL, "my.hits 5\n",
	  "my.hits 6\n", NONE, NONE, SCRAPE_NO_FAMILY, SCRAPE_NO_FAMILY },
	{ "a given name that is known: its unit", NULL, "envoy_http_downstream_rq_time",
	  "envoy_http_downstream_rq_time_bucket{le=\"10\"} 0\n"
	  "envoy_http_downstream_rq_time_bucket{le=\"+Inf\"} 0\n",
	  "envoy_http_downstream_rq_time_bucket{le=\"10\"} 9\n"
	  "envoy_http_downstream_rq_time_bucket{le=\"+Inf\"} 9\n", NONE, 9.5, SCRAPE_NO_FAMILY, 0 },
	{ "a given name that is known: what is left out", "haproxy_frontend_http_requests_total",
	  NULL,
	  "haproxy_frontend_http_requests_total{proxy=\"web\"} 5\n"
	  "haproxy_frontend_http_requests_total{proxy=\"stats\"} 5\n",
	  "haproxy_frontend_http_requests_total{proxy=\"web\"} 6\n"
	  "haproxy_frontend_http_requests_total{proxy=\"stats\"} 9\n", 1, NONE, 0,
	  SCRAPE_NO_FAMILY },
	{ "a given name that is known: Caddy's handlers", NULL,
	  "caddy_http_request_duration_seconds",
	  "caddy_http_request_duration_seconds_bucket{handler=\"a\",le=\"1\"} 0\n"
	  "caddy_http_request_duration_seconds_bucket{handler=\"a\",le=\"+Inf\"} 0\n"
	  "caddy_http_request_duration_seconds_bucket{handler=\"b\",le=\"1\"} 0\n"
	  "caddy_http_request_duration_seconds_bucket{handler=\"b\",le=\"+Inf\"} 0\n",
	  "caddy_http_request_duration_seconds_bucket{handler=\"a\",le=\"1\"} 100\n"
	  "caddy_http_request_duration_seconds_bucket{handler=\"a\",le=\"+Inf\"} 100\n"
	  "caddy_http_request_duration_seconds_bucket{handler=\"b\",le=\"1\"} 0\n"
	  "caddy_http_request_duration_seconds_bucket{handler=\"b\",le=\"+Inf\"} 99\n", NONE, 950,
	  SCRAPE_NO_FAMILY, 0 },
	{ "an infinite quantile", NULL, "t_seconds", "t_seconds{quantile=\"0.95\"} 1\n",
	  "t_seconds{quantile=\"0.95\"} +Inf\n", NONE, NONE, SCRAPE_NO_FAMILY, SCRAPE_BAD_VALUE },
	{ "a summary that is given", NULL, "t_seconds", "t_seconds{quantile=\"0.95\"} 1\n",
	  "# TYPE t_seconds summary\nt_seconds{quantile=\"0.5\"} 9\n"
	  "t_seconds{quantile=\"0.950\"} 2\n"
	  "t_seconds_sum 9\nt_seconds_count 9\n", NONE, 2000, SCRAPE_NO_FAMILY, 0 },
};

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(pair_cases); i++) {
		const struct pair_case *c = &pair_cases[i];
		struct scrape *s = unit_scrape(c->counter, c->histogram);
		struct scrape_result out;

		printf("# %s\n", c->name);
		assert_int_equal(unit_page(s, c->before, 1, &out), 0);
		assert_true(isnan(out.requests_per_sec));
		assert_int_equal(unit_page(s, c->now, 2, &out), 0);
		unit_number(out.requests_per_sec,
			     c->requests == NONE ? NONE : c->requests / SECONDS);
		unit_number(out.latency_p95_ms, c->ms);
		assert_int_equal(out.requests_why, c->requests_why);
		assert_int_equal(out.latency_why, c->latency_why);
		scrape_free(s);
	}
}

/* Of what is told twice, one behind the other or not, the first counts; it is told how many. */
static void test_duplicates(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(unit_page(s, "http_requests_total 5\nhttp_requests_total 5\n"
				   TWO_BUCKETS(0, 0, 0) H "{le=\"+Inf\"} 7\n", 1, &out), 0);
	assert_int_equal(out.duplicates, 2);
	assert_int_equal(out.series, 6);
	assert_int_equal(unit_page(s, "http_requests_total 6\n" TWO_BUCKETS(90, 100, 100), 2,
				   &out), 0);
	assert_int_equal(out.duplicates, 0);
	unit_number(out.requests_per_sec, 1 / SECONDS);
	unit_number(out.latency_p95_ms, 1500);
	scrape_free(s);
}

/*
 * In OpenMetrics a counter x has samples x_total, also one whose text form has no _total; in text
 * not.
 */
static void test_openmetrics_counters(void **state)
{
	static const struct {
		const char *given, *line, *family;
		bool openmetrics, found;
	} cases[] = {
		{ NULL, "nginx_ingress_controller_requests_total",
		  "nginx_ingress_controller_requests",
		  true, true },
		{ NULL, "nginx_ingress_controller_requests_total", NULL, false, false },
		{ "hits", "hits_total", "hits", true, true },
		{ "hits", "hits_total", NULL, false, false },
		{ "hits", "hits", "hits", true, true },
		{ "hits_total", "hits_total", "hits_total", true, true },
		{ "hits_total", "hits_total_total", NULL, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct scrape *s = unit_scrape(cases[i].given, NULL);
		struct scrape_result out;

		for (int page = 1; page < 3; page++) {
			char text[128];

			snprintf(text, sizeof text, "%s %d\n# EOF\n", cases[i].line, page);
			assert_int_equal(page_feed_all(s, text, strlen(text), cases[i].openmetrics,
						       (struct page_pieces){ 0 },
						       page * PAGE_INTERVAL_NS, &out), 0);
		}
		unit_number(out.requests_per_sec, cases[i].found ? 1 / SECONDS : NONE);
		if (cases[i].found)
			assert_string_equal(out.request_family, cases[i].family);
		scrape_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_openmetrics_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
