#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_place.h"

bool cgroup_place_join(char out[PROCFS_PATH_MAX], const char *dir, const char *path,
		       const char *file)
{
	int n = snprintf(out, PROCFS_PATH_MAX, "%s%s%s", dir, path, file);

	return n >= 0 && n < PROCFS_PATH_MAX;
}

bool cgroup_place_is_there(const struct cgroup_place *p)
{
	return p->id.inode != 0;
}

bool cgroup_identity_same(const struct cgroup_identity *a, const struct cgroup_identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

int cgroup_place_find_at(struct cgroup_place *p, const struct mounts *m, enum mounts_hierarchy h,
			 const char *path)
{
	char full[PROCFS_PATH_MAX];
	struct stat st;

	*p = (struct cgroup_place){ .mount = m->of[h], .path = path,
				    .unified = h == MOUNTS_UNIFIED, .fd = -1 };
	if (!p->mount)
		return -ENOENT;
	if (!cgroup_place_join(full, p->mount->dir, path, ""))
		return -ENAMETOOLONG;
	if (stat(full, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	p->id = (struct cgroup_identity){ st.st_dev, st.st_ino };
	return 0;
}

/* 0 when it is in neither, too; what keeps us from looking is an error. */
static int find_one(struct cgroup_place *p, const struct mounts *m, enum mounts_hierarchy h,
		    const char *path)
{
	int r = cgroup_place_find_at(p, m, h, path);

	if (procfs_is_gone(r))
		r = cgroup_place_find_at(p, m, MOUNTS_UNIFIED, path);
	return procfs_is_gone(r) ? 0 : r;
}

int cgroup_place_find(struct cgroup_place *cpu, struct cgroup_place *memory,
		      const struct mounts *m, const char *path)
{
	int r;

	r = find_one(cpu, m, MOUNTS_CPUACCT, path);
	*memory = *cpu;
	/* Without v1 there is but one tree, and what it says of one it says of both. */
	if (r == 0 && (m->of[MOUNTS_CPUACCT] || m->of[MOUNTS_MEMORY]))
		r = find_one(memory, m, MOUNTS_MEMORY, path);
	if (r == 0 && !cgroup_place_is_there(cpu) && !cgroup_place_is_there(memory))
		r = -ENOENT;
	return r;
}

int cgroup_place_open(struct cgroup_place *p)
{
	char full[PROCFS_PATH_MAX];
	struct stat st;
	int fd;

	if (p->fd >= 0)
		return 0;
	if (!cgroup_place_join(full, p->mount->dir, p->path, ""))
		return -ENAMETOOLONG;
	fd = procfs_open_dir(AT_FDCWD, full);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 ||
	    !cgroup_identity_same(&p->id, &(struct cgroup_identity){ st.st_dev, st.st_ino })) {
		close(fd);
		return -ENODEV;
	}
	p->fd = fd;
	return 0;
}

void cgroup_place_close(struct cgroup_place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
