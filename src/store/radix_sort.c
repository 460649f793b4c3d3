#include "radix_sort.h"

#include <string.h>

#include "bits.h"

#define DIGIT_BITS 8
#define DIGITS (1u << DIGIT_BITS)

static void sort_by_digit(const uint32_t *from, size_t n, uint32_t least, unsigned shift,
			  uint32_t *to)
{
	uint32_t place[DIGITS] = { 0 }, next = 0;

	for (size_t i = 0; i < n; i++)
		place[((from[i] - least) >> shift) % DIGITS]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		uint32_t count = place[d];

		place[d] = next;
		next += count;
	}
	for (size_t i = 0; i < n; i++)
		to[place[((from[i] - least) >> shift) % DIGITS]++] = from[i];
}

void radix_sort(uint32_t *numbers, size_t n, uint32_t *scratch)
{
	uint32_t *from = numbers, *to = scratch, least = UINT32_MAX, greatest = 0;

	for (size_t i = 0; i < n; i++) {
		least = numbers[i] < least ? numbers[i] : least;
		greatest = numbers[i] > greatest ? numbers[i] : greatest;
	}
	for (unsigned shift = 0; n > 0 && shift < bits_width(greatest - least); shift += DIGIT_BITS) {
		uint32_t *swap = from;

		sort_by_digit(from, n, least, shift, to);
		from = to;
		to = swap;
	}
	if (from != numbers)
		memcpy(numbers, from, n * sizeof *numbers);
}
