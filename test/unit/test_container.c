#include "unit.h"
#include "source_machines.h"
#include "container_index.h"

/* 64 digits; ID and TWIN begin with the same twelve. */
#define REST "0123456789abcdef0123456789abcdef0123456789abcdef0123"
#define SHORT "c0ffee000001"
#define ID SHORT REST
#define TWIN SHORT "f123456789abcdef0123456789abcdef0123456789abcdef0123"
#define NODE "decade000002" REST
#define SANDBOX "facade000003" REST

#define POD "pod01234567-89ab-cdef-0123-456789abcdef"
#define POD_ "pod01234567_89ab_cdef_0123_456789abcdef"
#define USER "/user.slice/user-1000.slice/user@1000.service/user.slice"

/* --- layouts: which of the planted cgroups is the container's --- */

enum machine { V1, V2, HYBRID };

static const struct layout_case {
	const char *name;
	enum machine machine;
	const char *id;		/* NULL: ID */
	int want;		/* which of the paths; -1: none, with this error */
	const char *error;
	const char *paths[6];	/* "v2:" in front: there only, on a hybrid machine */
} layout_cases[] = {
	{ "docker, cgroupfs, v1", V1, NULL, 1, NULL,
	  { "/docker", "/docker/" ID, "/docker/" TWIN } },
	{ "docker, cgroupfs, v2", V2, NULL, 0, NULL, { "/docker/" ID, "/docker/" NODE } },
	{ "docker, systemd", V2, NULL, 0, NULL, { "/system.slice/docker-" ID ".scope" } },
	{ "docker, systemd, hybrid", HYBRID, NULL, 0, NULL,
	  { "/system.slice/docker-" ID ".scope", "v2:/system.slice/docker-" ID ".scope" } },
	{ "docker, rootless", V2, NULL, 0, NULL, { USER "/docker-" ID ".scope", USER } },
	{ "docker, a parent of one's own", V1, NULL, 0, NULL, { "/mine/of/all/" ID } },
	{ "docker, what a tenant makes inside does not count", V2, NULL, 0, NULL,
	  { "/system.slice/docker-" ID ".scope", "/system.slice/docker-" ID ".scope/container" } },
	{ "podman", V2, NULL, 0, NULL,
	  { "/machine.slice/libpod-" ID ".scope", "/machine.slice/libpod-conmon-" ID ".scope" } },
	{ "podman, the container inside of its scope", V2, NULL, 1, NULL,
	  { "/machine.slice/libpod-" ID ".scope", "/machine.slice/libpod-" ID ".scope/container",
	    "/machine.slice/libpod-" ID ".scope/supervisor" } },
	{ "podman, hybrid: inside there is no accounting", HYBRID, NULL, 0, NULL,
	  { "/machine.slice/libpod-" ID ".scope", "v2:/machine.slice/libpod-" ID ".scope",
	    "v2:/machine.slice/libpod-" ID ".scope/container" } },
	{ "podman, cgroupfs", V1, NULL, 1, NULL,
	  { "/libpod_parent/libpod-conmon-" ID, "/libpod_parent/libpod-" ID } },
	{ "podman, rootless", V2, NULL, 0, NULL,
	  { USER "/libpod-" ID ".scope/container", USER "/libpod-conmon-" ID ".scope" } },
	{ "podman, in its caller's cgroup", V2, NULL, 1, NULL,
	  { "/system.slice/web.service", "/system.slice/web.service/libpod-payload-" ID,
	    "/system.slice/web.service/runtime" } },
	{ "podman, rootless, hybrid", HYBRID, NULL, 0, NULL,
	  { "v2:" USER "/libpod-" ID ".scope" } },
	{ "containerd's own namespace", V1, NULL, 0, NULL, { "/default/" ID } },
	{ "containerd, another namespace", V2, NULL, 0, NULL, { "/apps/" ID } },
	{ "nerdctl", V2, NULL, 0, NULL, { "/system.slice/nerdctl-" ID ".scope" } },
	{ "nerdctl, rootless", V2, NULL, 0, NULL, { USER "/nerdctl-" ID ".scope" } },
	{ "kubernetes, cgroupfs", V1, NULL, 1, NULL,
	  { "/kubepods/besteffort/" POD "/" SANDBOX, "/kubepods/besteffort/" POD "/" ID } },
	{ "kubernetes, cgroupfs, guaranteed", V2, NULL, 0, NULL, { "/kubepods/" POD "/" ID } },
	{ "kubernetes, systemd, containerd", V2, NULL, 1, NULL,
	  { "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD_
	    ".slice/cri-containerd-" SANDBOX ".scope",
	    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD_
	    ".slice/cri-containerd-" ID ".scope" } },
	{ "kubernetes, systemd, docker, v1", V1, NULL, 0, NULL,
	  { "/kubepods.slice/kubepods-" POD_ ".slice/docker-" ID ".scope" } },
	{ "kubernetes, CRI-O", V2, NULL, 2, NULL,
	  { "/kubepods.slice/kubepods-" POD_ ".slice/crio-conmon-" ID ".scope",
	    "/kubepods.slice/kubepods-" POD_ ".slice/crio-" ID ".scope",
	    "/kubepods.slice/kubepods-" POD_ ".slice/crio-" ID ".scope/container" } },
	{ "kubernetes, runc told of no systemd", V2, NULL, 0, NULL,
	  { "/system.slice/kubepods-" POD_ ".slice:cri-containerd:" ID } },
	{ "kind, cgroupfs", V1, NULL, 0, NULL,
	  { "/docker/" NODE "/kubelet/kubepods/burstable/" POD "/" ID } },
	{ "kind, systemd", V2, NULL, 0, NULL,
	  { "/system.slice/docker-" NODE ".scope/kubelet.slice/kubelet-kubepods.slice/"
	    "kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-" POD_
	    ".slice/cri-containerd-" ID ".scope" } },
	{ "kind's node itself", V1, NODE, 0, NULL,
	  { "/docker/" NODE, "/docker/" NODE "/docker/" NODE "/kubelet" } },
	{ "kind, rootless", V2, NULL, 0, NULL,
	  { USER "/libpod-" NODE ".scope/container/kubelet.slice/kubelet-kubepods.slice/"
	    "kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-" POD_
	    ".slice/cri-containerd-" ID ".scope" } },

	{ "a prefix", V1, SHORT, 0, NULL, { "/docker/" ID, "/docker/" NODE } },
	{ "a longer prefix", V2, SHORT "0", 1, NULL, { "/docker/" TWIN, "/docker/" ID } },
	{ "a prefix of two", V2, SHORT, -1, "c0ffee000001 fits more than one cgroup",
	  { "/docker/" TWIN, "/system.slice/docker-" ID ".scope" } },
	{ "a prefix of none", V2, "c0ffee000002", -1,
	  "tried the engines' usual paths and all 2 cgroups", { "/docker/" ID } },
	{ "the one nearest to the root", V2, NULL, 1, NULL,
	  { "/a/b/c/" ID, "/a/" ID, "/a/b/" ID } },
	{ "two as near to it", V2, NULL, -1, "has more than one cgroup", { "/a/" ID, "/b/" ID } },
	{ "in both trees of a hybrid machine", HYBRID, NULL, 0, NULL, { "/a/" ID, "v2:/a/" ID } },
	{ "in both, elsewhere", HYBRID, NULL, 1, NULL, { "/a/b/" ID, "v2:/a/" ID } },
	{ "its monitor only", V2, NULL, -1, "was not found",
	  { "/machine.slice/libpod-conmon-" ID ".scope", "/a/crio-conmon-" ID ".scope",
	    "/libpod_parent/libpod-conmon-" ID, "/a/conmon-" ID ".scope" } },
	{ "named after it, but no container", V2, NULL, -1, "all 7 cgroups",
	  { "/a/x-" ID "-merged.mount", "/a/" ID ".service", "/a/libpod-payloads-" ID, "/a/lib" ID,
	    "/a/x" ID ".scope", "/a/" ID "0" } },
	{ "as deep as is searched", V2, NULL, 0, NULL, { "/1/2/3/4/5/6/7/8/9/10/11/" ID } },
	{ "too deep", V2, NULL, -1, "but there are more, or deeper ones",
	  { "/1/2/3/4/5/6/7/8/9/10/11/12/" ID } },
	{ "a prefix where there are deeper ones", V2, SHORT, -1, "is not whole",
	  { "/docker/" ID, "/1/2/3/4/5/6/7/8/9/10/11/12/13" } },

	{ "docker:// in front", V1, "docker://" ID, 0, NULL, { "/docker/" ID } },
	{ "containerd:// in front", V2, "containerd://" ID, 1, NULL,
	  { "/docker/" TWIN, "/k8s.io/" ID } },
	{ "cri-o:// in front", V2, "cri-o://" ID, 0, NULL, { "/kubepods/x/" ID } },
	{ "podman:// in front of a prefix", V2, "podman://" SHORT, 0, NULL,
	  { "/machine.slice/libpod-" ID ".scope" } },
	{ "an engine of 32 bytes", V2, "io.containerd+runc.v2-0123456789://" ID, 0, NULL,
	  { "/docker/" ID } },
	{ "an engine of 33 bytes", V2, "io.containerd+runc.v2-01234567890://" ID, -1,
	  "is not 12 to 64", { "/docker/" ID } },
	{ "no engine before its sign", V2, "://" ID, -1, "is not 12 to 64", { "/docker/" ID } },
	{ "no id behind it", V2, "docker://", -1, "container_id docker:// is not 12 to 64",
	  { "/docker/" ID } },
	{ "two engines", V2, "docker://docker://" ID, -1, "is not 12 to 64", { "/docker/" ID } },
	{ "an engine in capitals", V2, "Docker://" ID, -1, "is not 12 to 64", { "/docker/" ID } },
	{ "an engine with a path", V2, "a/b://" ID, -1, "is not 12 to 64", { "/docker/" ID } },
	{ "half a sign", V2, "docker:/" ID, -1, "is not 12 to 64", { "/docker/" ID } },
	{ "a slash too many", V2, "docker:///" ID, -1, "is not 12 to 64", { "/docker/" ID } },

	{ "hostile: slashes", V2, "../../etc/passwd", -1, "is not 12 to 64 of 0-9 and a-f",
	  { "/docker/" ID } },
	{ "hostile: dots", V2, "............", -1, "is not 12 to 64", { "/docker/" ID } },
	{ "hostile: a path", V2, "/docker/" ID, -1, "is not 12 to 64", { "/docker/" ID } },
	{ "hostile: a format", V2, "%s%s%s%s%s%s%n", -1, "container_id %s%s%s%s%s%s%n is not",
	  { "/docker/" ID } },
	{ "hostile: not printable", V2, "c0ffee\r\n0001", -1, "container_id c0ffee??0001 is not",
	  { "/docker/" ID } },
	{ "capitals", V2, "C0FFEE000001", -1, "is not 12 to 64", { "/docker/" ID } },
	{ "too short", V2, "c0ffee00000", -1, "is not 12 to 64", { "/docker/" ID } },
	{ "too long", V2, ID "0", -1, "is not 12 to 64", { "/docker/" ID } },
	{ "no cgroups at all", V1, NULL, -1, "all 0 cgroups", { NULL } },
};

