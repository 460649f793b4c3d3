#include "model_choice.h"

#include <math.h>
#include <string.h>

#include "code.h"
#include "radix_sort.h"

/*
 * What one bin more is taken to cost, in bits. It takes 24 to 40 in a model, which as a rule serves
 * several groups.
 */
#define BIN_BITS 14
/* A new model must save this part of its own size at least: as a rule it serves further groups. */
#define MODEL_SHARE 2
/* A kept model is taken at once if a value takes about what it did when the model was made. */
#define AS_GOOD 1.06f
#define AS_BAD 0.85f
/* And was made from more than this part of so many rows. */
#define ROWS_PART 2
/* Runs are worth their slower decoding when they save a bit in so many values. */
#define SPARSE_SAVES 8
#define SPARSE_PART 2	/* and no more than this part of all is outside of them */

/*
 * Columns that may foretell this one: what goes out follows what comes in, and requests follow
 * both.
 */
static unsigned foretellers(unsigned column)
{
	switch (column) {
	case COLUMN_OF(METRIC_NETWORK_OUT):
		return 1u << COLUMN_OF(METRIC_NETWORK_IN);
	case COLUMN_OF(METRIC_REQUESTS):
		return 1u << COLUMN_OF(METRIC_NETWORK_IN) | 1u << COLUMN_OF(METRIC_NETWORK_OUT);
	default:
		return 0;
	}
}

static void make_residuals(struct choice *c, enum predictor predictor, unsigned by)
{
	if (c->has_residuals && c->r.predictor == predictor && c->r.by == by)
		return;
	c->has_residuals = true;
	c->r.predictor = predictor;
	c->r.by = by;
	switch (predictor) {
	case PREDICT_PREVIOUS:
		residuals_from_previous(&c->r, &c->rows, c->missing);
		break;
	case PREDICT_COLUMN:
		column_rows_gather(&c->by, c->blocks, c->rows.n_blocks, by);
		residuals_from_column(&c->r, &c->rows, &c->by);
		break;
	default:
		residuals_from_nothing(&c->r, &c->rows);
		break;
	}
}

/* What the anchors take in a group's metadata, about. */
static size_t anchor_bits(const struct choice *c)
{
	return c->r.predictor == PREDICT_PREVIOUS ? (size_t)c->rows.n_blocks * 8 : 0;
}

/*
 * What all rows take with a model; SIZE_MAX if it cannot tell them, or not in less than the best.
 */
static size_t cost_with(struct choice *c, const struct model *m)
{
	struct encoder e;
	size_t bits;

	if (m->predictor != PREDICT_NOTHING && c->spread)
		return SIZE_MAX;
	make_residuals(c, (enum predictor)m->predictor, m->by);
	bits = anchor_bits(c);
	encoder_init(&e, m);
	for (unsigned b = 0; b < c->rows.n_blocks; b++) {
		unsigned from = c->r.first[b], to = c->r.first[b + 1];
		size_t block = encoder_cost(&e, c->r.value + from, to - from, c->trial_bins + from);

		if (block == SIZE_MAX || bits + block >= c->best_bits)
			return SIZE_MAX;
		bits += block;
	}
	return bits;
}

/* The model just tried. */
static void take(struct choice *c, struct model *m, size_t bits)
{
	uint8_t *swap = c->best_bins;

	c->best = m;
	c->best_bits = bits;
	c->best_bins = c->trial_bins;
	c->trial_bins = swap;
}

/* Does it do what it was made for? */
static bool is_right(const struct choice *c, const struct model *m, size_t bits)
{
	float each = (float)bits / (float)c->rows.n;

	return each <= m->bits * AS_GOOD && each >= m->bits * AS_BAD &&
	       m->rows >= c->rows.n / ROWS_PART;
}

/* True if one is found that need not be compared with a new one. */
static bool choose_kept(struct choice *c, struct model *const kept[MODELS_KEPT])
{
	for (unsigned i = 0; i < MODELS_KEPT && kept[i]; i++) {
		size_t bits = cost_with(c, kept[i]);

		if (bits == SIZE_MAX)
			continue;
		take(c, kept[i], bits);
		if (is_right(c, kept[i], bits))
			return true;
	}
	return false;
}

/* Residuals of the runs that are not all common, in order of arrival. */
static unsigned outside_runs(const struct residuals *r, unsigned n_blocks, uint32_t common,
			     uint32_t *out)
{
	unsigned n = 0;

	for (unsigned b = 0; b < n_blocks; b++) {
		for (unsigned i = r->first[b]; i < r->first[b + 1]; i += MODEL_RUN) {
			unsigned end = i + MODEL_RUN < r->first[b + 1] ? i + MODEL_RUN :
									 r->first[b + 1];
			bool all = true;

			for (unsigned k = i; k < end; k++)
				all &= r->value[k] == common;
			for (unsigned k = i; k < end && !all; k++)
				out[n++] = r->value[k];
		}
	}
	return n;
}

