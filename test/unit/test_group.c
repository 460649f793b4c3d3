/* What a group gives back of its blocks is what they were, to the bit, whatever model serves. */
#include "unit.h"

#include "code.h"
#include "generator.h"
#include "group.h"

#define START_MS 1790000000000
#define INTERVAL_MS 10000
#define GROUPS_MOST 8

/* Blocks that become a group, and as they were before they were sealed. */
struct source {
	int64_t interval_ms;
	unsigned n;
	struct open_block open[GROUP_BLOCKS_MAX];
	struct sealed_block *sealed[GROUP_BLOCKS_MAX];
};

/* What the cases together have to come across, so that none of it goes untested. */
struct seen {
	bool predictor[PREDICT_COLUMN + 1];
	bool sparse, wide, narrow, constant, partly_missing, unordered, spread;
};

static struct seen seen;

static void source_clear(struct source *s)
{
	for (unsigned b = 0; b < s->n; b++)
		free(s->sealed[b]);
	s->n = 0;
}

static void seal(struct source *s)
{
	s->sealed[s->n] = block_seal(&s->open[s->n]);
	assert_non_null(s->sealed[s->n]);
	s->n++;
}

/* --- what has to come back --- */

static int64_t naive_time(const struct source *s, unsigned block, unsigned row)
{
	const struct open_block *o = &s->open[block];

	return column_time(o->times.start_ms, s->interval_ms, row, o->code[COLUMN_TIME][row]);
}

static void check_times(const struct source *s, unsigned block, const struct block_times *got)
{
	int64_t least = INT64_MAX, greatest = INT64_MIN, previous = INT64_MIN;
	unsigned rows = s->open[block].times.rows;
	bool ordered = true;

	for (unsigned i = 0; i < rows; i++) {
		int64_t at_ms = naive_time(s, block, i);

		least = at_ms < least ? at_ms : least;
		greatest = at_ms > greatest ? at_ms : greatest;
		ordered &= at_ms >= previous;
		previous = at_ms;
	}
	assert_true(got->start_ms == naive_time(s, block, 0));
	assert_true(got->least_ms == least && got->greatest_ms == greatest);
	assert_int_equal(got->rows, rows);
	assert_int_equal(got->ordered, ordered);
	seen.unordered |= !ordered;
}

static void check_totals(const struct source *s, unsigned block, const struct block_totals *got)
{
	const struct open_block *o = &s->open[block];

	for (int m = 0; m < METRIC_COUNT; m++) {
		uint64_t units = 0;
		uint32_t missing = 0;

		for (unsigned i = 0; i < o->times.rows; i++) {
			uint32_t code = o->code[COLUMN_OF(m)][i];

			missing += code == CODE_ABSENT;
			units += code ? (uint64_t)code_units((enum metric)m, code) : 0;
		}
		assert_true(got->units[m] == (double)units);
		assert_int_equal(got->missing[m], missing);
	}
}

static void check_codes(const char *name, const struct source *s, unsigned block, unsigned column,
			const uint32_t *got, unsigned rows)
{
	const uint32_t *want = s->open[block].code[column];

	if (memcmp(got, want, rows * sizeof *want) == 0)
		return;
	for (unsigned i = 0; i < rows; i++)
		if (got[i] != want[i])
			fail_msg("%s: block %u of %u, column %u, row %u of %u: %u, not %u", name,
				 block, s->n, column, i, rows, got[i], want[i]);
}

static void check_sealed(const char *name, const struct source *s, unsigned block)
{
	const struct sealed_block *b = s->sealed[block];
	uint32_t codes[BLOCK_ROWS];
	struct block_totals totals;

	check_times(s, block, &b->times);
	sealed_block_totals(b, &totals);
	check_totals(s, block, &totals);
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		sealed_block_codes(b, c, b->times.rows, codes);
		check_codes(name, s, block, c, codes, b->times.rows);
	}
}

/* Some columns of one block at once; columns that are not asked for may be anything. */
static void check_rows(const char *name, const struct source *s, const struct group_view *v,
		       struct group_decoders *d, unsigned block, unsigned columns, unsigned rows)
{
	uint32_t codes[COLUMN_COUNT][DECODED_ROWS];