static void plant_mounts(enum machine machine)
{
	plant_machine(machine == V1   ? MOUNT_CPU MOUNT_MEMORY
		      : machine == V2 ? MOUNT_V2
				      : MOUNT_CPU MOUNT_MEMORY MOUNT_V2_BESIDE);
	tree_mkdir("/cg/cpu");
	tree_mkdir("/cg/memory");
	tree_mkdir("/cg/unified");
	if (machine == V2) {
		tree_remove("/cg");
		tree_mkdir("/cg");
	}
}

static void plant_cgroup(enum machine machine, const char *path, int seconds)
{
	bool beside = strncmp(path, "v2:", 3) == 0;
	char file[PATH_MAX], text[64];

	path += beside ? 3 : 0;
	if (machine == V2 || beside) {
		snprintf(file, sizeof file, "/cg%s%s/cpu.stat", beside ? "/unified" : "", path);
		snprintf(text, sizeof text, "usage_usec %d000000\n", seconds);
		tree_put(file, text);
		snprintf(file, sizeof file, "/cg%s/memory.current", path);
	} else {
		snprintf(file, sizeof file, "/cg/cpu%s/cpuacct.usage", path);
		snprintf(text, sizeof text, "%d000000000\n", seconds);
		tree_put(file, text);
		snprintf(file, sizeof file, "/cg/memory%s/memory.usage_in_bytes", path);
	}
	if (!beside)
		tree_put(file, "1000\n");
}

