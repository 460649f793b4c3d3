/* Sorting and folding against loops that say what is meant. */
#include "unit.h"

#include "code.h"
#include "column.h"
#include "fold.h"
#include "generator.h"
#include "radix_sort.h"

/* --- radix_sort --- */

#define SORTED_MOST 2100
#define CANARY 0xdeadbeefu

static uint32_t any_number(uint64_t *seed)
{
	return (uint32_t)generator_bits(seed);
}

static uint32_t equal_numbers(uint64_t *seed)
{
	(void)seed;
	return 0x01020304;
}

static uint32_t low_byte(uint64_t *seed)
{
	return 0xff00ff00 | (uint32_t)generator_below(seed, 256);
}

static uint32_t second_byte(uint64_t *seed)
{
	return 0xff0000ff | (uint32_t)generator_below(seed, 256) << 8;
}

static uint32_t high_byte(uint64_t *seed)
{
	return (uint32_t)generator_below(seed, 256) << 24 | 0x123456;
}

static uint32_t outer_bytes(uint64_t *seed)
{
	return any_number(seed) & 0xff0000ff;
}

static uint32_t inner_bytes(uint64_t *seed)
{
	return any_number(seed) & 0x00ffff00;
}

static uint32_t three_bytes(uint64_t *seed)
{
	return any_number(seed) >> 8;
}

static uint32_t extremes(uint64_t *seed)
{
	return generator_below(seed, 2) ? UINT32_MAX : 0;
}

static uint32_t hardly_different(uint64_t *seed)
{
	return 0x7fffffff + (uint32_t)generator_below(seed, 3);
}

static const struct sort_case {
	const char *name;
	uint32_t (*next)(uint64_t *seed);
} sort_cases[] = {
	{ "any", any_number },
	{ "equal", equal_numbers },
	{ "the lowest byte", low_byte },
	{ "the second byte", second_byte },
	{ "the highest byte", high_byte },
	{ "two bytes with two between", outer_bytes },
	{ "the two between", inner_bytes },
	{ "three bytes", three_bytes },
	{ "0 and the greatest", extremes },
	{ "on both sides of a power of two", hardly_different },
};

static int compare_numbers(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

static void check_sort(const struct sort_case *c, uint64_t *seed, size_t n)
{
	static uint32_t numbers[SORTED_MOST + 1], scratch[SORTED_MOST + 1], want[SORTED_MOST + 1];

	for (size_t i = 0; i < n; i++)
		want[i] = numbers[i] = c->next(seed);
	numbers[n] = scratch[n] = CANARY;
	qsort(want, n, sizeof *want, compare_numbers);
	/* Once in no order, then in the order that it has already. */
	for (int round = 0; round < 2; round++) {
		radix_sort(numbers, n, scratch);
		if (memcmp(numbers, want, n * sizeof *want) != 0)
			fail_msg("%s: %zu numbers", c->name, n);
		assert_int_equal(numbers[n], CANARY);
		assert_int_equal(scratch[n], CANARY);
	}
}

static void test_sort(void **state)
{
	static const size_t counts[] = { 255, 256, 257, 1000, 2048, SORTED_MOST };
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sort_cases); i++) {
		printf("# %s\n", sort_cases[i].name);
		for (size_t n = 0; n < 100; n++)
			check_sort(&sort_cases[i], &seed, n);
		for (size_t k = 0; k < COUNT_OF(counts); k++)
			check_sort(&sort_cases[i], &seed, counts[k]);
	}
}

/* --- fold --- */

static uint32_t greatest_code(enum metric m)
{
	return code_is_memory(m) ? code_of_kib(1ull << CODE_KIB_MAX_BITS) : CODE_FLOAT_MAX;
}

static uint32_t any_code(uint64_t *seed, enum metric m)
{
	return 1 + (uint32_t)generator_below(seed, greatest_code(m));
}

static uint32_t small_code(uint64_t *seed, enum metric m)
{
	(void)m;
	return 1 + (uint32_t)generator_below(seed, 100);
}

static uint32_t top_codes(uint64_t *seed, enum metric m)
{
	return greatest_code(m) - (uint32_t)generator_below(seed, 3);
}

static uint32_t absent_code(uint64_t *seed, enum metric m)
{
	(void)seed;
	(void)m;
	return CODE_ABSENT;
}

static uint32_t hardly_any(uint64_t *seed, enum metric m)
{
	return generator_below(seed, 40) ? CODE_ABSENT : any_code(seed, m);
}

static uint32_t some_absent(uint64_t *seed, enum metric m)
{
	return generator_below(seed, 3) ? any_code(seed, m) : CODE_ABSENT;
}

/* Where KiB stop to be told exactly. */
static uint32_t at_the_bend(uint64_t *seed, enum metric m)
{
	uint32_t bend = code_is_memory(m) ? 1u << CODE_KIB_EXACT_BITS : 1u << CODE_MANTISSA_BITS;

	return generator_below(seed, 5) ? bend - 1 + (uint32_t)generator_below(seed, 4) :
					  CODE_ABSENT;
}

static const struct fold_case {
	const char *name;
	uint32_t (*next)(uint64_t *seed, enum metric m);
} fold_cases[] = {
	{ "any", any_code },
	{ "small", small_code },
	{ "the greatest", top_codes },
	{ "all absent", absent_code },
	{ "hardly any", hardly_any },
	{ "some absent", some_absent },
	{ "at the bend", at_the_bend },
};

struct expected {
	uint64_t units;
	uint32_t absent, least, greatest, last;
};

