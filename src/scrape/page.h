/*
 * page - a page while it is read: lines out of pieces, and what the lines say.
 *
 * Lines that do not matter are passed over, whatever is in them, but for those whose name is in
 * quotes, which have to be read to know. One that matters and cannot be read refuses the page, as
 * in Prometheus, for a sum without it would be a wrong number.
 */
#ifndef METER_SCRAPE_PAGE_H
#define METER_SCRAPE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"
#include "pick.h"
#include "sample.h"
#include "scrape.h"

struct page {
	struct names names;
	struct pick pick[FAMILY_KINDS];
	struct sample sample;	/* of the line in hand */
	double quantile;
	size_t max_series;
	bool openmetrics;
	bool skipping;		/* in a line that does not matter */
	bool refused;
	uint64_t bytes;
	uint64_t lines;		/* ended ones */
	uint64_t eof_line;	/* number of the last "# EOF", 0 = there was none */
	char *carry;		/* the beginning of a line that came in pieces */
	size_t carry_len;
	size_t carry_cap;
	char error[SCRAPE_ERROR_MAX];
};

/* names, pick[].before, quantile and max_series are set by the caller, the rest is zero. */

/* 0; > 0: refused, and error says why; -ENOMEM. */
int page_feed(struct page *g, const char *data, size_t len);
/* No more bytes come. The same. */
int page_end(struct page *g);
void page_free(struct page *g);	/* NULL is fine */
size_t page_memory(const struct page *g);

#endif
