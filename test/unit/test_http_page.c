/* What /metrics pages need beyond a plain request: kept connections, compression, headers, types. */
#include "unit.h"

#include <errno.h>
#include <signal.h>

#include "canned_server.h"
#include "http_gets.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define EMPTY OK "Content-Length: 0\r\n\r\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define PAGE "http_requests_total 42\n"

/* PAGE, by gzip and, in both forms that there are, deflate; and many zeros, by gzip. */
#define GZIP \
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x28\x29\x29\x88\x2f\x4a\x2d\x2c\x4d" \
	"\x2d\x2e\x29\x8e\x2f\xc9\x2f\x49\xcc\x51\x30\x31\xe2\x02\x00\x29\x13\x5f\x8f\x17" \
	"\x00\x00\x00"
#define ZLIB \
	"\x78\xda\xcb\x28\x29\x29\x88\x2f\x4a\x2d\x2c\x4d\x2d\x2e\x29\x8e\x2f\xc9\x2f\x49" \
	"\xcc\x51\x30\x31\xe2\x02\x00\x73\x74\x08\xaf"
#define RAW \
	"\xcb\x28\x29\x29\x88\x2f\x4a\x2d\x2c\x4d\x2d\x2e\x29\x8e\x2f\xc9\x2f\x49\xcc\x51" \
	"\x30\x31\xe2\x02\x00"
#define GZIP_1000 \
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\x30\x18\x05\xa3\x60\x14\x0c\x77\x00" \
	"\x00\x83\x99\x5f\xa8\xe8\x03\x00\x00"
#define GZIP_100000 \
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\x4a" \
	"\xeb\x9f\xce\x1a\x1e\x40\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
	"\x00\x00\x00\xaf\x06\x85\xc2\x4d\xc5\xa0\x86\x01\x00"

static struct canned server, other;

static void get_kept(struct get *g, const struct canned *from, bool keep_alive)
{
	*g = (struct get){ 0 };
	assert_int_equal(get_with(g, (struct http_request){ .url = "http://localhost/metrics",
							    .unix_socket = from->path, .timeout_ms = 20000,
							    .keep_alive = keep_alive }), 0);
	wait_for(g);
}

/* --- compression --- */

static const struct encoding_case {
	const char *name;
	const char *headers;
	const char *body;
	size_t len;
	const char *page;	/* NULL: why */
	const char *why;	/* "" = the words are libcurl's, which change */
} encoding_cases[] = {
	{ "none", "", PAGE, sizeof PAGE - 1, PAGE, NULL },
	{ "identity", "Content-Encoding: identity\r\n", PAGE, sizeof PAGE - 1, PAGE, NULL },
	{ "gzip", "Content-Encoding: gzip\r\n", GZIP, sizeof GZIP - 1, PAGE, NULL },
	{ "GZIP, blanks", "content-encoding:  GZIP \t\r\n", GZIP, sizeof GZIP - 1, PAGE, NULL },
	{ "x-gzip", "Content-Encoding: x-gzip\r\n", GZIP, sizeof GZIP - 1, PAGE, NULL },
	{ "deflate", "Content-Encoding: deflate\r\n", ZLIB, sizeof ZLIB - 1, PAGE, NULL },
	{ "deflate, raw", "Content-Encoding: deflate\r\n", RAW, sizeof RAW - 1, PAGE, NULL },
	{ "as long as can be", "Content-Encoding: gzip\r\n", GZIP_1000, sizeof GZIP_1000 - 1, "0", NULL },
	{ "a bomb", "Content-Encoding: gzip\r\n", GZIP_100000, sizeof GZIP_100000 - 1, NULL,
	  "its answer has more than 1000 bytes" },
	{ "gzip that is none", "Content-Encoding: gzip\r\n", PAGE, sizeof PAGE - 1, NULL, "" },
	{ "deflate that is none", "Content-Encoding: deflate\r\n", PAGE, sizeof PAGE - 1, NULL, "" },
	{ "another one", "Content-Encoding: br\r\n", PAGE, sizeof PAGE - 1, NULL, "encoded otherwise" },
	{ "an unknown one", "Content-Encoding: rot13\r\n", PAGE, sizeof PAGE - 1, NULL, "encoded otherwise" },
	{ "one in one", "Content-Encoding: gzip, gzip\r\n", GZIP, sizeof GZIP - 1, NULL, "encoded otherwise" },
	{ "one after one", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", GZIP, sizeof GZIP - 1, NULL,
	  "encoded otherwise" },
	{ "on the way", "Transfer-Encoding: gzip, chunked\r\n", GZIP, sizeof GZIP - 1, NULL, "ncod" },
};

