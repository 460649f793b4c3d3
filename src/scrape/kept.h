/*
 * kept - what is kept of one family from one page to the next, packed into one allocation.
 *
 * Most label sets of a histogram have the same bounds: these are kept once, as a layout. The sets
 * of the page come first and in its order; behind them, while there is room, sets of earlier pages
 * that are gone: one that comes back is not taken for a new one.
 */
#ifndef METER_SCRAPE_KEPT_H
#define METER_SCRAPE_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "id.h"
#include "scrape.h"
#include "series.h"

/* Upper bounds, growing; a counter has the one bound 0. */
struct layout {
	uint32_t first;	/* in bound */
	uint32_t n;
};

struct kept_set {
	struct id id;
	uint32_t first;		/* its values, one a bound; one that is gone has none */
	uint32_t layout;
};

struct kept {
	size_t bytes;		/* all of it */
	uint32_t n_sets;
	uint32_t n_present;	/* those of the page */
	uint32_t n_values;
	uint32_t n_layouts;
	struct kept_set *set;
	double *value;
	double *bound;
	struct layout layout[];
};

/*
 * Of a finished page; sets keep their indices. gone is the number of ids in the list of those that
 * are gone. 0; > 0: there are more than SCRAPE_LAYOUTS_MAX layouts; -ENOMEM.
 */
int kept_new(struct kept **out, const struct series *page, const struct id *gone, size_t n_gone);
void kept_free(struct kept *k);	/* NULL is fine */

#endif
