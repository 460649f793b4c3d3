/*
 * Each allocation that a page makes fails once: what is kept stays, and the same page read again is
 * right.
 */
#include <errno.h>

#include "counted_malloc.h"
#include "scrape_unit.h"

#define TEXT_MAX (1 << 17)

/* Enough sets and values for every table to grow, out of order, some gone, in Caddy's families. */
static void make_page(char *text, int page)
{
	size_t n = 0;

	for (int i = page; i < 200; i++)
		n += snprintf(text + n, TEXT_MAX - n, "caddy_http_requests_total{server=\"%d\","
			      "handler=\"%d\",i=\"%d\"} %d\n", i % 2, i % 3, i, 7 * page);
	for (int i = 0; i < 200; i++)
		n += snprintf(text + n, TEXT_MAX - n, "caddy_http_request_duration_seconds_bucket{"
			      "server=\"%d\",handler=\"%d\",i=\"%d\",le=\"%s\"} %d\n", i % 2,
			      i % 100 % 3, i % 100, i < 100 ? "+Inf" : "1", 9 * page);
}

/* 0, or -ENOMEM from whichever call it was. */
static int read_page(struct scrape *s, const char *text, int page, struct scrape_result *out)
{
	size_t len = strlen(text);
	int r;

	r = scrape_begin(s, false);
	for (size_t at = 0; at < len && r == 0; at += 1000)
		r = scrape_feed(s, text + at, len - at < 1000 ? len - at : 1000);
	return r == 0 ? scrape_end(s, page * PAGE_INTERVAL_NS, out) : r;
}

static void test_each_call_fails(void **state)
{
	static char first[TEXT_MAX], second[TEXT_MAX];
	struct scrape_result want, out;
	struct scrape *s = unit_scrape(NULL, NULL);
	bool failed = true;
	size_t n, blocks;

	(void)state;
	make_page(first, 1);
	make_page(second, 2);
	assert_int_equal(read_page(s, first, 1, &out), 0);
	assert_int_equal(read_page(s, second, 2, &want), 0);
	assert_false(isnan(want.requests_per_sec) || isnan(want.latency_p95_ms));
	scrape_free(s);
	for (n = 1; failed; n++) {
		s = unit_scrape(NULL, NULL);
		assert_int_equal(read_page(s, first, 1, &out), 0);
		blocks = counted.blocks;
		counted_fail_at(n);
		failed = read_page(s, second, 2, &out) == -ENOMEM;
		assert_int_equal(failed, counted.failures > 0);
		counted_fail_at(0);
		if (failed) {
			scrape_abandon(s);
			assert_int_equal(counted.blocks, blocks);
			assert_int_equal(read_page(s, second, 2, &out), 0);
		}
		assert_true(page_results_equal(&out, &want));
		scrape_free(s);
	}
	printf("# %zu calls\n", n - 2);
	assert_true(n > 10);
}

static void test_new_fails(void **state)
{
	struct scrape_rules rules = { 0 };
	struct scrape *s;

	(void)state;
	counted_fail_at(1);
	assert_int_equal(scrape_new(&s, &rules), -ENOMEM);
	counted_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call_fails),
		cmocka_unit_test(test_new_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