static void test_encodings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(encoding_cases); i++) {
		const struct encoding_case *c = &encoding_cases[i];
		struct get g = { 0 };
		char answer[1000];
		int len;

		print_message("# %s\n", c->name);
		len = snprintf(answer, sizeof answer, OK "%sContent-Length: %zu\r\n\r\n", c->headers, c->len);
		memcpy(answer + len, c->body, c->len);
		canned_answers_bytes(&server, answer, (size_t)len + c->len, CANNED_KEEP);
		assert_int_equal(get_with(&g, (struct http_request){ .url = "http://localhost/", .timeout_ms = 20000,
					  .unix_socket = server.path, .compressed = true }), 0);
		wait_for(&g);
		assert_non_null(strstr(server.last, "Accept-Encoding: gzip, deflate\r\n"));
		assert_int_equal(g.status, c->page ? 200 : 0);
		if (!c->page)
			has_words(g.why, c->why);
		else if (c->body[0] != '\x1f' || c->len != sizeof GZIP_1000 - 1)
			assert_string_equal(g.body, c->page);
		else
			assert_true(g.len == MAX_BYTES && g.body[0] == '0' && g.body[MAX_BYTES - 1] == '0');
	}
}

/* Who did not ask gets the bytes as they are. */
static void test_uncompressed(void **state)
{
	static const char answer[] = OK "Content-Encoding: gzip\r\nContent-Length: 43\r\n\r\n" GZIP;
	struct get g = { 0 };

	(void)state;
	canned_answers_bytes(&server, answer, sizeof answer - 1, CANNED_KEEP);
	get_kept(&g, &server, false);
	assert_null(strstr(server.last, "Accept-Encoding"));
	assert_int_equal(g.status, 200);
	assert_int_equal(g.len, sizeof GZIP - 1);
	assert_memory_equal(g.body, GZIP, sizeof GZIP - 1);
}

/* --- headers, to and fro --- */

static void test_headers(void **state)
{
	static const char accept[] = "Accept: text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
	static const char *const few[] = { accept, "X-Prometheus-Scrape-Timeout-Seconds: 2.5", NULL };
	static const char *const most[] = { "A: 1", "B: 2", "C: 3", "D: 4", "E: 5", "F: 6", "G: 7", "H: 8", NULL };
	static const char *const more[] = { "A: 1", "B: 2", "C: 3", "D: 4", "E: 5", "F: 6", "G: 7", "H: 8",
					    "I: 9", NULL };
	static const char *const smuggled[] = { "A: 1\r\nB: 2", NULL };
	static const char *const none[] = { NULL };
	static const struct {
		const char *name;
		const char *const *headers;
		const char *sent;
		int result;
	} cases[] = {
		{ "none", none, "Accept: */*\r\n", 0 },
		{ "instead of one", few, "Accept: text/plain;version=0.0.4;q=0.4,*/*;q=0.1\r\n", 0 },
		{ "beside them", few, "\r\nX-Prometheus-Scrape-Timeout-Seconds: 2.5\r\n", 0 },
		{ "as many as may be", most, "\r\nH: 8\r\n", 0 },
		{ "one more", more, NULL, -EINVAL },
		{ "two in one", smuggled, NULL, -EINVAL },
	};

	(void)state;
	canned_answers(&server, EMPTY, CANNED_KEEP);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct get g = { 0 };

		print_message("# %s\n", cases[i].name);
		assert_int_equal(get_with(&g, (struct http_request){ .url = "http://localhost/", .timeout_ms = 20000,
					  .unix_socket = server.path, .headers = cases[i].headers }),
				 cases[i].result);
		if (cases[i].result < 0)
			continue;
		wait_for(&g);
		assert_int_equal(g.status, 200);
		assert_non_null(strstr(server.last, cases[i].sent));
	}
}

#define TYPE "Content-Type: "
#define OPEN_METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

static void test_content_type(void **state)
{
	static const struct {
		const char *name, *answer, *type;
		int status;
	} cases[] = {
		{ "none", EMPTY, "", 200 },
		{ "one", OK TYPE OPEN_METRICS "\r\nContent-Length: 0\r\n\r\n", OPEN_METRICS, 200 },
		{ "an empty one", OK TYPE "\r\nContent-Length: 0\r\n\r\n", "", 200 },
		{ "of the last answer", "HTTP/1.1 103 Early Hints\r\n" TYPE "text/a\r\n\r\n"
		  OK TYPE "text/b\r\nContent-Length: 0\r\n\r\n", "text/b", 200 },
		{ "not of the last answer", "HTTP/1.1 103 Early Hints\r\n" TYPE "text/a\r\n\r\n" EMPTY, "", 200 },
		{ "a long one", OK TYPE HUNDRED HUNDRED "\r\nContent-Length: 0\r\n\r\n",
		  HUNDRED TEN TEN "0123456", 200 },
		{ "not printable", OK TYPE "text/\x1b[2J\xff\r\nContent-Length: 0\r\n\r\n", "text/?[2J?", 200 },
		{ "of a redirect, which is not followed", "HTTP/1.1 302 There\r\nLocation: http://localhost/c\r\n"
		  TYPE "text/html\r\nContent-Length: 0\r\n\r\n", "text/html", 302 },
		{ "without a whole answer", OK TYPE "text/plain\r\nContent-Length: 5000\r\n\r\n", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct get g;

		print_message("# %s\n", cases[i].name);
		server.requests = 0;
		canned_answers(&server, cases[i].answer, CANNED_KEEP);
		get_kept(&g, &server, false);
		assert_int_equal(server.requests, 1);
		assert_int_equal(g.status, cases[i].status);
		assert_string_equal(g.type, cases[i].type);
	}
}

/* --- kept connections --- */

static void test_reuse(void **state)
{
	static const struct {
		bool keep_alive;
		size_t connections;	/* so far */
	} cases[] = {
		{ false, 1 }, { false, 2 }, { true, 3 }, { true, 3 }, { true, 3 }, { false, 4 }, { true, 4 },
	};
	struct get g;

	(void)state;
	canned_answers(&server, EMPTY, CANNED_KEEP);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		get_kept(&g, &server, cases[i].keep_alive);
		assert_int_equal(g.status, 200);
		assert_int_equal(server.requests, i + 1);
		assert_int_equal(server.n_clients, cases[i].connections);
	}
}

