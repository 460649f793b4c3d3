/*
 * pick - the family of one kind that a page is read by: the best of those it has.
 *
 * A page is read once, so the best so far is kept, and let go of when a better one shows up.
 */
#ifndef METER_SCRAPE_PICK_H
#define METER_SCRAPE_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"
#include "sample.h"
#include "scrape.h"
#include "series.h"

/* The family of a page. */
struct choice {
	bool any;
	uint8_t order;		/* of the family in its list */
};

struct pick {
	struct choice before;	/* of the page before: the best as long as it is there */
	struct choice now;
	unsigned rank;		/* of now, 0 is the best */
	const struct family *family;	/* NULL: none yet */
	enum name_role role;
	struct series series;
	size_t told;		/* series, duplicates and those beyond the bound too */
	bool too_many;
	bool bad_value;
	double greatest;	/* of quantiles */
};

/* Takes a sample of a name of this kind, if it is of the best family so far. -ENOMEM. */
int pick_take(struct pick *p, const struct name *name, const struct sample *s, double q,
	      size_t max_series);
/* SCRAPE_PRESENT, or why nothing can be made of it. Puts the series in order first. */
enum scrape_why pick_finish(struct pick *p, size_t *duplicates);

#endif
