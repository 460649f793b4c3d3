#include "block.h"

#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "code.h"
#include "fold.h"

bool open_block_append(struct open_block *b, int64_t at_ms, int64_t interval_ms,
		       const uint32_t codes[COLUMN_COUNT])
{
	struct block_times *t = &b->times;
	int64_t since_start;
	uint64_t late;

	if (t->rows == 0)
		*t = (struct block_times){ at_ms, at_ms, at_ms, 0, true };
	if (__builtin_sub_overflow(at_ms, t->start_ms, &since_start))
		return false;
	late = (uint64_t)since_start - (uint64_t)interval_ms * t->rows + TIME_CODE_ZERO;
	/* 0 is what an absent one would be. */
	if (late == CODE_ABSENT || late > UINT32_MAX)
		return false;
	t->ordered &= at_ms >= t->greatest_ms;
	t->least_ms = at_ms < t->least_ms ? at_ms : t->least_ms;
	t->greatest_ms = at_ms > t->greatest_ms ? at_ms : t->greatest_ms;
	b->code[COLUMN_TIME][t->rows] = (uint32_t)late;
	for (unsigned c = COLUMN_OF(0); c < COLUMN_COUNT; c++)
		b->code[c][t->rows] = codes[c];
	t->rows++;
	return true;
}

void open_block_totals(const struct open_block *b, struct block_totals *out)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		const uint32_t *codes = b->code[COLUMN_OF(m)];

		out->units[m] = fold_sum((enum metric)m, codes, b->times.rows);
		out->missing[m] = fold_absent(codes, b->times.rows);
	}
}

static void column_bounds(const uint32_t *codes, unsigned n, uint32_t *least, uint32_t *greatest)
{
	*least = *greatest = codes[0];
	for (unsigned i = 1; i < n; i++) {
		*least = codes[i] < *least ? codes[i] : *least;
		*greatest = codes[i] > *greatest ? codes[i] : *greatest;
	}
}

struct sealed_block *block_seal(const struct open_block *b)
{
	unsigned rows = b->times.rows;
	struct block_totals totals;
	struct sealed_block head = { .times = b->times };
	struct sealed_block *s;
	size_t bits = 0, at = 0, bytes;

	open_block_totals(b, &totals);
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		uint32_t greatest;

		column_bounds(b->code[c], rows, &head.least[c], &greatest);
		head.width[c] = (uint8_t)bits_width(greatest - head.least[c]);
		bits += (size_t)rows * head.width[c];
	}
	for (int m = 0; m < METRIC_COUNT; m++) {
		head.missing[m] = (uint8_t)totals.missing[m];
		head.sum_width[m] = (uint8_t)bits_width((uint64_t)totals.units[m]);
		bits += head.sum_width[m];
	}
	bytes = offsetof(struct sealed_block, bits) + bits_bytes(bits) + BITS_SLACK;
	s = calloc(1, bytes < sizeof head ? sizeof head : bytes);
	if (!s)
		return NULL;
	/* Not all of head: the bits may begin in its padding. */
	memcpy(s, &head, offsetof(struct sealed_block, bits));
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		for (unsigned i = 0; i < rows; i++)
			bits_put(s->bits, &at, b->code[c][i] - s->least[c], s->width[c]);
	for (int m = 0; m < METRIC_COUNT; m++)
		bits_put(s->bits, &at, (uint64_t)totals.units[m], s->sum_width[m]);
	return s;
}

/* Numbers of rows by time, those of equal times in order of arrival. */
static void order_rows(const int64_t *at_ms, unsigned n, uint8_t *order)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned place = i;

		for (; place > 0 && at_ms[order[place - 1]] > at_ms[i]; place--)
			order[place] = order[place - 1];
		order[place] = (uint8_t)i;
	}
}

void open_block_sort(struct open_block *b, int64_t interval_ms)
{
	unsigned rows = b->times.rows;
	int64_t at_ms[BLOCK_ROWS];
	uint8_t order[BLOCK_ROWS];
	struct open_block sorted;

	if (b->times.ordered)
		return;
	for (unsigned i = 0; i < rows; i++)
		at_ms[i] = column_time(b->times.start_ms, interval_ms, i, b->code[COLUMN_TIME][i]);
	order_rows(at_ms, rows, order);
	sorted.times.rows = 0;
	for (unsigned i = 0; i < rows; i++) {
		uint32_t codes[COLUMN_COUNT];

		for (unsigned c = 0; c < COLUMN_COUNT; c++)
			codes[c] = b->code[c][order[i]];
		if (!open_block_append(&sorted, at_ms[order[i]], interval_ms, codes))
			return;
	}
	*b = sorted;
}

void sealed_block_totals(const struct sealed_block *b, struct block_totals *out)
{
	size_t at = 0;

	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		at += (size_t)b->times.rows * b->width[c];
	for (int m = 0; m < METRIC_COUNT; m++) {
		out->units[m] = (double)bits_get(b->bits, at, b->sum_width[m]);
		out->missing[m] = b->missing[m];
		at += b->sum_width[m];
	}
}

void sealed_block_codes(const struct sealed_block *b, unsigned column, unsigned rows,
			uint32_t *out)
{
	unsigned width = b->width[column];
	uint32_t least = b->least[column];
	size_t at = 0;

	for (unsigned c = 0; c < column; c++)
		at += (size_t)b->times.rows * b->width[c];
	for (unsigned i = 0; i < rows; i++, at += width)
		out[i] = least + (uint32_t)bits_get(b->bits, at, width);
}
