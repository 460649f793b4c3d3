#include "group.h"

#include <string.h>

#include "code.h"

static bool has(unsigned set, unsigned column)
{
	return set >> column & 1;
}

void group_view_init(struct group_view *v, const struct group *g, int64_t interval_ms)
{
	unsigned n = g->n_blocks, models = 0;
	size_t at = 0;

	v->group = g;
	v->interval_ms = interval_ms;
	v->bits = (const uint8_t *)(g->models + __builtin_popcount(g->coded));
	v->start = packed_read(v->bits, &at, n);
	v->before = packed_read(v->bits, &at, n);
	v->after = packed_read(v->bits, &at, n);
	v->rows = packed_read(v->bits, &at, n);
	v->pace = bits_get(v->bits, at, GROUP_PACE_BITS);
	at += GROUP_PACE_BITS;
	v->where = packed_read(v->bits, &at, n);
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		v->model[c] = NULL;
		if (!has(g->coded, c))
			continue;
		v->model[c] = g->models[models++];
		v->length[c] = packed_read(v->bits, &at, n);
		if (v->model[c]->predictor == PREDICT_PREVIOUS)
			v->anchor[c] = packed_read(v->bits, &at, n);
		if (c == COLUMN_TIME)
			continue;
		v->sum[c] = packed_read(v->bits, &at, n);
		if (has(g->missing, c))
			v->missing[c] = packed_read(v->bits, &at, n);
	}
	v->blocks_at = at;
}

void group_block_times(const struct group_view *v, unsigned block, struct block_times *out)
{
	uint64_t expected = (uint64_t)v->interval_ms * BLOCK_ROWS * block;
	uint64_t start = (uint64_t)v->group->start_ms + expected +
			 (uint64_t)packed_get(&v->start, block);

	out->start_ms = (int64_t)start;
	out->least_ms = (int64_t)(start - (uint64_t)packed_get(&v->before, block));
	out->greatest_ms = (int64_t)(start + (uint64_t)packed_get(&v->after, block));
	out->rows = (uint32_t)packed_get(&v->rows, block);
	out->ordered = !(v->group->unordered >> block & 1);
}

void group_block_totals(const struct group_view *v, unsigned block, struct block_totals *out)
{
	uint32_t rows = (uint32_t)packed_get(&v->rows, block);

	for (unsigned c = COLUMN_OF(0); c < COLUMN_COUNT; c++) {
		enum metric m = column_metric(c);
		uint32_t code = v->group->constant[c];

		out->missing[m] = 0;
		if (v->model[c]) {
			out->units[m] = (double)packed_get(&v->sum[c], block);
			if (has(v->group->missing, c))
				out->missing[m] = (uint32_t)packed_get(&v->missing[c], block);
		} else if (code == CODE_ABSENT) {
			out->units[m] = 0;
			out->missing[m] = rows;
		} else {
			out->units[m] = code_units(m, code) * rows;
		}
	}
}

/* --- decoding --- */

void group_decoders_init(struct group_decoders *d)
{
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		d->column[c].model = NULL;
}

/* A stream that is being decoded. */
struct lane {
	const uint64_t *entry;
	size_t at;
	uint32_t *out;
};

static inline uint32_t take(const uint64_t *entries, uint64_t word, unsigned *bits)
{
	uint64_t entry = entries[word >> (64 - HUFFMAN_BITS)];

	*bits = (unsigned)entry & 63;
	return (uint32_t)(entry >> 32) + (uint32_t)(word >> (64 - *bits));
}

/*
 * Decodes n lanes side by side, two values of each in turn: where a value begins is known only when
 * the one before it is decoded, so the lanes fill each other's waiting. n is a constant wherever
 * this is inlined, and the lanes are then in registers.
 */
static inline __attribute__((always_inline)) void decode_lanes(const struct lane *lanes,
							       unsigned n, const uint8_t *bits,
							       unsigned rows, bool wide)
{
	const uint64_t *entry[COLUMN_COUNT];
	uint32_t *out[COLUMN_COUNT];
	size_t at[COLUMN_COUNT];

	for (unsigned l = 0; l < n; l++) {
		entry[l] = lanes[l].entry;
		out[l] = lanes[l].out;
		at[l] = lanes[l].at;
	}
	for (unsigned i = 0; i < rows; i += 2) {
		for (unsigned l = 0; l < n; l++) {
			uint64_t word = bits_peek(bits, at[l]);
			unsigned first, second;

			out[l][i] = take(entry[l], word, &first);
			word = wide ? bits_peek(bits, at[l] + first) : word << first;
			out[l][i + 1] = take(entry[l], word, &second);
			at[l] += first + second;
		}
	}
}

