/* How numbers become bits: bins that describe them, the codes of the bins, and a model of both. */
#include "unit.h"

#include <math.h>

#include "bins.h"
#include "bits.h"
#include "generator.h"
#include "huffman.h"
#include "model.h"

#define NUMBERS_MOST 2048
#define BIN_BITS 14

/* --- numbers of many kinds --- */

static uint32_t same(uint64_t *seed)
{
	(void)seed;
	return 4711;
}

static uint32_t two_levels(uint64_t *seed)
{
	return generator_below(seed, 10) ? 1000 : 3000000;
}

static uint32_t bytes(uint64_t *seed)
{
	return (uint32_t)generator_below(seed, 256);
}

static uint32_t anything(uint64_t *seed)
{
	return (uint32_t)generator_bits(seed);
}

static uint32_t any_width(uint64_t *seed)
{
	return (uint32_t)generator_bits(seed) >> generator_below(seed, 32);
}

static uint32_t bell(uint64_t *seed)
{
	uint32_t sum = 0;

	for (int i = 0; i < 8; i++)
		sum += (uint32_t)generator_below(seed, 500);
	return 0x80000000u - 2000 + sum;
}

static uint32_t cloud_and_outliers(uint64_t *seed)
{
	return generator_below(seed, 50) ? 70000 + (uint32_t)generator_below(seed, 90) :
					   anything(seed);
}

static uint32_t steps(uint64_t *seed)
{
	return (uint32_t)generator_below(seed, 2000) * 1000;
}

static uint32_t powers(uint64_t *seed)
{
	return 1u << generator_below(seed, 32);
}

static uint32_t ends(uint64_t *seed)
{
	static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, UINT32_MAX };

	return values[generator_below(seed, COUNT_OF(values))];
}

static uint32_t mostly_zero(uint64_t *seed)
{
	return generator_below(seed, 100) ? 0x80000000u : 0x80000000u + any_width(seed) / 4096;
}

static const struct kind {
	const char *name;
	uint32_t (*next)(uint64_t *seed);
} kinds[] = {
	{ "all the same", same },
	{ "two levels", two_levels },
	{ "bytes", bytes },
	{ "anything", anything },
	{ "any width", any_width },
	{ "bell", bell },
	{ "cloud and outliers", cloud_and_outliers },
	{ "steps", steps },
	{ "powers of two", powers },
	{ "ends", ends },
	{ "mostly zero", mostly_zero },
};

static int compare_numbers(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

static void draw_sorted(const struct kind *k, uint64_t *seed, uint32_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		numbers[i] = k->next(seed);
	qsort(numbers, n, sizeof *numbers, compare_numbers);
}

/* --- bins --- */

/* What bins.h says a bin costs, from its definition. */
static double bins_cost(const struct bins *b, double n, double bin_bits)
{
	double bits = 0;

	for (unsigned i = 0; i < b->n; i++)
		bits += b->bin[i].count * (log2(n / b->bin[i].count) + b->bin[i].extra) + bin_bits;
	return bits;
}

/* Dyadic, ascending, apart from each other, and each number is in one and counted there. */
static void check_bins(const char *name, const struct bins *b, const uint32_t *sorted, size_t n,
		       unsigned most)
{
	uint64_t behind = 0;
	size_t at = 0;

	assert_in_range(b->n, 1, most);
	for (unsigned i = 0; i < b->n; i++) {
		const struct bin *bin = &b->bin[i];
		uint64_t end = (uint64_t)bin->base + (1ull << bin->extra);
		size_t first = at;

		if (bin->extra > BIN_EXTRA_MAX || bin->base & ((1ull << bin->extra) - 1))
			fail_msg("%s: bin %u is not dyadic", name, i);
		if (bin->base < behind)
			fail_msg("%s: bin %u reaches back", name, i);
		behind = end;
		while (at < n && sorted[at] >= bin->base && sorted[at] < end)
			at++;
		if (bin->count == 0 || bin->count != at - first)
			fail_msg("%s: bin %u holds %zu and says %u", name, i, at - first,
				 bin->count);
	}
	if (at != n)
		fail_msg("%s: %u is in no bin", name, sorted[at]);
}

static void test_bins_hold_all(void **state)
{
	static const unsigned mosts[] = { 2, 3, 16, BINS_MAX - 1, BINS_MAX };
	static const float costs[] = { 0.5f, BIN_BITS, 200 };
	static uint32_t numbers[NUMBERS_MOST];
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 60 * COUNT_OF(kinds); i++) {
		const struct kind *k = &kinds[i % COUNT_OF(kinds)];
		size_t n = i < 10 * COUNT_OF(kinds) ? 1 + i / COUNT_OF(kinds) :
						      1 + generator_below(&seed, NUMBERS_MOST);

		draw_sorted(k, &seed, numbers, n);
		for (size_t c = 0; c < COUNT_OF(costs); c++) {
			for (size_t m = 0; m < COUNT_OF(mosts); m++) {
				struct bins b;

				bins_find(numbers, n, costs[c], mosts[m], &b);
				check_bins(k->name, &b, numbers, n, mosts[m]);
			}
		}
	}
}

