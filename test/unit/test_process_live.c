#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "unit.h"
#include "source_live.h"
#include "source_tree.h"

static uint64_t own_cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void test_real_self(void **state)
{
	struct source_set *set = tree_set("", false);
	struct source *s = tree_bind(set, SOURCE_PROCESS, NULL, getpid());
	uint64_t before[2], after[2];
	struct reading r[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		before[i] = own_cpu_ns();
		tree_read(set, s, &r[i]);
		after[i] = own_cpu_ns();
		/* User and system time are each cut to ticks. */
		assert_true(r[i].cpu_ns <= after[i]);
		assert_true(r[i].cpu_ns + 2 * LIVE_TICK_NS >= before[i]);
		if (i == 0)
			live_burn(500000000);
	}
	assert_true(r[1].cpu_ns - r[0].cpu_ns >= 500000000 - 2 * LIVE_TICK_NS);
	assert_true(r[1].mono_ns - r[0].mono_ns >= 450000000);
	assert_true(r[1].has & READING_MEMORY_USED);
	assert_true(r[1].memory_used > 100000);
	assert_false(r[1].has & READING_MEMORY_LIMIT);
	/* We are in our own network namespace. */
	assert_false(r[1].has & READING_NETWORK);
	assert_int_equal(r[0].incarnation[0], r[1].incarnation[0]);
	assert_int_equal(r[0].incarnation[1], r[1].incarnation[1]);
	source_free(s);
	source_set_free(set);
}

static void touch_memory(void)
{
	volatile char *p = malloc((size_t)32 << 20);

	for (size_t i = 0; p && i < (size_t)32 << 20; i += 512)
		p[i] = 1;
	live_burn(200000000);
}

static void test_real_child(void **state)
{
	struct source_set *set = tree_set("", false);
	struct target t = { .pid = 0 };
	char error[SOURCE_ERROR_MAX] = "";
	struct source *s, *none = NULL;
	struct reading r;
	int done;
	pid_t pid;

	(void)state;
	pid = live_child(touch_memory, &done);
	s = tree_bind(set, SOURCE_PROCESS, NULL, pid);
	assert_true(live_await(done));
	tree_read(set, s, &r);
	assert_true(r.cpu_ns >= 200000000 - 2 * LIVE_TICK_NS);
	assert_true(r.memory_used >= (uint64_t)32 << 20);

	print_message("# a zombie\n");
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	assert_true(source_read(set, s, &r, error) > 0);
	assert_non_null(strstr(error, "has ended"));
	t.pid = pid;
	assert_true(source_bind(set, SOURCE_PROCESS, &t, &none, error) > 0);
	assert_non_null(strstr(error, "has ended"));

	print_message("# waited for\n");
	waitpid(pid, NULL, 0);
	assert_true(source_read(set, s, &r, error) > 0);
	assert_non_null(strstr(error, "has ended"));
	assert_true(source_bind(set, SOURCE_PROCESS, &t, &none, error) > 0);
	assert_non_null(strstr(error, "there is no process"));
	assert_int_equal(source_choose(set, &t), SOURCE_PROCESS);
	source_free(s);
	close(done);
	source_set_free(set);
}

static void *thread_burns(void *arg)
{
	(void)arg;
	live_burn(100000000);
	pause();
	return NULL;
}

static void leave_main_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_burns, NULL) == 0)
		syscall(SYS_exit, 0);	/* of this thread only */
}

static void test_real_first_thread_ended(void **state)
{
	struct source_set *set = tree_set("", false);
	struct source *s;
	struct reading r;
	char error[SOURCE_ERROR_MAX];
	int done;
	pid_t pid;

	(void)state;
	pid = live_child(leave_main_thread, &done);
	s = tree_bind(set, SOURCE_PROCESS, NULL, pid);
	for (int i = 0; i < 1000; i++) {
		if (source_read(set, s, &r, error) != 0)
			fail_msg("%s", error);
		if (r.cpu_ns >= 100000000 - 2 * LIVE_TICK_NS && !(r.has & READING_MEMORY_USED))
			break;
		usleep(10000);
	}
	assert_true(r.cpu_ns >= 100000000 - 2 * LIVE_TICK_NS);
	live_end(pid);
	source_free(s);
	close(done);
	source_set_free(set);
}

static int reap_pipe[2];

/* A child of the child burns and waits; on a byte it is killed and waited for. */
static void have_child_then_reap(void)
{
	pid_t pid;
	char c;

	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		live_burn(300000000);
		for (;;)
			pause();
	}
	if (read(reap_pipe[0], &c, 1) != 1)
		_exit(1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_real_tree(void **state)
{
	struct source_set *set = tree_set("", true);
	struct source *s;
	struct reading with, after;
	int done;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(reap_pipe), 0);
	pid = live_child(have_child_then_reap, &done);
	s = tree_bind(set, SOURCE_PROCESS, NULL, pid);
	for (int i = 0; i < 1000; i++) {
		tree_read(set, s, &with);
		if (with.cpu_ns + 4 * LIVE_TICK_NS >= 300000000)
			break;
		usleep(10000);
	}
	assert_true(with.cpu_ns + 4 * LIVE_TICK_NS >= 300000000);
	print_message("# a child that was waited for: its time is its parent's\n");
	assert_int_equal(write(reap_pipe[1], "x", 1), 1);
	assert_true(live_await(done));
	tree_read(set, s, &after);
	assert_true(after.cpu_ns + 4 * LIVE_TICK_NS >= with.cpu_ns);
	assert_true(after.memory_used < with.memory_used);
	live_end(pid);
	source_free(s);
	close(done);
	close(reap_pipe[0]);
	close(reap_pipe[1]);
	source_set_free(set);
}

static void own_network(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
}

/* An open net/dev would hold the namespace when all who live in it have ended. */
static void expect_no_open_network(void)
{
	char path[64], to[256];
	ssize_t n;

	for (int fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, to, sizeof to - 1);
		to[n < 0 ? 0 : n] = '\0';
		assert_null(strstr(to, "/net"));
	}
}

static void test_real_network(void **state)
{
	struct source_set *set = tree_set("", false);
	struct source *s;
	struct reading r;
	int done;
	pid_t pid;

	(void)state;
	pid = live_child(own_network, &done);
	if (!live_await(done)) {
		print_message("# skipped: no network namespace can be made here\n");
		waitpid(pid, NULL, 0);
		close(done);
		source_set_free(set);
		return;
	}
	s = tree_bind(set, SOURCE_PROCESS, NULL, pid);
	tree_read(set, s, &r);
	assert_true(r.has & READING_NETWORK);
	assert_int_equal(r.network_in, 0);
	assert_int_equal(r.network_out, 0);
	expect_no_open_network();
	live_end(pid);
	source_free(s);
	close(done);
	source_set_free(set);
}

static size_t descriptors_at_start;

static int count_start(void **state)
{
	(void)state;
	descriptors_at_start = tree_descriptors();
	return 0;
}

static int count_end(void **state)
{
	(void)state;
	return tree_descriptors() == descriptors_at_start ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_self),
		cmocka_unit_test(test_real_child),
		cmocka_unit_test(test_real_first_thread_ended),
		cmocka_unit_test(test_real_tree),
		cmocka_unit_test(test_real_network),
	};

	return cmocka_run_group_tests(tests, count_start, count_end);
}
