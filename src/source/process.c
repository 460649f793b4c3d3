#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "observe.h"
#include "process.h"
#include "process_tree.h"
#include "procfs.h"

/* Numbering of proc(5): the name is field 2, the state field 3. */
enum {
	FIELD_STATE = 3,
	FIELD_PARENT = 4,
	FIELD_USER = 14,
	FIELD_SYSTEM = 15,
	FIELD_CHILDREN_USER = 16,
	FIELD_CHILDREN_SYSTEM = 17,
	FIELD_THREADS = 20,
	FIELD_START = 22,
};

/* The list of groups of a process comes before what we look for, and may have 65,536 entries. */
#define STATUS_MAX ((size_t)1 << 20)

static uint64_t *stat_field(struct process_stat *s, int field)
{
	switch (field) {
	case FIELD_PARENT:
		return &s->parent;
	case FIELD_USER:
		return &s->user;
	case FIELD_SYSTEM:
		return &s->system;
	case FIELD_CHILDREN_USER:
		return &s->children_user;
	case FIELD_CHILDREN_SYSTEM:
		return &s->children_system;
	case FIELD_THREADS:
		return &s->threads;
	case FIELD_START:
		return &s->start;
	default:
		return NULL;
	}
}

bool process_stat_parse(const char *text, size_t len, struct process_stat *out)
{
	const char *p = memrchr(text, ')', len);
	struct process_stat s = { .state = '\0' };
	uint64_t *to;

	if (!p || p[1] != ' ' || p[2] == '\0' || p[3] != ' ')
		return false;
	s.state = p[2];
	p += 4;
	for (int field = FIELD_PARENT; field <= FIELD_START; field++) {
		to = stat_field(&s, field);
		if (!to)
			p += strcspn(p, " ");	/* some of the others may be negative */
		else if (!procfs_number(&p, to))
			return false;
		if (field < FIELD_START && *p++ != ' ')
			return false;
	}
	if (*p != ' ' && *p != '\n' && *p != '\0')
		return false;
	*out = s;
	return true;
}

#define STAT_MAX 2048

int process_stat_read(int dir, struct process_stat *out, int64_t *mono_ns)
{
	char text[STAT_MAX];
	ssize_t n;

	n = procfs_read(dir, "stat", text, sizeof text, mono_ns);
	if (n < 0)
		return (int)n;
	return process_stat_parse(text, (size_t)n, out) ? 0 : -EBADMSG;
}

bool process_stat_ended(const struct process_stat *s)
{
	return s->state == 'X' || s->state == 'x' || (s->state == 'Z' && s->threads <= 1);
}

bool process_ticks_to_ns(uint64_t ticks, uint64_t *ns)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t seconds;

	if (__builtin_mul_overflow(ticks / hz, (uint64_t)1000000000, &seconds))
		return false;
	return !__builtin_add_overflow(seconds, ticks % hz * 1000000000 / hz, ns);
}

static bool memory_sum(uint64_t anonymous_kib, uint64_t shared_kib, uint64_t *bytes)
{
	uint64_t kib;

	return !__builtin_add_overflow(anonymous_kib, shared_kib, &kib) &&
	       !__builtin_mul_overflow(kib, (uint64_t)1024, bytes);
}

/* Anonymous and shared memory; pages of files are left out, as in a working set. */
static bool memory_of_status(const char *text, uint64_t *bytes)
{
	uint64_t anonymous, shared;

	return procfs_keyed_number(text, "RssAnon:", &anonymous) &&
	       procfs_keyed_number(text, "RssShmem:", &shared) &&
	       memory_sum(anonymous, shared, bytes);
}

bool process_memory(int dir, uint64_t *bytes)
{
	struct procfs_pieces status;
	bool has_anonymous = false, has_shared = false;
	uint64_t anonymous = 0, shared = 0;
	const char *line;

	if (procfs_pieces_open(&status, dir, "status", STATUS_MAX) < 0)
		return false;
	while (!(has_anonymous && has_shared) && (line = procfs_pieces_next(&status, '\n'))) {
		if (procfs_keyed_number(line, "RssAnon:", &anonymous))
			has_anonymous = true;
		else if (procfs_keyed_number(line, "RssShmem:", &shared))
			has_shared = true;
	}
	procfs_pieces_close(&status);
	return has_anonymous && has_shared && memory_sum(anonymous, shared, bytes);
}

/* The sentence for what went wrong at its files. */
static int fail(int64_t pid, int r, char error[SOURCE_ERROR_MAX])
{
	if (procfs_is_gone(r))
		return source_fail(error, FAILURE_GONE, "process %" PRId64 " has ended", pid);
	if (r == -EBADMSG)
		return source_fail(error, FAILURE_UNREADABLE, "/proc/%" PRId64 "/stat cannot be "
				   "understood", pid);
	return source_fail(error, failure_of(r), "process %" PRId64 " cannot be read: %s", pid,
			   strerror(-r));
}

