/*
 * source_tree - plants files below a temporary directory that plays the host's /.
 */
#ifndef METER_TEST_SOURCE_TREE_H
#define METER_TEST_SOURCE_TREE_H

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

#define TREE_UNUSED __attribute__((unused))

static char tree_dir[64];

static TREE_UNUSED void tree_new(void)
{
	/* In memory where that is possible: some tests plant thousands of files. */
	strcpy(tree_dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/meterd-source-XXXXXX"
						       : "/tmp/meterd-source-XXXXXX");
	assert_non_null(mkdtemp(tree_dir));
}

static TREE_UNUSED int tree_unlink(const char *path, const struct stat *st, int flag,
				   struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static TREE_UNUSED void tree_remove(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof full, "%s%s", tree_dir, path);
	nftw(full, tree_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static TREE_UNUSED void tree_free(void)
{
	tree_remove("");
}

/* Makes the directories above the file, too. */
static TREE_UNUSED void tree_parents(char *full)
{
	for (char *c = full + strlen(tree_dir) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*c = '/';
	}
}

static TREE_UNUSED void tree_bytes(const char *path, const void *data, size_t len)
{
	char full[PATH_MAX];
	FILE *f;

	snprintf(full, sizeof full, "%s%s", tree_dir, path);
	tree_parents(full);
	unlink(full);
	f = fopen(full, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static TREE_UNUSED void tree_put(const char *path, const char *text)
{
	tree_bytes(path, text, strlen(text));
}

static TREE_UNUSED void tree_link(const char *path, const char *to)
{
	char full[PATH_MAX];

	snprintf(full, sizeof full, "%s%s", tree_dir, path);
	tree_parents(full);
	unlink(full);
	assert_int_equal(symlink(to, full), 0);
}

static TREE_UNUSED void tree_mkdir(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof full, "%s%s/", tree_dir, path);
	tree_parents(full);
}

static TREE_UNUSED void tree_stat(int pid, char state, int parent, unsigned ticks, unsigned reaped,
				  unsigned threads, unsigned long long start)
{
	char path[64], text[256];

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	snprintf(text, sizeof text,
		 "%d (a) b (c) %c %d 1 1 0 -1 4194304 9 0 0 0 %u 0 %u 0 20 0 %u 0 %llu 1000 2 3\n",
		 pid, state, parent, ticks, reaped, threads, start);
	tree_put(path, text);
}

/* Descriptors that this process has open: none may be left behind by a test. */
static TREE_UNUSED size_t tree_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Which keeps so many files open, and tells it there. */
static TREE_UNUSED struct source_set *tree_set_keeping(const char *host_root, bool children,
						       size_t files, struct stats *stats)
{
	struct source_options o = { .host_root = host_root, .process_children = children,
				    .max_open_files = files, .stats = stats };
	struct source_set *set = NULL;

	assert_int_equal(source_set_new(&set, &o), 0);
	return set;
}

static TREE_UNUSED struct source_set *tree_set(const char *host_root, bool children)
{
	return tree_set_keeping(host_root, children, 1000, NULL);
}

static TREE_UNUSED struct source *tree_bind(struct source_set *set, enum source_kind kind,
					    const char *path, int64_t pid)
{
	char cgroup_path[TARGET_STRING_MAX + 1];
	struct target t = { .pid = pid };
	struct source *s = NULL;
	char error[SOURCE_ERROR_MAX] = "";

	if (path) {
		snprintf(cgroup_path, sizeof cgroup_path, "%s", path);
		t.cgroup_path = cgroup_path;
	}
	if (source_bind(set, kind, &t, &s, error) != 0)
		fail_msg("%s", error);
	return s;
}

static TREE_UNUSED void tree_read(struct source_set *set, struct source *s, struct reading *r)
{
	char error[SOURCE_ERROR_MAX] = "";

	if (source_read(set, s, r, error) != 0)
		fail_msg("%s", error);
}

#endif
