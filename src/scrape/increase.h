/*
 * increase - how much the series of a family grew from one page to the next.
 *
 * Each series grows for itself; one below its value before began anew, and grew by what it is.
 */
#ifndef METER_SCRAPE_INCREASE_H
#define METER_SCRAPE_INCREASE_H

#include "kept.h"
#include "names.h"
#include "scrape.h"
#include "series.h"

struct increase {
	const struct kept *before;
	const struct kept *now;		/* made of page */
	const struct series *page;
	enum family_rule rule;
};

/*
 * Of a counter. A label set that is new in this page counts from 0: the process that made it has
 * counted all of that since the page before. One that was there earlier, went and came back adds
 * nothing. Absent when no set was in the page before: then all that is known may be another thing.
 * -ENOMEM, else *why.
 */
int increase_of_counter(const struct increase *in, double *increase, enum scrape_why *why);

/*
 * The quantile q of a histogram's increase, in its own unit: what Prometheus makes of
 * histogram_quantile(q, sum by (le) (increase(x_bucket[w]))) where w begins with the one page and
 * ends with the other. As there, a label set that was not in both pages adds nothing. (In a wider
 * w Prometheus extrapolates each series to its ends, all by the same factor, which a quantile does
 * not see, but for series that would have been below 0 at the beginning.)
 */
int increase_quantile(const struct increase *in, double q, double *value, enum scrape_why *why);

#endif
