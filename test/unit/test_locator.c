/* Searches: what they tell when, how often they ask, and in which order. */
#include "unit.h"

#include <signal.h>
#include <stdbool.h>

#include "locator.h"
#include "canned_server.h"

#define ID "12997d5834010a66fc3179ead0ed37827fd69150cb5986839e2bdc13ba7cdca8"
#define RUNS "HTTP/1.1 200 OK\r\n\r\n{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":42}}"
#define UNKNOWN "HTTP/1.1 404 Not Found\r\n\r\n"
#define HOUR 3600000

static struct loop loop;
static struct stats stats;
static struct http *http;
static struct canned server;
static struct engines *engines;
static struct locator *locator;

/* What stands where the sampler stands. */
struct seeker {
	struct instance i;	/* first: it is what the locator hands back */
	struct search *search;
	bool refuses;		/* what is found */
	int found, found_awaited, not_found;
};

static bool on_found(void *ctx, struct instance *i, const struct container *container, bool awaited,
		     char error[SOURCE_ERROR_MAX])
{
	struct seeker *s = (struct seeker *)i;

	assert_ptr_equal(ctx, &loop);
	assert_string_equal(container->id, ID);
	s->found++;
	s->found_awaited += awaited;
	if (s->refuses) {
		snprintf(error, SOURCE_ERROR_MAX, "not here");
		return false;
	}
	search_free(s->search);
	s->search = NULL;
	return true;
}

static void on_not_found(void *ctx, struct instance *i)
{
	(void)ctx;
	((struct seeker *)i)->not_found++;
}

static void begin(struct seeker *s, const char *id)
{
	*s = (struct seeker){ 0 };
	snprintf(s->i.id, sizeof s->i.id, "%s", id);
	assert_int_equal(search_new(&s->search, locator, &s->i), 0);
	assert_int_equal(s->found + s->not_found, 0);	/* never from inside */
}

static void turn(void)
{
	assert_int_equal(event_base_loop(loop.base, EVLOOP_ONCE), 0);
	loop.in_pass = false;
}

static void wait_until(const int *count)
{
	while (!*count)
		turn();
}

static void wait_requests(size_t n)
{
	while (server.requests < n)
		turn();
}

static int setup_with(int64_t interval_ms)
{
	struct locator_options options = { interval_ms, on_found, on_not_found, &loop };
	struct sockets sockets = { .n = 1 };

	signal(SIGPIPE, SIG_IGN);
	stats = (struct stats){ 0 };
	assert_int_equal(loop_init(&loop, &stats), 0);
	assert_int_equal(http_new(&http, &loop, NULL), 0);
	canned_new(&server, &loop);
	strcpy(sockets.path[0], server.path);
	assert_int_equal(engines_new(&engines, &loop, http, &sockets, &stats), 0);
	assert_int_equal(locator_new(&locator, &loop, engines, &options), 0);
	assert_false(locator_is_idle(locator));
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with(HOUR);
}

static int setup_short(void **state)
{
	(void)state;
	return setup_with(100);
}

static int teardown(void **state)
{
	(void)state;
	locator_free(locator);
	engines_free(engines);
	http_free(http);
	canned_free(&server);
	loop_deinit(&loop);
	return 0;
}

static void test_found_at_once(void **state)
{
	struct seeker s;

	(void)state;
	canned_answers(&server, RUNS, CANNED_CLOSE);
	begin(&s, "a");
	wait_until(&s.found);
	assert_int_equal(s.found_awaited, 1);
	assert_int_equal(s.not_found, 0);
	assert_int_equal(server.requests, 1);
	assert_non_null(strstr(server.last, "/containers/cp-a/json"));
}

static void test_names(void **state)
{
	char name[] = "web", nothing[] = "";
	struct seeker s;

	(void)state;
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	begin(&s, "a");
	s.i.target.container_name = name;
	wait_requests(1);
	assert_non_null(strstr(server.last, "/containers/cp-a/json"));
	wait_requests(2);	/* said meanwhile */
	assert_non_null(strstr(server.last, "/containers/web/json"));
	s.i.target.container_name = nothing;
	wait_requests(3);
	assert_non_null(strstr(server.last, "/containers/cp-a/json"));
	search_free(s.search);
	search_free(NULL);
}

/* The reading is told once; what comes later is found without one. */
static void test_found_later(void **state)
{
	struct seeker s;

	(void)state;
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	begin(&s, "a");
	wait_until(&s.not_found);
	assert_non_null(strstr(search_why(s.search), "no such container"));
	wait_requests(3);
	s.refuses = true;
	canned_answers(&server, RUNS, CANNED_CLOSE);
	wait_until(&s.found);
	assert_string_equal(search_why(s.search), "not here");
	s.found = 0;
	s.refuses = false;
	wait_until(&s.found);
	assert_int_equal(s.not_found, 1);
	assert_int_equal(s.found_awaited, 0);
	assert_null(s.search);
}

