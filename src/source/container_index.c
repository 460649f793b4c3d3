#include "container_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ident.h"
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

/* What a walk tells. */
struct found {
	struct entry *list;
	size_t n;
	size_t room;
	size_t seen;
	bool cut;
};

/* Breadth first: what is deep, and may be made by whoever is in there, is what bounds cut off. */
struct walk {
	struct found found;
	const struct mount *trees[2];
	size_t n_trees;
	size_t tree;
	int64_t took_ns;
	size_t left;			/* of this slice */
	int root;			/* of the tree that is walked; -1 = none */
	size_t seen;
	size_t head;
	size_t tail;
	struct place queue[CONTAINER_LISTED_MAX];	/* cgroups to be listed */
	bool listing;			/* the one before head */
	struct procfs_dirs children;
};

struct container_index {
	struct found now;
	bool walked;
	int64_t next_ns;		/* no walk before */
	struct walk *walk;		/* under way, or NULL */
	uint64_t vain[CONTAINER_VAIN_MAX];	/* hashes of ids, 0 = none */
};

static bool is_just(const char *name, size_t len, const char *what)
{
	return len == strlen(what) && memcmp(name, what, len) == 0;
}

static bool ends_with(const char *name, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len >= end_len && memcmp(name + len - end_len, end, end_len) == 0;
}

/*
 * <id>, <id>.scope, <engine>-<id>.scope, libpod-<id> (podman without systemd), libpod-payload-<id>
 * (podman in its caller's cgroup), and <slice>:<engine>:<id>, which is what runc makes of a slice when
 * it was told not to use systemd.
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
	    is_just(name, before, "libpod-") || is_just(name, before, "libpod-payload-"))
		return name + before;
	return NULL;
}

struct container_index *container_index_new(void)
{
	return calloc(1, sizeof(struct container_index));
}

static void found_clear(struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->list[i].at.path);
	free(f->list);
	*f = (struct found){ 0 };
}

/* What it has found remains when it was taken out before. */
static void walk_free(struct walk *w)
{
	if (!w)
		return;
	if (w->listing)
		procfs_dirs_close(&w->children);
	if (w->root >= 0)
		close(w->root);
	for (size_t i = 0; i < w->tail; i++)
		free(w->queue[i].path);
	found_clear(&w->found);
	free(w);
}

void container_index_free(struct container_index *x)
{
	if (!x)
		return;
	walk_free(x->walk);
	found_clear(&x->now);
	free(x);
}

static int add(struct found *x, const char *id, const char *path, unsigned depth)
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
		w->found.cut = true;
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
		w->found.cut = true;
		return 0;
	}
	if (id)
		r = add(&w->found, id, path, depth);
	if (r == 0 && !leaf)
		r = enqueue(w, path, depth);
	return r;
}

/* --- one tree after the other, a slice at a time --- */

static int tree_begin(struct walk *w)
{
	w->root = procfs_open_dir(AT_FDCWD, w->trees[w->tree]->dir);
	if (w->root >= 0)
		return enqueue(w, "", 0);
	w->found.cut = true;
	w->tree++;
	return 0;
}

static void tree_end(struct walk *w)
{
	w->found.cut = w->found.cut || w->head < w->tail;
	w->found.seen += w->seen;
	for (size_t i = 0; i < w->tail; i++)
		free(w->queue[i].path);
	w->seen = w->head = w->tail = 0;
	close(w->root);
	w->root = -1;
	w->tree++;
}

static void list_begin(struct walk *w)
{
	const struct place *p = &w->queue[w->head++];
	int r;

	w->left -= w->left < CONTAINER_LISTING ? w->left : CONTAINER_LISTING;
	r = procfs_dirs_open(&w->children, w->root, p->depth == 0 ? "." : p->path + 1);
	if (r < 0)
		w->found.cut = w->found.cut || !procfs_is_gone(r);
	else
		w->listing = true;
}