/* The commonest of numbers in ascending order, and how often it is there. */
static uint32_t commonest(const uint32_t *sorted, unsigned n, unsigned *times)
{
	uint32_t common = sorted[0];
	unsigned start = 0;

	*times = 0;
	for (unsigned i = 1; i <= n; i++) {
		if (i < n && sorted[i] == sorted[start])
			continue;
		if (i - start > *times) {
			*times = i - start;
			common = sorted[start];
		}
		start = i;
	}
	return common;
}

/* Where a residual that is in no bin may be: as much below as above what is usual. */
static uint32_t escape_base(unsigned column, enum predictor predictor, uint32_t median)
{
	uint32_t half = 1u << (MODEL_ESCAPE_BITS - 1);

	if (predictor == PREDICT_NOTHING && column != COLUMN_TIME &&
	    !code_is_memory(column_metric(column)))
		return 0;	/* these have no code that is not in reach */
	return median > half ? median - half : 0;
}

/*
 * What bins take when coded: a number in the commonest takes a bit at least, where its share of all
 * would be less.
 */
static float coded_bits(float bits, const struct bins *b, unsigned n)
{
	float most = 0, ideal;

	for (unsigned i = 0; i < b->n; i++)
		most = (float)b->bin[i].count > most ? (float)b->bin[i].count : most;
	ideal = log2f((float)n / most);
	return ideal < 1 ? bits + most * (1 - ideal) : bits;
}

/* The best plan for c->r. Returns how many bits it takes, about. */
static float plan(const struct choice *c, struct model_plan *p)
{
	uint32_t sorted[GROUP_ROWS_MAX], scratch[GROUP_ROWS_MAX];
	unsigned n = c->r.n, times, dense;
	float bits, sparse_bits;
	struct bins bins;

	memcpy(sorted, c->r.value, n * sizeof *sorted);
	radix_sort(sorted, n, scratch);
	p->predictor = c->r.predictor;
	p->by = c->r.by;
	p->sparse = false;
	p->escape = escape_base(c->column, p->predictor, sorted[n / 2]);
	p->common = commonest(sorted, n, &times);
	bits = bins_find(sorted, n, BIN_BITS, BINS_MAX - 1, &p->bins);
	bits = coded_bits(bits, &p->bins, n);
	if (times < n / 2)
		return bits;
	dense = outside_runs(&c->r, c->rows.n_blocks, p->common, sorted);
	if (dense == 0 || dense > n / SPARSE_PART)
		return bits;
	radix_sort(sorted, dense, scratch);
	sparse_bits = bins_find(sorted, dense, BIN_BITS, BINS_MAX - 1, &bins);
	sparse_bits = coded_bits(sparse_bits, &bins, dense) + (float)n / MODEL_RUN;
	if (sparse_bits + (float)n / SPARSE_SAVES >= bits)
		return bits;
	p->sparse = true;
	p->bins = bins;
	return sparse_bits;
}

static void plan_better(struct choice *c, struct model_plan *best, float *best_bits)
{
	struct model_plan p;
	float bits;

	if (c->r.n == 0)
		return;
	bits = plan(c, &p) + (float)anchor_bits(c);
	if (bits < *best_bits) {
		*best_bits = bits;
		*best = p;
	}
}

/* A new model, or NULL without memory. */
static struct model *make_model(struct choice *c)
{
	struct model_plan best;
	float best_bits = INFINITY;

	make_residuals(c, PREDICT_NOTHING, 0);
	plan_better(c, &best, &best_bits);
	if (c->spread)
		return model_new(&best);
	make_residuals(c, PREDICT_PREVIOUS, 0);
	plan_better(c, &best, &best_bits);
	for (unsigned by = 0; by < COLUMN_COUNT; by++) {
		if (!(foretellers(c->column) & 1u << by))
			continue;
		make_residuals(c, PREDICT_COLUMN, by);
		plan_better(c, &best, &best_bits);
	}
	return model_new(&best);
}

/* The newest first; the one that was kept longest without being used goes. */
static void keep(struct model *kept[MODELS_KEPT], struct model *m)
{
	unsigned i = 0;

	while (i < MODELS_KEPT - 1 && kept[i] && kept[i] != m)
		i++;
	if (kept[i] != m) {
		model_unref(kept[i]);
		kept[i] = model_ref(m);
	}
	memmove(kept + 1, kept, i * sizeof *kept);
	kept[0] = m;
}

bool model_choose(struct choice *c, struct model *kept[MODELS_KEPT])
{
	struct model *made;
	size_t bits;

	c->best_bins = c->bins[0];
	c->trial_bins = c->bins[1];
	c->best_bits = SIZE_MAX;
	if (!choose_kept(c, kept)) {
		made = make_model(c);
		if (!made)
			return false;
		bits = cost_with(c, made);
		if (bits != SIZE_MAX &&
		    (!c->best || bits + model_bytes(made) * 8 / MODEL_SHARE < c->best_bits)) {
			made->bits = (float)bits / (float)c->rows.n;
			made->rows = (uint16_t)c->rows.n;
			take(c, made, bits);
			keep(kept, made);
			return true;
		}
		model_unref(made);
	}
	model_ref(c->best);
	keep(kept, c->best);
	make_residuals(c, (enum predictor)c->best->predictor, c->best->by);
	return true;
}
