#include <fcntl.h>
#include <sys/wait.h>

#include "unit.h"
#include "../../src/source/kept_file.h"
#include "../../src/source/procfs.h"
#include "source_live.h"
#include "source_machines.h"
#include "stats.h"

static const struct kept_file closed = KEPT_FILE_INIT;

static int tree_open(void)
{
	int dir = procfs_open_dir(AT_FDCWD, tree_dir);

	assert_true(dir >= 0);
	return dir;
}

/* In place, as the kernel changes what a file of its own says. */
static void rewrite(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f;

	snprintf(full, sizeof full, "%s%s", tree_dir, path);
	f = fopen(full, "r+e");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 0), 0);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void expect(struct kept_file *f, struct kept_budget *b, int dir, const char *text)
{
	char buf[16];
	int64_t at = 0;

	assert_int_equal(kept_file_read(f, b, dir, "f", buf, sizeof buf, &at), strlen(text));
	assert_string_equal(buf, text);
	assert_true(at > 0);
}

static const struct budget_case {
	const char *name;
	size_t max;
	size_t open[3];		/* after each of three files was read */
	uint64_t unkept;	/* when all were read twice */
} budget_cases[] = {
	{ "nothing may be kept", 0, { 0, 0, 0 }, 6 },
	{ "one", 1, { 1, 1, 1 }, 4 },
	{ "two", 2, { 1, 2, 2 }, 2 },
	{ "as many as there are", 3, { 1, 2, 3 }, 0 },
	{ "more than there are", 1000, { 1, 2, 3 }, 0 },
};

static void test_budget(void **state)
{
	size_t before = tree_descriptors();
	int dir;

	(void)state;
	tree_new();
	tree_put("/f", "1\n");
	dir = tree_open();
	for (size_t i = 0; i < COUNT_OF(budget_cases); i++) {
		const struct budget_case *c = &budget_cases[i];
		struct kept_file files[3] = { closed, closed, closed };
		struct kept_budget b = { .max = c->max };

		print_message("# %s\n", c->name);
		for (int round = 0; round < 2; round++) {
			for (int k = 0; k < 3; k++) {
				expect(&files[k], &b, dir, "1\n");
				assert_int_equal(b.open, c->open[round == 0 ? k : 2]);
				assert_int_equal(tree_descriptors(), before + 1 + b.open);
			}
		}
		assert_int_equal(b.unkept, c->unkept);
		print_message("# what is given back is there for the next\n");
		kept_file_release(&files[0], &b);
		kept_file_release(&files[0], &b);
		expect(&files[2], &b, dir, "1\n");
		assert_int_equal(kept_file_is_open(&files[2]), c->max > 0);
		for (int k = 0; k < 3; k++)
			kept_file_release(&files[k], &b);
		assert_int_equal(b.open, 0);
		assert_int_equal(tree_descriptors(), before + 1);
	}
	close(dir);
	tree_free();
}

static void test_directory(void **state)
{
	size_t before = tree_descriptors();
	struct kept_budget b = { .max = 1 };
	struct kept_file f[2] = { closed, closed };
	int a, c;

	(void)state;
	tree_new();
	assert_int_equal(kept_dir_use(&f[0], &b, AT_FDCWD, "/none"), -ENOENT);
	a = kept_dir_use(&f[0], &b, AT_FDCWD, tree_dir);
	assert_int_equal(fcntl(a, F_GETFD), FD_CLOEXEC);
	c = kept_dir_use(&f[1], &b, AT_FDCWD, tree_dir);
	assert_true(a >= 0 && c >= 0 && b.open == 1 && b.unkept == 1);
	kept_dir_done(&f[1], c);
	kept_dir_done(&f[0], a);
	assert_int_equal(tree_descriptors(), before + 1);
	assert_int_equal(kept_dir_use(&f[0], &b, AT_FDCWD, "/none"), a);
	kept_file_release(&f[0], &b);
	assert_int_equal(tree_descriptors(), before);
	tree_free();
}

