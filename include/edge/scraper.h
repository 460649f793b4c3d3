/*
 * scraper - fetches the pages of metrics of instances, and makes requests and latency of them.
 *
 * A page belongs to one reading and ends before the next one: its deadline lies within the interval.
 * Nothing of a page is held but what scrape.h keeps. Loop thread only.
 */
#ifndef METER_SCRAPER_H
#define METER_SCRAPER_H

#include <stdbool.h>

#include "config.h"
#include "instance.h"
#include "loop.h"
#include "source.h"

/* Pages under way at once, if there may be as many connections; what is beyond is counted. */
#define SCRAPER_REQUESTS_MAX 1024

struct scraper;
struct scraped;		/* one instance and its page, from one reading to the next */

struct scraper_options {
	const struct config *config;
	struct loop *loop;
	size_t max_connections;		/* open at once, those kept for the next page too; above 0 */
	/* What stands for {container_ip}; false = it has no such address. */
	bool (*address)(void *ctx, struct instance *i, char out[SOURCE_ADDRESS_MAX]);
	/* The end of what scraped_begin() began; never from inside it. */
	void (*done)(void *ctx, struct instance *i);
	void *ctx;
};

/* Everything is borrowed. -ENOMEM. */
int scraper_new(struct scraper **out, const struct scraper_options *options);
void scraper_free(struct scraper *s);	/* after all instances; NULL is fine */

/* Does its Target or the template say where a page is? What has none costs no more than this. */
bool scraper_concerns(const struct scraper *s, const struct instance *i);

/* The instance is borrowed; its families are told there. -ENOMEM. */
int scraped_new(struct scraped **out, struct scraper *s, struct instance *i);
void scraped_free(struct scraped *d);	/* NULL is fine */

enum scraped_begun {
	SCRAPED_NO_PAGE,	/* a variable of the template has no value (yet) */
	SCRAPED_UNDER_WAY,
	SCRAPED_ENDED,		/* at once, with a sentence */
};

enum scraped_begun scraped_begin(struct scraped *d);
bool scraped_is_under_way(const struct scraped *d);
/* What is under way is forgotten; what is known of the page before stays. */
void scraped_give_up(struct scraped *d);
/*
 * The counters have begun anew, elsewhere maybe: no page of before, and none that is under way, is
 * compared with anything.
 */
void scraped_restart(struct scraped *d);

/*
 * Adds what the page told to *out. NULL, or why there is no page: one sentence, which lasts as long
 * as there is no other call.
 */
const char *scraped_result(const struct scraped *d, struct reading *out);

#endif
