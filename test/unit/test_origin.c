/* Reasons of failures, and what is counted of each source under which name. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "origin.h"
#include "stats.h"

static const struct {
	int error;
	enum failure want;
} errors[] = {
	{ -ENOENT, FAILURE_GONE },	   { -ESRCH, FAILURE_GONE },
	{ -ENODEV, FAILURE_GONE },	   { -ENOTDIR, FAILURE_GONE },
	{ -EACCES, FAILURE_DENIED },	   { -EPERM, FAILURE_DENIED },
	{ -EMFILE, FAILURE_SHORT },	   { -ENFILE, FAILURE_SHORT },
	{ -ENOMEM, FAILURE_SHORT },	   { -EBADMSG, FAILURE_UNREADABLE },
	{ -EIO, FAILURE_UNREADABLE },	   { 0, FAILURE_UNREADABLE },
};

static void test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		assert_int_equal(failure_of(errors[i].error), errors[i].want);
	assert_string_equal(source_kind_name(SOURCE_NONE), "none");
	assert_string_equal(source_kind_name(SOURCE_CGROUP), "cgroup");
	assert_string_equal(source_kind_name(SOURCE_PROCESS), "process");
	assert_string_equal(source_kind_name(SOURCE_BUS), "bus");
	assert_string_equal(source_kind_name(SOURCE_KIND_COUNT), "none");
}

static uint64_t item(const struct stats *s, const char *name)
{
	size_t n;
	const struct stats_item *items = stats_items(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(items[i].name, name) == 0)
			return stats_value(s, &items[i]);
	fail_msg("no counter is called %s", name);
	return 0;
}

static void test_counted(void **state)
{
	struct stats s = { 0 };

	(void)state;
	stats_reading(&s, SOURCE_CGROUP, 3000);
	stats_reading(&s, SOURCE_CGROUP, 5000);
	stats_reading(&s, SOURCE_CGROUP, 4000);
	stats_reading(&s, SOURCE_BUS, -1);	/* a clock may say so */
	stats_failure(&s, SOURCE_PROCESS, FAILURE_GONE);
	stats_failure(&s, SOURCE_BUS, FAILURE_SILENT);
	stats_failure(&s, SOURCE_BUS, FAILURE_SILENT);
	assert_int_equal(item(&s, "cgroup_readings"), 3);
	assert_int_equal(item(&s, "cgroup_time_ns"), 12000);
	assert_int_equal(item(&s, "cgroup_time_max_ns"), 5000);
	assert_int_equal(item(&s, "bus_readings"), 1);
	assert_int_equal(item(&s, "bus_time_ns"), 0);
	assert_int_equal(item(&s, "process_failed_gone"), 1);
	assert_int_equal(item(&s, "bus_failed_silent"), 2);
	assert_int_equal(item(&s, "cgroup_failed_gone"), 0);
}

static void test_items(void **state)
{
	size_t n;
	const struct stats_item *items = stats_items(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(items[i].help) > 0);
		assert_true(items[i].offset + sizeof(uint64_t) <= sizeof(struct stats));
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(items[i].name, items[k].name);
			assert_int_not_equal(items[i].offset, items[k].offset);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
