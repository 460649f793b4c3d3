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

/* Bytes of an engine's name. */
#define ENGINE_MAX 32

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

/*
 * Kubernetes writes the engine in front: docker://<id>, containerd://<id>, cri-o://<id>. Which one
 * does not matter, and an id has no colon.
 */
static const char *strip_engine(const char *id)
{
	size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.+-");

	return len >= 1 && len <= ENGINE_MAX && strncmp(id + len, "://", 3) == 0 ? id + len + 3
										  : id;
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
	if (container_index_is_walking(x))
		return source_fail(error, FAILURE_ABSENT, "container %.12s was not found yet: "
				   "tried the engines' usual paths and %zu cgroups so far", id,
				   container_index_seen(x));
	if (container_index_is_cut(x))
		return source_fail(error, FAILURE_ABSENT, "container %.12s was not found: tried "
				   "the engines' usual paths and %zu cgroups, but there are more, "
				   "or deeper ones", id, container_index_seen(x));
	return source_fail(error, FAILURE_ABSENT, "container %.12s was not found: tried the "
			   "engines' usual paths and all %zu cgroups", id,
			   container_index_seen(x));
}

/*
 * Most that are looked for again and again run elsewhere. Once an id was looked for in vain, a walk
 * that saw all cgroups, which is renewed here when it is old enough, is asked in place of the known
 * paths: when its container comes to be here after all, that is not seen for as long as the next
 * walk is off, and no longer. Whoever is looked for the first time is not kept waiting.
 */
static int search(const struct cgroup_host *host, const char *id, bool whole,
		  char path[CGROUP_PATH_MAX], enum container_match *match)
{
	struct container_index *x = host->containers;
	bool vain = whole && container_index_is_vain(x, id);
	int r;

	*match = CONTAINER_FOUND;
	if (whole && !vain && find_known(host, id, path))
		return 0;
	if (whole && find_indexed(host, id, path) == CONTAINER_FOUND)
		return 0;
	r = container_index_refresh(x, &host->mounts, procfs_now_ns());
	for (int i = 1; r == 0 && !vain && container_index_is_walking(x) &&
			i < CONTAINER_FIRST_SLICES; i++)
		r = container_index_advance(x, procfs_now_ns());
	if (r < 0)
		return r;
	*match = find_indexed(host, id, path);
	if (*match == CONTAINER_NONE && vain &&
	    (container_index_is_walking(x) || container_index_is_cut(x)) &&
	    find_known(host, id, path))
		*match = CONTAINER_FOUND;
	return 0;
}

int cgroup_from_container(const struct cgroup_host *host, const char *text,
			  char path[CGROUP_PATH_MAX], char error[SOURCE_ERROR_MAX])
{
	struct container_index *x = host->containers;
	const char *id = strip_engine(text);
	enum container_match match;
	size_t len = strlen(id);
	bool whole = len == CONTAINER_ID_LEN;
	char shown[96];
	int r;

	if (len < CONTAINER_ID_MIN || len > CONTAINER_ID_LEN ||
	    strspn(id, "0123456789abcdef") != len)
		return source_fail(error, FAILURE_TARGET, "container_id %s is not %d to %d of 0-9 "
				   "and a-f", cgroup_shown(text, shown), CONTAINER_ID_MIN,
				   CONTAINER_ID_LEN);
	r = search(host, id, whole, path, &match);
	if (r < 0)
		return r;
	if (whole)
		container_index_note(x, id, match == CONTAINER_FOUND);
	if (match != CONTAINER_FOUND || (!whole && container_index_is_cut(x)))
		return not_found(x, match, id, error);
	go_inside(host, path);
	return 0;
}

/* Cuts the path behind the outermost cgroup that is this container's. */
static bool cut_at(char *path, const char *id)
{
	char name[PROCFS_NAME_MAX];
	const char *found;
	size_t len;

	for (char *c = path; *c == '/'; c += len) {
		c++;
		len = strcspn(c, "/");
		if (len >= sizeof name)
			continue;
		memcpy(name, c, len);
		name[len] = '\0';
		found = container_name_id(name);
		if (found && memcmp(found, id, CONTAINER_ID_LEN) == 0) {
			c[len] = '\0';
			return true;
		}
	}
	return false;
}

int cgroup_from_container_pid(const struct cgroup_host *host, const struct container *container,
			      char path[CGROUP_PATH_MAX], char error[SOURCE_ERROR_MAX])
{
	/* A systemd inside of it moves its processes deeper than where the counters of all are. */
	if (cgroup_from_pid(host, container->pid, path, error) == 0 &&
	    cut_at(path, container->id)) {
		go_inside(host, path);
		return 0;
	}
	return cgroup_from_container(host, container->id, path, error);
}
