#include "unit.h"
#include "source_machines.h"

/* --- cgroup_path --- */

static const struct path_case {
	const char *name;
	const char *path;
	const char *error;	/* NULL: it is /d/x */
} path_cases[] = {
	{ "below the hierarchy", "/d/x", NULL },
	{ "superfluous slashes and dots", "//d/./x//", NULL },
	{ "begins with a mount point", "/cg/cpu/d/x", NULL },
	{ "with another", "/cg/memory/d/x", NULL },
	{ "with one that we do not read", "/cg/systemd/d/x", NULL },
	{ "not absolute", "d/x", "does not begin with /" },
	{ "a component ..", "/d/y/../x", "has a component .." },
	{ "ends in ..", "/d/x/..", "has a component .." },
	{ "the root", "/", "is the root cgroup" },
	{ "the root in disguise", "//./", "is the root cgroup" },
	{ "a mount point", "/cg/memory/", "is the root cgroup" },
	{ "nothing there", "/d/y", "there is no cgroup /d/y" },
	{ "beside a mount point", "/cg/memoryx/d/x", "there is no cgroup /cg/memoryx/d/x" },
	{ "a file", "/d/x/cpuacct.usage", "there is no cgroup" },
	{ "not printable", "/d/\r\n\x1b", "there is no cgroup /d/???" },
};

static void expect_bind_error(struct source_set *set, char *path, int64_t pid, const char *want)
{
	struct target t = { .cgroup_path = path, .pid = pid };
	struct source *s = NULL;
	char error[SOURCE_ERROR_MAX] = "";

	assert_true(source_bind(set, SOURCE_CGROUP, &t, &s, error) > 0);
	assert_null(s);
	if (!strstr(error, want))
		fail_msg("\"%s\" is not in \"%s\"", want, error);
}

static void test_path(void **state)
{
	struct source_set *set;
	char *longest, text[64];

	(void)state;
	tree_new();
	plant_v1();
	set = tree_set(tree_dir, false);
	for (size_t i = 0; i < COUNT_OF(path_cases); i++) {
		const struct path_case *c = &path_cases[i];
		struct reading r;
		struct source *s;

		print_message("# %s\n", c->name);
		if (c->error) {
			snprintf(text, sizeof text, "%s", c->path);
			expect_bind_error(set, text, 0, c->error);
			continue;
		}
		s = tree_bind(set, SOURCE_CGROUP, c->path, 0);
		tree_read(set, s, &r);
		assert_int_equal(r.cpu_ns, 5000000123);
		source_free(s);
	}
	print_message("# a path longer than may be\n");
	longest = calloc(1, TARGET_STRING_MAX + 2);
	assert_non_null(longest);
	memset(longest, 'x', TARGET_STRING_MAX + 1);
	longest[0] = '/';
	expect_bind_error(set, longest, 0, "longer than 4095 bytes");
	longest[TARGET_STRING_MAX] = '\0';
	expect_bind_error(set, longest, 0, "cannot be opened: File name too long");
	free(longest);
	source_set_free(set);
	tree_free();
}

/* --- by pid --- */

static void plant_process(int pid, int parent, const char *cgroups)
{
	char path[64];

	tree_stat(pid, 'S', parent, 0, 0, 1, 1);
	snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
	tree_put(path, cgroups);
}

static void plant_v1_cpu(void)
{
	plant_v1();
	tree_put("/cg/memory/deeper/than/cpu/memory.stat", "");
}

