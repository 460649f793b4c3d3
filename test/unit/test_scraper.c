/* Pages of one instance, one after the other: what each told, why not, and what is kept between them. */
#include "unit.h"

#include <signal.h>
#include <stdbool.h>

#include "http.h"
#include "scraper.h"
#include "canned_server.h"

#define INTERVAL 8000

static struct loop loop;
static struct stats stats;
static struct canned server;
static struct config config;
static char template[64];

/* What stands where the sampler stands. */
struct seen {
	struct instance i;	/* first: it is what the scraper hands back */
	struct scraped *scraped;
	int done;
	int looked;		/* for its address */
	const char *address;	/* NULL = it has none */
	char url[64];
};

static struct scraper *scraper;
static struct seen one;

static bool on_address(void *ctx, struct instance *i, char out[SOURCE_ADDRESS_MAX])
{
	struct seen *s = (struct seen *)i;

	assert_ptr_equal(ctx, &loop);
	s->looked++;
	if (s->address)
		strcpy(out, s->address);
	return s->address != NULL;
}

static void on_done(void *ctx, struct instance *i)
{
	assert_ptr_equal(ctx, &loop);
	((struct seen *)i)->done++;
}

static void turn(void)
{
	assert_int_equal(event_base_loop(loop.base, EVLOOP_ONCE), 0);
	loop.in_pass = false;
}

static void instance_init(struct seen *s, const char *path)
{
	*s = (struct seen){ .address = NULL };
	strcpy(s->i.id, "one");
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d%s", server.port, path);
	s->i.target.metrics_url = s->url;
	assert_int_equal(scraped_new(&s->scraped, scraper, &s->i), 0);
}

static void make_scraper(size_t max_connections)
{
	struct scraper_options options = { &config, &loop, max_connections, on_address, on_done, &loop };

	assert_int_equal(scraper_new(&scraper, &options), 0);
	instance_init(&one, "/metrics");
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	stats = (struct stats){ 0 };
	assert_int_equal(loop_init(&loop, &stats), 0);
	loop_enter(&loop);
	assert_true(canned_new_tcp(&server, &loop, "0.0.0.0"));
	snprintf(template, sizeof template, "http://{container_ip}:%d/{id}", server.port);
	config = (struct config){ .metrics_url_template = "", .metrics_networks = "127.0.0.1,127.0.0.3",
				  .metrics_timeout_ms = 20000, .metrics_ca = "", .request_counter = "",
				  .latency_histogram = "", .latency_quantile = 0.95,
				  .interval_ms = INTERVAL, .max_scrape_bytes = 4096,
				  .max_scrape_series = 4 };
	make_scraper(16);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scraped_free(one.scraped);
	assert_null(one.i.request_family);
	scraper_free(scraper);
	canned_free(&server);
	loop_deinit(&loop);
	return 0;
}

static enum scraped_begun begin(struct seen *s)
{
	enum scraped_begun begun;

	s->done = 0;
	loop.in_pass = false;
	s->i.reading_since_ms = moment_mono_ms(loop_enter(&loop));
	begun = scraped_begin(s->scraped);
	assert_int_equal(s->done, 0);	/* never from inside */
	assert_int_equal(scraped_is_under_way(s->scraped), begun == SCRAPED_UNDER_WAY);
	return begun;
}

/* What the page told: of enum reading_has. */
static unsigned result(const struct seen *s, const char **why)
{
	struct reading r = { .has = READING_CPU_TIME };

	*why = scraped_result(s->scraped, &r);
	assert_true(r.has & READING_CPU_TIME);
	if (r.has & READING_REQUESTS)
		assert_true(r.requests_per_sec >= 0);
	if (r.has & READING_LATENCY)
		assert_true(r.latency_p95_ms == 500);
	return r.has & (READING_REQUESTS | READING_LATENCY);
}

