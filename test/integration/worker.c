/*
 * worker - a process whose use of CPU and memory is known, for the integration tests.
 *
 *   worker DUTY_PERCENT PERIOD_MS
 *
 * One thread is busy for DUTY_PERCENT of each period. The other obeys lines on stdin, answers each with
 * one line, and ends the process at end of file:
 *
 *   cpu           microseconds of CPU used by the whole process, from getrusage()
 *   anon BYTES    takes that much private memory and writes to all of it
 *   shared BYTES  the same, shared
 *   file PATH     maps the file and reads all of it
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

struct duty {
	int64_t busy_ns;
	int64_t period_ns;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *work(void *arg)
{
	const struct duty *d = arg;
	int64_t start = now_ns();

	for (;; start += d->period_ns) {
		struct timespec next = { (start + d->period_ns) / 1000000000LL,
					 (start + d->period_ns) % 1000000000LL };

		while (now_ns() < start + d->busy_ns)
			;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return NULL;
}

static long long cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static int map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	const volatile char *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	for (off_t i = 0; i < st.st_size; i += 4096)
		(void)p[i];
	return 0;
}

static int take_memory(const char *bytes, int flags)
{
	size_t n = strtoull(bytes, NULL, 10);
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	memset(p, 1, n);
	return 0;
}

static int obey(const char *command, const char *argument)
{
	if (strcmp(command, "anon") == 0)
		return take_memory(argument, MAP_PRIVATE);
	if (strcmp(command, "shared") == 0)
		return take_memory(argument, MAP_SHARED);
	if (strcmp(command, "file") == 0)
		return map_file(argument);
	return strcmp(command, "cpu") == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct duty duty;
	char line[4200], command[16], argument[4096];
	pthread_t thread;

	if (argc != 3)
		return 2;
	duty.period_ns = atoll(argv[2]) * 1000000LL;
	duty.busy_ns = duty.period_ns * atoll(argv[1]) / 100;
	if (duty.busy_ns > 0 && pthread_create(&thread, NULL, work, &duty) != 0)
		return 1;
	while (fgets(line, sizeof line, stdin)) {
		argument[0] = '\0';
		if (sscanf(line, "%15s %4095s", command, argument) < 1 ||
		    obey(command, argument) < 0)
			return 1;
		printf("%lld\n", cpu_us());
		fflush(stdout);
	}
	return 0;
}