static struct expected fold_naively(enum metric m, const uint32_t *codes, unsigned n)
{
	struct expected f = { .least = CODE_ABSENT };

	for (unsigned i = 0; i < n; i++) {
		if (codes[i] == CODE_ABSENT) {
			f.absent++;
			continue;
		}
		f.units += (uint64_t)code_units(m, codes[i]);
		if (f.least == CODE_ABSENT || codes[i] < f.least)
			f.least = codes[i];
		if (codes[i] > f.greatest)
			f.greatest = codes[i];
		f.last = codes[i];
	}
	return f;
}

/* As one segment and as one of each row: all must agree. */
static void check_present(enum metric m, const uint32_t *codes, unsigned n,
			  const struct expected *want)
{
	struct segment whole = { 0, 0, (uint8_t)n }, each[BLOCK_ROWS];
	struct folded rows[BLOCK_ROWS];

	fold_present(m, codes, &whole, 1, rows);
	assert_true(rows[0].sum == (double)want->units);
	assert_true(rows[0].least == code_units(m, want->least));
	assert_true(rows[0].greatest == code_units(m, want->greatest));
	assert_true(rows[0].last == code_units(m, want->last));
	for (unsigned i = 0; i < n; i++)
		each[i] = (struct segment){ i, (uint8_t)i, (uint8_t)(i + 1) };
	fold_present(m, codes, each, n, rows);
	for (unsigned i = 0; i < n; i++) {
		double units = code_units(m, codes[i]);

		assert_true(rows[i].sum == units && rows[i].last == units);
		assert_true(rows[i].least == units && rows[i].greatest == units);
	}
}

static void check_fold(enum metric m, const uint32_t *codes, unsigned n)
{
	struct expected want = fold_naively(m, codes, n);
	double sum = fold_sum(m, codes, n);
	uint32_t least, greatest;

	/* Equal to the bit: a double holds what 64 of them add up to. */
	assert_true((uint64_t)sum == want.units && sum == (double)want.units);
	assert_int_equal(fold_absent(codes, n), want.absent);
	fold_extremes(codes, n, &least, &greatest);
	assert_int_equal(least, want.least);
	assert_int_equal(greatest, want.greatest);
	assert_int_equal(fold_last(codes, n), want.last);
	if (want.absent || n == 0)
		return;
	fold_extremes_present(codes, n, &least, &greatest);
	assert_int_equal(least, want.least);
	assert_int_equal(greatest, want.greatest);
	check_present(m, codes, n, &want);
}

/* The units of a value are whole, or the sums above would prove nothing. */
static void test_units_are_whole(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int m = 0; m < METRIC_COUNT; m++) {
		for (int i = 0; i < 20000; i++) {
			uint32_t code = i ? any_code(&seed, (enum metric)m) :
					    greatest_code((enum metric)m);
			double units = code_units((enum metric)m, code);

			assert_true(units == (double)(uint64_t)units);
			assert_true(units * BLOCK_ROWS <= 0x1p53);
		}
	}
}

static void test_fold(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fold_cases); i++) {
		printf("# %s\n", fold_cases[i].name);
		for (int m = 0; m < METRIC_COUNT; m++) {
			for (unsigned n = 0; n <= BLOCK_ROWS; n++) {
				uint32_t codes[BLOCK_ROWS];

				for (unsigned k = 0; k < n; k++)
					codes[k] = fold_cases[i].next(&seed, (enum metric)m);
				check_fold((enum metric)m, codes, n);
			}
		}
	}
}

/* Cuts rows into segments in order: none, one, all sizes, each row its own, some rows in none. */
static unsigned cut(uint64_t *seed, struct segment out[BLOCK_ROWS])
{
	unsigned longest = 1 + (unsigned)generator_below(seed, BLOCK_ROWS);
	unsigned row = (unsigned)generator_below(seed, 3) ? 0 :
			       (unsigned)generator_below(seed, BLOCK_ROWS);
	unsigned end = BLOCK_ROWS - (unsigned)generator_below(seed, 3) * 10, n = 0;
	bool gaps = generator_below(seed, 2);

	while (row < end) {
		unsigned to = row + 1 + (unsigned)generator_below(seed, longest);

		to = to < end ? to : end;
		out[n] = (struct segment){ .bucket = n, .from = (uint8_t)row, .to = (uint8_t)to };
		n++;
		row = to + (gaps && generator_below(seed, 10) == 0);
	}
	return n;
}

static void test_sums_of_segments(void **state)
{
	bool seen[BLOCK_ROWS + 1] = { false };
	uint64_t seed = 4;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		enum metric m = (enum metric)(round % METRIC_COUNT);
		const struct fold_case *c = &fold_cases[round / METRIC_COUNT %
							COUNT_OF(fold_cases)];
		uint32_t codes[BLOCK_ROWS];
		struct segment s[BLOCK_ROWS];
		double units[BLOCK_ROWS];
		unsigned n = cut(&seed, s);

		for (unsigned k = 0; k < BLOCK_ROWS; k++)
			codes[k] = c->next(&seed, m);
		seen[n] = true;
		fold_sums(m, codes, s, n, units);
		for (unsigned i = 0; i < n; i++) {
			struct expected want = fold_naively(m, codes + s[i].from,
							  (unsigned)(s[i].to - s[i].from));

			if (units[i] != (double)want.units)
				fail_msg("%s: segment %u of %u", c->name, i, n);
		}
	}
	for (unsigned n = 0; n <= 10; n++)
		assert_true(seen[n]);
	assert_true(seen[BLOCK_ROWS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_units_are_whole),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_sums_of_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
