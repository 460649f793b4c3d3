/*
 * cgroup - one instance's cgroup: finding it, and its counters.
 *
 * An instance has one cgroup path. Each quantity is looked up at that path in its own v1 hierarchy,
 * and in the v2 tree when it is not there, so v1, v2 and hybrid machines need no telling apart.
 */
#ifndef METER_SOURCE_CGROUP_H
#define METER_SOURCE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup_place.h"
#include "kept_file.h"
#include "mounts.h"
#include "netdev.h"
#include "reading.h"
#include "source.h"

#define CGROUP_PATH_MAX 4096

struct container_index;

/* What is the same for all cgroups. */
struct cgroup_host {
	struct mounts mounts;
	struct netdev_shared netdev;
	const char *root;		/* where the host's / is, "" for / */
	uint64_t memory_total;		/* MemTotal, bytes; UINT64_MAX = not known */
	uint64_t *too_deep;		/* counter of readings beyond CGROUP_LIMITS_MAX, or NULL */
	struct container_index *containers;
	const struct source_observer *observer;	/* or NULL */
};

/* --- cgroup_find.c --- */

/* A path below the hierarchy, from how an operator may write it. 0, or > 0 with a sentence. */
int cgroup_from_text(const struct cgroup_host *host, const char *text, char path[CGROUP_PATH_MAX],
		     char error[SOURCE_ERROR_MAX]);

/* The cgroup of a process; "/" is the root. 0, or > 0 with a sentence. */
int cgroup_from_pid(const struct cgroup_host *host, int64_t pid, char path[CGROUP_PATH_MAX],
		    char error[SOURCE_ERROR_MAX]);

/* See source_choose(). Only one whose CPU can be read: a process alone would give more. */
bool cgroup_is_own(const struct cgroup_host *host, int64_t pid);

/* Long paths are shown by their end, which tells them apart. Fits a sentence. */
const char *cgroup_shown(const char *path, char shown[96]);

/* --- container_find.c --- */

/*
 * The cgroup of an engine's container. text is its id, or the first twelve or more digits of it;
 * <engine>:// may stand in front. 0, > 0 with a sentence, -ENOMEM.
 */
int cgroup_from_container(const struct cgroup_host *host, const char *text,
			  char path[CGROUP_PATH_MAX], char error[SOURCE_ERROR_MAX]);

/* The same when a process of it is known, too: the outermost of its cgroups that is named after it. */
int cgroup_from_container_pid(const struct cgroup_host *host, const struct container *container,
			      char path[CGROUP_PATH_MAX], char error[SOURCE_ERROR_MAX]);

/* --- cgroup.c --- */

/* 0; -ENOENT: it is in none of the hierarchies; -errno */
int cgroup_probe(const struct cgroup_host *host, const char *path);
/* Which of READING_CPU_TIME and READING_MEMORY_USED the kernel keeps for it. */
unsigned cgroup_accounts(const struct cgroup_host *host, const char *path);
bool cgroup_has_cpu(const struct cgroup_host *host, const char *path);

/* At each so many-th reading everything is looked at as at the first; cgroup.c says why. */
#define CGROUP_LOOK_AGAIN 12

/* Limits further up are opened for each reading. */
#define CGROUP_LIMITS_KEPT 6
/*
 * So many levels are looked at, the mount's own directory included; of what is deeper no limit is
 * told. Whoever may make cgroups in his own could hold the loop with them.
 */
#define CGROUP_LIMITS_MAX 64

/*
 * What is kept open of one cgroup between its readings. On a cgroup file system the kernel tells
 * when the cgroup of an open file was removed: a read fails with ENODEV, also when another one has
 * the path by then. So as long as reads succeed the path need not be looked at.
 */
struct cgroup_files {
	struct kept_budget *budget;
	struct cgroup_place cpu, memory;	/* where they are; path is the caller's */
	unsigned readings;			/* good ones, since they were opened */
	unsigned absent;			/* ABSENT_ of cgroup.c: were not there */
	struct kept_file cpu_used;
	struct kept_file memory_used;
	struct kept_file memory_stat;
	struct kept_file limits[CGROUP_LIMITS_KEPT];	/* v2 only: its own, its parent's, ... */
	struct netdev_member member;
};

void cgroup_files_init(struct cgroup_files *files, struct kept_budget *budget);
void cgroup_files_release(struct cgroup_files *files);

/*
 * 0, or > 0 with a sentence; after a failure nothing is kept open. *netdev is kept from one reading
 * to the next, zeroed at first.
 */
int cgroup_read(const struct cgroup_host *host, const char *path, struct cgroup_files *files,
		struct netdev_ns *netdev, struct reading *out, char error[SOURCE_ERROR_MAX]);

/* Of one that was read: the address of the member its network was read from. -errno as netdev_address(). */
int cgroup_address(const struct cgroup_host *host, struct cgroup_files *files,
		   char out[NETADDR_MAX]);

#endif
