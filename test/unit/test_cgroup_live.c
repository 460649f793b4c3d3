/*
 * Real cgroups of this machine: v1 where cpuacct and memory are mounted, else v2. Needs to be root.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "unit.h"
#include "../../src/source/cgroup.h"
#include "source_cgroup.h"
#include "source_live.h"
#include "source_tree.h"

#define MIB ((uint64_t)1 << 20)

static pid_t member;		/* a child that lives in there */
static pid_t second;		/* and another one */

/* A test of renaming failed in the middle. */
static void remove_renamed(void)
{
	char path[PATH_MAX];

	for (size_t i = 0; cgroup_dirs && cgroup_dirs[i]; i++) {
		snprintf(path, sizeof path, "%s%s-old", cgroup_dirs[i], cgroup_name);
		rmdir(path);
	}
}

static int teardown(void **state)
{
	if (member > 0)
		live_end(member);	/* the test failed in the middle */
	if (second > 0)
		live_end(second);
	member = second = 0;
	remove_renamed();
	return cgroup_teardown(state);
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

static bool limit_memory(void)
{
	return cgroup_write(cgroup_v1[1], "memory.limit_in_bytes", "134217728\n") == 0 ||
	       cgroup_write(cgroup_v2[0], "memory.max", "134217728\n") == 0;
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
	if (cgroup_cannot())
		return;
	limited = limit_memory();
	set = tree_set("", false);
	assert_int_equal(pipe(go), 0);
	has_network = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(has_network != MAP_FAILED);
	t.pid = member = live_child(work, &done);
	assert_int_equal(source_choose(set, &t), SOURCE_PROCESS);	/* with us */
	cgroup_add(member);
	assert_int_equal(source_choose(set, &t), SOURCE_CGROUP);
	by_path = tree_bind(set, SOURCE_CGROUP, cgroup_name, 0);
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
	cgroup_remove();
	expect_gone(set, by_path);
	expect_gone(set, by_pid);

	print_message("# and made anew\n");
	assert_true(cgroup_make(cgroup_dirs));
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
	if (cgroup_cannot())
		return;
	print_message("# a member in our own network namespace: no network\n");
	set = tree_set("", false);
	s = tree_bind(set, SOURCE_CGROUP, cgroup_name, 0);
	member = live_child(nothing, &done);
	cgroup_add(member);
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
	if (cgroup_cannot())
		return;
	has_network = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(has_network != MAP_FAILED);
	set = tree_set("", false);
	s = tree_bind(set, SOURCE_CGROUP, cgroup_name, 0);
	second = first = live_child(nothing, &done[0]);
	cgroup_add(first);
	member = live_child(own_network, &done[1]);
	assert_true(live_await(done[1]));
	tree_read(set, s, &r);
	assert_false(r.has & READING_NETWORK);
	cgroup_add(member);
	tree_read(set, s, &r);
	assert_int_equal(r.has & READING_NETWORK, *has_network ? READING_NETWORK : 0);
	live_end(first);
	second = 0;
	close(done[0]);
	close(done[1]);
	source_free(s);
	source_set_free(set);
	munmap((void *)has_network, 4096);
}

/* --- what changes between readings that only read what they keep open --- */

#define SETTLED 4	/* not a look at the path or the members at the last of them, nor the next */

static void settle(struct source_set *set, struct source *s, struct reading *r)
{
	for (int i = 0; i < SETTLED; i++)
		tree_read(set, s, r);
}

/* The longest that a change goes unnoticed that the kernel does not tell of. */
static void look_again(struct source_set *set, struct source *s, struct reading *r)
{
	for (int i = 0; i < CGROUP_LOOK_AGAIN; i++)
		tree_read(set, s, r);
}

static const size_t rooms[] = { 0, 1, 2, 3, 4, 100 };

static void test_made_anew(void **state)
{
	size_t before = tree_descriptors();
	char path[PATH_MAX];
	struct reading a, b;
	struct source *s;

	(void)state;
	if (cgroup_cannot())
		return;
	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		struct source_set *set = tree_set_keeping("", false, rooms[i], NULL);

		print_message("# room for %zu files\n", rooms[i]);
		s = tree_bind(set, SOURCE_CGROUP, cgroup_name, 0);
		settle(set, s, &a);
		print_message("# removed and made anew: the same reading is of the new one\n");
		cgroup_remove();
		assert_true(cgroup_make(cgroup_dirs));
		tree_read(set, s, &b);
		assert_int_equal(a.has, b.has);
		assert_true(a.incarnation[0] != b.incarnation[0]);
		assert_true(a.incarnation[1] != b.incarnation[1]);
		print_message("# in each hierarchy alone\n");
		for (size_t k = 0; cgroup_dirs[k]; k++) {
			settle(set, s, &a);
			snprintf(path, sizeof path, "%s%s", cgroup_dirs[k], cgroup_name);
			assert_int_equal(rmdir(path), 0);
			assert_int_equal(mkdir(path, 0755), 0);
			tree_read(set, s, &b);
			assert_int_equal(a.has, b.has);
			assert_true(a.incarnation[k] != b.incarnation[k]);
			if (cgroup_dirs[1])
				assert_true(a.incarnation[!k] == b.incarnation[!k]);
		}
		print_message("# removed in one hierarchy, then in all\n");
		settle(set, s, &a);
		if (cgroup_dirs[1]) {
			assert_int_equal(rmdir(path), 0);
			tree_read(set, s, &b);
			assert_int_equal(b.has, READING_CPU_TIME);
			assert_true(b.incarnation[1] == 0);
		}
		cgroup_remove();
		expect_gone(set, s);
		assert_true(cgroup_make(cgroup_dirs));
		tree_read(set, s, &b);
		assert_int_equal(a.has, b.has);
		source_free(s);
		source_set_free(set);
	}
	assert_int_equal(tree_descriptors(), before);
}

