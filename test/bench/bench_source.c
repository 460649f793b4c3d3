/*
 * What a reading costs, from a cgroup and from a process, with files kept open and opened anew each
 * time, beside nothing but pread() of the same files kept open. Real ones of this machine: for the
 * cgroup it has to be root, and one is made where the v1 hierarchies are.
 *
 *   bench_source [--quick]
 *
 * A reading does more than these preads: it looks whether the cgroup is still the same, and who is
 * in it and in which network namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifecycle.h"
#include "measure.h"
#include "source.h"

#define READINGS 50000
#define QUICK 100	/* times fewer */
#define BATCH 100	/* readings timed together */
#define FILES_MAX 4

static char cgroup[64];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double raw_us(const char *const *paths, int n)
{
	char buf[16384];
	int fds[FILES_MAX], k;
	struct times t = { 0 };
	double us;

	for (k = 0; k < FILES_MAX && paths[k]; k++) {
		fds[k] = open(paths[k], O_RDONLY | O_CLOEXEC);
		if (fds[k] < 0)
			die(paths[k]);
	}
	for (int i = 0; i < n / BATCH; i++) {
		int64_t start = measure_now_ns();

		for (int j = 0; j < BATCH; j++)
			for (int f = 0; f < k; f++)
				if (pread(fds[f], buf, sizeof buf, 0) <= 0)
					die(paths[f]);
		times_add(&t, (double)(measure_now_ns() - start) / BATCH);
	}
	while (k > 0)
		close(fds[--k]);
	us = times_quantile(&t, 0.5) / 1000;
	times_clear(&t);
	return us;
}

static double reading_us(enum source_kind kind, struct target *target, size_t files, int n)
{
	struct source_options o = { .host_root = "", .max_open_files = files };
	char error[SOURCE_ERROR_MAX] = "";
	struct times t = { 0 };
	struct source_set *set;
	struct source *s;
	struct reading r;
	double us;

	if (source_set_new(&set, &o) < 0)
		die("source_set_new");
	if (source_bind(set, kind, target, &s, error) != 0) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	for (int i = 0; i < n / BATCH; i++) {
		int64_t start = measure_now_ns();

		for (int j = 0; j < BATCH; j++)
			if (source_read(set, s, &r, error) != 0)
				die(error);
		times_add(&t, (double)(measure_now_ns() - start) / BATCH);
	}
	source_free(s);
	source_set_free(set);
	us = times_quantile(&t, 0.5) / 1000;
	times_clear(&t);
	return us;
}

static void report(const char *name, enum source_kind kind, struct target *target,
		   const char *const *paths, int n)
{
	double raw = raw_us(paths, n);
	double kept = reading_us(kind, target, 100, n), opened = reading_us(kind, target, 0, n);

	printf("%-24s %8.2f %8.2f %8.2f %9.2f\n", name, raw, kept, opened, kept / raw);
}

/* false: not as root, or no v1 here. */
static bool make_cgroup(pid_t pid)
{
	static const char *const dirs[] = { "cpuacct", "memory" };
	char path[128];
	FILE *f;

	snprintf(cgroup, sizeof cgroup, "/meterd-bench-%d", (int)getpid());
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "/sys/fs/cgroup/%s%s", dirs[i], cgroup);
		if (mkdir(path, 0755) < 0)
			return false;
		if (pid == 0)
			continue;
		strcat(path, "/cgroup.procs");
		f = fopen(path, "we");
		if (!f || fprintf(f, "%d\n", (int)pid) < 0 || fclose(f) != 0)
			die(path);
	}
	return true;
}

static void remove_cgroup(void)
{
	char path[128];

	snprintf(path, sizeof path, "/sys/fs/cgroup/cpuacct%s", cgroup);
	for (int i = 0; i < 1000 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(1000);
	snprintf(path, sizeof path, "/sys/fs/cgroup/memory%s", cgroup);
	for (int i = 0; i < 1000 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(1000);
}

static void report_cgroup(const char *name, pid_t pid, int n)
{
	char files[3][128];
	const char *paths[FILES_MAX] = { files[0], files[1], files[2], NULL };
	struct target t = { .cgroup_path = cgroup };

	if (make_cgroup(pid)) {
		snprintf(files[0], 128, "/sys/fs/cgroup/cpuacct%s/cpuacct.usage", cgroup);
		snprintf(files[1], 128, "/sys/fs/cgroup/memory%s/memory.stat", cgroup);
		snprintf(files[2], 128, "/sys/fs/cgroup/memory%s/memory.usage_in_bytes", cgroup);
		report(name, SOURCE_CGROUP, &t, paths, n);
	} else {
		printf("%-24s cannot be made here\n", name);
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	remove_cgroup();
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

int main(int argc, char **argv)
{
	int n = argc > 1 && strcmp(argv[1], "--quick") == 0 ? READINGS / QUICK : READINGS;
	char files[2][64];
	const char *paths[FILES_MAX] = { files[0], files[1], NULL };
	pid_t pid = sleeper();
	struct target t = { .pid = pid };

	printf("us a reading, median    %8s %8s %8s %9s\n", "raw", "kept", "opened", "kept/raw");
	snprintf(files[0], sizeof files[0], "/proc/%d/stat", (int)pid);
	snprintf(files[1], sizeof files[1], "/proc/%d/status", (int)pid);
	report("process", SOURCE_PROCESS, &t, paths, n);
	report_cgroup("cgroup v1, one member", pid, n);
	report_cgroup("cgroup v1, empty", 0, n);
	return 0;
}
