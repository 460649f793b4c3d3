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
	const char *path;		/* below the mount */
	bool unified;
	int fd;				/* -1: not opened for this reading */
	struct cgroup_identity id;	/* inode 0: the cgroup is not there */
};

/* One reading under way. */
struct visit {
	const struct cgroup_host *host;
	struct cgroup_files *files;
	struct place cpu;
	struct place memory;
};

/* --- where it is --- */

static bool join(char out[PROCFS_PATH_MAX], const char *dir, const char *path, const char *file)
{
	int n = snprintf(out, PROCFS_PATH_MAX, "%s%s%s", dir, path, file);

	return n >= 0 && n < PROCFS_PATH_MAX;
}

static bool is_there(const struct place *p)
{
	return p->id.inode != 0;
}

static bool is_same(const struct cgroup_identity *a, const struct cgroup_identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* By its path, for each reading: that alone tells a cgroup that was made anew. -errno */
static int find_at(struct place *p, const struct mounts *m, enum mounts_hierarchy h,
		   const char *path)
{
	char full[PROCFS_PATH_MAX];
	struct stat st;

	*p = (struct place){ .mount = m->of[h], .path = path, .unified = h == MOUNTS_UNIFIED,
			     .fd = -1 };
	if (!p->mount)
		return -ENOENT;
	if (!join(full, p->mount->dir, path, ""))
		return -ENAMETOOLONG;
	if (stat(full, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	p->id = (struct cgroup_identity){ st.st_dev, st.st_ino };
	return 0;
}

/* 0 when it is in neither, too; what keeps us from looking is an error. */
static int find_place(struct place *p, const struct mounts *m, enum mounts_hierarchy h,
		      const char *path)
{
	int r = find_at(p, m, h, path);

	if (procfs_is_gone(r))
		r = find_at(p, m, MOUNTS_UNIFIED, path);
	return procfs_is_gone(r) ? 0 : r;
}

/* -ENOENT: in no hierarchy */
static int find_places(struct place *cpu, struct place *memory, const struct mounts *m,
		       const char *path)
{
	int r;

	r = find_place(cpu, m, MOUNTS_CPUACCT, path);
	if (r == 0)
		r = find_place(memory, m, MOUNTS_MEMORY, path);
	if (r == 0 && !is_there(cpu) && !is_there(memory))
		r = -ENOENT;
	return r;
}

int cgroup_probe(const struct cgroup_host *host, const char *path)
{
	struct place cpu, memory;

	return find_places(&cpu, &memory, &host->mounts, path);
}

static bool has_file(const struct place *p, const char *unified, const char *v1)
{
	char file[PROCFS_PATH_MAX];

	return is_there(p) && join(file, p->mount->dir, p->path, p->unified ? unified : v1) &&
	       access(file, F_OK) == 0;
}

unsigned cgroup_accounts(const struct cgroup_host *host, const char *path)
{
	struct place cpu, memory;
	unsigned has = 0;

	if (find_places(&cpu, &memory, &host->mounts, path) < 0)
		return 0;
	if (has_file(&cpu, "/cpu.stat", "/cpuacct.usage"))
		has |= READING_CPU_TIME;
	if (has_file(&memory, "/memory.current", "/memory.usage_in_bytes"))
		has |= READING_MEMORY_USED;
	return has;
}

bool cgroup_has_cpu(const struct cgroup_host *host, const char *path)
{
	return (cgroup_accounts(host, path) & READING_CPU_TIME) != 0;
}

/* Its directory, which must still be the one that was found. -errno */
static int open_place(struct place *p)
{
	char full[PROCFS_PATH_MAX];
	struct stat st;
	int fd;

	if (p->fd >= 0)
		return 0;
	if (!join(full, p->mount->dir, p->path, ""))
		return -ENAMETOOLONG;
	fd = procfs_open_dir(AT_FDCWD, full);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 ||
	    !is_same(&p->id, &(struct cgroup_identity){ st.st_dev, st.st_ino })) {
		close(fd);
		return -ENODEV;
	}
	p->fd = fd;
	return 0;
}

static void close_place(struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* --- its files --- */

void cgroup_files_init(struct cgroup_files *files, struct kept_budget *budget)
{
	static const struct kept_file closed = KEPT_FILE_INIT;

	*files = (struct cgroup_files){ budget, { 0, 0 }, { 0, 0 }, closed, closed, closed, closed,
					{ closed } };
	for (size_t i = 0; i < CGROUP_LIMITS_KEPT; i++)
		files->limits[i] = closed;
}

void cgroup_files_release(struct cgroup_files *files)
{
	kept_file_release(&files->cpu_used, files->budget);
	kept_file_release(&files->memory_used, files->budget);
	kept_file_release(&files->memory_stat, files->budget);
	kept_file_release(&files->members, files->budget);
	for (size_t i = 0; i < CGROUP_LIMITS_KEPT; i++)
		kept_file_release(&files->limits[i], files->budget);
}

/*
 * Files that are open belong to the cgroup they were opened of, and keep its inode number from
 * being given to another: comparing it tells for sure whether they are of the one at this path now.
 */
static void check_files(struct visit *v)
{
	struct cgroup_files *files = v->files;

	if (is_same(&files->cpu, &v->cpu.id) && is_same(&files->memory, &v->memory.id))
		return;
	cgroup_files_release(files);
	files->cpu = v->cpu.id;
	files->memory = v->memory.id;
}

static ssize_t read_file(struct visit *v, struct place *p, struct kept_file *f, const char *name,
			 char *buf, size_t size, int64_t *mono_ns)
{
	int r;

	if (!kept_file_is_open(f)) {
		r = open_place(p);
		if (r < 0)
			return r;
	}
	return kept_file_read(f, v->files->budget, p->fd, name, buf, size, mono_ns);
}

/* --- what is in them; 0, also when it cannot be understood; -errno: out of descriptors --- */

static int read_cpu(struct visit *v, struct reading *out)
{
	struct place *p = &v->cpu;
	char text[2048];
	uint64_t used;
	ssize_t n;

	if (!is_there(p))
		return 0;
	n = read_file(v, p, &v->files->cpu_used, p->unified ? "cpu.stat" : "cpuacct.usage", text,
		      sizeof text, &out->mono_ns);
	if (n < 0)
		return procfs_is_short((int)n) ? (int)n : 0;
	if (p->unified) {
		if (!procfs_keyed_number(text, "usage_usec", &used) ||
		    __builtin_mul_overflow(used, (uint64_t)1000, &used))
			return 0;
	} else if (!procfs_only_number(text, &used)) {
		return 0;
	}
	out->cpu_ns = used;
	out->has |= READING_CPU_TIME;
	return 0;
}

/* level 0 is the cgroup's own, and dir its path; false: not to be understood. */
static bool read_limit(const struct visit *v, size_t level, const char *dir, uint64_t *limit)
{
	struct kept_file *f = level < CGROUP_LIMITS_KEPT ? &v->files->limits[level] : NULL;
	char file[PROCFS_PATH_MAX] = "", text[64];
	ssize_t n;

	*limit = NO_LIMIT;
	if (!(f && kept_file_is_open(f)) && !join(file, v->memory.mount->dir, dir, "/memory.max"))
		return false;
	if (f)
		n = kept_file_read(f, v->files->budget, AT_FDCWD, file, text, sizeof text, NULL);
	else
		n = procfs_read(AT_FDCWD, file, text, sizeof text, NULL);
	if (n < 0)
		return n == -ENOENT;
	return strcmp(text, "max\n") == 0 || procfs_only_number(text, limit);
}

/*
 * v2: the least memory.max from here up to the mount's own directory, which inside of a container
 * has one, too. *limit is NO_LIMIT when there is none. false: one of them cannot be understood.
 */
static bool unified_limit(const struct visit *v, uint64_t *limit)
{
	uint64_t least = NO_LIMIT, here;
	char dir[CGROUP_PATH_MAX];

	strcpy(dir, v->memory.path);
	for (size_t level = 0;; level++) {
		if (!read_limit(v, level, dir, &here))
			return false;
		least = here < least ? here : least;
		if (dir[0] == '\0')
			break;
		*strrchr(dir, '/') = '\0';
	}
	*limit = least;
	return true;
}

static int read_memory(struct visit *v, struct reading *out)
{
	struct place *p = &v->memory;
	char text[64], stat[16384];
	uint64_t used, inactive, limit;
	ssize_t n;

	if (!is_there(p))
		return 0;
	n = read_file(v, p, &v->files->memory_stat, "memory.stat", stat, sizeof stat, NULL);
	if (n < 0)
		return procfs_is_short((int)n) ? (int)n : 0;
	n = read_file(v, p, &v->files->memory_used,
		      p->unified ? "memory.current" : "memory.usage_in_bytes", text, sizeof text,
		      NULL);
	if (procfs_is_short((int)n))
		return (int)n;
	if (n >= 0 && procfs_only_number(text, &used) &&
	    procfs_keyed_number(stat, p->unified ? "inactive_file" : "total_inactive_file",
				&inactive)) {
		/* The two are not read at the same instant. */
		out->memory_used = used > inactive ? used - inactive : 0;
		out->has |= READING_MEMORY_USED;
	}
	if (p->unified ? !unified_limit(v, &limit)
		       : !procfs_keyed_number(stat, "hierarchical_memory_limit", &limit))
		return 0;
	if (limit < NO_LIMIT && limit < v->host->memory_total) {
		out->memory_limit = limit;
		out->has |= READING_MEMORY_LIMIT;
	}
	return 0;
}

/* --- who is in it, for the network --- */

struct members {
	int32_t pids[MEMBERS_MAX];
	size_t n;
};

static void add_member(struct members *m, const char *line)
{
	uint64_t pid;

	/* 0 is a process of a pid namespace that we cannot see into. */
	if (m->n < MEMBERS_MAX && procfs_only_number(line, &pid) && pid > 0 &&
	    pid <= PROCFS_PID_MAX)
		m->pids[m->n++] = (int32_t)pid;
}

static void add_members(struct members *m, int dir, const char *name)
{
	struct procfs_pieces list;
	const char *line;

	if (procfs_pieces_open(&list, dir, name, MEMBERS_BYTES_MAX) < 0)
		return;
	while (m->n < MEMBERS_MAX && (line = procfs_pieces_next(&list, '\n')))
		add_member(m, line);
	procfs_pieces_close(&list);
}

/* v2 keeps processes out of a cgroup that has children with controllers: then they are in those. */
static void add_members_of_children(struct members *m, int dir)
{
	struct procfs_dirs children;
	const char *name;
	int child;

	if (procfs_dirs_open(&children, dir, ".") < 0)
		return;
	for (int i = 0; i < MEMBER_CHILDREN_MAX && m->n < MEMBERS_MAX; i++) {
		name = procfs_dirs_next(&children);
		if (!name)
			break;
		child = procfs_open_dir(dir, name);
		if (child < 0)
			continue;
		add_members(m, child, "cgroup.procs");
		close(child);
	}
	procfs_dirs_close(&children);
}

/*
 * Only v2's list is kept open. v1 makes it up when it is opened, and goes on showing the same one
 * to whoever reads it again within a second.
 */
static void add_members_kept(struct visit *v, struct place *p, struct members *m)
{
	char text[8192], *rest = text, *line;

	if (read_file(v, p, &v->files->members, "cgroup.procs", text, sizeof text, NULL) < 0)
		return;
	while (m->n < MEMBERS_MAX && (line = strsep(&rest, "\n")))
		add_member(m, line);
}

static void find_members(struct visit *v, struct place *p, struct members *m)
{
	char file[PROCFS_PATH_MAX];

	if (p->unified)
		add_members_kept(v, p, m);
	else if (p->fd >= 0)	/* its counters could not be kept open */
		add_members(m, p->fd, "cgroup.procs");
	else if (join(file, p->mount->dir, p->path, "/cgroup.procs"))
		add_members(m, AT_FDCWD, file);
	if (m->n > 0 || open_place(p) < 0)
		return;
	if (p->unified)		/* of a list that is longer than one piece */
		add_members(m, p->fd, "cgroup.procs");
	if (m->n == 0)
		add_members_of_children(m, p->fd);
}

static void read_network(struct visit *v, struct netdev_ns *last, struct reading *out)
{
	struct members m = { .n = 0 };
	struct place unified;

	if (is_there(&v->cpu) && !v->cpu.unified)
		find_members(v, &v->cpu, &m);
	if (m.n == 0 && is_there(&v->memory) && !v->memory.unified)
		find_members(v, &v->memory, &m);
	if (m.n == 0 && is_there(&v->cpu) && v->cpu.unified) {
		find_members(v, &v->cpu, &m);
	} else if (m.n == 0 &&
		   find_at(&unified, &v->host->mounts, MOUNTS_UNIFIED, v->cpu.path) == 0) {
		if (open_place(&unified) == 0) {
			add_members(&m, unified.fd, "cgroup.procs");
			if (m.n == 0)
				add_members_of_children(&m, unified.fd);
		}
		close_place(&unified);
	}
	netdev_read(&v->host->netdev, v->host->root, m.pids, m.n, last, out);
}

/* --- a reading --- */

static uint64_t identity(const struct place *p)
{
	uint64_t of[2] = { (uint64_t)p->id.device, (uint64_t)p->id.inode };

	return is_there(p) ? ident_hash(of, sizeof of) : 0;
}

static int read_found(struct visit *v, struct netdev_ns *netdev, struct reading *out)
{
	int r;

	check_files(v);
	out->mono_ns = procfs_now_ns();
	out->incarnation[0] = identity(&v->cpu);
	out->incarnation[1] = identity(&v->memory);
	r = read_cpu(v, out);
	if (r == 0)
		r = read_memory(v, out);
	if (r == 0 && out->has != 0)
		read_network(v, netdev, out);
	close_place(&v->cpu);
	close_place(&v->memory);
	return r;
}

int cgroup_read(const struct cgroup_host *host, const char *path, struct cgroup_files *files,
		struct netdev_ns *netdev, struct reading *out, char error[SOURCE_ERROR_MAX])
{
	struct visit v = { .host = host, .files = files };
	char shown[96];
	int r;

	r = find_places(&v.cpu, &v.memory, &host->mounts, path);
	if (r == 0)
		r = read_found(&v, netdev, out);
	if (r == 0 && out->has == 0)
		r = cgroup_probe(host, path);
	if (r == 0 && out->has != 0)
		return 0;
	cgroup_files_release(files);
	if (r == 0)
		return source_fail(error, FAILURE_UNREADABLE, "nothing can be read of the cgroup "
				   "%s", cgroup_shown(path, shown));
	if (r == -ENOENT)
		return source_fail(error, FAILURE_GONE, "the cgroup %s is gone",
				   cgroup_shown(path, shown));
	return source_fail(error, failure_of(r), "the cgroup %s cannot be opened: %s",
			   cgroup_shown(path, shown), strerror(-r));
}
