/*
 * group - blocks, 32 as a rule, packed as small as they get: all but the newest few hours of a
 * ring is in groups.
 *
 *   | head | models of the coded columns | metadata | block 0: time, cpu, ... | block 1: ... |
 *
 *   head       which columns are constant, and their code; bounds of the lateness of all samples
 *   metadata   one packed series (packed.h) of a number for each block:
 *                start · before · after · rows   its times
 *                where                           its values begin, less block x pace
 *                and for each coded column:      bits of its values · anchor, if told from the
 *                                                value before · exact sum (not of times) ·
 *                                                absent readings, if the group has any
 *   block      values of each column that is not constant, coded by its model (model.h)
 *
 * A question whose bucket holds a block reads its sums in the metadata. A block that a bucket's
 * edge cuts is decoded up to that edge; what comes after it is the sum less what was decoded, which
 * is exact (code.h).
 */
#ifndef METER_GROUP_H
#define METER_GROUP_H

#include "block.h"
#include "group_column.h"
#include "model.h"
#include "packed.h"

/* Of the mean length of a block, in bits. */
#define GROUP_PACE_BITS 20

struct group {
	int64_t start_ms;
	uint32_t rows;
	uint32_t time_least;		/* codes of all times are between these */
	uint32_t time_greatest;
	uint32_t constant[COLUMN_COUNT];	/* the code of all rows, where it is not coded */
	uint32_t unordered;		/* a bit for each block that is not ordered */
	uint16_t n_blocks;
	uint8_t coded;			/* a bit for each column that has a model */
	uint8_t missing;		/* a bit for each that has absent readings */
	struct model *models[];		/* a reference each, then the bits */
};

/* --- making --- */

/* A group in the making, a column at each step. Zeroed is fine. */
struct group_maker {
	unsigned columns;	/* done */
	struct group_column *column[COLUMN_COUNT];
};

/*
 * Does the next step for these blocks, which stay the same until it is done. The last step gives
 * *out, the caller's to group_free(), and the maker is zeroed again; until then *out is NULL.
 * -ENOMEM: the same step may be tried again. Cost: a step is a column of 2,048 rows
 * (group_column.h).
 */
int group_maker_step(struct group_maker *m, struct sealed_block *const *blocks, unsigned n_blocks,
		     int64_t interval_ms, struct models *models, struct group **out);
void group_maker_clear(struct group_maker *m);
size_t group_maker_bytes(const struct group_maker *m);

void group_free(struct group *g);
size_t group_bytes(const struct group *g);	/* without models */

/* --- reading --- */

/* A group whose metadata has been found. Borrows the group. */
struct group_view {
	const struct group *group;
	int64_t interval_ms;
	const uint8_t *bits;
	struct packed start, before, after, rows;
	struct packed where;		/* less block x pace */
	size_t pace;			/* bits a block, on average */
	size_t blocks_at;		/* bit of the first block */
	struct packed length[COLUMN_COUNT];
	struct packed sum[COLUMN_COUNT];
	struct packed anchor[COLUMN_COUNT];
	struct packed missing[COLUMN_COUNT];
	struct model *model[COLUMN_COUNT];
};

void group_view_init(struct group_view *v, const struct group *g, int64_t interval_ms);
void group_block_times(const struct group_view *v, unsigned block, struct block_times *out);
void group_block_totals(const struct group_view *v, unsigned block, struct block_totals *out);

/* Rows of one block, by column, with room for what decoding does too much. */
#define DECODED_ROWS (BLOCK_ROWS + 2)

/*
 * Decoders are made when they are first needed, and kept for the groups that share their models.
 * They know models by address: none may be freed meanwhile.
 */
struct group_decoders {
	struct decoder column[COLUMN_COUNT];
};

void group_decoders_init(struct group_decoders *d);

/*
 * The first rows, at least one, of the columns in the set (a bit each), and of columns that these are told from.
 */
void group_block_codes(const struct group_view *v, struct group_decoders *d, unsigned block,
		       unsigned columns, unsigned rows, uint32_t out[COLUMN_COUNT][DECODED_ROWS]);

#endif
