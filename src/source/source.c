#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "container_index.h"
#include "fail.h"
#include "netaddr.h"
#include "process.h"
#include "procfs.h"
#include "source.h"
#include "stats.h"

_Static_assert(SOURCE_ADDRESS_MAX == NETADDR_MAX, "room for any address");

struct source_set {
	char *host_root;
	struct cgroup_host host;
	struct process_tree *tree;	/* NULL: processes are read alone */
	struct kept_budget budget;
	struct stats *stats;		/* or NULL */
	const struct source_observer *observer;	/* or NULL */
};

struct source {
	enum source_kind kind;
	struct source_set *set;
	int64_t pid;			/* process only */
	uint64_t start;			/* process only */
	union {				/* what is kept open between readings */
		struct process_files process;
		struct cgroup_files cgroup;
	} files;
	struct netdev_ns netdev;	/* where network counters came from the last time */
	char path[];			/* cgroup only */
};

/* Not known is as good as endless: then no limit can be told to be none. */
static uint64_t memory_total(const char *host_root)
{
	char path[PROCFS_PATH_MAX], text[4096];
	uint64_t kib, bytes;
	int n;

	n = snprintf(path, sizeof path, "%s/proc/meminfo", host_root);
	if (n < 0 || (size_t)n >= sizeof path ||
	    procfs_read(AT_FDCWD, path, text, sizeof text, NULL) < 0 ||
	    !procfs_keyed_number(text, "MemTotal:", &kib) ||
	    __builtin_mul_overflow(kib, (uint64_t)1024, &bytes))
		return UINT64_MAX;
	return bytes;
}

int source_set_new(struct source_set **out, const struct source_options *options)
{
	struct source_set *set;
	size_t len = strlen(options->host_root);
	int r = -ENOMEM;

	while (len > 0 && options->host_root[len - 1] == '/')
		len--;
	set = calloc(1, sizeof *set);
	if (!set)
		return -ENOMEM;
	set->host_root = strndup(options->host_root, len);
	if (!set->host_root)
		goto out;
	if (options->process_children) {
		set->tree = process_tree_new();
		if (!set->tree)
			goto out;
	}
	set->host.containers = container_index_new();
	if (!set->host.containers)
		goto out;
	set->host.root = set->host_root;
	set->budget.max = options->max_open_files;
	set->stats = options->stats;
	set->observer = options->observer;
	r = mounts_load(&set->host.mounts, set->host_root);
	if (r < 0)
		goto out;
	set->host.observer = set->observer;
	netdev_shared_load(&set->host.netdev, set->host_root);
	set->host.netdev.observer = set->observer;
	set->host.netdev.unreadable = set->stats ? &set->stats->network_unreadable : NULL;
	set->host.too_deep = set->stats ? &set->stats->limits_too_deep : NULL;
	set->host.memory_total = memory_total(set->host_root);
	*out = set;
out:
	if (r < 0)
		source_set_free(set);
	return r;
}

void source_set_free(struct source_set *set)
{
	if (!set)
		return;
	mounts_clear(&set->host.mounts);
	container_index_free(set->host.containers);
	process_tree_free(set->tree);
	free(set->host_root);
	free(set);
}

static bool has_path(const struct target *t)
{
	return t->cgroup_path && t->cgroup_path[0] != '\0';
}

static bool has_container(const struct target *t)
{
	return t->container_id && t->container_id[0] != '\0';
}

/* One that is not here may be elsewhere, or not there yet. */
static bool is_container_here(const struct source_set *set, const struct target *t)
{
	char path[CGROUP_PATH_MAX], error[SOURCE_ERROR_MAX];

	return has_container(t) &&
	       cgroup_from_container(&set->host, t->container_id, path, error) == 0;
}

static bool has_process(const struct source_set *set, const struct target *t)
{
	char error[SOURCE_ERROR_MAX];
	uint64_t start;

	return process_find(set->host_root, t->pid, &start, error) == 0;
}

