/*
 * instance - one live instance: who it is, how it is doing, and its ring.
 *
 * Made and ended by the tracker, read by queries, fed by the pipeline. Loop thread only.
 */
#ifndef METER_INSTANCE_H
#define METER_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "hash_table.h"
#include "lifecycle.h"
#include "origin.h"
#include "reading.h"
#include "ring.h"
#include "schedule.h"
#include "wire.h"

#define INSTANCE_ERROR_MAX 192

struct instance {
	char id[IDENT_MAX + 1];
	char *tenant_id;		/* NULL = not said */
	struct target target;
	int64_t tracked_since_ms;
	int64_t event_ms;		/* time of the last event applied: an older one changes nothing */
	bool stopped;			/* while it fails it is read less often */

	struct schedule_entry due;	/* of the next reading, or the deadline of the one under way */
	int64_t reading_since_ms;	/* monotonic; when the last reading was begun */
	bool reading_under_way;
	unsigned readings;		/* begun since it was tracked or started; stops at 3 */
	unsigned failures;		/* in a row */
	bool has_previous;
	struct reading previous;	/* the last good one */

	uint64_t sequence;		/* of the last sample */
	struct ring *ring;
	bool has_latest;
	struct wire_sample latest;	/* exact, as published */
	/* "" = the last reading was good, and so was the page of metrics, if it has one */
	char last_error[INSTANCE_ERROR_MAX];
	int64_t last_error_ms;
	enum source_kind source;	/* what reads it; SOURCE_NONE = not known yet */

	/* What its page of metrics told requests and latency by; the reader's; NULL = nothing. */
	const char *request_family;
	const char *latency_family;

	void *reader;			/* what reads it; owned by who made it, see struct pipeline_io */
	void *endpoints;		/* its own subscriptions, with --node; likewise */
	UT_hash_handle hh;
};

#endif
