/* Numbers of any width in a row of bytes: what is put comes back, nothing beside it is touched. */
#include "unit.h"

#include "bits.h"
#include "generator.h"
#include "packed.h"

#define SERIES_MAX 64
#define BEFORE_MOST 75	/* bits before a series, so that it begins anywhere in a byte */

static uint64_t ones(unsigned width)
{
	return width ? UINT64_MAX >> (64 - width) : 0;
}

/* --- bits --- */

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(bits_width(0), 0);
	for (unsigned width = 1; width <= 64; width++) {
		assert_int_equal(bits_width(1ull << (width - 1)), width);
		assert_int_equal(bits_width(ones(width)), width);
	}
}

static void test_bytes(void **state)
{
	(void)state;
	for (size_t bits = 0; bits < 1000; bits++) {
		assert_true(bits_bytes(bits) * 8 >= bits);
		assert_true(bits_bytes(bits) * 8 < bits + 8);
	}
}

/* At each place in a byte, between ones and zeros: exactly so many bits, the highest first. */
static void test_put_and_get(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned width = 0; width <= BITS_WIDTH_MAX; width++) {
		for (unsigned before = 0; before < 16; before++) {
			uint64_t value = generator_bits(&seed) & ones(width);
			uint8_t bytes[2 + 8 + BITS_SLACK] = { 0 };
			size_t at = 0;

			bits_put(bytes, &at, ones(before), before);
			bits_put(bytes, &at, value, width);
			assert_int_equal(at, before + width);
			assert_int_equal(bits_get(bytes, 0, before), ones(before));
			assert_int_equal(bits_get(bytes, before, width), value);
			assert_int_equal(bits_peek(bytes, before) >> (64 - BITS_WIDTH_MAX),
					 value << (BITS_WIDTH_MAX - width));
			for (unsigned i = 0; i < width; i++)
				assert_int_equal(bits_get(bytes, before + i, 1),
						 value >> (width - 1 - i) & 1);
			assert_int_equal(bits_get(bytes, at, BITS_WIDTH_MAX), 0);
		}
	}
}

static void test_many_in_a_row(void **state)
{
	enum { NUMBERS = 2000 };
	static uint64_t value[NUMBERS];
	static unsigned width[NUMBERS];
	size_t at = 0, all = 0;
	uint64_t seed = 2;
	uint8_t *bytes;

	(void)state;
	for (int i = 0; i < NUMBERS; i++) {
		width[i] = (unsigned)generator_below(&seed, BITS_WIDTH_MAX + 1);
		value[i] = generator_bits(&seed) & ones(width[i]);
		all += width[i];
	}
	/* No byte more than the header asks for. */
	bytes = calloc(1, bits_bytes(all) + BITS_SLACK);
	for (int i = 0; i < NUMBERS; i++)
		bits_put(bytes, &at, value[i], width[i]);
	assert_int_equal(at, all);
	at = 0;
	for (int i = 0; i < NUMBERS; at += width[i++])
		assert_int_equal(bits_get(bytes, at, width[i]), value[i]);
	free(bytes);
}

/* Every alignment of both rows; the source is random all around what is copied. */
static void test_copy(void **state)
{
	uint8_t source[64 + BITS_SLACK];
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 0; i < sizeof source; i++)
		source[i] = (uint8_t)generator_bits(&seed);
	for (size_t n = 0; n <= 3 * BITS_WIDTH_MAX + 8; n++) {
		for (unsigned from = 0; from < 64; from++) {
			unsigned before = from % 8, to = from / 8;
			uint8_t bytes[40 + BITS_SLACK] = { 0 };
			size_t at = 0;

			bits_put(bytes, &at, ones(to), to);
			bits_copy(bytes, &at, source, before, n);
			assert_int_equal(at, to + n);
			assert_int_equal(bits_get(bytes, 0, to), ones(to));
			for (size_t i = 0; i < n; i++)
				if (bits_get(bytes, to + i, 1) != bits_get(source, before + i, 1))
					fail_msg("bit %zu of %zu, from %u to %u", i, n, before, to);
			for (size_t i = 0; i < 8; i++)
				assert_int_equal(bits_get(bytes, at + i * 8, 8), 0);
		}
	}
}

/* --- packed --- */

/* As the header draws it. */
static size_t drawn_bits(const int64_t *numbers, unsigned n)
{
	int64_t least = numbers[0];
	uint64_t zigzag, all = 0;

	for (unsigned i = 1; i < n; i++)
		least = numbers[i] < least ? numbers[i] : least;
	zigzag = least < 0 ? 2 * ~(uint64_t)least + 1 : 2 * (uint64_t)least;
	for (unsigned i = 0; i < n; i++)
		all |= (uint64_t)numbers[i] - (uint64_t)least;
	while (all && !(all & 1))
		all >>= 1;
	return 7 + 6 + 7 + bits_width(zigzag) + (size_t)n * bits_width(all);
}

