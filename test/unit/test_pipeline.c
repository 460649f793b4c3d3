/* The path with an injected clock: order and spacing of readings, sequences, finals, deadlines. */
#include "unit.h"

#include "pipeline.h"

#define T0 1790000000000LL
#define INTERVAL 10000
#define MAX_READINGS 4096

enum mode { GOOD, FAILS, SILENT };

/* Stands where the edge stands: notes what the pipeline asks for, answers as told. */
struct rig {
	struct pipeline *pipeline;
	struct pipeline_io io;
	struct stats stats;
	struct moment now;
	enum mode mode;
	int64_t begun_ms[MAX_READINGS];
	size_t n_begun;
	size_t n_given_up;
	size_t n_published;
	struct wire_sample last;	/* published last */
	int n_tracked;
	int n_changed;
	int n_untracked;
	struct instance *instance;	/* tracked last */
};

static void rig_publish(void *ctx, const struct instance *i, const uint8_t *body, size_t len)
{
	struct rig *r = ctx;
	struct problem p;

	(void)i;
	r->n_published++;
	assert_int_equal(wire_decode_sample(body, len, &r->last, &p), 0);
}

static void rig_begin(void *ctx, struct instance *i)
{
	struct rig *r = ctx;
	struct reading reading = { .has = READING_CPU_TIME | READING_MEMORY_USED,
				   .mono_ns = r->now.mono_ns,
				   .cpu_ns = (uint64_t)r->now.mono_ns / 4, .memory_used = 1 << 20 };

	assert_true(r->n_begun < MAX_READINGS);
	r->begun_ms[r->n_begun++] = moment_mono_ms(&r->now);
	if (r->mode == GOOD)
		pipeline_on_reading(r->pipeline, i, &reading, &r->now);
	else if (r->mode == FAILS)
		pipeline_on_failure(r->pipeline, i, FAILURE_ABSENT, "it is not there",
				    &r->now);
}

static const char *rig_give_up(void *ctx, struct instance *i)
{
	(void)i;
	((struct rig *)ctx)->n_given_up++;
	return "it sleeps";
}

static void rig_tracked(void *ctx, struct instance *i)
{
	((struct rig *)ctx)->n_tracked++;
	((struct rig *)ctx)->instance = i;
}

static void rig_changed(void *ctx, struct instance *i)
{
	(void)i;
	((struct rig *)ctx)->n_changed++;
}

static void rig_untracked(void *ctx, struct instance *i)
{
	(void)i;
	((struct rig *)ctx)->n_untracked++;
}

static struct rig *rig_new(int64_t start_ms)
{
	struct pipeline_options o = { { "", 1000, INTERVAL, 100000, 100, 60000 }, "instance", INTERVAL, 65536 };
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	r->now = (struct moment){ start_ms * 1000000, T0 };
	r->io = (struct pipeline_io){ rig_publish, rig_begin, rig_give_up, rig_tracked, rig_changed,
				      rig_untracked, r };
	assert_int_equal(pipeline_new(&r->pipeline, &o, &r->io, &r->stats, &r->now), 0);
	return r;
}

static void rig_free(struct rig *r)
{
	pipeline_free(r->pipeline);
	free(r);
}

static void advance_to(struct rig *r, int64_t ms)
{
	int64_t by = ms - moment_mono_ms(&r->now);

	r->now.mono_ns += by * 1000000;
	r->now.wall_ms += by;
}

/* Lets time pass as the loop would: from one due moment to the next. */
static void run_until(struct rig *r, int64_t end_ms)
{
	for (;;) {
		int64_t next = pipeline_next_ms(r->pipeline);

		if (next < 0 || next > end_ms)
			break;
		if (next > moment_mono_ms(&r->now))
			advance_to(r, next);
		while (pipeline_tick(r->pipeline, &r->now, 64))
			;
	}
	advance_to(r, end_ms);
}

static int send_event(struct rig *r, const char *subject, const char *json)
{
	struct problem p;

	return pipeline_on_event(r->pipeline, subject, NULL, json, strlen(json), &r->now, &p);
}

