/*
 * What a reading costs, from a cgroup and from a process: with files kept open, with files opened
 * anew each time, and beside both nothing but the reads that cannot be spared:
 *
 *   preads   of the files whose counters are taken, kept open
 *   same     these, and the network of a member: readlink() of ns/net, and where that is a
 *            namespace of its own an open(), read() and close() of net/dev, which must not be kept
 *
 * Real ones of this machine, in microseconds and in system calls: for cgroups it has to be root.
 * Where v1 and v2 are mounted side by side, v2 has no file but cpu.stat.
 *
 *   bench_source [--quick]
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifecycle.h"
#include "measure.h"
#include "source.h"

#define READINGS 60000
#define QUICK 100	/* times fewer */
#define BATCH 60	/* readings timed, and counted, together: some look at more than others */
#define FILES_MAX 4

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- whom to read --- */

struct subject {
	const char *name;
	enum source_kind kind;
	const char *dirs[3];		/* hierarchies; NULL for a process */
	const char *files[FILES_MAX];	/* below "/", with %s for the cgroup or the pid */
	bool member;			/* in it; false: the cgroup is empty */
	bool own_network;
};

#define V1 { "cpuacct", "memory", NULL }
#define V1_FILES \
	{ "sys/fs/cgroup/cpuacct/%s/cpuacct.usage", "sys/fs/cgroup/memory/%s/memory.stat", \
	  "sys/fs/cgroup/memory/%s/memory.usage_in_bytes", NULL }
#define V2_FILES \
	{ "sys/fs/cgroup/%s/cpu.stat", "sys/fs/cgroup/%s/memory.stat", \
	  "sys/fs/cgroup/%s/memory.current", "sys/fs/cgroup/%s/memory.max" }
#define HYBRID_FILES { "sys/fs/cgroup/unified/%s/cpu.stat", NULL }
#define PROCESS_FILES { "proc/%s/stat", "proc/%s/status", NULL }

static const struct subject subjects[] = {
	{ "process", SOURCE_PROCESS, { NULL }, PROCESS_FILES, true, false },
	{ "process, own network", SOURCE_PROCESS, { NULL }, PROCESS_FILES, true, true },
	{ "v1, host's network", SOURCE_CGROUP, V1, V1_FILES, true, false },
	{ "v1, own network", SOURCE_CGROUP, V1, V1_FILES, true, true },
	{ "v1, empty", SOURCE_CGROUP, V1, V1_FILES, false, false },
	{ "v2, host's network", SOURCE_CGROUP, { ".", NULL }, V2_FILES, true, false },
	{ "v2, own network", SOURCE_CGROUP, { ".", NULL }, V2_FILES, true, true },
	{ "v2, empty", SOURCE_CGROUP, { ".", NULL }, V2_FILES, false, false },
	{ "v2 beside v1, own network", SOURCE_CGROUP, { "unified", NULL }, HYBRID_FILES, true,
	  true },
};

#define N_SUBJECTS (sizeof subjects / sizeof *subjects)

static char cgroup[64];		/* "meterd-bench-<pid>" */

/* It sleeps; 0: it cannot have a network namespace of its own. */
static pid_t sleeper(bool own_network)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		if (own_network && unshare(CLONE_NEWNET) < 0)
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ready[0]);
	return pid;
}

/* false: not as root, or there is no such hierarchy */
static bool make_cgroup(const struct subject *s, pid_t member)
{
	char path[128];
	FILE *f;

	for (size_t i = 0; s->dirs[i]; i++) {
		snprintf(path, sizeof path, "/sys/fs/cgroup/%s/cgroup.procs", s->dirs[i]);
		if (access(path, W_OK) < 0)
			return false;
		snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s", s->dirs[i], cgroup);
		if (mkdir(path, 0755) < 0)
			return false;
		if (member == 0)
			continue;
		strcat(path, "/cgroup.procs");
		f = fopen(path, "we");
		if (!f || fprintf(f, "%d\n", (int)member) < 0 || fclose(f) != 0)
			die(path);
	}
	return true;
}

/* Its last process may have left it just now. */
static void remove_cgroup(const struct subject *s)
{
	char path[128];

	for (size_t i = 0; s->dirs[i]; i++) {
		snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s", s->dirs[i], cgroup);
		for (int k = 0; k < 1000 && rmdir(path) < 0 && errno == EBUSY; k++)
			usleep(1000);
	}
}

/* --- the ways of reading --- */

struct way {
	int fds[FILES_MAX];		/* bare reads */
	int n;
	int dir;			/* of the member in /proc; -1: without the network */
	bool own_network;
	struct source_set *set;		/* or a source */
	struct source *source;
};

static void read_bare(const struct way *w)
{
	char buf[16384];
	int fd;

	for (int i = 0; i < w->n; i++)
		if (pread(w->fds[i], buf, sizeof buf, 0) <= 0)
			die("pread");
	if (w->dir < 0)
		return;
	if (readlinkat(w->dir, "ns/net", buf, sizeof buf) < 0)
		die("ns/net");
	if (!w->own_network)
		return;
	fd = openat(w->dir, "net/dev", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buf, sizeof buf) <= 0)
		die("net/dev");
	close(fd);
}