static struct source *bind_id(struct source_set *set, const char *id, char error[SOURCE_ERROR_MAX])
{
	char text[256];
	struct target t = { .container_id = text };
	struct source *s = NULL;
	int r;

	snprintf(text, sizeof text, "%s", id);
	/* Where there are many cgroups, a walk takes several looks. */
	do {
		error[0] = '\0';
		r = source_bind(set, SOURCE_CGROUP, &t, &s, error);
	} while (strstr(error, "not found yet"));
	assert_true(s ? r == 0 : r > 0);
	return s;
}

static void expect_no_id(struct source_set *set, const char *id, const char *want)
{
	char error[SOURCE_ERROR_MAX];

	assert_null(bind_id(set, id, error));
	if (!strstr(error, want))
		fail_msg("\"%s\" is not in \"%s\"", want, error);
}

/* Which of the planted cgroups it is bound to, told by its CPU seconds. */
static void expect_id(struct source_set *set, const char *id, int seconds)
{
	char error[SOURCE_ERROR_MAX];
	struct source *s = bind_id(set, id, error);
	struct reading r;

	if (!s)
		fail_msg("%s", error);
	tree_read(set, s, &r);
	assert_int_equal(r.cpu_ns, seconds * 1000000000LL);
	source_free(s);
}

static void test_layouts(void **state)
{
	size_t before = tree_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(layout_cases); i++) {
		const struct layout_case *c = &layout_cases[i];
		const char *id = c->id ? c->id : ID;
		struct source_set *set;

		print_message("# %s\n", c->name);
		tree_new();
		plant_mounts(c->machine);
		for (int k = 0; k < (int)COUNT_OF(c->paths) && c->paths[k]; k++)
			plant_cgroup(c->machine, c->paths[k], k + 1);
		set = tree_set(tree_dir, false);
		if (c->want < 0)
			expect_no_id(set, id, c->error);
		else
			expect_id(set, id, c->want + 1);
		source_set_free(set);
		tree_free();
	}
	assert_int_equal(tree_descriptors(), before);
}

