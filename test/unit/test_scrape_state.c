/* What is kept from page to page, and what is not; bounds; memory. */
#include <errno.h>

#include "scrape_unit.h"

#define H "http_request_duration_seconds_bucket"

static void test_rules(void **state)
{
	static const struct {
		struct scrape_rules rules;
		int want;
	} cases[] = {
		{ { 0 }, 0 },
		{ { .quantile = 1 }, 0 },
		{ { .quantile = 1.01 }, -EINVAL },
		{ { .quantile = -0.5 }, -EINVAL },
		{ { .quantile = NAN }, -EINVAL },
		{ { .request_counter = "" }, -EINVAL },
		{ { .latency_histogram = "" }, -EINVAL },
		{ { .max_series = SCRAPE_SERIES_MAX }, 0 },
		{ { .max_series = SCRAPE_SERIES_MAX + 1 }, -EINVAL },
	};
	char name[SCRAPE_NAME_MAX + 2];
	struct scrape *s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(scrape_new(&s, &cases[i].rules), cases[i].want);
		if (cases[i].want == 0)
			scrape_free(s);
	}
	memset(name, 'x', sizeof name);
	name[SCRAPE_NAME_MAX + 1] = '\0';
	assert_int_equal(scrape_new(&s, &(struct scrape_rules){ .request_counter = name }),
		-EINVAL);
	name[SCRAPE_NAME_MAX] = '\0';
	assert_int_equal(scrape_new(&s, &(struct scrape_rules){ .request_counter = name }), 0);
	scrape_free(s);
	scrape_free(NULL);
}

/* A given quantile is the one of the result. */
static void test_quantile(void **state)
{
	struct scrape_rules rules = { .quantile = 0.5 };
	struct scrape_result out;
	struct scrape *s;

	(void)state;
	assert_int_equal(scrape_new(&s, &rules), 0);
	assert_int_equal(unit_page(s, H "{le=\"1\"} 0\n" H "{le=\"+Inf\"} 0\n", 1, &out), 0);
	assert_int_equal(unit_page(s, H "{le=\"1\"} 9\n" H "{le=\"+Inf\"} 9\n", 2, &out), 0);
	unit_number(out.latency_p95_ms, 500);
	scrape_free(s);
}

/* Nothing is fed to a page that did not begin. */
static void test_without_a_page(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(scrape_feed(s, "x", 1), -EINVAL);
	assert_int_equal(scrape_end(s, 1, &out), -EINVAL);
	scrape_abandon(s);
	scrape_reset(s);
	scrape_free(s);
}

/* Whatever happens to a page in between, the next good one is compared with the last good one. */
static void test_pages_that_do_not_count(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(unit_page(s, "http_requests_total 5\n", 1, &out), 0);
	/* refused */
	assert_int_equal(unit_page(s, "http_requests_total 100\nhttp_requests_total{ 5\n", 2, &out),
		1);
	assert_string_equal(out.error, "line 2 has a label without a name");
	/* cut short */
	assert_int_equal(unit_page(s, "http_requests_total 7\nhttp_", 3, &out), 1);
	/* abandoned */
	assert_int_equal(scrape_begin(s, false), 0);
	assert_int_equal(scrape_feed(s, "http_requests_total 100\n", 24), 0);
	scrape_abandon(s);
	/* begun again */
	assert_int_equal(scrape_begin(s, false), 0);
	assert_int_equal(scrape_feed(s, "http_requests_total 100\n", 24), 0);
	assert_int_equal(unit_page(s, "http_requests_total 45\n", 5, &out), 0);
	unit_number(out.requests_per_sec, 40 / (4 * SECONDS));
	scrape_free(s);
}

/* Once refused it stays refused, and a line that is good does not help. */
static void test_refused_stays(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(scrape_begin(s, false), 0);
	assert_int_equal(scrape_feed(s, "http_requests_total x\n", 22), 1);
	assert_int_equal(scrape_feed(s, "http_requests_total 1\n", 22), 1);
	assert_int_equal(scrape_end(s, 1, &out), 1);
	assert_string_equal(out.error, "line 1 has a value that is no number");
	assert_int_equal(out.bytes, 44);
	scrape_free(s);
}

