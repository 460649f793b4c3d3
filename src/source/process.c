#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
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

int process_stat_read(int dir, struct process_stat *out, int64_t *mono_ns)
{
	char text[2048];
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

/* Anonymous and shared memory; pages of files are left out, as in a working set. */
bool process_memory(int dir, uint64_t *bytes)
{
	struct procfs_pieces status;
	bool has_anonymous = false, has_shared = false;
	uint64_t anonymous = 0, shared = 0, kib;
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
	return has_anonymous && has_shared && !__builtin_add_overflow(anonymous, shared, &kib) &&
	       !__builtin_mul_overflow(kib, (uint64_t)1024, bytes);
}

/* The sentence for what went wrong at its files. */
static int fail(int64_t pid, int r, char error[SOURCE_ERROR_MAX])
{
	if (procfs_is_gone(r))
		return source_fail(error, "process %" PRId64 " has ended", pid);
	if (r == -EBADMSG)
		return source_fail(error, "/proc/%" PRId64 "/stat cannot be understood", pid);
	return source_fail(error, "process %" PRId64 " cannot be read: %s", pid, strerror(-r));
}

int process_find(const char *host_root, int64_t pid, uint64_t *start, char error[SOURCE_ERROR_MAX])
{
	struct process_stat s;
	int dir, r;

	if (pid < 1 || pid > PROCFS_PID_MAX)
		return source_fail(error, "%" PRId64 " is not a process id", pid);
	dir = procfs_open_pid(host_root, pid);
	if (dir == -ENOENT)
		return source_fail(error, "there is no process %" PRId64, pid);
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

static int read_alone(int dir, const struct process_stat *s, struct reading *out)
{
	uint64_t ticks;

	if (__builtin_add_overflow(s->user, s->system, &ticks) ||
	    !process_ticks_to_ns(ticks, &out->cpu_ns))
		return -EBADMSG;
	out->has |= READING_CPU_TIME;
	if (process_memory(dir, &out->memory_used))
		out->has |= READING_MEMORY_USED;
	return 0;
}

int process_read(const char *host_root, int64_t pid, uint64_t start, struct process_tree *tree,
		 struct reading *out, char error[SOURCE_ERROR_MAX])
{
	struct process_stat s;
	int dir, r;

	dir = procfs_open_pid(host_root, pid);
	if (dir < 0)
		return fail(pid, dir, error);
	r = process_stat_read(dir, &s, &out->mono_ns);
	if (r < 0) {
		r = fail(pid, r, error);
	} else if (s.start != start) {
		r = source_fail(error, "pid %" PRId64 " now belongs to another process", pid);
	} else if (process_stat_ended(&s)) {
		r = fail(pid, -ESRCH, error);
	} else if (tree) {
		r = process_tree_read(tree, host_root, (int32_t)pid, out, error);
	} else {
		r = read_alone(dir, &s, out);
		if (r < 0)
			r = fail(pid, r, error);
	}
	close(dir);
	out->incarnation[0] = (uint64_t)pid;
	out->incarnation[1] = start;
	return r;
}