/* With room for all bins: they cost what is said, and no more than one bin or many would. */
static void test_bins_are_worth_it(void **state)
{
	uint32_t numbers[BINS_MAX];
	uint64_t seed = 2;

	(void)state;
	for (size_t i = 0; i < 300 * COUNT_OF(kinds); i++) {
		const struct kind *k = &kinds[i % COUNT_OF(kinds)];
		size_t n = 1 + generator_below(&seed, BINS_MAX);
		double bits, cost, each = 0;
		unsigned whole;
		struct bins b;

		draw_sorted(k, &seed, numbers, n);
		bits = bins_find(numbers, n, BIN_BITS, BINS_MAX, &b);
		cost = bins_cost(&b, (double)n, BIN_BITS);
		/* Logarithms of both counts are to 0.01. */
		if (fabs(bits - cost) > 0.02 * (double)n + 0.1)
			fail_msg("%s: says %g, costs %g", k->name, bits, cost);
		whole = bits_width(numbers[0] ^ numbers[n - 1]);
		if (whole <= BIN_EXTRA_MAX)
			assert_true(cost <= (double)n * whole + BIN_BITS + 0.04 * (double)n + 0.1);
		for (size_t from = 0, to; from < n; from = to) {
			for (to = from; to < n && numbers[to] == numbers[from];)
				to++;
			each += (double)(to - from) * log2((double)n / (double)(to - from));
			each += BIN_BITS;
		}
		assert_true(cost <= each + 0.04 * (double)n + 0.1);
	}
}

/* As drawn in bins.h. */
static void test_bins_drawn(void **state)
{
	static const uint32_t numbers[] = {
		0, 0, 0, 0, 0, 0, 0, 0, 96, 97, 97, 99, 99, 100, 101, 103, 4711,
	};
	static const struct bin want[] = {
		{ .base = 0, .count = 8, .extra = 0 },
		{ .base = 96, .count = 8, .extra = 3 },
		{ .base = 4711, .count = 1, .extra = 0 },
	};
	struct bins b;

	(void)state;
	bins_find(numbers, COUNT_OF(numbers), BIN_BITS, BINS_MAX, &b);
	assert_int_equal(b.n, COUNT_OF(want));
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_int_equal(b.bin[i].base, want[i].base);
		assert_int_equal(b.bin[i].count, want[i].count);
		assert_int_equal(b.bin[i].extra, want[i].extra);
	}
}

/* --- Huffman --- */

static uint32_t count_one(uint64_t *seed, unsigned i)
{
	(void)seed;
	(void)i;
	return 1;
}

static uint32_t count_any(uint64_t *seed, unsigned i)
{
	(void)i;
	return 1 + (uint32_t)generator_below(seed, 2048);
}

static uint32_t count_any_magnitude(uint64_t *seed, unsigned i)
{
	(void)i;
	return 1 + ((uint32_t)generator_bits(seed) >> (8 + generator_below(seed, 24)));
}

static uint32_t count_doubling(uint64_t *seed, unsigned i)
{
	(void)seed;
	return 1u << (i < 23 ? i : 23);
}

static uint32_t count_fibonacci(uint64_t *seed, unsigned i)
{
	uint32_t a = 1, b = 1;

	(void)seed;
	for (unsigned k = 0; k < i && k < 30; k++) {
		uint32_t next = a + b;

		a = b;
		b = next;
	}
	return a;
}

