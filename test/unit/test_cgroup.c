#include <sys/resource.h>

#include "unit.h"
#include "../../src/source/cgroup.h"
#include "source_machines.h"
#include "stats.h"

#define CPU READING_CPU_TIME
#define USED READING_MEMORY_USED
#define LIMIT READING_MEMORY_LIMIT
#define NET READING_NETWORK

#define NO_LIMIT_V1 "9223372036854771712"

/* --- one changed file, and what is read then --- */

static const struct read_case {
	const char *name;
	void (*plant)(void);
	const char *path;	/* this file is replaced, or removed when text is NULL */
	const char *text;
	unsigned has;		/* 0: it fails */
	uint64_t used, limit;
} read_cases[] = {
	{ "v1", plant_v1, "/unused", "", CPU | USED | LIMIT, 700, 5000 },
	{ "v2", plant_v2, "/unused", "", CPU | USED | LIMIT, 700, 5000 },
	{ "hybrid", plant_hybrid, "/unused", "", CPU | USED | LIMIT, 700, 5000 },
	{ "inside of a container", plant_inside, "/unused", "", CPU | USED | LIMIT, 700, 5000 },

	{ "v1 CPU missing", plant_v1, "/cg/cpu/d/x/cpuacct.usage", NULL, USED | LIMIT, 700, 5000 },
	{ "v1 CPU empty", plant_v1, "/cg/cpu/d/x/cpuacct.usage", "", USED | LIMIT, 700, 5000 },
	{ "v1 CPU negative", plant_v1, "/cg/cpu/d/x/cpuacct.usage", "-5\n", USED | LIMIT, 700,
	  5000 },
	{ "v1 CPU too large", plant_v1, "/cg/cpu/d/x/cpuacct.usage", "18446744073709551616\n",
	  USED | LIMIT, 700, 5000 },
	{ "v1 CPU a word", plant_v1, "/cg/cpu/d/x/cpuacct.usage", "\xff\xfe", USED | LIMIT, 700,
	  5000 },
	{ "v1 cgroup not in the CPU hierarchy", plant_v1, "/cg/cpu/d", NULL, USED | LIMIT, 700,
	  5000 },
	{ "v1 cgroup not in the memory hierarchy", plant_v1, "/cg/memory/d", NULL, CPU, 0, 0 },
	{ "v1 more inactive than used", plant_v1, "/cg/memory/d/x/memory.usage_in_bytes", "200\n",
	  CPU | USED | LIMIT, 0, 5000 },
	{ "v1 usage missing", plant_v1, "/cg/memory/d/x/memory.usage_in_bytes", NULL, CPU | LIMIT,
	  0, 5000 },
	{ "v1 usage negative", plant_v1, "/cg/memory/d/x/memory.usage_in_bytes", "-1\n",
	  CPU | LIMIT, 0, 5000 },
	{ "v1 stat missing", plant_v1, "/cg/memory/d/x/memory.stat", NULL, CPU, 0, 0 },
	{ "v1 stat empty", plant_v1, "/cg/memory/d/x/memory.stat", "", CPU, 0, 0 },
	{ "v1 stat garbage", plant_v1, "/cg/memory/d/x/memory.stat",
	  "total_inactive_file x\nhierarchical_memory_limit\n", CPU, 0, 0 },
	{ "v1 no limit", plant_v1, "/cg/memory/d/x/memory.stat",
	  "hierarchical_memory_limit " NO_LIMIT_V1 "\ntotal_inactive_file 300\n", CPU | USED, 700,
	  0 },
	{ "v1 limit of MemTotal", plant_v1, "/cg/memory/d/x/memory.stat",
	  "hierarchical_memory_limit 1024000000\ntotal_inactive_file 300\n", CPU | USED, 700, 0 },
	{ "v1 limit just below MemTotal", plant_v1, "/cg/memory/d/x/memory.stat",
	  "hierarchical_memory_limit 1023999999\ntotal_inactive_file 300\n", CPU | USED | LIMIT,
	  700, 1023999999 },
	{ "v1 no MemTotal, a limit", plant_v1, "/proc/meminfo", NULL, CPU | USED | LIMIT, 700,
	  5000 },
	{ "v1 gone", plant_v1, "/cg", NULL, 0, 0, 0 },

	{ "v2 CPU missing", plant_v2, "/cg/d/x/cpu.stat", NULL, USED | LIMIT, 700, 5000 },
	{ "v2 CPU empty", plant_v2, "/cg/d/x/cpu.stat", "", USED | LIMIT, 700, 5000 },
	{ "v2 CPU without the key", plant_v2, "/cg/d/x/cpu.stat", "user_usec 5\n", USED | LIMIT,
	  700, 5000 },
	{ "v2 CPU that does not fit in ns", plant_v2, "/cg/d/x/cpu.stat",
	  "usage_usec 18446744073709551615\n", USED | LIMIT, 700, 5000 },
	{ "v2 no memory controller", plant_v2, "/cg/d/x/memory.stat", NULL, CPU, 0, 0 },
	{ "v2 current garbage", plant_v2, "/cg/d/x/memory.current", "max\n", CPU | LIMIT, 0, 5000 },
	{ "v2 no limit", plant_v2, "/cg/d/x/memory.max", "max\n", CPU | USED, 700, 0 },
	{ "v2 a limit of 0 is one", plant_v2, "/cg/d/x/memory.max", "0\n", CPU | USED | LIMIT, 700,
	  0 },
	{ "v2 limit file missing", plant_v2, "/cg/d/x/memory.max", NULL, CPU | USED, 700, 0 },
	{ "v2 limit garbage", plant_v2, "/cg/d/x/memory.max", "5000 5000\n", CPU | USED, 700, 0 },
	{ "v2 limit empty", plant_v2, "/cg/d/x/memory.max", "", CPU | USED, 700, 0 },
	{ "v2 a smaller limit above", plant_v2, "/cg/d/memory.max", "4000\n", CPU | USED | LIMIT,
	  700, 4000 },
	{ "v2 a larger limit above", plant_v2, "/cg/d/memory.max", "6000\n", CPU | USED | LIMIT,
	  700, 5000 },
	{ "v2 garbage above", plant_v2, "/cg/d/memory.max", "-6000\n", CPU | USED, 700, 0 },
	{ "v2 a limit at the mount itself", plant_v2, "/cg/memory.max", "3000\n",
	  CPU | USED | LIMIT, 700, 3000 },
	{ "v2 limit over MemTotal", plant_v2, "/cg/d/x/memory.max", "1024000001\n", CPU | USED, 700,
	  0 },
	{ "v2 gone", plant_v2, "/cg/d/x", NULL, 0, 0, 0 },

	{ "hybrid without v2's", plant_hybrid, "/cg/unified/d", NULL, USED | LIMIT, 700, 5000 },
	{ "hybrid, only in v2", plant_hybrid, "/cg/memory/d", NULL, CPU, 0, 0 },
};

