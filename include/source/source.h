/*
 * source - turns an instance into one reading of raw counters, from this machine's files.
 *
 * A source is bound to an instance by what its Target says and reads it from then on. Binding and
 * reading are a few local file reads and never wait for anything. A failure is a reason, which the
 * caller counts, and one sentence for the operator (list and log show it); no instance is ever fatal.
 * SOURCE_BUS is asked over the bus by the edge; nothing here reads it.
 */
#ifndef METER_SOURCE_H
#define METER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lifecycle.h"
#include "origin.h"
#include "reading.h"

#define SOURCE_ERROR_MAX 192
#define SOURCE_ADDRESS_MAX 46	/* of an IP address as text, with its NUL */

struct container;
struct stats;

/* Told of each file that is read for a reading, with what was taken from it or why not. */
struct source_observer {
	void (*file)(void *ctx, const char *path, const char *found);
	void *ctx;
};

struct source_options {
	const char *host_root;		/* where the host's / is: "" for /, never NULL; tests plant a tree */
	bool process_children;		/* a process is read together with its descendants */
	size_t max_open_files;		/* kept open between readings by all sources together */
	struct stats *stats;		/* told of these files; may be NULL */
	const struct source_observer *observer;	/* may be NULL, and costs nothing then */
};

/* What all instances share: mount points, our own namespaces, found containers. */
struct source_set;

/*
 * Reads /proc/self/mountinfo and our own namespaces once. Never fails for lack of cgroups: binding
 * says so later. -ENOMEM.
 */
int source_set_new(struct source_set **out, const struct source_options *options);
void source_set_free(struct source_set *set);

/*
 * Which source reads this target when none is prescribed: cgroup_path → cgroup; pid → cgroup when the
 * process has a cgroup of its own, else process; container_id without a pid, or with one that no
 * process has → cgroup when that container is found here; anything else → bus. A process has a cgroup of its own when that is neither
 * the root nor the one its parent process lives in.
 */
enum source_kind source_choose(struct source_set *set, const struct target *t);

/*
 * One instance bound to one source. It keeps the files it reads open, while the bound of its set
 * allows it, and is freed before its set.
 */
struct source;

/*
 * kind is SOURCE_CGROUP or SOURCE_PROCESS. 0 and *out is the caller's; an enum failure with a
 * sentence in error (no such process, cgroup or container, nothing in the target to find it by); -ENOMEM. A container
 * may be missed when there are very many cgroups; the sentence says so.
 */
int source_bind(struct source_set *set, enum source_kind kind, const struct target *t,
		struct source **out, char error[SOURCE_ERROR_MAX]);
/*
 * The same by what an engine says: the cgroup that is named after the container's id and has that
 * process in it, or else any that is named so. Never one that is not: the process may be another one
 * by now, or in another namespace of ids.
 */
int source_bind_container(struct source_set *set, const struct container *container,
			  struct source **out, char error[SOURCE_ERROR_MAX]);
void source_free(struct source *s);	/* NULL is fine */

/*
 * What it is bound to, in words: "cgroup /docker/0123", "process 4711". What is not printable ASCII
 * becomes '?'.
 */
void source_describe(const struct source *s, char *out, size_t size);

/*
 * 0 and *out filled (out->mono_ns from CLOCK_MONOTONIC right at the counters); an enum failure with
 * a sentence.
 * After a failure the caller may try again later; a process that has ended, or a pid that now belongs
 * to another process, goes on failing until it is bound anew.
 */
int source_read(struct source_set *set, struct source *s, struct reading *out,
		char error[SOURCE_ERROR_MAX]);

/*
 * The IP address at which what was read last is reached from here: v4 if it has one, else v6; false =
 * none, or its network is not its own. A few file reads. It comes from whoever rules in there: where
 * it may be connected to is for the caller to say.
 */
bool source_address(struct source_set *set, struct source *s, char out[SOURCE_ADDRESS_MAX]);

#endif
