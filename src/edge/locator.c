#include "locator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* What the control plane of this contract calls the container of an instance. */
#define DEFAULT_NAME "cp-%s"
/* Searches that come due in one pass; then others have their turn. */
#define DUE_PER_PASS 256

TAILQ_HEAD(search_queue, search);

struct search {
	struct locator *locator;
	struct instance *instance;
	struct engine_question *question;	/* NULL = none is under way */
	bool awaited;			/* by a reading */
	struct schedule_entry due;	/* with a question: that wait is over; without: ask again */
	unsigned retries;
	struct search_queue *in;	/* where it waits its turn to ask; NULL = it does not */
	TAILQ_ENTRY(search) entry;
	char why[SOURCE_ERROR_MAX];
};

struct locator {
	struct loop *loop;
	struct engines *engines;
	struct locator_options options;
	struct event *timer;
	int64_t timer_ms;		/* when it is armed for; -1 = not at all */
	struct schedule schedule;
	struct search_queue young;	/* the newest first: what only just appeared is found soon */
	struct search_queue old;	/* the oldest first */
	bool old_turn;
	int64_t next_turn_ms;
};

/* --- the one timer --- */

static bool has_queue(const struct locator *l)
{
	return !TAILQ_EMPTY(&l->young) || !TAILQ_EMPTY(&l->old);
}

static void arm(struct locator *l)
{
	int64_t due_ms = schedule_next_ms(&l->schedule), wait_ms;
	struct timeval wait;

	if (has_queue(l) && (due_ms < 0 || l->next_turn_ms < due_ms))
		due_ms = l->next_turn_ms;
	if (due_ms == l->timer_ms)
		return;
	l->timer_ms = due_ms;
	if (due_ms < 0) {
		event_del(l->timer);
		return;
	}
	wait_ms = due_ms - moment_mono_ms(&l->loop->now);
	if (wait_ms < 0)
		wait_ms = 0;
	wait = (struct timeval){ wait_ms / 1000, wait_ms % 1000 * 1000 };
	event_add(l->timer, &wait);
}

static void schedule_in(struct search *s, int64_t ms)
{
	struct locator *l = s->locator;

	schedule_add(&l->schedule, &s->due, moment_mono_ms(&l->loop->now) + ms);
}

/* --- waiting for a turn --- */

static void leave_queue(struct search *s)
{
	if (s->in)
		TAILQ_REMOVE(s->in, s, entry);
	s->in = NULL;
}

static void queue(struct search *s)
{
	struct locator *l = s->locator;

	if (s->retries <= LOCATOR_YOUNG_RETRIES) {
		s->in = &l->young;
		TAILQ_INSERT_HEAD(s->in, s, entry);
	} else {
		s->in = &l->old;
		TAILQ_INSERT_TAIL(s->in, s, entry);
	}
}

static struct search *next_in_turn(struct locator *l)
{
	struct search *young = TAILQ_FIRST(&l->young), *old = TAILQ_FIRST(&l->old);

	l->old_turn = !l->old_turn;
	if (!young || !old)
		return young ? young : old;
	return l->old_turn ? old : young;
}

/* --- one search --- */

static void retry_later(struct search *s)
{
	int64_t wait = LOCATOR_BACKOFF_MIN_MS;

	for (unsigned n = 0; n < s->retries && wait < LOCATOR_BACKOFF_MAX_MS; n++)
		wait *= 2;
	if (wait > LOCATOR_BACKOFF_MAX_MS)
		wait = LOCATOR_BACKOFF_MAX_MS;
	if (s->retries < UINT32_MAX)
		s->retries++;
	schedule_in(s, wait);
}

static void on_answer(void *ctx, const struct container *found, const char *why)
{
	struct search *s = ctx;
	struct locator *l = s->locator;
	bool awaited = search_give_up(s);

	s->question = NULL;
	if (found && l->options.found(l->options.ctx, s->instance, found, awaited, s->why))
		return;
	if (!found)
		snprintf(s->why, sizeof s->why, "%s", why);
	retry_later(s);
	arm(l);
	if (awaited)
		l->options.not_found(l->options.ctx, s->instance);
}

static int ask(struct search *s)
{
	char standard[sizeof DEFAULT_NAME + IDENT_MAX];
	const char *name = s->instance->target.container_name;

	if (!name || !*name) {
		snprintf(standard, sizeof standard, DEFAULT_NAME, s->instance->id);
		name = standard;
	}
	return engines_ask(s->locator->engines, name, on_answer, s, &s->question);
}

/* Its turn has come. */
static void ask_again(struct search *s)
{
	leave_queue(s);
	if (ask(s) < 0)
		retry_later(s);
}

static void on_due(struct search *s)
{
	struct locator *l = s->locator;

	if (!s->question) {
		queue(s);
		return;
	}
	snprintf(s->why, sizeof s->why, "the container engines have not answered yet");
	if (search_give_up(s))
		l->options.not_found(l->options.ctx, s->instance);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct locator *l = ctx;
	int64_t now_ms = moment_mono_ms(loop_enter(l->loop));
	struct schedule_entry *e;

	(void)fd, (void)what;
	l->timer_ms = -1;
	for (int n = 0; n < DUE_PER_PASS && (e = schedule_pop(&l->schedule, now_ms)); n++)
		on_due((struct search *)((char *)e - offsetof(struct search, due)));
	if (has_queue(l) && now_ms >= l->next_turn_ms) {
		ask_again(next_in_turn(l));
		l->next_turn_ms = now_ms + 1000 / LOCATOR_RETRIES_PER_SECOND;
	}
	arm(l);
}

/* --- from outside --- */

int search_again(struct search *s)
{
	struct locator *l = s->locator;
	int64_t wait = l->options.interval_ms / 2;
	int r = 0;

	leave_queue(s);
	schedule_remove(&l->schedule, &s->due);
	s->retries = 0;
	if (!s->question)
		r = ask(s);
	if (r < 0) {
		snprintf(s->why, sizeof s->why, "out of memory");
		retry_later(s);
	} else {
		s->awaited = true;
		schedule_in(s, wait < LOCATOR_WAIT_MS ? wait : LOCATOR_WAIT_MS);
	}
	arm(l);
	return r;
}

int search_new(struct search **out, struct locator *l, struct instance *i)
{
	struct search *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return -ENOMEM;
	s->locator = l;
	s->instance = i;
	r = search_again(s);
	if (r < 0) {
		search_free(s);
		return r;
	}
	*out = s;
	return 0;
}

bool search_give_up(struct search *s)
{
	bool awaited = s->awaited;

	s->awaited = false;
	if (s->question)
		schedule_remove(&s->locator->schedule, &s->due);
	return awaited;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	leave_queue(s);
	schedule_remove(&s->locator->schedule, &s->due);
	engines_cancel(s->question);
	free(s);
}

const char *search_why(const struct search *s)
{
	return s->why;
}

bool locator_is_idle(const struct locator *l)
{
	return engines_count(l->engines) == 0;
}

int locator_new(struct locator **out, struct loop *loop, struct engines *engines,
		const struct locator_options *options)
{
	struct locator *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->engines = engines;
	l->options = *options;
	l->timer_ms = -1;
	TAILQ_INIT(&l->young);
	TAILQ_INIT(&l->old);
	schedule_init(&l->schedule, moment_mono_ms(&loop->now));
	l->timer = evtimer_new(loop->base, on_timer, l);
	if (!l->timer) {
		free(l);
		return -ENOMEM;
	}
	*out = l;
	return 0;
}

void locator_free(struct locator *l)
{
	if (!l)
		return;
	event_free(l->timer);
	free(l);
}
