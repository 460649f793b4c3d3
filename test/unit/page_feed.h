/*
 * page_feed - pages for tests of scrape: from files, and fed to it whole or in pieces.
 */
#ifndef METER_PAGE_FEED_H
#define METER_PAGE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scrape.h"

#define PAGE_INTERVAL_NS 10000000000ll	/* between two pages */

/*
 * A captured page by its name, with a 0 behind it. To be freed; ends the test when it is not there.
 */
char *page_load(const char *name, size_t *len);

/* How a page comes: in pieces of 1 to most bytes by chance, or of exactly most when seed is 0. */
struct page_pieces {
	size_t most;	/* 0 = whole */
	uint64_t seed;
};

/* Begins, feeds and ends. Returns what scrape_end() does. */
int page_feed_all(struct scrape *s, const char *text, size_t len, bool openmetrics,
		  struct page_pieces how, int64_t mono_ns, struct scrape_result *out);

/* The same whatever the pieces: every field, numbers to the bit. */
bool page_results_equal(const struct scrape_result *a, const struct scrape_result *b);

#endif
