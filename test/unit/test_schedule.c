/* The wheel against a plain list: nothing early, nothing lost, at most one slot late. */
#include "unit.h"

#include <stdbool.h>

#include "schedule.h"

#define ENTRIES 500

static void test_equals_a_list(void **state)
{
	static struct schedule_entry entries[ENTRIES];
	static struct schedule s;
	uint64_t seed = 3;
	int64_t now = 123456;

	(void)state;
	memset(entries, 0, sizeof entries);
	schedule_init(&s, now);
	for (int round = 0; round < 20000; round++) {
		struct schedule_entry *e = &entries[unit_random(&seed) % ENTRIES];
		uint32_t what = unit_random(&seed) % 10;
		int64_t next = schedule_next_ms(&s);

		for (int i = 0; i < ENTRIES; i++)	/* never later than needed */
			if (entries[i].link)
				assert_true(next >= 0 && next <= entries[i].due_ms + SCHEDULE_SLOT_MS - 1);
		if (what < 6)
			schedule_add(&s, e, now + unit_random(&seed) % 60000 - 100);
		else if (what < 7)
			schedule_remove(&s, e);
		else
			now += unit_random(&seed) % (what == 9 ? 100000 : 300);
		while ((e = schedule_pop(&s, now)))
			assert_true(e->due_ms <= now && !e->link);
		for (int i = 0; i < ENTRIES; i++)
			assert_true(!entries[i].link || entries[i].due_ms > now - SCHEDULE_SLOT_MS);
	}
}

static const struct due_case {
	const char *name;
	int64_t due_ms;
	int64_t pops_at_ms;	/* the first time, in steps of 10 ms from 1000, at which it comes out */
} due_cases[] = {
	{ "now", 1000, 1000 },
	{ "in the past", 5, 1000 },
	{ "the next slot", 1010, 1010 },
	{ "between slots: never early", 1011, 1020 },
	{ "just within a turn", 1000 + 40950, 1000 + 40950 },
	{ "one turn away", 1000 + 40960, 1000 + 40960 },
	{ "several turns away", 1000 + 200000, 1000 + 200000 },
};

static void test_when_each_comes_out(void **state)
{
	static struct schedule s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(due_cases); i++) {
		struct schedule_entry e = { 0 };
		int64_t now = 1000;

		printf("# %s\n", due_cases[i].name);
		schedule_init(&s, now);
		schedule_add(&s, &e, due_cases[i].due_ms);
		while (!schedule_pop(&s, now))
			now += SCHEDULE_SLOT_MS;
		assert_int_equal(now, due_cases[i].pops_at_ms);
		assert_int_equal(schedule_next_ms(&s), -1);
	}
}

/* After a stall of many turns everything comes out once. */
static void test_after_a_long_stall(void **state)
{
	static struct schedule_entry entries[ENTRIES];
	static struct schedule s;
	int n = 0;

	(void)state;
	memset(entries, 0, sizeof entries);
	schedule_init(&s, 0);
	for (int i = 0; i < ENTRIES; i++)
		schedule_add(&s, &entries[i], i * 997);
	while (schedule_pop(&s, 86400000))
		n++;
	assert_int_equal(n, ENTRIES);
}

static void test_moving_and_removing(void **state)
{
	static struct schedule s;
	struct schedule_entry a = { 0 }, b = { 0 };

	(void)state;
	schedule_init(&s, 0);
	schedule_remove(&s, &a);	/* not scheduled is fine */
	schedule_add(&s, &a, 100);
	schedule_add(&s, &b, 100);
	schedule_add(&s, &a, 200);	/* moved */
	assert_ptr_equal(schedule_pop(&s, 150), &b);
	assert_null(schedule_pop(&s, 150));
	schedule_remove(&s, &a);
	assert_null(schedule_pop(&s, 1000));
	assert_int_equal(schedule_next_ms(&s), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_a_list),
		cmocka_unit_test(test_when_each_comes_out),
		cmocka_unit_test(test_after_a_long_stall),
		cmocka_unit_test(test_moving_and_removing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