/* Rows 12 and 13: at once, after a second, then on slots of an own phase, one an interval. */
static void test_spacing_of_readings(void **state)
{
	uint64_t phases_seen = 0;

	(void)state;
	for (int id = 0; id < 200; id++) {
		struct rig *r = rig_new(5000 + id * 37);
		int64_t start = moment_mono_ms(&r->now), phase;
		char subject[64];

		snprintf(subject, sizeof subject, "instance.created.inst_%d", id);
		assert_int_equal(send_event(r, subject, ""), 0);
		run_until(r, start + 60 * 1000);
		assert_true(r->n_begun >= 6);
		assert_true(r->begun_ms[0] - start <= SCHEDULE_SLOT_MS);
		assert_in_range(r->begun_ms[1] - r->begun_ms[0], 1000, 1000 + SCHEDULE_SLOT_MS);
		assert_in_range(r->begun_ms[2] - r->begun_ms[1], INTERVAL / 2,
				INTERVAL / 2 + INTERVAL + SCHEDULE_SLOT_MS);
		for (size_t i = 3; i < r->n_begun; i++)
			assert_in_range(r->begun_ms[i] - r->begun_ms[i - 1], INTERVAL - SCHEDULE_SLOT_MS,
					INTERVAL + SCHEDULE_SLOT_MS);
		phase = r->begun_ms[3] % INTERVAL;
		phases_seen |= 1ULL << (phase * 64 / INTERVAL);
		assert_int_equal(r->n_published, r->n_begun);
		rig_free(r);
	}
	/* 200 ids over 64 parts of the interval: nearly all of them are used. */
	assert_true(__builtin_popcountll(phases_seen) > 50);
}

static void test_sequence_and_final(void **state)
{
	struct rig *r = rig_new(1000);

	(void)state;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 30000);
	assert_int_equal(r->last.sequence, r->n_published);
	assert_true(r->last.sample.value[METRIC_CPU_PERCENT] == 25);
	assert_int_equal(send_event(r, "instance.deleted.a", ""), 0);
	assert_true(r->last.final);
	assert_int_equal(r->last.sequence, r->n_published);
	assert_int_equal(r->last.sample.at_ms, r->now.wall_ms);
	for (int m = 0; m < METRIC_COUNT; m++)
		assert_true(isnan(r->last.sample.value[m]));
	assert_int_equal(r->n_untracked, 1);
	assert_null(tracker_find(pipeline_tracker(r->pipeline), "a"));
	/* Never for an id that is not tracked, and sequences begin anew with each track. */
	assert_int_equal(send_event(r, "instance.deleted.b", ""), 0);
	assert_false(strcmp(r->last.instance_id, "b") == 0);
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 30100);
	assert_int_equal(r->last.sequence, 1);
	rig_free(r);
}

/* A page of metrics that is missing is told, and no reading failed for it. */
static void test_note(void **state)
{
	struct rig *r = rig_new(1000);
	int64_t next;

	(void)state;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 20000);
	next = r->instance->due.due_ms;
	pipeline_note(r->instance, "metrics: nobody there", &r->now);
	assert_string_equal(r->instance->last_error, "metrics: nobody there");
	assert_int_equal(r->instance->last_error_ms, r->now.wall_ms);
	assert_int_equal(r->instance->due.due_ms, next);
	assert_int_equal(r->stats.readings_failed, 0);
	run_until(r, 40000);
	assert_string_equal(r->instance->last_error, "");
	rig_free(r);
}

/* Row 2: a failed reading is a gap; it takes no sequence number and says why. */
static void test_failed_reading_is_a_gap(void **state)
{
	struct rig *r = rig_new(1000);
	size_t published;

	(void)state;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 20000);
	published = r->n_published;
	r->mode = FAILS;
	run_until(r, 60000);
	assert_int_equal(r->n_published, published);
	assert_int_equal(r->instance->sequence, published);
	assert_int_equal(ring_count(r->instance->ring), published);
	assert_string_equal(r->instance->last_error, "it is not there");
	assert_int_equal(r->stats.source[SOURCE_NONE].failed[FAILURE_ABSENT],
			 r->stats.readings_failed);
	r->mode = GOOD;
	run_until(r, 80000);
	assert_string_equal(r->instance->last_error, "");
	assert_true(r->n_published > published);
	/* The rate over the gap is the mean over it: both ends are good readings of one incarnation. */
	assert_true(r->last.sample.value[METRIC_CPU_PERCENT] == 25);
	rig_free(r);
}

/* One call may last at most one interval; its answer is then no longer waited for. */
static void test_deadline(void **state)
{
	struct reading late = { .has = READING_MEMORY_USED, .memory_used = 1 };
	struct rig *r = rig_new(1000);

	(void)state;
	r->mode = SILENT;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 1000 + INTERVAL - 100);
	assert_int_equal(r->n_begun, 1);
	assert_int_equal(r->n_given_up, 0);
	run_until(r, 1000 + 10 * INTERVAL);
	assert_in_range(r->n_begun, 8, 11);
	assert_int_equal(r->stats.readings_timed_out, r->n_given_up);
	assert_int_equal(r->stats.source[SOURCE_NONE].failed[FAILURE_SILENT], r->n_given_up);
	assert_in_range(r->n_given_up, r->n_begun - 1, r->n_begun);
	assert_string_equal(r->instance->last_error, "no answer within 10000 ms: it sleeps");
	assert_int_equal(r->n_published, 0);
	/* The one that is under way may still answer; a second answer changes nothing. */
	pipeline_on_reading(r->pipeline, r->instance, &late, &r->now);
	pipeline_on_reading(r->pipeline, r->instance, &late, &r->now);
	assert_int_equal(r->n_published, 1);
	rig_free(r);
}