	memset(codes, 0xa5, sizeof codes);
	group_block_codes(v, d, block, columns, rows, codes);
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		if (columns >> c & 1)
			check_codes(name, s, block, c, codes[c], rows);
}

static void look(const struct group_view *v)
{
	const struct group *g = v->group;

	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		const struct model *m = v->model[c];

		seen.constant |= !m;
		if (!m)
			continue;
		seen.partly_missing |= g->missing >> c & 1;
		seen.predictor[m->predictor] = true;
		seen.sparse |= m->sparse;
		*(m->wide ? &seen.wide : &seen.narrow) = true;
	}
	seen.spread |= g->time_greatest - g->time_least >= RESIDUAL_ZERO;
}

/* Blocks in no order, with decoders that served others before. */
static void check_group(const char *name, const struct source *s, const struct group *g,
			struct group_decoders *d, uint64_t *seed, bool every_row)
{
	uint32_t rows = 0, least = UINT32_MAX, greatest = 0;
	struct group_view v;

	group_view_init(&v, g, s->interval_ms);
	look(&v);
	assert_int_equal(g->n_blocks, s->n);
	for (unsigned k = 0; k < s->n; k++) {
		unsigned b = k & 1 ? s->n - 1 - k / 2 : k / 2, n = s->open[b].times.rows;
		struct block_totals totals;
		struct block_times times;

		rows += n;
		for (unsigned i = 0; i < n; i++) {
			uint32_t code = s->open[b].code[COLUMN_TIME][i];

			least = code < least ? code : least;
			greatest = code > greatest ? code : greatest;
		}
		check_sealed(name, s, b);
		group_block_times(&v, b, &times);
		check_times(s, b, &times);
		group_block_totals(&v, b, &totals);
		check_totals(s, b, &totals);
		check_rows(name, s, &v, d, b, (1u << COLUMN_COUNT) - 1, n);
		check_rows(name, s, &v, d, b,
			   (unsigned)generator_below(seed, 1u << COLUMN_COUNT),
			   1 + (unsigned)generator_below(seed, n));
		for (unsigned c = 0; c < COLUMN_COUNT; c++)
			for (unsigned i = 1; every_row && i <= n; i++)
				check_rows(name, s, &v, d, b, 1u << c, i);
	}
	assert_int_equal(g->rows, rows);
	assert_true(g->time_least <= least && g->time_greatest >= greatest);
}

/* A column at each step, and one step more. */
static struct group *make_group(const struct source *s, struct models *models)
{
	struct group_maker maker = { 0 };
	struct group *g = NULL;
	unsigned steps = 0;

	while (!g) {
		assert_int_equal(group_maker_step(&maker, s->sealed, s->n, s->interval_ms, models,
						  &g), 0);
		assert_true(++steps <= COLUMN_COUNT + 1);
		assert_true(g || group_maker_bytes(&maker) > 0);
	}
	assert_int_equal(maker.columns, 0);
	assert_int_equal(group_maker_bytes(&maker), 0);
	assert_true(group_bytes(g) > sizeof *g);
	return g;
}

/* --- everyday and strange samples --- */

struct feeding {
	struct generator g;
	struct sample next;
	unsigned shortest;	/* rows of a block, where no time that is too far off ends it */
};

static void feed_block(struct feeding *f, struct source *s)
{
	struct open_block *o = &s->open[s->n];
	unsigned rows = f->shortest + (unsigned)generator_below(&f->g.seed,
								BLOCK_ROWS + 1 - f->shortest);

	o->times.rows = 0;
	while (o->times.rows < rows) {
		uint32_t codes[COLUMN_COUNT];
		bool saturated = false;

		for (int m = 0; m < METRIC_COUNT; m++)
			codes[COLUMN_OF(m)] = code_of((enum metric)m, f->next.value[m], &saturated);
		if (!open_block_append(o, f->next.at_ms, s->interval_ms, codes))
			break;
		assert_true(naive_time(s, s->n, o->times.rows - 1) == f->next.at_ms);
		f->next = generator_next(&f->g);
	}
	seal(s);
}

