#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cgroup_members.h"

/* How many child cgroups are searched, and how much of a list is read. */
#define CHILDREN_MAX 64
#define BYTES_MAX ((size_t)64 << 10)

static void add(struct cgroup_members *m, const char *line)
{
	uint64_t pid;

	/* 0 is a process of a pid namespace that we cannot see into. */
	if (procfs_only_number(line, &pid) && pid > 0 && pid <= PROCFS_PID_MAX)
		m->pids[m->n++] = (int32_t)pid;
}

static void add_list(struct cgroup_members *m, int dir, const char *name)
{
	struct procfs_pieces list;
	const char *line;

	if (procfs_pieces_open(&list, dir, name, BYTES_MAX) < 0)
		return;
	while (m->n < CGROUP_MEMBERS_MAX && (line = procfs_pieces_next(&list, '\n')))
		add(m, line);
	procfs_pieces_close(&list);
}

/* v2 keeps processes out of a cgroup that has children with controllers: then they are in those. */
static void add_of_children(struct cgroup_members *m, int dir)
{
	struct procfs_dirs children;
	const char *name;
	int child;

	if (procfs_dirs_open(&children, dir, ".") < 0)
		return;
	for (int i = 0; i < CHILDREN_MAX && m->n < CGROUP_MEMBERS_MAX; i++) {
		name = procfs_dirs_next(&children);
		if (!name)
			break;
		child = procfs_open_dir(dir, name);
		if (child < 0)
			continue;
		add_list(m, child, "cgroup.procs");
		close(child);
	}
	procfs_dirs_close(&children);
}

static void add_place(struct cgroup_members *m, struct cgroup_place *p)
{
	char file[PROCFS_PATH_MAX];

	if (p->fd >= 0)		/* opened for its counters just now */
		add_list(m, p->fd, "cgroup.procs");
	else if (cgroup_place_join(file, p->mount->dir, p->path, "/cgroup.procs"))
		add_list(m, AT_FDCWD, file);
	if (m->n == 0 && cgroup_place_open(p) == 0)
		add_of_children(m, p->fd);
}

void cgroup_members_find(struct cgroup_members *m, const struct mounts *mounts,
			 struct cgroup_place *cpu, struct cgroup_place *memory)
{
	struct cgroup_place unified;

	m->n = 0;
	if (cgroup_place_is_there(cpu))
		add_place(m, cpu);
	if (m->n == 0 && cgroup_place_is_there(memory) &&
	    !cgroup_identity_same(&cpu->id, &memory->id))
		add_place(m, memory);
	if (m->n > 0 || cpu->unified)
		return;
	if (cgroup_place_find_at(&unified, mounts, MOUNTS_UNIFIED, cpu->path) == 0)
		add_place(m, &unified);
	cgroup_place_close(&unified);
}
