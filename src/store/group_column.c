#include "group_column.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "code.h"
#include "model_choice.h"

void models_clear(struct models *m)
{
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		for (unsigned i = 0; i < MODELS_KEPT; i++)
			model_unref(m->kept[c][i]);
	*m = (struct models){ 0 };
}

static struct group_column *constant_column(uint32_t code)
{
	struct group_column *out = calloc(1, sizeof *out);

	if (out) {
		out->least = out->greatest = code;
		out->missing = code == CODE_ABSENT;
	}
	return out;
}

/* With the model that was chosen, whose reference moves to the column. */
static struct group_column *code_column(struct choice *c)
{
	struct group_column *out = calloc(1, sizeof *out + bits_bytes(c->best_bits) + BITS_SLACK);
	struct encoder e;
	size_t at = 0;

	if (!out) {
		model_unref(c->best);
		return NULL;
	}
	encoder_init(&e, c->best);
	for (unsigned b = 0; b < c->rows.n_blocks; b++) {
		unsigned from = c->r.first[b], to = c->r.first[b + 1];

		out->at[b] = (uint32_t)at;
		encoder_put(&e, c->r.value + from, to - from, c->best_bins + from, out->stream,
			    &at);
	}
	if (c->best->predictor == PREDICT_PREVIOUS)
		memcpy(out->anchor, c->r.anchor, sizeof out->anchor);
	out->model = c->best;
	out->missing = c->missing;
	out->bits = (uint32_t)at;
	return out;
}

struct group_column *group_column_new(struct sealed_block *const *blocks, unsigned n_blocks,
				      unsigned column, struct models *models)
{
	struct choice c = {
		.blocks = blocks,
		.column = column,
	};
	struct group_column *out;
	uint32_t least, greatest;

	column_rows_gather(&c.rows, blocks, n_blocks, column);
	least = greatest = c.rows.code[0];
	for (unsigned i = 1; i < c.rows.n; i++) {
		least = c.rows.code[i] < least ? c.rows.code[i] : least;
		greatest = c.rows.code[i] > greatest ? c.rows.code[i] : greatest;
	}
	if (least == greatest)
		return constant_column(least);
	c.missing = column != COLUMN_TIME && least == CODE_ABSENT;
	c.spread = greatest - least >= RESIDUAL_ZERO;
	if (!model_choose(&c, models->kept[column]))
		return NULL;
	out = code_column(&c);
	if (out) {
		out->least = least;
		out->greatest = greatest;
	}
	return out;
}

void group_column_free(struct group_column *c)
{
	if (!c)
		return;
	model_unref(c->model);
	free(c);
}

size_t group_column_bytes(const struct group_column *c)
{
	return malloc_usable_size((void *)c) + sizeof(size_t);
}