int process_find(const char *host_root, int64_t pid, uint64_t *start, char error[SOURCE_ERROR_MAX])
{
	struct process_stat s;
	int dir, r;

	if (pid < 1 || pid > PROCFS_PID_MAX)
		return source_fail(error, FAILURE_TARGET, "%" PRId64 " is not a process id", pid);
	dir = procfs_open_pid(host_root, pid);
	if (dir == -ENOENT)
		return source_fail(error, FAILURE_ABSENT, "there is no process %" PRId64, pid);
	if (dir < 0)
		return fail(pid, dir, error);
	r = process_stat_read(dir, &s, NULL);
	close(dir);
	if (r == 0 && process_stat_ended(&s))
		r = -ESRCH;
	if (r < 0)
		return fail(pid, r, error);
	*start = s.start;
	return 0;
}

void process_files_init(struct process_files *files, struct kept_budget *budget,
			const struct source_observer *observer)
{
	static const struct kept_file closed = KEPT_FILE_INIT;

	*files = (struct process_files){ budget, observer, closed, closed, closed };
}

void process_files_release(struct process_files *files)
{
	kept_file_release(&files->dir, files->budget);
	kept_file_release(&files->stat, files->budget);
	kept_file_release(&files->status, files->budget);
}

int process_dir_use(struct process_files *files, const char *host_root, int64_t pid)
{
	char path[PROCFS_PATH_MAX];
	int n;

	path[0] = '\0';
	if (!kept_file_is_open(&files->dir)) {
		n = snprintf(path, sizeof path, "%s/proc/%" PRId64, host_root, pid);
		if (n < 0 || (size_t)n >= sizeof path)
			return -ENAMETOOLONG;
	}
	return kept_dir_use(&files->dir, files->budget, AT_FDCWD, path);
}

void process_dir_done(const struct process_files *files, int dir)
{
	kept_dir_done(&files->dir, dir);
}

static int read_stat(struct process_files *files, int dir, struct process_stat *out,
		     int64_t *mono_ns)
{
	char text[STAT_MAX];
	ssize_t n;

	n = kept_file_read(&files->stat, files->budget, dir, "stat", text, sizeof text, mono_ns);
	if (n < 0)
		return n == -EFBIG ? -EBADMSG : (int)n;
	return process_stat_parse(text, (size_t)n, out) ? 0 : -EBADMSG;
}

/* 0, also when it has none; -errno: we are short of something. */
static int read_memory(struct process_files *files, int dir, struct reading *out)
{
	char text[8192];
	ssize_t n;
	bool has;

	n = kept_file_read(&files->status, files->budget, dir, "status", text, sizeof text, NULL);
	if (procfs_is_short((int)n))
		return (int)n;
	if (n == -EFBIG)	/* of very many groups: then piece by piece */
		has = process_memory(dir, &out->memory_used);
	else
		has = n >= 0 && memory_of_status(text, &out->memory_used);
	if (has)
		out->has |= READING_MEMORY_USED;
	return 0;
}

static int read_alone(struct process_files *files, int dir, const struct process_stat *s,
		      struct reading *out)
{
	uint64_t ticks;

	if (__builtin_add_overflow(s->user, s->system, &ticks) ||
	    !process_ticks_to_ns(ticks, &out->cpu_ns))
		return -EBADMSG;
	out->has |= READING_CPU_TIME;
	return read_memory(files, dir, out);
}

static void observe(const struct process_files *files, const char *host_root, int64_t pid,
		    const struct process_stat *s, const struct reading *out)
{
	const struct source_observer *o = files->observer;

	observe_proc(o, host_root, pid, "stat", "utime %" PRIu64 " and stime %" PRIu64
		     " clock ticks; started %" PRIu64 " ticks after boot", s->user, s->system,
		     s->start);
	if (out->has & READING_MEMORY_USED)
		observe_proc(o, host_root, pid, "status", "RssAnon and RssShmem: %" PRIu64
			     " bytes together", out->memory_used);
	else
		observe_proc(o, host_root, pid, "status", "no RssAnon and RssShmem that can be "
			     "read, as of a kernel thread");
}

static int read_at(const char *host_root, int dir, int64_t pid, uint64_t start,
		   struct process_tree *tree, struct process_files *files, struct reading *out,
		   char error[SOURCE_ERROR_MAX])
{
	struct process_stat s;
	int r;

	r = read_stat(files, dir, &s, &out->mono_ns);
	if (r == 0 && s.start != start)
		return source_fail(error, FAILURE_GONE, "pid %" PRId64 " now belongs to another "
				   "process", pid);
	if (r == 0 && process_stat_ended(&s))
		r = -ESRCH;
	if (r < 0)
		return fail(pid, r, error);
	/* Descendants come and go: of those nothing is kept open. */
	if (tree)
		return process_tree_read(tree, host_root, (int32_t)pid, files->observer, out,
					 error);
	r = read_alone(files, dir, &s, out);
	if (r < 0)
		return fail(pid, r, error);
	observe(files, host_root, pid, &s, out);
	return 0;
}

int process_read(const char *host_root, int64_t pid, uint64_t start, struct process_tree *tree,
		 struct process_files *files, struct reading *out, char error[SOURCE_ERROR_MAX])
{
	int dir, r;

	dir = process_dir_use(files, host_root, pid);
	if (dir < 0)
		return fail(pid, dir, error);
	r = read_at(host_root, dir, pid, start, tree, files, out, error);
	process_dir_done(files, dir);
	/* Whatever failed, the next reading looks again who has this number. */
	if (r != 0)
		process_files_release(files);
	out->incarnation[0] = (uint64_t)pid;
	out->incarnation[1] = start;
	return r;
}
