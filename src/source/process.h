/*
 * process - counters of one process, or of it and its descendants.
 */
#ifndef METER_SOURCE_PROCESS_H
#define METER_SOURCE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kept_file.h"
#include "reading.h"
#include "source.h"

/* A larger tree is refused: reading it would hold the loop for more than a few file reads. */
#define PROCESS_TREE_MAX 4096
/* Each thread has its own list of children. */
#define PROCESS_TREE_TASKS_MAX 16384

/* What we take of /proc/<pid>/stat; times in clock ticks. */
struct process_stat {
	char state;
	uint64_t parent;
	uint64_t user;
	uint64_t system;
	uint64_t children_user;		/* of those that were waited for */
	uint64_t children_system;
	uint64_t threads;
	uint64_t start;			/* since boot: with the pid it is the identity */
};

/* The name in it may hold anything, also blanks and ')'. false: not such a text. */
bool process_stat_parse(const char *text, size_t len, struct process_stat *out);
/* dir is /proc/<pid>. 0, -errno; -EBADMSG cannot be understood. mono_ns may be NULL. */
int process_stat_read(int dir, struct process_stat *out, int64_t *mono_ns);
/* Nothing runs in it any more. A first thread that has ended leaves a process with others alive. */
bool process_stat_ended(const struct process_stat *s);

/* Room to walk a tree in, once for all instances. */
struct process_tree;
struct process_tree *process_tree_new(void);
void process_tree_free(struct process_tree *tree);

/* 0 and *start, > 0 with a sentence. */
int process_find(const char *host_root, int64_t pid, uint64_t *start, char error[SOURCE_ERROR_MAX]);

/* What is kept open of one process between its readings. */
struct process_files {
	struct kept_budget *budget;
	const struct source_observer *observer;	/* or NULL */
	struct kept_file dir;		/* /proc/<pid> */
	struct kept_file stat;
	struct kept_file status;
};

void process_files_init(struct process_files *files, struct kept_budget *budget,
			const struct source_observer *observer);
void process_files_release(struct process_files *files);
/* /proc/<pid>, until process_dir_done(). -errno */
int process_dir_use(struct process_files *files, const char *host_root, int64_t pid);
void process_dir_done(const struct process_files *files, int dir);

/*
 * All but the network. tree is NULL for the process alone. 0, or > 0 with a sentence; after a failure
 * nothing is kept open.
 */
int process_read(const char *host_root, int64_t pid, uint64_t start, struct process_tree *tree,
		 struct process_files *files, struct reading *out, char error[SOURCE_ERROR_MAX]);

#endif
