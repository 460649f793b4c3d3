#include "unit.h"
#include "../../src/source/process.h"
#include "source_tree.h"

#define STAT_TAIL " 5 1 1 0 -1 4194304 9 0 0 0 11 22 33 44 20 0 3 0 777 1000 2\n"

static const struct stat_case {
	const char *name;
	const char *text;
	bool good;
	char state;
} stat_cases[] = {
	{ "plain", "12 (sh) S" STAT_TAIL, true, 'S' },
	{ "a name with blanks and brackets", "12 (a) R (b) c) Z" STAT_TAIL, true, 'Z' },
	{ "an empty name", "12 () R" STAT_TAIL, true, 'R' },
	{ "ends at the start time", "12 (a) R 5 1 1 0 -1 0 9 0 0 0 11 22 33 44 20 0 3 0 777", true,
	  'R' },
	{ "empty", "", false, 0 },
	{ "no name", "12 sh S" STAT_TAIL, false, 0 },
	{ "ends behind the name", "12 (sh)", false, 0 },
	{ "ends behind the state", "12 (sh) S", false, 0 },
	{ "ends behind a field", "12 (sh) S 5 1 1 0 -1 0 9 0 0 0 11 22 ", false, 0 },
	{ "one field less", "12 (sh) S 5 1 1 0 -1 0 9 0 0 0 11 22 33 44 20 0 3 0\n", false, 0 },
	{ "negative time", "12 (a) R 5 1 1 0 -1 0 9 0 0 0 -1 22 33 44 20 0 3 0 777\n", false, 0 },
	{ "a time that does not fit",
	  "12 (a) R 5 1 1 0 -1 0 9 0 0 0 99999999999999999999 22 33 44 20 0 3 0 777\n", false, 0 },
	{ "a word for a time",
	  "12 (a) R 5 1 1 0 -1 0 9 0 0 0 x 22 33 44 20 0 3 0 777\n", false, 0 },
	{ "a start time and more", "12 (a) R 5 1 1 0 -1 0 9 0 0 0 1 22 33 44 20 0 3 0 777x", false,
	  0 },
};

static void test_stat(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(stat_cases); i++) {
		const struct stat_case *c = &stat_cases[i];
		struct process_stat s = { .state = '\0' };

		print_message("# %s\n", c->name);
		assert_int_equal(process_stat_parse(c->text, strlen(c->text), &s), c->good);
		assert_int_equal(s.state, c->state);
		if (!c->good)
			continue;
		assert_int_equal(s.parent, 5);
		assert_int_equal(s.user, 11);
		assert_int_equal(s.system, 22);
		assert_int_equal(s.children_user, 33);
		assert_int_equal(s.children_system, 44);
		assert_int_equal(s.threads, 3);
		assert_int_equal(s.start, 777);
	}
}

/* --- a planted tree --- */

static void plant_good(void)
{
	tree_stat(7, 'S', 1, 250, 9, 1, 777);
	tree_put("/proc/7/status", "Name:\ta\nRssAnon:\t     100 kB\nRssFile:\t  999 kB\n"
				   "RssShmem:\t      20 kB\n");
	tree_link("/proc/1/ns/net", "net:[1]");
	tree_link("/proc/7/ns/net", "net:[7]");
	tree_put("/proc/7/net/dev", "h |\nh |\ne: 5 0 0 0 0 0 0 0 6 0 0\n");
}

#define HAS_ALL (READING_CPU_TIME | READING_MEMORY_USED | READING_NETWORK)

