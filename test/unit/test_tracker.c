/* Who lives, from events in any order: the table of events, and row 14. */
#include "unit.h"

#include "tracker.h"

#define T0 1790000000000LL

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

static struct lifecycle_event event(enum event_type type, const char *id, int64_t at_ms,
				    const char *node)
{
	struct lifecycle_event e = { .type = type, .at_ms = at_ms };

	snprintf(e.instance_id, sizeof e.instance_id, "%s", id);
	e.target.node = copy(node);
	return e;
}

static enum tracker_change apply(struct tracker *t, struct lifecycle_event e, int64_t now_ms)
{
	struct moment now = { (now_ms - T0) * 1000000, now_ms };
	struct instance *i;
	enum tracker_change change = tracker_apply(t, &e, &now, &i);

	if (change == TRACKER_UNTRACKED)
		instance_free(i);
	lifecycle_event_clear(&e);
	return change;
}

static const struct {
	const char *name;
	struct { enum event_type type; int64_t at; } events[4];	/* at: after T0; -1 = no timestamp */
	enum tracker_change last;
	bool tracked;
} order_cases[] = {
	{ "created tracks", { { EVENT_CREATED, 1 } }, TRACKER_TRACKED, true },
	{ "started tracks", { { EVENT_STARTED, 1 } }, TRACKER_TRACKED, true },
	{ "unsuspended tracks", { { EVENT_UNSUSPENDED, 1 } }, TRACKER_TRACKED, true },
	{ "stopped of an unknown id", { { EVENT_STOPPED, 1 } }, TRACKER_NOTHING, false },
	{ "another type", { { EVENT_OTHER, 1 } }, TRACKER_NOTHING, false },
	{ "track twice is track once", { { EVENT_CREATED, 1 }, { EVENT_CREATED, 2 } },
	  TRACKER_NOTHING, true },
	{ "stopped keeps", { { EVENT_CREATED, 1 }, { EVENT_STOPPED, 2 } }, TRACKER_NOTHING, true },
	{ "suspended keeps", { { EVENT_CREATED, 1 }, { EVENT_SUSPENDED, 2 } }, TRACKER_NOTHING, true },
	{ "failed keeps", { { EVENT_CREATED, 1 }, { EVENT_FAILED, 2 } }, TRACKER_NOTHING, true },
	{ "scaled keeps", { { EVENT_CREATED, 1 }, { EVENT_SCALED, 2 } }, TRACKER_NOTHING, true },
	{ "started after stopped looks again at once",
	  { { EVENT_CREATED, 1 }, { EVENT_STOPPED, 2 }, { EVENT_STARTED, 3 } }, TRACKER_RESTARTED, true },
	{ "started after failed", { { EVENT_CREATED, 1 }, { EVENT_FAILED, 2 }, { EVENT_STARTED, 3 } },
	  TRACKER_RESTARTED, true },
	{ "unsuspended after suspended",
	  { { EVENT_CREATED, 1 }, { EVENT_SUSPENDED, 2 }, { EVENT_UNSUSPENDED, 3 } }, TRACKER_RESTARTED,
	  true },
	{ "started twice after stopped",
	  { { EVENT_CREATED, 1 }, { EVENT_STOPPED, 2 }, { EVENT_STARTED, 3 }, { EVENT_STARTED, 4 } },
	  TRACKER_NOTHING, true },
	{ "deleted untracks", { { EVENT_CREATED, 1 }, { EVENT_DELETED, 2 } }, TRACKER_UNTRACKED, false },
	{ "deleted twice", { { EVENT_CREATED, 1 }, { EVENT_DELETED, 2 }, { EVENT_DELETED, 3 } },
	  TRACKER_NOTHING, false },
	{ "row 14: a late created does not resurrect",
	  { { EVENT_CREATED, 1 }, { EVENT_DELETED, 5 }, { EVENT_CREATED, 3 } }, TRACKER_NOTHING, false },
	{ "deleted before it was ever created", { { EVENT_DELETED, 5 }, { EVENT_CREATED, 3 } },
	  TRACKER_NOTHING, false },
	{ "created anew after that", { { EVENT_DELETED, 5 }, { EVENT_CREATED, 6 } }, TRACKER_TRACKED, true },
	{ "equal times apply as they come: created last",
	  { { EVENT_DELETED, 5 }, { EVENT_CREATED, 5 } }, TRACKER_TRACKED, true },
	{ "equal times apply as they come: deleted last",
	  { { EVENT_CREATED, 5 }, { EVENT_DELETED, 5 } }, TRACKER_UNTRACKED, false },
	{ "a late deleted of the life before", { { EVENT_CREATED, 5 }, { EVENT_DELETED, 4 } },
	  TRACKER_NOTHING, true },
	{ "without a timestamp: arrival", { { EVENT_CREATED, 1 }, { EVENT_DELETED, -1 } },
	  TRACKER_UNTRACKED, false },
	{ "a clock an hour ahead does not make it undeletable",
	  { { EVENT_CREATED, 3600000 }, { EVENT_DELETED, -1 } }, TRACKER_UNTRACKED, false },
	{ "four minutes ahead are believed",
	  { { EVENT_CREATED, 240000 }, { EVENT_DELETED, 10 } }, TRACKER_NOTHING, true },
	{ "without a timestamp it is the last word, whatever was ahead",
	  { { EVENT_CREATED, 240000 }, { EVENT_DELETED, -1 } }, TRACKER_UNTRACKED, false },
	{ "and it takes over the time that was ahead",
	  { { EVENT_CREATED, 240000 }, { EVENT_DELETED, -1 }, { EVENT_CREATED, 239999 } },
	  TRACKER_NOTHING, false },
	{ "also over a tombstone",
	  { { EVENT_CREATED, 1 }, { EVENT_DELETED, 240000 }, { EVENT_CREATED, -1 } }, TRACKER_TRACKED,
	  true },
};

