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
	  { { EVENT_CREATED, 1 }, { EVENT_STOPPED, 2 }, { EVENT_STARTED, 3 } }, TRACKER_CHANGED, true },
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
	  { { EVENT_CREATED, 240000 }, { EVENT_DELETED, -1 } }, TRACKER_NOTHING, true },
};

static void test_order_of_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(order_cases); i++) {
		struct stats stats = { 0 };
		struct tracker_options o = { "", 10, 10, 10, 3600000 };
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

static void test_tombstones_are_bounded_and_aged(void **state)
{
	struct stats stats = { 0 };
	struct tracker_options o = { "", 10, 10, 3, 60000 };
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
	struct tracker_options o = { "", 10, 2, 10, 60000 };
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
		struct tracker_options o = { "n1", 10, 10, 10, 60000 };
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
	struct tracker_options o = { "", 10, 10, 10, 60000 };
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
	struct tracker_options o = { "", 1, 1000, 10, 60000 };
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
		cmocka_unit_test(test_tombstones_are_bounded_and_aged),
		cmocka_unit_test(test_instances_are_bounded),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_older_event_fills_what_is_empty),
		cmocka_unit_test(test_byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
