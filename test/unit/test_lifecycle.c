#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifecycle.h"

static const struct type_case {
	const char *name;
	enum event_type want;
} type_cases[] = {
	{ "created", EVENT_CREATED },
	{ "instance.created", EVENT_CREATED },
	{ "started", EVENT_STARTED },
	{ "instance.started", EVENT_STARTED },
	{ "unsuspended", EVENT_UNSUSPENDED },
	{ "instance.unsuspended", EVENT_UNSUSPENDED },
	{ "stopped", EVENT_STOPPED },
	{ "instance.stopped", EVENT_STOPPED },
	{ "suspended", EVENT_SUSPENDED },
	{ "instance.suspended", EVENT_SUSPENDED },
	{ "failed", EVENT_FAILED },
	{ "instance.failed", EVENT_FAILED },
	{ "scaled", EVENT_SCALED },
	{ "instance.scaled", EVENT_SCALED },
	{ "deleted", EVENT_DELETED },
	{ "instance.deleted", EVENT_DELETED },

	{ "instance.health_changed", EVENT_OTHER },
	{ "", EVENT_OTHER },
	{ "instance.", EVENT_OTHER },
	{ "instance", EVENT_OTHER },
	{ "instance.instance.created", EVENT_OTHER },
	{ "deploy.created", EVENT_OTHER },
	{ "creat", EVENT_OTHER },
	{ "createdx", EVENT_OTHER },
	{ "Created", EVENT_OTHER },
	{ "created ", EVENT_OTHER },
	{ " created", EVENT_OTHER },
};

static void test_type_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof type_cases / sizeof type_cases[0]; i++) {
		const struct type_case *c = &type_cases[i];
		size_t len = strlen(c->name);
		char *text = malloc(len ? len : 1);	/* no NUL after it */

		assert_non_null(text);
		memcpy(text, c->name, len);
		printf("# \"%.*s\"\n", (int)len, text);
		assert_int_equal(event_type_parse(text, len), c->want);
		free(text);
	}
	assert_int_equal(event_type_parse("created\0", 8), EVENT_OTHER);
	assert_int_equal(event_type_parse("created.more", 7), EVENT_CREATED);
}

static void test_type_name(void **state)
{
	(void)state;
	for (int t = EVENT_CREATED; t <= EVENT_DELETED; t++) {
		const char *name = event_type_name((enum event_type)t);

		assert_non_null(name);
		assert_int_equal(event_type_parse(name, strlen(name)), t);
	}
	assert_null(event_type_name(EVENT_OTHER));
	assert_null(event_type_name((enum event_type)(EVENT_DELETED + 1)));
}

static char *copy(const char *s)
{
	char *d = s ? strdup(s) : NULL;

	assert_true(d || !s);
	return d;
}

static const struct merge_case {
	const char *name;
	const char *into;
	const char *from;
	bool only_empty;
	const char *want;
	bool changed;
} merge_cases[] = {
	{ "nothing and nothing", NULL, NULL, false, NULL, false },
	{ "said and nothing", "a", NULL, false, "a", false },
	{ "nothing and said", NULL, "b", false, "b", true },
	{ "another value", "a", "b", false, "b", true },
	{ "the same value", "a", "a", false, "a", false },
	{ "empty says nothing", "a", "", false, "a", false },
	{ "empty and empty", "", "", false, "", false },
	{ "nothing and empty", NULL, "", false, NULL, false },
	{ "empty is filled", "", "b", false, "b", true },
	{ "only empty: nothing and said", NULL, "b", true, "b", true },
	{ "only empty: empty is filled", "", "b", true, "b", true },
	{ "only empty: another value is kept out", "a", "b", true, "a", false },
	{ "only empty: the same value", "a", "a", true, "a", false },
	{ "only empty: said and nothing", "a", NULL, true, "a", false },
	{ "only empty: nothing and empty", NULL, "", true, NULL, false },
};

static const struct field {
	const char *name;
	size_t offset;
	bool where;
} fields[] = {
	{ "node", offsetof(struct target, node), true },
	{ "cgroup_path", offsetof(struct target, cgroup_path), true },
	{ "container_id", offsetof(struct target, container_id), true },
	{ "container_name", offsetof(struct target, container_name), true },
	{ "metrics_url", offsetof(struct target, metrics_url), false },
	{ "workload_id", offsetof(struct target, workload_id), false },
	{ "request_counter", offsetof(struct target, request_counter), false },
	{ "latency_histogram", offsetof(struct target, latency_histogram), false },
};

#define FIELDS (sizeof fields / sizeof fields[0])

static char **string_of(struct target *t, size_t field)
{
	return (char **)(void *)((char *)t + fields[field].offset);
}

