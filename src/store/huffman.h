/*
 * huffman - lengths of a prefix code for up to 256 symbols, none longer than 8 bits, so that a
 * table of 256 entries decodes it.
 *
 * The code is canonical: codes of one length are consecutive numbers in the order of the symbols,
 * and shorter ones come first, so that the lengths tell all.
 */
#ifndef METER_HUFFMAN_H
#define METER_HUFFMAN_H

#include <stdint.h>

#define HUFFMAN_BITS 8
#define HUFFMAN_SYMBOLS_MAX (1u << HUFFMAN_BITS)

/*
 * counts are at least 1 and fit 32 bits together; n is 2 or more. The codes use up the whole code
 * space: any 8 bits begin with one. Cost: O(n log n).
 */
void huffman_lengths(const uint32_t *counts, unsigned n, uint8_t *lengths);

/* Codes for lengths as made above; the lower lengths[i] bits of codes[i]. */
void huffman_codes(const uint8_t *lengths, unsigned n, uint8_t *codes);

#endif
