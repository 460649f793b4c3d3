#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroup.h"
#include "cgroup_members.h"
#include "fail.h"
#include "observe.h"
#include "procfs.h"

/* "No limit" is written as the largest number of pages that fits: not the same in all kernels. */
#define NO_LIMIT ((uint64_t)1 << 62)

/* Files that were not there are not looked for either until the next look, see must_look(). */
#define ABSENT_MEMORY 1u
#define ABSENT_LIMIT(level) (2u << (level))

/* One reading under way. */
struct visit {
	const struct cgroup_host *host;
	struct cgroup_files *files;
	bool look;		/* at the path and the members, also when reads succeed */
	bool gone;		/* what was found before was removed meanwhile */
};

/* --- where it is --- */

int cgroup_probe(const struct cgroup_host *host, const char *path)
{
	struct cgroup_place cpu, memory;

	return cgroup_place_find(&cpu, &memory, &host->mounts, path);
}

static bool has_file(const struct cgroup_place *p, const char *unified, const char *v1)
{
	char file[PROCFS_PATH_MAX];

	return cgroup_place_is_there(p) &&
	       cgroup_place_join(file, p->mount->dir, p->path, p->unified ? unified : v1) &&
	       access(file, F_OK) == 0;
}

unsigned cgroup_accounts(const struct cgroup_host *host, const char *path)
{
	struct cgroup_place cpu, memory;
	unsigned has = 0;

	if (cgroup_place_find(&cpu, &memory, &host->mounts, path) < 0)
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

/* --- its files --- */

static void forget_places(struct cgroup_files *files)
{
	files->cpu = files->memory = (struct cgroup_place){ .fd = -1 };
	files->readings = 0;
	files->absent = 0;
}

void cgroup_files_init(struct cgroup_files *files, struct kept_budget *budget)
{
	static const struct kept_file closed = KEPT_FILE_INIT;

	*files = (struct cgroup_files){ .budget = budget, .cpu_used = closed,
					.memory_used = closed, .memory_stat = closed };
	forget_places(files);
	for (size_t i = 0; i < CGROUP_LIMITS_KEPT; i++)
		files->limits[i] = closed;
	netdev_member_init(&files->member);
}

void cgroup_files_release(struct cgroup_files *files)
{
	kept_file_release(&files->cpu_used, files->budget);
	kept_file_release(&files->memory_used, files->budget);
	kept_file_release(&files->memory_stat, files->budget);
	for (size_t i = 0; i < CGROUP_LIMITS_KEPT; i++)
		kept_file_release(&files->limits[i], files->budget);
	netdev_member_release(&files->member, files->budget);
	forget_places(files);
}

/*
 * Files that are open belong to the cgroup they were opened of, and keep its inode number from
 * being given to another: comparing it tells for sure whether they are of the one at this path now.
 */
static int look(struct visit *v, const char *path)
{
	struct cgroup_files *files = v->files;
	struct cgroup_place cpu, memory;
	int r;

	r = cgroup_place_find(&cpu, &memory, &v->host->mounts, path);
	if (r < 0)
		return r;
	files->absent = 0;
	if (cgroup_identity_same(&files->cpu.id, &cpu.id) &&
	    cgroup_identity_same(&files->memory.id, &memory.id))
		return 0;
	cgroup_files_release(files);
	files->cpu = cpu;
	files->memory = memory;
	return 0;
}

static bool is_cgroup_fs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC);
}

static bool is_watched(const struct cgroup_place *p, const struct kept_file *f)
{
	return !cgroup_place_is_there(p) || (p->kernel_tells && kept_file_is_open(f));
}

/*
 * Where the kernel tells of a removal, that is at the second reading and each so many-th. It bounds
 * for how long what the kernel does not tell may go unnoticed: a member that was moved to another
 * cgroup, one with a network of its own beside one with the host's, or a cgroup that came to be in a
 * further hierarchy, for engines make them one after the other, hence the second reading. And a
 * rename(), which only v1 has: the counters go on with the cgroup under its new name until then, and
 * what was made anew under the old one is read from then on. Looking takes up to twice as long as the
 * reads themselves, so it may be a sixth of them: two minutes at the default interval.
 */
