/*
 * container_index - which container has which cgroup, from a walk over the trees.
 *
 * For what the engines' fixed paths do not tell: Kubernetes puts a pod's id in between, rootless
 * engines a user's slice. One walk serves all instances. A node of 110 pods takes it 3 ms, its
 * bounds keep it to about 20 ms a hierarchy, and walks that follow each other to a hundredth of the
 * loop's time, however many containers are looked for.
 */
#ifndef METER_SOURCE_CONTAINER_INDEX_H
#define METER_SOURCE_CONTAINER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mounts.h"

/* Hexadecimal digits of an id, and the fewest that an engine shows of it. */
#define CONTAINER_ID_LEN 64
#define CONTAINER_ID_MIN 12

/* Of one hierarchy: how many directories are listed, and how many names of cgroups are seen. */
#define CONTAINER_LISTED_MAX 512
#define CONTAINER_SEEN_MAX 4096
/* Of the cgroups that are seen: a pod's container on a rootless kind node is at 11. */
#define CONTAINER_DEPTH_MAX 12
/* From the end of one walk to the next: at least so long, and so many times as long as it took. */
#define CONTAINER_WALK_GAP_NS ((int64_t)1000000000)
#define CONTAINER_WALK_GAP_FACTOR 100

struct container_index;

struct container_index *container_index_new(void);	/* NULL: out of memory */
void container_index_free(struct container_index *x);	/* NULL is fine */

/*
 * Walks anew when there was no walk yet or the last one is long enough ago; else the index stays as
 * it is. -ENOMEM: the index is empty.
 */
int container_index_refresh(struct container_index *x, const struct mounts *m, int64_t now_ns);

enum container_match {
	CONTAINER_NONE,
	CONTAINER_FOUND,
	CONTAINER_AMBIGUOUS,	/* several containers, or cgroups of one at the same depth */
};

/*
 * id is CONTAINER_ID_MIN to CONTAINER_ID_LEN digits. Of several cgroups of one container the one
 * nearest to the root, for what is inside of a container may call itself what it likes. *path is
 * valid until the next refresh.
 */
enum container_match container_index_find(const struct container_index *x, const char *id,
					  const char **path);

/* How many cgroups the last walk saw, and whether a bound or a failure kept it from seeing all. */
size_t container_index_seen(const struct container_index *x);
bool container_index_is_cut(const struct container_index *x);

/* The id in a cgroup's name, CONTAINER_ID_LEN digits; NULL: it is no container's. */
const char *container_name_id(const char *name);

#endif