static void feed_source(struct feeding *f, struct source *s, unsigned n_blocks)
{
	s->n = 0;
	s->interval_ms = f->g.interval_ms;
	while (s->n < n_blocks)
		feed_block(f, s);
}

static void feed_start(struct feeding *f, uint64_t seed, const struct value_kind *values,
		       const struct time_kind *times, const struct trace *trace)
{
	generator_start(&f->g, seed, values, times, START_MS, INTERVAL_MS, trace);
	f->shortest = seed % 3 ? BLOCK_ROWS : 1;
	if (seed % 2)
		generator_drop_some(&f->g);
	f->next = generator_next(&f->g);
}

/* Groups of one feed share models: looked at when all are made, and after each that is freed. */
static void check_feed(const char *name, struct feeding *f, unsigned n_groups, unsigned n_blocks,
		       bool every_row)
{
	static struct source sources[GROUPS_MOST];
	struct group *groups[GROUPS_MOST];
	struct models models = { 0 };
	struct group_decoders d;

	for (unsigned i = 0; i < n_groups; i++) {
		feed_source(f, &sources[i], n_blocks);
		groups[i] = make_group(&sources[i], &models);
	}
	group_decoders_init(&d);
	for (unsigned i = n_groups; i-- > 0;)
		check_group(name, &sources[i], groups[i], &d, &f->g.seed, every_row && i == 1);
	if (f->g.made & 1)
		models_clear(&models);
	for (unsigned i = 0; i < n_groups; i++) {
		unsigned k = (i + 1) % n_groups;

		/* What another holds is still there. */
		group_decoders_init(&d);
		if (k != 0)
			check_group(name, &sources[k], groups[k], &d, &f->g.seed, false);
		group_free(groups[k]);
		source_clear(&sources[k]);
	}
	models_clear(&models);
}

static void test_all_kinds(void **state)
{
	struct trace trace;
	struct feeding f;
	uint64_t seed = 0;
	char name[100];

	(void)state;
	trace_read(&trace, TRACES, trace_names[0]);
	for (size_t v = 0; v < value_kind_count; v++) {
		for (size_t t = 0; t < time_kind_count; t++) {
			snprintf(name, sizeof name, "%s, %s", value_kinds[v].name,
				 time_kinds[t].name);
			feed_start(&f, seed++, &value_kinds[v], &time_kinds[t], &trace);
			check_feed(name, &f, 3, GROUP_BLOCKS_MAX, seed % 7 == 0);
		}
	}
	trace_clear(&trace);
}

static void test_any_number_of_blocks(void **state)
{
	struct feeding f;
	char name[100];

	(void)state;
	for (unsigned n = 1; n <= GROUP_BLOCKS_MAX; n++) {
		for (uint64_t seed = 0; seed < 6; seed++) {
			snprintf(name, sizeof name, "%u blocks, seed %u", n, (unsigned)seed);
			feed_start(&f, seed, &value_kinds[(n + seed) % value_kind_count],
				   &time_kinds[(n * 5 + seed) % time_kind_count], NULL);
			check_feed(name, &f, 2, n, n == 5);
		}
	}
}

static void test_traces(void **state)
{
	struct trace trace;
	struct feeding f;

	(void)state;
	for (size_t i = 0; i < TRACE_COUNT; i++) {
		trace_read(&trace, TRACES, trace_names[i]);
		for (size_t k = 0; k < value_kind_count; k++) {
			if (strcmp(value_kinds[k].name, "trace") != 0)
				continue;
			feed_start(&f, 2 * i, &value_kinds[k], &time_kinds[time_kind_count - 1],
				   &trace);
			check_feed(trace.name, &f, 4, GROUP_BLOCKS_MAX, false);
		}
		trace_clear(&trace);
	}
}

/* --- codes of every shape --- */

/* Where a code is: row of its block, block, row of all, column. */
struct place {
	unsigned row, block, all, column;
	uint64_t *seed;
};

static uint32_t greatest_code(unsigned column)
{
	if (column == COLUMN_TIME)
		return UINT32_MAX;
	return code_is_memory(column_metric(column)) ? code_of_kib(1ull << CODE_KIB_MAX_BITS) :
						       CODE_FLOAT_MAX;
}

