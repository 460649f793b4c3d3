/*
 * The walk reads a parent before its children. The time of a child that is waited for moves into
 * its parent (cutime, cstime); when that happens in the middle of a walk, the parent was read
 * without it and the child is missed. So a walk may find too little, never too much, and we can
 * tell: a child that was listed could not be read. Then we walk again, and the largest sum counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "observe.h"
#include "process_tree.h"
#include "procfs.h"

#define WALKS_MAX 3
/* A tree larger than this is walked once: better a rate less than a loop held for long. */
#define WALK_AGAIN_MAX 256
#define CHILDREN_MAX ((size_t)64 << 10)
/* A power of two, at least twice as many as can be in it. */
#define SEEN_SLOTS (2 * PROCESS_TREE_MAX)

struct process_tree {
	const char *host_root;
	int32_t pids[PROCESS_TREE_MAX];	/* in the order they are read */
	size_t n;
	int32_t seen[SEEN_SLOTS];	/* the same as a hash set; 0 = free */
	size_t tasks;
	size_t vanished;
	uint64_t ticks;
	uint64_t memory;
	bool has_memory;
};

struct process_tree *process_tree_new(void)
{
	return calloc(1, sizeof(struct process_tree));
}

void process_tree_free(struct process_tree *tree)
{
	free(tree);
}

/* Beside -errno: what makes a tree too large to be read. */
enum {
	TREE_TOO_MANY_PROCESSES = 1,
	TREE_TOO_MANY_TASKS = 2,
};

/*
 * Once only: a child can show up twice while its parent's threads end, and a hostile tree may have
 * a circle.
 */
static int add_pid(struct process_tree *t, int32_t pid)
{
	size_t slot = ((uint32_t)pid * 2654435761u) % SEEN_SLOTS;

	while (t->seen[slot] != 0) {
		if (t->seen[slot] == pid)
			return 0;
		slot = (slot + 1) % SEEN_SLOTS;
	}
	if (t->n == PROCESS_TREE_MAX)
		return TREE_TOO_MANY_PROCESSES;
	t->seen[slot] = pid;
	t->pids[t->n++] = pid;
	return 0;
}

static int add_children_of_task(struct process_tree *t, int dir, const char *tid)
{
	struct procfs_pieces list;
	char name[PROCFS_NAME_MAX + 32];
	const char *word;
	uint64_t pid;
	int r;

	if (++t->tasks > PROCESS_TREE_TASKS_MAX)
		return TREE_TOO_MANY_TASKS;
	snprintf(name, sizeof name, "task/%s/children", tid);
	r = procfs_pieces_open(&list, dir, name, CHILDREN_MAX);
	if (r < 0)
		return r;
	while (r == 0 && (word = procfs_pieces_next(&list, ' '))) {
		if (procfs_only_number(word, &pid) && pid > 0 && pid <= PROCFS_PID_MAX)
			r = add_pid(t, (int32_t)pid);
	}
	if (r == 0 && list.cut)
		r = TREE_TOO_MANY_PROCESSES;
	if (r == 0)
		r = list.error;
	procfs_pieces_close(&list);
	return r;
}

static int add_children(struct process_tree *t, int dir, int32_t pid, uint64_t threads)
{
	struct procfs_dirs tasks;
	char own[16];
	const char *tid;
	int r;

	snprintf(own, sizeof own, "%" PRId32, pid);
	if (threads <= 1)
		return add_children_of_task(t, dir, own);
	r = procfs_dirs_open(&tasks, dir, "task");
	if (r < 0)
		return r;
	while (r == 0 && (tid = procfs_dirs_next(&tasks))) {
		r = add_children_of_task(t, dir, tid);
		/* Other threads may end meanwhile; the first one stays as long as its process. */
		if (procfs_is_gone(r) && strcmp(tid, own) != 0)
			r = 0;
	}
	procfs_dirs_close(&tasks);
	return r;
}

