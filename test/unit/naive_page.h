/*
 * naive_page - pages of metrics read in the simplest way: lines cut up into strings, everything
 * kept, labels sorted and compared as text. What scrape makes of two pages is held against this.
 */
#ifndef METER_NAIVE_PAGE_H
#define METER_NAIVE_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct naive_page;

/* Only well-formed pages. */
struct naive_page *naive_page_read(const char *text);
void naive_page_free(struct naive_page *p);
bool naive_page_has(const struct naive_page *p, const char *name);

/*
 * By how much a counter grew: a series of its own is one that has the same text, and counts from 0
 * when it is new. handlers: of each label server only the label handler with the most. NAN when no
 * series was there before.
 */
double naive_increase(const struct naive_page *before, const struct naive_page *now,
	const char *name,
		      bool handlers);
/* histogram_quantile(q, sum by (le) (increase(name_bucket))). */
double naive_quantile(const struct naive_page *before, const struct naive_page *now,
		      const char *name, double q, bool handlers);

#endif
