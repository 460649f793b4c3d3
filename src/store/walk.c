#include "walk.h"

#include "code.h"

void walk_begin(struct walk *w, const struct ring *r, int64_t since_ms, int64_t until_ms)
{
	w->ring = r;
	w->since_ms = since_ms;
	w->until_ms = until_ms;
	w->next_group = 0;
	w->next_block = 0;
	w->view.group = NULL;
	w->sealed = NULL;
	w->open = NULL;
	group_decoders_init(&w->decoders);
}

static bool touches(const struct walk *w, int64_t least_ms, int64_t greatest_ms)
{
	return least_ms < w->until_ms && greatest_ms >= w->since_ms;
}

static bool next_of_group(struct walk *w)
{
	while (w->next_block < w->view.group->n_blocks) {
		group_block_times(&w->view, (unsigned)w->next_block++, &w->times);
		if (touches(w, w->times.least_ms, w->times.greatest_ms))
			return true;
	}
	return false;
}

static bool next_in_groups(struct walk *w)
{
	const struct ring *r = w->ring;

	if (w->view.group && next_of_group(w))
		return true;
	while (w->next_group < r->n_groups) {
		const struct group_slot *slot = &r->groups[w->next_group++];

		if (!touches(w, slot->least_ms, slot->greatest_ms))
			continue;
		group_view_init(&w->view, slot->group, r->interval_ms);
		w->constant = ~(unsigned)slot->group->coded;
		w->absent = slot->group->missing;
		w->time_least = slot->group->time_least;
		w->time_greatest = slot->group->time_greatest;
		w->next_block = 0;
		if (next_of_group(w))
			return true;
	}
	return false;
}

static void at_sealed(struct walk *w, const struct sealed_block *b)
{
	w->sealed = b;
	w->times = b->times;
	w->time_least = b->least[COLUMN_TIME];
	/* Of so many bits at most, and no more than a code may be. */
	w->time_greatest = (uint32_t)((1ull << b->width[COLUMN_TIME]) - 1);
	w->time_greatest = w->time_greatest < UINT32_MAX - w->time_least ?
				   w->time_least + w->time_greatest : UINT32_MAX;
	w->constant = 0;
	w->absent = 0;
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		w->constant |= (unsigned)(b->width[c] == 0) << c;
		/* It is the least of all codes. */
		w->absent |= (unsigned)(b->least[c] == CODE_ABSENT) << c;
	}
}

static void at_open(struct walk *w, const struct open_block *b)
{
	w->sealed = NULL;
	w->open = b;
	w->times = b->times;
	w->constant = 0;
	w->absent = ~0u;
	/* Not known: its times are at hand anyhow. */
	w->time_least = 0;
	w->time_greatest = UINT32_MAX;
}

bool walk_next(struct walk *w)
{
	const struct ring *r = w->ring;

	if (w->open)
		return false;
	if (!w->sealed) {
		if (next_in_groups(w))
			return true;
		w->next_block = 0;
	}
	while (w->next_block < r->n_blocks) {
		const struct sealed_block *b = r->blocks[w->next_block++];

		if (!touches(w, b->times.least_ms, b->times.greatest_ms))
			continue;
		at_sealed(w, b);
		return true;
	}
	if (!r->open || r->open->times.rows == 0 ||
	    !touches(w, r->open->times.least_ms, r->open->times.greatest_ms))
		return false;
	at_open(w, r->open);
	return true;
}

void walk_totals(const struct walk *w, struct block_totals *out)
{
	if (w->open)
		open_block_totals(w->open, out);
	else if (w->sealed)
		sealed_block_totals(w->sealed, out);
	else
		group_block_totals(&w->view, (unsigned)w->next_block - 1, out);
}

void walk_codes(struct walk *w, unsigned columns, unsigned rows)
{
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		w->column[c] = w->open ? w->open->code[c] : w->codes[c];
		if (w->sealed && !w->open && columns >> c & 1)
			sealed_block_codes(w->sealed, c, rows, w->codes[c]);
	}
	if (!w->open && !w->sealed)
		group_block_codes(&w->view, &w->decoders, (unsigned)w->next_block - 1, columns,
				  rows, w->codes);
}

uint32_t walk_constant(const struct walk *w, unsigned column)
{
	return w->sealed ? w->sealed->least[column] : w->view.group->constant[column];
}