static void test_order_of_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(order_cases); i++) {
		struct stats stats = { 0 };
		struct tracker_options o = { "", 10, 10000, 10, 10, 3600000 };
		enum tracker_change last = TRACKER_NOTHING;
		struct tracker *t;

		printf("# %s\n", order_cases[i].name);
		assert_int_equal(tracker_new(&t, &o, &stats), 0);
		for (int n = 0; n < 4 && order_cases[i].events[n].at; n++) {
			int64_t at = order_cases[i].events[n].at;

			last = apply(t, event(order_cases[i].events[n].type, "a", at < 0 ? 0 : T0 + at, NULL),
				     T0 + 10);
		}
		assert_int_equal(last, order_cases[i].last);
		assert_int_equal(tracker_find(t, "a") != NULL, order_cases[i].tracked);
		tracker_free(t);
	}
}

#define STEP 3600000LL

/* The clock is at T0 + 10 before it steps back by an hour; "by" is the clock at which an event comes. */
static const struct {
	const char *name;
	struct { enum event_type type; int64_t by, at; } events[4];	/* after T0; at 0 = no timestamp */
	enum tracker_change last;
	bool tracked;
} step_cases[] = {
	{ "deleted without a timestamp", { { EVENT_CREATED, 10, 1 }, { EVENT_DELETED, -STEP, 0 } },
	  TRACKER_UNTRACKED, false },
	{ "both without one", { { EVENT_CREATED, 10, 0 }, { EVENT_DELETED, -STEP, 0 } },
	  TRACKER_UNTRACKED, false },
	{ "deleted with the new time", { { EVENT_CREATED, 10, 1 }, { EVENT_DELETED, -STEP, -STEP } },
	  TRACKER_UNTRACKED, false },
	{ "deleted with a time just before it",
	  { { EVENT_CREATED, 10, 0 }, { EVENT_DELETED, -STEP, -STEP - 50 } }, TRACKER_UNTRACKED, false },
	{ "an event without a timestamp between them",
	  { { EVENT_CREATED, 10, 0 }, { EVENT_STOPPED, -STEP, 0 }, { EVENT_DELETED, -STEP + 9, -STEP + 5 } },
	  TRACKER_UNTRACKED, false },
	{ "the new times are in order among themselves",
	  { { EVENT_CREATED, 10, 0 }, { EVENT_STARTED, -STEP, -STEP }, { EVENT_DELETED, -STEP + 9, -STEP - 5 } },
	  TRACKER_NOTHING, true },
	{ "deleted with a time by the clock before the step",
	  { { EVENT_CREATED, 10, 1 }, { EVENT_DELETED, -STEP, 5 } }, TRACKER_UNTRACKED, false },
	{ "row 14 by the clock before the step",
	  { { EVENT_CREATED, 10, 1 }, { EVENT_DELETED, 10, 5 }, { EVENT_CREATED, -STEP, 3 } },
	  TRACKER_NOTHING, false },
	{ "created without a timestamp over a tombstone",
	  { { EVENT_DELETED, 10, 5 }, { EVENT_CREATED, -STEP, 0 } }, TRACKER_TRACKED, true },
	{ "created with the new time over a tombstone",
	  { { EVENT_DELETED, 10, 5 }, { EVENT_CREATED, -STEP, -STEP } }, TRACKER_TRACKED, true },
	{ "row 14 by the new clock",
	  { { EVENT_CREATED, 10, 1 }, { EVENT_DELETED, -STEP, -STEP }, { EVENT_CREATED, -STEP, -STEP - 1 } },
	  TRACKER_NOTHING, false },
	{ "a minute back: without a timestamp", { { EVENT_CREATED, 10, 1 }, { EVENT_DELETED, -60000, 0 } },
	  TRACKER_UNTRACKED, false },
	{ "a minute back: an older time is believed",
	  { { EVENT_CREATED, 10, 1 }, { EVENT_DELETED, -60000, -60000 } }, TRACKER_NOTHING, true },
};

