#include "replay_report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "trace.h"

/*
 * A ring packs its samples in groups of at most so many: its memory goes up and down in that cycle,
 * and over a whole one the mean is the same wherever it begins.
 */
#define CYCLE_SAMPLES 2048

/* A trace on its way into a ring. */
struct filling {
	struct ring *ring;
	struct sample *rows;	/* the first of the trace, to be repeated */
	size_t n;
	size_t cap;
	size_t most;		/* none beyond is kept */
	int64_t least_ms;	/* of all times of the trace */
	int64_t greatest_ms;
	size_t next;		/* of rows, to go in next */
	int64_t moved_ms;	/* so far its time is moved on */
	int64_t gap_ms;		/* between the end of the trace and its next beginning */
	char *error;
	size_t error_size;
};

static int fail(const struct filling *f, const char *why)
{
	snprintf(f->error, f->error_size, "%s", why);
	return -1;
}

static int append(struct filling *f, const struct sample *s)
{
	int r = ring_append(f->ring, s);

	return r < 0 ? fail(f, strerror(-r)) : 0;
}

static int keep(struct filling *f, const struct sample *s)
{
	struct sample *rows = f->rows;

	if (f->n == f->most)
		return 0;
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 1024;

		rows = realloc(rows, cap * sizeof *rows);
		if (!rows)
			return fail(f, strerror(ENOMEM));
		f->rows = rows;
		f->cap = cap;
	}
	rows[f->n++] = *s;
	return 0;
}

/* The whole trace once. */
static int fill_once(struct filling *f, struct trace *t)
{
	struct sample s;
	int r;

	f->least_ms = INT64_MAX;
	f->greatest_ms = INT64_MIN;
	while ((r = trace_next(t, &s, f->error, f->error_size)) > 0) {
		if (s.at_ms < f->least_ms)
			f->least_ms = s.at_ms;
		if (s.at_ms > f->greatest_ms)
			f->greatest_ms = s.at_ms;
		if (append(f, &s) < 0 || keep(f, &s) < 0)
			return -1;
	}
	if (r == 0 && f->n == 0)
		return fail(f, "the trace has no rows");
	return r;
}

/* One sample more, of the repeated trace. */
static int fill_on(struct filling *f)
{
	struct sample s;

	if (f->next == f->n)
		f->next = 0;
	if (f->next == 0)
		f->moved_ms += f->greatest_ms - f->least_ms + f->gap_ms;
	s = f->rows[f->next++];
	s.at_ms += f->moved_ms;
	/* A trace of few rows that are years apart; nothing before can overflow. */
	if (s.at_ms > TRACE_TIME_MAX)
		return fail(f, "the trace is too short for the time it spans: "
			       "repeated, it goes on after the year 9999");
	return append(f, &s);
}

static int measure(struct filling *f, struct replay_report *out)
{
	double bytes = 0, per_sample = 0;

	for (int i = 0; i < CYCLE_SAMPLES; i++) {
		double now;

		if (fill_on(f) < 0)
			return -1;
		now = (double)ring_bytes(f->ring);
		bytes += now / CYCLE_SAMPLES;
		per_sample += now / (double)ring_count(f->ring) / CYCLE_SAMPLES;
	}
	out->samples = ring_count(f->ring);
	out->bytes_per_sample = round(per_sample * 1000) / 1000;
	out->bytes_per_instance = (uint64_t)(bytes + 0.5);
	out->instances_per_gib = (UINT64_C(1) << 30) / out->bytes_per_instance;
	return 0;
}

int replay_report(struct trace *t, size_t capacity, int64_t interval_ms, struct replay_report *out,
		  char *error, size_t error_size)
{
	/* A longer trace fills the ring by itself: of that no more is repeated than is measured. */
	struct filling f = {
		.most = capacity > CYCLE_SAMPLES ? capacity : CYCLE_SAMPLES,
		.gap_ms = interval_ms,
		.error = error,
		.error_size = error_size,
	};
	struct replay_report report = { .capacity = capacity };
	int r = ring_new(&f.ring, capacity, interval_ms);

	if (r < 0)
		return fail(&f, strerror(-r));
	r = fill_once(&f, t);
	while (r == 0 && ring_count(f.ring) < capacity)
		r = fill_on(&f);
	if (r == 0)
		r = measure(&f, &report);
	if (r == 0)
		*out = report;
	free(f.rows);
	ring_free(f.ring);
	return r;
}