/* --- which source, and which way --- */

static void test_choice(void **state)
{
	char id[] = ID, nothing[] = "", path[] = "/docker/" NODE, other[] = "0123456789ab";
	struct target by_id = { .container_id = id };
	struct target gone_pid = { .container_id = id, .pid = 99 };
	struct target live_pid = { .container_id = id, .pid = 7 };
	struct target by_path = { .container_id = id, .cgroup_path = path };
	struct target by_nothing = { .container_id = nothing };
	struct target elsewhere = { .container_id = other };
	struct target elsewhere_gone = { .container_id = other, .pid = 99 };
	const struct target *cgroups[] = { &by_id, &gone_pid, &by_path };
	char error[SOURCE_ERROR_MAX];
	struct source_set *set;
	struct source *s;
	struct reading r;

	(void)state;
	tree_new();
	plant_mounts(V2);
	plant_cgroup(V2, "/docker/" ID, 1);
	plant_cgroup(V2, "/docker/" NODE, 2);
	tree_stat(7, 'S', 1, 0, 0, 1, 1);
	tree_put("/proc/7/cgroup", "0::/\n");
	set = tree_set(tree_dir, false);
	for (size_t i = 0; i < COUNT_OF(cgroups); i++) {
		assert_int_equal(source_choose(set, cgroups[i]), SOURCE_CGROUP);
		assert_int_equal(source_bind(set, SOURCE_CGROUP, cgroups[i], &s, error), 0);
		tree_read(set, s, &r);
		assert_int_equal(r.cpu_ns, cgroups[i] == &by_path ? 2000000000 : 1000000000);
		source_free(s);
	}
	assert_int_equal(source_choose(set, &live_pid), SOURCE_PROCESS);
	assert_int_equal(source_choose(set, &by_nothing), SOURCE_BUS);
	assert_int_equal(source_choose(set, &elsewhere), SOURCE_BUS);
	assert_int_equal(source_choose(set, &elsewhere_gone), SOURCE_PROCESS);
	expect_no_id(set, "", "neither cgroup_path nor pid nor container_id");
	source_set_free(set);
	tree_free();
}