static uint32_t any_of(const struct place *p, uint32_t least, uint32_t greatest)
{
	return least + (uint32_t)generator_below(p->seed, (uint64_t)greatest - least + 1);
}

static uint32_t shape_constant(const struct place *p)
{
	return 1000 + p->column;
}

static uint32_t shape_absent(const struct place *p)
{
	(void)p;
	return CODE_ABSENT;
}

static uint32_t shape_least(const struct place *p)
{
	(void)p;
	return 1;
}

static uint32_t shape_greatest(const struct place *p)
{
	return greatest_code(p->column);
}

static uint32_t shape_anything(const struct place *p)
{
	return any_of(p, 1, greatest_code(p->column));
}

static uint32_t shape_ends(const struct place *p)
{
	return generator_below(p->seed, 2) ? 1 : greatest_code(p->column);
}

static uint32_t shape_ends_and_absent(const struct place *p)
{
	return generator_below(p->seed, 2) ? shape_ends(p) : CODE_ABSENT;
}

static uint32_t shape_first_row_absent(const struct place *p)
{
	return p->row == 0 ? CODE_ABSENT : any_of(p, 500, 600);
}

static uint32_t shape_last_row_absent(const struct place *p)
{
	return p->row == BLOCK_ROWS - 1 ? CODE_ABSENT : 5000 + p->all % 7;
}

static uint32_t shape_only_last_row(const struct place *p)
{
	return p->row == BLOCK_ROWS - 1 ? 1 + p->all : CODE_ABSENT;
}

static uint32_t shape_every_other(const struct place *p)
{
	return p->row & 1 ? CODE_ABSENT : 1 + p->all;
}

static uint32_t shape_absent_blocks(const struct place *p)
{
	return p->block % 3 == 1 ? CODE_ABSENT : 9000 + p->all;
}

static uint32_t shape_one_reading(const struct place *p)
{
	return p->all == 77 ? 12345 : CODE_ABSENT;
}

static uint32_t shape_one_absent(const struct place *p)
{
	return p->all == 99 ? CODE_ABSENT : 12345;
}

static uint32_t shape_ramp(const struct place *p)
{
	return 1 + p->all * 3;
}

static uint32_t shape_falling(const struct place *p)
{
	return 20000 - p->all * 7;
}

static uint32_t shape_ramp_in_blocks(const struct place *p)
{
	return 1 + p->row * 100 + p->block;
}

static uint32_t shape_one_in_a_hundred(const struct place *p)
{
	return generator_below(p->seed, 100) ? 4096 : any_of(p, 1, 20000);
}

static uint32_t shape_noise(const struct place *p)
{
	return any_of(p, 10000, 10255);
}

static uint32_t shape_drift(const struct place *p)
{
	return 15000 + p->all * 5 + (uint32_t)generator_below(p->seed, 4);
}

static uint32_t shape_block_levels(const struct place *p)
{
	return 1 + p->block * 1000;
}

static uint32_t shape_half_of_all(const struct place *p)
{
	uint32_t greatest = greatest_code(p->column);

	return p->row & 1 ? greatest : greatest > RESIDUAL_ZERO ? greatest - RESIDUAL_ZERO : 1;
}

/* To and fro by just as much as makes the residual of a reading that of an absent one. */
static uint32_t shape_leaps(const struct place *p)
{
	if (greatest_code(p->column) < RESIDUAL_ZERO)
		return shape_ramp(p);
	return 1 + p->all / 2 * 500009 + (p->row & 1 ? RESIDUAL_ZERO : 0);
}

static uint32_t shape_leaps_with_gaps(const struct place *p)
{
	return p->all % 50 == 13 ? CODE_ABSENT : shape_leaps(p);
}

/* What goes out follows what comes in. */
static uint32_t shape_follow(const struct place *p)
{
	uint64_t seed = p->all;

	return 1000 + (uint32_t)generator_below(&seed, 30000) + p->all % 2 +
	       (p->column == COLUMN_OF(METRIC_REQUESTS));
}