static unsigned fetch(struct seen *s, const char **why)
{
	assert_int_equal(begin(s), SCRAPED_UNDER_WAY);
	while (!s->done)
		turn();
	assert_int_equal(s->done, 1);
	assert_false(scraped_is_under_way(s->scraped));
	return result(s, why);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define COUNTER(n) "http_requests_total " #n "\n"
#define HISTOGRAM(n) \
	"http_request_duration_seconds_bucket{le=\"0.5\"} " #n "\n" \
	"http_request_duration_seconds_bucket{le=\"+Inf\"} " #n "9\n"
#define BOTH (READING_REQUESTS | READING_LATENCY)

static unsigned page(const char *answer)
{
	const char *why;
	unsigned has;

	canned_answers(&server, answer, CANNED_CLOSE);
	has = fetch(&one, &why);
	assert_null(why);
	return has;
}

/* From 1 on, a page each; all in the last bucket: latency is the bound before it. */
static unsigned next_page(void)
{
	static const char *const pages[] = {
		OK "\r\n" COUNTER(1) HISTOGRAM(1), OK "\r\n" COUNTER(2) HISTOGRAM(2),
		OK "\r\n" COUNTER(3) HISTOGRAM(3), OK "\r\n" COUNTER(4) HISTOGRAM(4),
	};
	static size_t n;

	return page(pages[n++ % COUNT_OF(pages)]);
}

static void test_pages(void **state)
{
	(void)state;
	assert_int_equal(next_page(), 0);
	assert_string_equal(one.i.request_family, "http_requests_total");
	assert_string_equal(one.i.latency_family, "http_request_duration_seconds");
	for (int n = 0; n < 3; n++)
		assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
	assert_int_equal(stats.scrapes, 4);
	assert_int_equal(stats.scrapes_failed, 0);
	assert_int_equal(one.looked, 0);
	assert_non_null(strstr(server.last, "GET /metrics HTTP/1.1\r\n"));
	assert_non_null(strstr(server.last, "X-Prometheus-Scrape-Timeout-Seconds: 6.000\r\n"));
}

static const struct bad_case {
	const char *name;
	const char *answer;
	const char *why;
	size_t counter;		/* where in struct stats */
	unsigned has;
} bad_cases[] = {
	{ "another status", "HTTP/1.1 503 Oh\r\nContent-Length: 2\r\n\r\nx\n", "metrics: the answer is 503",
	  offsetof(struct stats, scrapes_status), 0 },
	{ "moved", "HTTP/1.1 302 Oh\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "is 302",
	  offsetof(struct stats, scrapes_status), 0 },
	{ "no answer", NULL, "metrics: ", offsetof(struct stats, scrapes_unanswered), 0 },
	{ "cut short", OK "Content-Length: 100\r\n\r\n" COUNTER(7), "metrics: ",
	  offsetof(struct stats, scrapes_unanswered), 0 },
	{ "too large", OK "Content-Length: 4097\r\n\r\n", "more than 4096 bytes",
	  offsetof(struct stats, scrapes_too_large), 0 },
	{ "empty", OK "Content-Length: 0\r\n\r\n", "the page is empty", offsetof(struct stats, scrapes_malformed), 0 },
	{ "not that far", OK "\r\nhttp_requests_total 7", "metrics: ",
	  offsetof(struct stats, scrapes_malformed), 0 },
	{ "OpenMetrics without its end", OK "Content-Type: application/openmetrics-text; version=1.0.0\r\n\r\n"
	  COUNTER(7), "EOF", offsetof(struct stats, scrapes_malformed), 0 },
	{ "a bad line", OK "\r\n" COUNTER(x), "metrics: ", offsetof(struct stats, scrapes_malformed), 0 },
	{ "too many series", OK "\r\nhttp_requests_total{a=\"1\"} 1\nhttp_requests_total{a=\"2\"} 1\n"
	  "http_requests_total{a=\"3\"} 1\nhttp_requests_total{a=\"4\"} 1\nhttp_requests_total{a=\"5\"} 1\n",
	  "http_requests_total is left out: its family has too many series",
	  offsetof(struct stats, scrapes_too_many_series), 0 },
};

static void test_bad_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_cases); i++) {
		const struct bad_case *c = &bad_cases[i];
		const uint64_t *counter = (const uint64_t *)((const char *)&stats + c->counter);
		const char *why;

		print_message("# %s\n", c->name);
		stats = (struct stats){ 0 };
		canned_answers(&server, c->answer, CANNED_CLOSE);
		assert_int_equal(fetch(&one, &why), c->has);
		assert_non_null(why);
		if (!strstr(why, c->why) || !strstr(why, ", at http://127.0.0.1:"))
			fail_msg("\"%s\" is not in \"%s\"", c->why, why);
		assert_int_equal(*counter, 1);
		assert_int_equal(stats.scrapes, 1);
		assert_int_equal(stats.scrapes_failed, 1);
	}
}