/* An instance must not be undeletable until the clock has caught up. */
static void test_clock_steps_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(step_cases); i++) {
		struct stats stats = { 0 };
		struct tracker_options o = { "", 10, 10000, 10, 10, 7200000 };
		enum tracker_change last = TRACKER_NOTHING;
		struct tracker *t;

		printf("# %s\n", step_cases[i].name);
		assert_int_equal(tracker_new(&t, &o, &stats), 0);
		for (int n = 0; n < 4 && step_cases[i].events[n].type; n++) {
			int64_t at = step_cases[i].events[n].at;

			last = apply(t, event(step_cases[i].events[n].type, "a", at ? T0 + at : 0, NULL),
				     T0 + step_cases[i].events[n].by);
		}
		assert_int_equal(last, step_cases[i].last);
		assert_int_equal(tracker_find(t, "a") != NULL, step_cases[i].tracked);
		tracker_free(t);
	}
}

/* What an instance that has node "n" and pid 42 makes of an event. */
static const struct {
	const char *name;
	enum event_type type;
	bool stopped;
	unsigned failures;
	struct {
		const char *node, *cgroup_path, *container_id, *container_name, *metrics_url, *workload_id,
			*request_counter;
		int64_t pid;
	} said;
	enum tracker_change want;
} where_cases[] = {
	{ "nothing said, all is well", EVENT_STARTED, false, 0, { 0 }, TRACKER_NOTHING },
	{ "the same again, all is well", EVENT_CREATED, false, 0, { .pid = 42 }, TRACKER_NOTHING },
	{ "started after stopped", EVENT_STARTED, true, 0, { 0 }, TRACKER_RESTARTED },
	{ "started while it fails", EVENT_STARTED, false, 3, { 0 }, TRACKER_RESTARTED },
	{ "unsuspended while it fails", EVENT_UNSUSPENDED, false, 3, { 0 }, TRACKER_RESTARTED },
	{ "scaled while it fails", EVENT_SCALED, false, 3, { 0 }, TRACKER_NOTHING },
	{ "scaled with the same pid while it fails", EVENT_SCALED, false, 3, { .pid = 42 },
	  TRACKER_NOTHING },
	{ "stopped again", EVENT_STOPPED, true, 0, { 0 }, TRACKER_NOTHING },
	{ "started with the same pid", EVENT_STARTED, true, 0, { .pid = 42 }, TRACKER_CHANGED },
	{ "created with the same pid while it fails", EVENT_CREATED, false, 1, { .pid = 42 },
	  TRACKER_CHANGED },
	{ "started with another pid", EVENT_STARTED, false, 0, { .pid = 43 }, TRACKER_CHANGED },
	{ "scaled to another pid", EVENT_SCALED, false, 0, { .pid = 43 }, TRACKER_CHANGED },
	{ "a path", EVENT_STARTED, true, 0, { .cgroup_path = "/a" }, TRACKER_CHANGED },
	{ "a container id", EVENT_STARTED, true, 0, { .container_id = "a" }, TRACKER_CHANGED },
	{ "a container name", EVENT_STARTED, true, 0, { .container_name = "a" }, TRACKER_CHANGED },
	{ "another node", EVENT_STARTED, false, 0, { .node = "m" }, TRACKER_CHANGED },
	{ "the node it is on says no place there", EVENT_STARTED, true, 0, { .node = "n" },
	  TRACKER_RESTARTED },
	{ "a workload is no place", EVENT_STARTED, false, 0, { .workload_id = "w" }, TRACKER_NOTHING },
	{ "a page of metrics is none", EVENT_SCALED, false, 0, { .metrics_url = "http://a/" },
	  TRACKER_NOTHING },
	{ "nor is a family of it", EVENT_SCALED, false, 0, { .request_counter = "a" }, TRACKER_NOTHING },
	{ "a workload, started after stopped", EVENT_STARTED, true, 0, { .workload_id = "w" },
	  TRACKER_RESTARTED },
};