enum source_kind source_choose(struct source_set *set, const struct target *t)
{
	if (has_path(t))
		return SOURCE_CGROUP;
	if (t->pid == 0)
		return is_container_here(set, t) ? SOURCE_CGROUP : SOURCE_BUS;
	if (cgroup_is_own(&set->host, t->pid))
		return SOURCE_CGROUP;
	/* A container that was started anew has another pid, and still its id. */
	return !has_process(set, t) && is_container_here(set, t) ? SOURCE_CGROUP : SOURCE_PROCESS;
}

static bool has_hierarchy(const struct source_set *set)
{
	const struct mounts *m = &set->host.mounts;

	return m->of[MOUNTS_CPUACCT] || m->of[MOUNTS_MEMORY] || m->of[MOUNTS_UNIFIED];
}

static int no_hierarchy(const struct source_set *set, char error[SOURCE_ERROR_MAX])
{
	int why = set->host.mounts.error;

	if (why < 0)
		return source_fail(error, FAILURE_UNREADABLE, "no cgroups are known: mountinfo "
				   "cannot be read: %s", strerror(-why));
	return source_fail(error, FAILURE_UNREADABLE, "no cgroup hierarchy with CPU or memory is "
			   "mounted here");
}

static int find_by_pid(const struct source_set *set, int64_t pid, char path[CGROUP_PATH_MAX],
		       char error[SOURCE_ERROR_MAX])
{
	int r;

	if (pid < 1 || pid > PROCFS_PID_MAX)
		return source_fail(error, FAILURE_TARGET, "%" PRId64 " is not a process id", pid);
	r = cgroup_from_pid(&set->host, pid, path, error);
	if (r == 0 && strcmp(path, "/") == 0)
		r = source_fail(error, FAILURE_TARGET, "process %" PRId64 " is in the root "
				"cgroup, which is the whole machine", pid);
	return r;
}

/* Is it there to be read? */
static int probe(const struct source_set *set, const char *path, char error[SOURCE_ERROR_MAX])
{
	char shown[96];
	int r;

	r = cgroup_probe(&set->host, path);
	if (r == -ENOENT)
		return source_fail(error, FAILURE_ABSENT, "there is no cgroup %s",
				   cgroup_shown(path, shown));
	if (r < 0)
		return source_fail(error, failure_of(r), "the cgroup %s cannot be opened: %s",
				   cgroup_shown(path, shown), strerror(-r));
	return 0;
}

static int find_cgroup(const struct source_set *set, const struct target *t,
		       char path[CGROUP_PATH_MAX], char error[SOURCE_ERROR_MAX])
{
	int r = 1;

	if (!has_hierarchy(set))
		return no_hierarchy(set, error);
	if (has_path(t)) {
		r = cgroup_from_text(&set->host, t->cgroup_path, path, error);
	} else {
		if (t->pid != 0)
			r = find_by_pid(set, t->pid, path, error);
		if (r > 0 && has_container(t))
			r = cgroup_from_container(&set->host, t->container_id, path, error);
	}
	if (r != 0)
		return r;
	return probe(set, path, error);
}

static int make_cgroup(struct source_set *set, const char *path, struct source **out)
{
	struct source *s = calloc(1, sizeof *s + strlen(path) + 1);

	if (!s)
		return -ENOMEM;
	s->kind = SOURCE_CGROUP;
	s->set = set;
	cgroup_files_init(&s->files.cgroup, &set->budget);
	strcpy(s->path, path);
	*out = s;
	return 0;
}

static int bind_cgroup(struct source_set *set, const struct target *t, struct source **out,
		       char error[SOURCE_ERROR_MAX])
{
	char path[CGROUP_PATH_MAX];
	int r;

	if (!has_path(t) && t->pid == 0 && !has_container(t))
		return source_fail(error, FAILURE_TARGET, "the target names neither cgroup_path "
				   "nor pid nor container_id");
	r = find_cgroup(set, t, path, error);
	return r != 0 ? r : make_cgroup(set, path, out);
}

