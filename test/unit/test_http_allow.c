/* Which addresses may be connected to, however the URL says them. */
#include "unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>

#include "canned_server.h"
#include "http_gets.h"
#include "names.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct canned four, six;
static bool has_six;

/* The rule: one address, as text; NULL = none. */
static const char *allowed;

static bool allow(void *ctx, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	assert_ptr_equal(ctx, &allowed);
	if (address->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
	else if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
	return allowed && strcmp(text, allowed) == 0;
}

static const struct allow_case {
	const char *host;
	const char *allowed;
	const char *why;	/* NULL: 200 */
	bool six;
	bool nobody;		/* listens */
} allow_cases[] = {
	{ .host = "127.0.0.1", .allowed = "127.0.0.1" },
	{ .host = "127.0.0.1", .why = "the address 127.0.0.1 is not allowed" },
	{ .host = "127.0.0.1", .allowed = "127.0.0.2", .why = "the address 127.0.0.1 is not allowed" },
	{ .host = "2130706433", .allowed = "127.0.0.1" },
	{ .host = "0x7f.1", .why = "the address 127.0.0.1 is not allowed" },
	{ .host = "localhost", .why = "1 is not allowed" },	/* of which family is libcurl's */
	{ .host = "169.254.169.254", .why = "the address 169.254.169.254 is not allowed" },
	{ .host = "[::1]", .allowed = "::1", .six = true },
	{ .host = "[::1]", .allowed = "127.0.0.1", .why = "the address ::1 is not allowed", .six = true },
	{ .host = "[::ffff:127.0.0.1]", .allowed = "127.0.0.1",
	  .why = "the address ::ffff:127.0.0.1 is not allowed" },
	{ .host = "good.test", .allowed = "127.0.0.1" },
	{ .host = "good.test", .why = "the address 127.0.0.1 is not allowed" },
	{ .host = "second.test", .allowed = "127.0.0.1" },
	{ .host = "second.test", .why = "the address 127.0.0.2 is not allowed" },
	{ .host = "second.test", .allowed = "127.0.0.1", .nobody = true, .why = "Connection refused" },
	{ .host = "mixed.test", .allowed = "127.0.0.1" },
	{ .host = "inner.test", .allowed = "127.0.0.1", .why = "the address 169.254.169.254 is not allowed" },
};

static void test_allow(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(allow_cases); i++) {
		const struct allow_case *c = &allow_cases[i];
		struct canned *server = c->six ? &six : &four;
		struct get g = { 0 };
		char url[100];

		if (c->six && !has_six)
			continue;
		print_message("# %s, allowed is %s\n", c->host, c->allowed ? c->allowed : "nothing");
		allowed = c->allowed;
		four.requests = six.requests = 0;
		snprintf(url, sizeof url, "http://%s:%d/", c->host, c->nobody ? 1 : server->port);
		assert_int_equal(get_with(&g, (struct http_request){ .url = url, .timeout_ms = 20000 }), 0);
		wait_for(&g);
		assert_int_equal(g.status, c->why ? 0 : 200);
		assert_int_equal(four.requests + six.requests, c->why ? 0 : 1);
		if (c->why)
			has_words(g.why, c->why);
		assert_true(!c->why || c->why[0] != 't' || strcmp(g.why, c->why) == 0);
	}
}

/* A unix socket is the program's own choice, not a URL's. */
static void test_unix_socket(void **state)
{
	struct canned local;
	struct get g = { 0 };

	(void)state;
	allowed = NULL;
	canned_new(&local, &loop);
	canned_answers(&local, OK, CANNED_KEEP);
	assert_int_equal(get_with(&g, (struct http_request){ .url = "http://127.0.0.1/", .timeout_ms = 20000,
							     .unix_socket = local.path }), 0);
	wait_for(&g);
	assert_int_equal(g.status, 200);
	canned_free(&local);
}

static int setup(void **state)
{
	static const struct http_options options = { .allow = allow, .allow_ctx = &allowed };
	char proxy[50];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(loop_init(&loop, &stats), 0);
	assert_int_equal(http_new(&http, &loop, &options), 0);
	assert_true(canned_new_tcp(&four, &loop, "127.0.0.1"));
	has_six = canned_new_tcp(&six, &loop, "::1");
	canned_answers(&four, OK, CANNED_KEEP);
	canned_answers(&six, OK, CANNED_KEEP);
	/* It would answer for every address. */
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", four.port);
	setenv("http_proxy", proxy, 1);
	setenv("all_proxy", proxy, 1);
	setenv("ALL_PROXY", proxy, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_free(http);
	canned_free(&four);
	canned_free(&six);
	loop_deinit(&loop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_unix_socket),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