/* One file of a good process is replaced; NULL removes it. */
static const struct planted_case {
	const char *name;
	const char *path;
	const char *text;
	unsigned has;		/* 0 = a failure with this in its sentence: */
	const char *error;
} planted_cases[] = {
	{ "good", "/proc/7/comm", "x", HAS_ALL, NULL },
	{ "another start time", "/proc/7/stat",
	  "7 (a) S 1 1 1 0 -1 4 9 0 0 0 250 0 0 0 20 0 1 0 778 1\n", 0,
	  "pid 7 now belongs to another process" },
	{ "a zombie", "/proc/7/stat", "7 (a) Z 1 1 1 0 -1 4 9 0 0 0 250 0 0 0 20 0 1 0 777 1\n", 0,
	  "process 7 has ended" },
	{ "dead", "/proc/7/stat", "7 (a) X 1 1 1 0 -1 4 9 0 0 0 250 0 0 0 20 0 0 0 777 1\n", 0,
	  "process 7 has ended" },
	{ "the first thread has ended, others live", "/proc/7/stat",
	  "7 (a) Z 1 1 1 0 -1 4 9 0 0 0 250 0 0 0 20 0 2 0 777 1\n", HAS_ALL, NULL },
	{ "gone", "/proc/7", NULL, 0, "process 7 has ended" },
	{ "stat gone", "/proc/7/stat", NULL, 0, "process 7 has ended" },
	{ "stat empty", "/proc/7/stat", "", 0, "cannot be understood" },
	{ "stat of blanks", "/proc/7/stat", "      \n", 0, "cannot be understood" },
	{ "stat negative", "/proc/7/stat",
	  "7 (a) S 1 1 1 0 -1 4 9 0 0 0 -250 0 0 0 20 0 1 0 777 1\n", 0, "cannot be understood" },
	{ "ticks that do not fit", "/proc/7/stat", "7 (a) S 1 1 1 0 -1 4 9 0 0 0 "
	  "18446744073709551615 1 0 0 20 0 1 0 777 1\n", 0, "cannot be understood" },
	{ "nanoseconds that do not fit", "/proc/7/stat", "7 (a) S 1 1 1 0 -1 4 9 0 0 0 "
	  "18446744073709551614 1 0 0 20 0 1 0 777 1\n", 0, "cannot be understood" },
	{ "status gone", "/proc/7/status", NULL, HAS_ALL & ~READING_MEMORY_USED, NULL },
	{ "a kernel thread", "/proc/7/status", "Name:\tkworker\nThreads:\t1\n",
	  HAS_ALL & ~READING_MEMORY_USED, NULL },
	{ "only one of two lines", "/proc/7/status", "RssAnon:\t1 kB\n",
	  HAS_ALL & ~READING_MEMORY_USED, NULL },
	{ "memory that does not fit", "/proc/7/status",
	  "RssAnon:\t18446744073709551615 kB\nRssShmem:\t0 kB\n", HAS_ALL & ~READING_MEMORY_USED,
	  NULL },
	{ "negative memory", "/proc/7/status", "RssAnon:\t-1 kB\nRssShmem:\t0 kB\n",
	  HAS_ALL & ~READING_MEMORY_USED, NULL },
	{ "a namespace that cannot be read", "/proc/7/ns/net", NULL,
	  HAS_ALL & ~(unsigned)READING_NETWORK, NULL },
	{ "network garbage", "/proc/7/net/dev", "e: x\n", HAS_ALL & ~(unsigned)READING_NETWORK,
	  NULL },
};

static void test_planted(void **state)
{
	size_t before = tree_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(planted_cases); i++) {
		const struct planted_case *c = &planted_cases[i];
		struct source_set *set;
		struct source *s;
		struct reading r;
		char error[SOURCE_ERROR_MAX] = "";
		int got;

		print_message("# %s\n", c->name);
		tree_new();
		plant_good();
		set = tree_set(tree_dir, false);
		s = tree_bind(set, SOURCE_PROCESS, NULL, 7);
		if (c->text)
			tree_put(c->path, c->text);
		else
			tree_remove(c->path);
		memset(&r, 0x5a, sizeof r);
		got = source_read(set, s, &r, error);
		if (c->error) {
			assert_true(got > 0);
			assert_non_null(strstr(error, c->error));
		} else {
			assert_int_equal(got, 0);
			assert_int_equal(r.has, c->has);
			assert_int_equal(r.cpu_ns, 250 * (1000000000 / sysconf(_SC_CLK_TCK)));
			assert_int_equal(r.incarnation[0], 7);
			assert_int_equal(r.incarnation[1], 777);
			assert_true(r.mono_ns > 0);
			assert_int_equal(r.stamp_ms, 0);
		}
		if (got == 0 && (r.has & READING_MEMORY_USED))
			assert_int_equal(r.memory_used, 120 * 1024);
		if (got == 0 && (r.has & READING_NETWORK))
			assert_int_equal(r.network_in * 10 + r.network_out, 56);
		source_free(s);
		source_set_free(set);
		tree_free();
	}
	assert_int_equal(tree_descriptors(), before);
}