/* What was not a page takes nothing from the page before. */
static void test_good_after_bad(void **state)
{
	const char *why;

	(void)state;
	next_page();
	canned_answers(&server, "HTTP/1.1 500 Oh\r\n\r\n" COUNTER(9), CANNED_CLOSE);
	fetch(&one, &why);
	canned_answers(&server, OK "Content-Length: 100\r\n\r\n" COUNTER(9), CANNED_CLOSE);
	fetch(&one, &why);
	assert_string_equal(one.i.request_family, "http_requests_total");
	assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
}

static void test_given_up(void **state)
{
	const char *why;

	(void)state;
	next_page();
	canned_answers(&server, OK "\r\n" COUNTER(9), CANNED_KEEP);	/* no end */
	assert_int_equal(begin(&one), SCRAPED_UNDER_WAY);
	while (server.requests < 2)
		turn();
	turn();
	scraped_give_up(one.scraped);
	assert_int_equal(result(&one, &why), 0);
	assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
	assert_int_equal(one.done, 1);
}

static void test_restarted(void **state)
{
	const char *why;

	(void)state;
	next_page();
	scraped_restart(one.scraped);
	assert_int_equal(next_page(), 0);
	assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
	/* Which of the two the page under way is of, nobody knows. */
	assert_int_equal(begin(&one), SCRAPED_UNDER_WAY);
	scraped_restart(one.scraped);
	while (!one.done)
		turn();
	assert_int_equal(result(&one, &why), 0);
	assert_null(why);
	assert_int_equal(next_page(), 0);
	assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
	/* It ended before that was known. */
	scraped_restart(one.scraped);
	assert_int_equal(result(&one, &why), 0);
}

static void test_target_changes(void **state)
{
	char counter[] = "jobs_total";
	const char *why;

	(void)state;
	next_page();
	one.i.target.request_counter = counter;
	one.i.target.version++;
	canned_answers(&server, OK "\r\njobs_total 3\n" COUNTER(9), CANNED_CLOSE);
	assert_int_equal(fetch(&one, &why), 0);
	assert_string_equal(one.i.request_family, "jobs_total");
	assert_int_equal(fetch(&one, &why), READING_REQUESTS);
	strcpy(strrchr(one.url, '/'), "/new");
	one.i.target.version++;
	assert_int_equal(fetch(&one, &why), 0);
	assert_non_null(strstr(server.last, "GET /new HTTP/1.1\r\n"));
}

static void test_bad_urls(void **state)
{
	static const char *const urls[] = { "ftp://127.0.0.1/", "http://a:secret@127.0.0.1/", "http://", "x" };
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		strcpy(one.url, urls[i]);
		one.i.target.version++;
		assert_int_equal(begin(&one), SCRAPED_ENDED);
		assert_int_equal(begin(&one), SCRAPED_ENDED);	/* it stays one */
		assert_int_equal(result(&one, &why), 0);
		assert_non_null(strstr(why, "metrics: "));
		assert_null(strstr(why, "secret"));
	}
	assert_int_equal(stats.scrapes_refused_url, 2 * COUNT_OF(urls));
	assert_int_equal(stats.scrapes_failed, 2 * COUNT_OF(urls));
	assert_int_equal(server.requests, 0);
}

