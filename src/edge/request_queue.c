#include "request_queue.h"

#include <errno.h>
#include <stdlib.h>

int request_queue_init(struct request_queue *q, size_t capacity)
{
	*q = (struct request_queue){ .capacity = capacity };
	q->slots = calloc(capacity, sizeof *q->slots);
	return q->slots ? 0 : -ENOMEM;
}

void request_queue_clear(struct request_queue *q)
{
	struct pending_request r;

	while (request_queue_pop(q, &r))
		natsMsg_Destroy(r.message.msg);
	free(q->slots);
	q->slots = NULL;
}

bool request_queue_push(struct request_queue *q, const struct bus_message *m,
			enum query_kind kind)
{
	if (q->count == q->capacity)
		return false;
	q->slots[(q->first + q->count++) % q->capacity] = (struct pending_request){ *m, kind };
	return true;
}

bool request_queue_pop(struct request_queue *q, struct pending_request *out)
{
	if (q->count == 0)
		return false;
	*out = q->slots[q->first];
	q->first = (q->first + 1) % q->capacity;
	q->count--;
	return true;
}

size_t request_queue_count(const struct request_queue *q)
{
	return q->count;
}
