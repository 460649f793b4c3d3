/* What engines say of a container: the good, the wrong and the hostile. */
#include "unit.h"

#include <time.h>

#include "container_answer.h"

#define ID "12997d5834010a66fc3179ead0ed37827fd69150cb5986839e2bdc13ba7cdca8"
#define RUNS "\"State\":{\"Running\":true,\"Pid\":42}"

static const struct answer_case {
	const char *name;
	const char *body;
	int want;
	int64_t pid;
	const char *error;	/* a part of it */
} answer_cases[] = {
	{ "docker", "{\"Id\":\"" ID "\",\"Created\":\"2026-11-21T07:07:00.123456789Z\",\"Path\":\"sleep\",\"Args\":[\"9\"],"
	  "\"State\":{\"Status\":\"running\",\"Running\":true,\"Paused\":false,\"Restarting\":false,"
	  "\"OOMKilled\":false,\"Dead\":false,\"Pid\":4711,\"ExitCode\":0,\"Error\":\"\","
	  "\"StartedAt\":\"2026-11-21T07:07:01Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"},"
	  "\"Image\":\"sha256:" ID "\",\"Name\":\"/cp-x\",\"HostConfig\":{\"Memory\":0,\"Binds\":null}}\n",
	  CONTAINER_RUNS, 4711, NULL },
	{ "podman", "{\"Id\":\"" ID "\",\"State\":{\"Status\":\"running\",\"Running\":true,\"Paused\":false,"
	  "\"Pid\":13552,\"Health\":{\"Status\":\"\",\"FailingStreak\":0,\"Log\":null}},"
	  "\"Name\":\"/cp-x\",\"GraphDriver\":{\"Data\":null,\"Name\":\"vfs\"},\"SizeRootFs\":0,"
	  "\"Config\":{\"Env\":[\"PATH=/bin\"],\"Labels\":{}}}", CONTAINER_RUNS, 13552, NULL },
	{ "the least", "{\"Id\":\"" ID "\"," RUNS "}", CONTAINER_RUNS, 42, NULL },
	{ "a name without a slash", "{\"Name\":\"cp-x\",\"Id\":\"" ID "\"," RUNS "}", CONTAINER_RUNS, 42, NULL },
	{ "the greatest pid", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":2147483647}}",
	  CONTAINER_RUNS, 2147483647, NULL },
	{ "stopped", "{\"Id\":\"" ID "\",\"State\":{\"Running\":false,\"Pid\":0}}", CONTAINER_IDLE, 0,
	  "is not running" },
	{ "stopped, with a pid left over", "{\"Id\":\"" ID "\",\"State\":{\"Running\":false,\"Pid\":7}}",
	  CONTAINER_IDLE, 0, "is not running" },
	{ "runs without a process", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":0}}",
	  CONTAINER_IDLE, 0, "is not running" },
	{ "another one, whose id begins so", "{\"Name\":\"/other\",\"Id\":\"" ID "\"," RUNS "}",
	  CONTAINER_OTHER, 0, "none of that name" },
	{ "a name that only begins so", "{\"Name\":\"/cp-x2\",\"Id\":\"" ID "\"," RUNS "}",
	  CONTAINER_OTHER, 0, "none of that name" },
	{ "a name with a NUL", "{\"Name\":\"/cp-x\\u0000y\",\"Id\":\"" ID "\"," RUNS "}", CONTAINER_OTHER, 0,
	  "none of that name" },
	{ "nothing", "", CONTAINER_MALFORMED, 0, "not JSON" },
	{ "no JSON", "hello", CONTAINER_MALFORMED, 0, "not JSON" },
	{ "cut off", "{\"Id\":\"" ID "\"," RUNS, CONTAINER_MALFORMED, 0, "not JSON" },
	{ "trailing bytes", "{\"Id\":\"" ID "\"," RUNS "}}", CONTAINER_MALFORMED, 0, "not JSON" },
	{ "an array", "[{\"Id\":\"" ID "\"," RUNS "}]", CONTAINER_MALFORMED, 0, "JSON object" },
	{ "an error", "{\"message\":\"oh no\"}", CONTAINER_MALFORMED, 0, "Id is not 64" },
	{ "no Id", "{" RUNS "}", CONTAINER_MALFORMED, 0, "Id is not 64" },
	{ "an Id that is a number", "{\"Id\":12," RUNS "}", CONTAINER_MALFORMED, 0, "Id is not 64" },
	{ "a short Id", "{\"Id\":\"12997d583401\"," RUNS "}", CONTAINER_MALFORMED, 0, "Id is not 64" },
	{ "a long Id", "{\"Id\":\"" ID "0\"," RUNS "}", CONTAINER_MALFORMED, 0, "Id is not 64" },
	{ "an Id of other characters", "{\"Id\":\"../../../../../../../../../../../../../../../../../../../../etc/\","
	  RUNS "}", CONTAINER_MALFORMED, 0, "Id is not 64" },
	{ "an Id with a NUL", "{\"Id\":\"\\u00002997d5834010a66fc3179ead0ed37827fd69150cb5986839e2bdc13ba7cdca8\","
	  RUNS "}", CONTAINER_MALFORMED, 0, "Id is not 64" },
	{ "no State", "{\"Id\":\"" ID "\"}", CONTAINER_MALFORMED, 0, "State is no object" },
	{ "a State in words, as podman's own interface has it", "{\"Id\":\"" ID "\",\"State\":\"running\",\"Pid\":4}",
	  CONTAINER_MALFORMED, 0, "State is no object" },
	{ "no Running", "{\"Id\":\"" ID "\",\"State\":{\"Pid\":4}}", CONTAINER_MALFORMED, 0, "Running is neither" },
	{ "Running in words", "{\"Id\":\"" ID "\",\"State\":{\"Running\":\"true\",\"Pid\":4}}",
	  CONTAINER_MALFORMED, 0, "Running is neither" },
	{ "no Pid", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true}}", CONTAINER_MALFORMED, 0, "Pid is no process" },
	{ "a Pid in words", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":\"4\"}}",
	  CONTAINER_MALFORMED, 0, "Pid is no process" },
	{ "half a Pid", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":4.5}}",
	  CONTAINER_MALFORMED, 0, "Pid is no process" },
	{ "a negative Pid", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":-1}}",
	  CONTAINER_MALFORMED, 0, "Pid is no process" },
	{ "a Pid too large", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":2147483648}}",
	  CONTAINER_MALFORMED, 0, "Pid is no process" },
	{ "a Pid of 30 digits", "{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Pid\":100000000000000000000000000000}}",
	  CONTAINER_MALFORMED, 0, "Pid is no process" },
	{ "an Id twice", "{\"Id\":\"" ID "\",\"Id\":\"" ID "\"," RUNS "}", CONTAINER_MALFORMED, 0, "not JSON" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answer_cases); i++) {
		const struct answer_case *c = &answer_cases[i];
		struct container found = { .pid = -5 };
		char error[SOURCE_ERROR_MAX] = "";

		print_message("# %s\n", c->name);
		assert_int_equal(container_answer_read(c->body, strlen(c->body), "cp-x", &found, error),
				 c->want);
		assert_int_equal(found.pid, c->want == CONTAINER_RUNS ? c->pid : -5);
		if (c->want == CONTAINER_RUNS)
			assert_string_equal(found.id, ID);
		else if (!strstr(error, c->error))
			fail_msg("\"%s\" is not in \"%s\"", c->error, error);
	}
}