static int add_process(struct process_tree *t, int32_t pid)
{
	struct process_stat s;
	uint64_t memory;
	int dir, r;

	dir = procfs_open_pid(t->host_root, pid);
	if (dir < 0)
		return dir;
	r = process_stat_read(dir, &s, NULL);
	if (r < 0)
		goto out;
	if (__builtin_add_overflow(t->ticks, s.user, &t->ticks) ||
	    __builtin_add_overflow(t->ticks, s.system, &t->ticks) ||
	    __builtin_add_overflow(t->ticks, s.children_user, &t->ticks) ||
	    __builtin_add_overflow(t->ticks, s.children_system, &t->ticks)) {
		r = -EBADMSG;
		goto out;
	}
	if (process_stat_ended(&s))
		goto out;
	if (process_memory(dir, &memory) &&
	    !__builtin_add_overflow(t->memory, memory, &t->memory))
		t->has_memory = true;
	r = add_children(t, dir, pid, s.threads);
out:
	close(dir);
	return r;
}

static int walk(struct process_tree *t, int32_t root)
{
	int r = 0;

	memset(t->seen, 0, sizeof t->seen);
	t->n = 0;
	t->tasks = 0;
	t->vanished = 0;
	t->ticks = 0;
	t->memory = 0;
	t->has_memory = false;
	add_pid(t, root);
	for (size_t i = 0; i < t->n && r == 0; i++) {
		r = add_process(t, t->pids[i]);
		if (procfs_is_gone(r) && i > 0) {
			t->vanished++;
			r = 0;
		}
	}
	return r;
}

/* Does the root still live, so that it is its list of children that is missing? */
static bool lives(const char *host_root, int32_t pid)
{
	struct process_stat s;
	int dir, r;

	dir = procfs_open_pid(host_root, pid);
	if (dir < 0)
		return false;
	r = process_stat_read(dir, &s, NULL);
	close(dir);
	return r == 0 && !process_stat_ended(&s);
}

static int fail(const char *host_root, int32_t root, int r, char error[SOURCE_ERROR_MAX])
{
	if (r == TREE_TOO_MANY_PROCESSES)
		return source_fail(error, FAILURE_UNREADABLE, "process %" PRId32 " has more than "
				   "%d descendants", root, PROCESS_TREE_MAX - 1);
	if (r == TREE_TOO_MANY_TASKS)
		return source_fail(error, FAILURE_UNREADABLE, "process %" PRId32 " and its "
				   "descendants have more than %d threads", root,
				   PROCESS_TREE_TASKS_MAX);
	if (r == -EBADMSG)
		return source_fail(error, FAILURE_UNREADABLE, "the counters of process %" PRId32
				   " or a descendant cannot be understood", root);
	if (!procfs_is_gone(r))
		return source_fail(error, failure_of(r), "the descendants of process %" PRId32
				   " cannot be read: %s", root, strerror(-r));
	if (lives(host_root, root))
		return source_fail(error, FAILURE_UNREADABLE, "this kernel does not list the "
				   "children of process %" PRId32 " (CONFIG_PROC_CHILDREN)", root);
	return source_fail(error, FAILURE_GONE, "process %" PRId32 " has ended", root);
}

int process_tree_read(struct process_tree *t, const char *host_root, int32_t root,
		      const struct source_observer *observer, struct reading *out,
		      char error[SOURCE_ERROR_MAX])
{
	bool has_walked = false;
	uint64_t most = 0;
	int64_t before;
	int r;

	t->host_root = host_root;
	for (int i = 0; i < WALKS_MAX; i++) {
		before = procfs_now_ns();
		r = walk(t, root);
		if (r != 0)
			return fail(host_root, root, r, error);
		if (!has_walked || t->ticks >= most) {
			has_walked = true;
			most = t->ticks;
			out->mono_ns = before + (procfs_now_ns() - before) / 2;
			out->memory_used = t->memory;
			out->has = READING_CPU_TIME | (t->has_memory ? READING_MEMORY_USED : 0u);
		}
		if (t->vanished == 0 || t->n > WALK_AGAIN_MAX)
			break;
	}
	if (!process_ticks_to_ns(most, &out->cpu_ns))
		return fail(host_root, root, -EBADMSG, error);
	observe_proc(observer, host_root, root, "task", "%zu processes and %zu threads descend "
		     "from it, itself included: %" PRIu64 " clock ticks with those that ended, "
		     "RssAnon and RssShmem %" PRIu64 " bytes", t->n, t->tasks, most,
		     out->memory_used);
	return 0;
}