static uint32_t shape_follow_with_gaps(const struct place *p)
{
	return generator_below(p->seed, 10) ? shape_follow(p) : CODE_ABSENT;
}

typedef uint32_t shape_fn(const struct place *p);

static shape_fn *const shapes[] = {
	shape_constant, shape_absent, shape_least, shape_greatest, shape_anything, shape_ends,
	shape_ends_and_absent, shape_first_row_absent, shape_last_row_absent, shape_only_last_row,
	shape_every_other, shape_absent_blocks, shape_one_reading, shape_one_absent, shape_ramp,
	shape_falling, shape_ramp_in_blocks, shape_one_in_a_hundred, shape_noise, shape_drift,
	shape_block_levels, shape_half_of_all, shape_leaps, shape_leaps_with_gaps,
	shape_follow, shape_follow_with_gaps,
};

/* A column of times has no absent ones, and the first of a block is where it should be. */
static void shape_block(struct source *s, shape_fn *const shape[COLUMN_COUNT], unsigned rows,
			struct place *p)
{
	struct open_block *o = &s->open[s->n];
	int64_t start = START_MS + (int64_t)p->all * s->interval_ms;

	o->times.rows = 0;
	for (p->row = 0; p->row < rows; p->row++, p->all++) {
		uint32_t codes[COLUMN_COUNT];

		for (p->column = 0; p->column < COLUMN_COUNT; p->column++)
			codes[p->column] = shape[p->column](p);
		if (p->row == 0 || codes[COLUMN_TIME] == CODE_ABSENT)
			codes[COLUMN_TIME] = TIME_CODE_ZERO;
		assert_true(open_block_append(o, column_time(start, s->interval_ms, p->row,
							     codes[COLUMN_TIME]),
					      s->interval_ms, codes));
		assert_int_equal(o->code[COLUMN_TIME][p->row], codes[COLUMN_TIME]);
	}
	seal(s);
}

static void shape_source(struct source *s, shape_fn *const shape[COLUMN_COUNT], uint64_t *seed,
			 bool full)
{
	struct place p = { .seed = seed };
	unsigned n = GROUP_BLOCKS_MAX, rows = BLOCK_ROWS;

	if (!full)
		n = 1 + (unsigned)generator_below(seed, GROUP_BLOCKS_MAX);
	s->n = 0;
	s->interval_ms = generator_below(seed, 4) ? INTERVAL_MS : 1ll << 40;
	for (p.block = 0; p.block < n; p.block++) {
		if (!full)
			rows = 1 + (unsigned)generator_below(seed, BLOCK_ROWS);
		shape_block(s, shape, rows, &p);
	}
}

/* Two groups of these shapes, with the models that groups before them made. */
static void check_shapes(const char *name, shape_fn *const shape[COLUMN_COUNT], uint64_t *seed,
			 struct models *models, bool every_row)
{
	static struct source s;
	struct group_decoders d;
	struct group *g;

	group_decoders_init(&d);
	for (int full = 0; full < 2; full++) {
		shape_source(&s, shape, seed, full);
		g = make_group(&s, models);
		check_group(name, &s, g, &d, seed, every_row);
		/* Its models may go with it. */
		group_free(g);
		group_decoders_init(&d);
		source_clear(&s);
	}
}

static void test_each_shape(void **state)
{
	shape_fn *shape[COLUMN_COUNT];
	uint64_t seed = 7;
	char name[40];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		struct models models = { 0 };

		for (unsigned c = 0; c < COLUMN_COUNT; c++)
			shape[c] = shapes[i];
		snprintf(name, sizeof name, "shape %zu in all columns", i);
		check_shapes(name, shape, &seed, &models, true);
		models_clear(&models);
	}
}

static void test_mixed_shapes(void **state)
{
	struct models models = { 0 };
	shape_fn *shape[COLUMN_COUNT];
	uint64_t seed = 8;
	char name[40];

	(void)state;
	for (int round = 0; round < 150; round++) {
		for (unsigned c = 0; c < COLUMN_COUNT; c++)
			shape[c] = shapes[generator_below(&seed, COUNT_OF(shapes))];
		snprintf(name, sizeof name, "mixture %d", round);
		check_shapes(name, shape, &seed, &models, round % 30 == 0);
	}
	models_clear(&models);
}