/* --- by what an engine says: the id, and a process --- */

static const struct process_case {
	const char *name;
	enum machine machine;
	const char *cgroup;	/* /proc/<pid>/cgroup; NULL: there is no such process */
	int want;		/* which of the paths; -1: none, with this error */
	const char *error;
	const char *paths[4];
} process_cases[] = {
	{ "docker, v1", V1, "5:memory:/docker/" ID "\n4:cpu,cpuacct:/docker/" ID "\n", 0, NULL,
	  { "/docker/" ID } },
	{ "where no walk would find it", V2, "0::/1/2/3/4/5/6/7/8/9/10/11/12/13/docker-" ID ".scope\n", 0, NULL,
	  { "/1/2/3/4/5/6/7/8/9/10/11/12/13/docker-" ID ".scope" } },
	{ "a systemd inside", V2, "0::/system.slice/docker-" ID ".scope/init.scope\n", 0, NULL,
	  { "/system.slice/docker-" ID ".scope", "/system.slice/docker-" ID ".scope/init.scope" } },
	{ "of podman, below its scope", V2, "0::/machine.slice/libpod-" ID ".scope/container/init.scope\n", 1, NULL,
	  { "/machine.slice/libpod-" ID ".scope", "/machine.slice/libpod-" ID ".scope/container",
	    "/machine.slice/libpod-" ID ".scope/container/init.scope" } },
	{ "of podman, in its caller's cgroup", V2, "0::/system.slice/web.service/libpod-payload-" ID "\n", 0, NULL,
	  { "/system.slice/web.service/libpod-payload-" ID, "/system.slice/web.service/runtime" } },
	{ "which calls itself the same inside", V2, "0::/docker/" ID "/a/docker-" ID ".scope\n", 0, NULL,
	  { "/docker/" ID, "/docker/" ID "/a/docker-" ID ".scope" } },
	{ "in a container of a container", V2, "0::/docker/" NODE "/docker/" ID "\n", 1, NULL,
	  { "/docker/" NODE, "/docker/" NODE "/docker/" ID } },
	{ "the process is gone", V2, NULL, 0, NULL, { "/system.slice/docker-" ID ".scope" } },
	{ "the process is another's", V2, "0::/system.slice/ssh.service\n", 1, NULL,
	  { "/system.slice/ssh.service", "/a/b/docker-" ID ".scope" } },
	{ "the process is another container's", V2, "0::/docker/" NODE "\n", -1, "c0ffee000001 was not found",
	  { "/docker/" NODE } },
	{ "no cgroup of its own", V2, "0::/user.slice\n", -1, "c0ffee000001 was not found", { "/user.slice" } },
	{ "the root", V2, "0::/\n", -1, "c0ffee000001 was not found", { "/a" } },
	{ "its monitor", V2, "0::/machine.slice/libpod-conmon-" ID ".scope\n", -1, "c0ffee000001 was not found",
	  { "/machine.slice/libpod-conmon-" ID ".scope" } },
	{ "what is not there after all", V2, "0::/docker/" ID "\n", -1, "there is no cgroup /docker/c0ffee",
	  { "/a" } },
};

