#include "container_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "procfs.h"

struct place {
	char *path;
	unsigned depth;		/* 0 is the root */
};

/* The cgroup of a container. */
struct entry {
	struct place at;
	char id[CONTAINER_ID_LEN];
};

struct container_index {
	struct entry *list;
	size_t n;
	size_t room;
	size_t seen;
	bool cut;
	bool walked;
	int64_t next_ns;	/* no walk before */
};

/* Breadth first: what is deep, and may be made by whoever is in there, is what bounds cut off. */
struct walk {
	struct container_index *index;
	int root;
	size_t seen;
	size_t head;
	size_t tail;
	struct place queue[CONTAINER_LISTED_MAX];	/* cgroups to be listed */
};

static bool ends_with(const char *name, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len >= end_len && memcmp(name + len - end_len, end, end_len) == 0;
}

/*
 * <id>, <id>.scope, <engine>-<id>.scope, libpod-<id> (podman without systemd), and
 * <slice>:<engine>:<id>, which is what runc makes of a slice when it was told not to use systemd.
 */
const char *container_name_id(const char *name)
{
	size_t len = strlen(name), before;
	bool is_scope = ends_with(name, len, ".scope");

	if (is_scope)
		len -= strlen(".scope");
	if (len < CONTAINER_ID_LEN)
		return NULL;
	before = len - CONTAINER_ID_LEN;
	if (strspn(name + before, "0123456789abcdef") != CONTAINER_ID_LEN)
		return NULL;
	/* What watches the container is named after it and is not it. */
	if (ends_with(name, before, "conmon-"))
		return NULL;
	if (before == 0 || ends_with(name, before, ":") ||
	    (is_scope && ends_with(name, before, "-")) ||
	    (before == strlen("libpod-") && ends_with(name, before, "libpod-")))
		return name + before;
	return NULL;
}

struct container_index *container_index_new(void)
{
	return calloc(1, sizeof(struct container_index));
}

static void clear(struct container_index *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->list[i].at.path);
	free(x->list);
	*x = (struct container_index){ 0 };
}

void container_index_free(struct container_index *x)
{
	if (!x)
		return;
	clear(x);
	free(x);
}

static int add(struct container_index *x, const char *id, const char *path, unsigned depth)
{
	struct entry *list = x->list, *e;
	size_t room = x->room ? 2 * x->room : 16;

	if (x->n == x->room) {
		list = reallocarray(x->list, room, sizeof *list);
		if (!list)
			return -ENOMEM;
		x->list = list;
		x->room = room;
	}
	e = &list[x->n];
	e->at.path = strdup(path);
	if (!e->at.path)
		return -ENOMEM;
	e->at.depth = depth;
	memcpy(e->id, id, CONTAINER_ID_LEN);
	x->n++;
	return 0;
}

static int enqueue(struct walk *w, const char *path, unsigned depth)
{
	struct place *p;

	if (w->tail == CONTAINER_LISTED_MAX || depth == CONTAINER_DEPTH_MAX) {
		w->index->cut = true;
		return 0;
	}
	p = &w->queue[w->tail];
	p->path = strdup(path);
	if (!p->path)
		return -ENOMEM;
	p->depth = depth;
	w->tail++;
	return 0;
}

/* dir is the parent's. What vanishes meanwhile is none. */
static int look_at(struct walk *w, const struct place *parent, int dir, const char *name)
{
	const char *id = container_name_id(name);
	unsigned depth = parent->depth + 1;
	char path[PROCFS_PATH_MAX];
	struct stat st;
	bool leaf;
	int n, r = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	/* Most cgroups are leaves, and two links say so for less than listing one takes. */
	leaf = st.st_nlink == 2;
	if (!id && leaf)
		return 0;
	n = snprintf(path, sizeof path, "%s/%s", parent->path, name);
	if (n < 0 || (size_t)n >= sizeof path) {
		w->index->cut = true;
		return 0;
	}
	if (id)
		r = add(w->index, id, path, depth);
	if (r == 0 && !leaf)
		r = enqueue(w, path, depth);
	return r;
}

static int list(struct walk *w, const struct place *p)
{
	struct procfs_dirs children;
	const char *name;
	int r;

	r = procfs_dirs_open(&children, w->root, p->depth == 0 ? "." : p->path + 1);
	if (r < 0) {
		w->index->cut = w->index->cut || !procfs_is_gone(r);
		return 0;
	}
	while (r == 0 && (name = procfs_dirs_next(&children))) {
		if (w->seen == CONTAINER_SEEN_MAX) {
			w->index->cut = true;
			break;
		}
		w->seen++;
		r = look_at(w, p, children.fd, name);
	}
	procfs_dirs_close(&children);
	return r;
}

static int walk(struct container_index *x, const struct mount *mount)
{
	struct walk w = { .index = x };
	int r;

	w.root = procfs_open_dir(AT_FDCWD, mount->dir);
	if (w.root < 0) {
		x->cut = true;
		return 0;
	}
	r = enqueue(&w, "", 0);
	while (r == 0 && w.head < w.tail && w.seen < CONTAINER_SEEN_MAX)
		r = list(&w, &w.queue[w.head++]);
	x->cut = x->cut || w.head < w.tail;
	for (size_t i = 0; i < w.tail; i++)
		free(w.queue[i].path);
	close(w.root);
	x->seen += w.seen;
	return r;
}

int container_index_refresh(struct container_index *x, const struct mounts *m, int64_t now_ns)
{
	/* A container is in each v1 hierarchy, or, of a rootless engine, in v2's only. */
	const struct mount *v1 = m->of[MOUNTS_CPUACCT] ? m->of[MOUNTS_CPUACCT]
						       : m->of[MOUNTS_MEMORY];
	const struct mount *v2 = m->of[MOUNTS_UNIFIED];
	int64_t began = procfs_now_ns(), gap;
	int r = 0;

	if (x->walked && now_ns < x->next_ns)
		return 0;
	clear(x);
	if (v1)
		r = walk(x, v1);
	if (r == 0 && v2)
		r = walk(x, v2);
	if (r < 0)
		clear(x);
	gap = CONTAINER_WALK_GAP_FACTOR * (procfs_now_ns() - began);
	x->next_ns = now_ns + (gap > CONTAINER_WALK_GAP_NS ? gap : CONTAINER_WALK_GAP_NS);
	x->walked = true;
	return r;
}

enum container_match container_index_find(const struct container_index *x, const char *id,
					  const char **path)
{
	const struct entry *best = NULL;
	size_t len = strlen(id);
	bool several = false;

	for (size_t i = 0; i < x->n; i++) {
		const struct entry *e = &x->list[i];

		if (memcmp(e->id, id, len) != 0)
			continue;
		if (best && memcmp(e->id, best->id, CONTAINER_ID_LEN) != 0)
			return CONTAINER_AMBIGUOUS;
		if (!best || e->at.depth < best->at.depth) {
			best = e;
			several = false;
		} else if (e->at.depth == best->at.depth &&
			   strcmp(e->at.path, best->at.path) != 0) {
			several = true;
		}
	}
	if (!best)
		return CONTAINER_NONE;
	if (several)
		return CONTAINER_AMBIGUOUS;
	*path = best->at.path;
	return CONTAINER_FOUND;
}

size_t container_index_seen(const struct container_index *x)
{
	return x->seen;
}

bool container_index_is_cut(const struct container_index *x)
{
	return x->cut;
}
