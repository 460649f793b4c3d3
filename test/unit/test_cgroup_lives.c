/*
 * Ten thousand real cgroups are made, bound, read, removed and freed: nothing of any of them is left
 * open, and the heap is as it was.
 */
#include <malloc.h>

#include "unit.h"
#include "source_cgroup.h"
#include "source_tree.h"
#include "stats.h"

#define LIVES 10000
#define ALIVE 20	/* at a time */
#define WARM_UP 10	/* rounds until libc has what it keeps */
#define ROOM 30		/* files kept open: not enough for all */

struct life {
	char name[64];
	struct source *source;
};

static struct life lives[ALIVE];
static unsigned has;	/* what the first reading has; all must */

static void name_life(const struct life *life)
{
	memcpy(cgroup_name, life->name, sizeof cgroup_name);
}

static void begin(struct source_set *set, struct life *life, int number)
{
	struct reading r;

	snprintf(life->name, sizeof life->name, "/meterd-test-%d-%d", (int)getpid(), number);
	name_life(life);
	assert_true(cgroup_make(cgroup_dirs));
	life->source = tree_bind(set, SOURCE_CGROUP, life->name, 0);
	for (int i = 0; i < 2; i++) {
		tree_read(set, life->source, &r);
		assert_true(r.has & READING_CPU_TIME);
		has = has ? has : r.has;
		assert_int_equal(r.has, has);
	}
}

/* Removed before it is untracked, and read once more or not; or untracked first. */
static void end(struct source_set *set, struct life *life, int number)
{
	char error[SOURCE_ERROR_MAX] = "";
	struct reading r;

	name_life(life);
	if (number % 3 == 0)
		source_free(life->source);
	cgroup_remove();
	if (number % 3 == 1) {
		assert_true(source_read(set, life->source, &r, error) > 0);
		assert_non_null(strstr(error, "is gone"));
	}
	if (number % 3 != 0)
		source_free(life->source);
}

static void test_ten_thousand_lives(void **state)
{
	struct stats stats = { .readings = 0 };
	size_t descriptors, heap = 0;
	struct source_set *set;

	(void)state;
	if (cgroup_cannot())
		return;
	cgroup_remove();
	set = tree_set_keeping("", false, ROOM, &stats);
	descriptors = tree_descriptors();
	for (int round = 0; round < LIVES / ALIVE; round++) {
		for (int i = 0; i < ALIVE; i++)
			begin(set, &lives[i], round * ALIVE + i);
		assert_int_equal(stats.files_kept, ROOM);
		assert_int_equal(tree_descriptors(), descriptors + ROOM);
		for (int i = 0; i < ALIVE; i++)
			end(set, &lives[i], round * ALIVE + i);
		assert_int_equal(stats.files_kept, 0);
		assert_int_equal(tree_descriptors(), descriptors);
		if (round < WARM_UP)
			heap = mallinfo2().uordblks;
		assert_int_equal(mallinfo2().uordblks, heap);
	}
	source_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ten_thousand_lives, cgroup_setup,
						cgroup_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