static void check_reading(const struct read_case *c, const struct reading *r)
{
	assert_int_equal(r->has, c->has);
	if (c->has & CPU)
		assert_int_equal(r->cpu_ns / 1000, 5000000);
	if (c->has & USED)
		assert_int_equal(r->memory_used, c->used);
	if (c->has & LIMIT)
		assert_int_equal(r->memory_limit, c->limit);
	assert_true(r->mono_ns > 0);
	assert_true(r->incarnation[0] != 0 || r->incarnation[1] != 0);
}

static void test_read(void **state)
{
	size_t before = tree_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(read_cases); i++) {
		const struct read_case *c = &read_cases[i];
		struct source_set *set;
		struct source *s;
		struct reading r;
		char error[SOURCE_ERROR_MAX] = "";
		int got;

		print_message("# %s\n", c->name);
		tree_new();
		c->plant();
		if (strstr(c->path, "meminfo"))
			tree_remove(c->path);
		set = tree_set(tree_dir, false);
		s = tree_bind(set, SOURCE_CGROUP, "/d/x", 0);
		if (c->text)
			tree_put(c->path, c->text);
		else
			tree_remove(c->path);
		got = source_read(set, s, &r, error);
		if (c->has == 0) {
			assert_true(got > 0);
			assert_string_equal(error, "the cgroup /d/x is gone");
		} else {
			assert_int_equal(got, 0);
			check_reading(c, &r);
		}
		source_free(s);
		source_set_free(set);
		tree_free();
	}
	assert_int_equal(tree_descriptors(), before);
}