static void test_reset(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;
	size_t empty = scrape_memory(s);

	(void)state;
	assert_int_equal(unit_page(s, "http_requests_total 5\n", 1, &out), 0);
	assert_true(scrape_memory(s) > empty);
	scrape_reset(s);
	assert_int_equal(scrape_memory(s), empty);
	assert_int_equal(unit_page(s, "http_requests_total 9\n", 2, &out), 0);
	assert_int_equal(out.requests_why, SCRAPE_FIRST);
	scrape_free(s);
}

static void test_no_time(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(unit_page(s, "http_requests_total 5\n", 2, &out), 0);
	assert_int_equal(unit_page(s, "http_requests_total 6\n", 2, &out), 0);
	assert_int_equal(out.requests_why, SCRAPE_NO_TIME);
	assert_int_equal(unit_page(s, "http_requests_total 7\n", 1, &out), 0);
	assert_int_equal(out.requests_why, SCRAPE_NO_TIME);
	assert_true(isnan(out.requests_per_sec));
	scrape_free(s);
}

/* A series that goes and comes back is not new: what it counted in its life is no increase. */
static void test_gone_and_back(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;

	(void)state;
	assert_int_equal(unit_page(s, "http_requests_total{a=\"1\"} 5\n"
		"http_requests_total{a=\"2\"} "
				   "1000\n", 1, &out), 0);
	for (int page = 2; page < 5; page++) {
		assert_int_equal(unit_page(s, "http_requests_total{a=\"1\"} 5\n", page, &out), 0);
		unit_number(out.requests_per_sec, 0);
	}
	assert_int_equal(unit_page(s, "http_requests_total{a=\"1\"} 6\n"
		"http_requests_total{a=\"2\"} "
				   "1100\n", 5, &out), 0);
	unit_number(out.requests_per_sec, 1 / SECONDS);
	assert_int_equal(unit_page(s, "http_requests_total{a=\"1\"} 6\n"
		"http_requests_total{a=\"2\"} "
				   "1103\n", 6, &out), 0);
	unit_number(out.requests_per_sec, 3 / SECONDS);
	scrape_free(s);
}

/* Series that come and go all the time: what is kept of them stays within the bound. */
static void test_churn(void **state)
{
	struct scrape_rules rules = { .max_series = 100 };
	struct scrape_result out;
	struct scrape *s;
	size_t most = 0;

	(void)state;
	assert_int_equal(scrape_new(&s, &rules), 0);
	for (int page = 1; page < 100; page++) {
		char text[4096];
		int n = snprintf(text, sizeof text, "http_requests_total %d\n", page);

		for (int i = 0; i < 10; i++)
			n += snprintf(text + n, sizeof text - n,
				"http_requests_total{a=\"%d\"} 3\n",
				      page * 10 + i);
		assert_int_equal(unit_page(s, text, page, &out), 0);
		if (page > 1)
			unit_number(out.requests_per_sec, 31 / SECONDS);
		if (scrape_memory(s) > most)
			most = scrape_memory(s);
	}
	assert_true(most < 1000 + 100 * 32);
	scrape_free(s);
}

/* --- bounds --- */

struct builder {
	char *text;
	size_t n, cap;
};

__attribute__((format(printf, 2, 3)))
static void add(struct builder *b, const char *format, ...)
{
	va_list ap;
	int n;

	b->cap = b->cap ? b->cap : 1 << 22;
	b->text = b->text ? b->text : malloc(b->cap);
	va_start(ap, format);
	n = vsnprintf(b->text + b->n, b->cap - b->n, format, ap);
	va_end(ap);
	b->n += n;
	assert_true(b->n < b->cap);
}

static int feed(struct scrape *s, struct builder *b, int page, struct scrape_result *out)
{
	int r = page_feed_all(s, b->text, b->n, false, (struct page_pieces){ 0 },
			      page * PAGE_INTERVAL_NS, out);

	b->n = 0;
	return r;
}

static void add_series(struct builder *b, int counters, int buckets, int value)
{
	for (int i = 0; i < counters; i++)
		add(b, "http_requests_total{i=\"%d\"} %d\n", i, value);
	for (int i = 0; i < buckets; i++)
		add(b, H "{i=\"%d\",le=\"%s\"} %d\n", i / 2, i % 2 ? "+Inf" : "1", value);
}