static void test_process(void **state)
{
	const struct container container = { ID, 42 };
	size_t before = tree_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(process_cases); i++) {
		const struct process_case *c = &process_cases[i];
		char error[SOURCE_ERROR_MAX] = "";
		struct source *s = NULL;
		struct source_set *set;
		struct reading r;

		print_message("# %s\n", c->name);
		tree_new();
		plant_mounts(c->machine);
		for (int k = 0; k < (int)COUNT_OF(c->paths) && c->paths[k]; k++)
			plant_cgroup(c->machine, c->paths[k], k + 1);
		if (c->cgroup)
			tree_put("/proc/42/cgroup", c->cgroup);
		set = tree_set(tree_dir, false);
		if (source_bind_container(set, &container, &s, error) != 0) {
			assert_null(s);
			if (c->want >= 0 || !strstr(error, c->error))
				fail_msg("%s", error);
		} else {
			tree_read(set, s, &r);
			assert_int_equal(r.cpu_ns, (c->want + 1) * 1000000000LL);
			tree_remove("/cg");
			assert_int_equal(source_read(set, s, &r, error), FAILURE_GONE);
			source_free(s);
		}
		source_set_free(set);
		tree_free();
	}
	assert_int_equal(tree_descriptors(), before);
}

/* --- bounds --- */

static void plant_many(const char *below, int n)
{
	char path[256];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "/cg/a/%d%s", i, below);
		tree_mkdir(path);
	}
}

/* What is seen counts, also when it need not be listed; the usual paths are not in danger. */
static void test_too_many(void **state)
{
	static const struct {
		const char *name, *below;
		int n;
		bool found;
	} cases[] = {
		{ "leaves, as many as are seen", "", CONTAINER_SEEN_MAX - 6, true },
		{ "leaves, one more", "", CONTAINER_SEEN_MAX - 5, false },
		{ "leaves, more", "", CONTAINER_SEEN_MAX, false },
		{ "parents, as many as are listed", "/b", CONTAINER_LISTED_MAX - 5, true },
		{ "parents, more", "/b", CONTAINER_LISTED_MAX, false },
	};
	struct source_set *set;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		print_message("# %s\n", cases[i].name);
		tree_new();
		plant_mounts(V2);
		plant_cgroup(V2, "/docker/" NODE, 1);
		plant_cgroup(V2, "/z/y/" ID, 2);
		plant_many(cases[i].below, cases[i].n);
		set = tree_set(tree_dir, false);
		if (cases[i].found)
			expect_id(set, ID, 2);
		/* Of parents it depends on their order which are not listed. */
		else if (cases[i].below[0] == '\0')
			expect_no_id(set, ID, "4096 cgroups, but there are more");
		else
			expect_no_id(set, TWIN, "but there are more, or deeper ones");
		expect_id(set, NODE, 1);
		source_set_free(set);
		tree_free();
	}
}

/* What the index still knows and is no more is not found, and nothing is bound to it. */
static void test_vanishes(void **state)
{
	struct source_set *set;
	struct source *s;
	char error[SOURCE_ERROR_MAX];
	struct reading r;

	(void)state;
	tree_new();
	plant_mounts(V2);
	plant_cgroup(V2, "/a/b/" ID, 1);
	plant_cgroup(V2, "/a/b/" NODE, 2);
	set = tree_set(tree_dir, false);
	s = bind_id(set, ID, error);
	assert_non_null(s);
	tree_remove("/cg/a/b/" ID);
	assert_true(source_read(set, s, &r, error) > 0);
	assert_non_null(strstr(error, "is gone"));
	source_free(s);
	expect_no_id(set, ID, "was not found");
	expect_id(set, NODE, 2);
	tree_remove("/cg");
	expect_no_id(set, NODE, "was not found");
	source_set_free(set);
	tree_free();
}

