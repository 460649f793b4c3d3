/* http_gets - requests of a test, and the loop that brings them to an end. */
#ifndef METER_TEST_HTTP_GETS_H
#define METER_TEST_HTTP_GETS_H

#include <stdbool.h>

#include "http.h"

#define MAX_BYTES 1000

static struct loop loop;
static struct stats stats;
static struct http *http;

/* One request and what came of it. */
struct get {
	struct http_op *op;
	char body[MAX_BYTES + 1];
	size_t len;
	int done;
	int status;
	char type[HTTP_CONTENT_TYPE_MAX];
	char why[HTTP_WHY_MAX];
	struct http_op **cancels;	/* at the first chunk */
};

static void on_chunk(void *ctx, const void *data, size_t len)
{
	struct get *g = ctx;

	assert_true(len <= MAX_BYTES - g->len);
	memcpy(g->body + g->len, data, len);
	g->len += len;
	if (g->cancels) {
		http_cancel(*g->cancels);
		*g->cancels = NULL;
		g->cancels = NULL;
	}
}

static void on_done(void *ctx, const struct http_result *result)
{
	struct get *g = ctx;

	assert_int_equal(g->done, 0);
	g->done++;
	g->op = NULL;
	g->status = result->status;
	snprintf(g->type, sizeof g->type, "%s", result->content_type);
	snprintf(g->why, sizeof g->why, "%s", result->why);
}

/* With what else the request has. */
static int get_with(struct get *g, struct http_request r)
{
	int result;

	r.max_bytes = MAX_BYTES;
	r.on_chunk = on_chunk;
	r.on_done = on_done;
	r.ctx = g;
	result = http_get(http, &r, &g->op);

	assert_int_equal(g->done, 0);	/* never from inside */
	return result;
}

static void turn(void)
{
	assert_int_equal(event_base_loop(loop.base, EVLOOP_ONCE), 0);
	loop.in_pass = false;
}

static void wait_for(const struct get *g)
{
	while (!g->done)
		turn();
}

static void has_words(const char *text, const char *words)
{
	if (!strstr(text, words) || !*text)
		fail_msg("\"%s\" is not in \"%s\"", words, text);
}

#endif
