#include "engine.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "buffer.h"

/* Answers told in one pass; then others have their turn. */
#define TOLD_PER_PASS 64
/* A name or a socket is shown by so much of it. */
#define SHOWN_MAX 64

struct engine {
	const char *socket;
	unsigned failures;	/* in a row */
	int64_t silent_until_ms;	/* monotonic; not asked before */
	bool on_trial;		/* the one question that finds out whether it is back is under way */
	char why[SOURCE_ERROR_MAX];	/* of the last failure */
};

TAILQ_HEAD(question_list, engine_question);

struct engine_question {
	struct engines *engines;
	void (*done)(void *ctx, const struct container *found, const char *why);
	void *ctx;
	struct question_list *in;
	size_t at;		/* which engine */
	bool asked;		/* that one, and is counted as under way */
	bool trial;
	struct http_op *op;
	struct buffer body;
	struct container container;
	char why[SOURCE_ERROR_MAX];
	size_t why_len;
	TAILQ_ENTRY(engine_question) entry;
	char name[];
};

struct engines {
	struct loop *loop;
	struct http *http;
	struct stats *stats;
	struct event *wake;
	struct sockets sockets;
	struct engine engine[SOCKETS_MAX];
	size_t under_way;
	struct question_list waiting;	/* for their turn */
	struct question_list asked;
	struct question_list over;	/* to be told */
};

/* --- the sentence --- */

