#include "model.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"

#define EXTRA_BITS 5		/* of a byte in packed; the others are the length less 1 */
/* Two values of so many bits, and the 7 before them, are one read. */
#define NARROW_BITS (BITS_WIDTH_MAX / 2)

static void pack_spec(struct model *m, unsigned i, unsigned extra, unsigned length)
{
	m->packed[i] = (uint8_t)((length - 1) << EXTRA_BITS | extra);
	m->wide |= length + extra > NARROW_BITS;
}

static unsigned bin_extra(const struct model *m, unsigned i)
{
	return m->packed[i] & ((1u << EXTRA_BITS) - 1);
}

static unsigned bin_length(const struct model *m, unsigned i)
{
	return (m->packed[i] >> EXTRA_BITS) + 1u;
}

static void pack_base(struct model *m, unsigned i, uint32_t base)
{
	uint8_t *bases = m->packed + m->n;
	uint16_t narrow = (uint16_t)base;

	if (m->base_bytes == sizeof narrow)
		memcpy(bases + i * sizeof narrow, &narrow, sizeof narrow);
	else
		memcpy(bases + i * sizeof base, &base, sizeof base);
}

static uint32_t bin_base(const struct model *m, unsigned i)
{
	const uint8_t *bases = m->packed + m->n;
	uint16_t narrow;
	uint32_t base;

	if (i == m->n - 1u)
		return m->escape;
	if (m->base_bytes == sizeof narrow) {
		memcpy(&narrow, bases + i * sizeof narrow, sizeof narrow);
		return m->origin + narrow;
	}
	memcpy(&base, bases + i * sizeof base, sizeof base);
	return m->origin + base;
}

struct model *model_new(const struct model_plan *plan)
{
	const struct bins *bins = &plan->bins;
	unsigned n = bins->n + 1, base_bytes;
	uint32_t counts[BINS_MAX], origin = bins->bin[0].base;
	uint8_t lengths[BINS_MAX];
	struct model *m;

	base_bytes = bins->bin[bins->n - 1].base - origin <= UINT16_MAX ? sizeof(uint16_t) :
									  sizeof(uint32_t);
	m = calloc(1, sizeof *m + n + (size_t)bins->n * base_bytes);
	if (!m)
		return NULL;
	*m = (struct model){
		.refs = 1,
		.common = plan->common,
		.origin = origin,
		.escape = plan->escape,
		.predictor = (uint8_t)plan->predictor,
		.by = (uint8_t)plan->by,
		.sparse = plan->sparse,
		.n = (uint8_t)n,
		.base_bytes = (uint8_t)base_bytes,
	};
	for (unsigned i = 0; i < bins->n; i++)
		counts[i] = bins->bin[i].count;
	counts[bins->n] = 1;
	huffman_lengths(counts, n, lengths);
	for (unsigned i = 0; i < bins->n; i++) {
		pack_spec(m, i, bins->bin[i].extra, lengths[i]);
		pack_base(m, i, bins->bin[i].base - origin);
	}
	pack_spec(m, bins->n, MODEL_ESCAPE_BITS, lengths[bins->n]);
	return m;
}

struct model *model_ref(struct model *m)
{
	m->refs++;
	return m;
}

void model_unref(struct model *m)
{
	if (m && --m->refs == 0)
		free(m);
}

size_t model_bytes(const struct model *m)
{
	return malloc_usable_size((void *)m) + sizeof(size_t);
}

/* --- values to bits --- */

void encoder_init(struct encoder *e, const struct model *m)
{
	unsigned bins = m->n - 1u;
	uint32_t span;

	e->model = m;
	e->n = m->n;
	for (unsigned i = 0; i < m->n; i++) {
		e->base[i] = bin_base(m, i);
		e->extra[i] = (uint8_t)bin_extra(m, i);
		e->length[i] = (uint8_t)bin_length(m, i);
	}
	huffman_codes(e->length, e->n, e->code);
	span = e->base[bins - 1] - e->base[0];
	e->shift = bits_width(span) > ENCODER_CELL_BITS ? bits_width(span) - ENCODER_CELL_BITS : 0;
	/*
	 * The first that may hold a residual of a cell is the last that begins in a cell before it.
	 */
	e->cell[0] = 0;
	for (unsigned i = 0; i < bins; i++) {
		size_t cell = (e->base[i] - e->base[0]) >> e->shift;
		size_t next = ENCODER_CELLS + 1;

		if (i + 1 < bins)
			next = (e->base[i + 1] - e->base[0]) >> e->shift;
		memset(e->cell + cell + 1, (int)i, next - cell);
	}
}