static void remake(void)
{
	for (;;) {
		cgroup_remove();
		if (!cgroup_make(cgroup_dirs))
			_exit(1);
	}
}

/*
 * Whatever is removed or made between two steps of a reading, it is gone or it is read. But for a
 * moment of its removal in which the kernel shows a cgroup that has no files any more.
 */
static void test_made_anew_meanwhile(void **state)
{
	unsigned read = 0, gone = 0, unreadable = 0;
	struct source_set *set;
	char error[SOURCE_ERROR_MAX];
	struct reading r;
	struct source *s;
	int done;

	(void)state;
	if (cgroup_cannot())
		return;
	set = tree_set("", false);
	s = tree_bind(set, SOURCE_CGROUP, cgroup_name, 0);
	member = live_child(remake, &done);
	close(done);
	while (read + gone + unreadable < 20000 || read < 100 || gone < 100) {
		if (source_read(set, s, &r, error) == 0)
			read++;
		else if (strstr(error, "is gone"))
			gone++;
		else if (strstr(error, "nothing can be read of"))
			unreadable++;
		else
			fail_msg("%s", error);
	}
	print_message("# read %u, gone %u, unreadable %u\n", read, gone, unreadable);
	assert_true(unreadable < gone / 100);
	source_free(s);
	source_set_free(set);
}

/* Only v1 can; another cgroup may be made under the old name. */
static void test_renamed(void **state)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct source_set *set;
	struct reading a, b;
	struct source *s;

	(void)state;
	if (cgroup_cannot())
		return;
	if (cgroup_dirs != cgroup_v1) {
		print_message("# skipped: there is v2 only, which cannot rename\n");
		return;
	}
	set = tree_set("", false);
	s = tree_bind(set, SOURCE_CGROUP, cgroup_name, 0);
	settle(set, s, &a);
	snprintf(from, sizeof from, "%s%s", cgroup_dirs[0], cgroup_name);
	snprintf(to, sizeof to, "%s%s-old", cgroup_dirs[0], cgroup_name);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(mkdir(from, 0755), 0);
	look_again(set, s, &b);
	assert_true(a.incarnation[0] != b.incarnation[0]);
	assert_int_equal(rmdir(to), 0);
	source_free(s);
	source_set_free(set);
}

static pid_t others_network;

static void join_network(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)others_network);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		setns(fd, CLONE_NEWNET);
}

/* Once when it is told to, after its first one was told of. */
static void new_network(int sign)
{
	(void)sign;
	own_network();
	if (write(go[1], "x", 1) != 1)
		_exit(1);
}

static void changing_network(void)
{
	own_network();
	signal(SIGUSR1, new_network);
}

