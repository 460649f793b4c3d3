/*
 * Real cgroups of this machine: v1 where cpuacct and memory are mounted, else v2. Needs to be root.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "unit.h"
#include "source_live.h"
#include "source_tree.h"

#define MIB ((uint64_t)1 << 20)

static const char *const v1_dirs[] = { "/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup/memory", NULL };
static const char *const v2_dirs[] = { "/sys/fs/cgroup", NULL };

static const char *const *dirs;	/* NULL: no cgroup can be made here */
static char name[64];		/* "/meterd-test-<pid>" */
static pid_t member;		/* a child that lives in there */

static int write_file(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	FILE *f;
	int r;

	snprintf(path, sizeof path, "%s%s/%s", dir, name, file);
	f = fopen(path, "we");
	if (!f)
		return -1;
	r = fputs(text, f);
	return fclose(f) == 0 && r >= 0 ? 0 : -1;
}

static bool make(const char *const *where)
{
	char path[PATH_MAX];

	for (size_t i = 0; where[i]; i++) {
		snprintf(path, sizeof path, "%s/cgroup.procs", where[i]);
		if (access(path, W_OK) < 0)
			return false;
		snprintf(path, sizeof path, "%s%s", where[i], name);
		if (mkdir(path, 0755) < 0)
			return false;
	}
	dirs = where;
	return true;
}

static int setup(void **state)
{
	(void)state;
	dirs = NULL;
	snprintf(name, sizeof name, "/meterd-test-%d", (int)getpid());
	if (!make(v1_dirs))
		make(v2_dirs);
	return 0;
}

/* A cgroup whose last process was just waited for may be busy for a moment. */
static void remove_cgroups(void)
{
	char path[PATH_MAX];

	for (size_t i = 0; dirs && dirs[i]; i++) {
		snprintf(path, sizeof path, "%s%s", dirs[i], name);
		for (int k = 0; k < 1000 && rmdir(path) < 0 && errno == EBUSY; k++)
			usleep(1000);
	}
}

static int teardown(void **state)
{
	(void)state;
	if (member > 0)
		live_end(member);	/* the test failed in the middle */
	member = 0;
	remove_cgroups();
	return 0;
}

static bool cannot(void)
{
	if (!dirs)
		print_message("# skipped: not root, or no cgroup can be made below "
			      "/sys/fs/cgroup\n");
	return !dirs;
}

static int go[2];
static volatile bool *has_network;	/* shared with the child */

static void work(void)
{
	volatile char *p;
	char c;

	*has_network = unshare(CLONE_NEWNET) == 0;
	if (read(go[0], &c, 1) != 1)
		_exit(1);
	p = malloc(32 * MIB);
	for (size_t i = 0; p && i < 32 * MIB; i += 512)
		p[i] = 1;
	live_burn(300000000);
}

static void move_in(pid_t pid)
{
	char text[32];

	snprintf(text, sizeof text, "%d\n", (int)pid);
	for (size_t i = 0; dirs[i]; i++)
		assert_int_equal(write_file(dirs[i], "cgroup.procs", text), 0);
}

static bool limit_memory(void)
{
	return write_file(v1_dirs[1], "memory.limit_in_bytes", "134217728\n") == 0 ||
	       write_file(v2_dirs[0], "memory.max", "134217728\n") == 0;
}

static uint64_t children_cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void expect_gone(struct source_set *set, struct source *s)
{
	char error[SOURCE_ERROR_MAX] = "";
	struct reading r;

	assert_true(source_read(set, s, &r, error) > 0);
	assert_non_null(strstr(error, "is gone"));
}

/* Before and after work(). */
static void check_work(const struct reading *a, const struct reading *b, bool limited)
{
	assert_true(b->has & READING_CPU_TIME);
	assert_true(b->cpu_ns - a->cpu_ns >= 300000000 - 10000000);
	assert_true(b->mono_ns - a->mono_ns >= 290000000);
	if (b->has & READING_MEMORY_USED) {
		assert_true(b->memory_used >= 32 * MIB);
		assert_true(b->memory_used <= 128 * MIB);
	}
	assert_int_equal(b->has & READING_MEMORY_LIMIT, limited ? READING_MEMORY_LIMIT : 0);
	if (limited)
		assert_int_equal(b->memory_limit, 128 * MIB);
	assert_int_equal(b->has & READING_NETWORK, *has_network ? READING_NETWORK : 0);
}