/* A stopped instance that cannot be read: up to 6 intervals between tries; started resets it. */
static void test_backoff(void **state)
{
	struct rig *r = rig_new(1000);
	size_t n;

	(void)state;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 30000);
	assert_int_equal(send_event(r, "instance.stopped.a", ""), 0);
	n = r->n_begun;
	run_until(r, 130000);
	assert_in_range(r->n_begun - n, 9, 11);		/* while it can be read: as ever */
	r->mode = FAILS;
	run_until(r, 1000000);
	n = r->n_begun;
	assert_in_range(r->begun_ms[n - 1] - r->begun_ms[n - 2], 6 * INTERVAL - 20, 6 * INTERVAL + 20);
	r->mode = GOOD;
	assert_int_equal(send_event(r, "instance.started.a", ""), 0);
	run_until(r, 1000100);
	assert_int_equal(r->n_begun, n + 1);		/* at once */
	assert_int_equal(r->n_changed, 0);		/* by what read it before */
	rig_free(r);
}

/* Bound anew only by an event that says where the instance is: a pid may be a stranger's by now. */
static void test_bound_anew_when_told_where(void **state)
{
	struct rig *r = rig_new(1000);
	size_t n;

	(void)state;
	assert_int_equal(send_event(r, "instance.created", "{\"type\":\"created\",\"instance_id\":\"a\","
						     "\"payload\":{\"pid\":42}}"), 0);
	run_until(r, 30000);
	r->mode = FAILS;
	run_until(r, 50000);
	n = r->n_begun;
	assert_int_equal(send_event(r, "instance.started.a", ""), 0);
	run_until(r, 50100);
	assert_int_equal(r->n_begun, n + 1);
	assert_int_equal(r->n_changed, 0);
	assert_int_equal(send_event(r, "instance.started", "{\"type\":\"started\",\"instance_id\":\"a\","
						     "\"payload\":{\"pid\":42}}"), 0);
	run_until(r, 50200);
	assert_int_equal(r->n_begun, n + 2);
	assert_int_equal(r->n_changed, 1);
	rig_free(r);
}

/* Told that it can be read better now: at once, and a second later, whatever is under way. */
static void test_read_now(void **state)
{
	struct rig *r = rig_new(1000);
	size_t n;

	(void)state;
	r->mode = SILENT;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 52000);
	n = r->n_begun;
	r->mode = GOOD;
	r->n_given_up = 0;
	pipeline_read_now(r->pipeline, r->instance, &r->now);
	assert_int_equal(r->n_given_up, 1);
	run_until(r, 54000);
	assert_int_equal(r->n_begun, n + 2);
	assert_in_range(r->begun_ms[n], 52000, 52010);
	assert_in_range(r->begun_ms[n + 1] - r->begun_ms[n], 1000, 1010);
	assert_int_equal(r->n_published, 2);
	/* With none under way there is nothing to be given up. */
	pipeline_read_now(r->pipeline, r->instance, &r->now);
	assert_int_equal(r->n_given_up, 1);
	assert_int_equal(r->n_changed, 0);
	rig_free(r);
}

/* A sentence that is too long for an instance is cut, and shows it. */
static void test_long_error(void **state)
{
	struct rig *r = rig_new(1000);
	char error[2 * INSTANCE_ERROR_MAX];

	(void)state;
	memset(error, 'x', sizeof error);
	r->mode = SILENT;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 1100);
	error[INSTANCE_ERROR_MAX - 1] = '\0';
	pipeline_on_failure(r->pipeline, r->instance, FAILURE_ABSENT, error, &r->now);
	assert_string_equal(r->instance->last_error, error);
	pipeline_read_now(r->pipeline, r->instance, &r->now);
	run_until(r, 1200);
	error[INSTANCE_ERROR_MAX - 1] = 'x';
	error[INSTANCE_ERROR_MAX] = '\0';
	pipeline_on_failure(r->pipeline, r->instance, FAILURE_ABSENT, error, &r->now);
	assert_int_equal(strlen(r->instance->last_error), INSTANCE_ERROR_MAX - 1);
	assert_string_equal(r->instance->last_error + INSTANCE_ERROR_MAX - 5, "x...");
	rig_free(r);
}

