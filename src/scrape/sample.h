/*
 * sample - one line that is a sample: name, labels, value, timestamp, exemplar.
 *
 * Reads what either format allows: any number of blanks and tabs between tokens, a comma after the
 * last label, the name as a quoted string among the labels. Timestamp and exemplar are checked and
 * not kept. Whether strings are UTF-8 is not looked at.
 */
#ifndef METER_SCRAPE_SAMPLE_H
#define METER_SCRAPE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "id.h"
#include "scrape.h"

/* A label with its id, so that it can be taken out of those of the set. */
struct sample_bound {
	bool there;
	double at;
	struct id id;
};

struct sample {
	const char *name;	/* one in quotes: points into the line, or at name_text */
	size_t name_len;
	struct id labels;	/* all of them; one that is empty is as good as none */
	struct sample_bound le;
	struct sample_bound quantile;
	struct id server;	/* Caddy's */
	struct id handler;
	bool own_proxy;		/* HAProxy's own */
	bool destination;	/* Istio: told by the one who serves */
	double value;
	bool openmetrics;	/* has what the text format does not know */
	const char *wrong;	/* half a sentence, when it cannot be read */
	char name_text[SCRAPE_NAME_MAX + 1];	/* of a quoted name with escapes */
};

static inline bool sample_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline const char *sample_skip_blanks(const char *p, const char *end)
{
	while (p < end && sample_is_blank(*p))
		p++;
	return p;
}

/*
 * line[0..end) without its line feed, and not blank. name_end is where its name ends, or line when
 * that is in the braces. False: s->wrong says why. Cost some 100 ns.
 */
bool sample_read(struct sample *s, const char *line, const char *name_end, const char *end);

#endif