static void test_nothing_readable(void **state)
{
	struct source_set *set;
	struct source *s;
	struct reading r;
	char error[SOURCE_ERROR_MAX];

	(void)state;
	tree_new();
	plant_v2();
	set = tree_set(tree_dir, false);
	s = tree_bind(set, SOURCE_CGROUP, "/d", 0);
	tree_put("/cg/d/memory.max", "\n");
	assert_true(source_read(set, s, &r, error) > 0);
	assert_string_equal(error, "nothing can be read of the cgroup /d");
	source_free(s);
	source_set_free(set);
	tree_free();
}

/* Each level costs a file, and whoever may make cgroups in his own makes as many as he likes. */
static const struct depth_case {
	size_t depth;
	bool has_limit;
} depth_cases[] = {
	{ CGROUP_LIMITS_KEPT + 1, true },
	{ CGROUP_LIMITS_MAX - 1, true },	/* and the mount's own directory */
	{ CGROUP_LIMITS_MAX, false },
	{ 1500, false },
};

static void test_deep(void **state)
{
	char below[TARGET_STRING_MAX + 1], path[PATH_MAX + 32];
	struct stats stats = { 0 };
	struct source_set *set;
	struct source *s;
	struct reading r;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(depth_cases); i++) {
		const struct depth_case *c = &depth_cases[i];

		print_message("# %zu deep\n", c->depth);
		tree_new();
		plant_v2();
		tree_put("/cg/d/memory.max", "5000\n");
		strcpy(below, "/d");
		for (size_t n = 1; n < c->depth; n++)
			strcat(below, "/x");
		snprintf(path, sizeof path, "/cg%s/memory.current", below);
		tree_put(path, "1000\n");
		snprintf(path, sizeof path, "/cg%s/memory.stat", below);
		tree_put(path, "inactive_file 300\n");
		set = tree_set_keeping(tree_dir, false, 100, &stats);
		s = tree_bind(set, SOURCE_CGROUP, below, 0);
		tree_read(set, s, &r);
		assert_int_equal(r.has & USED, USED);
		assert_int_equal(r.has & LIMIT, c->has_limit ? LIMIT : 0);
		assert_int_equal(stats.limits_too_deep, !c->has_limit);
		stats.limits_too_deep = 0;
		source_free(s);
		source_set_free(set);
		tree_free();
	}
}

static void test_incarnation(void **state)
{
	struct source_set *set;
	struct source *s;
	struct reading a, b;

	(void)state;
	tree_new();
	plant_v1();
	set = tree_set(tree_dir, false);
	s = tree_bind(set, SOURCE_CGROUP, "/d/x", 0);
	tree_read(set, s, &a);
	tree_read(set, s, &b);
	assert_memory_equal(a.incarnation, b.incarnation, sizeof a.incarnation);
	print_message("# made anew in one hierarchy, while the old one cannot give up its inode\n");
	{
		char from[128], to[128];

		snprintf(from, sizeof from, "%s/cg/cpu/d/x", tree_dir);
		snprintf(to, sizeof to, "%s/cg/cpu/d/old", tree_dir);
		assert_int_equal(rename(from, to), 0);
	}
	tree_put("/cg/cpu/d/x/cpuacct.usage", "5000000123\n");
	tree_read(set, s, &b);
	assert_true(memcmp(a.incarnation, b.incarnation, sizeof a.incarnation) != 0);
	source_free(s);
	source_set_free(set);
	tree_free();
}

/* --- network: of any member --- */