static int list_on(struct walk *w)
{
	const char *name = NULL;
	int r = 0;

	while (r == 0 && w->left > 0 && (name = procfs_dirs_next(&w->children))) {
		if (w->seen == CONTAINER_SEEN_MAX) {
			w->found.cut = true;
			name = NULL;
			break;
		}
		w->seen++;
		w->left--;
		r = look_at(w, &w->queue[w->head - 1], w->children.fd, name);
	}
	if (!name && w->left > 0) {
		procfs_dirs_close(&w->children);
		w->listing = false;
	}
	return r;
}

/* 0: it has ended, 1: there is more to be walked, -errno */
static int walk_slice(struct walk *w)
{
	int r = 0;

	w->left = CONTAINER_SLICE;
	while (r == 0 && w->left > 0) {
		if (w->listing)
			r = list_on(w);
		else if (w->root >= 0 && w->head < w->tail && w->seen < CONTAINER_SEEN_MAX)
			list_begin(w);
		else if (w->root >= 0)
			tree_end(w);
		else if (w->tree < w->n_trees)
			r = tree_begin(w);
		else
			return 0;
	}
	return r < 0 ? r : 1;
}

static struct walk *walk_new(const struct mounts *m)
{
	/* A container is in each v1 hierarchy, or, of a rootless engine, in v2's only. */
	const struct mount *v1 = m->of[MOUNTS_CPUACCT] ? m->of[MOUNTS_CPUACCT]
						       : m->of[MOUNTS_MEMORY];
	const struct mount *v2 = m->of[MOUNTS_UNIFIED];
	struct walk *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->root = -1;
	if (v1)
		w->trees[w->n_trees++] = v1;
	if (v2)
		w->trees[w->n_trees++] = v2;
	return w;
}

int container_index_advance(struct container_index *x, int64_t now_ns)
{
	struct walk *w = x->walk;
	int64_t began, gap;
	int r;

	if (!w)
		return 0;
	began = procfs_now_ns();
	r = walk_slice(w);
	w->took_ns += procfs_now_ns() - began;
	if (r > 0)
		return 0;
	if (r == 0) {
		found_clear(&x->now);
		x->now = w->found;
		w->found = (struct found){ 0 };
		x->walked = true;
	}
	gap = CONTAINER_WALK_GAP_FACTOR * w->took_ns;
	x->next_ns = now_ns + (gap > CONTAINER_WALK_GAP_NS ? gap : CONTAINER_WALK_GAP_NS);
	x->walk = NULL;
	walk_free(w);
	return r;
}

int container_index_refresh(struct container_index *x, const struct mounts *m, int64_t now_ns)
{
	if (!x->walk) {
		if (x->walked && now_ns < x->next_ns)
			return 0;
		x->walk = walk_new(m);
		if (!x->walk)
			return -ENOMEM;
	}
	return container_index_advance(x, now_ns);
}

enum container_match container_index_find(const struct container_index *x, const char *id,
					  const char **path)
{
	const struct entry *best = NULL;
	size_t len = strlen(id);
	bool several = false;

	for (size_t i = 0; i < x->now.n; i++) {
		const struct entry *e = &x->now.list[i];

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
	return x->walk ? x->walk->found.seen + x->walk->seen : x->now.seen;
}

bool container_index_is_cut(const struct container_index *x)
{
	return x->now.cut;
}

bool container_index_is_walking(const struct container_index *x)
{
	return x->walk != NULL;
}

/* --- what was looked for in vain --- */

static uint64_t *vain_slot(struct container_index *x, const char *id, uint64_t *hash)
{
	*hash = ident_hash(id, CONTAINER_ID_LEN);
	return &x->vain[*hash % CONTAINER_VAIN_MAX];
}

bool container_index_is_vain(struct container_index *x, const char *id)
{
	uint64_t hash, *slot = vain_slot(x, id, &hash);

	return *slot == hash;
}

void container_index_note(struct container_index *x, const char *id, bool found)
{
	uint64_t hash, *slot = vain_slot(x, id, &hash);

	if (!found)
		*slot = hash;
	else if (*slot == hash)
		*slot = 0;
}
