#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "procfs.h"

/* Non-blocking, or a FIFO in the place of a file would hold the loop for ever. */
#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

int64_t procfs_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int procfs_open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int procfs_open_file(int dir, const char *name)
{
	int fd = openat(dir, name, FILE_FLAGS);

	return fd < 0 ? -errno : fd;
}

int procfs_open_pid(const char *host_root, int64_t pid)
{
	char path[PROCFS_PATH_MAX];
	int n;

	n = snprintf(path, sizeof path, "%s/proc/%" PRId64, host_root, pid);
	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	return procfs_open_dir(AT_FDCWD, path);
}

bool procfs_is_gone(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ESRCH || error == -ENODEV;
}

bool procfs_is_short(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static ssize_t read_some(int fd, char *buf, size_t size)
{
	ssize_t n;

	do {
		n = read(fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* The file is longer than the buffer: what follows the last newline is a part of a line. */
static size_t drop_cut_line(char *buf, size_t len)
{
	const char *end = memrchr(buf, '\n', len);

	len = end ? (size_t)(end - buf) + 1 : 0;
	buf[len] = '\0';
	return len;
}

ssize_t procfs_read(int dir, const char *name, char *buf, size_t size, int64_t *mono_ns)
{
	int64_t before, after;
	size_t len = 0;
	ssize_t n;
	char more;
	int fd;

	buf[0] = '\0';
	fd = procfs_open_file(dir, name);
	if (fd < 0)
		return fd;
	before = mono_ns ? procfs_now_ns() : 0;
	n = read_some(fd, buf, size - 1);
	after = mono_ns ? procfs_now_ns() : 0;
	while (n > 0) {
		len += (size_t)n;
		if (len == size - 1)
			break;
		n = read_some(fd, buf + len, size - 1 - len);
	}
	buf[n < 0 ? 0 : len] = '\0';
	if (n > 0 && read_some(fd, &more, 1) > 0)
		len = drop_cut_line(buf, len);
	close(fd);
	if (n < 0)
		return n;
	if (mono_ns)
		*mono_ns = before + (after - before) / 2;
	return (ssize_t)len;
}

bool procfs_number(const char **p, uint64_t *out)
{
	const char *c = *p;
	uint64_t v = 0;

	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*c - '0'), &v))
			return false;
	}
	*p = c;
	*out = v;
	return true;
}

bool procfs_only_number(const char *text, uint64_t *out)
{
	uint64_t v;

	if (!procfs_number(&text, &v))
		return false;
	if (text[strspn(text, " \t\n")] != '\0')
		return false;
	*out = v;
	return true;
}

/* strstr() and not line by line: memory.stat has some forty lines. */
bool procfs_keyed_number(const char *text, const char *key, uint64_t *out)
{
	size_t len = strlen(key);
	const char *at = text;
	uint64_t v;

	while ((at = strstr(at, key))) {
		if ((at == text || at[-1] == '\n') && (at[len] == ' ' || at[len] == '\t'))
			break;
		at += len;
	}
	if (!at)
		return false;
	at += len;
	at += strspn(at, " \t");
	if (!procfs_number(&at, &v) || (*at != '\0' && !strchr(" \t\n", *at)))
		return false;
	*out = v;
	return true;
}

int procfs_pieces_open(struct procfs_pieces *p, int dir, const char *name, size_t max)
{
	int fd = procfs_open_file(dir, name);

	if (fd < 0)
		return fd;
	p->fd = fd;
	p->error = 0;
	p->cut = false;
	p->overlong = false;
	p->left = max;
	p->at = 0;
	p->len = 0;
	return 0;
}

/* More bytes behind those not yet handed out; false at the end, an error, or the bound. */
static bool pieces_fill(struct procfs_pieces *p)
{
	size_t room;
	ssize_t n;
	char more;

	memmove(p->buf, p->buf + p->at, p->len - p->at);
	p->len -= p->at;
	p->at = 0;
	if (p->len == sizeof p->buf - 1) {
		p->len = 0;
		p->overlong = true;
	}
	if (p->left == 0) {
		p->cut = p->cut || read_some(p->fd, &more, 1) > 0;
		return false;
	}
	room = sizeof p->buf - 1 - p->len;
	n = read_some(p->fd, p->buf + p->len, room < p->left ? room : p->left);
	if (n < 0)
		p->error = (int)n;
	if (n <= 0)
		return false;
	p->len += (size_t)n;
	p->left -= (size_t)n;
	return true;
}

char *procfs_pieces_next(struct procfs_pieces *p, char separator)
{
	char *piece, *end;
	bool skip;

	for (;;) {
		piece = p->buf + p->at;
		end = memchr(piece, separator, p->len - p->at);
		if (end) {
			p->at = (size_t)(end - p->buf) + 1;
		} else if (pieces_fill(p)) {
			continue;
		} else {
			/* Without its end a piece counts only when the file ends there. */
			if (p->error || p->cut || p->len == 0)
				return NULL;
			piece = p->buf;
			end = p->buf + p->len;
			p->at = p->len;
		}
		*end = '\0';
		skip = p->overlong;
		p->overlong = false;
		if (!skip)
			return piece;
	}
}

void procfs_pieces_close(struct procfs_pieces *p)
{
	close(p->fd);
}

int procfs_dirs_open(struct procfs_dirs *d, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	d->fd = fd;
	d->at = 0;
	d->len = 0;
	return 0;
}

/* getdents64() and not readdir(), which takes memory for each directory it opens. */
const char *procfs_dirs_next(struct procfs_dirs *d)
{
	const struct dirent64 *e;
	ssize_t n;

	for (;;) {
		if (d->at >= d->len) {
			n = getdents64(d->fd, d->buf, sizeof d->buf);
			if (n <= 0)
				return NULL;
			d->at = 0;
			d->len = (size_t)n;
		}
		e = (const struct dirent64 *)(const void *)(d->buf + d->at);
		d->at += e->d_reclen;
		if (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)
			continue;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return e->d_name;
	}
}

void procfs_dirs_close(struct procfs_dirs *d)
{
	close(d->fd);
}
