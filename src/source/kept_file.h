/*
 * kept_file - a small file that is read again and again: opened once and read with pread() from its
 * beginning, as long as a budget of descriptors lasts. Beyond it: opened, read and closed.
 *
 * A descriptor refers to the very process or cgroup it was opened of: when that is gone a read
 * fails, also when its number or name belongs to another by then. Only for files that the kernel
 * makes up as one piece, such as those of /proc/<pid> and of a cgroup that hold numbers: one read
 * gives all of it. No allocation, and nothing waits.
 */
#ifndef METER_SOURCE_KEPT_FILE_H
#define METER_SOURCE_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of all the files that are kept open by one owner. Starts as { .max = n }. */
struct kept_budget {
	size_t max;
	size_t open;		/* of these are */
	uint64_t unkept;	/* counter: opened for one use, for nothing was left of it */
};

struct kept_file {
	int fd;			/* -1 = not open */
};

#define KEPT_FILE_INIT { .fd = -1 }

bool kept_file_is_open(const struct kept_file *f);

/*
 * All of the file, NUL-terminated. dir and name are looked at only when it is not open. *mono_ns
 * (may be NULL) is the middle of the read. Returns the length or -errno; -EFBIG: it does not fit in
 * size - 1 bytes. After any other failure the descriptor is given back, and the next call opens
 * anew: procfs_is_gone() tells whether whose file it was is gone.
 */
ssize_t kept_file_read(struct kept_file *f, struct kept_budget *b, int dir, const char *name,
		       char *buf, size_t size, int64_t *mono_ns);

/*
 * A directory to look files up in. The descriptor is valid until kept_dir_done(), which closes it
 * when it could not be kept. -errno
 */
int kept_dir_use(struct kept_file *f, struct kept_budget *b, int at, const char *path);
void kept_dir_done(const struct kept_file *f, int fd);
/* Keeps one that is open already, or closes it; f is not open. */
void kept_dir_adopt(struct kept_file *f, struct kept_budget *b, int fd);

/* Gives the descriptor back, if there is one. */
void kept_file_release(struct kept_file *f, struct kept_budget *b);

#endif
