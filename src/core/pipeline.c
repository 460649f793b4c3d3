#include "pipeline.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pipeline {
	struct pipeline_options options;
	const struct pipeline_io *io;
	struct stats *stats;
	struct tracker *tracker;
	struct schedule schedule;
};

int pipeline_new(struct pipeline **out, const struct pipeline_options *options,
		 const struct pipeline_io *io, struct stats *stats, const struct moment *now)
{
	struct pipeline *p = calloc(1, sizeof *p);
	int r;

	if (!p)
		return -ENOMEM;
	p->options = *options;
	p->io = io;
	p->stats = stats;
	schedule_init(&p->schedule, moment_mono_ms(now));
	r = tracker_new(&p->tracker, &options->tracker, stats);
	if (r < 0) {
		free(p);
		return r;
	}
	*out = p;
	return 0;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < tracker_count(p->tracker); i++)
		p->io->untracked(p->io->ctx, tracker_at(p->tracker, i));
	tracker_free(p->tracker);
	free(p);
}

const struct tracker *pipeline_tracker(const struct pipeline *p)
{
	return p->tracker;
}

/* --- who lives --- */

/* <base>.<type>.<id>: what an event without a body says. */
static int event_from_subject(const struct pipeline *p, const char *subject,
			      struct lifecycle_event *e, struct problem *problem)
{
	size_t base = strlen(p->options.lifecycle_base);
	const char *type, *id;

	*e = (struct lifecycle_event){ 0 };
	if (strncmp(subject, p->options.lifecycle_base, base) != 0 || subject[base] != '.')
		return problem_set(problem, PROBLEM_MALFORMED, "the subject is not an event's");
	type = subject + base + 1;
	id = strchr(type, '.');
	if (!id)
		return problem_set(problem, PROBLEM_MALFORMED,
				   "the event has no body and its subject no id");
	e->type = event_type_parse(type, (size_t)(id - type));
	id++;
	if (!ident_valid(id, strlen(id)))
		return problem_set(problem, PROBLEM_MALFORMED,
				   "the id in the subject may be " IDENT_RULE);
	memcpy(e->instance_id, id, strlen(id) + 1);
	return 0;
}

/* The last word on an instance: watchers are told, and it is gone. */
static void send_final(struct pipeline *p, struct instance *i, const struct moment *now)
{
	struct wire_sample last = { .sequence = ++i->sequence, .final = true };
	uint8_t body[WIRE_SAMPLE_MAX];
	size_t len;

	memcpy(last.instance_id, i->id, sizeof last.instance_id);
	last.sample.at_ms = now->wall_ms;
	for (int m = 0; m < METRIC_COUNT; m++)
		last.sample.value[m] = NAN;
	len = wire_encode_sample(&last, body);
	p->io->publish(p->io->ctx, i, body, len);
}

static const char *give_up_reading(struct pipeline *p, struct instance *i)
{
	if (!i->reading_under_way)
		return NULL;
	i->reading_under_way = false;
	return p->io->give_up_reading(p->io->ctx, i);
}

static void end_instance(struct pipeline *p, struct instance *i, const struct moment *now)
{
	schedule_remove(&p->schedule, &i->due);
	give_up_reading(p, i);
	send_final(p, i, now);
	p->io->untracked(p->io->ctx, i);
	instance_free(i);
}

void pipeline_read_now(struct pipeline *p, struct instance *i, const struct moment *now)
{
	give_up_reading(p, i);
	i->readings = 0;
	i->failures = 0;
	schedule_add(&p->schedule, &i->due, moment_mono_ms(now));
}

static void apply(struct pipeline *p, struct lifecycle_event *e, const struct moment *now)
{
	struct instance *i;

	switch (tracker_apply(p->tracker, e, now, &i)) {
	case TRACKER_NOTHING:
		break;
	case TRACKER_TRACKED:
		p->io->tracked(p->io->ctx, i);
		pipeline_read_now(p, i, now);
		break;
	case TRACKER_CHANGED:
		pipeline_read_now(p, i, now);
		p->io->changed(p->io->ctx, i);
		break;
	case TRACKER_RESTARTED:
		pipeline_read_now(p, i, now);
		break;
	case TRACKER_UNTRACKED:
		end_instance(p, i, now);
		break;
	}
}

int pipeline_on_event(struct pipeline *p, const char *subject, const char *content_type,
		      const void *body, size_t len, const struct moment *now,
		      struct problem *problem)
{
	struct lifecycle_event e;
	int r;

	if (len > p->options.max_body) {
		p->stats->events_oversized++;
		return problem_set(problem, PROBLEM_TOO_LARGE,
				   "the event has %zu bytes: it may have %zu", len,
				   p->options.max_body);
	}
	if (len == 0)
		r = event_from_subject(p, subject, &e, problem);
	else
		r = wire_decode_event(wire_encoding(content_type, NULL, body, len), body, len, &e,
				      problem);
	if (r > 0)
		p->stats->events_malformed++;
	if (r != 0)
		return r;
	apply(p, &e, now);
	lifecycle_event_clear(&e);
	return 0;
}

/* --- when --- */

/*
 * Where in each interval this instance is read: all of them spread out by their ids, over a number of
 * phases. Those that share one are read together: what a reading touches is in the caches then, and
 * the samples go out in one write.
 */
static int64_t phase(const struct pipeline *p, const struct instance *i)
{
	uint64_t spread = ident_hash(i->id, strlen(i->id)) * 0x9e3779b97f4a7c15u;
	uint64_t which = (spread >> 32) * PIPELINE_PHASES >> 32;

	return (int64_t)(which * (uint64_t)p->options.interval_ms / PIPELINE_PHASES);
}