/* What a file says may change in any way while it is kept. */
static void test_changes(void **state)
{
	size_t before = tree_descriptors();
	struct kept_budget b = { .max = 1 };
	struct kept_file f = closed;
	char buf[16];
	int dir;

	(void)state;
	tree_new();
	dir = tree_open();
	assert_int_equal(kept_file_read(&f, &b, dir, "f", buf, sizeof buf, NULL), -ENOENT);
	assert_int_equal(b.open, 0);
	tree_put("/f", "first\n");
	expect(&f, &b, dir, "first\n");
	assert_int_equal(fcntl(f.fd, F_GETFD), FD_CLOEXEC);
	rewrite("/f", "2\n");
	expect(&f, &b, dir, "2\n");
	rewrite("/f", "");
	expect(&f, &b, dir, "");
	rewrite("/f", "just as much as ");
	assert_int_equal(kept_file_read(&f, &b, dir, "f", buf, sizeof buf, NULL), -EFBIG);
	assert_string_equal(buf, "");
	rewrite("/f", "one byte less..");
	expect(&f, &b, dir, "one byte less..");
	assert_int_equal(b.open, 1);
	print_message("# what cannot be read is not kept\n");
	kept_file_release(&f, &b);
	assert_int_equal(kept_file_read(&f, &b, dir, ".", buf, sizeof buf, NULL), -EISDIR);
	assert_int_equal(b.open, 0);
	close(dir);
	tree_free();
	assert_int_equal(tree_descriptors(), before);
}

/* --- of sources --- */

static const struct change_case {
	const char *name;
	void (*plant)(void);
	const char *path;
	const char *text;
	unsigned has;		/* of what else is there; 0: the reading fails */
} change_cases[] = {
	{ "CPU empty", plant_v1, "/cg/cpu/d/x/cpuacct.usage", "", ~READING_CPU_TIME },
	{ "CPU no number", plant_v1, "/cg/cpu/d/x/cpuacct.usage", "x\n", ~READING_CPU_TIME },
	{ "CPU two numbers", plant_v1, "/cg/cpu/d/x/cpuacct.usage", "1 2\n", ~READING_CPU_TIME },
	{ "memory empty", plant_v1, "/cg/memory/d/x/memory.usage_in_bytes", "",
	  ~READING_MEMORY_USED },
	{ "v2 CPU garbage", plant_v2, "/cg/d/x/cpu.stat", "\xff\n", ~READING_CPU_TIME },
	{ "v2 memory too large", plant_v2, "/cg/d/x/memory.current", "99999999999999999999\n",
	  ~READING_MEMORY_USED },
	{ "v2 limit garbage", plant_v2, "/cg/d/memory.max", "much\n", ~READING_MEMORY_LIMIT },
};

#define HAS_ALL (READING_CPU_TIME | READING_MEMORY_USED | READING_MEMORY_LIMIT)

static void test_kept_files_change(void **state)
{
	char *huge = malloc(1 << 20), full[PATH_MAX], before[256];
	size_t descriptors = tree_descriptors();

	(void)state;
	assert_non_null(huge);
	memset(huge, '1', 1 << 20);
	huge[(1 << 20) - 1] = '\0';
	for (size_t i = 0; i < 2 * COUNT_OF(change_cases); i++) {
		const struct change_case *c = &change_cases[i / 2];
		struct stats stats = { .readings = 0 };
		struct source_set *set;
		struct source *s;
		struct reading r;
		FILE *f;

		print_message("# %s%s\n", c->name, i % 2 ? ", then huge" : "");
		tree_new();
		c->plant();
		snprintf(full, sizeof full, "%s%s", tree_dir, c->path);
		f = fopen(full, "re");
		assert_non_null(f);
		before[fread(before, 1, sizeof before - 1, f)] = '\0';
		fclose(f);
		set = tree_set_keeping(tree_dir, false, 100, &stats);
		s = tree_bind(set, SOURCE_CGROUP, "/d/x", 0);
		tree_read(set, s, &r);
		assert_int_equal(r.has, HAS_ALL);
		rewrite(c->path, i % 2 ? huge : c->text);
		tree_read(set, s, &r);
		assert_int_equal(r.has, HAS_ALL & c->has);
		rewrite(c->path, before);
		tree_read(set, s, &r);
		assert_int_equal(r.has, HAS_ALL);
		assert_true(stats.files_kept >= 3);
		assert_int_equal(stats.readings_reopened, 0);
		source_free(s);
		assert_int_equal(stats.files_kept, 0);
		source_set_free(set);
		tree_free();
	}
	free(huge);
	assert_int_equal(tree_descriptors(), descriptors);
}

