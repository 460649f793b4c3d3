#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "fail.h"
#include "process.h"
#include "procfs.h"

/* 13 hierarchies at most, each a path of up to 4,096 bytes. */
#define PID_CGROUP_MAX ((size_t)64 << 10)

const char *cgroup_shown(const char *path, char shown[96])
{
	size_t len = strlen(path);

	if (len < 96)
		snprintf(shown, 96, "%s", path);
	else
		snprintf(shown, 96, "...%s", path + len - 92);
	return shown;
}

int cgroup_from_text(const struct cgroup_host *host, const char *text, char path[CGROUP_PATH_MAX],
		     char error[SOURCE_ERROR_MAX])
{
	const char *rest;
	char shown[96];
	size_t len = 0, part;

	if (strlen(text) > TARGET_STRING_MAX)
		return source_fail(error, FAILURE_TARGET, "cgroup_path is longer than %d bytes",
				   TARGET_STRING_MAX);
	if (text[0] != '/')
		return source_fail(error, FAILURE_TARGET, "cgroup_path %s does not begin with /",
				   cgroup_shown(text, shown));
	if (mounts_has_component(text, ".."))
		return source_fail(error, FAILURE_TARGET, "cgroup_path %s has a component ..",
				   cgroup_shown(text, shown));
	rest = mounts_strip(&host->mounts, text);
	/* Without empty parts and dots, in which the root could hide. */
	for (; *rest != '\0'; rest += part) {
		rest += strspn(rest, "/");
		part = strcspn(rest, "/");
		if (part == 0 || (part == 1 && rest[0] == '.'))
			continue;
		path[len++] = '/';
		memcpy(path + len, rest, part);
		len += part;
	}
	path[len] = '\0';
	if (len == 0)
		return source_fail(error, FAILURE_TARGET, "cgroup_path %s is the root cgroup, "
				   "which is the whole machine", cgroup_shown(text, shown));
	return 0;
}

/* Where one process is, as seen below our mounts; "" = in none that is seen. */
struct places {
	char path[MOUNTS_COUNT][CGROUP_PATH_MAX];
	bool any_outside;
};

static void note_place(struct places *p, const struct mounts *m, enum mounts_hierarchy h,
		       const char *path)
{
	const char *below;

	if (!m->of[h])
		return;
	below = mounts_below(m->of[h], path);
	if (!below || strlen(below) >= CGROUP_PATH_MAX) {
		p->any_outside = true;
		return;
	}
	strcpy(p->path[h], below);
}

/* "4:cpu,cpuacct:/a/b"; "0::/a/b" is the unified one */
static void note_line(struct places *p, const struct mounts *m, char *line)
{
	char *number = strsep(&line, ":");
	char *controllers = strsep(&line, ":");
	char *name;

	if (!line || line[0] != '/')
		return;
	if (strcmp(number, "0") == 0 && controllers[0] == '\0') {
		note_place(p, m, MOUNTS_UNIFIED, line);
		return;
	}
	while ((name = strsep(&controllers, ","))) {
		if (strcmp(name, "cpuacct") == 0)
			note_place(p, m, MOUNTS_CPUACCT, line);
		else if (strcmp(name, "memory") == 0)
			note_place(p, m, MOUNTS_MEMORY, line);
	}
}

static int load_places(const struct cgroup_host *host, int64_t pid, struct places *p)
{
	struct procfs_pieces lines;
	char *line;
	int dir, r;

	for (int h = 0; h < MOUNTS_COUNT; h++)
		p->path[h][0] = '\0';
	p->any_outside = false;
	dir = procfs_open_pid(host->root, pid);
	if (dir < 0)
		return dir;
	r = procfs_pieces_open(&lines, dir, "cgroup", PID_CGROUP_MAX);
	close(dir);
	if (r < 0)
		return r;
	while ((line = procfs_pieces_next(&lines, '\n')))
		note_line(p, &host->mounts, line);
	r = lines.error;
	procfs_pieces_close(&lines);
	return r;
}

static bool is_root(const char *path)
{
	return strcmp(path, "/") == 0;
}

/*
 * One path for all quantities. Where a controller's accounting is off, systemd leaves a service in
 * that hierarchy at an ancestor, or at the root, which others share: so the longest path, as long
 * as CPU can be read there. v2 beside v1 counts only when v1 knows nothing: a systemd inside of a
 * container moves itself deeper there than where the container's counters are.
 */
static const char *choose_place(const struct cgroup_host *host, const struct places *p)
{
	const char *order[MOUNTS_COUNT] = {
		p->path[MOUNTS_CPUACCT], p->path[MOUNTS_MEMORY], p->path[MOUNTS_UNIFIED],
	};
	const char *fallback = NULL;

	if (strlen(order[1]) > strlen(order[0])) {
		order[0] = p->path[MOUNTS_MEMORY];
		order[1] = p->path[MOUNTS_CPUACCT];
	}
	for (int i = 0; i < MOUNTS_COUNT; i++) {
		if (order[i][0] == '\0')
			continue;
		if (!is_root(order[i]) && cgroup_has_cpu(host, order[i]))
			return order[i];
		if (!fallback || is_root(fallback))
			fallback = order[i];
	}
	return fallback;
}

int cgroup_from_pid(const struct cgroup_host *host, int64_t pid, char path[CGROUP_PATH_MAX],
		    char error[SOURCE_ERROR_MAX])
{
	struct places places;
	const char *place;
	int r;

	r = load_places(host, pid, &places);
	if (procfs_is_gone(r))
		return source_fail(error, FAILURE_ABSENT, "there is no process %" PRId64, pid);
	if (r < 0)
		return source_fail(error, failure_of(r), "the cgroup of process %" PRId64 " "
				   "cannot be read: %s", pid, strerror(-r));
	place = choose_place(host, &places);
	if (!place && places.any_outside)
		return source_fail(error, FAILURE_UNREADABLE, "the cgroup of process %" PRId64
				   " lies outside of the cgroups mounted here", pid);
	if (!place)
		return source_fail(error, FAILURE_UNREADABLE, "process %" PRId64 " is in no "
				   "cgroup that is mounted here", pid);
	strcpy(path, place);
	return 0;
}

static int64_t parent_of(const struct cgroup_host *host, int64_t pid)
{
	struct process_stat s;
	int dir, r;

	dir = procfs_open_pid(host->root, pid);
	if (dir < 0)
		return 0;
	r = process_stat_read(dir, &s, NULL);
	close(dir);
	return r < 0 || s.parent > PROCFS_PID_MAX ? 0 : (int64_t)s.parent;
}

bool cgroup_is_own(const struct cgroup_host *host, int64_t pid)
{
	char own[CGROUP_PATH_MAX], parents[CGROUP_PATH_MAX];
	char error[SOURCE_ERROR_MAX];
	int64_t parent;

	if (cgroup_from_pid(host, pid, own, error) != 0 || is_root(own) ||
	    !cgroup_has_cpu(host, own))
		return false;
	parent = parent_of(host, pid);
	if (parent == 0 || cgroup_from_pid(host, parent, parents, error) != 0)
		return true;
	return strcmp(own, parents) != 0;
}
