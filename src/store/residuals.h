/*
 * residuals - one column of the blocks that become a group, and what is left of it to tell when
 * each value is predicted (model.h).
 */
#ifndef METER_RESIDUALS_H
#define METER_RESIDUALS_H

#include "block.h"
#include "model.h"

/* One column of all rows of a group to be. */
struct column_rows {
	unsigned n;
	unsigned n_blocks;
	unsigned first[GROUP_BLOCKS_MAX + 1];	/* row of each block */
	uint32_t code[GROUP_ROWS_MAX];
};

void column_rows_gather(struct column_rows *r, struct sealed_block *const *blocks,
			unsigned n_blocks, unsigned column);

/* What a model of one predictor has to tell: the residuals that each block has in its stream. */
struct residuals {
	enum predictor predictor;
	unsigned by;
	unsigned n;
	unsigned first[GROUP_BLOCKS_MAX + 1];
	uint32_t anchor[GROUP_BLOCKS_MAX];
	uint32_t value[GROUP_ROWS_MAX];
};

void residuals_from_nothing(struct residuals *r, const struct column_rows *rows);
/*
 * A block starts from its first reading. missing: some reading of the column is absent. Where none
 * is, that is the first row, which is left out.
 */
void residuals_from_previous(struct residuals *r, const struct column_rows *rows, bool missing);
/* by: the rows of column r->by */
void residuals_from_column(struct residuals *r, const struct column_rows *rows,
			   const struct column_rows *by);

#endif
