/*
 * Bytes as a programme that writes the codes of blocks: set what a column does, add blocks, make a
 * group of them. Every code that a column may have can come up, and each time that is not too far
 * off. Groups share models as those of a ring do. In the end all of them are decoded in no order
 * and have to be what they were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "generator.h"
#include "group.h"

#define GROUPS_MOST 3
#define LOOKS 60	/* at some columns and rows of some block */

enum shape { SAME, STEP, LEVEL, RUNS, NOISE, PATTERN, OTHER, RAW, SHAPES };

struct maker {
	enum shape shape;
	uint32_t base;
	uint32_t step;
	unsigned bits;		/* of noise; how long a run is */
	unsigned by;		/* the column that OTHER follows */
	unsigned absent;	/* of 256 */
	const uint8_t *pattern;
	size_t pattern_length;
};

/* Blocks of one group, open and sealed. */
struct made {
	unsigned n;
	struct open_block open[GROUP_BLOCKS_MAX];
	struct sealed_block *sealed[GROUP_BLOCKS_MAX];
	struct group *group;
};

struct run {
	const uint8_t *data;
	size_t left;
	uint64_t seed;
	int64_t interval_ms;
	int64_t start_ms;	/* of the next block */
	struct maker makers[COLUMN_COUNT];
	struct models models;
	unsigned n_groups;	/* the last is in the making */
	uint32_t all;		/* rows so far */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Too large to be set to zero for each input: of the blocks only the first n are ever looked at. */
static struct made groups[GROUPS_MOST];

/* Little-endian, 0 where the bytes have ended. */
static uint64_t take(struct run *r, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes && r->left > 0; i++, r->left--)
		value |= (uint64_t)*r->data++ << (8 * i);
	return value;
}

static void check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "group and blocks differ: %s\n", what);
	abort();
}

/* --- codes --- */

static uint32_t greatest_code(unsigned column)
{
	if (column == COLUMN_TIME)
		return UINT32_MAX;
	return code_is_memory(column_metric(column)) ? code_of_kib(1ull << CODE_KIB_MAX_BITS) :
						       CODE_FLOAT_MAX;
}

static uint32_t made_code(struct run *r, const struct maker *k, const uint32_t *codes)
{
	uint32_t noise = (uint32_t)generator_below(&r->seed, 1ull << k->bits);

	switch (k->shape) {
	case STEP:
		return k->base + r->all * k->step;
	case LEVEL:
		return noise ? k->base : k->step;
	case RUNS:
		return r->all >> k->bits % 32 & 1 ? k->base : k->step;
	case NOISE:
		return k->base + noise;
	case PATTERN:
		return k->base + (k->pattern_length ?
				  k->pattern[r->all % k->pattern_length] * k->step : 0);
	case OTHER:
		return codes[k->by] + k->base + noise;
	case RAW:
		return (uint32_t)generator_bits(&r->seed) >> (k->bits % 32);
	default:
		return k->base;
	}
}

/* Any that the column may have, by going round at its greatest. */
static uint32_t valid_code(struct run *r, unsigned column, const uint32_t *codes)
{
	const struct maker *k = &r->makers[column];
	uint32_t code = made_code(r, k, codes);

	if (column != COLUMN_TIME && generator_below(&r->seed, 256) < k->absent)
		return CODE_ABSENT;
	return 1 + (code - 1) % greatest_code(column);
}

/* False if its time is none, or the block cannot hold it. */
static bool add_row(struct run *r, struct open_block *o, unsigned row)
{
	uint32_t codes[COLUMN_COUNT] = { 0 };
	int64_t at_ms;

	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		codes[c] = valid_code(r, c, codes);
	/* The first of a block is where it should be. */
	if (row == 0)
		codes[COLUMN_TIME] = TIME_CODE_ZERO;
	if (__builtin_add_overflow(r->start_ms, r->interval_ms * row + codes[COLUMN_TIME] -
				   (int64_t)TIME_CODE_ZERO, &at_ms) ||
	    !open_block_append(o, at_ms, r->interval_ms, codes))
		return false;
	check(o->code[COLUMN_TIME][row] == codes[COLUMN_TIME], "the code of a time");
	r->all++;
	return true;
}

/* --- blocks and groups --- */

static void make_group(struct run *r)
{
	struct made *m = &groups[r->n_groups - 1];
	struct group_maker maker = { 0 };

	if (m->n == 0)
		return;
	while (!m->group)
		if (group_maker_step(&maker, m->sealed, m->n, r->interval_ms, &r->models,
				     &m->group) != 0)
			abort();
	r->n_groups++;
}

static void add_blocks(struct run *r, uint8_t how, unsigned rows)
{
	unsigned n = 1 + how % GROUP_BLOCKS_MAX;

	for (unsigned b = 0; b < n && r->n_groups <= GROUPS_MOST; b++) {
		struct made *m = &groups[r->n_groups - 1];
		struct open_block *o = &m->open[m->n];

		o->times.rows = 0;
		for (unsigned i = 0; i < rows && add_row(r, o, i); i++)
			;
		m->sealed[m->n] = block_seal(o);
		if (!m->sealed[m->n])
			abort();
		m->n++;
		if (__builtin_add_overflow(r->start_ms, r->interval_ms * rows, &r->start_ms))
			r->start_ms = INT64_MIN;
		if (m->n == GROUP_BLOCKS_MAX)
			make_group(r);
	}
}

/* Small ones as near as any. */
static uint32_t take_code(struct run *r)
{
	uint8_t kind = (uint8_t)take(r, 1);

	switch (kind & 3) {
	case 0:
		return kind >> 2;
	case 1:
		return (uint32_t)take(r, 2);
	case 2:
		return (uint32_t)take(r, 4);
	default:
		return (kind & 4 ? RESIDUAL_ZERO : 0) - (kind >> 3);
	}
}

