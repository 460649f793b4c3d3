/*
 * plain - what one would write first: an array of 80-byte structs, the oldest overwritten. Here to
 * be measured beside the ring, so it is as quick as such an array can be: times are taken to go
 * forward only, the window is found by binary search, buckets advance without a division.
 */
#ifndef METER_PLAIN_H
#define METER_PLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "range.h"
#include "sample.h"

struct plain_sample {
	int64_t at_ms;
	double value[METRIC_COUNT];
	uint64_t sequence;	/* what one such struct has besides */
	uint64_t flags;
};

struct plain {
	struct plain_sample *samples;
	size_t capacity;
	size_t oldest;
	size_t count;
	uint64_t appended;
};

/* Ends the process when there is no memory. */
void plain_init(struct plain *p, size_t capacity);
void plain_clear(struct plain *p);
void plain_append(struct plain *p, const struct sample *s);

/* As ring_range(), for all four aggregates or for the mean alone. -ENOMEM. */
int plain_range(const struct plain *p, const struct range_query *q, struct range_result *out);

#endif
