#include "residuals.h"

#include <string.h>

#include "code.h"

void column_rows_gather(struct column_rows *r, struct sealed_block *const *blocks,
			unsigned n_blocks, unsigned column)
{
	r->n = 0;
	r->n_blocks = n_blocks;
	for (unsigned b = 0; b < n_blocks; b++) {
		r->first[b] = r->n;
		sealed_block_codes(blocks[b], column, blocks[b]->times.rows, r->code + r->n);
		r->n += blocks[b]->times.rows;
	}
	r->first[n_blocks] = r->n;
}

static uint32_t residual(uint32_t code, uint32_t predicted)
{
	return code == CODE_ABSENT ? CODE_ABSENT : code - predicted + RESIDUAL_ZERO;
}

void residuals_from_previous(struct residuals *r, const struct column_rows *rows, bool missing)
{
	r->n = 0;
	for (unsigned b = 0; b < rows->n_blocks; b++) {
		unsigned i = rows->first[b], end = rows->first[b + 1];
		uint32_t previous = CODE_ABSENT;

		for (unsigned k = i; k < end && previous == CODE_ABSENT; k++)
			previous = rows->code[k];
		r->anchor[b] = previous;
		r->first[b] = r->n;
		for (i += !missing; i < end; i++) {
			r->value[r->n++] = residual(rows->code[i], previous);
			if (rows->code[i] != CODE_ABSENT)
				previous = rows->code[i];
		}
	}
	r->first[rows->n_blocks] = r->n;
}

void residuals_from_column(struct residuals *r, const struct column_rows *rows,
			   const struct column_rows *by)
{
	memcpy(r->first, rows->first, sizeof r->first);
	r->n = rows->n;
	for (unsigned i = 0; i < rows->n; i++)
		r->value[i] = residual(rows->code[i], by->code[i]);
}

void residuals_from_nothing(struct residuals *r, const struct column_rows *rows)
{
	memcpy(r->first, rows->first, sizeof r->first);
	r->n = rows->n;
	memcpy(r->value, rows->code, rows->n * sizeof *rows->code);
}