/* The groups of a process may be 700 KB of text, and stand before what we look for. */
static void test_long_status(void **state)
{
	size_t cap = 800000, len = 0;
	struct source_set *set;
	struct source *s;
	struct reading r;
	char error[SOURCE_ERROR_MAX];
	char *text = malloc(cap);

	(void)state;
	assert_non_null(text);
	len += (size_t)sprintf(text, "Name:\ta\nGroups:\t");
	while (len < cap - 1000)
		len += (size_t)sprintf(text + len, "1234567890 ");
	sprintf(text + len, "\nRssAnon:\t     100 kB\nRssFile:\t  999 kB\n"
			    "RssShmem:\t      20 kB\n");
	tree_new();
	plant_good();
	tree_put("/proc/7/status", text);
	set = tree_set(tree_dir, false);
	s = tree_bind(set, SOURCE_PROCESS, NULL, 7);
	assert_int_equal(source_read(set, s, &r, error), 0);
	assert_int_equal(r.memory_used, 120 * 1024);
	source_free(s);
	source_set_free(set);
	tree_free();
	free(text);
}

static const struct bind_case {
	const char *name;
	enum source_kind kind;
	int64_t pid;
	enum failure reason;
	const char *error;
} bind_cases[] = {
	{ "no pid", SOURCE_PROCESS, 0, FAILURE_TARGET, "the target names no pid" },
	{ "negative", SOURCE_PROCESS, -7, FAILURE_TARGET, "-7 is not a process id" },
	{ "more than any pid", SOURCE_PROCESS, 4294967303, FAILURE_TARGET,
	  "4294967303 is not a process id" },
	{ "no such process", SOURCE_PROCESS, 99, FAILURE_ABSENT, "there is no process 99" },
	{ "a zombie", SOURCE_PROCESS, 8, FAILURE_GONE, "process 8 has ended" },
	{ "cgroups nowhere", SOURCE_CGROUP, 7, FAILURE_UNREADABLE, "mountinfo cannot be read" },
	{ "neither path nor pid", SOURCE_CGROUP, 0, FAILURE_TARGET, "neither cgroup_path nor pid" },
	{ "the bus", SOURCE_BUS, 7, FAILURE_TARGET, "kind bus is not read" },
	{ "nothing", SOURCE_NONE, 7, FAILURE_TARGET, "kind none is not read" },
};

static void test_bind(void **state)
{
	struct source_set *set;

	(void)state;
	tree_new();
	plant_good();
	tree_stat(8, 'Z', 1, 250, 9, 1, 777);
	set = tree_set(tree_dir, false);
	for (size_t i = 0; i < COUNT_OF(bind_cases); i++) {
		const struct bind_case *c = &bind_cases[i];
		struct target t = { .pid = c->pid };
		struct source *s = NULL;
		char error[SOURCE_ERROR_MAX] = "";

		print_message("# %s\n", c->name);
		assert_int_equal(source_bind(set, c->kind, &t, &s, error), c->reason);
		assert_non_null(strstr(error, c->error));
		assert_null(s);
	}
	source_free(NULL);
	source_set_free(set);
	source_set_free(NULL);
	tree_free();
}

/* --- planted descendants --- */

static void plant_node(int pid, const char *children)
{
	char path[64];

	tree_stat(pid, 'S', 1, 100, 10, 1, 777);
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	tree_put(path, "RssAnon:\t1 kB\nRssShmem:\t1 kB\n");
	if (!children)
		return;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	tree_put(path, children);
}

static int read_tree(struct reading *r, char error[SOURCE_ERROR_MAX])
{
	struct source_set *set = tree_set(tree_dir, true);
	struct source *s = tree_bind(set, SOURCE_PROCESS, NULL, 7);
	int got;

	error[0] = '\0';
	got = source_read(set, s, r, error);
	source_free(s);
	source_set_free(set);
	return got;
}

