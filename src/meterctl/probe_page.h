/*
 * probe_page - a workload's page of metrics, fetched and waited for.
 */
#ifndef METERCTL_PROBE_PAGE_H
#define METERCTL_PROBE_PAGE_H

#include "config.h"
#include "reading.h"
#include "source.h"

/* What was taken from a page, in words. */
#define PROBE_FOUND_MAX 320

struct probe_page;

/* url is borrowed. 0, an enum failure with a sentence in why, -ENOMEM. */
int probe_page_new(struct probe_page **out, const struct config *config, const char *url,
		   char why[SOURCE_ERROR_MAX]);
void probe_page_free(struct probe_page *p);	/* NULL is fine */

/*
 * Waits as long as --metrics-timeout says. Sets what the page and the one before tell in *out, and
 * says in found what was taken from it, or why nothing was: then false.
 */
bool probe_page_read(struct probe_page *p, struct reading *out, char found[PROBE_FOUND_MAX]);

#endif