static void move_out(pid_t pid)
{
	char path[PATH_MAX];
	FILE *f;

	for (size_t i = 0; cgroup_dirs[i]; i++) {
		snprintf(path, sizeof path, "%s/cgroup.procs", cgroup_dirs[i]);
		f = fopen(path, "we");
		assert_non_null(f);
		fprintf(f, "%d\n", (int)pid);
		assert_int_equal(fclose(f), 0);
	}
}

struct scene {
	struct source_set *set;
	struct source *source;
	struct reading r;
	pid_t pids[2];
	int done[2];
};

/* Its first member is in there, and the cgroup was read some times. */
static void scene_begin(struct scene *c, size_t room, void (*body)(void))
{
	has_network = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(has_network != MAP_FAILED);
	assert_int_equal(pipe(go), 0);
	c->set = tree_set_keeping("", false, room, NULL);
	c->source = tree_bind(c->set, SOURCE_CGROUP, cgroup_name, 0);
	member = c->pids[0] = live_child(body, &c->done[0]);
	c->pids[1] = 0;
	assert_true(live_await(c->done[0]));
	cgroup_add(c->pids[0]);
	settle(c->set, c->source, &c->r);
}

static void scene_join(struct scene *c, void (*body)(void))
{
	others_network = c->pids[0];
	second = c->pids[1] = live_child(body, &c->done[1]);
	assert_true(live_await(c->done[1]));
	cgroup_add(c->pids[1]);
}

static void scene_end(struct scene *c)
{
	for (int i = 0; i < 2; i++) {
		if (c->pids[i] == 0)
			continue;
		live_end(c->pids[i]);
		close(c->done[i]);
	}
	member = second = 0;
	source_free(c->source);
	source_set_free(c->set);
	close(go[0]);
	close(go[1]);
	munmap((void *)has_network, 4096);
}

static unsigned network(const struct scene *c)
{
	return c->r.has & READING_NETWORK;
}

static void test_member_moves_out(void **state)
{
	struct scene c;

	(void)state;
	if (cgroup_cannot())
		return;
	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		scene_begin(&c, rooms[i], own_network);
		assert_int_equal(network(&c), *has_network ? READING_NETWORK : 0);
		move_out(c.pids[0]);
		if (rooms[i] == 0)	/* who keeps nothing lists each time */
			tree_read(c.set, c.source, &c.r);
		else
			look_again(c.set, c.source, &c.r);
		assert_int_equal(network(&c), 0);
		scene_end(&c);
	}
}

static void test_member_ends(void **state)
{
	struct scene c;

	(void)state;
	if (cgroup_cannot())
		return;
	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		scene_begin(&c, rooms[i], own_network);
		scene_join(&c, join_network);
		live_end(c.pids[0]);
		close(c.done[0]);
		member = c.pids[0] = 0;
		tree_read(c.set, c.source, &c.r);
		assert_int_equal(network(&c), *has_network ? READING_NETWORK : 0);
		scene_end(&c);
	}
}

/* Counters of another namespace are not compared with those of before: absent once. */
static void test_network_changes(void **state)
{
	struct scene c;

	(void)state;
	if (cgroup_cannot())
		return;
	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		scene_begin(&c, rooms[i], changing_network);
		kill(c.pids[0], SIGUSR1);
		assert_true(live_await(go[0]));
		tree_read(c.set, c.source, &c.r);
		assert_int_equal(network(&c), 0);
		tree_read(c.set, c.source, &c.r);
		assert_int_equal(network(&c), *has_network ? READING_NETWORK : 0);
		scene_end(&c);
	}
}

static void test_own_network_joins(void **state)
{
	struct scene c;

	(void)state;
	if (cgroup_cannot())
		return;
	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		scene_begin(&c, rooms[i], nothing);
		assert_int_equal(network(&c), 0);
		scene_join(&c, own_network);
		look_again(c.set, c.source, &c.r);
		assert_int_equal(network(&c), *has_network ? READING_NETWORK : 0);
		scene_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lives_and_dies, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_network_of_host, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_member_comes, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_anew, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_anew_meanwhile, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_renamed, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_member_moves_out, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_member_ends, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_network_changes, cgroup_setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_network_joins, cgroup_setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
