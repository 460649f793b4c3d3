/*
 * request_queue - requests that wait for their answer, oldest first, up to a bound.
 */
#ifndef METER_REQUEST_QUEUE_H
#define METER_REQUEST_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "bus.h"
#include "query.h"

struct pending_request {
	struct bus_message message;
	enum query_kind kind;
};

struct request_queue {
	struct pending_request *slots;
	size_t capacity;
	size_t first;
	size_t count;
};

int request_queue_init(struct request_queue *q, size_t capacity);	/* -ENOMEM */
void request_queue_clear(struct request_queue *q);	/* destroys what waits; zeroed is fine */

/* Takes the message over; false when full: it is still the caller's. */
bool request_queue_push(struct request_queue *q, const struct bus_message *m,
			enum query_kind kind);
bool request_queue_pop(struct request_queue *q, struct pending_request *out);	/* false = empty */
size_t request_queue_count(const struct request_queue *q);

#endif
