/*
 * walk - goes through the blocks of a ring that touch a window of time, oldest first, whatever
 * level they are on.
 */
#ifndef METER_WALK_H
#define METER_WALK_H

#include "group.h"
#include "levels.h"

struct walk {
	const struct ring *ring;
	int64_t since_ms;
	int64_t until_ms;

	/* The block that walk_next() came to. */
	struct block_times times;
	uint32_t time_least;	/* its codes of times are between these */
	uint32_t time_greatest;
	unsigned constant;	/* a bit for each column known to have one code in all rows */
	unsigned absent;	/* a bit for each that may have absent readings */

	/* Where it is. */
	size_t next_group;
	size_t next_block;		/* of the group, then of the ring */
	const struct sealed_block *sealed;
	const struct open_block *open;	/* neither: in the group that view shows */
	struct group_view view;
	struct group_decoders decoders;
	uint32_t codes[COLUMN_COUNT][DECODED_ROWS];
	const uint32_t *column[COLUMN_COUNT];
};

void walk_begin(struct walk *w, const struct ring *r, int64_t since_ms, int64_t until_ms);
/* False at the end. The block has rows; some of them may be outside the window. */
bool walk_next(struct walk *w);

void walk_totals(const struct walk *w, struct block_totals *out);
/*
 * w->column[c] are the codes of the first rows, for each column of the set (a bit each). rows >= 1.
 */
void walk_codes(struct walk *w, unsigned columns, unsigned rows);
/* The code of a column that is constant. */
uint32_t walk_constant(const struct walk *w, unsigned column);

#endif