/* Exactly at the bound of each family, and one beyond. */
static void test_too_many_series(void **state)
{
	struct scrape_rules rules = { .max_series = 10 };
	struct scrape_result out;
	struct builder b = { 0 };
	struct scrape *s;

	(void)state;
	assert_int_equal(scrape_new(&s, &rules), 0);
	add_series(&b, 10, 10, 5);
	assert_int_equal(feed(s, &b, 1, &out), 0);
	add_series(&b, 10, 10, 6);
	assert_int_equal(feed(s, &b, 2, &out), 0);
	assert_int_equal(out.series, 20);
	unit_number(out.requests_per_sec, 10 / SECONDS);
	unit_number(out.latency_p95_ms, 950);
	/* The other one is as it was. */
	add_series(&b, 10, 12, 7);
	assert_int_equal(feed(s, &b, 3, &out), 0);
	assert_int_equal(out.series, 22);
	unit_number(out.requests_per_sec, 10 / SECONDS);
	assert_int_equal(out.latency_why, SCRAPE_TOO_MANY);
	assert_string_equal(out.latency_family, "http_request_duration_seconds");
	add_series(&b, 11, 10, 8);
	assert_int_equal(feed(s, &b, 4, &out), 0);
	assert_int_equal(out.requests_why, SCRAPE_TOO_MANY);
	assert_int_equal(out.latency_why, SCRAPE_FIRST);
	add_series(&b, 10, 10, 9);
	assert_int_equal(feed(s, &b, 5, &out), 0);
	assert_int_equal(out.requests_why, SCRAPE_FIRST);
	unit_number(out.latency_p95_ms, 950);
	free(b.text);
	scrape_free(s);
}

/* Too many of one family do not hide a better one behind it. */
static void test_too_many_of_a_lesser(void **state)
{
	struct scrape_rules rules = { .max_series = 3 };
	struct scrape_result out;
	struct scrape *s;

	(void)state;
	assert_int_equal(scrape_new(&s, &rules), 0);
	for (int page = 1; page < 3; page++) {
		struct builder b = { 0 };

		for (int i = 0; i < 5; i++)
			add(&b, "grpc_server_handled_total{i=\"%d\"} 9\n", i);
		add(&b, "http_requests_total %d\n", page);
		assert_int_equal(feed(s, &b, page, &out), 0);
		free(b.text);
	}
	unit_number(out.requests_per_sec, 1 / SECONDS);
	scrape_free(s);
}

static void test_too_many_layouts(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;
	struct builder b = { 0 };

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		for (int page = 1; page < 3; page++) {
			for (int i = 0; i < SCRAPE_LAYOUTS_MAX + extra; i++)
				add(&b, H "{i=\"%d\",le=\"%d\"} %d\n"
				    H "{i=\"%d\",le=\"+Inf\"} %d\n",
				    i, i + 1, page, i, page);
			assert_int_equal(feed(s, &b, 2 * extra + page, &out), 0);
		}
		assert_int_equal(out.latency_why, extra ? SCRAPE_TOO_MANY_LAYOUTS : SCRAPE_PRESENT);
	}
	free(b.text);
	scrape_free(s);
}

/* A page with one line of so many bytes, that matters or not. */
static int long_line(const char *before, char fill, size_t n, const char *after, size_t pieces,
		     struct scrape_result *out)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct builder b = { 0 };
	int r;

	add(&b, "x 1\n%s", before);
	n -= strlen(before) + strlen(after);
	memset(b.text + b.n, fill, n);
	b.n += n;
	add(&b, "%s\n", after);
	r = page_feed_all(s, b.text, b.n, false, (struct page_pieces){ .most = pieces }, 1, out);
	free(b.text);
	scrape_free(s);
	return r;
}

