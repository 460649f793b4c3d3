/*
 * process_tree - one process and all that descend from it, as one.
 */
#ifndef METER_SOURCE_PROCESS_TREE_H
#define METER_SOURCE_PROCESS_TREE_H

#include "process.h"

/* Fills CPU, memory and mono_ns. 0, or > 0 with a sentence. observer may be NULL. */
int process_tree_read(struct process_tree *tree, const char *host_root, int32_t root,
		      const struct source_observer *observer, struct reading *out,
		      char error[SOURCE_ERROR_MAX]);

/* Of process.c, for both. false: overflow, or not there (a kernel thread has no memory). */
bool process_ticks_to_ns(uint64_t ticks, uint64_t *ns);
bool process_memory(int dir, uint64_t *bytes);

#endif
