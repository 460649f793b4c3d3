/*
 * model_choice - which model tells a column in the fewest bits: one that the ring's last groups
 * had, or a new one.
 */
#ifndef METER_MODEL_CHOICE_H
#define METER_MODEL_CHOICE_H

#include "model.h"
#include "residuals.h"

/* The models of a column that its next group may share, the last used first. */
#define MODELS_KEPT 3

/* Everything that is known while one column is being made. */
struct choice {
	/* Set these first; all else is zero. */
	struct sealed_block *const *blocks;
	unsigned column;
	bool missing;
	/* Codes so far apart that a difference may look like CODE_ABSENT: nothing is predicted. */
	bool spread;
	struct column_rows rows;

	struct column_rows by;			/* the rows of the column r.by, if that predicts */
	struct residuals r;		/* of the predictor looked at last */
	bool has_residuals;
	struct model *best;
	size_t best_bits;		/* of all rows with it; anchors are counted too */
	/* The bin of each residual, with the best model and with the one on trial. */
	uint8_t bins[2][GROUP_ROWS_MAX];
	uint8_t *best_bins;
	uint8_t *trial_bins;
};

/*
 * c->best becomes a reference that is the caller's, and c->r the residuals that it tells. kept is
 * brought up to date. False without memory. The column is not constant.
 */
bool model_choose(struct choice *c, struct model *kept[MODELS_KEPT]);

#endif
