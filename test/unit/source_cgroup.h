/*
 * source_cgroup - a real cgroup of this machine: v1 where cpuacct and memory are mounted, else v2.
 * Needs to be root.
 */
#ifndef METER_TEST_SOURCE_CGROUP_H
#define METER_TEST_SOURCE_CGROUP_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUP_UNUSED __attribute__((unused))

static const char *const cgroup_v1[] = { "/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup/memory", NULL };
static const char *const cgroup_v2[] = { "/sys/fs/cgroup", NULL };

static const char *const *cgroup_dirs;	/* NULL: no cgroup can be made here */
static char cgroup_name[64];		/* "/meterd-test-<pid>" */

static CGROUP_UNUSED int cgroup_write(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	FILE *f;
	int r;

	snprintf(path, sizeof path, "%s%s/%s", dir, cgroup_name, file);
	f = fopen(path, "we");
	if (!f)
		return -1;
	r = fputs(text, f);
	return fclose(f) == 0 && r >= 0 ? 0 : -1;
}

static CGROUP_UNUSED bool cgroup_make(const char *const *where)
{
	char path[PATH_MAX];

	for (size_t i = 0; where[i]; i++) {
		snprintf(path, sizeof path, "%s/cgroup.procs", where[i]);
		if (access(path, W_OK) < 0)
			return false;
		snprintf(path, sizeof path, "%s%s", where[i], cgroup_name);
		if (mkdir(path, 0755) < 0)
			return false;
	}
	cgroup_dirs = where;
	return true;
}

/* One whose last process was just waited for may be busy for a moment. */
static CGROUP_UNUSED void cgroup_remove(void)
{
	char path[PATH_MAX];

	for (size_t i = 0; cgroup_dirs && cgroup_dirs[i]; i++) {
		snprintf(path, sizeof path, "%s%s", cgroup_dirs[i], cgroup_name);
		for (int k = 0; k < 1000 && rmdir(path) < 0 && errno == EBUSY; k++)
			usleep(1000);
	}
}

static CGROUP_UNUSED void cgroup_add(pid_t pid)
{
	char text[32];

	snprintf(text, sizeof text, "%d\n", (int)pid);
	for (size_t i = 0; cgroup_dirs[i]; i++)
		assert_int_equal(cgroup_write(cgroup_dirs[i], "cgroup.procs", text), 0);
}

static CGROUP_UNUSED int cgroup_setup(void **state)
{
	(void)state;
	cgroup_dirs = NULL;
	snprintf(cgroup_name, sizeof cgroup_name, "/meterd-test-%d", (int)getpid());
	if (!cgroup_make(cgroup_v1))
		cgroup_make(cgroup_v2);
	return 0;
}

static CGROUP_UNUSED int cgroup_teardown(void **state)
{
	(void)state;
	cgroup_remove();
	return 0;
}

/* The test returns then. Not skip(): its "not ok # SKIP" is a failure to meson. */
static CGROUP_UNUSED bool cgroup_cannot(void)
{
	if (!cgroup_dirs)
		print_message("# skipped: not root, or no cgroup can be made below "
			      "/sys/fs/cgroup\n");
	return !cgroup_dirs;
}

#endif
