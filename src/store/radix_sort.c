#include "radix_sort.h"

#include <string.h>

#define DIGITS 256
#define PASSES 4

static void sort_by_digit(const uint32_t *from, size_t n, unsigned shift, uint32_t *to)
{
	uint32_t place[DIGITS] = { 0 }, next = 0;

	for (size_t i = 0; i < n; i++)
		place[(from[i] >> shift) % DIGITS]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		uint32_t count = place[d];

		place[d] = next;
		next += count;
	}
	for (size_t i = 0; i < n; i++)
		to[place[(from[i] >> shift) % DIGITS]++] = from[i];
}

void radix_sort(uint32_t *numbers, size_t n, uint32_t *scratch)
{
	uint32_t *from = numbers, *to = scratch, differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= numbers[i] ^ numbers[0];
	for (unsigned shift = 0; shift < PASSES * 8; shift += 8) {
		uint32_t *swap = from;

		if ((differ >> shift) % DIGITS == 0)
			continue;
		sort_by_digit(from, n, shift, to);
		from = to;
		to = swap;
	}
	if (from != numbers)
		memcpy(numbers, from, n * sizeof *numbers);
}
