/*
 * Bytes as pages of metrics: from 0x80 on a byte stands for a piece that pages have, 0xff ends a
 * page. Each page is read whole, byte by byte and in pieces by chance; the results have to be the
 * same to the bit, what is held has to stay within its bounds, and no number may be what none can
 * be.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_feed.h"

#define PAGES_MOST 4
#define PAGE_MOST 100000
#define SERIES_MOST 20
#define MEMORY_MOST (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pieces[] = {
	"http_requests_total", "http_request_duration_seconds_bucket",
	"http_request_duration_seconds",
	"http_server_requests_seconds", "http_server_requests_seconds_bucket",
	"http_server_requests_seconds_count", "caddy_http_requests_total",
	"caddy_http_request_duration_seconds_bucket", "haproxy_frontend_http_requests_total",
	"istio_requests_total", "istio_request_duration_milliseconds_bucket",
	"grpc_server_handled_total",
	"nginx_ingress_controller_requests", "my_hits", "go_info", "x", "# TYPE ", "# HELP ",
	"# EOF\n",
	"# UNIT ", " counter\n", " histogram\n", " gauge\n", " summary\n", " untyped\n", "{", "}",
	"\"",
	"{le=\"", "le=\"", "\",", "\"}", "\"} ", "=\"", ",", "0.005", "0.1", "1", "2e0", "+Inf",
	"-Inf",
	"NaN", "5", "7", "100", "1e3", "0x1p4", "1e400", "18446744073709551616", " 1\n", " 5\n",
	" 9\n",
	" 100\n", "\n", " ", "\t", "\\\"", "\\\\", "\\n", "\\", "#", " # {", "a", "b",
	"server=\"a\"", "server=\"b\"", "handler=\"x\"", "handler=\"y\"",
	"reporter=\"destination\"",
	"reporter=\"source\"", "proxy=\"stats\"", "proxy=\"web\"", "quantile=\"0.95\"",
	"code=\"200\"",
	" 1700000000.5", " 1700000000000", "\r\n", "\xc3\xbc",
	"http_request_duration_seconds_bucket{le=\"1\"} 5\n"
	"http_request_duration_seconds_bucket{le=\"2\"} "
	"7\nhttp_request_duration_seconds_bucket{le=\"+Inf\"} 9\n",
	"http_request_duration_seconds_bucket{le=\"1\"} 50\n"
	"http_request_duration_seconds_bucket{le=\"2\"} "
	"70\nhttp_request_duration_seconds_bucket{le=\"+Inf\"} 90\n",
};

static void check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "pages are read wrong: %s\n", what);
	abort();
}

/* The next page. Returns how many bytes of data it was. */
static size_t make_page(const uint8_t *data, size_t size, char *page, size_t *len)
{
	size_t i, n;

	*len = 0;
	for (i = 0; i < size && data[i] != 0xff; i++) {
		const char *piece = (const char *)&data[i];

		n = 1;
		if (data[i] >= 0x80) {
			piece = pieces[(data[i] - 0x80) % (sizeof pieces / sizeof *pieces)];
			n = strlen(piece);
		}
		if (*len + n > PAGE_MOST)
			break;
		memcpy(page + *len, piece, n);
		*len += n;
	}
	return i < size ? i + 1 : i;
}

static void check_result(const struct scrape_result *r, int status)
{
	check((status > 0) == (r->error[0] != '\0'), "a refusal has a sentence");
	check(strlen(r->error) < sizeof r->error - 1, "the sentence is whole");
	check(isnan(r->requests_per_sec) ||
	      (r->requests_per_sec >= 0 && isfinite(r->requests_per_sec)), "requests");
	check(isnan(r->latency_p95_ms) || isfinite(r->latency_p95_ms), "latency");
	if (status == 0)
		check(isnan(r->requests_per_sec) == (r->requests_why != SCRAPE_PRESENT) &&
		      isnan(r->latency_p95_ms) == (r->latency_why != SCRAPE_PRESENT), "why");
	check(r->duplicates <= r->series, "duplicates");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char page[PAGE_MOST];
	struct scrape_rules rules = { .max_series = SERIES_MOST };
	struct page_pieces how[3] = { { 0 }, { .most = 1 }, { .most = 40 } };
	struct scrape *s[3];
	bool openmetrics;
	size_t len, used;

	if (size < 2)
		return 0;
	openmetrics = data[0] & 1;
	if (data[0] & 2)
		rules.request_counter = data[0] & 4 ? "my_hits" : "x";
	if (data[0] & 8)
		rules.latency_histogram = "http_server_requests_seconds";
	how[2].seed = 1 + data[1];
	for (int k = 0; k < 3; k++) {
		if (scrape_new(&s[k], &rules) < 0)
			abort();
	}
	data += 2;
	size -= 2;
	for (int i = 1; i <= PAGES_MOST && size > 0; i++, data += used, size -= used) {
		struct scrape_result out[3];

		used = make_page(data, size, page, &len);
		for (int k = 0; k < 3; k++) {
			int r = page_feed_all(s[k], page, len, openmetrics, how[k],
					      i * PAGE_INTERVAL_NS, &out[k]);

			check(r >= 0, "memory");
			check_result(&out[k], r);
			check(k == 0 || page_results_equal(&out[0], &out[k]), "pieces");
			check(scrape_memory(s[k]) < MEMORY_MOST, "bounds");
		}
	}
	for (int k = 0; k < 3; k++)
		scrape_free(s[k]);
	return 0;
}