/* Each predictor and every form of a model has come up in what is above. */
static void test_all_was_seen(void **state)
{
	(void)state;
	assert_true(seen.predictor[PREDICT_NOTHING] && seen.predictor[PREDICT_PREVIOUS]);
	assert_true(seen.predictor[PREDICT_COLUMN]);
	assert_true(seen.sparse && seen.wide && seen.narrow);
	assert_true(seen.constant && seen.partly_missing && seen.unordered && seen.spread);
}

/* --- models and their references --- */

static unsigned references(const struct model *m, struct group *const *groups, unsigned n,
			   const struct models *models)
{
	unsigned refs = 0;

	for (unsigned i = 0; i < n; i++)
		for (int k = 0; k < __builtin_popcount(groups[i]->coded); k++)
			refs += groups[i]->models[k] == m;
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		for (unsigned k = 0; k < MODELS_KEPT; k++)
			refs += models->kept[c][k] == m;
	return refs;
}

/* Of data that does not change its ways most columns of later groups need no model of their own. */
static void test_models_are_shared(void **state)
{
	static struct source sources[GROUPS_MOST];
	struct group *groups[GROUPS_MOST];
	struct models models = { 0 };
	unsigned coded = 0, shared = 0;
	struct feeding f;

	(void)state;
	feed_start(&f, 4, &value_kinds[2], &time_kinds[1], NULL);
	assert_string_equal(value_kinds[2].name, "uniform");
	for (unsigned i = 0; i < GROUPS_MOST; i++) {
		feed_source(&f, &sources[i], GROUP_BLOCKS_MAX);
		groups[i] = make_group(&sources[i], &models);
		for (int k = 0; i > 0 && k < __builtin_popcount(groups[i]->coded); k++) {
			coded++;
			shared += references(groups[i]->models[k], groups, i, &models) > 1;
		}
	}
	printf("# %u of %u shared\n", shared, coded);
	assert_true(shared * 4 >= coded * 3);
	for (unsigned i = 0; i < GROUPS_MOST; i++)
		for (int k = 0; k < __builtin_popcount(groups[i]->coded); k++)
			assert_int_equal(groups[i]->models[k]->refs,
					 references(groups[i]->models[k], groups, GROUPS_MOST,
						    &models));
	models_clear(&models);
	for (unsigned i = 0; i < GROUPS_MOST; i++) {
		group_free(groups[i]);
		source_clear(&sources[i]);
	}
}

/* A maker may be stopped after any step; it starts from the beginning then. */
static void test_stopped_maker(void **state)
{
	static struct source s;
	struct models models = { 0 };
	struct group_maker maker = { 0 };
	struct group_decoders d;
	struct feeding f;
	struct group *g;

	(void)state;
	feed_start(&f, 1, &value_kinds[1], &time_kinds[1], NULL);
	feed_source(&f, &s, GROUP_BLOCKS_MAX);
	for (unsigned steps = 0; steps <= COLUMN_COUNT; steps++) {
		for (unsigned i = 0; i < steps; i++) {
			assert_int_equal(group_maker_step(&maker, s.sealed, s.n, s.interval_ms,
							  &models, &g), 0);
			assert_null(g);
			assert_int_equal(maker.columns, i + 1);
		}
		group_maker_clear(&maker);
		assert_int_equal(maker.columns, 0);
	}
	g = make_group(&s, &models);
	group_decoders_init(&d);
	check_group("after stops", &s, g, &d, &f.g.seed, false);
	group_free(g);
	group_free(NULL);
	source_clear(&s);
	models_clear(&models);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_kinds),
		cmocka_unit_test(test_any_number_of_blocks),
		cmocka_unit_test(test_traces),
		cmocka_unit_test(test_each_shape),
		cmocka_unit_test(test_mixed_shapes),
		cmocka_unit_test(test_all_was_seen),
		cmocka_unit_test(test_models_are_shared),
		cmocka_unit_test(test_stopped_maker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