/* The first slot of its phase that is not before from_ms. */
static int64_t slot_from(const struct pipeline *p, const struct instance *i, int64_t from_ms)
{
	int64_t interval = p->options.interval_ms, past = (from_ms - phase(p, i)) % interval;

	return past > 0 ? from_ms - past + interval : from_ms - past;
}

/*
 * The second reading comes soon, so that rates appear; the third on the first slot at least half an
 * interval later; from then on one each interval. A stopped one that cannot be read waits longer.
 */
static int64_t next_reading_ms(const struct pipeline *p, const struct instance *i)
{
	int64_t interval = p->options.interval_ms, begun = i->reading_since_ms;
	int64_t soon = interval < PIPELINE_SECOND_READING_MS ? interval : PIPELINE_SECOND_READING_MS;
	int64_t wait = 1;

	if (i->stopped && i->failures > 0) {
		for (unsigned n = 1; n < i->failures && wait < PIPELINE_BACKOFF_MAX; n++)
			wait *= 2;
		if (wait > PIPELINE_BACKOFF_MAX)
			wait = PIPELINE_BACKOFF_MAX;
		return slot_from(p, i, begun + 1) + (wait - 1) * interval;
	}
	if (i->readings == 1)
		return begun + soon;
	if (i->readings == 2)
		return slot_from(p, i, begun + interval / 2);
	return slot_from(p, i, begun + 1);
}

static void begin_reading(struct pipeline *p, struct instance *i, const struct moment *now)
{
	if (i->readings < 3)
		i->readings++;
	i->reading_since_ms = moment_mono_ms(now);
	i->reading_under_way = true;
	p->stats->readings++;
	/* Its deadline, unless it ends before: one call may last at most one interval. */
	schedule_add(&p->schedule, &i->due, i->reading_since_ms + p->options.interval_ms);
	p->io->begin_reading(p->io->ctx, i);
}

void pipeline_note(struct instance *i, const char *error, const struct moment *now)
{
	if (snprintf(i->last_error, sizeof i->last_error, "%s", error) >= INSTANCE_ERROR_MAX)
		strcpy(i->last_error + INSTANCE_ERROR_MAX - sizeof "...", "...");
	i->last_error_ms = now->wall_ms;
}

static void fail(struct pipeline *p, struct instance *i, enum failure reason, const char *error,
		 const struct moment *now)
{
	p->stats->readings_failed++;
	stats_failure(p->stats, i->source, reason);
	if (i->failures < UINT32_MAX)
		i->failures++;
	pipeline_note(i, error, now);
	schedule_add(&p->schedule, &i->due, next_reading_ms(p, i));
}

static void time_out(struct pipeline *p, struct instance *i, const struct moment *now)
{
	const char *why = give_up_reading(p, i);
	char error[2 * INSTANCE_ERROR_MAX];

	p->stats->readings_timed_out++;
	snprintf(error, sizeof error, "no answer within %lld ms%s%s",
		 (long long)p->options.interval_ms, why ? ": " : "", why ? why : "");
	fail(p, i, FAILURE_SILENT, error, now);
}

bool pipeline_tick(struct pipeline *p, const struct moment *now, size_t max)
{
	int64_t now_ms = moment_mono_ms(now);

	for (size_t n = 0; n < max; n++) {
		struct schedule_entry *e = schedule_pop(&p->schedule, now_ms);
		struct instance *i;

		if (!e)
			return false;
		i = (struct instance *)((char *)e - offsetof(struct instance, due));
		if (i->reading_under_way) {
			time_out(p, i, now);
			if (i->due.due_ms > now_ms)
				continue;
			schedule_remove(&p->schedule, &i->due);
		}
		begin_reading(p, i, now);
	}
	return true;
}

int64_t pipeline_next_ms(const struct pipeline *p)
{
	return schedule_next_ms(&p->schedule);
}

/* --- reading → sample → ring and bus --- */

static void new_sample(struct pipeline *p, struct instance *i, const struct sample *s)
{
	uint8_t body[WIRE_SAMPLE_MAX];
	int saturated;
	size_t len;

	saturated = ring_append(i->ring, s);
	if (saturated < 0) {
		p->stats->samples_refused++;	/* watchers get it all the same */
	} else {
		p->stats->samples++;
		p->stats->values_saturated += (unsigned)saturated;
	}
	memcpy(i->latest.instance_id, i->id, sizeof i->latest.instance_id);
	i->latest.sequence = ++i->sequence;
	i->latest.sample = *s;
	i->has_latest = true;
	len = wire_encode_sample(&i->latest, body);
	p->io->publish(p->io->ctx, i, body, len);
}

void pipeline_on_reading(struct pipeline *p, struct instance *i, const struct reading *reading,
			 const struct moment *now)
{
	struct sample s;

	if (!i->reading_under_way)
		return;
	i->reading_under_way = false;
	i->failures = 0;
	i->last_error[0] = '\0';
	i->last_error_ms = 0;
	schedule_add(&p->schedule, &i->due, next_reading_ms(p, i));
	if (i->has_previous && reading_is_same(&i->previous, reading)) {
		p->stats->readings_repeated++;
		return;
	}
	rate_sample(i->has_previous ? &i->previous : NULL, reading, now->wall_ms, &s);
	i->previous = *reading;
	i->has_previous = true;
	new_sample(p, i, &s);
}

void pipeline_on_failure(struct pipeline *p, struct instance *i, enum failure reason,
			 const char *error, const struct moment *now)
{
	if (!i->reading_under_way)
		return;
	i->reading_under_way = false;
	fail(p, i, reason, error, now);
}