static void test_where_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(where_cases); i++) {
		struct stats stats = { 0 };
		struct tracker_options o = { "", 10, 10000, 10, 10, 60000 };
		struct lifecycle_event e = event(EVENT_CREATED, "a", T0 + 1, "n");
		struct instance *instance;
		struct tracker *t;

		printf("# %s\n", where_cases[i].name);
		assert_int_equal(tracker_new(&t, &o, &stats), 0);
		e.target.pid = 42;
		assert_int_equal(apply(t, e, T0 + 1), TRACKER_TRACKED);
		instance = tracker_find(t, "a");
		instance->stopped = where_cases[i].stopped;
		instance->failures = where_cases[i].failures;
		e = event(where_cases[i].type, "a", T0 + 2, where_cases[i].said.node);
		e.target.pid = where_cases[i].said.pid;
		e.target.cgroup_path = copy(where_cases[i].said.cgroup_path);
		e.target.container_id = copy(where_cases[i].said.container_id);
		e.target.container_name = copy(where_cases[i].said.container_name);
		e.target.metrics_url = copy(where_cases[i].said.metrics_url);
		e.target.workload_id = copy(where_cases[i].said.workload_id);
		e.target.request_counter = copy(where_cases[i].said.request_counter);
		assert_int_equal(apply(t, e, T0 + 2), where_cases[i].want);
		tracker_free(t);
	}
}

static void test_tombstones_are_bounded_and_aged(void **state)
{
	struct stats stats = { 0 };
	struct tracker_options o = { "", 10, 10000, 10, 3, 60000 };
	struct tracker *t;
	char id[8];

	(void)state;
	assert_int_equal(tracker_new(&t, &o, &stats), 0);
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof id, "i%d", i);
		apply(t, event(EVENT_DELETED, id, T0 + 100, NULL), T0 + 100);
	}
	assert_int_equal(stats.tombstones, 3);
	assert_int_equal(stats.tombstones_evicted, 2);
	assert_int_equal(apply(t, event(EVENT_CREATED, "i0", T0 + 1, NULL), T0 + 200), TRACKER_TRACKED);
	assert_int_equal(apply(t, event(EVENT_CREATED, "i4", T0 + 1, NULL), T0 + 200), TRACKER_NOTHING);
	assert_int_equal(stats.events_stale, 1);
	/* A minute later nothing is remembered. */
	assert_int_equal(apply(t, event(EVENT_CREATED, "i4", T0 + 1, NULL), T0 + 60100), TRACKER_TRACKED);
	assert_int_equal(stats.tombstones, 0);
	tracker_free(t);
}

static void test_instances_are_bounded(void **state)
{
	struct stats stats = { 0 };
	struct tracker_options o = { "", 10, 10000, 2, 10, 60000 };
	struct tracker *t;

	(void)state;
	assert_int_equal(tracker_new(&t, &o, &stats), 0);
	assert_int_equal(apply(t, event(EVENT_CREATED, "a", 0, NULL), T0), TRACKER_TRACKED);
	assert_int_equal(apply(t, event(EVENT_CREATED, "b", 0, NULL), T0), TRACKER_TRACKED);
	assert_int_equal(apply(t, event(EVENT_CREATED, "c", 0, NULL), T0), TRACKER_NOTHING);
	assert_int_equal(stats.instances_refused, 1);
	assert_int_equal(apply(t, event(EVENT_DELETED, "a", 0, NULL), T0), TRACKER_UNTRACKED);
	assert_int_equal(apply(t, event(EVENT_CREATED, "c", 0, NULL), T0), TRACKER_TRACKED);
	assert_int_equal(stats.instances, 2);
	tracker_free(t);
}

