/*
 * cgroup_members - who is in a cgroup.
 */
#ifndef METER_SOURCE_CGROUP_MEMBERS_H
#define METER_SOURCE_CGROUP_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "cgroup_place.h"

/* How many members are asked for their network. */
#define CGROUP_MEMBERS_MAX 8

struct cgroup_members {
	int32_t pids[CGROUP_MEMBERS_MAX];
	size_t n;
};

/*
 * The first of them, in the v1 hierarchies, else in v2. A list is opened, read and closed each
 * time: v1 makes it up when it is opened, and goes on showing the same one to whoever reads it
 * again within a second. Places that have to be opened for it stay open.
 */
void cgroup_members_find(struct cgroup_members *m, const struct mounts *mounts,
			 struct cgroup_place *cpu, struct cgroup_place *memory);

#endif
