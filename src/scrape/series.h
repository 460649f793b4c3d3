/*
 * series - what one page says of one family: label sets, and the values of each.
 *
 * A counter has one value a set, a histogram one a bucket, at its upper bound le. Lines may come in
 * any order; series_finish() puts the values of a set together, by le.
 */
#ifndef METER_SCRAPE_SERIES_H
#define METER_SCRAPE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id.h"

struct series_set {
	struct id id;		/* of its labels, without le */
	struct id server;	/* Caddy's labels */
	struct id handler;
	uint32_t first;		/* of its values, once finished */
	uint32_t n;
};

struct series_value {
	uint32_t set;
	uint32_t at;		/* the how manieth value of the page */
	double le;
	double value;
};

struct series {
	struct series_set *set;
	struct series_value *value;
	uint32_t *slot;		/* hash table of sets: 1 + index, 0 = free */
	size_t n_sets, sets_cap;
	size_t n_values, values_cap;
	size_t slots;		/* a power of two, more than n_sets */
	uint32_t last;		/* the set of the last value: mostly that of the next one too */
	bool ordered;		/* values came by set and le */
};

/* A series that is all zero is an empty one. Empties it and keeps its memory: */
void series_clear(struct series *s);
void series_free(struct series *s);

/* -ENOMEM, and nothing was added. Of the set only what identifies it is read. */
int series_add(struct series *s, const struct series_set *set, double le, double value);
/* Returns how many values are left out, being told twice: of these the first counts. */
size_t series_finish(struct series *s);
/* The index of a set, or UINT32_MAX. */
uint32_t series_find(const struct series *s, struct id id);

size_t series_memory(const struct series *s);

#endif