/* The peer has closed it: seen before it is used, or only after the request was sent. */
static void test_closed_meanwhile(void **state)
{
	struct get g;

	(void)state;
	canned_answers(&server, EMPTY, CANNED_KEEP);
	get_kept(&g, &server, true);
	shutdown(bufferevent_getfd(server.clients[0]), SHUT_RDWR);
	get_kept(&g, &server, true);
	assert_int_equal(g.status, 200);
	assert_int_equal(server.requests, 2);
	assert_int_equal(server.n_clients, 2);
	server.drops = 3;
	get_kept(&g, &server, true);
	assert_int_equal(g.status, 200);
	assert_int_equal(server.requests, 4);
	assert_int_equal(server.n_clients, 3);
}

/* On a new connection a request is not repeated. */
static void test_closed_at_once(void **state)
{
	struct get g;

	(void)state;
	server.drops = 1;
	canned_answers(&server, EMPTY, CANNED_KEEP);
	get_kept(&g, &server, true);
	assert_int_equal(g.status, 0);
	has_words(g.why, "mpty reply");
	assert_int_equal(server.requests, 1);
}

/* What came to a bad end is not kept. */
static void test_not_kept(void **state)
{
	struct get g;

	(void)state;
	canned_answers(&server, OK "Content-Length: 5000\r\n\r\n", CANNED_KEEP);
	get_kept(&g, &server, true);
	assert_int_equal(g.status, 0);
	canned_answers(&server, OK "Connection: close\r\nContent-Length: 0\r\n\r\n", CANNED_KEEP);
	get_kept(&g, &server, true);
	get_kept(&g, &server, true);
	assert_int_equal(g.status, 200);
	assert_int_equal(server.n_clients, 3);
}

static void test_kept_bound(void **state)
{
	static const struct http_options options = { .connections_kept_max = 1 };
	struct get g;
	size_t before;

	(void)state;
	canned_answers(&server, EMPTY, CANNED_KEEP);
	canned_answers(&other, EMPTY, CANNED_KEEP);
	for (size_t bounded = 0; bounded < 2; bounded++) {
		http_free(http);
		assert_int_equal(http_new(&http, &loop, bounded ? &options : NULL), 0);
		before = server.n_clients;
		for (int i = 0; i < 3; i++) {
			get_kept(&g, &server, true);
			get_kept(&g, &other, true);
		}
		assert_int_equal(server.n_clients - before, bounded ? 3 : 1);
		assert_int_equal(other.n_clients, server.n_clients);
	}
}

static void test_requests_max(void **state)
{
	static const struct http_options options = { .requests_max = 2 };
	struct http_request r = { .url = "http://localhost/", .unix_socket = server.path, .timeout_ms = 20000 };
	struct get gets[3] = { 0 };

	(void)state;
	http_free(http);
	assert_int_equal(http_new(&http, &loop, &options), 0);
	canned_answers(&server, EMPTY, CANNED_KEEP);
	assert_int_equal(get_with(&gets[0], r), 0);
	assert_int_equal(get_with(&gets[1], r), 0);
	assert_int_equal(get_with(&gets[2], r), -EAGAIN);
	wait_for(&gets[0]);
	assert_int_equal(get_with(&gets[2], r), 0);
	wait_for(&gets[1]);
	wait_for(&gets[2]);
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(loop_init(&loop, &stats), 0);
	assert_int_equal(http_new(&http, &loop, NULL), 0);
	canned_new(&server, &loop);
	canned_new(&other, &loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_free(http);
	canned_free(&server);
	canned_free(&other);
	loop_deinit(&loop);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_encodings),
		TEST(test_uncompressed),
		TEST(test_headers),
		TEST(test_content_type),
		TEST(test_reuse),
		TEST(test_closed_meanwhile),
		TEST(test_closed_at_once),
		TEST(test_not_kept),
		TEST(test_kept_bound),
		TEST(test_requests_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
