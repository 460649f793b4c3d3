/* Names are looked up a few at a time, and a resolver that never answers holds up nobody else. */
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "canned_server.h"
#include "http_gets.h"
#include "names.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct canned server;
static struct get silent[HTTP_LOOKUPS_MAX];

static void get_at(int port, struct get *g, const char *host, int64_t timeout_ms, bool keep_alive)
{
	char url[100];

	*g = (struct get){ 0 };
	snprintf(url, sizeof url, "http://%s:%d/", host, port);
	assert_int_equal(get_with(g, (struct http_request){ .url = url, .timeout_ms = timeout_ms,
							    .keep_alive = keep_alive }), 0);
}

static void get(struct get *g, const char *host, int64_t timeout_ms, bool keep_alive)
{
	get_at(server.port, g, host, timeout_ms, keep_alive);
}

static void wait_silent(size_t n)
{
	while (names_count(&names.silent) < n) {
		assert_true(event_base_loop(loop.base, EVLOOP_NONBLOCK) >= 0);
		sched_yield();
	}
}

/* As many lookups as may be, none of which ends. */
static void fill(void)
{
	for (int i = 0; i < HTTP_LOOKUPS_MAX; i++) {
		char host[20];

		snprintf(host, sizeof host, "silent%d.test", i);
		get(&silent[i], host, 20000, false);
	}
	wait_silent(HTTP_LOOKUPS_MAX);
}

static void answered(struct get *g)
{
	wait_for(g);
	assert_string_equal(g->why, "");
	assert_int_equal(g->status, 200);
}

static void test_one_more(void **state)
{
	struct get first, second, numeric;

	(void)state;
	fill();
	get(&first, "good.test", 20000, false);
	get(&second, "other.test", 20000, false);
	get(&numeric, "127.0.0.1", 20000, false);
	answered(&numeric);
	assert_int_equal(names_count(&names.calls), HTTP_LOOKUPS_MAX);
	assert_int_equal(first.done + second.done, 0);
	names_release(1);
	answered(&first);
	answered(&second);
	assert_int_equal(names_count(&names.calls), HTTP_LOOKUPS_MAX + 2);
	assert_string_equal(names.called[HTTP_LOOKUPS_MAX], "good.test");
	assert_string_equal(names.called[HTTP_LOOKUPS_MAX + 1], "other.test");
	names_release(HTTP_LOOKUPS_MAX - 1);
	for (int i = 0; i < HTTP_LOOKUPS_MAX; i++) {
		wait_for(&silent[i]);
		has_words(silent[i].why, "resolve host");
	}
}

/* Its own deadline ends the wait, and libcurl never hears of it. */
static void test_deadline(void **state)
{
	struct get late, numeric;

	(void)state;
	fill();
	get(&late, "good.test", 50, false);
	wait_for(&late);
	assert_int_equal(late.status, 0);
	assert_string_equal(late.why, "no lookup of its name within 50 ms");
	get(&numeric, "127.0.0.1", 20000, false);
	answered(&numeric);
	assert_int_equal(names_count(&names.calls), HTTP_LOOKUPS_MAX);
}

/* What waited has the rest of its time: it ends before what began later and may last longer than that. */
static void test_rest_of_time(void **state)
{
	struct get waited, before, later;

	(void)state;
	fill();
	canned_answers(&server, NULL, CANNED_KEEP);
	get(&waited, "good.test", 400, false);
	get(&before, "127.0.0.1", 200, false);
	wait_for(&before);
	names_release(1);
	get(&later, "127.0.0.1", 300, false);
	wait_for(&later);
	assert_int_equal(waited.done, 1);
}

/* One that is given up makes room, whatever its thread does; one that waits can be given up, too. */
static void test_given_up(void **state)
{
	struct get waits, cancelled, late;

	(void)state;
	fill();
	get(&cancelled, "good.test", 20000, false);
	get(&waits, "other.test", 20000, false);
	turn();
	http_cancel(cancelled.op);
	for (int i = 0; i < HTTP_LOOKUPS_MAX; i++)
		http_cancel(silent[i].op);
	answered(&waits);
	assert_int_equal(cancelled.done + silent[3].done, 0);
	assert_int_equal(names_count(&names.silent), HTTP_LOOKUPS_MAX);
	get(&late, "silent.test", 50, false);
	wait_for(&late);
	assert_string_equal(late.why, "no lookup of its name within 50 ms");
}

/* What is connected counts no more, over a new connection or a kept one. */
static void test_connected(void **state)
{
	struct get kept[HTTP_LOOKUPS_MAX], other;

	(void)state;
	for (int round = 0; round < 2; round++) {
		canned_answers(&server, NULL, CANNED_KEEP);
		server.requests = 0;
		for (int i = 0; i < HTTP_LOOKUPS_MAX; i++)
			get(&kept[i], "good.test", 20000, true);
		while (server.requests < HTTP_LOOKUPS_MAX)
			turn();
		assert_int_equal(server.n_clients, HTTP_LOOKUPS_MAX + (size_t)round);
		canned_answers(&server, OK, CANNED_KEEP);
		get(&other, "other.test", 20000, false);
		answered(&other);
		for (int i = 0; i < HTTP_LOOKUPS_MAX; i++) {
			assert_int_equal(kept[i].done, 0);
			bufferevent_write(server.clients[i], OK, sizeof OK - 1);
		}
		for (int i = 0; i < HTTP_LOOKUPS_MAX; i++)
			answered(&kept[i]);
	}
}

/* Nor does what is still about to: the queue of this server is full, and it takes nobody out of it. */
static void test_connecting(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int full = socket(AF_INET, SOCK_STREAM, 0), first = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof at;
	struct get other;

	(void)state;
	assert_int_equal(bind(full, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(full, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(listen(full, 0), 0);
	assert_int_equal(connect(first, (struct sockaddr *)&at, sizeof at), 0);
	for (int i = 0; i < HTTP_LOOKUPS_MAX; i++)
		get_at(ntohs(at.sin_port), &silent[i], "good.test", 20000, false);
	get(&other, "other.test", 20000, false);
	answered(&other);
	for (int i = 0; i < HTTP_LOOKUPS_MAX; i++)
		assert_int_equal(silent[i].done, 0);
	close(first);
	close(full);
}

/* Neither is the end held up: the threads are still at it. */
static void test_end(void **state)
{
	struct get waits;

	(void)state;
	fill();
	get(&waits, "good.test", 20000, false);
	turn();
	http_free(http);
	http = NULL;
	assert_int_equal(names_count(&names.silent), HTTP_LOOKUPS_MAX);
	assert_int_equal(waits.done, 0);
}

/* As above; nobody releases these, and the program has to end all the same. */
static void test_end_of_program(void **state)
{
	(void)state;
	fill();
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	names.calls = 0;
	assert_int_equal(loop_init(&loop, &stats), 0);
	assert_int_equal(http_new(&http, &loop, NULL), 0);
	assert_true(canned_new_tcp(&server, &loop, "127.0.0.1"));
	canned_answers(&server, OK, CANNED_KEEP);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	http_free(http);
	canned_free(&server);
	loop_deinit(&loop);
	return 0;
}

static int teardown(void **state)
{
	leave(state);
	names_release(names_count(&names.silent));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_more, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest_of_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connecting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_of_program, setup, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
