#include "bins.h"

#include <string.h>

#include "bits.h"

struct search {
	const uint32_t *sorted;
	float log2_n;		/* of all numbers */
	float bin_bits;
	unsigned most;
	struct bins *out;
};

/* To 0.01: the exponent, and a parabola through the ends and the middle for the mantissa. */
static float log2_about(float x)
{
	uint32_t bits;
	float mantissa;

	memcpy(&bits, &x, sizeof bits);
	mantissa = (float)(bits & 0x7fffff) / 0x800000;
	return (float)(bits >> 23) - 127 + mantissa * (1.34f - 0.34f * mantissa);
}

static void add_bin(struct search *s, size_t from, size_t to, unsigned extra)
{
	struct bins *b = s->out;

	if (b->n < s->most)
		b->bin[b->n] = (struct bin){
			.base = s->sorted[from] >> extra << extra,
			.count = (uint32_t)(to - from),
			.extra = (uint8_t)extra,
		};
	b->n++;
}

/* The first of [from, to) that is not less than limit. */
static size_t lower_bound(const uint32_t *sorted, size_t from, size_t to, uint32_t limit)
{
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (sorted[middle] < limit)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Appends the best bins of [from, to); returns what they and their numbers cost, in bits. */
static float search(struct search *s, size_t from, size_t to)
{
	uint32_t least = s->sorted[from], greatest = s->sorted[to - 1];
	unsigned extra = bits_width(least ^ greatest), before = s->out->n;
	float count = (float)(to - from);
	float whole = count * (s->log2_n - log2_about(count) + (float)extra) + s->bin_bits;
	float halves;
	size_t middle;

	/* A cut costs a bin and saves no more than all extra bits. */
	if (extra <= BIN_EXTRA_MAX && count * (float)extra <= s->bin_bits) {
		add_bin(s, from, to, extra);
		return whole;
	}
	middle = lower_bound(s->sorted, from, to, greatest >> (extra - 1) << (extra - 1));
	halves = search(s, from, middle);
	halves += search(s, middle, to);
	if (whole <= halves && extra <= BIN_EXTRA_MAX) {
		s->out->n = before;
		add_bin(s, from, to, extra);
		return whole;
	}
	return halves;
}

float bins_find(const uint32_t *sorted, size_t n, float bin_bits, unsigned most, struct bins *out)
{
	struct search s = { sorted, log2_about((float)n), bin_bits, most, out };
	float bits;

	for (;;) {
		out->n = 0;
		bits = search(&s, 0, n);
		if (out->n <= most)
			return bits;
		s.bin_bits *= 1.5f;
	}
}
