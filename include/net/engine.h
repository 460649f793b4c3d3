/*
 * engine - asks container engines (Docker, Podman) on their unix sockets for a container by its name.
 *
 * Engines are asked one after the other until one has it running. One that fails is left alone for a
 * while, and questions that come meanwhile are answered with its last words at once, so that an engine
 * that hangs holds up nothing but the few questions it already has. Loop thread only.
 */
#ifndef METER_ENGINE_H
#define METER_ENGINE_H

#include "container_answer.h"
#include "http.h"
#include "sockets.h"
#include "stats.h"

/* Questions under way; the others wait their turn, the oldest first. */
#define ENGINE_QUESTIONS_MAX 16
/* How long one engine may take for one answer, and how long that may be. */
#define ENGINE_TIMEOUT_MS 2000
#define ENGINE_ANSWER_MAX ((size_t)256 << 10)
/* An engine that fails is not asked for this long, doubled each time it fails again. */
#define ENGINE_SUSPEND_MIN_MS 1000
#define ENGINE_SUSPEND_MAX_MS 60000
/* What engines take as a name. */
#define ENGINE_NAME_MAX 255
#define ENGINE_NAME_RULE "1 to 255 of A-Z a-z 0-9 _ . -, the first one a letter or digit"

struct engines;
struct engine_question;

/* Everything is borrowed; the sockets are copied. -ENOMEM. */
int engines_new(struct engines **out, struct loop *loop, struct http *http,
		const struct sockets *sockets, struct stats *stats);
/* What is under way is dropped without a word. Before http; not from a callback. NULL is fine. */
void engines_free(struct engines *e);

size_t engines_count(const struct engines *e);

/*
 * 0 and *out until it is answered, which is never before this returns; -ENOMEM. name is copied. To done
 * found is the container, or NULL and why one sentence; both last as long as the call, and the question
 * is gone by then.
 */
int engines_ask(struct engines *e, const char *name,
		void (*done)(void *ctx, const struct container *found, const char *why), void *ctx,
		struct engine_question **out);
void engines_cancel(struct engine_question *q);		/* NULL is fine */

#endif
