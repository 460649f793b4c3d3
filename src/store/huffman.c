#include "huffman.h"

#include <stdlib.h>

/* Of the code space: a code of l bits takes 2^(8 - l). */
#define SPACE (1u << HUFFMAN_BITS)

/* Count above symbol, so that ordering numbers orders both. */
static int compare_keys(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/*
 * Moffat and Katajainen, "In-place calculation of minimum-redundancy codes" (1995): weights
 * ascending in, depths of the leaves out. First the array's left part becomes the inner nodes'
 * weights, then parents, then depths, and these are dealt out to the leaves from the right.
 */
static void weights_to_depths(uint32_t *a, unsigned n)
{
	unsigned leaf = 0, root = 0, free_nodes = 1, used, depth = 0;

	for (unsigned next = 0; next < n - 1; next++) {
		uint32_t weight = 0;

		for (int child = 0; child < 2; child++) {
			if (leaf >= n || (root < next && a[root] < a[leaf])) {
				weight += a[root];
				a[root++] = next;
			} else {
				weight += a[leaf++];
			}
		}
		a[next] = weight;
	}
	a[n - 2] = 0;
	for (unsigned next = n - 2; next-- > 0;)
		a[next] = a[a[next]] + 1;
	for (int inner = (int)n - 2, leaves = (int)n - 1; free_nodes > 0; depth++) {
		for (used = 0; inner >= 0 && a[inner] == depth; inner--)
			used++;
		for (; free_nodes > used; free_nodes--)
			a[leaves--] = depth;
		free_nodes = 2 * used;
	}
}

/*
 * Depths, deepest first, cut to HUFFMAN_BITS: what that takes too much of the code space is won
 * back by lengthening the rarest that can be, and what is then left goes to the commonest.
 */
static void limit_depths(uint32_t *depth, unsigned n)
{
	unsigned space = 0;

	for (unsigned i = 0; i < n; i++) {
		depth[i] = depth[i] < HUFFMAN_BITS ? depth[i] : HUFFMAN_BITS;
		space += SPACE >> depth[i];
	}
	for (unsigned i = 0; space > SPACE; i++)
		for (; depth[i] < HUFFMAN_BITS && space > SPACE; depth[i]++)
			space -= SPACE >> (depth[i] + 1);
	for (unsigned i = n; i-- > 0;)
		for (; depth[i] > 1 && space + (SPACE >> depth[i]) <= SPACE; depth[i]--)
			space += SPACE >> depth[i];
}

void huffman_lengths(const uint32_t *counts, unsigned n, uint8_t *lengths)
{
	uint64_t keys[HUFFMAN_SYMBOLS_MAX];
	uint32_t depth[HUFFMAN_SYMBOLS_MAX];

	for (unsigned i = 0; i < n; i++)
		keys[i] = (uint64_t)counts[i] << 32 | i;
	qsort(keys, n, sizeof *keys, compare_keys);
	for (unsigned i = 0; i < n; i++)
		depth[i] = (uint32_t)(keys[i] >> 32);
	weights_to_depths(depth, n);
	limit_depths(depth, n);
	for (unsigned i = 0; i < n; i++)
		lengths[(uint32_t)keys[i]] = (uint8_t)depth[i];
}

void huffman_codes(const uint8_t *lengths, unsigned n, uint8_t *codes)
{
	unsigned count[HUFFMAN_BITS + 1] = { 0 }, next[HUFFMAN_BITS + 1], code = 0;

	for (unsigned i = 0; i < n; i++)
		count[lengths[i]]++;
	for (unsigned length = 1; length <= HUFFMAN_BITS; length++) {
		next[length] = code;
		code = (code + count[length]) << 1;
	}
	for (unsigned i = 0; i < n; i++)
		codes[i] = (uint8_t)next[lengths[i]]++;
}