static const struct pid_case {
	const char *name;
	void (*plant)(void);
	const char *cgroups;		/* of pid 7 */
	const char *parents;		/* of pid 6, its parent; NULL = there is none */
	enum source_kind choice;
	const char *error;		/* of binding it to a cgroup; NULL: it is /d/x */
} pid_cases[] = {
	{ "v1, its own", plant_v1, "2:memory:/d/x\n1:cpu,cpuacct:/d/x\n",
	  "2:memory:/\n1:cpu,cpuacct:/\n", SOURCE_CGROUP, NULL },
	{ "v1, a path with colons beside it", plant_v1, "3:name=a:b:/x:y\n1:cpuacct,cpu:/d/x\n", "",
	  SOURCE_CGROUP, NULL },
	{ "v1, its parent's", plant_v1, "2:memory:/d/x\n1:cpu,cpuacct:/d/x\n",
	  "2:memory:/d/x\n1:cpu,cpuacct:/d/x\n", SOURCE_PROCESS, NULL },
	{ "v1, the root", plant_v1, "2:memory:/\n1:cpu,cpuacct:/\n", "2:memory:/z\n",
	  SOURCE_PROCESS, "is in the root cgroup" },
	{ "v1, no parent", plant_v1, "2:memory:/d/x\n1:cpu,cpuacct:/d/x\n", NULL, SOURCE_CGROUP,
	  NULL },
	{ "v1, memory accounting only, nothing to read CPU from", plant_v1_cpu,
	  "2:memory:/deeper/than/cpu\n1:cpu,cpuacct:/d/x\n", "", SOURCE_CGROUP, NULL },
	{ "v1, CPU at the root", plant_v1_cpu, "2:memory:/deeper/than/cpu\n1:cpu,cpuacct:/\n", "",
	  SOURCE_PROCESS, "" },
	{ "v2", plant_v2, "0::/d/x\n", "0::/d\n", SOURCE_CGROUP, NULL },
	{ "v2, its parent's", plant_v2, "0::/d/x\n", "0::/d/x\n", SOURCE_PROCESS, NULL },
	{ "v2, the root", plant_v2, "0::/\n", "0::/d\n", SOURCE_PROCESS, "is in the root cgroup" },
	{ "v2, removed", plant_v2, "0::/d/y (deleted)\n", "0::/d\n", SOURCE_PROCESS,
	  "there is no cgroup /d/y (deleted)" },
	{ "v2, above our namespace", plant_v2, "0::/../d/x\n", "", SOURCE_PROCESS,
	  "lies outside of the cgroups mounted here" },
	{ "hybrid, CPU accounting off", plant_hybrid, "2:memory:/d/x\n1:cpu,cpuacct:/d\n0::/d/x\n",
	  "2:memory:/\n1:cpu,cpuacct:/\n0::/\n", SOURCE_CGROUP, NULL },
	{ "hybrid, all accounting off", plant_hybrid, "2:memory:/\n1:cpu,cpuacct:/\n0::/d/x\n",
	  "2:memory:/\n1:cpu,cpuacct:/\n0::/d\n", SOURCE_CGROUP, NULL },
	{ "inside of a container", plant_inside,
	  "2:memory:/docker/me/d/x\n1:cpu,cpuacct:/docker/me/d/x\n",
	  "2:memory:/docker/me\n1:cpu,cpuacct:/docker/me\n", SOURCE_CGROUP, NULL },
	{ "inside, at its root", plant_inside,
	  "2:memory:/docker/me\n1:cpu,cpuacct:/docker/me\n", "", SOURCE_PROCESS,
	  "is in the root cgroup" },
	{ "inside, another container", plant_inside,
	  "2:memory:/docker/you/d/x\n1:cpu,cpuacct:/docker/you/d/x\n", "", SOURCE_PROCESS,
	  "lies outside of the cgroups mounted here" },
	{ "in no hierarchy", plant_v2, "2:memory:/d/x\n", "", SOURCE_PROCESS,
	  "is in no cgroup that is mounted here" },
	{ "hostile: empty", plant_v2, "", "", SOURCE_PROCESS, "is in no cgroup" },
	{ "hostile: garbage", plant_v2, "x\n0\n0:\n0::\n0::d/x\n:::\n\n", "", SOURCE_PROCESS,
	  "is in no cgroup" },
};

static void test_pid(void **state)
{
	size_t before = tree_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pid_cases); i++) {
		const struct pid_case *c = &pid_cases[i];
		struct target t = { .pid = 7 };
		struct source_set *set;
		struct source *s;
		struct reading r;

		print_message("# %s\n", c->name);
		tree_new();
		c->plant();
		plant_process(7, 6, c->cgroups);
		if (c->parents)
			plant_process(6, 1, c->parents);
		set = tree_set(tree_dir, false);
		assert_int_equal(source_choose(set, &t), c->choice);
		if (c->error && c->error[0] != '\0') {
			expect_bind_error(set, NULL, 7, c->error);
		} else {
			s = tree_bind(set, SOURCE_CGROUP, NULL, 7);
			/* It goes on when the process has ended. */
			tree_remove("/proc/7");
			if (!c->error) {
				tree_read(set, s, &r);
				assert_int_equal(r.cpu_ns / 1000, 5000000);
			}
			source_free(s);
		}
		source_set_free(set);
		tree_free();
	}
	assert_int_equal(tree_descriptors(), before);
}

static void test_choose(void **state)
{
	char path[] = "/d/x", nothing[] = "", name[] = "cp-x";
	struct target by_path = { .cgroup_path = path, .pid = 7 };
	struct target by_nothing = { .cgroup_path = nothing };
	struct target by_name = { .container_name = name };
	struct target no_such_pid = { .pid = 99 }, odd_pid = { .pid = -1 };
	struct source_set *set;

	(void)state;
	tree_new();
	plant_v1();
	set = tree_set(tree_dir, false);
	assert_int_equal(source_choose(set, &by_path), SOURCE_CGROUP);
	assert_int_equal(source_choose(set, &by_nothing), SOURCE_BUS);
	assert_int_equal(source_choose(set, &by_name), SOURCE_BUS);
	assert_int_equal(source_choose(set, &no_such_pid), SOURCE_PROCESS);
	assert_int_equal(source_choose(set, &odd_pid), SOURCE_PROCESS);
	expect_bind_error(set, NULL, 99, "there is no process 99");
	expect_bind_error(set, NULL, -1, "-1 is not a process id");
	expect_bind_error(set, NULL, 0, "neither cgroup_path nor pid");
	source_set_free(set);

	print_message("# a machine without cgroups\n");
	tree_put("/proc/1/mountinfo", "");
	set = tree_set(tree_dir, false);
	expect_bind_error(set, path, 0, "no cgroup hierarchy with CPU or memory is mounted here");
	source_set_free(set);
	tree_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_pid),
		cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
