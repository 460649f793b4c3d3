/*
 * locator - finds the containers of instances by their names: asks the engines at once, and goes on
 * asking while there is none.
 *
 * Each search backs off by itself, and all of them together ask again at a bounded rate, so that any
 * number of instances that live elsewhere costs an engine next to nothing. Searches that have just begun
 * and those that go on for long take turns. Loop thread only.
 */
#ifndef METER_LOCATOR_H
#define METER_LOCATOR_H

#include "engine.h"
#include "instance.h"

/* Asked again after this long, doubled each time. */
#define LOCATOR_BACKOFF_MIN_MS 250
#define LOCATOR_BACKOFF_MAX_MS 60000
/* Of all instances together; what is asked at first does not count. */
#define LOCATOR_RETRIES_PER_SECOND 10
/* Its first retries, within some 4 s: a search that has just begun. */
#define LOCATOR_YOUNG_RETRIES 4
/* How long a reading waits for the first answer at most; never longer than half an interval. */
#define LOCATOR_WAIT_MS 2000

struct locator;
struct search;		/* one instance's */

struct locator_options {
	int64_t interval_ms;
	/*
	 * It runs: true = taken, the search is over and to be freed; false with a sentence: it goes on.
	 * awaited: a reading waits for this.
	 */
	bool (*found)(void *ctx, struct instance *i, const struct container *container, bool awaited,
		      char error[SOURCE_ERROR_MAX]);
	/* A reading waits for it, and need not any longer. */
	void (*not_found)(void *ctx, struct instance *i);
	void *ctx;
};

/* Everything is borrowed. -ENOMEM. */
int locator_new(struct locator **out, struct loop *loop, struct engines *engines,
		const struct locator_options *options);
void locator_free(struct locator *l);	/* after all searches, before the engines; NULL is fine */

/* No engine is set: there is nobody to ask. */
bool locator_is_idle(const struct locator *l);

/* Asks at once, and for it a reading waits: the end of that is told, but not from inside. -ENOMEM. */
int search_new(struct search **out, struct locator *l, struct instance *i);
/* The same once more, with the backoff begun anew; what is under way counts as asked. -ENOMEM. */
int search_again(struct search *s);
/* The reading no longer waits, the search goes on. true = it did wait. */
bool search_give_up(struct search *s);
void search_free(struct search *s);	/* NULL is fine */

/* The last answer, one sentence. */
const char *search_why(const struct search *s);

#endif