/* --- the index --- */

/* Walks are far between, however many ask; a tree that cannot be opened is not all of it. */
static void test_refresh(void **state)
{
	struct container_index *x = container_index_new();
	int64_t gap = CONTAINER_WALK_GAP_NS;
	const char *path = NULL;
	char dir[PATH_MAX];
	struct mount mount = { .dir = dir, .root = (char *)"/" };
	struct mounts m = { .of = { [MOUNTS_UNIFIED] = &mount } };

	(void)state;
	assert_non_null(x);
	tree_new();
	snprintf(dir, sizeof dir, "%s/cg", tree_dir);
	tree_mkdir("/cg/a/" ID);
	assert_int_equal(container_index_find(x, ID, &path), CONTAINER_NONE);
	assert_int_equal(container_index_refresh(x, &m, 0), 0);
	assert_int_equal(container_index_find(x, ID, &path), CONTAINER_FOUND);
	assert_string_equal(path, "/a/" ID);
	tree_mkdir("/cg/a/b/" NODE);
	assert_int_equal(container_index_refresh(x, &m, gap - 1), 0);
	assert_int_equal(container_index_find(x, NODE, &path), CONTAINER_NONE);
	/* Later than any walk may keep the next one off. */
	assert_int_equal(container_index_refresh(x, &m, 1000 * gap), 0);
	assert_int_equal(container_index_find(x, NODE, &path), CONTAINER_FOUND);
	assert_int_equal(container_index_seen(x), 4);
	assert_false(container_index_is_cut(x));
	tree_free();
	assert_int_equal(container_index_refresh(x, &m, 2000 * gap), 0);
	assert_int_equal(container_index_find(x, NODE, &path), CONTAINER_NONE);
	assert_true(container_index_is_cut(x));
	container_index_free(x);
	container_index_free(NULL);
}

/* Of a walk over many cgroups each call does a part; until its end the one before answers. */
static void test_slices(void **state)
{
	const int n = 3 * CONTAINER_SLICE;
	struct container_index *x = container_index_new();
	size_t before = tree_descriptors(), seen = 0;
	int64_t now = 0;
	char dir[PATH_MAX];
	struct mount mount = { .dir = dir, .root = (char *)"/" };
	struct mounts m = { .of = { [MOUNTS_UNIFIED] = &mount } };
	const char *path;
	int slices;

	(void)state;
	assert_non_null(x);
	tree_new();
	snprintf(dir, sizeof dir, "%s/cg", tree_dir);
	tree_mkdir("/cg/z/y/" ID);
	plant_many("", n);
	for (int round = 0; round < 2; round++) {
		print_message("# %s\n", round == 0 ? "the first walk" : "the next one");
		slices = 0;
		do {
			assert_int_equal(container_index_find(x, ID, &path),
					 round == 0 ? CONTAINER_NONE : CONTAINER_FOUND);
			assert_int_equal(container_index_find(x, NODE, &path), CONTAINER_NONE);
			assert_int_equal(container_index_refresh(x, &m, now), 0);
			if (container_index_is_walking(x)) {
				assert_true(container_index_seen(x) <=
					    (slices > 0 ? seen : 0) + CONTAINER_SLICE);
				seen = container_index_seen(x);
			}
			slices++;
		} while (container_index_is_walking(x));
		assert_true(slices > 3);
		assert_int_equal(container_index_find(x, ID, &path), CONTAINER_FOUND);
		assert_string_equal(path, "/z/y/" ID);
		assert_int_equal(container_index_seen(x), n + 4 + round);
		assert_false(container_index_is_cut(x));
		assert_int_equal(container_index_find(x, NODE, &path),
				 round == 0 ? CONTAINER_NONE : CONTAINER_FOUND);
		tree_mkdir("/cg/z/y/" NODE);
		now += 1000000 * CONTAINER_WALK_GAP_NS;
	}
	print_message("# given up in the middle, while its directories vanish\n");
	assert_int_equal(container_index_refresh(x, &m, now), 0);
	assert_true(container_index_is_walking(x));
	tree_remove("/cg/a");
	assert_int_equal(container_index_refresh(x, &m, now), 0);
	tree_mkdir("/cg/a/b");
	plant_many("", n);
	container_index_refresh(x, &m, now += 1000000 * CONTAINER_WALK_GAP_NS);
	container_index_refresh(x, &m, now += 1000000 * CONTAINER_WALK_GAP_NS);
	container_index_free(x);
	tree_free();
	assert_int_equal(tree_descriptors(), before);
}

