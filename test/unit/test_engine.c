/* Which engine is asked when, what is told, and how one that fails is left alone. The clock is ours. */
#include "unit.h"

#include <ctype.h>
#include <signal.h>
#include <stdbool.h>

#include "engine.h"
#include "canned_server.h"

#define ID "12997d5834010a66fc3179ead0ed37827fd69150cb5986839e2bdc13ba7cdca8"
#define ANSWER(status, body) "HTTP/1.1 " status "\r\n\r\n" body
#define RUNS ANSWER("200 OK", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":42}}")
#define IDLE ANSWER("200 OK", "{\"Id\":\"" ID "\",\"State\":{\"Running\":false,\"Pid\":0}}")
#define UNKNOWN ANSWER("404 Not Found", "{\"message\":\"no such container\"}")

static struct loop loop;
static struct stats stats;
static struct http *http;
static struct canned one, two;
static struct sockets sockets;
static struct engines *engines;

struct question {
	struct engine_question *q;
	int told;
	struct container found;		/* pid 0 = none */
	char why[SOURCE_ERROR_MAX];
};

static void on_told(void *ctx, const struct container *found, const char *why)
{
	struct question *t = ctx;

	t->told++;
	t->q = NULL;
	assert_true(!found == !!why);
	if (found)
		t->found = *found;
	else
		snprintf(t->why, sizeof t->why, "%s", why);
}

static void ask(struct question *t, const char *name)
{
	*t = (struct question){ 0 };
	assert_int_equal(engines_ask(engines, name, on_told, t, &t->q), 0);
	assert_int_equal(t->told, 0);	/* never from inside */
}

/* The pass goes on for ever, so that its time is the one set here. */
static void turn(void)
{
	assert_int_equal(event_base_loop(loop.base, EVLOOP_ONCE), 0);
}

static void wait_for(const struct question *t)
{
	while (!t->told)
		turn();
	assert_int_equal(t->told, 1);
}

static void wait_requests(const struct canned *c, size_t n)
{
	while (c->requests < n)
		turn();
}

static void advance(int64_t ms)
{
	loop.now.mono_ns += ms * 1000000;
}

static void use(size_t n)
{
	engines_free(engines);
	sockets.n = n;
	stats = (struct stats){ 0 };
	one.requests = two.requests = 0;
	assert_int_equal(engines_new(&engines, &loop, http, &sockets, &stats), 0);
	assert_int_equal(engines_count(engines), n);
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(loop_init(&loop, &stats), 0);
	loop_enter(&loop);
	assert_int_equal(http_new(&http, &loop, NULL), 0);
	canned_new(&one, &loop);
	canned_new(&two, &loop);
	strcpy(sockets.path[0], one.path);
	strcpy(sockets.path[1], two.path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engines_free(engines);
	engines_free(NULL);
	http_free(http);
	canned_free(&one);
	canned_free(&two);
	loop_deinit(&loop);
	return 0;
}

/* --- what is told --- */

static const struct answer_case {
	const char *name;
	const char *first, *second;
	bool found;
	size_t asked;		/* engines */
	uint64_t unknown, failures;
	const char *why;	/* of the first */
} answer_cases[] = {
	{ "the first has it", RUNS, RUNS, true, 1, 0, 0, NULL },
	{ "the second has it", UNKNOWN, RUNS, true, 2, 1, 0, NULL },
	{ "the first has a stopped one", IDLE, RUNS, true, 2, 1, 0, NULL },
	{ "the first fails", ANSWER("500 Oh", ""), RUNS, true, 2, 0, 1, NULL },
	{ "nobody", UNKNOWN, UNKNOWN, false, 2, 2, 0, "no such container" },
	{ "not running", IDLE, UNKNOWN, false, 2, 2, 0, "the container is not running" },
	{ "forbidden", ANSWER("403 No", ""), UNKNOWN, false, 2, 1, 0, "it answers with HTTP status 403" },
	{ "in trouble", ANSWER("503 Oh", ""), UNKNOWN, false, 2, 1, 1, "it answers with HTTP status 503" },
	{ "no engine at all", ANSWER("200 OK", "<html>"), UNKNOWN, false, 2, 1, 1,
	  "not an engine's answer" },
	{ "no HTTP", "hello\r\n", UNKNOWN, false, 2, 1, 1, "HTTP/0.9" },
};

static void test_answers(void **state)
{
	char want[SOURCE_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answer_cases); i++) {
		const struct answer_case *c = &answer_cases[i];
		struct question t;

		print_message("# %s\n", c->name);
		use(2);
		canned_answers(&one, c->first, CANNED_CLOSE);
		canned_answers(&two, c->second, CANNED_CLOSE);
		ask(&t, "cp-x");
		wait_for(&t);
		assert_int_equal(one.requests + two.requests, c->asked);
		assert_int_equal(stats.engine_questions, c->asked);
		assert_int_equal(stats.engine_found, c->found);
		assert_int_equal(stats.engine_unknown, c->unknown);
		assert_int_equal(stats.engine_failures, c->failures);
		assert_int_equal(t.found.pid, c->found ? 42 : 0);
		if (c->found) {
			assert_string_equal(t.found.id, ID);
			continue;
		}
		snprintf(want, sizeof want, "no engine knows container cp-x: %s: ", one.path);
		assert_memory_equal(t.why, want, strlen(want));
		assert_non_null(strstr(t.why, c->why));
		snprintf(want, sizeof want, "; %s: ", two.path);
		assert_non_null(strstr(t.why, want));
	}
	assert_memory_equal(one.last, "GET /containers/cp-x/json HTTP/1.1\r\n", 36);
}