static void read_batch(const struct way *w)
{
	char error[SOURCE_ERROR_MAX] = "";
	struct reading r;

	for (int i = 0; i < BATCH; i++) {
		if (!w->source) {
			read_bare(w);
		} else if (source_read(w->set, w->source, &r, error) != 0) {
			fprintf(stderr, "%s\n", error);
			exit(1);
		}
	}
}

static void bare(struct way *w, const struct subject *s, pid_t pid, bool network)
{
	char name[64], path[128] = "/";

	*w = (struct way){ .dir = -1, .own_network = s->own_network };
	snprintf(name, sizeof name, "%d", (int)pid);
	for (int i = 0; i < FILES_MAX && s->files[i]; i++) {
		const char *at = strstr(s->files[i], "%s");

		snprintf(path, sizeof path, "/%.*s%s%s", (int)(at - s->files[i]), s->files[i],
			 s->kind == SOURCE_PROCESS ? name : cgroup, at + 2);
		w->fds[w->n] = open(path, O_RDONLY | O_CLOEXEC);
		if (w->fds[w->n] >= 0)	/* else this cgroup is without that controller */
			w->n++;
	}
	if (!network || !s->member)
		return;
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	w->dir = open(path, O_PATH | O_CLOEXEC);
	if (w->dir < 0)
		die(path);
}

static void sourced(struct way *w, const struct subject *s, pid_t pid, size_t files)
{
	struct source_options o = { .host_root = "", .max_open_files = files };
	char path[80], error[SOURCE_ERROR_MAX] = "";
	struct target t = { .pid = 0 };

	*w = (struct way){ .dir = -1 };
	snprintf(path, sizeof path, "/%s", cgroup);
	if (s->kind == SOURCE_PROCESS)
		t.pid = pid;
	else
		t.cgroup_path = path;
	if (source_set_new(&w->set, &o) < 0)
		die("source_set_new");
	if (source_bind(w->set, s->kind, &t, &w->source, error) != 0) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
}

static void way_clear(struct way *w)
{
	while (w->n > 0)
		close(w->fds[--w->n]);
	if (w->dir >= 0)
		close(w->dir);
	source_free(w->source);
	source_set_free(w->set);
}

/* --- what they take --- */

/* System calls of a child of ours between two signs that it gives, and with w NULL of nothing. */
static long count_stops(const struct way *w)
{
	int status, signs = 0;
	long stops = 0;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		raise(SIGSTOP);
		if (w)
			read_batch(w);
		raise(SIGSTOP);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == SIGSTOP && signs++ == 0)
			ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
		else if (signs == 1 && WSTOPSIG(status) == (SIGTRAP | 0x80))
			stops++;
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	return stops;
}

/* A reading; each system call stops twice, and 0 where nothing can be traced. */
static double count_calls(const struct way *w)
{
	return (double)(count_stops(w) - count_stops(NULL)) / 2 / BATCH;
}

enum { PREADS, SAME, KEPT, OPENED, WAYS };

/* In turns, so that what else the machine does falls on all of them. */
static void measure(const struct subject *s, pid_t pid, int n)
{
	struct way ways[WAYS];
	struct times t[WAYS] = { 0 };
	double us[WAYS], calls[WAYS];

	bare(&ways[PREADS], s, pid, false);
	bare(&ways[SAME], s, pid, true);
	sourced(&ways[KEPT], s, pid, 100);
	sourced(&ways[OPENED], s, pid, 0);
	for (int i = 0; i < n / BATCH; i++) {
		for (int k = 0; k < WAYS; k++) {
			int64_t start = measure_now_ns();

			read_batch(&ways[k]);
			times_add(&t[k], (double)(measure_now_ns() - start) / BATCH / 1000);
		}
	}
	for (int k = 0; k < WAYS; k++) {
		us[k] = times_quantile(&t[k], 0.5);
		times_clear(&t[k]);
		calls[k] = count_calls(&ways[k]);
		way_clear(&ways[k]);
	}
	printf("%-26s %6.2f %4.1f %7.2f %4.1f %7.2f %4.1f %7.2f %4.1f %9.2f\n", s->name,
	       us[PREADS], calls[PREADS], us[SAME], calls[SAME], us[KEPT], calls[KEPT], us[OPENED],
	       calls[OPENED], us[KEPT] / us[SAME]);
}

static void report(const struct subject *s, int n)
{
	pid_t pid = s->member ? sleeper(s->own_network) : 0;

	if (s->member && pid == 0)
		printf("%-26s cannot have a network of its own here\n", s->name);
	else if (s->dirs[0] && !make_cgroup(s, pid))
		printf("%-26s cannot be made here\n", s->name);
	else
		measure(s, pid, n);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	remove_cgroup(s);
}

int main(int argc, char **argv)
{
	int n = argc > 1 && strcmp(argv[1], "--quick") == 0 ? READINGS / QUICK : READINGS;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(cgroup, sizeof cgroup, "meterd-bench-%d", (int)getpid());
	printf("%-26s %11s %12s %12s %12s %9s\n", "a reading: us, calls", "preads", "same", "kept",
	       "opened", "kept/same");
	for (size_t i = 0; i < N_SUBJECTS; i++)
		report(&subjects[i], n);
	return 0;
}