int source_bind_container(struct source_set *set, const struct container *container,
			  struct source **out, char error[SOURCE_ERROR_MAX])
{
	char path[CGROUP_PATH_MAX];
	int r;

	if (!has_hierarchy(set))
		return no_hierarchy(set, error);
	r = cgroup_from_container_pid(&set->host, container, path, error);
	if (r == 0)
		r = probe(set, path, error);
	return r != 0 ? r : make_cgroup(set, path, out);
}

static int bind_process(struct source_set *set, const struct target *t, struct source **out,
			char error[SOURCE_ERROR_MAX])
{
	struct source *s;
	uint64_t start;
	int r;

	if (t->pid == 0)
		return source_fail(error, FAILURE_TARGET, "the target names no pid");
	r = process_find(set->host_root, t->pid, &start, error);
	if (r != 0)
		return r;
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->kind = SOURCE_PROCESS;
	s->set = set;
	process_files_init(&s->files.process, &set->budget, set->observer);
	s->pid = t->pid;
	s->start = start;
	*out = s;
	return 0;
}

int source_bind(struct source_set *set, enum source_kind kind, const struct target *t,
		struct source **out, char error[SOURCE_ERROR_MAX])
{
	switch (kind) {
	case SOURCE_CGROUP:
		return bind_cgroup(set, t, out, error);
	case SOURCE_PROCESS:
		return bind_process(set, t, out, error);
	default:
		return source_fail(error, FAILURE_TARGET, "a source of kind %s is not read from "
				   "this machine", source_kind_name(kind));
	}
}

void source_describe(const struct source *s, char *out, size_t size)
{
	if (s->kind == SOURCE_CGROUP)
		snprintf(out, size, "cgroup %s", s->path);
	else
		snprintf(out, size, "process %" PRId64, s->pid);
	source_make_printable(out);
}

static void count_open(const struct source_set *set)
{
	if (set->stats)
		set->stats->files_kept = set->budget.open;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	if (s->kind == SOURCE_CGROUP)
		cgroup_files_release(&s->files.cgroup);
	else
		process_files_release(&s->files.process);
	count_open(s->set);
	free(s);
}

static int read_process(const struct source_set *set, struct source *s, struct reading *out,
			char error[SOURCE_ERROR_MAX])
{
	struct process_files *files = &s->files.process;
	int dir, r;

	r = process_read(set->host_root, s->pid, s->start, set->tree, files, out, error);
	if (r != 0)
		return r;
	dir = process_dir_use(files, set->host_root, s->pid);
	if (dir >= 0)
		netdev_read_at(&set->host.netdev, dir, &s->netdev, out);
	process_dir_done(files, dir);
	return 0;
}

int source_read(struct source_set *set, struct source *s, struct reading *out,
		char error[SOURCE_ERROR_MAX])
{
	struct reading now = { .has = 0 };
	uint64_t unkept = set->budget.unkept;
	int r;

	/*
	 * Readings bring a walk to its end, so that whoever waits for it need not ask for each slice.
	 * When it fails it begins anew with whoever asks next.
	 */
	if (container_index_is_walking(set->host.containers))
		(void)container_index_advance(set->host.containers, procfs_now_ns());
	if (s->kind == SOURCE_CGROUP)
		r = cgroup_read(&set->host, s->path, &s->files.cgroup, &s->netdev, &now, error);
	else
		r = read_process(set, s, &now, error);
	count_open(set);
	if (set->stats && set->budget.unkept != unkept)
		set->stats->readings_reopened++;
	if (r == 0)
		*out = now;
	return r;
}

bool source_address(struct source_set *set, struct source *s, char out[SOURCE_ADDRESS_MAX])
{
	int dir, r;

	if (s->kind == SOURCE_CGROUP)
		return cgroup_address(&set->host, &s->files.cgroup, out) == 0;
	dir = process_dir_use(&s->files.process, set->host_root, s->pid);
	if (dir < 0)
		return false;
	r = netdev_address(&set->host.netdev, dir, out);
	process_dir_done(&s->files.process, dir);
	return r == 0;
}
