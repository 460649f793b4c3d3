/*
 * procfs - bounded reading of the small text files of /proc and of cgroups.
 *
 * Nothing here allocates, and nothing waits: files are opened non-blocking, and of a file that is
 * larger than it should be only the first part is looked at. Files are named relative to a
 * directory descriptor, so that several files of one process or cgroup are of the same one: in a
 * directory whose owner is gone reads fail, also when the number or name now belongs to another.
 */
#ifndef METER_SOURCE_PROCFS_H
#define METER_SOURCE_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCFS_PID_MAX INT32_MAX
#define PROCFS_PATH_MAX 4096

int64_t procfs_now_ns(void);	/* CLOCK_MONOTONIC */

/* Opens a directory to look files up in; the caller closes it. -errno */
int procfs_open_dir(int at, const char *path);
/* <host_root>/proc/<pid>; -ENOENT: there is no such process */
int procfs_open_pid(const char *host_root, int64_t pid);
/* To be read and closed by the caller; never waits for what is behind it. -errno */
int procfs_open_file(int dir, const char *name);
/* Did the process or cgroup vanish, as opposed to something in our own way? error is -errno. */
bool procfs_is_gone(int error);
/* Have we run out of descriptors or memory? Then what is not read is not to be taken for absent. */
bool procfs_is_short(int error);

/*
 * The first size - 1 bytes of a file, NUL-terminated. Of a file that is longer, the last line that
 * did not fit whole is dropped, so no number is ever cut in two. *mono_ns (may be NULL) is the
 * middle of the call that read the first bytes: the kernel makes them up then. Returns the length
 * or -errno.
 */
ssize_t procfs_read(int dir, const char *name, char *buf, size_t size, int64_t *mono_ns);

/* Decimal digits at *p, which is moved behind them. false: none there, or it does not fit. */
bool procfs_number(const char **p, uint64_t *out);
/* A file that is one number, such as "123\n". */
bool procfs_only_number(const char *text, uint64_t *out);
/* The number behind this key, which begins a line: "inactive_file 42", "RssAnon:\t  42 kB". */
bool procfs_keyed_number(const char *text, const char *key, uint64_t *out);

/* A file piece by piece: for those that may be long, such as mountinfo. */
struct procfs_pieces {
	int fd;
	int error;	/* -errno of a read that failed: what came so far is not all */
	bool cut;	/* the file is longer than the bound */
	bool overlong;	/* skipping a piece that does not fit */
	size_t left;	/* bytes that may still be read */
	size_t at;
	size_t len;
	char buf[8192];
};

/* Reads no more than max bytes in all. 0 or -errno; only on 0 there is something to close. */
int procfs_pieces_open(struct procfs_pieces *p, int dir, const char *name, size_t max);
/*
 * The next piece that ends in separator, or at the end of the file, without it. Valid until the
 * next call. Pieces that do not fit in the buffer are passed over. NULL: that was all, see error
 * and cut.
 */
char *procfs_pieces_next(struct procfs_pieces *p, char separator);
void procfs_pieces_close(struct procfs_pieces *p);

#define PROCFS_NAME_MAX 256

/* The subdirectories of a directory, one after the other. */
struct procfs_dirs {
	int fd;
	size_t at;
	size_t len;
	_Alignas(8) char buf[4096];
};

int procfs_dirs_open(struct procfs_dirs *d, int dir, const char *name);
/* NULL at the end. Not "." nor "..". */
const char *procfs_dirs_next(struct procfs_dirs *d);
void procfs_dirs_close(struct procfs_dirs *d);

#endif