static void expect_tree(unsigned nodes)
{
	char error[SOURCE_ERROR_MAX];
	struct reading r;

	assert_int_equal(read_tree(&r, error), 0);
	assert_int_equal(r.has, READING_CPU_TIME | READING_MEMORY_USED);
	assert_int_equal(r.cpu_ns, nodes * 110 * (1000000000 / sysconf(_SC_CLK_TCK)));
	assert_int_equal(r.memory_used, nodes * 2048);
	assert_int_equal(r.incarnation[0], 7);
	assert_int_equal(r.incarnation[1], 777);
}

static void expect_tree_error(const char *sentence)
{
	char error[SOURCE_ERROR_MAX];
	struct reading r;

	assert_true(read_tree(&r, error) > 0);
	assert_non_null(strstr(error, sentence));
}

static void test_planted_tree(void **state)
{
	size_t before = tree_descriptors();

	(void)state;
	tree_new();
	print_message("# alone\n");
	plant_node(7, "");
	expect_tree(1);
	print_message("# children and a grandchild\n");
	plant_node(7, "8 9 ");
	plant_node(8, "");
	plant_node(9, "10");
	plant_node(10, "");
	expect_tree(4);
	print_message("# a circle, and a child listed twice\n");
	plant_node(10, "7 9 10 8 8 ");
	expect_tree(4);
	print_message("# a child that is gone, and words that are no pids\n");
	plant_node(8, "99 x -1 0 99999999999 ");
	expect_tree(4);
	print_message("# the children of a second thread\n");
	tree_stat(9, 'S', 1, 100, 10, 2, 777);
	tree_put("/proc/9/task/901/children", "11 ");
	plant_node(11, "");
	expect_tree(5);
	print_message("# a child that cannot be understood\n");
	tree_put("/proc/11/stat", "garbage\n");
	expect_tree_error("cannot be understood");
	print_message("# ticks that do not fit when summed\n");
	tree_put("/proc/11/stat", "11 (a) S 1 1 1 0 -1 4 9 0 0 0 18446744073709551615 0 0 0 20 0 1 "
				  "0 777 1\n");
	expect_tree_error("cannot be understood");
	print_message("# a kernel without these lists\n");
	tree_remove("/proc/7/task");
	expect_tree_error("does not list the children");
	tree_free();
	assert_int_equal(tree_descriptors(), before);
}

static void test_tree_bounds(void **state)
{
	char *list = malloc(8 * (PROCESS_TREE_MAX + 1));
	char path[64];
	size_t len = 0;

	(void)state;
	assert_non_null(list);
	tree_new();
	for (int i = 1; i < PROCESS_TREE_MAX; i++)
		len += (size_t)sprintf(list + len, "%d ", 100000 + i);
	plant_node(7, list);
	print_message("# as many as may be: all are looked at\n");
	for (int i = 1; i <= PROCESS_TREE_MAX; i++)
		plant_node(100000 + i, "");
	expect_tree(PROCESS_TREE_MAX);
	print_message("# one more\n");
	sprintf(list + len, "%d ", 100000 + PROCESS_TREE_MAX);
	plant_node(7, list);
	expect_tree_error("more than 4095 descendants");
	print_message("# too many threads\n");
	tree_stat(7, 'S', 1, 100, 10, 2, 777);
	tree_put("/proc/7/task/7/children", "");
	for (int i = 0; i < PROCESS_TREE_TASKS_MAX; i++) {
		snprintf(path, sizeof path, "/proc/7/task/%d/children", 200000 + i);
		tree_put(path, "");
	}
	expect_tree_error("more than 16384 threads");
	tree_free();
	free(list);
}

static size_t descriptors_at_start;

static int count_start(void **state)
{
	(void)state;
	descriptors_at_start = tree_descriptors();
	return 0;
}

static int count_end(void **state)
{
	(void)state;
	return tree_descriptors() == descriptors_at_start ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_planted),
		cmocka_unit_test(test_long_status),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_planted_tree),
		cmocka_unit_test(test_tree_bounds),
	};

	return cmocka_run_group_tests(tests, count_start, count_end);
}
