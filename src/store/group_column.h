/*
 * group_column - one column of the blocks that become a group, chosen a model for and told in bits.
 *
 * This is where most of the work of storing is done. It is done a column at a time, so that no
 * append has to wait for all of it: what is made waits here until all columns are.
 */
#ifndef METER_GROUP_COLUMN_H
#define METER_GROUP_COLUMN_H

#include "block.h"
#include "model_choice.h"

struct models {
	struct model *kept[COLUMN_COUNT][MODELS_KEPT];
};

void models_clear(struct models *m);

struct group_column {
	struct model *model;	/* a reference; NULL: all rows have the code `least` */
	uint32_t least;
	uint32_t greatest;
	bool missing;		/* some reading is absent */
	uint32_t bits;		/* of the stream */
	uint32_t at[GROUP_BLOCKS_MAX];		/* bit of the stream where each block begins */
	uint32_t anchor[GROUP_BLOCKS_MAX];	/* PREDICT_PREVIOUS: what each starts from */
	uint8_t stream[];
};

/*
 * The caller gives it to group_column_free(). NULL without memory. Cost: some 30 us where a kept
 * model serves, up to 150 us where one is made.
 */
struct group_column *group_column_new(struct sealed_block *const *blocks, unsigned n_blocks,
				      unsigned column, struct models *models);
void group_column_free(struct group_column *c);	/* NULL is fine */
size_t group_column_bytes(const struct group_column *c);

#endif
