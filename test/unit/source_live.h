/*
 * source_live - real processes to read.
 */
#ifndef METER_TEST_SOURCE_LIVE_H
#define METER_TEST_SOURCE_LIVE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIVE_UNUSED __attribute__((unused))

#define LIVE_TICK_NS ((uint64_t)(1000000000 / sysconf(_SC_CLK_TCK)))

/* Uses so much CPU time. */
static LIVE_UNUSED void live_burn(uint64_t ns)
{
	struct timespec ts;
	uint64_t until = 0, now;

	do {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
		now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
		until = until ? until : now + ns;
	} while (now < until);
}

/* Runs body in a child, which tells over the pipe when it is done; the child then waits. */
static LIVE_UNUSED pid_t live_child(void (*body)(void), int *done)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		body();
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	*done = fds[0];
	return pid;
}

static LIVE_UNUSED bool live_await(int done)
{
	char c;

	return read(done, &c, 1) == 1;
}

/* Kills and waits for it. */
static LIVE_UNUSED void live_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