static void test_not_allowed(void **state)
{
	const char *why;

	(void)state;
	snprintf(one.url, sizeof one.url, "http://127.0.0.2:%d/", server.port);
	assert_int_equal(fetch(&one, &why), 0);
	assert_non_null(strstr(why, "127.0.0.2 is not allowed"));
	assert_int_equal(stats.scrapes_refused_address, 1);
	assert_int_equal(server.n_clients, 0);
}

/* The address is looked up while there is none, and again when nobody was found there. */
static void test_template(void **state)
{
	const char *why;

	(void)state;
	one.i.target.metrics_url = NULL;
	assert_false(scraper_concerns(scraper, &one.i));
	config.metrics_url_template = template;
	scraped_free(one.scraped);
	scraper_free(scraper);
	make_scraper(16);
	one.i.target.metrics_url = NULL;
	assert_true(scraper_concerns(scraper, &one.i));
	assert_int_equal(begin(&one), SCRAPED_NO_PAGE);
	assert_int_equal(result(&one, &why), 0);
	assert_null(why);
	assert_int_equal(stats.scrapes, 0);
	one.address = "127.0.0.2";
	assert_int_equal(fetch(&one, &why), 0);
	assert_non_null(why);
	one.address = "127.0.0.1";
	assert_int_equal(next_page(), 0);
	assert_non_null(strstr(server.last, "GET /one HTTP/1.1\r\n"));
	assert_int_equal(one.looked, 3);
	assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
	assert_int_equal(one.looked, 3);
	/* The same address again is the same page. */
	canned_answers(&server, NULL, CANNED_CLOSE);
	fetch(&one, &why);
	assert_non_null(why);
	assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
	assert_int_equal(one.looked, 4);
	/* Another one is another page. */
	canned_answers(&server, NULL, CANNED_CLOSE);
	fetch(&one, &why);
	one.address = "127.0.0.3";
	assert_int_equal(next_page(), 0);
	assert_int_equal(next_page() & READING_REQUESTS, READING_REQUESTS);
	/* It may be elsewhere. */
	scraped_restart(one.scraped);
	one.address = NULL;
	assert_int_equal(begin(&one), SCRAPED_NO_PAGE);
	assert_int_equal(one.looked, 6);
}

/* Until when a reading may wait, whenever its page was begun. */
static void test_deadline(void **state)
{
	const char *why;

	(void)state;
	canned_answers(&server, NULL, CANNED_KEEP);
	loop.in_pass = false;
	one.i.reading_since_ms = moment_mono_ms(loop_enter(&loop)) - INTERVAL / 4 * 3 + 40;
	assert_int_equal(scraped_begin(one.scraped), SCRAPED_UNDER_WAY);
	while (!one.done)
		turn();
	assert_int_equal(result(&one, &why), 0);
	assert_non_null(strstr(why, "within 40 ms"));
	assert_int_equal(stats.scrapes_unanswered, 1);
}

static void test_too_many(void **state)
{
	struct seen another;
	const char *why;

	(void)state;
	scraped_free(one.scraped);
	scraper_free(scraper);
	make_scraper(1);
	instance_init(&another, "/another");
	canned_answers(&server, OK "\r\n" COUNTER(1), CANNED_CLOSE);
	assert_int_equal(begin(&one), SCRAPED_UNDER_WAY);
	assert_int_equal(begin(&another), SCRAPED_ENDED);
	result(&another, &why);
	assert_non_null(strstr(why, "too many"));
	assert_int_equal(stats.scrapes_refused_full, 1);
	while (!one.done)
		turn();
	assert_int_equal(fetch(&another, &why), 0);
	assert_null(why);
	assert_int_equal(begin(&another), SCRAPED_UNDER_WAY);
	scraped_free(another.scraped);	/* while it is under way */
	assert_int_equal(begin(&one), SCRAPED_UNDER_WAY);
	while (!one.done)
		turn();
	assert_int_equal(another.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_good_after_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restarted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_target_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_urls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_template, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
