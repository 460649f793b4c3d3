#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mounts.h"
#include "procfs.h"

/* Hosts of many containers have thousands of mounts, of some hundred bytes each. */
#define MOUNTINFO_MAX ((size_t)16 << 20)

/* Blanks, newlines and backslashes are written as \ooo. In place. */
static void unescape(char *s)
{
	char *to = s;

	while (*s != '\0') {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool has_option(const char *options, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		if (strncmp(options, name, len) == 0 &&
		    (options[len] == ',' || options[len] == '\0'))
			return true;
		options = strchr(options, ',');
		if (!options)
			return false;
		options++;
	}
}

/* Of several mounts of one hierarchy that which shows all of it is best; else the first. */
static void serve(struct mounts *m, enum mounts_hierarchy h, const struct mount *mount)
{
	if (!m->of[h] || (strcmp(m->of[h]->root, "/") != 0 && strcmp(mount->root, "/") == 0))
		m->of[h] = mount;
}

static int add(struct mounts *m, const char *host_root, const char *root, const char *dir,
	       const char *type, const char *options)
{
	struct mount *mount = &m->list[m->n];

	mount->root = strdup(root);
	if (asprintf(&mount->dir, "%s%s", host_root, strcmp(dir, "/") == 0 ? "" : dir) < 0)
		mount->dir = NULL;
	m->n++;
	if (!mount->root || !mount->dir)
		return -ENOMEM;
	if (strcmp(type, "cgroup2") == 0) {
		serve(m, MOUNTS_UNIFIED, mount);
		return 0;
	}
	if (has_option(options, "cpuacct"))
		serve(m, MOUNTS_CPUACCT, mount);
	if (has_option(options, "memory"))
		serve(m, MOUNTS_MEMORY, mount);
	return 0;
}

/* 36 35 98:0 /root /mount/point rw,noatime master:1 - type source options */
static int add_line(struct mounts *m, const char *host_root, char *line)
{
	char *fields[5], *word, *type, *options;

	for (size_t i = 0; i < 5; i++) {
		fields[i] = strsep(&line, " ");
		if (!fields[i])
			return 0;
	}
	do {
		word = strsep(&line, " ");
	} while (word && strcmp(word, "-") != 0);
	type = strsep(&line, " ");
	strsep(&line, " ");
	options = strsep(&line, " ");
	if (!options || (strcmp(type, "cgroup") != 0 && strcmp(type, "cgroup2") != 0))
		return 0;
	unescape(fields[3]);
	unescape(fields[4]);
	if (m->n == MOUNTS_MAX || fields[3][0] != '/' || fields[4][0] != '/')
		return 0;
	return add(m, host_root, fields[3], fields[4], type, options);
}

int mounts_load(struct mounts *m, const char *host_root)
{
	struct procfs_pieces p;
	char path[PROCFS_PATH_MAX];
	char *line;
	int n, r = 0;

	memset(m, 0, sizeof *m);
	m->host_root_len = strlen(host_root);
	/* Under a host root we are in a container; the host's mounts are its first process's. */
	n = snprintf(path, sizeof path, "%s/proc/%s/mountinfo", host_root,
		     host_root[0] == '\0' ? "self" : "1");
	if (n < 0 || (size_t)n >= sizeof path)
		m->error = -ENAMETOOLONG;
	else
		m->error = procfs_pieces_open(&p, AT_FDCWD, path, MOUNTINFO_MAX);
	if (m->error)
		return 0;
	while (r == 0 && (line = procfs_pieces_next(&p, '\n')))
		r = add_line(m, host_root, line);
	m->error = p.error;
	procfs_pieces_close(&p);
	if (r < 0)
		mounts_clear(m);
	return r;
}

void mounts_clear(struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].dir);
		free(m->list[i].root);
	}
	memset(m, 0, sizeof *m);
}

int mounts_has_component(const char *path, const char *component)
{
	size_t len = strlen(component);

	while (path) {
		path += strspn(path, "/");
		if (strncmp(path, component, len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return 1;
		path = strchr(path, '/');
	}
	return 0;
}

/* What follows prefix in path, "/" if nothing does; NULL if path does not begin with it. */
static const char *behind(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(path, prefix, len) != 0)
		return NULL;
	if (path[len] == '\0')
		return "/";
	return path[len] == '/' ? path + len : NULL;
}

const char *mounts_below(const struct mount *mount, const char *path)
{
	const char *rest = path;

	/*
	 * In a cgroup namespace both the root of a mount and the path may begin with /.. for what
	 * lies above the namespace. When they begin with the same, the rest is below the mount.
	 */
	if (strcmp(mount->root, "/") != 0)
		rest = behind(path, mount->root);
	if (!rest || mounts_has_component(rest, ".."))
		return NULL;
	return rest;
}

const char *mounts_strip(const struct mounts *m, const char *path)
{
	const char *rest, *shortest = path;

	for (size_t i = 0; i < m->n; i++) {
		const char *dir = m->list[i].dir;

		rest = behind(path, dir + m->host_root_len);
		if (!rest)
			rest = behind(path, dir);
		if (rest && strlen(rest) < strlen(shortest))
			shortest = rest;
	}
	return shortest;
}
