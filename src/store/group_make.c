#include "group.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"

/*
 * Series in the metadata: four for the times, where, and for each column length, sum, anchor,
 * absent.
 */
#define METADATA_BITS_MAX                                                                          \
	((5 + 4 * COLUMN_COUNT) * PACKED_BITS_MAX(GROUP_BLOCKS_MAX) + GROUP_PACE_BITS)
/* Decoding reads up to two values more than there are, and these a word at a time. */
#define STREAM_SLACK (2 * BITS_SLACK)

/* --- metadata --- */

static void write_times(uint8_t *bits, size_t *at, struct sealed_block *const *blocks, unsigned n,
			int64_t interval_ms)
{
	int64_t start[GROUP_BLOCKS_MAX] = { 0 }, before[GROUP_BLOCKS_MAX] = { 0 };
	int64_t after[GROUP_BLOCKS_MAX] = { 0 }, rows[GROUP_BLOCKS_MAX] = { 0 };
	uint64_t expected = (uint64_t)blocks[0]->times.start_ms;

	for (unsigned b = 0; b < n; b++) {
		const struct block_times *t = &blocks[b]->times;
		uint64_t first = (uint64_t)t->start_ms;

		start[b] = (int64_t)(first - expected);
		before[b] = (int64_t)(first - (uint64_t)t->least_ms);
		after[b] = (int64_t)((uint64_t)t->greatest_ms - first);
		rows[b] = t->rows;
		expected += (uint64_t)interval_ms * BLOCK_ROWS;
	}
	packed_write(bits, at, start, n);
	packed_write(bits, at, before, n);
	packed_write(bits, at, after, n);
	packed_write(bits, at, rows, n);
}

static size_t stream_end(const struct group_column *c, unsigned n_blocks, unsigned block)
{
	return block + 1 < n_blocks ? c->at[block + 1] : c->bits;
}

/* Bits of one block's values in all columns. */
static size_t block_bits(const struct group_maker *m, unsigned n_blocks, unsigned block)
{
	size_t bits = 0;

	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		if (m->column[c]->model)
			bits += stream_end(m->column[c], n_blocks, block) - m->column[c]->at[block];
	return bits;
}

/* Returns how many bits all blocks take. */
static size_t write_where(uint8_t *bits, size_t *at, const struct group_maker *m, unsigned n)
{
	int64_t where[GROUP_BLOCKS_MAX] = { 0 };
	size_t all = 0, pace;

	for (unsigned b = 0; b < n; b++) {
		where[b] = (int64_t)all;
		all += block_bits(m, n, b);
	}
	pace = all / n;
	for (unsigned b = 0; b < n; b++)
		where[b] -= (int64_t)(pace * b);
	bits_put(bits, at, pace, GROUP_PACE_BITS);
	packed_write(bits, at, where, n);
	return all;
}

static void write_column(uint8_t *bits, size_t *at, struct sealed_block *const *blocks, unsigned n,
			 unsigned column, const struct group_column *c)
{
	int64_t length[GROUP_BLOCKS_MAX] = { 0 }, sum[GROUP_BLOCKS_MAX] = { 0 };
	int64_t anchor[GROUP_BLOCKS_MAX] = { 0 }, missing[GROUP_BLOCKS_MAX] = { 0 };

	for (unsigned b = 0; b < n; b++) {
		struct block_totals totals;

		length[b] = (int64_t)(stream_end(c, n, b) - c->at[b]);
		anchor[b] = c->anchor[b];
		if (column == COLUMN_TIME)
			continue;
		sealed_block_totals(blocks[b], &totals);
		sum[b] = (int64_t)totals.units[column_metric(column)];
		missing[b] = totals.missing[column_metric(column)];
	}
	packed_write(bits, at, length, n);
	if (c->model->predictor == PREDICT_PREVIOUS)
		packed_write(bits, at, anchor, n);
	if (column == COLUMN_TIME)
		return;
	packed_write(bits, at, sum, n);
	if (c->missing)
		packed_write(bits, at, missing, n);
}

/* --- putting it together --- */

static void write_head(struct group *g, const struct group_maker *m,
		       struct sealed_block *const *blocks, unsigned n_blocks)
{
	g->start_ms = blocks[0]->times.start_ms;
	g->n_blocks = (uint16_t)n_blocks;
	g->time_least = m->column[COLUMN_TIME]->least;
	g->time_greatest = m->column[COLUMN_TIME]->greatest;
	for (unsigned b = 0; b < n_blocks; b++) {
		g->rows += blocks[b]->times.rows;
		g->unordered |= (uint32_t)!blocks[b]->times.ordered << b;
	}
}

static void write_columns(struct group *g, const struct group_maker *m)
{
	unsigned n = 0;

	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		const struct group_column *column = m->column[c];

		g->missing |= (uint8_t)(column->missing << c);
		g->constant[c] = column->least;
		if (!column->model)
			continue;
		g->coded |= (uint8_t)(1u << c);
		g->models[n++] = model_ref(column->model);
	}
}

static void write_blocks(uint8_t *bits, size_t *at, const struct group_maker *m, unsigned n)
{
	for (unsigned b = 0; b < n; b++) {
		for (unsigned c = 0; c < COLUMN_COUNT; c++) {
			const struct group_column *column = m->column[c];

			if (column->model)
				bits_copy(bits, at, column->stream, column->at[b],
					  stream_end(column, n, b) - column->at[b]);
		}
	}
}

static struct group *assemble(struct group_maker *m, struct sealed_block *const *blocks,
			      unsigned n_blocks, int64_t interval_ms)
{
	uint8_t metadata[METADATA_BITS_MAX / 8 + BITS_SLACK + 1] = { 0 };
	size_t at = 0, models = 0, all;
	struct group *g;
	uint8_t *bits;

	write_times(metadata, &at, blocks, n_blocks, interval_ms);
	all = write_where(metadata, &at, m, n_blocks);
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		if (!m->column[c]->model)
			continue;
		write_column(metadata, &at, blocks, n_blocks, c, m->column[c]);
		models++;
	}
	g = calloc(1, sizeof *g + models * sizeof *g->models + bits_bytes(at + all) + STREAM_SLACK);
	if (!g)
		return NULL;
	bits = (uint8_t *)(g->models + models);
	memcpy(bits, metadata, bits_bytes(at));
	write_head(g, m, blocks, n_blocks);
	write_columns(g, m);
	write_blocks(bits, &at, m, n_blocks);
	return g;
}

int group_maker_step(struct group_maker *m, struct sealed_block *const *blocks, unsigned n_blocks,
		     int64_t interval_ms, struct models *models, struct group **out)
{
	*out = NULL;
	if (m->columns < COLUMN_COUNT) {
		struct group_column *c =
			group_column_new(blocks, n_blocks, m->columns, models);

		if (!c)
			return -ENOMEM;
		m->column[m->columns++] = c;
		return 0;
	}
	*out = assemble(m, blocks, n_blocks, interval_ms);
	if (!*out)
		return -ENOMEM;
	group_maker_clear(m);
	return 0;
}

void group_maker_clear(struct group_maker *m)
{
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		group_column_free(m->column[c]);
	*m = (struct group_maker){ 0 };
}

size_t group_maker_bytes(const struct group_maker *m)
{
	size_t bytes = 0;

	for (unsigned c = 0; c < m->columns; c++)
		bytes += group_column_bytes(m->column[c]);
	return bytes;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	for (int i = 0; i < __builtin_popcount(g->coded); i++)
		model_unref(g->models[i]);
	free(g);
}

size_t group_bytes(const struct group *g)
{
	return malloc_usable_size((void *)g) + sizeof(size_t);
}