static bool must_look(const struct cgroup_files *files)
{
	if (files->readings < 2 || files->readings % CGROUP_LOOK_AGAIN == 0 ||
	    !is_watched(&files->cpu, &files->cpu_used))
		return true;
	return !is_watched(&files->memory, &files->memory_stat) &&
	       !cgroup_identity_same(&files->cpu.id, &files->memory.id);
}

static ssize_t read_file(struct visit *v, struct cgroup_place *p, struct kept_file *f,
			 const char *name, char *buf, size_t size, int64_t *mono_ns)
{
	bool was_open = kept_file_is_open(f);
	ssize_t n;
	int r;

	if (!was_open) {
		r = cgroup_place_open(p);
		v->gone = v->gone || procfs_is_gone(r);
		if (r < 0)
			return r;
	}
	n = kept_file_read(f, v->files->budget, p->fd, name, buf, size, mono_ns);
	if (was_open)
		v->gone = v->gone || procfs_is_gone((int)n);
	else if (kept_file_is_open(f))
		p->kernel_tells = is_cgroup_fs(f->fd);
	return n;
}

/* --- what is in them; 0, also when it cannot be understood; -errno: out of descriptors --- */

#define observe_place(v, p, name, ...) \
	observe_file((v)->host->observer, (p)->mount->dir, (p)->path, (name), __VA_ARGS__)

static const char *why_not(ssize_t n)
{
	return n < 0 ? strerror((int)-n) : "not to be understood";
}

static bool parse_cpu(const char *text, bool unified, uint64_t *ns)
{
	if (!unified)
		return procfs_only_number(text, ns);
	return procfs_keyed_number(text, "usage_usec", ns) &&
	       !__builtin_mul_overflow(*ns, (uint64_t)1000, ns);
}

static int read_cpu(struct visit *v, struct reading *out)
{
	struct cgroup_place *p = &v->files->cpu;
	const char *name = p->unified ? "/cpu.stat" : "/cpuacct.usage";
	char text[2048];
	ssize_t n;

	if (!cgroup_place_is_there(p))
		return 0;
	n = read_file(v, p, &v->files->cpu_used, name + 1, text, sizeof text, &out->mono_ns);
	if (n >= 0 && parse_cpu(text, p->unified, &out->cpu_ns)) {
		out->has |= READING_CPU_TIME;
		observe_place(v, p, name, "CPU time %" PRIu64 " ns", out->cpu_ns);
		return 0;
	}
	observe_place(v, p, name, "%s", why_not(n));
	return procfs_is_short((int)n) ? (int)n : 0;
}

/* level 0 is the cgroup's own, and dir its path; false: not to be understood. */
static bool read_limit(struct visit *v, size_t level, const char *dir, uint64_t *limit)
{
	struct cgroup_files *files = v->files;
	struct kept_file *f = level < CGROUP_LIMITS_KEPT ? &files->limits[level] : NULL;
	bool was_open = f && kept_file_is_open(f);
	char file[PROCFS_PATH_MAX], text[64];
	ssize_t n;

	*limit = NO_LIMIT;
	file[0] = '\0';
	if (f && (files->absent & ABSENT_LIMIT(level)))
		return true;
	if (!was_open && !cgroup_place_join(file, files->memory.mount->dir, dir, "/memory.max"))
		return false;
	if (f)
		n = kept_file_read(f, files->budget, AT_FDCWD, file, text, sizeof text, NULL);
	else
		n = procfs_read(AT_FDCWD, file, text, sizeof text, NULL);
	if (was_open)
		v->gone = v->gone || procfs_is_gone((int)n);
	else if (f && n == -ENOENT)	/* the root has none */
		files->absent |= ABSENT_LIMIT(level);
	if (n != -ENOENT)
		observe_file(v->host->observer, files->memory.mount->dir, dir, "/memory.max",
			     "%.*s", (int)strcspn(text, "\n"), n < 0 ? why_not(n) : text);
	if (n < 0)
		return n == -ENOENT;
	return strcmp(text, "max\n") == 0 || procfs_only_number(text, limit);
}