/* What is refused while a reading waits for it ends that reading, too. */
static void test_refused_at_once(void **state)
{
	struct seeker s;

	(void)state;
	canned_answers(&server, RUNS, CANNED_CLOSE);
	begin(&s, "a");
	s.refuses = true;
	wait_until(&s.not_found);
	assert_int_equal(s.found_awaited, 1);
	search_free(s.search);
}

/* A reading waits half an interval at most; the question goes on, and is not put twice. */
static void test_slow_engine(void **state)
{
	struct seeker s;

	(void)state;
	canned_answers(&server, NULL, CANNED_KEEP);
	begin(&s, "a");
	wait_until(&s.not_found);
	assert_non_null(strstr(search_why(s.search), "not answered yet"));
	assert_int_equal(search_again(s.search), 0);
	s.not_found = 0;
	wait_until(&s.not_found);
	assert_int_equal(server.requests, 1);
	bufferevent_write(server.clients[0], RUNS, strlen(RUNS));
	server.end = CANNED_CLOSE;
	wait_until(&s.found);
	assert_int_equal(s.found_awaited, 0);
	assert_int_equal(server.requests, 1);
}

/* Whoever gave up hears nothing but that it is there. */
static void test_give_up(void **state)
{
	struct seeker s;

	(void)state;
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	begin(&s, "a");
	assert_true(search_give_up(s.search));
	assert_false(search_give_up(s.search));
	wait_requests(2);
	canned_answers(&server, RUNS, CANNED_CLOSE);
	wait_until(&s.found);
	assert_int_equal(s.not_found + s.found_awaited, 0);
}

/* Begun anew it asks at once, however long it was to wait. */
static void test_again(void **state)
{
	struct seeker s;

	(void)state;
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	begin(&s, "a");
	wait_until(&s.not_found);
	wait_requests(4);	/* the fifth would come 2 s later */
	while (stats.engine_unknown < 4)
		turn();
	for (size_t n = 5; n < 10; n++) {
		s.not_found = 0;
		assert_int_equal(search_again(s.search), 0);
		assert_int_equal(stats.engine_questions, n - 1);
		assert_int_equal(event_base_loop(loop.base, EVLOOP_NONBLOCK), 0);
		assert_int_equal(stats.engine_questions, n);
		wait_until(&s.not_found);
		assert_int_equal(stats.engine_questions, n);
	}
	search_free(s.search);
}

#define MANY 300

/* In each of its states, and all of them. */
static void test_freed(void **state)
{
	static struct seeker s[MANY];

	(void)state;
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	for (int i = 0; i < MANY; i++)
		begin(&s[i], "a");
	while (stats.engine_unknown < MANY + 3)	/* some wait to be due, most for their turn */
		turn();
	canned_answers(&server, NULL, CANNED_KEEP);
	for (int i = 0; i < MANY; i += 2)
		assert_int_equal(search_again(s[i].search), 0);	/* are asked, or wait for that */
	wait_requests(MANY + 3 + ENGINE_QUESTIONS_MAX);
	for (int i = 0; i < MANY; i++)
		search_free(s[i].search);
	/* Nothing of them is left: not in the engines, not in the queues. */
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	begin(&s[0], "b");
	wait_until(&s[0].not_found);
	wait_requests(server.requests + 2);
	search_free(s[0].search);
}

/* So many that are nowhere: asked again at the bounded rate, and one that is new does not wait for them. */
static void test_many(void **state)
{
	static struct seeker s[MANY];
	struct seeker newcomer;
	int64_t begun_ns;
	size_t before;

	(void)state;
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	for (int i = 0; i < MANY; i++)
		begin(&s[i], "a");
	wait_requests(MANY);
	begun_ns = loop_clock().mono_ns;
	wait_requests(MANY + 2 * LOCATOR_RETRIES_PER_SECOND);
	/* The first of them may have been asked again before. */
	assert_true(loop_clock().mono_ns - begun_ns >= (int64_t)1000000000);
	begin(&newcomer, "b");
	wait_until(&newcomer.not_found);
	before = server.requests;
	canned_answers(&server, UNKNOWN, CANNED_CLOSE);
	while (!strstr(server.last, "cp-b"))
		turn();
	server.last[0] = '\0';
	while (!strstr(server.last, "cp-b"))
		turn();
	assert_true(server.requests - before < 30);
	for (int i = 0; i < MANY; i++)
		search_free(s[i].search);
	search_free(newcomer.search);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_engine, setup_short, teardown),
		cmocka_unit_test_setup_teardown(test_give_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