/* Removed and made anew under the same path, while files of the old one are open. */
static void test_restart(void **state)
{
	struct stats stats = { .readings = 0 };
	char from[PATH_MAX], to[PATH_MAX], error[SOURCE_ERROR_MAX] = "";
	struct source_set *set;
	struct reading a, b;
	struct source *s;

	(void)state;
	tree_new();
	plant_v2();
	set = tree_set_keeping(tree_dir, false, 100, &stats);
	s = tree_bind(set, SOURCE_CGROUP, "/d/x", 0);
	for (int i = 0; i < 4; i++)
		tree_read(set, s, &a);
	snprintf(from, sizeof from, "%s/cg/d/x", tree_dir);
	snprintf(to, sizeof to, "%s/cg/d/old", tree_dir);
	assert_int_equal(rename(from, to), 0);
	assert_true(source_read(set, s, &b, error) > 0);
	assert_string_equal(error, "the cgroup /d/x is gone");
	assert_int_equal(stats.files_kept, 0);
	assert_int_equal(rename(to, from), 0);
	tree_read(set, s, &b);
	assert_memory_equal(a.incarnation, b.incarnation, sizeof a.incarnation);
	assert_int_equal(rename(from, to), 0);
	tree_put("/cg/d/x/cpu.stat", "usage_usec 7\n");
	tree_read(set, s, &b);
	assert_int_equal(b.cpu_ns, 7000);
	assert_true(memcmp(a.incarnation, b.incarnation, sizeof a.incarnation) != 0);
	source_free(s);
	source_set_free(set);
	tree_free();
}

static void plant_process(int pid)
{
	char path[64];

	tree_stat(pid, 'S', 1, 100, 0, 1, 777);
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	tree_put(path, "RssAnon:\t1 kB\nRssShmem:\t1 kB\n");
}

/* With room for all, for some and for none: the same readings, and nothing is left open. */
static void test_many_lives(void **state)
{
	static const size_t rooms[] = { 0, 1, 4, 7, 1000 };
	size_t before = tree_descriptors();
	struct stats stats;
	struct source_set *set;
	struct source *s[2];
	struct reading r;

	(void)state;
	tree_new();
	plant_v2();
	plant_process(7);
	for (size_t room = 0; room < COUNT_OF(rooms); room++) {
		stats = (struct stats){ .readings = 0 };
		set = tree_set_keeping(tree_dir, false, rooms[room], &stats);
		for (int life = 0; life < 2000; life++) {
			s[0] = tree_bind(set, SOURCE_CGROUP, "/d/x", 0);
			s[1] = tree_bind(set, SOURCE_PROCESS, NULL, 7);
			for (int k = 0; k < 4; k++) {
				tree_read(set, s[k % 2], &r);
				assert_int_equal(r.has & ~READING_MEMORY_LIMIT,
						 READING_CPU_TIME | READING_MEMORY_USED);
			}
			assert_true(stats.files_kept <= rooms[room]);
			source_free(s[0]);
			source_free(s[1]);
			assert_int_equal(stats.files_kept, 0);
		}
		source_set_free(set);
		assert_int_equal(tree_descriptors(), before);
		assert_int_equal(stats.readings_reopened > 0, rooms[room] < 1000);
	}
	tree_free();
}

/* --- of real processes --- */

static void nothing(void)
{
}

static void test_real_lives(void **state)
{
	struct stats stats = { .readings = 0 };
	struct source_set *set = tree_set_keeping("", false, 30, &stats);
	struct { pid_t pid; int done; struct source *source; } lives[20];
	size_t before = tree_descriptors(), open;
	char error[SOURCE_ERROR_MAX];
	struct reading r;

	(void)state;
	for (int round = 0; round < 15; round++) {
		for (size_t i = 0; i < COUNT_OF(lives); i++) {
			lives[i].pid = live_child(nothing, &lives[i].done);
			lives[i].source = tree_bind(set, SOURCE_PROCESS, NULL, lives[i].pid);
			tree_read(set, lives[i].source, &r);
			assert_int_equal(r.has, READING_CPU_TIME | READING_MEMORY_USED);
		}
		assert_int_equal(stats.files_kept, 30);
		open = tree_descriptors();
		assert_int_equal(open, before + 30 + COUNT_OF(lives));
		for (size_t i = 0; i < COUNT_OF(lives); i++)
			live_end(lives[i].pid);
		/* Half of them are read once more, which gives back what they held. */
		for (size_t i = 0; i < COUNT_OF(lives); i += 2) {
			assert_true(source_read(set, lives[i].source, &r, error) > 0);
			assert_non_null(strstr(error, "has ended"));
		}
		assert_true(stats.files_kept <= 15);
		for (size_t i = 0; i < COUNT_OF(lives); i++) {
			source_free(lives[i].source);
			close(lives[i].done);
		}
		assert_int_equal(stats.files_kept, 0);
		assert_int_equal(tree_descriptors(), before);
	}
	source_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_kept_files_change),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_many_lives),
		cmocka_unit_test(test_real_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