static void plant_member(int pid)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	snprintf(text, sizeof text, "net:[%d]", pid);
	tree_link(path, text);
	snprintf(path, sizeof path, "/proc/%d/net/dev", pid);
	snprintf(text, sizeof text, "h |\nh |\ne: %d 0 0 0 0 0 0 0 6 0 0\n", pid);
	tree_put(path, text);
}

static const struct network_case {
	const char *name;
	void (*plant)(void);
	const char *path[2];
	const char *procs[2];
	uint64_t want;		/* 0 = absent */
} network_cases[] = {
	{ "no member", plant_v2, { "/cg/d/x", NULL }, { "", NULL }, 0 },
	{ "a member", plant_v2, { "/cg/d/x", NULL }, { "20\n", NULL }, 20 },
	{ "the first has ended", plant_v2, { "/cg/d/x", NULL }, { "99\n20\n", NULL }, 20 },
	{ "in pid namespaces we do not see, and one that we do", plant_v2, { "/cg/d/x", NULL },
	  { "0\n0\n0\n0\n0\n0\n0\n0\n0\n20\n", NULL }, 20 },
	{ "in a child cgroup", plant_v2, { "/cg/d/x", "/cg/d/x/container" }, { "", "20\n" }, 20 },
	{ "v1 CPU", plant_v1, { "/cg/cpu/d/x", NULL }, { "20\n", NULL }, 20 },
	{ "v1 memory", plant_v1, { "/cg/cpu/d/x", "/cg/memory/d/x" }, { "", "20\n" }, 20 },
	{ "hybrid", plant_hybrid, { "/cg/unified/d/x", NULL }, { "20\n", NULL }, 20 },
	{ "hostile", plant_v2, { "/cg/d/x", NULL }, { "-1\nx\n99999999999999999999\n\n", NULL },
	  0 },
};

static void test_network(void **state)
{
	size_t before = tree_descriptors();
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(network_cases); i++) {
		const struct network_case *c = &network_cases[i];
		struct source_set *set;
		struct source *s;
		struct reading r;

		print_message("# %s\n", c->name);
		tree_new();
		c->plant();
		plant_member(20);
		for (int k = 0; k < 2 && c->path[k]; k++) {
			snprintf(path, sizeof path, "%s/cgroup.procs", c->path[k]);
			tree_put(path, c->procs[k]);
		}
		set = tree_set(tree_dir, false);
		s = tree_bind(set, SOURCE_CGROUP, "/d/x", 0);
		tree_read(set, s, &r);
		assert_int_equal(r.has & NET, c->want ? NET : 0);
		assert_int_equal(r.network_in, c->want);
		source_free(s);
		source_set_free(set);
		tree_free();
	}
	assert_int_equal(tree_descriptors(), before);
}

/* No descriptor left: a failure, and neither "gone" nor a reading without a part. */
static void test_no_descriptors(void **state)
{
	struct rlimit normal, low;
	struct source_set *set;
	struct source *s;
	struct reading r;
	char error[SOURCE_ERROR_MAX];
	int fds[64], n = 0;

	(void)state;
	tree_new();
	plant_v1();
	set = tree_set_keeping(tree_dir, false, 0, NULL);
	s = tree_bind(set, SOURCE_CGROUP, "/d/x", 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &normal), 0);
	low = normal;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while (n < 64 && (fds[n] = dup(0)) >= 0)
		n++;
	for (int spare = 0; spare < 2; spare++) {
		assert_true(source_read(set, s, &r, error) > 0);
		assert_non_null(strstr(error, "Too many open files"));
		close(fds[--n]);
	}
	print_message("# the directories can be opened, their files cannot\n");
	assert_true(source_read(set, s, &r, error) > 0);
	close(fds[--n]);
	tree_read(set, s, &r);
	assert_int_equal(r.has, CPU | USED | LIMIT);
	while (n > 0)
		close(fds[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &normal), 0);
	source_free(s);
	source_set_free(set);
	tree_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_nothing_readable),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_incarnation),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
