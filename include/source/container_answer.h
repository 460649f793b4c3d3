/*
 * container_answer - what an engine says of one container, in the JSON that Docker and Podman share.
 */
#ifndef METER_CONTAINER_ANSWER_H
#define METER_CONTAINER_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define CONTAINER_ID_LEN 64	/* digits of 0-9 and a-f */

struct container {
	char id[CONTAINER_ID_LEN + 1];
	int64_t pid;		/* of its first process, as the host counts */
};

enum container_answer {
	CONTAINER_RUNS = 0,
	CONTAINER_IDLE,		/* made, stopped or paused on its way: it has no process */
	CONTAINER_OTHER,	/* engines also take the beginning of an id for a name */
	CONTAINER_MALFORMED,
};

/*
 * The body of GET /containers/<name>/json: {"Id", "Name", "State": {"Running", "Pid"}}. *out is
 * filled when it runs, else there is a sentence in error. -ENOMEM. 256 KiB take at most some 20 ms.
 */
int container_answer_read(const void *body, size_t len, const char *name, struct container *out,
			  char error[SOURCE_ERROR_MAX]);

#endif