static void set_maker(struct run *r, uint8_t which)
{
	uint8_t how = (uint8_t)take(r, 1);
	struct maker k = { .shape = (enum shape)(how % SHAPES), .by = how / SHAPES % COLUMN_COUNT };

	k.base = take_code(r);
	if (k.shape == STEP || k.shape == LEVEL || k.shape == RUNS || k.shape == PATTERN)
		k.step = take_code(r);
	if (k.shape != SAME && k.shape != STEP && k.shape != PATTERN)
		k.bits = (unsigned)take(r, 1) % 33;
	if (k.shape == PATTERN) {
		size_t length = 1 + take(r, 1) % 64;

		k.pattern = r->data;
		k.pattern_length = length < r->left ? length : r->left;
		r->data += k.pattern_length;
		r->left -= k.pattern_length;
	}
	/* One column, or all of them but one. */
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		if ((which & 8) ? c != which % 8 : c == which % 8) {
			k.absent = r->makers[c].absent;
			r->makers[c] = k;
		}
	}
}

static void step(struct run *r)
{
	uint8_t what = (uint8_t)take(r, 1);

	switch (what % 8) {
	case 0:
	case 1:
		add_blocks(r, what / 8, BLOCK_ROWS);
		break;
	case 2:
		add_blocks(r, what / 8, 1 + (unsigned)take(r, 1) % BLOCK_ROWS);
		break;
	case 3:
	case 4:
		set_maker(r, what / 8);
		break;
	case 5:
		r->makers[what / 8 % COLUMN_COUNT].absent = (unsigned)take(r, 1);
		break;
	case 6:
		r->start_ms = (int64_t)take(r, what & 8 ? 8 : 6);
		break;
	default:
		make_group(r);
		break;
	}
}

/* --- what has to come back --- */

static void check_block(const struct made *m, const struct group_view *v, unsigned block)
{
	const struct block_times *want = &m->open[block].times;
	struct block_totals totals, want_totals;
	struct block_times t;

	group_block_times(v, block, &t);
	check(t.start_ms == want->start_ms && t.least_ms == want->least_ms &&
	      t.greatest_ms == want->greatest_ms, "times");
	check(t.rows == want->rows && t.ordered == want->ordered, "rows");
	open_block_totals(&m->open[block], &want_totals);
	group_block_totals(v, block, &totals);
	for (int k = 0; k < METRIC_COUNT; k++)
		check(totals.units[k] == want_totals.units[k] &&
		      totals.missing[k] == want_totals.missing[k], "totals");
}

static void check_codes(const struct made *m, const struct group_view *v,
			struct group_decoders *d, unsigned block, unsigned columns, unsigned rows)
{
	const struct open_block *o = &m->open[block];
	uint32_t codes[COLUMN_COUNT][DECODED_ROWS], sealed[BLOCK_ROWS];

	group_block_codes(v, d, block, columns, rows, codes);
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		if (!(columns >> c & 1))
			continue;
		check(memcmp(codes[c], o->code[c], rows * sizeof *sealed) == 0, "codes");
		sealed_block_codes(m->sealed[block], c, rows, sealed);
		check(memcmp(sealed, o->code[c], rows * sizeof *sealed) == 0, "codes sealed");
	}
}

static void check_some(struct run *r, struct group_view *views, struct group_decoders *d)
{
	for (int i = 0; i < LOOKS; i++) {
		unsigned g = (unsigned)generator_below(&r->seed, r->n_groups - 1);
		unsigned b = (unsigned)generator_below(&r->seed, groups[g].n);
		unsigned rows = groups[g].open[b].times.rows;
		unsigned columns = (unsigned)generator_below(&r->seed, 1u << COLUMN_COUNT);

		if (i & 1)
			columns = 1u << columns % COLUMN_COUNT;
		check_codes(&groups[g], &views[g], d, b, columns,
			    1 + (unsigned)generator_below(&r->seed, rows));
	}
}

static void check_all(struct run *r)
{
	struct group_view views[GROUPS_MOST];
	struct group_decoders d;

	group_decoders_init(&d);
	for (unsigned g = 0; g + 1 < r->n_groups; g++)
		group_view_init(&views[g], groups[g].group, r->interval_ms);
	if (r->n_groups > 1)
		check_some(r, views, &d);
	for (unsigned g = 0; g + 1 < r->n_groups; g++) {
		for (unsigned b = 0; b < groups[g].n; b++) {
			check_block(&groups[g], &views[g], b);
			check_codes(&groups[g], &views[g], &d, b, (1u << COLUMN_COUNT) - 1,
				    groups[g].open[b].times.rows);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t intervals[] = { 10000, 1, 3600000, 1ll << 40 };
	struct run r = { .data = data, .left = size, .seed = size, .n_groups = 1 };

	for (unsigned g = 0; g < GROUPS_MOST; g++) {
		groups[g].n = 0;
		groups[g].group = NULL;
	}
	r.interval_ms = intervals[take(&r, 1) % 4];
	r.start_ms = 1790000000000;
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		r.makers[c].base = c == COLUMN_TIME ? TIME_CODE_ZERO : 1 + c;
	while (r.left > 0 && r.n_groups <= GROUPS_MOST)
		step(&r);
	if (r.n_groups <= GROUPS_MOST)
		make_group(&r);
	check_all(&r);
	models_clear(&r.models);
	for (unsigned g = 0; g < GROUPS_MOST; g++) {
		group_free(groups[g].group);
		for (unsigned b = 0; b < groups[g].n; b++)
			free(groups[g].sealed[b]);
	}
	return 0;
}
