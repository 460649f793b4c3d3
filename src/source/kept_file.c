#include <errno.h>
#include <unistd.h>

#include "kept_file.h"
#include "procfs.h"

bool kept_file_is_open(const struct kept_file *f)
{
	return f->fd >= 0;
}

void kept_file_release(struct kept_file *f, struct kept_budget *b)
{
	if (f->fd < 0)
		return;
	close(f->fd);
	f->fd = -1;
	b->open--;
}

static void keep(struct kept_file *f, struct kept_budget *b, int fd)
{
	if (b->open >= b->max) {
		b->unkept++;
		return;
	}
	f->fd = fd;
	b->open++;
}

static ssize_t read_all(int fd, char *buf, size_t size, int64_t *mono_ns)
{
	int64_t before, after;
	ssize_t n;

	do {
		before = mono_ns ? procfs_now_ns() : 0;
		n = pread(fd, buf, size, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n == size)	/* maybe there is more: no number may be cut in two */
		return -EFBIG;
	after = mono_ns ? procfs_now_ns() : 0;
	if (mono_ns)
		*mono_ns = before + (after - before) / 2;
	return n;
}

ssize_t kept_file_read(struct kept_file *f, struct kept_budget *b, int dir, const char *name,
		       char *buf, size_t size, int64_t *mono_ns)
{
	int fd = f->fd;
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0) {
		fd = procfs_open_file(dir, name);
		if (fd < 0)
			return fd;
		keep(f, b, fd);
	}
	n = read_all(fd, buf, size, mono_ns);
	buf[n < 0 ? 0 : n] = '\0';
	if (f->fd < 0)
		close(fd);
	else if (n < 0 && n != -EFBIG)
		kept_file_release(f, b);
	return n;
}

int kept_dir_use(struct kept_file *f, struct kept_budget *b, int at, const char *path)
{
	int fd = f->fd;

	if (fd < 0) {
		fd = procfs_open_dir(at, path);
		if (fd >= 0)
			keep(f, b, fd);
	}
	return fd;
}

void kept_dir_done(const struct kept_file *f, int fd)
{
	if (fd >= 0 && fd != f->fd)
		close(fd);
}

void kept_dir_adopt(struct kept_file *f, struct kept_budget *b, int fd)
{
	keep(f, b, fd);
	kept_dir_done(f, fd);
}