static void test_names(void **state)
{
	char longest[ENGINE_NAME_MAX + 1], too_long[ENGINE_NAME_MAX + 2];
	const struct {
		const char *name;
		bool good;
	} cases[] = {
		{ "a", true }, { "0_.-Z", true }, { longest, true }, { too_long, false }, { "", false },
		{ "-a", false }, { ".", false }, { "..", false }, { "_a", false }, { "a/b", false },
		{ "a/../../info", false }, { "a b", false }, { "a?all=1", false }, { "a%2f", false },
		{ "a#", false }, { "a\r\nX: y", false }, { "\xc3\xa4", false }, { "a\x7f", false },
	};

	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	memset(too_long, 'x', sizeof too_long - 1);
	longest[sizeof longest - 1] = too_long[sizeof too_long - 1] = '\0';
	use(1);
	canned_answers(&one, UNKNOWN, CANNED_CLOSE);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t before = one.requests;
		struct question t;

		ask(&t, cases[i].name);
		wait_for(&t);
		assert_int_equal(one.requests - before, cases[i].good);
		if (!cases[i].good)
			assert_string_equal(t.why, "container_name is not " ENGINE_NAME_RULE);
	}
}

/* Many engines with long paths, and a long name: what does not fit is cut, and shows it. */
static void test_long_sentence(void **state)
{
	struct sockets many = { .n = SOCKETS_MAX };
	char name[ENGINE_NAME_MAX + 1];
	struct question t;
	struct sockets kept = sockets;

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (size_t i = 0; i < many.n; i++)
		snprintf(many.path[i], SOCKETS_PATH_MAX, "/nowhere/%090zu.sock", i);
	sockets = many;
	use(many.n);
	ask(&t, name);
	wait_for(&t);
	print_message("# %s\n", t.why);
	assert_int_equal(strlen(t.why), SOURCE_ERROR_MAX - 1);
	assert_string_equal(t.why + strlen(t.why) - 3, "...");
	assert_non_null(strstr(t.why, "nnn...: ...000"));
	assert_non_null(strstr(t.why, "0.sock: No such file or directory; "));
	assert_int_equal(stats.engine_failures, SOCKETS_MAX);
	sockets = kept;
}

/* --- an engine that fails --- */

static void expect(const char *part, uint64_t requests, uint64_t suspended)
{
	struct question t;

	ask(&t, "cp-x");
	wait_for(&t);
	assert_non_null(strstr(t.why, part));
	assert_int_equal(one.requests, requests);
	assert_int_equal(stats.engine_suspended, suspended);
}

static void test_suspension(void **state)
{
	int64_t wait = ENGINE_SUSPEND_MIN_MS;
	uint64_t requests = 0, suspended = 0;

	(void)state;
	use(1);
	canned_answers(&one, ANSWER("500 Oh", ""), CANNED_CLOSE);
	for (int n = 0; n < 10; n++) {
		expect("status 500", ++requests, suspended);
		expect("status 500", requests, ++suspended);
		advance(wait - 1);
		expect("status 500", requests, ++suspended);
		advance(1);
		wait = wait * 2 < ENGINE_SUSPEND_MAX_MS ? wait * 2 : ENGINE_SUSPEND_MAX_MS;
	}
	assert_int_equal(wait, ENGINE_SUSPEND_MAX_MS);
	/* Once it answers it is as if nothing had been. */
	canned_answers(&one, UNKNOWN, CANNED_CLOSE);
	expect("no such container", ++requests, suspended);
	expect("no such container", ++requests, suspended);
	canned_answers(&one, ANSWER("500 Oh", ""), CANNED_CLOSE);
	expect("status 500", ++requests, suspended);
	advance(ENGINE_SUSPEND_MIN_MS);
	expect("status 500", ++requests, suspended);
}

/*
 * What is told of a container may have been written by who made it: that it cannot be understood, or
 * is too long, is no reason not to ask for others.
 */
