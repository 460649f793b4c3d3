#include "fold.h"

/* An absent one becomes the code of 0, which adds nothing. */
static inline uint32_t or_zero(uint32_t code)
{
	return code + (code == CODE_ABSENT);
}

uint32_t fold_absent(const uint32_t *codes, unsigned n)
{
	uint32_t absent = 0;

	for (unsigned i = 0; i < n; i++)
		absent += codes[i] == CODE_ABSENT;
	return absent;
}

static double sum_kib(const uint32_t *codes, unsigned n)
{
	uint64_t sum = 0;
	uint32_t all = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t kib = or_zero(codes[i]) - 1;

		sum += kib;
		all |= kib;
	}
	if (!(all >> CODE_KIB_EXACT_BITS))
		return (double)sum;
	sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += code_kib(or_zero(codes[i]));
	return (double)sum;
}

/*
 * Four sums side by side: no addition waits for the one before it, and as all are exact they are as
 * good.
 */
static double sum_float(const uint32_t *codes, unsigned n)
{
	double a = 0, b = 0, c = 0, d = 0;
	unsigned i = 0;

	for (; i + 4 <= n; i += 4) {
		a += code_float_units(or_zero(codes[i]));
		b += code_float_units(or_zero(codes[i + 1]));
		c += code_float_units(or_zero(codes[i + 2]));
		d += code_float_units(or_zero(codes[i + 3]));
	}
	for (; i < n; i++)
		a += code_float_units(or_zero(codes[i]));
	return a + b + (c + d);
}

double fold_sum(enum metric m, const uint32_t *codes, unsigned n)
{
	return code_is_memory(m) ? sum_kib(codes, n) : sum_float(codes, n);
}

/* Each in units, absent ones as 0. */
static void to_units(enum metric m, const uint32_t *codes, unsigned n, double *units)
{
	for (unsigned i = 0; i < n && code_is_memory(m); i++)
		units[i] = (double)(int64_t)code_kib(or_zero(codes[i]));
	for (unsigned i = 0; i < n && !code_is_memory(m); i++)
		units[i] = code_float_units(or_zero(codes[i]));
}

void fold_sums(enum metric m, const uint32_t *codes, const struct segment *s, unsigned n,
	       double units[BLOCK_ROWS])
{
	double each[BLOCK_ROWS];

	if (n < SEGMENTS_MANY) {
		for (unsigned i = 0; i < n; i++)
			units[i] = fold_sum(m, codes + s[i].from, (unsigned)(s[i].to - s[i].from));
		return;
	}
	to_units(m, codes + s->from, (unsigned)(s[n - 1].to - s->from), each);
	for (unsigned i = 0; i < n; i++) {
		units[i] = 0;
		for (unsigned row = s[i].from; row < s[i].to; row++)
			units[i] += each[row - s->from];
	}
}

void fold_present(enum metric m, const uint32_t *codes, const struct segment *s, unsigned n,
		  struct folded out[BLOCK_ROWS])
{
	double each[BLOCK_ROWS];

	to_units(m, codes + s->from, (unsigned)(s[n - 1].to - s->from), each);
	for (unsigned i = 0; i < n; i++) {
		const double *row = each + (s[i].from - s->from);
		unsigned rows = (unsigned)(s[i].to - s[i].from);
		struct folded f = { row[0], row[0], row[0], row[rows - 1] };

		for (unsigned k = 1; k < rows; k++) {
			f.sum += row[k];
			f.least = row[k] < f.least ? row[k] : f.least;
			f.greatest = row[k] > f.greatest ? row[k] : f.greatest;
		}
		out[i] = f;
	}
}
