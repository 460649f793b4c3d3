/*
 * mounts - where the cgroup hierarchies are that we read: mountinfo, read once.
 */
#ifndef METER_SOURCE_MOUNTS_H
#define METER_SOURCE_MOUNTS_H

#include <stddef.h>

enum mounts_hierarchy {
	MOUNTS_CPUACCT,	/* v1 */
	MOUNTS_MEMORY,	/* v1 */
	MOUNTS_UNIFIED,	/* v2; beside v1 (hybrid) it has no controllers, but still cpu.stat */
	MOUNTS_COUNT
};

/* All cgroup mounts are kept, for a cgroup_path may begin with any of them; v1 has up to 13. */
#define MOUNTS_MAX 64

struct mount {
	char *dir;	/* as we open it: with the host root in front */
	char *root;	/* which cgroup of the hierarchy is seen there; "/" mostly */
};

struct mounts {
	struct mount list[MOUNTS_MAX];
	size_t n;
	const struct mount *of[MOUNTS_COUNT];	/* into list; NULL = not mounted */
	size_t host_root_len;
	int error;	/* -errno when mountinfo could not be read */
};

/* -ENOMEM; a mountinfo that cannot be read is remembered and told when something is bound. */
int mounts_load(struct mounts *m, const char *host_root);
void mounts_clear(struct mounts *m);

/*
 * A path out of /proc/<pid>/cgroup as it is seen below this mount: "/" or "/a/b", a part of path.
 * NULL when it is not seen there.
 */
const char *mounts_below(const struct mount *mount, const char *path);

/* What remains of a path that begins with one of the mount points; else the whole path. */
const char *mounts_strip(const struct mounts *m, const char *path);

/* Is there such a component (".." or ".") in the path? */
int mounts_has_component(const char *path, const char *component);

#endif