static const struct told_case {
	const char *answer, *why;
} told_cases[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{", "more than 262144 bytes" },
	{ ANSWER("200 OK", "{\"Id\":7}"), "not an engine's answer" },
	{ ANSWER("200 OK", "\\u0000"), "not an engine's answer" },
};

static void test_bad_container(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(told_cases); i++) {
		use(1);
		canned_answers(&one, told_cases[i].answer, CANNED_CLOSE);
		for (uint64_t n = 1; n <= 3; n++) {
			expect(told_cases[i].why, n, 0);
			assert_int_equal(stats.engine_failures, n);
		}
	}
}

/* What was under way together fails together: once. */
static void test_one_failure_of_many(void **state)
{
	struct question t[ENGINE_QUESTIONS_MAX];

	(void)state;
	use(1);
	canned_answers(&one, ANSWER("500 Oh", ""), CANNED_CLOSE);
	for (int i = 0; i < ENGINE_QUESTIONS_MAX; i++)
		ask(&t[i], "cp-x");
	for (int i = 0; i < ENGINE_QUESTIONS_MAX; i++)
		wait_for(&t[i]);
	assert_int_equal(one.requests, ENGINE_QUESTIONS_MAX);
	advance(ENGINE_SUSPEND_MIN_MS);
	expect("status 500", ENGINE_QUESTIONS_MAX + 1, 0);
}

/* Whether it is back is found out by one question; the others are not held up by it. */
static void test_trial(void **state)
{
	struct question trial, other;

	(void)state;
	use(1);
	canned_answers(&one, ANSWER("500 Oh", ""), CANNED_CLOSE);
	expect("status 500", 1, 0);
	advance(ENGINE_SUSPEND_MIN_MS);
	canned_answers(&one, NULL, CANNED_KEEP);
	ask(&trial, "cp-x");
	wait_requests(&one, 2);
	ask(&other, "cp-y");
	wait_for(&other);
	assert_int_equal(trial.told, 0);
	assert_int_equal(one.requests, 2);
	/* Without an answer to that one the next has to find out. */
	engines_cancel(trial.q);
	ask(&other, "cp-y");
	wait_requests(&one, 3);
	engines_cancel(other.q);
	assert_int_equal(trial.told + other.told, 0);
}

/* --- many questions --- */

/* At most so many at once, and the others in the order in which they came. */
static void test_turns(void **state)
{
	struct question t[ENGINE_QUESTIONS_MAX + 3];
	char name[16];

	(void)state;
	use(1);
	canned_answers(&one, NULL, CANNED_KEEP);
	for (size_t i = 0; i < COUNT_OF(t); i++) {
		snprintf(name, sizeof name, "n%zu", i);
		ask(&t[i], name);
	}
	wait_requests(&one, ENGINE_QUESTIONS_MAX);
	assert_int_equal(stats.engine_questions, ENGINE_QUESTIONS_MAX);
	engines_cancel(t[ENGINE_QUESTIONS_MAX].q);	/* waits */
	engines_cancel(t[3].q);				/* is asked */
	engines_cancel(NULL);
	wait_requests(&one, ENGINE_QUESTIONS_MAX + 1);
	snprintf(name, sizeof name, "/n%d/", ENGINE_QUESTIONS_MAX + 1);
	assert_non_null(strstr(one.last, name));
	assert_int_equal(stats.engine_questions, ENGINE_QUESTIONS_MAX + 1);
	/* The rest is under way, waits, or is yet to be told. */
	ask(&t[3], "/");
	engines_free(engines);
	engines = NULL;
	for (size_t i = 0; i < COUNT_OF(t); i++)
		assert_int_equal(t[i].told, 0);
}

/* A silent engine costs those it already has, and no others: the second answers the rest. */
static void test_silent(void **state)
{
	struct question t[3 * ENGINE_QUESTIONS_MAX];

	(void)state;
	use(2);
	canned_answers(&one, NULL, CANNED_KEEP);
	canned_answers(&two, RUNS, CANNED_CLOSE);
	for (size_t i = 0; i < COUNT_OF(t); i++)
		ask(&t[i], "cp-x");
	for (size_t i = 0; i < COUNT_OF(t); i++) {
		wait_for(&t[i]);
		assert_int_equal(t[i].found.pid, 42);
	}
	assert_in_range(one.requests, ENGINE_QUESTIONS_MAX, 2 * ENGINE_QUESTIONS_MAX - 1);
	assert_int_equal(two.requests, COUNT_OF(t));
	assert_int_equal(stats.engine_suspended, COUNT_OF(t) - one.requests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_sentence),
		cmocka_unit_test(test_suspension),
		cmocka_unit_test(test_bad_container),
		cmocka_unit_test(test_one_failure_of_many),
		cmocka_unit_test(test_trial),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
