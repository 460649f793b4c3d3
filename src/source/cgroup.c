#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "fail.h"
#include "procfs.h"

/* "No limit" is written as the largest number of pages that fits: not the same in all kernels. */
#define NO_LIMIT ((uint64_t)1 << 62)
/* How many members are asked for their network, and how many child cgroups are searched. */
#define MEMBERS_MAX 8
#define MEMBER_CHILDREN_MAX 64
#define MEMBERS_BYTES_MAX ((size_t)64 << 10)

/* The directory a quantity is read in. */
struct place {
	const struct mount *mount;
	bool unified;
	int fd;		/* -1: the cgroup is not there */
	struct stat st;
};

struct places {
	struct place cpu;
	struct place memory;
};

static bool join(char out[PROCFS_PATH_MAX], const char *dir, const char *path, const char *file)
{
	int n = snprintf(out, PROCFS_PATH_MAX, "%s%s%s", dir, path, file);

	return n >= 0 && n < PROCFS_PATH_MAX;
}

static int open_at(struct place *p, const struct mounts *m, enum mounts_hierarchy h,
		   const char *path)
{
	char full[PROCFS_PATH_MAX];
	int fd, r;

	p->fd = -1;
	p->mount = m->of[h];
	p->unified = h == MOUNTS_UNIFIED;
	if (!p->mount)
		return -ENOENT;
	if (!join(full, p->mount->dir, path, ""))
		return -ENAMETOOLONG;
	fd = procfs_open_dir(AT_FDCWD, full);
	if (fd < 0)
		return fd;
	if (fstat(fd, &p->st) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	p->fd = fd;
	return 0;
}

/* 0 with fd -1 when it is in neither; what keeps us from looking (EMFILE) is an error. */
static int open_place(struct place *p, const struct mounts *m, enum mounts_hierarchy h,
		      const char *path)
{
	int r = open_at(p, m, h, path);

	if (procfs_is_gone(r))
		r = open_at(p, m, MOUNTS_UNIFIED, path);
	return procfs_is_gone(r) ? 0 : r;
}

static void close_places(struct places *p)
{
	if (p->cpu.fd >= 0)
		close(p->cpu.fd);
	if (p->memory.fd >= 0)
		close(p->memory.fd);
}

/* On 0 at least one is there and close_places() is due. -ENOENT: in no hierarchy. */
static int open_places(struct places *p, const struct mounts *m, const char *path)
{
	int r;

	p->memory.fd = -1;
	r = open_place(&p->cpu, m, MOUNTS_CPUACCT, path);
	if (r == 0)
		r = open_place(&p->memory, m, MOUNTS_MEMORY, path);
	if (r == 0 && p->cpu.fd < 0 && p->memory.fd < 0)
		r = -ENOENT;
	if (r < 0)
		close_places(p);
	return r;
}

int cgroup_probe(const struct cgroup_host *host, const char *path)
{
	struct places p;
	int r;

	r = open_places(&p, &host->mounts, path);
	if (r == 0)
		close_places(&p);
	return r;
}

static bool has_file(const struct place *p, const char *name)
{
	return p->fd >= 0 && faccessat(p->fd, name, F_OK, 0) == 0;
}

unsigned cgroup_accounts(const struct cgroup_host *host, const char *path)
{
	struct places p;
	unsigned has = 0;

	if (open_places(&p, &host->mounts, path) < 0)
		return 0;
	if (has_file(&p.cpu, p.cpu.unified ? "cpu.stat" : "cpuacct.usage"))
		has |= READING_CPU_TIME;
	if (has_file(&p.memory, p.memory.unified ? "memory.current" : "memory.usage_in_bytes"))
		has |= READING_MEMORY_USED;
	close_places(&p);
	return has;
}

bool cgroup_has_cpu(const struct cgroup_host *host, const char *path)
{
	return (cgroup_accounts(host, path) & READING_CPU_TIME) != 0;
}

static void read_cpu(const struct place *p, struct reading *out)
{
	char text[2048];
	uint64_t v;

	if (p->fd < 0)
		return;
	if (procfs_read(p->fd, p->unified ? "cpu.stat" : "cpuacct.usage", text, sizeof text,
			&out->mono_ns) < 0)
		return;
	if (p->unified) {
		if (!procfs_keyed_number(text, "usage_usec", &v) ||
		    __builtin_mul_overflow(v, (uint64_t)1000, &v))
			return;
	} else if (!procfs_only_number(text, &v)) {
		return;
	}
	out->cpu_ns = v;
	out->has |= READING_CPU_TIME;
}

/*
 * v2: the least memory.max from here up to the mount's own directory, which inside of a container
 * has one, too. *limit is NO_LIMIT when there is none. false: one of them cannot be understood.
 */
static bool unified_limit(const struct place *p, const char *path, uint64_t *limit)
{
	char dir[CGROUP_PATH_MAX], file[PROCFS_PATH_MAX], text[64];
	uint64_t v, least = NO_LIMIT;
	ssize_t n;

	strcpy(dir, path);
	for (;;) {
		if (!join(file, p->mount->dir, dir, "/memory.max"))
			return false;
		n = procfs_read(AT_FDCWD, file, text, sizeof text, NULL);
		if (n < 0 && n != -ENOENT)
			return false;
		if (n >= 0 && strcmp(text, "max\n") != 0) {
			if (!procfs_only_number(text, &v))
				return false;
			least = v < least ? v : least;
		}
		if (dir[0] == '\0')
			break;
		*strrchr(dir, '/') = '\0';
	}
	*limit = least;
	return true;
}

static void read_memory(const struct cgroup_host *host, const struct place *p, const char *path,
			struct reading *out)
{
	char text[64], stat[8192];
	uint64_t used, inactive, limit;

	if (p->fd < 0 || procfs_read(p->fd, "memory.stat", stat, sizeof stat, NULL) < 0)
		return;
	if (procfs_read(p->fd, p->unified ? "memory.current" : "memory.usage_in_bytes", text,
			sizeof text, NULL) >= 0 &&
	    procfs_only_number(text, &used) &&
	    procfs_keyed_number(stat, p->unified ? "inactive_file" : "total_inactive_file",
				&inactive)) {
		/* The two are not read at the same instant. */
		out->memory_used = used > inactive ? used - inactive : 0;
		out->has |= READING_MEMORY_USED;
	}
	if (p->unified ? !unified_limit(p, path, &limit)
		       : !procfs_keyed_number(stat, "hierarchical_memory_limit", &limit))
		return;
	if (limit < NO_LIMIT && limit < host->memory_total) {
		out->memory_limit = limit;
		out->has |= READING_MEMORY_LIMIT;
	}
}

static void add_members(int dir, int32_t pids[MEMBERS_MAX], size_t *n)
{
	struct procfs_pieces list;
	const char *line;
	uint64_t pid;

	if (procfs_pieces_open(&list, dir, "cgroup.procs", MEMBERS_BYTES_MAX) < 0)
		return;
	while (*n < MEMBERS_MAX && (line = procfs_pieces_next(&list, '\n'))) {
		/* 0 is a process of a pid namespace that we cannot see into. */
		if (procfs_only_number(line, &pid) && pid > 0 && pid <= PROCFS_PID_MAX)
			pids[(*n)++] = (int32_t)pid;
	}
	procfs_pieces_close(&list);
}

/* v2 keeps processes out of a cgroup that has children with controllers: then they are in those. */
static size_t find_members(int dir, int32_t pids[MEMBERS_MAX])
{
	struct procfs_dirs children;
	const char *name;
	size_t n = 0;
	int child;

	add_members(dir, pids, &n);
	if (n > 0 || procfs_dirs_open(&children, dir, ".") < 0)
		return n;
	for (int i = 0; i < MEMBER_CHILDREN_MAX && n < MEMBERS_MAX; i++) {
		name = procfs_dirs_next(&children);
		if (!name)
			break;
		child = procfs_open_dir(dir, name);
		if (child < 0)
			continue;
		add_members(child, pids, &n);
		close(child);
	}
	procfs_dirs_close(&children);
	return n;
}

static void read_network(const struct cgroup_host *host, const struct places *p, const char *path,
			 struct netdev_ns *last, struct reading *out)
{
	int32_t pids[MEMBERS_MAX];
	struct place unified;
	size_t n = 0;

	if (p->cpu.fd >= 0 && !p->cpu.unified)
		n = find_members(p->cpu.fd, pids);
	if (n == 0 && p->memory.fd >= 0 && !p->memory.unified)
		n = find_members(p->memory.fd, pids);
	if (n == 0 && open_at(&unified, &host->mounts, MOUNTS_UNIFIED, path) == 0) {
		n = find_members(unified.fd, pids);
		close(unified.fd);
	}
	netdev_read(&host->netdev, host->root, pids, n, last, out);
}

/* Which cgroup the counters are of: it may be removed and made anew under the same name. */
static uint64_t identity(const struct place *p)
{
	uint64_t of[2] = { (uint64_t)p->st.st_dev, (uint64_t)p->st.st_ino };

	return p->fd < 0 ? 0 : ident_hash(of, sizeof of);
}

int cgroup_read(const struct cgroup_host *host, const char *path, struct netdev_ns *netdev,
		struct reading *out, char error[SOURCE_ERROR_MAX])
{
	struct places p;
	char shown[96];
	int r;

	r = open_places(&p, &host->mounts, path);
	if (r == -ENOENT)
		return source_fail(error, "the cgroup %s is gone", cgroup_shown(path, shown));
	if (r < 0)
		return source_fail(error, "the cgroup %s cannot be opened: %s",
				   cgroup_shown(path, shown), strerror(-r));
	out->mono_ns = procfs_now_ns();
	out->incarnation[0] = identity(&p.cpu);
	out->incarnation[1] = identity(&p.memory);
	read_cpu(&p.cpu, out);
	read_memory(host, &p.memory, path, out);
	if (out->has != 0) {
		read_network(host, &p, path, netdev, out);
		r = 0;
	} else if (cgroup_probe(host, path) == -ENOENT) {
		r = source_fail(error, "the cgroup %s is gone", cgroup_shown(path, shown));
	} else {
		r = source_fail(error, "nothing can be read of the cgroup %s",
				cgroup_shown(path, shown));
	}
	close_places(&p);
	return r;
}