/* One that fails without having been stopped is tried each interval. */
static void test_no_backoff_unless_stopped(void **state)
{
	struct rig *r = rig_new(1000);

	(void)state;
	r->mode = FAILS;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 501000);
	assert_in_range(r->n_begun, 49, 53);
	rig_free(r);
}

/* After a stall each is read once, and then on its slots again: missed slots are not made up for. */
static void test_after_a_stall(void **state)
{
	struct rig *r = rig_new(1000);
	char subject[64];
	size_t n;

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(subject, sizeof subject, "instance.created.i%d", i);
		assert_int_equal(send_event(r, subject, ""), 0);
	}
	run_until(r, 60000);
	n = r->n_begun;
	advance_to(r, 600000);
	while (pipeline_tick(r->pipeline, &r->now, 7))	/* in small portions */
		;
	assert_int_equal(r->n_begun, n + 50);
	run_until(r, 610000);
	assert_in_range(r->n_begun, n + 99, n + 101);
	rig_free(r);
}

/* Row 4: a step of the wall clock changes stamps, never the rhythm. */
static void test_wall_clock_step(void **state)
{
	struct rig *r = rig_new(1000);
	size_t n;

	(void)state;
	assert_int_equal(send_event(r, "instance.created.a", ""), 0);
	run_until(r, 60000);
	n = r->n_begun;
	r->now.wall_ms -= 3600000;
	run_until(r, 160000);
	assert_in_range(r->n_begun - n, 9, 11);
	assert_true(r->last.sample.value[METRIC_CPU_PERCENT] == 25);
	assert_true(r->last.sample.at_ms < T0);
	rig_free(r);
}

static const struct {
	const char *name;
	const char *subject;
	const char *body;
	int want;	/* 0 or a problem code */
	const char *tracked;	/* an id that is tracked after it, or NULL */
} event_cases[] = {
	{ "empty body: from the subject", "instance.created.a", "", 0, "a" },
	{ "empty body, no id in the subject", "instance.created", "", 400, NULL },
	{ "empty body, an id with a dot", "instance.created.a.b", "", 400, NULL },
	{ "empty body, an unknown type", "instance.painted.a", "", 0, NULL },
	{ "another subject", "other.created.a", "", 400, NULL },
	{ "the body is authoritative", "instance.deleted.b",
	  "{\"type\":\"instance.created\",\"instance_id\":\"a\"}", 0, "a" },
	{ "a body without type", "instance.created.a", "{\"instance_id\":\"a\"}", 400, NULL },
	{ "a body without id", "instance.created.a", "{\"type\":\"instance.created\"}", 400, NULL },
	{ "an id that is none", "instance.created", "{\"type\":\"instance.created\",\"instance_id\":\"a b\"}",
	  400, NULL },
	{ "garbage", "instance.created.a", "\x01\xff\xff", 400, NULL },
	{ "truncated JSON", "instance.created.a", "{\"type\":", 400, NULL },
};

static void test_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(event_cases); i++) {
		struct rig *r = rig_new(1000);

		printf("# %s\n", event_cases[i].name);
		assert_int_equal(send_event(r, event_cases[i].subject, event_cases[i].body),
				 event_cases[i].want);
		assert_int_equal(r->stats.events_malformed, event_cases[i].want == 400);
		if (event_cases[i].tracked)
			assert_non_null(tracker_find(pipeline_tracker(r->pipeline), event_cases[i].tracked));
		else
			assert_int_equal(r->n_tracked, 0);
		rig_free(r);
	}
}

static void test_oversized_event(void **state)
{
	struct rig *r = rig_new(1000);
	static char body[65537];
	struct problem p;

	(void)state;
	memset(body, ' ', sizeof body);
	body[0] = '{';
	assert_int_equal(pipeline_on_event(r->pipeline, "instance.created.a", NULL, body, sizeof body,
					   &r->now, &p), PROBLEM_TOO_LARGE);
	assert_int_equal(r->stats.events_oversized, 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spacing_of_readings),
		cmocka_unit_test(test_sequence_and_final),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_failed_reading_is_a_gap),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_bound_anew_when_told_where),
		cmocka_unit_test(test_read_now),
		cmocka_unit_test(test_long_error),
		cmocka_unit_test(test_no_backoff_unless_stopped),
		cmocka_unit_test(test_after_a_stall),
		cmocka_unit_test(test_wall_clock_step),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_oversized_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