static void say(struct engine_question *q, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What does not fit is cut, and shows it. */
static void say(struct engine_question *q, const char *format, ...)
{
	size_t room = sizeof q->why - q->why_len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(q->why + q->why_len, room, format, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		q->why_len += (size_t)n;
		return;
	}
	q->why_len = sizeof q->why - 1;
	memcpy(q->why + q->why_len - 3, "...", 4);
}

static void say_name(struct engine_question *q)
{
	int len = (int)strlen(q->name);

	if (len <= SHOWN_MAX)
		say(q, "no engine knows container %s", q->name);
	else
		say(q, "no engine knows container %.*s...", SHOWN_MAX - 3, q->name);
}

/* The end of a path tells it apart. */
static void say_why(struct engine_question *q, const struct engine *engine, const char *why)
{
	const char *socket = engine->socket;
	size_t len = strlen(socket);

	say(q, "%s", q->at == 0 ? ": " : "; ");
	if (len <= SHOWN_MAX)
		say(q, "%s: %s", socket, why);
	else
		say(q, "...%s: %s", socket + len - (SHOWN_MAX - 3), why);
}

/* --- which engines can be asked --- */

static void engine_failed(struct engines *e, struct engine *engine, const char *why)
{
	int64_t now_ms = moment_mono_ms(&e->loop->now), wait = ENGINE_SUSPEND_MIN_MS;

	e->stats->engine_failures++;
	snprintf(engine->why, sizeof engine->why, "%s", why);
	/* Several that were under way together fail together: that is one failure. */
	if (now_ms < engine->silent_until_ms)
		return;
	for (unsigned i = 0; i < engine->failures && wait < ENGINE_SUSPEND_MAX_MS; i++)
		wait *= 2;
	if (wait > ENGINE_SUSPEND_MAX_MS)
		wait = ENGINE_SUSPEND_MAX_MS;
	engine->failures++;
	engine->silent_until_ms = now_ms + wait;
}

/*
 * Also when that cannot be understood, or is too long: much of it is written by who made the
 * container, and he may not keep us from asking for those of others.
 */
static void engine_answered(struct engine *engine)
{
	engine->failures = 0;
	engine->silent_until_ms = 0;
}

static bool can_ask(const struct engines *e, const struct engine *engine)
{
	return engine->failures == 0 ||
	       (moment_mono_ms(&e->loop->now) >= engine->silent_until_ms && !engine->on_trial);
}

/* --- one question --- */

/* to may be NULL: in none. */
static void move(struct engine_question *q, struct question_list *to)
{
	if (q->in)
		TAILQ_REMOVE(q->in, q, entry);
	q->in = to;
	if (to)
		TAILQ_INSERT_TAIL(to, q, entry);
}

static void wake(struct engines *e)
{
	event_active(e->wake, EV_TIMEOUT, 0);
}

/* The engine has nothing more to do with it. */
static void request_over(struct engine_question *q)
{
	struct engines *e = q->engines;

	q->op = NULL;
	q->asked = false;
	e->under_way--;
	if (q->trial)
		e->engine[q->at].on_trial = false;
	q->trial = false;
}

static void question_free(struct engine_question *q)
{
	buffer_clear(&q->body);
	free(q);
}

static void on_chunk(void *ctx, const void *data, size_t len)
{
	struct engine_question *q = ctx;

	buffer_add(&q->body, data, len);
}

static void ask(struct engines *e, struct engine_question *q);

/* true: that was the answer; false: the next engine may know it. */
static bool take_answer(struct engines *e, struct engine *engine, struct engine_question *q)
{
	char error[SOURCE_ERROR_MAX];
	int r = q->body.failed ? -ENOMEM
			       : container_answer_read(q->body.data, q->body.len, q->name,
						       &q->container, error);

	engine_answered(engine);
	if (r == CONTAINER_MALFORMED)
		e->stats->engine_failures++;
	if (r == CONTAINER_RUNS)
		e->stats->engine_found++;
	else if (r > 0 && r != CONTAINER_MALFORMED)
		e->stats->engine_unknown++;
	if (r != CONTAINER_RUNS)
		say_why(q, engine, r < 0 ? "out of memory" : error);
	return r == CONTAINER_RUNS;
}

static void on_done(void *ctx, const struct http_result *result)
{
	struct engine_question *q = ctx;
	struct engines *e = q->engines;
	struct engine *engine = &e->engine[q->at];
	char text[HTTP_WHY_MAX];
	bool found = false;

	request_over(q);
	snprintf(text, sizeof text, "%s", result->why);
	if (result->status != 0)
		snprintf(text, sizeof text, "it answers with HTTP status %d", result->status);
	if (result->status == 200) {
		found = take_answer(e, engine, q);
	} else if (result->status == 404) {
		engine_answered(engine);
		e->stats->engine_unknown++;
		say_why(q, engine, "no such container");
	} else {
		if (result->trouble == HTTP_TOO_LARGE) {
			e->stats->engine_failures++;
			engine_answered(engine);
		} else if (result->status == 0 || result->status >= 500) {
			engine_failed(e, engine, text);
		} else {
			engine_answered(engine);
		}
		say_why(q, engine, text);
	}
	buffer_clear(&q->body);
	if (found) {
		move(q, &e->over);
	} else {
		q->at++;
		ask(e, q);
	}
	wake(e);
}

/* 0, or -errno and nothing is under way. */
static int put(struct engines *e, struct engine_question *q)
{
	struct engine *engine = &e->engine[q->at];
	char url[sizeof "http://localhost/containers//json" + ENGINE_NAME_MAX];
	/* Without a version: Docker refuses old ones, and both serve this without. */
	struct http_request request = { .url = url, .unix_socket = engine->socket,
					.timeout_ms = ENGINE_TIMEOUT_MS, .max_bytes = ENGINE_ANSWER_MAX,
					.on_chunk = on_chunk, .on_done = on_done, .ctx = q };
	int r;

	snprintf(url, sizeof url, "http://localhost/containers/%s/json", q->name);
	r = http_get(e->http, &request, &q->op);
	if (r < 0)
		return r;
	e->stats->engine_questions++;
	e->under_way++;
	q->asked = true;
	q->trial = engine->failures > 0;
	engine->on_trial = engine->on_trial || q->trial;
	return 0;
}

/* Puts it to the next engine that can be asked; without one it is over. */
static void ask(struct engines *e, struct engine_question *q)
{
	for (; q->at < e->sockets.n; q->at++) {
		struct engine *engine = &e->engine[q->at];
		int r;

		if (!can_ask(e, engine)) {
			e->stats->engine_suspended++;
			say_why(q, engine, engine->why);
			continue;
		}
		r = put(e, q);
		if (r == 0)
			return;
		say_why(q, engine, r == -ENOMEM ? "out of memory" : "too many requests under way");
	}
	move(q, &e->over);
}

/* --- all of them --- */

static void tell(struct engine_question *q)
{
	bool found = q->container.pid > 0;

	move(q, NULL);
	q->done(q->ctx, found ? &q->container : NULL, found ? NULL : q->why);
	question_free(q);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct engines *e = ctx;
	struct engine_question *q;

	(void)fd, (void)what;
	loop_enter(e->loop);
	for (int n = 0; n < TOLD_PER_PASS; n++) {
		while (e->under_way < ENGINE_QUESTIONS_MAX && TAILQ_EMPTY(&e->over) &&
		       (q = TAILQ_FIRST(&e->waiting))) {
			move(q, &e->asked);
			ask(e, q);
		}
		q = TAILQ_FIRST(&e->over);
		if (!q)
			return;
		tell(q);
	}
	wake(e);
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	if (len > ENGINE_NAME_MAX || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
			return false;
	return true;
}

int engines_ask(struct engines *e, const char *name,
		void (*done)(void *ctx, const struct container *found, const char *why), void *ctx,
		struct engine_question **out)
{
	struct engine_question *q = calloc(1, sizeof *q + strlen(name) + 1);

	if (!q)
		return -ENOMEM;
	q->engines = e;
	q->done = done;
	q->ctx = ctx;
	strcpy(q->name, name);
	if (is_name(name)) {
		say_name(q);
		move(q, &e->waiting);
	} else {
		say(q, "container_name is not " ENGINE_NAME_RULE);
		move(q, &e->over);
	}
	wake(e);
	*out = q;
	return 0;
}

void engines_cancel(struct engine_question *q)
{
	struct engines *e;

	if (!q)
		return;
	e = q->engines;
	move(q, NULL);
	if (q->asked) {
		http_cancel(q->op);
		request_over(q);
		wake(e);
	}
	question_free(q);
}

size_t engines_count(const struct engines *e)
{
	return e->sockets.n;
}

int engines_new(struct engines **out, struct loop *loop, struct http *http,
		const struct sockets *sockets, struct stats *stats)
{
	struct engines *e = calloc(1, sizeof *e);

	if (!e)
		return -ENOMEM;
	e->loop = loop;
	e->http = http;
	e->stats = stats;
	e->sockets = *sockets;
	for (size_t i = 0; i < sockets->n; i++)
		e->engine[i].socket = e->sockets.path[i];
	TAILQ_INIT(&e->waiting);
	TAILQ_INIT(&e->asked);
	TAILQ_INIT(&e->over);
	e->wake = event_new(loop->base, -1, 0, on_wake, e);
	if (!e->wake) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

void engines_free(struct engines *e)
{
	struct engine_question *q;

	if (!e)
		return;
	while ((q = TAILQ_FIRST(&e->waiting)) || (q = TAILQ_FIRST(&e->asked)) ||
	       (q = TAILQ_FIRST(&e->over)))
		engines_cancel(q);
	event_free(e->wake);
	free(e);
}
