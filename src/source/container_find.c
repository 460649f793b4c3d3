#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroup.h"
#include "container_index.h"
#include "fail.h"
#include "procfs.h"

/* Where the engines put a container when nothing else was asked for; tried before any walk. */
static const char *const known_paths[] = {
	"/docker/%s",
	"/system.slice/docker-%s.scope",
	"/machine.slice/libpod-%s.scope",
	"/libpod_parent/libpod-%s",
	"/default/%s",				/* containerd's own namespace, also nerdctl's */
	"/system.slice/nerdctl-%s.scope",
	"/k8s.io/%s",
	"/system.slice/cri-containerd-%s.scope",
	"/system.slice/crio-%s.scope",
};

#define N_KNOWN (sizeof known_paths / sizeof *known_paths)

/* What keeps us from looking at one counts as not there: the walk is still to come. */
static bool find_known(const struct cgroup_host *host, const char *id, char path[CGROUP_PATH_MAX])
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		const char *known = known_paths[i];
		const char *at = strstr(known, "%s");

		snprintf(path, CGROUP_PATH_MAX, "%.*s%s%s", (int)(at - known), known, id, at + 2);
		if (cgroup_probe(host, path) == 0)
			return true;
	}
	return false;
}

/* The index may be older than the end of the container. */
static enum container_match find_indexed(const struct cgroup_host *host, const char *id,
					 char path[CGROUP_PATH_MAX])
{
	const char *found;
	enum container_match match = container_index_find(host->containers, id, &found);

	if (match != CONTAINER_FOUND)
		return match;
	if (strlen(found) >= CGROUP_PATH_MAX || cgroup_probe(host, found) < 0)
		return CONTAINER_NONE;
	strcpy(path, found);
	return CONTAINER_FOUND;
}

/*
 * podman and CRI-O may leave their monitor in the container's scope and put the container itself
 * one deeper. Only theirs: in any other a tenant could make such a cgroup, to be read instead of
 * the rest. And only where all that is accounted outside is inside, too: on a hybrid machine the
 * inner one is in v2 alone.
 */
static void go_inside(const struct cgroup_host *host, char path[CGROUP_PATH_MAX])
{
	const char *name = strrchr(path, '/') + 1;
	size_t len = strlen(path);
	unsigned outside;

	if (strncmp(name, "libpod-", 7) != 0 && strncmp(name, "crio-", 5) != 0)
		return;
	if (len + sizeof "/container" > CGROUP_PATH_MAX)
		return;
	outside = cgroup_accounts(host, path);
	strcpy(path + len, "/container");
	if (cgroup_probe(host, path) < 0 || (outside & ~cgroup_accounts(host, path)) != 0)
		path[len] = '\0';
}

static int not_found(const struct container_index *x, enum container_match match, const char *id,
		     char error[SOURCE_ERROR_MAX])
{
	if (match == CONTAINER_AMBIGUOUS && strlen(id) < CONTAINER_ID_LEN)
		return source_fail(error, FAILURE_TARGET, "container_id %s fits more than one "
				   "cgroup", id);
	if (match == CONTAINER_AMBIGUOUS)
		return source_fail(error, FAILURE_ABSENT, "container %.12s has more than one "
				   "cgroup", id);
	if (match == CONTAINER_FOUND)
		return source_fail(error, FAILURE_TARGET, "container_id %.12s... is not whole, "
				   "and there are more cgroups than are searched for another that "
				   "fits", id);
	if (container_index_is_cut(x))
		return source_fail(error, FAILURE_ABSENT, "container %.12s was not found: tried "
				   "the engines' usual paths and %zu cgroups, but there are more, "
				   "or deeper ones", id, container_index_seen(x));
	return source_fail(error, FAILURE_ABSENT, "container %.12s was not found: tried the "
			   "engines' usual paths and all %zu cgroups", id,
			   container_index_seen(x));
}

int cgroup_from_container(const struct cgroup_host *host, const char *id,
			  char path[CGROUP_PATH_MAX], char error[SOURCE_ERROR_MAX])
{
	struct container_index *x = host->containers;
	enum container_match match = CONTAINER_NONE;
	size_t len = strlen(id);
	bool whole = len == CONTAINER_ID_LEN;
	char shown[96];
	int r;

	if (len < CONTAINER_ID_MIN || len > CONTAINER_ID_LEN ||
	    strspn(id, "0123456789abcdef") != len)
		return source_fail(error, FAILURE_TARGET, "container_id %s is not %d to %d of 0-9 "
				   "and a-f", cgroup_shown(id, shown), CONTAINER_ID_MIN,
				   CONTAINER_ID_LEN);
	if (whole && find_known(host, id, path))
		match = CONTAINER_FOUND;
	else if (whole)
		match = find_indexed(host, id, path);
	if (match != CONTAINER_FOUND) {
		r = container_index_refresh(x, &host->mounts, procfs_now_ns());
		if (r < 0)
			return r;
		match = find_indexed(host, id, path);
	}
	if (match != CONTAINER_FOUND || (!whole && container_index_is_cut(x)))
		return not_found(x, match, id, error);
	go_inside(host, path);
	return 0;
}
