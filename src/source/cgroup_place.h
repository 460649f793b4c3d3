/*
 * cgroup_place - where a cgroup is: its directory in the hierarchy that accounts for a quantity.
 */
#ifndef METER_SOURCE_CGROUP_PLACE_H
#define METER_SOURCE_CGROUP_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mounts.h"
#include "procfs.h"

/* Which directory: another one may be made under the same name. */
struct cgroup_identity {
	dev_t device;
	ino_t inode;		/* 0 = none */
};

bool cgroup_identity_same(const struct cgroup_identity *a, const struct cgroup_identity *b);

struct cgroup_place {
	const struct mount *mount;
	const char *path;		/* below the mount */
	bool unified;
	int fd;				/* -1: not opened for this reading */
	struct cgroup_identity id;	/* inode 0: the cgroup is not there */
	bool kernel_tells;		/* see struct cgroup_files */
};

bool cgroup_place_is_there(const struct cgroup_place *p);

/* In this hierarchy. -errno; procfs_is_gone(): it is not there */
int cgroup_place_find_at(struct cgroup_place *p, const struct mounts *m, enum mounts_hierarchy h,
			 const char *path);
/* In these, or in v2's. -ENOENT: in no hierarchy; -errno: what kept us from looking. */
int cgroup_place_find(struct cgroup_place *cpu, struct cgroup_place *memory,
		      const struct mounts *m, const char *path);

/* Its directory, which must still be the one that was found. -errno */
int cgroup_place_open(struct cgroup_place *p);
void cgroup_place_close(struct cgroup_place *p);

/* false: too long for a path */
bool cgroup_place_join(char out[PROCFS_PATH_MAX], const char *dir, const char *path,
		       const char *file);

#endif
