/*
 * What the tests of scrape share: pages given as text, each PAGE_INTERVAL_NS after the one before.
 */
#ifndef METER_SCRAPE_UNIT_H
#define METER_SCRAPE_UNIT_H

#include <math.h>

#include "page_feed.h"
#include "unit.h"

#define SECONDS (PAGE_INTERVAL_NS / 1e9)
#define NONE (-1.0)	/* absent */

static inline struct scrape *unit_scrape(const char *counter, const char *histogram)
{
	struct scrape_rules rules = { counter, histogram, 0, 0 };
	struct scrape *s;

	assert_int_equal(scrape_new(&s, &rules), 0);
	return s;
}

/* page is its number, which says when it was read. */
static inline int unit_page(struct scrape *s, const char *text, int page, struct scrape_result *out)
{
	return page_feed_all(s, text, strlen(text), false, (struct page_pieces){ 0 },
			     page * PAGE_INTERVAL_NS, out);
}

static inline void unit_number(double got, double want)
{
	if (want == NONE ? !isnan(got) : !(fabs(got - want) <= 1e-9 * fabs(want)))
		fail_msg("%.17g and not %.17g", got, want);
}

#endif
