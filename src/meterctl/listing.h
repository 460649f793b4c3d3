/*
 * listing - everything that all meterds behind a prefix track, gathered page by page.
 *
 * One meterd without a node answers for all. With --node there are many, all answer, and how many
 * is not known: a page is complete when for a while nobody answers any more.
 */
#ifndef METERCTL_LISTING_H
#define METERCTL_LISTING_H

#include <stddef.h>

#include "config.h"
#include "wire.h"

struct client;

struct listing {
	struct list_entry *entries;	/* owned, as are their strings; in byte order of id */
	size_t n;
	size_t cap;
	size_t answers;			/* of the first page: so many there are */
	char node[IDENT_MAX + 1];	/* of the last one that answered; "" = it has none */
};

/* On 0 *out goes to listing_clear(); else it is told what went wrong and *out owns nothing. */
int listing_gather(struct client *c, const struct config *config, struct listing *out);
void listing_clear(struct listing *l);

#endif