static const struct {
	const char *name;
	enum event_type type;
	const char *node;
	bool tracked_before;
	enum tracker_change want;
} node_cases[] = {
	{ "created here", EVENT_CREATED, "n1", false, TRACKER_TRACKED },
	{ "created elsewhere", EVENT_CREATED, "n2", false, TRACKER_NOTHING },
	{ "created nowhere in particular", EVENT_CREATED, NULL, false, TRACKER_NOTHING },
	{ "no node, tracked here: applies", EVENT_DELETED, NULL, true, TRACKER_UNTRACKED },
	{ "moved elsewhere: let go", EVENT_STARTED, "n2", true, TRACKER_UNTRACKED },
	{ "started here again", EVENT_STARTED, "n1", true, TRACKER_NOTHING },
};

static void test_node(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(node_cases); i++) {
		struct stats stats = { 0 };
		struct tracker_options o = { "n1", 10, 10000, 10, 10, 60000 };
		struct tracker *t;

		printf("# %s\n", node_cases[i].name);
		assert_int_equal(tracker_new(&t, &o, &stats), 0);
		if (node_cases[i].tracked_before)
			apply(t, event(EVENT_CREATED, "a", T0 + 1, "n1"), T0 + 1);
		assert_int_equal(apply(t, event(node_cases[i].type, "a", T0 + 2, node_cases[i].node), T0 + 2),
				 node_cases[i].want);
		tracker_free(t);
	}
}

/* An older event may still fill what is empty, and changes nothing else. */
static void test_older_event_fills_what_is_empty(void **state)
{
	struct stats stats = { 0 };
	struct tracker_options o = { "", 10, 10000, 10, 10, 60000 };
	struct lifecycle_event e;
	struct instance *i;
	struct tracker *t;

	(void)state;
	assert_int_equal(tracker_new(&t, &o, &stats), 0);
	e = event(EVENT_STARTED, "a", T0 + 5, "here");
	assert_int_equal(apply(t, e, T0 + 10), TRACKER_TRACKED);
	e = event(EVENT_CREATED, "a", T0 + 1, "there");
	e.target.pid = 42;
	assert_int_equal(apply(t, e, T0 + 10), TRACKER_CHANGED);
	i = tracker_find(t, "a");
	assert_string_equal(i->target.node, "here");
	assert_int_equal(i->target.pid, 42);
	e = event(EVENT_CREATED, "a", T0 + 2, NULL);
	e.target.pid = 43;
	assert_int_equal(apply(t, e, T0 + 10), TRACKER_NOTHING);
	assert_int_equal(i->target.pid, 42);
	e = event(EVENT_STARTED, "a", T0 + 6, NULL);
	e.target.pid = 44;
	assert_int_equal(apply(t, e, T0 + 10), TRACKER_CHANGED);
	assert_int_equal(i->target.pid, 44);
	assert_string_equal(i->target.node, "here");
	tracker_free(t);
}

/* The ordered view follows every coming and going. */
static void test_byte_order(void **state)
{
	struct stats stats = { 0 };
	struct tracker_options o = { "", 1, 10000, 1000, 10, 60000 };
	struct tracker *t;
	uint64_t seed = 9;
	char id[16];

	(void)state;
	assert_int_equal(tracker_new(&t, &o, &stats), 0);
	for (int n = 0; n < 3000; n++) {
		int64_t at = T0 + n;

		snprintf(id, sizeof id, "%x", unit_random(&seed) % 400);
		apply(t, event(unit_random(&seed) % 3 ? EVENT_CREATED : EVENT_DELETED, id, at, NULL), at);
		for (size_t i = 0; i + 1 < tracker_count(t); i++)
			assert_true(strcmp(tracker_at(t, i)->id, tracker_at(t, i + 1)->id) < 0);
		for (size_t i = 0; n % 100 == 0 && i < tracker_count(t); i++) {
			assert_ptr_equal(tracker_find(t, tracker_at(t, i)->id), tracker_at(t, i));
			assert_int_equal(tracker_position_after(t, tracker_at(t, i)->id), i + 1);
		}
	}
	assert_int_equal(tracker_position_after(t, ""), 0);
	assert_int_equal(tracker_position_after(t, "zzz"), tracker_count(t));
	tracker_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_events),
		cmocka_unit_test(test_clock_steps_back),
		cmocka_unit_test(test_where_it_is),
		cmocka_unit_test(test_tombstones_are_bounded_and_aged),
		cmocka_unit_test(test_instances_are_bounded),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_older_event_fills_what_is_empty),
		cmocka_unit_test(test_byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
