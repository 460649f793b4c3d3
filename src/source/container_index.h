/*
 * container_index - which container has which cgroup, from a walk over the trees.
 *
 * For what the engines' fixed paths do not tell: Kubernetes puts a pod's id in between, rootless
 * engines a user's slice. One walk serves all instances. It is done in slices, which hold the loop
 * for 0.7 ms as a rule, and for 2 ms in cgroups that nobody has looked at yet; until the last one
 * the walk before answers. A machine of a few hundred cgroups takes one slice, the bounds of a walk
 * 26 a hierarchy. Walks that follow each other take a hundredth of the loop's time, however many
 * containers are looked for.
 */
#ifndef METER_SOURCE_CONTAINER_INDEX_H
#define METER_SOURCE_CONTAINER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "container_answer.h"
#include "mounts.h"

/* The fewest digits that an engine shows of an id. */
#define CONTAINER_ID_MIN 12

/* Of one hierarchy: how many directories are listed, and how many names of cgroups are seen. */
#define CONTAINER_LISTED_MAX 512
#define CONTAINER_SEEN_MAX 4096
/* Of the cgroups that are seen: a pod's container on a rootless kind node is at 11. */
#define CONTAINER_DEPTH_MAX 12
/* From the end of one walk to the next: at least so long, and so many times as long as it took. */
#define CONTAINER_WALK_GAP_NS ((int64_t)1000000000)
#define CONTAINER_WALK_GAP_FACTOR 100

/* Of a slice: how many names are seen, and for how many of them listing a directory counts. */
#define CONTAINER_SLICE 400
#define CONTAINER_LISTING 12
/* So many at once for an id that was never looked for: a usual machine is seen whole by then. */
#define CONTAINER_FIRST_SLICES 4
/* How many ids are remembered that were looked for in vain. */
#define CONTAINER_VAIN_MAX 1024

struct container_index;

struct container_index *container_index_new(void);	/* NULL: out of memory */
void container_index_free(struct container_index *x);	/* NULL is fine */

/*
 * One slice: of the walk that is under way, or of a new one when there was none yet or the last one
 * is long enough ago. m is used until the walk has ended. -ENOMEM: the index stays as it was.
 */
int container_index_refresh(struct container_index *x, const struct mounts *m, int64_t now_ns);
/* One slice, if a walk is under way. */
int container_index_advance(struct container_index *x, int64_t now_ns);

enum container_match {
	CONTAINER_NONE,
	CONTAINER_FOUND,
	CONTAINER_AMBIGUOUS,	/* several containers, or cgroups of one at the same depth */
};

/*
 * id is CONTAINER_ID_MIN to CONTAINER_ID_LEN digits. Of several cgroups of one container the one
 * nearest to the root, for what is inside of a container may call itself what it likes. *path is
 * valid until the next slice.
 */
enum container_match container_index_find(const struct container_index *x, const char *id,
					  const char **path);

/*
 * How many cgroups were seen, by the walk under way, or else by the last; and whether a bound or a
 * failure kept the last from seeing all.
 */
size_t container_index_seen(const struct container_index *x);
bool container_index_is_cut(const struct container_index *x);
bool container_index_is_walking(const struct container_index *x);

/*
 * Of whole ids: what was looked for and is not here. An id that shares its place in the table with
 * a later one is forgotten.
 */
bool container_index_is_vain(struct container_index *x, const char *id);
void container_index_note(struct container_index *x, const char *id, bool found);

/* The id in a cgroup's name, CONTAINER_ID_LEN digits; NULL: it is no container's. */
const char *container_name_id(const char *name);

#endif