/* The last bin that begins at or before the residual; the escape if that does not hold it. */
static inline unsigned encoder_find(const struct encoder *e, uint32_t residual)
{
	uint32_t above = residual - e->base[0], cell = above >> e->shift;
	unsigned low, high;

	if (residual < e->base[0])
		return e->n - 1;
	cell = cell < ENCODER_CELLS ? cell : ENCODER_CELLS;
	low = e->cell[cell];
	high = e->cell[cell + 1];
	while (low < high) {
		unsigned middle = (low + high + 1) / 2;

		if (e->base[middle] <= residual)
			low = middle;
		else
			high = middle - 1;
	}
	return (residual - e->base[low]) >> e->extra[low] ? e->n - 1 : low;
}

static bool run_is_common(const struct encoder *e, const uint32_t *residuals, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (residuals[i] != e->model->common)
			return false;
	return true;
}

static size_t cost_of_each(const struct encoder *e, const uint32_t *residuals, unsigned n,
			   uint8_t *bins)
{
	uint32_t escape = e->base[e->n - 1];
	size_t bits = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned bin = encoder_find(e, residuals[i]);

		if (bin == e->n - 1 && (residuals[i] - escape) >> MODEL_ESCAPE_BITS)
			return SIZE_MAX;
		bits += e->length[bin] + e->extra[bin];
		bins[i] = (uint8_t)bin;
	}
	return bits;
}

size_t encoder_cost(const struct encoder *e, const uint32_t *residuals, unsigned n, uint8_t *bins)
{
	size_t bits = 0;

	if (!e->model->sparse)
		return cost_of_each(e, residuals, n, bins);
	for (unsigned i = 0; i < n; i += MODEL_RUN) {
		unsigned run = n - i < MODEL_RUN ? n - i : MODEL_RUN;
		size_t each = 0;

		if (run_is_common(e, residuals + i, run))
			bins[i] = BIN_COMMON;
		else
			each = cost_of_each(e, residuals + i, run, bins + i);
		if (each == SIZE_MAX)
			return SIZE_MAX;
		bits += 1 + each;
	}
	return bits;
}

static void put_each(const struct encoder *e, const uint32_t *residuals, unsigned n,
		     const uint8_t *bins, uint8_t *bytes, size_t *at)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned bin = bins[i], extra = e->extra[bin];
		uint64_t code = e->code[bin];

		bits_put(bytes, at, code << extra | (residuals[i] - e->base[bin]),
			 e->length[bin] + extra);
	}
}

void encoder_put(const struct encoder *e, const uint32_t *residuals, unsigned n,
		 const uint8_t *bins, uint8_t *bytes, size_t *at)
{
	if (!e->model->sparse) {
		put_each(e, residuals, n, bins, bytes, at);
		return;
	}
	for (unsigned i = 0; i < n; i += MODEL_RUN) {
		unsigned run = n - i < MODEL_RUN ? n - i : MODEL_RUN;

		bits_put(bytes, at, bins[i] != BIN_COMMON, 1);
		if (bins[i] != BIN_COMMON)
			put_each(e, residuals + i, run, bins + i, bytes, at);
	}
}

/* --- bits to values --- */

void decoder_init(struct decoder *d, const struct model *m)
{
	uint8_t lengths[BINS_MAX], codes[BINS_MAX];

	for (unsigned i = 0; i < m->n; i++)
		lengths[i] = (uint8_t)bin_length(m, i);
	huffman_codes(lengths, m->n, codes);
	d->model = m;
	for (unsigned i = 0; i < m->n; i++) {
		unsigned extra = bin_extra(m, i), room = HUFFMAN_BITS - lengths[i];
		uint32_t code = codes[i];
		uint64_t base = (uint32_t)(bin_base(m, i) - (uint32_t)((uint64_t)code << extra));
		uint64_t entry = base << 32 | (lengths[i] + extra);

		for (unsigned k = 0; k < 1u << room; k++)
			d->entry[(code << room) + k] = entry;
	}
}