/* Of the same width, up to all columns at once. */
static void decode(const struct lane *lanes, unsigned n, const uint8_t *bits, unsigned rows,
		   bool wide)
{
	switch (n) {
#define CASE(lane_count)                                                                           \
	case lane_count:                                                                           \
		if (wide)                                                                          \
			decode_lanes(lanes, lane_count, bits, rows, true);                         \
		else                                                                               \
			decode_lanes(lanes, lane_count, bits, rows, false);                        \
		break
		CASE(1);
		CASE(2);
		CASE(3);
		CASE(4);
		CASE(5);
		CASE(6);
		CASE(7);
		CASE(8);
#undef CASE
	}
}

static size_t decode_run(const struct lane *lane, const uint8_t *bits, size_t at, uint32_t *out,
			 unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned width;

		out[i] = take(lane->entry, bits_peek(bits, at), &width);
		at += width;
	}
	return at;
}

/* A run that is all common has one bit; else the values follow it. */
static void decode_sparse(const struct lane *lane, const uint8_t *bits, unsigned rows,
			  uint32_t common)
{
	size_t at = lane->at;

	for (unsigned i = 0; i < rows; i += MODEL_RUN) {
		unsigned n = rows - i < MODEL_RUN ? rows - i : MODEL_RUN;

		if (bits_get(bits, at++, 1))
			at = decode_run(lane, bits, at, lane->out + i, n);
		else
			for (unsigned k = i; k < i + n; k++)
				lane->out[k] = common;
	}
}

/* Residuals of one block become codes, in place. anchor: what the first is told from. */
static void add_previous(uint32_t *codes, unsigned rows, uint32_t anchor, bool missing)
{
	uint32_t previous = anchor;

	if (!missing) {
		codes[0] = previous;
		for (unsigned i = 1; i < rows; i++)
			codes[i] = previous += codes[i] - RESIDUAL_ZERO;
		return;
	}
	for (unsigned i = 0; i < rows; i++)
		if (codes[i] != CODE_ABSENT)
			codes[i] = previous += codes[i] - RESIDUAL_ZERO;
}

static void add_column(uint32_t *codes, unsigned rows, const uint32_t *by)
{
	for (unsigned i = 0; i < rows; i++)
		codes[i] = codes[i] == CODE_ABSENT ? CODE_ABSENT : codes[i] - RESIDUAL_ZERO + by[i];
}

/* The columns of a set and those that they are told from. */
static unsigned with_foretellers(const struct group_view *v, unsigned columns)
{
	for (unsigned c = COLUMN_COUNT; c-- > 0;)
		if (has(columns, c) && v->model[c] && v->model[c]->predictor == PREDICT_COLUMN)
			columns |= 1u << v->model[c]->by;
	return columns;
}

static struct lane lane_for(const struct group_view *v, struct group_decoders *d, size_t at,
			    unsigned column, uint32_t *out)
{
	const struct model *m = v->model[column];

	if (d->column[column].model != m)
		decoder_init(&d->column[column], m);
	/* Where no reading is absent the first row is not in the stream: it is the anchor. */
	if (m->predictor == PREDICT_PREVIOUS && !has(v->group->missing, column))
		out++;
	return (struct lane){
		.entry = d->column[column].entry,
		.at = at,
		.out = out,
	};
}

static void undo_prediction(const struct group_view *v, unsigned block, unsigned column,
			    unsigned rows, uint32_t out[COLUMN_COUNT][DECODED_ROWS])
{
	const struct model *m = v->model[column];

	if (m->predictor == PREDICT_PREVIOUS)
		add_previous(out[column], rows, (uint32_t)packed_get(&v->anchor[column], block),
			     has(v->group->missing, column));
	else if (m->predictor == PREDICT_COLUMN)
		add_column(out[column], rows, out[m->by]);
}

void group_block_codes(const struct group_view *v, struct group_decoders *d, unsigned block,
		       unsigned columns, unsigned rows, uint32_t out[COLUMN_COUNT][DECODED_ROWS])
{
	size_t at = v->blocks_at + v->pace * block + (size_t)packed_get(&v->where, block);
	struct lane narrow[COLUMN_COUNT], wide[COLUMN_COUNT];
	unsigned n_narrow = 0, n_wide = 0;

	columns = with_foretellers(v, columns);
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		const struct model *m = v->model[c];

		if (!m) {
			for (unsigned i = 0; has(columns, c) && i < rows; i++)
				out[c][i] = v->group->constant[c];
			continue;
		}
		if (has(columns, c)) {
			struct lane lane = lane_for(v, d, at, c, out[c]);

			if (m->sparse)
				decode_sparse(&lane, v->bits, rows - (unsigned)(lane.out - out[c]),
					      m->common);
			else if (m->wide)
				wide[n_wide++] = lane;
			else
				narrow[n_narrow++] = lane;
		}
		at += (size_t)packed_get(&v->length[c], block);
	}
	decode(narrow, n_narrow, v->bits, rows, false);
	decode(wide, n_wide, v->bits, rows, true);
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		if (has(columns, c) && v->model[c])
			undo_prediction(v, block, c, rows, out);
}