/* Two series after some other bits, in no byte more than they need. */
static void check_packed(const char *name, const int64_t *numbers, unsigned n, unsigned before)
{
	size_t bits = drawn_bits(numbers, n), at = 0;
	uint8_t *bytes = calloc(1, bits_bytes(before + 2 * bits) + BITS_SLACK);

	assert_true(bits <= PACKED_BITS_MAX(n));
	for (unsigned left = before; left > 0; left -= left < 32 ? left : 32)
		bits_put(bytes, &at, ones(left < 32 ? left : 32), left < 32 ? left : 32);
	packed_write(bytes, &at, numbers, n);
	packed_write(bytes, &at, numbers, n);
	if (at != before + 2 * bits)
		fail_msg("%s: %zu bits, not %zu", name, (at - before) / 2, bits);
	at = before;
	for (int series = 0; series < 2; series++) {
		struct packed p = packed_read(bytes, &at, n);

		assert_int_equal(at, before + (size_t)(series + 1) * bits);
		for (unsigned i = n; i-- > 0;) {
			if (packed_get(&p, i) != numbers[i])
				fail_msg("%s: number %u of %u", name, i, n);
			assert_int_equal(packed_get_wide(&p, i), (uint64_t)numbers[i]);
		}
	}
	free(bytes);
}

static const struct packed_case {
	const char *name;
	unsigned n;
	int64_t numbers[6];
	size_t bits;	/* behind the first 20 */
} packed_cases[] = {
	{ "zero takes nothing", 1, { 0 }, 0 },
	{ "zeros", 6, { 0 }, 0 },
	{ "equal ones are told once", 6, { 5, 5, 5, 5, 5, 5 }, 4 },
	{ "minus one", 2, { -1, -1 }, 1 },
	{ "two next to each other", 2, { -1, 0 }, 1 + 2 },
	{ "ends in zero bits", 3, { 0, 3 << 20, 1 << 20 }, 3 * 2 },
	{ "the distance does, the number does not", 3, { 7, 7 + 1024, 7 + 3072 }, 4 + 3 * 2 },
	{ "the least", 2, { INT64_MIN, INT64_MIN }, 64 },
	{ "the greatest", 2, { INT64_MAX, INT64_MAX }, 64 },
	{ "one bit apart at the top", 2, { INT64_MIN, 0 }, 64 + 2 },
	{ "as far apart as can be", 3, { INT64_MAX, INT64_MIN, -1 }, 64 + 3 * 64 },
	{ "as wide as one read", 2, { 0, (1ll << 57) - 1 }, 2 * 57 },
	{ "a bit wider", 2, { 0, (1ll << 58) - 1 }, 2 * 58 },
};

static void test_packed_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(packed_cases); i++) {
		const struct packed_case *c = &packed_cases[i];

		printf("# %s\n", c->name);
		assert_int_equal(drawn_bits(c->numbers, c->n), 20 + c->bits);
		for (unsigned before = 0; before < 8; before++)
			check_packed(c->name, c->numbers, c->n, before);
	}
}

/* n numbers whose distances are of so many bits, and so many zero bits after them; somewhere. */
static void draw(uint64_t *seed, unsigned n, unsigned width, unsigned shift, int64_t *numbers)
{
	uint64_t span = ones(width) << shift, least;

	/* No number may be over INT64_MAX. */
	least = span == 0 ? generator_bits(seed) : generator_bits(seed) % (0 - span);
	if (generator_below(seed, 4) == 0)
		least = 0;
	least += (uint64_t)INT64_MIN;
	/* Near zero the least itself is short. */
	if (span < INT64_MAX && generator_below(seed, 2))
		least = generator_below(seed, 3) - 1;
	for (unsigned i = 0; i < n; i++)
		numbers[i] = (int64_t)(least + ((generator_bits(seed) & ones(width)) << shift));
	numbers[generator_below(seed, n)] = (int64_t)least;
	numbers[generator_below(seed, n)] = (int64_t)(least + span);
}

static void test_every_width_and_shift(void **state)
{
	int64_t numbers[SERIES_MAX];
	uint64_t seed = 4;
	char name[64];

	(void)state;
	for (unsigned width = 0; width <= 64; width++) {
		for (unsigned shift = 0; shift < 64 && width + shift <= 64; shift++) {
			unsigned n = 1 + (unsigned)generator_below(&seed, SERIES_MAX);

			draw(&seed, n, width, shift, numbers);
			snprintf(name, sizeof name, "width %u, shift %u", width, shift);
			check_packed(name, numbers, n,
				     (unsigned)generator_below(&seed, BEFORE_MOST));
		}
	}
}

static void test_every_count(void **state)
{
	int64_t numbers[SERIES_MAX];
	uint64_t seed = 5;
	char name[64];

	(void)state;
	for (unsigned n = 1; n <= SERIES_MAX; n++) {
		for (unsigned width = 0; width <= 64; width++) {
			draw(&seed, n, width, (unsigned)generator_below(&seed, 65 - width) % 64,
			     numbers);
			snprintf(name, sizeof name, "%u numbers, width %u", n, width);
			check_packed(name, numbers, n,
				     (unsigned)generator_below(&seed, BEFORE_MOST));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_put_and_get),
		cmocka_unit_test(test_many_in_a_row),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_packed_cases),
		cmocka_unit_test(test_every_width_and_shift),
		cmocka_unit_test(test_every_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