/* Nobody needs to ask for a container: readings of others bring the walk to its end. */
static void test_readings_walk(void **state)
{
	struct target t = { .container_id = (char[]){ TWIN } };
	char error[SOURCE_ERROR_MAX];
	struct source_set *set;
	struct source *s, *found = NULL;
	struct reading r;

	(void)state;
	tree_new();
	plant_mounts(V2);
	plant_cgroup(V2, "/docker/" ID, 1);
	plant_cgroup(V2, "/z/y/" TWIN, 2);
	plant_many("", 2 * CONTAINER_SLICE);
	set = tree_set(tree_dir, false);
	print_message("# a usual machine is seen whole at once\n");
	expect_id(set, TWIN, 2);
	source_set_free(set);
	print_message("# a large one is not\n");
	for (int i = 2 * CONTAINER_SLICE; i < (CONTAINER_FIRST_SLICES + 2) * CONTAINER_SLICE; i++) {
		char path[64];

		snprintf(path, sizeof path, "/cg/a/%d", i);
		tree_mkdir(path);
	}
	set = tree_set(tree_dir, false);
	s = bind_id(set, ID, error);
	assert_true(source_bind(set, SOURCE_CGROUP, &t, &found, error) > 0);
	assert_non_null(strstr(error, "not found yet"));
	for (int i = 0; i < 10; i++)
		tree_read(set, s, &r);
	assert_int_equal(source_bind(set, SOURCE_CGROUP, &t, &found, error), 0);
	source_free(found);
	source_free(s);
	source_set_free(set);
	tree_free();
}

/* Ids that are not here rely on the walk; one that comes to be here is found all the same. */
static void test_vain(void **state)
{
	struct container_index *x = container_index_new();
	char error[SOURCE_ERROR_MAX];
	struct source_set *set;
	struct source *s;

	(void)state;
	assert_non_null(x);
	assert_false(container_index_is_vain(x, ID));
	container_index_note(x, ID, false);
	assert_true(container_index_is_vain(x, ID));
	assert_false(container_index_is_vain(x, TWIN));
	container_index_note(x, TWIN, true);
	assert_true(container_index_is_vain(x, ID));
	container_index_note(x, ID, true);
	assert_false(container_index_is_vain(x, ID));
	container_index_free(x);

	tree_new();
	plant_mounts(V2);
	plant_cgroup(V2, "/docker/" NODE, 1);
	set = tree_set(tree_dir, false);
	expect_no_id(set, ID, "was not found");
	plant_cgroup(V2, "/docker/" ID, 2);
	plant_cgroup(V2, "/docker/" TWIN, 3);
	print_message("# the first time an id is looked for it is found at once\n");
	expect_id(set, TWIN, 3);
	print_message("# one that was not here is, when the next walk sees it\n");
	do
		s = bind_id(set, ID, error);
	while (!s);
	source_free(s);
	source_set_free(set);
	tree_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_vanishes),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_readings_walk),
		cmocka_unit_test(test_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