static uint32_t count_one_of_all(uint64_t *seed, unsigned i)
{
	(void)seed;
	return i == 1 ? 1u << 24 : 1;
}

static const struct count_kind {
	const char *name;
	uint32_t (*of)(uint64_t *seed, unsigned i);
} count_kinds[] = {
	{ "as often each", count_one },
	{ "any", count_any },
	{ "any magnitude", count_any_magnitude },
	{ "doubling", count_doubling },
	{ "Fibonacci", count_fibonacci },
	{ "one has nearly all", count_one_of_all },
};

struct tree {
	uint64_t cost;		/* bits of all */
	unsigned depth;
};

struct tree_node {
	uint64_t weight;
	unsigned height;
};

static bool node_is_less(struct tree_node a, struct tree_node b)
{
	return a.weight < b.weight || (a.weight == b.weight && a.height < b.height);
}

static void heap_push(struct tree_node *heap, unsigned *n, struct tree_node node)
{
	unsigned i = (*n)++;

	for (; i > 0 && node_is_less(node, heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = node;
}

static struct tree_node heap_pop(struct tree_node *heap, unsigned *n)
{
	struct tree_node top = heap[0], last = heap[--*n];
	unsigned i = 0, child;

	for (; (child = 2 * i + 1) < *n; i = child) {
		if (child + 1 < *n && node_is_less(heap[child + 1], heap[child]))
			child++;
		if (!node_is_less(heap[child], last))
			break;
		heap[i] = heap[child];
	}
	heap[i] = last;
	return top;
}

/* The textbook: join the two least until one is left; of equals the lower, to keep the tree low. */
static struct tree plain_huffman(const uint32_t *counts, unsigned n)
{
	struct tree_node heap[HUFFMAN_SYMBOLS_MAX];
	struct tree t = { 0, 0 };
	unsigned held = 0;

	for (unsigned i = 0; i < n; i++)
		heap_push(heap, &held, (struct tree_node){ counts[i], 0 });
	while (held > 1) {
		struct tree_node a = heap_pop(heap, &held), b = heap_pop(heap, &held);
		unsigned height = (a.height > b.height ? a.height : b.height) + 1;

		t.cost += a.weight + b.weight;
		t.depth = height;
		heap_push(heap, &held, (struct tree_node){ a.weight + b.weight, height });
	}
	return t;
}

/*
 * Shorter codes come first, those of one length in the order of symbols, each next to the one
 * before: then none is the beginning of another. At the end there is no room left, so that whatever
 * bits a decoder meets are the code of something.
 */
static void check_canonical(const char *name, const uint8_t *lengths, unsigned n)
{
	uint8_t codes[HUFFMAN_SYMBOLS_MAX];
	unsigned next = 0;

	huffman_codes(lengths, n, codes);
	for (unsigned length = 1; length <= HUFFMAN_BITS; length++) {
		for (unsigned i = 0; i < n; i++) {
			unsigned room = HUFFMAN_BITS - length;

			if (lengths[i] != length)
				continue;
			if ((unsigned)codes[i] << room != next)
				fail_msg("%s: the code of %u of %u", name, i, n);
			next += 1u << room;
		}
	}
	assert_int_equal(next, 1u << HUFFMAN_BITS);
}

static void check_huffman(const char *name, const uint32_t *counts, unsigned n, unsigned *limited)
{
	struct tree plain = plain_huffman(counts, n);
	uint8_t lengths[HUFFMAN_SYMBOLS_MAX];
	uint64_t cost = 0, all = 0;
	unsigned space = 0;

	huffman_lengths(counts, n, lengths);
	for (unsigned i = 0; i < n; i++) {
		assert_in_range(lengths[i], 1, HUFFMAN_BITS);
		space += 1u << (HUFFMAN_BITS - lengths[i]);
		cost += (uint64_t)counts[i] * lengths[i];
		all += counts[i];
	}
	assert_int_equal(space, 1u << HUFFMAN_BITS);
	if (plain.depth <= HUFFMAN_BITS) {
		if (cost != plain.cost)
			fail_msg("%s: %u symbols, not the best", name, n);
	} else {
		(*limited)++;
		assert_true(cost >= plain.cost && cost <= all * HUFFMAN_BITS);
	}
	check_canonical(name, lengths, n);
}

static void test_huffman(void **state)
{
	uint32_t counts[HUFFMAN_SYMBOLS_MAX];
	uint64_t seed = 3;
	unsigned limited = 0;

	(void)state;
	for (size_t k = 0; k < COUNT_OF(count_kinds); k++) {
		printf("# %s\n", count_kinds[k].name);
		for (unsigned n = 2; n <= HUFFMAN_SYMBOLS_MAX; n++) {
			for (unsigned i = 0; i < n; i++)
				counts[i] = count_kinds[k].of(&seed, i);
			check_huffman(count_kinds[k].name, counts, n, &limited);
			for (unsigned i = n; i-- > 1;) {
				unsigned other = (unsigned)generator_below(&seed, i + 1);
				uint32_t swap = counts[i];

				counts[i] = counts[other];
				counts[other] = swap;
			}
			check_huffman(count_kinds[k].name, counts, n, &limited);
		}
	}
	assert_true(limited > 100);
}

/* --- a model --- */

static struct model_plan plan_for(const uint32_t *sorted, size_t n, bool sparse, uint32_t common,
				  uint32_t escape)
{
	struct model_plan p = {
		.predictor = PREDICT_NOTHING,
		.sparse = sparse,
		.common = common,
		.escape = escape,
	};

	bins_find(sorted, n, BIN_BITS, BINS_MAX - 1, &p.bins);
	return p;
}

static bool in_bins(const struct bins *b, uint32_t residual)
{
	for (unsigned i = 0; i < b->n; i++)
		if (residual >= b->bin[i].base &&
		    (residual - b->bin[i].base) >> b->bin[i].extra == 0)
			return true;
	return false;
}

static bool can_be_told(const struct model_plan *p, uint32_t residual)
{
	return in_bins(&p->bins, residual) || residual - p->escape < 1u << MODEL_ESCAPE_BITS;
}

static bool all_common(const uint32_t *residuals, unsigned n, uint32_t common)
{
	for (unsigned i = 0; i < n; i++)
		if (residuals[i] != common)
			return false;
	return true;
}

/* Whether a sparse model may leave these out, and else whether each can be told. */
static bool all_can_be_told(const struct model_plan *p, const uint32_t *residuals, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned start = i / MODEL_RUN * MODEL_RUN;
		unsigned run = n - start < MODEL_RUN ? n - start : MODEL_RUN;

		if (p->sparse && all_common(residuals + start, run, p->common))
			continue;
		if (!can_be_told(p, residuals[i]))
			return false;
	}
	return true;
}

static uint32_t decode_one(const struct decoder *d, const uint8_t *stream, size_t *at)
{
	uint64_t word = bits_peek(stream, *at), entry = d->entry[word >> (64 - HUFFMAN_BITS)];
	unsigned bits = (unsigned)(entry & UINT32_MAX);

	assert_in_range(bits, 1, HUFFMAN_BITS + BIN_EXTRA_MAX);
	*at += bits;
	return (uint32_t)(entry >> 32) + (uint32_t)(word >> (64 - bits));
}

/* What these bits mean, as the header says it. */
static void decode(const struct model *m, const uint8_t *stream, size_t at, unsigned n,
		   uint32_t *out)
{
	struct decoder d;

	decoder_init(&d, m);
	assert_ptr_equal(d.model, m);
	for (unsigned i = 0; i < n; i++) {
		if (m->sparse && i % MODEL_RUN == 0 && !bits_get(stream, at++, 1)) {
			for (unsigned k = i; k < i + MODEL_RUN && k < n; k++)
				out[k] = m->common;
			i += MODEL_RUN - 1;
			continue;
		}
		out[i] = decode_one(&d, stream, &at);
	}
}

/* Tells them, or finds that it cannot; returns the bits. */
static size_t check_model(const char *name, const struct model_plan *p, const struct model *m,
			  const uint32_t *residuals, unsigned n)
{
	static uint8_t bins[NUMBERS_MOST];
	static uint32_t again[NUMBERS_MOST];
	size_t cost, at = 3;
	struct encoder e;
	uint8_t *stream;

	encoder_init(&e, m);
	cost = encoder_cost(&e, residuals, n, bins);
	if (!all_can_be_told(p, residuals, n)) {
		if (cost != SIZE_MAX)
			fail_msg("%s: tells what cannot be told", name);
		return cost;
	}
	if (cost == SIZE_MAX)
		fail_msg("%s: does not tell what can be told", name);
	stream = calloc(1, bits_bytes(at + cost) + BITS_SLACK);
	encoder_put(&e, residuals, n, bins, stream, &at);
	assert_int_equal(at, 3 + cost);
	decode(m, stream, 3, n, again);
	for (unsigned i = 0; i < n; i++)
		if (again[i] != residuals[i])
			fail_msg("%s: %u of %u is %u and was %u", name, i, n, again[i],
				 residuals[i]);
	free(stream);
	return cost;
}

struct seen {
	bool narrow, wide, sparse, dense, short_bases, long_bases, escaped, not_told;
};

static void look(struct seen *s, const struct model *m, const struct model_plan *p,
		 const uint32_t *residuals, unsigned n, size_t cost)
{
	struct encoder e;
	bool wide = false;

	encoder_init(&e, m);
	for (unsigned i = 0; i < e.n; i++)
		wide |= 2u * (e.length[i] + e.extra[i]) > BITS_WIDTH_MAX - 1;
	assert_int_equal(m->wide, wide);
	*(wide ? &s->wide : &s->narrow) = true;
	*(m->sparse ? &s->sparse : &s->dense) = true;
	*(m->base_bytes == sizeof(uint16_t) ? &s->short_bases : &s->long_bases) = true;
	s->not_told |= cost == SIZE_MAX;
	for (unsigned i = 0; i < n && cost != SIZE_MAX; i++)
		s->escaped |= !in_bins(&p->bins, residuals[i]) && !m->sparse;
}

/* Numbers of one kind make the model; it tells others of that kind, and a few strange ones. */
static void check_kind(const struct kind *k, uint64_t *seed, struct seen *seen)
{
	static uint32_t numbers[NUMBERS_MOST], others[NUMBERS_MOST];
	size_t n = 1 + generator_below(seed, NUMBERS_MOST);
	bool sparse = generator_below(seed, 2);
	unsigned told = (unsigned)generator_below(seed, 200);
	struct model_plan p;
	struct model *m;
	size_t cost;

	draw_sorted(k, seed, numbers, n);
	p = plan_for(numbers, n, sparse, numbers[n / 2], numbers[n / 2] > 1u << 19 ?
							    numbers[n / 2] - (1u << 19) : 0);
	m = model_new(&p);
	assert_non_null(m);
	assert_int_equal(m->refs, 1);
	assert_true(model_bytes(m) > sizeof *m);
	cost = check_model(k->name, &p, m, numbers, (unsigned)n);
	assert_true(cost != SIZE_MAX);
	for (unsigned i = 0; i < told; i++) {
		others[i] = k->next(seed);
		if (generator_below(seed, 50) == 0)
			others[i] = p.escape + (uint32_t)generator_below(seed, 1u << 20);
		if (sparse && generator_below(seed, 20))
			others[i] = i ? others[i - 1] : p.common;
	}
	cost = check_model(k->name, &p, m, others, told);
	look(seen, m, &p, others, told, cost);
	model_unref(m);
}

static void test_models(void **state)
{
	struct seen s = { 0 };
	uint64_t seed = 4;

	(void)state;
	for (size_t i = 0; i < 100 * COUNT_OF(kinds); i++)
		check_kind(&kinds[i % COUNT_OF(kinds)], &seed, &s);
	assert_true(s.narrow && s.wide && s.sparse && s.dense);
	assert_true(s.short_bases && s.long_bases && s.escaped && s.not_told);
}

/* A model of one or two bins written down by hand, and one residual of it. */
static const struct residual_case {
	const char *name;
	struct bins bins;
	uint32_t escape;
	bool sparse;		/* 7 is common */
	uint32_t residual;
	bool told;
} residual_cases[] = {
	{ "in its only bin", { 1, { { 100, 9, 0 } } }, 5000, false, 100, true },
	{ "beside it", { 1, { { 100, 9, 0 } } }, 5000, false, 101, false },
	{ "before it", { 1, { { 100, 9, 0 } } }, 5000, false, 99, false },
	{ "the first of a bin", { 1, { { 64, 9, 6 } } }, 5000, false, 64, true },
	{ "the last of a bin", { 1, { { 64, 9, 6 } } }, 5000, false, 127, true },
	{ "behind a bin", { 1, { { 64, 9, 6 } } }, 5000, false, 128, false },
	{ "the upper half of all", { 1, { { 1u << 31, 9, 31 } } }, 0, false, UINT32_MAX, true },
	{ "the lower half of all", { 1, { { 0, 9, 31 } } }, 0, false, INT32_MAX, true },
	{ "between two bins", { 2, { { 0, 9, 3 }, { 64, 1, 3 } } }, 5000, false, 8, false },
	{ "between two, escaped", { 2, { { 0, 9, 3 }, { 64, 1, 3 } } }, 0, false, 8, true },
	{ "before the escape", { 1, { { 0, 9, 3 } } }, 5000, false, 4999, false },
	{ "the first of the escape", { 1, { { 0, 9, 3 } } }, 5000, false, 5000, true },
	{ "the last of it", { 1, { { 0, 9, 3 } } }, 5000, false, 5000 + 0xfffff, true },
	{ "behind it", { 1, { { 0, 9, 3 } } }, 5000, false, 5000 + 0x100000, false },
	{ "the escape at the end", { 1, { { 0, 9, 3 } } }, 0xffffff00, false, UINT32_MAX, true },
	{ "the escape goes round", { 1, { { 64, 9, 3 } } }, 0xffffff00, false, 0, true },
	{ "bases just 16 bits", { 2, { { 1, 9, 0 }, { 65536, 1, 0 } } }, 1u << 30, false, 65536,
	  true },
	{ "bases just over", { 2, { { 1, 9, 0 }, { 65537, 1, 0 } } }, 1u << 30, false, 65537,
	  true },
	{ "bases as far as can be", { 2, { { 0, 9, 0 }, { UINT32_MAX, 1, 0 } } }, 0, false,
	  UINT32_MAX, true },
	{ "common and in no bin", { 1, { { 100, 9, 0 } } }, 5000, true, 7, true },
	{ "not common, in a bin", { 1, { { 100, 9, 0 } } }, 5000, true, 100, true },
	{ "not common, in none", { 1, { { 100, 9, 0 } } }, 5000, true, 8, false },
};

static void test_residuals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(residual_cases); i++) {
		const struct residual_case *c = &residual_cases[i];
		struct model_plan p = {
			.sparse = c->sparse,
			.common = 7,
			.escape = c->escape,
			.bins = c->bins,
		};
		struct model *m = model_new(&p);
		uint32_t residuals[2 * MODEL_RUN];

		printf("# %s\n", c->name);
		for (unsigned n = 1; n <= COUNT_OF(residuals); n++) {
			residuals[n - 1] = c->residual;
			assert_int_equal(check_model(c->name, &p, m, residuals, n) != SIZE_MAX,
					 c->told);
		}
		model_unref(m);
	}
}