static void test_long_lines(void **state)
{
	static const size_t pieces[] = { 0, 1, 1000, SCRAPE_LINE_MAX };
	const char *counter = "http_requests_total{a=\"";
	struct scrape_result out;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		size_t p = pieces[i];

		printf("# pieces of %zu\n", p);
		assert_int_equal(long_line("http_requests_total", ' ', SCRAPE_LINE_MAX, "5", p,
			&out), 0);
		assert_int_equal(out.requests_why, SCRAPE_FIRST);
		assert_int_equal(long_line("http_requests_total", ' ', SCRAPE_LINE_MAX + 1, "5", p,
					   &out), 1);
		assert_string_equal(out.error, "line 2 is longer than 16384 bytes");
		assert_int_equal(out.lines, 2);
		assert_int_equal(long_line("#", ' ', SCRAPE_LINE_MAX + 1, "HELP", p, &out), 1);
		assert_int_equal(long_line(" ", ' ', SCRAPE_LINE_MAX + 1, "x 5", p, &out), 1);
		/* What does not matter is as long as it likes. */
		assert_int_equal(long_line("# TYPx ", 'y', 100000, "", p, &out), 0);
		assert_int_equal(long_line("# EOx ", 'y', 100000, "", p, &out), 0);
		assert_int_equal(long_line("# HELP x ", 'y', 100000, "", p, &out), 0);
		assert_int_equal(long_line("go_info{a=\"", 'y', 100000, "\"} 1", p, &out), 0);
		assert_int_equal(out.lines, 2);
		/* Labels: the braces and what is between them. */
		assert_int_equal(long_line(counter, 'y', SCRAPE_LABEL_BYTES_MAX + 19 + 2, "\"} 1",
			p,
					   &out), 0);
		assert_int_equal(long_line(counter, 'y', SCRAPE_LABEL_BYTES_MAX + 19 + 3, "\"} 1",
			p,
					   &out), 1);
		assert_string_equal(out.error, "line 2 has too many bytes of labels");
		assert_int_equal(long_line(counter, '\\', SCRAPE_LABEL_BYTES_MAX + 19 + 2 - 2,
					   "\"} 1", p, &out), 0);
	}
}

static void test_many_labels(void **state)
{
	(void)state;
	for (int n = SCRAPE_LABELS_MAX; n <= SCRAPE_LABELS_MAX + 1; n++) {
		struct scrape *s = unit_scrape(NULL, NULL);
		struct scrape_result out;
		struct builder b = { 0 };

		add(&b, "http_requests_total{");
		for (int i = 0; i < n; i++)
			add(&b, "l%d=\"v\",", i);
		add(&b, "} 1\n");
		assert_int_equal(feed(s, &b, 1, &out), n > SCRAPE_LABELS_MAX);
		if (n > SCRAPE_LABELS_MAX)
			assert_string_equal(out.error, "line 1 has too many labels");
		free(b.text);
		scrape_free(s);
	}
}

/* What the header says a series takes, and what a page takes while it is read. */
static void test_memory(void **state)
{
	struct scrape *s = unit_scrape(NULL, NULL);
	struct scrape_result out;
	struct builder b = { 0 };
	size_t empty = scrape_memory(s), counters, histogram;

	(void)state;
	add_series(&b, 1000, 0, 5);
	assert_int_equal(scrape_begin(s, false), 0);
	assert_int_equal(scrape_feed(s, b.text, b.n), 0);
	assert_true(scrape_memory(s) - empty < 300 * 1000);
	assert_int_equal(scrape_end(s, 1, &out), 0);
	counters = scrape_memory(s) - empty;
	assert_in_range(counters, 32 * 1000, 32 * 1000 + 100);
	b.n = 0;
	for (int i = 0; i < 100; i++) {
		for (int k = 1; k < 12; k++)
			add(&b, H "{i=\"%d\",le=\"%d\"} 1\n", i, k);
		add(&b, H "{i=\"%d\",le=\"+Inf\"} 1\n", i);
	}
	scrape_reset(s);
	assert_int_equal(feed(s, &b, 1, &out), 0);
	histogram = scrape_memory(s) - empty;
	assert_in_range(histogram, (24 + 12 * 8) * 100, (24 + 12 * 8) * 100 + 200);
	free(b.text);
	scrape_free(s);
}

static void test_reasons_have_words(void **state)
{
	(void)state;
	for (int why = SCRAPE_PRESENT; why <= SCRAPE_NO_REQUEST; why++)
		assert_string_not_equal(scrape_why_text((enum scrape_why)why), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_without_a_page),
		cmocka_unit_test(test_pages_that_do_not_count),
		cmocka_unit_test(test_refused_stays),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_no_time),
		cmocka_unit_test(test_gone_and_back),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_too_many_series),
		cmocka_unit_test(test_too_many_of_a_lesser),
		cmocka_unit_test(test_too_many_layouts),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_many_labels),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_reasons_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