/* An engine may be asked for a whole id, too. */
static void test_by_id(void **state)
{
	static const char body[] = "{\"Name\":\"/web\",\"Id\":\"" ID "\"," RUNS "}";
	struct container found;
	char error[SOURCE_ERROR_MAX];

	(void)state;
	assert_int_equal(container_answer_read(body, sizeof body - 1, ID, &found, error), CONTAINER_RUNS);
	assert_int_equal(container_answer_read(body, sizeof body - 1, "12997d5834", &found, error),
			 CONTAINER_OTHER);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* As long as an answer may be (ENGINE_ANSWER_MAX), of what takes longest; the times are for the reader. */
static void test_long(void **state)
{
	static const struct {
		const char *name, *piece;
		const char *error;
	} cases[] = {
		{ "nested arrays", "[", "not JSON" },
		{ "empty arrays", "[],", "not JSON" },
		{ "numbers", "1,", "not JSON" },
		{ "strings", "\"\",", "not JSON" },
		{ "blanks", " ", "not JSON" },
		{ "zeros", "\0", "not JSON" },
	};
	size_t max = 256 << 10;
	char *body = malloc(max), error[SOURCE_ERROR_MAX];
	struct container found;

	(void)state;
	assert_non_null(body);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t piece = cases[i].piece[0] ? strlen(cases[i].piece) : 1;
		int64_t begun;

		body[0] = '[';
		for (size_t at = 1; at < max; at++)
			body[at] = cases[i].piece[(at - 1) % piece];
		begun = now_us();
		assert_int_equal(container_answer_read(body, max, "cp-x", &found, error),
				 CONTAINER_MALFORMED);
		print_message("# %s: %lld us\n", cases[i].name, (long long)(now_us() - begun));
		assert_non_null(strstr(error, cases[i].error));
	}
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_by_id),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