/* As many bins as there can be, with bases of both sizes: what is in each and what is behind it. */
static void test_most_bins(void **state)
{
	static const uint32_t distances[] = { 2, 500, 1000000 };

	(void)state;
	for (size_t d = 0; d < COUNT_OF(distances); d++) {
		struct model_plan p = { .escape = 0xfff00000, .bins.n = BINS_MAX - 1 };
		struct model *m;

		for (unsigned i = 0; i < p.bins.n; i++)
			p.bins.bin[i] = (struct bin){ 4096 + i * distances[d], 1 + i * i, 0 };
		m = model_new(&p);
		for (uint32_t i = 0; i < p.bins.n; i++) {
			uint32_t base = p.bins.bin[i].base;

			assert_true(check_model("a base", &p, m, &base, 1) != SIZE_MAX);
			base++;
			assert_true(check_model("behind it", &p, m, &base, 1) == SIZE_MAX);
		}
		model_unref(m);
	}
}

static void test_references(void **state)
{
	struct model_plan p = { .bins = { 1, { { 0, 1, 0 } } } };
	struct model *m = model_new(&p);

	(void)state;
	assert_ptr_equal(model_ref(m), m);
	assert_int_equal(m->refs, 2);
	model_unref(m);
	assert_int_equal(m->refs, 1);
	model_unref(m);
	model_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bins_hold_all),
		cmocka_unit_test(test_bins_are_worth_it),
		cmocka_unit_test(test_bins_drawn),
		cmocka_unit_test(test_huffman),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_residuals),
		cmocka_unit_test(test_most_bins),
		cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