static bool all_zero(const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Each field by itself; the others stay as they are, and leaks show under a sanitizer. */
static void check_merge(const struct merge_case *c, size_t field)
{
	struct target into = { .pid = 7, .latency_quantile = 0.5, .version = 3 };
	struct target from = { 0 };
	bool moved = false;

	for (size_t f = 0; f < FIELDS; f++)
		*string_of(&into, f) = copy(f == field ? c->into : "other");
	*string_of(&from, field) = copy(c->from);
	target_merge(&into, &from, c->only_empty, &moved);
	assert_int_equal(moved, c->changed && fields[field].where);
	assert_true(all_zero(&from, sizeof from));
	assert_int_equal(into.version, c->changed ? 4 : 3);
	assert_int_equal(into.pid, 7);
	assert_true(into.latency_quantile == 0.5);
	for (size_t f = 0; f < FIELDS; f++) {
		const char *want = f == field ? c->want : "other";

		if (want)
			assert_string_equal(*string_of(&into, f), want);
		else
			assert_null(*string_of(&into, f));
	}
	target_clear(&into);
	assert_true(all_zero(&into, sizeof into));
}

static void test_merge(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof merge_cases / sizeof merge_cases[0]; i++) {
		printf("# %s\n", merge_cases[i].name);
		for (size_t f = 0; f < FIELDS; f++)
			check_merge(&merge_cases[i], f);
	}
}

static const struct pid_case {
	const char *name;
	int64_t into;
	int64_t from;
	bool only_empty;
	int64_t want;
	bool changed;
} pid_cases[] = {
	{ "nothing and nothing", 0, 0, false, 0, false },
	{ "said and nothing", 1, 0, false, 1, false },
	{ "nothing and said", 0, 2, false, 2, true },
	{ "another value", 1, 2, false, 2, true },
	{ "the same value", 1, 1, false, 1, false },
	{ "only empty: nothing and said", 0, 2, true, 2, true },
	{ "only empty: another value is kept out", 1, 2, true, 1, false },
	{ "only empty: said and nothing", 1, 0, true, 1, false },
};

static void test_merge_pid(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pid_cases / sizeof pid_cases[0]; i++) {
		const struct pid_case *c = &pid_cases[i];
		struct target into = { .pid = c->into };
		struct target from = { .pid = c->from };
		bool moved = false;

		printf("# %s\n", c->name);
		target_merge(&into, &from, c->only_empty, &moved);
		assert_int_equal(moved, c->changed);
		assert_int_equal(into.version, c->changed);
		assert_true(into.pid == c->want);
		assert_true(from.pid == 0);
	}
}

/* As the pid, but it says nothing of where to read. */
static void test_merge_quantile(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pid_cases / sizeof pid_cases[0]; i++) {
		const struct pid_case *c = &pid_cases[i];
		struct target into = { .latency_quantile = (double)c->into / 4 };
		struct target from = { .latency_quantile = (double)c->from / 4 };
		bool moved = false;

		printf("# %s\n", c->name);
		target_merge(&into, &from, c->only_empty, &moved);
		assert_false(moved);
		assert_int_equal(into.version, c->changed);
		assert_true(into.latency_quantile == (double)c->want / 4);
		assert_true(from.latency_quantile == 0);
	}
}

/* Several at once are one change. */
static void test_merge_counts_once(void **state)
{
	struct target into = { .version = 7 };
	struct target from = { .node = copy("n"), .metrics_url = copy("u"), .pid = 1,
			       .latency_quantile = 0.5, .version = 99 };

	(void)state;
	target_merge(&into, &from, false, NULL);
	assert_int_equal(into.version, 8);
	target_clear(&into);
}

static void test_merge_moves(void **state)
{
	struct target into = { 0 };
	struct target from = { .node = copy("n") };
	char *node = from.node;
	bool moved = true;

	(void)state;
	target_merge(&into, &from, false, NULL);
	assert_ptr_equal(into.node, node);
	/* Set, never cleared. */
	target_merge(&into, &from, false, &moved);
	assert_true(moved);
	target_clear(&into);
	target_clear(&into);
}

static void test_says_place(void **state)
{
	char some[] = "a", none[] = "";
	struct target nothing = { .cgroup_path = none, .container_id = none, .container_name = none };
	struct target other = { .node = some, .metrics_url = some, .workload_id = some,
				.request_counter = some, .latency_histogram = some,
				.latency_quantile = 0.5 };
	struct target pid = { .pid = 1 }, path = { .cgroup_path = some };
	struct target id = { .container_id = some }, name = { .container_name = some };

	(void)state;
	assert_false(target_says_place(&nothing) || target_says_place(&other));
	assert_true(target_says_place(&pid) && target_says_place(&path));
	assert_true(target_says_place(&id) && target_says_place(&name));
}

static void test_event_clear(void **state)
{
	struct lifecycle_event e = { .instance_id = "i", .type = EVENT_CREATED, .at_ms = 1 };

	(void)state;
	e.tenant_id = copy("t");
	e.target.metrics_url = copy("http://localhost/metrics");
	lifecycle_event_clear(&e);
	assert_int_equal(e.instance_id[0], '\0');
	assert_int_equal(e.type, EVENT_OTHER);
	assert_true(e.at_ms == 0);
	assert_null(e.tenant_id);
	assert_null(e.target.metrics_url);
	lifecycle_event_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type_parse),
		cmocka_unit_test(test_type_name),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_pid),
		cmocka_unit_test(test_merge_quantile),
		cmocka_unit_test(test_merge_counts_once),
		cmocka_unit_test(test_merge_moves),
		cmocka_unit_test(test_says_place),
		cmocka_unit_test(test_event_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