/* Of a path below a mount, with the mount's own directory. */
static size_t count_levels(const char *path)
{
	size_t n = 1;

	for (; *path != '\0'; path++)
		n += *path == '/';
	return n;
}

/*
 * v2: the least memory.max from here up to the mount's own directory, which inside of a container
 * has one, too. *limit is NO_LIMIT when there is none. false: one of them cannot be understood, or
 * they are too many.
 */
static bool unified_limit(struct visit *v, uint64_t *limit)
{
	uint64_t least = NO_LIMIT, here;
	char dir[CGROUP_PATH_MAX];

	if (count_levels(v->files->memory.path) > CGROUP_LIMITS_MAX) {
		if (v->host->too_deep)
			++*v->host->too_deep;
		return false;
	}
	strcpy(dir, v->files->memory.path);
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

/* Of memory.stat's text. */
static bool parse_used(const struct cgroup_place *p, const char *stat, const char *text,
		       uint64_t *used)
{
	uint64_t inactive;

	if (!procfs_only_number(text, used) ||
	    !procfs_keyed_number(stat, p->unified ? "inactive_file" : "total_inactive_file",
				 &inactive))
		return false;
	/* The two are not read at the same instant. */
	*used = *used > inactive ? *used - inactive : 0;
	return true;
}

static int read_used(struct visit *v, const char *stat, struct reading *out)
{
	struct cgroup_place *p = &v->files->memory;
	const char *name = p->unified ? "/memory.current" : "/memory.usage_in_bytes";
	char text[64];
	ssize_t n;

	n = read_file(v, p, &v->files->memory_used, name + 1, text, sizeof text, NULL);
	if (n >= 0 && parse_used(p, stat, text, &out->memory_used)) {
		out->has |= READING_MEMORY_USED;
		observe_place(v, p, name, "%.*s; less what is inactive: %" PRIu64,
			      (int)strcspn(text, "\n"), text, out->memory_used);
		return 0;
	}
	observe_place(v, p, name, "%s", why_not(n));
	return procfs_is_short((int)n) ? (int)n : 0;
}

static void read_effective_limit(struct visit *v, const char *stat, struct reading *out)
{
	struct cgroup_place *p = &v->files->memory;
	uint64_t limit;

	if (p->unified ? !unified_limit(v, &limit)
		       : !procfs_keyed_number(stat, "hierarchical_memory_limit", &limit))
		return;
	if (limit >= NO_LIMIT || limit >= v->host->memory_total)
		return;
	out->memory_limit = limit;
	out->has |= READING_MEMORY_LIMIT;
}

static void observe_stat(const struct visit *v, const char *stat)
{
	const struct cgroup_place *p = &v->files->memory;
	uint64_t inactive = 0, limit = 0;

	if (p->unified) {
		procfs_keyed_number(stat, "inactive_file", &inactive);
		observe_place(v, p, "/memory.stat", "inactive_file %" PRIu64, inactive);
		return;
	}
	procfs_keyed_number(stat, "total_inactive_file", &inactive);
	procfs_keyed_number(stat, "hierarchical_memory_limit", &limit);
	observe_place(v, p, "/memory.stat", "total_inactive_file %" PRIu64 ", "
		      "hierarchical_memory_limit %" PRIu64, inactive, limit);
}

static int read_memory(struct visit *v, struct reading *out)
{
	struct cgroup_place *p = &v->files->memory;
	char stat[16384];
	ssize_t n;
	int r;

	if (!cgroup_place_is_there(p) || (v->files->absent & ABSENT_MEMORY))
		return 0;
	n = read_file(v, p, &v->files->memory_stat, "memory.stat", stat, sizeof stat, NULL);
	if (n == -ENOENT)
		v->files->absent |= ABSENT_MEMORY;
	if (n < 0) {
		observe_place(v, p, "/memory.stat", "%s", why_not(n));
		return procfs_is_short((int)n) ? (int)n : 0;
	}
	if (v->host->observer)
		observe_stat(v, stat);
	r = read_used(v, stat, out);
	if (r == 0)
		read_effective_limit(v, stat, out);
	return r;
}

/* --- a reading --- */

static void read_network(struct visit *v, struct netdev_ns *last, struct reading *out)
{
	const struct cgroup_host *host = v->host;
	struct cgroup_files *files = v->files;
	struct cgroup_members m;

	if (!v->look && netdev_member_read(&host->netdev, &files->member, last, out))
		return;
	cgroup_members_find(&m, &host->mounts, &files->cpu, &files->memory);
	netdev_read(&host->netdev, host->root, m.pids, m.n, &files->member, files->budget, last,
		    out);
}

static uint64_t identity(const struct cgroup_place *p)
{
	uint64_t of[2] = { (uint64_t)p->id.device, (uint64_t)p->id.inode };

	return cgroup_place_is_there(p) ? ident_hash(of, sizeof of) : 0;
}

static int read_found(struct visit *v, struct netdev_ns *netdev, struct reading *out)
{
	struct cgroup_files *files = v->files;
	int r;

	out->has = 0;
	out->mono_ns = procfs_now_ns();
	out->incarnation[0] = identity(&files->cpu);
	out->incarnation[1] = identity(&files->memory);
	r = read_cpu(v, out);
	if (r == 0)
		r = read_memory(v, out);
	if (r == 0 && out->has != 0 && !v->gone)
		read_network(v, netdev, out);
	cgroup_place_close(&files->cpu);
	cgroup_place_close(&files->memory);
	return r;
}

/*
 * In a cgroup that is removed after it was opened no file is found, as if it had none: whether the
 * one at this path is still that one tells the two apart.
 */
static bool was_removed(const struct visit *v, const char *path)
{
	const struct cgroup_files *files = v->files;
	struct cgroup_place cpu, memory;

	return cgroup_place_find(&cpu, &memory, &v->host->mounts, path) < 0 ||
	       !cgroup_identity_same(&files->cpu.id, &cpu.id) ||
	       !cgroup_identity_same(&files->memory.id, &memory.id);
}

/* What turns out to be gone may have been made anew: then the reading is of that one, all of it. */
static int read_twice(struct visit *v, const char *path, struct netdev_ns *netdev,
		      struct reading *out)
{
	int r = 0;

	v->look = must_look(v->files);
	for (int round = 0; round < 2; round++) {
		v->gone = false;
		if (v->look)
			r = look(v, path);
		if (r == 0)
			r = read_found(v, netdev, out);
		if (r == 0 && out->has == 0 && !v->gone)
			v->gone = was_removed(v, path);
		if (!v->gone)
			break;
		cgroup_files_release(v->files);
		v->look = true;
	}
	return r;
}

int cgroup_read(const struct cgroup_host *host, const char *path, struct cgroup_files *files,
		struct netdev_ns *netdev, struct reading *out, char error[SOURCE_ERROR_MAX])
{
	struct visit v = { .host = host, .files = files };
	char shown[96];
	int r;

	out->has = 0;
	r = read_twice(&v, path, netdev, out);
	if (r == 0 && out->has == 0 && v.gone)
		r = -ENOENT;
	if (r == 0 && out->has != 0) {
		files->readings++;
		return 0;
	}
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

int cgroup_address(const struct cgroup_host *host, struct cgroup_files *files,
		   char out[NETADDR_MAX])
{
	struct cgroup_members m;
	int dir, r = -EADDRNOTAVAIL;

	if (kept_file_is_open(&files->member.dir))
		return netdev_address(&host->netdev, files->member.dir.fd, out);
	/* It has ended, or is beyond the bound of files kept. */
	cgroup_members_find(&m, &host->mounts, &files->cpu, &files->memory);
	for (size_t i = 0; i < m.n && r < 0; i++) {
		dir = procfs_open_pid(host->root, m.pids[i]);
		if (dir < 0)
			continue;
		r = netdev_address(&host->netdev, dir, out);
		close(dir);
	}
	cgroup_place_close(&files->cpu);
	cgroup_place_close(&files->memory);
	return r;
}
