/* Good and bad servers, bounds, and what may be called from where. */
#include "unit.h"

#include <errno.h>
#include <signal.h>

#include "canned_server.h"
#include "http_gets.h"

static struct canned server;

static int get_from(struct get *g, const char *url, const char *unix_socket, int64_t timeout_ms)
{
	return get_with(g, (struct http_request){ .url = url, .unix_socket = unix_socket,
						  .timeout_ms = timeout_ms });
}

static int get(struct get *g)
{
	return get_from(g, "http://localhost/a/b?c", server.path, 20000);
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);	/* as meterd does */
	setenv("http_proxy", "nonsense://127.0.0.1:1", 1);	/* of no concern to us */
	assert_int_equal(loop_init(&loop, &stats), 0);
	assert_int_equal(http_new(&http, &loop, NULL), 0);
	canned_new(&server, &loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_free(http);
	canned_free(&server);
	loop_deinit(&loop);
	return 0;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
#define LINE "X-A: " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\r\n"

static const struct answer_case {
	const char *name;
	const char *answer;
	enum canned_end end;
	int64_t timeout_ms;
	int status;		/* 0: why */
	const char *body;
	const char *why;	/* a part of it; "" = the words are libcurl's, which change */
} answer_cases[] = {
	{ "with a length", OK "Content-Length: 10\r\n\r\n" TEN, CANNED_KEEP, 20000, 200, TEN, NULL },
	{ "to the end", OK "\r\n" TEN, CANNED_CLOSE, 20000, 200, TEN, NULL },
	{ "in chunks", OK "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
	  CANNED_KEEP, 20000, 200, TEN, NULL },
	{ "without a body", "HTTP/1.1 204 No Content\r\n\r\n", CANNED_KEEP, 20000, 204, "", NULL },
	{ "not found, with a body", "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n" TEN,
	  CANNED_KEEP, 20000, 404, TEN, NULL },
	{ "in trouble", "HTTP/1.0 500 Oh\r\n\r\n", CANNED_CLOSE, 20000, 500, "", NULL },
	{ "moved: not followed", "HTTP/1.1 302 There\r\nLocation: http://localhost/c\r\nContent-Length: 0\r\n\r\n",
	  CANNED_KEEP, 20000, 302, "", NULL },
	{ "as long as can be", OK "\r\n" THOUSAND, CANNED_CLOSE, 20000, 200, THOUSAND, NULL },
	{ "longer", OK "\r\n" THOUSAND "x", CANNED_KEEP, 20000, 0, NULL, "has more than 1000 bytes" },
	{ "says that it is longer", OK "Content-Length: 10000000\r\n\r\n", CANNED_KEEP, 20000, 0, NULL,
	  "has more than 1000 bytes" },
	{ "closes", NULL, CANNED_CLOSE, 20000, 0, NULL, "mpty reply" },
	{ "closes early", OK "Content-Length: 10\r\n\r\n0123", CANNED_CLOSE, 20000, 0, NULL, "bytes" },
	{ "closes in a chunk", OK "Transfer-Encoding: chunked\r\n\r\n5\r\n01", CANNED_CLOSE, 20000, 0, NULL,
	  "" },
	{ "no HTTP", "220 mail ready\r\n", CANNED_CLOSE, 20000, 0, NULL, "HTTP/0.9" },
	{ "a chunk of nonsense", OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", CANNED_KEEP, 20000, 0, NULL, "" },
	{ "silent", NULL, CANNED_KEEP, 100, 0, NULL, "no whole answer within 100 ms" },
	{ "silent after half of it", OK "Content-Length: 10\r\n\r\n0123", CANNED_KEEP, 100, 0, NULL,
	  "no whole answer within 100 ms" },
	{ "still to come, for ever", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", CANNED_KEEP,
	  100, 0, NULL, "no whole answer within 100 ms" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answer_cases); i++) {
		const struct answer_case *c = &answer_cases[i];
		struct get g = { 0 };

		print_message("# %s\n", c->name);
		server.requests = 0;
		canned_answers(&server, c->answer, c->end);
		assert_int_equal(get_from(&g, "http://localhost/x", server.path, c->timeout_ms), 0);
		wait_for(&g);
		assert_int_equal(server.requests, 1);
		assert_int_equal(g.status, c->status);
		if (c->status != 0)
			assert_string_equal(g.body, c->body);
		else
			has_words(g.why, c->why);
	}
}

/* All header lines count together, also those of answers that are not the last one. */
static void test_long_headers(void **state)
{
	static const struct {
		const char *name, *begin, *line;
	} cases[] = {
		{ "many lines", OK, LINE },
		{ "many answers", "", "HTTP/1.1 100 Continue\r\n\r\n" },
		{ "one line", OK "X-A: ", HUNDRED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t len = strlen(cases[i].begin), line = strlen(cases[i].line);
		char *answer = calloc(1, 300000);
		struct get g = { 0 };

		print_message("# %s\n", cases[i].name);
		assert_non_null(answer);
		memcpy(answer, cases[i].begin, len);
		for (; len < 290000; len += line)
			memcpy(answer + len, cases[i].line, line);
		canned_answers(&server, answer, CANNED_KEEP);
		assert_int_equal(get(&g), 0);
		wait_for(&g);
		assert_int_equal(g.status, 0);
		assert_true(*g.why);
		if (i < 2)	/* libcurl itself has the last word on a single line */
			assert_non_null(strstr(g.why, "its headers have more than 65536 bytes"));
		canned_answers(&server, NULL, CANNED_CLOSE);
		free(answer);
	}
}

static void test_request(void **state)
{
	struct get g = { 0 };

	(void)state;
	canned_answers(&server, OK "Content-Length: 0\r\n\r\n", CANNED_KEEP);
	assert_int_equal(get(&g), 0);
	wait_for(&g);
	assert_memory_equal(server.last, "GET /a/b?c HTTP/1.1\r\n", 21);
	assert_non_null(strstr(server.last, "Host: localhost\r\n"));
	assert_non_null(strstr(server.last, "User-Agent: meterd/"));
	assert_null(strstr(server.last, "Cookie"));
	assert_null(strstr(server.last, "Authorization"));
}

static void test_nobody(void **state)
{
	static const struct {
		const char *name, *url, *socket, *why;
	} cases[] = {
		{ "no such socket", "http://localhost/", "/tmp/meterd-no-such.sock", "No such file or directory" },
		{ "no socket", "http://localhost/", "/dev/null", "Connection refused" },
		{ "no URL", "http://", NULL, "" },
		{ "another scheme", "file:///etc/passwd", NULL, "" },
		{ "nobody there", "http://user:secret@127.0.0.1:1/", NULL, "Connection refused" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct get g = { 0 };

		print_message("# %s\n", cases[i].name);
		assert_int_equal(get_from(&g, cases[i].url, cases[i].socket, 20000), 0);
		wait_for(&g);
		assert_int_equal(g.status, 0);
		has_words(g.why, cases[i].why);
		assert_null(strstr(g.why, "secret"));
		assert_int_equal(g.len, 0);
	}
}

/* --- cancelling --- */

static void wait_requests(size_t n)
{
	while (server.requests < n)
		turn();
}

static void test_cancel(void **state)
{
	struct get early = { 0 }, late = { 0 }, other = { 0 };

	(void)state;
	server.requests = 0;
	canned_answers(&server, NULL, CANNED_KEEP);
	assert_int_equal(get(&early), 0);
	http_cancel(early.op);
	assert_int_equal(get(&late), 0);
	wait_requests(1);
	http_cancel(late.op);
	http_cancel(NULL);
	canned_answers(&server, OK "Content-Length: 0\r\n\r\n", CANNED_KEEP);
	assert_int_equal(get(&other), 0);
	wait_for(&other);
	assert_int_equal(server.requests, 2);
	assert_int_equal(early.done + late.done, 0);
}

/* From inside of libcurl: itself, and another one. */
static void test_cancel_in_chunk(void **state)
{
	struct get self = { 0 }, silent = { 0 }, both = { 0 };

	(void)state;
	canned_answers(&server, OK "\r\n" TEN, CANNED_KEEP);
	assert_int_equal(get(&self), 0);
	self.cancels = &self.op;
	while (self.cancels)
		turn();
	canned_answers(&server, NULL, CANNED_KEEP);
	server.requests = 0;
	assert_int_equal(get(&silent), 0);
	wait_requests(1);
	canned_answers(&server, OK "Content-Length: 10\r\n\r\n" TEN, CANNED_KEEP);
	both.cancels = &silent.op;
	assert_int_equal(get(&both), 0);
	wait_for(&both);
	assert_int_equal(both.status, 200);
	assert_null(silent.op);
	assert_int_equal(self.done + silent.done, 0);
}

/* As many as may be, one more, and all of them dropped at the end. */
static void test_bound(void **state)
{
	static struct get gets[HTTP_REQUESTS_MAX + 1];

	(void)state;
	memset(gets, 0, sizeof gets);
	server.requests = 0;
	canned_answers(&server, NULL, CANNED_KEEP);
	for (int i = 0; i < HTTP_REQUESTS_MAX; i++)
		assert_int_equal(get(&gets[i]), 0);
	assert_int_equal(get(&gets[HTTP_REQUESTS_MAX]), -EAGAIN);
	wait_requests(HTTP_REQUESTS_MAX);
	http_cancel(gets[0].op);
	assert_int_equal(get(&gets[0]), 0);
	http_free(http);
	for (int i = 0; i <= HTTP_REQUESTS_MAX; i++)
		assert_int_equal(gets[i].done, 0);
	assert_int_equal(http_new(&http, &loop, NULL), 0);
	http_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_long_headers),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_in_chunk),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
