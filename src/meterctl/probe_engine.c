#include "probe_engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

struct question {
	struct loop loop;
	struct container *found;
	char *why;
	int result;
};

static void on_answer(void *ctx, const struct container *found, const char *why)
{
	struct question *q = ctx;

	if (found) {
		*q->found = *found;
		q->result = 0;
	} else {
		snprintf(q->why, SOURCE_ERROR_MAX, "%s", why);
		q->result = FAILURE_ABSENT;
	}
	loop_stop(&q->loop);
}

int probe_engine_ask(const struct config *config, const char *name, struct container *found,
		     char why[SOURCE_ERROR_MAX])
{
	struct stats stats = { 0 };
	struct question q = { .found = found, .why = why };
	struct engine_question *asked;
	struct engines *engines = NULL;
	struct http *http = NULL;
	struct sockets sockets;
	int r;

	/* The setting was checked together with the root. */
	sockets_parse(config->engine_sockets, config->host_root, &sockets);
	r = loop_init(&q.loop, &stats);
	if (r == 0)
		r = http_new(&http, &q.loop, NULL);
	if (r == 0)
		r = engines_new(&engines, &q.loop, http, &sockets, &stats);
	if (r == 0)
		r = engines_ask(engines, name, on_answer, &q, &asked);
	if (r == 0) {
		loop_run(&q.loop, NULL, NULL);
		r = q.result;
	}
	engines_free(engines);
	http_free(http);
	loop_deinit(&q.loop);
	return r;
}