static void test_lives_and_dies(void **state)
{
	uint64_t before_ns = children_cpu_ns(), used_ns;
	struct target t = { .pid = 0 };
	struct source *by_path, *by_pid;
	struct reading a, b, c;
	struct source_set *set;
	bool limited;
	int done;

	(void)state;
	if (cannot())
		skip();
	limited = limit_memory();
	set = tree_set("", false);
	assert_int_equal(pipe(go), 0);
	has_network = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(has_network != MAP_FAILED);
	t.pid = member = live_child(work, &done);
	assert_int_equal(source_choose(set, &t), SOURCE_PROCESS);	/* with us */
	move_in(member);
	assert_int_equal(source_choose(set, &t), SOURCE_CGROUP);
	by_path = tree_bind(set, SOURCE_CGROUP, name, 0);
	by_pid = tree_bind(set, SOURCE_CGROUP, NULL, t.pid);
	tree_read(set, by_path, &a);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_true(live_await(done));
	tree_read(set, by_path, &b);
	tree_read(set, by_pid, &c);

	check_work(&a, &b, limited);
	assert_true(c.cpu_ns >= b.cpu_ns);
	assert_memory_equal(a.incarnation, c.incarnation, sizeof a.incarnation);

	print_message("# its process has ended, the cgroup lives\n");
	live_end(member);
	member = 0;
	used_ns = children_cpu_ns() - before_ns;
	tree_read(set, by_pid, &c);
	assert_true(c.cpu_ns >= b.cpu_ns);
	/* What the kernel tells of the child itself; a little of it was used outside. */
	assert_true(c.cpu_ns <= used_ns + 50000000 && c.cpu_ns + 50000000 >= used_ns);
	assert_false(c.has & READING_NETWORK);

	print_message("# the cgroup is removed\n");
	remove_cgroups();
	expect_gone(set, by_path);
	expect_gone(set, by_pid);

	print_message("# and made anew\n");
	assert_true(make(dirs));
	tree_read(set, by_path, &c);
	assert_true(memcmp(a.incarnation, c.incarnation, sizeof a.incarnation) != 0);
	assert_true(c.cpu_ns < b.cpu_ns);
	source_free(by_path);
	source_free(by_pid);
	source_set_free(set);
	close(done);
	close(go[0]);
	close(go[1]);
	munmap((void *)has_network, 4096);
}

static void nothing(void)
{
}

static void test_network_of_host(void **state)
{
	struct source_set *set;
	struct source *s;
	struct reading r;
	int done;

	(void)state;
	if (cannot())
		skip();
	print_message("# a member in our own network namespace: no network\n");
	set = tree_set("", false);
	s = tree_bind(set, SOURCE_CGROUP, name, 0);
	member = live_child(nothing, &done);
	move_in(member);
	tree_read(set, s, &r);
	assert_true(r.has & READING_CPU_TIME);
	assert_false(r.has & READING_NETWORK);
	close(done);
	source_free(s);
	source_set_free(set);
}

static void own_network(void)
{
	*has_network = unshare(CLONE_NEWNET) == 0;
}

/* v1 shows the list of members of before to who reads an open cgroup.procs again within a second. */
static void test_member_comes(void **state)
{
	struct source_set *set;
	struct source *s;
	struct reading r;
	pid_t first;
	int done[2];

	(void)state;
	if (cannot())
		skip();
	has_network = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(has_network != MAP_FAILED);
	set = tree_set("", false);
	s = tree_bind(set, SOURCE_CGROUP, name, 0);
	first = live_child(nothing, &done[0]);
	move_in(first);
	member = live_child(own_network, &done[1]);
	assert_true(live_await(done[1]));
	tree_read(set, s, &r);
	assert_false(r.has & READING_NETWORK);
	move_in(member);
	tree_read(set, s, &r);
	assert_int_equal(r.has & READING_NETWORK, *has_network ? READING_NETWORK : 0);
	live_end(first);
	close(done[0]);
	close(done[1]);
	source_free(s);
	source_set_free(set);
	munmap((void *)has_network, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lives_and_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_network_of_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_member_comes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
