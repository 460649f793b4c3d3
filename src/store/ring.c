#include "ring.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "levels.h"

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

int ring_new(struct ring **out, size_t capacity, int64_t interval_ms)
{
	struct ring *r;
	size_t part;

	if (capacity == 0 || capacity > RING_CAPACITY_MAX || interval_ms < 1 ||
	    interval_ms > RING_INTERVAL_MAX_MS)
		return -EINVAL;
	r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	part = (capacity + EVICTION_PART - 1) / EVICTION_PART;
	r->capacity = capacity;
	r->interval_ms = interval_ms;
	r->block_rows = (unsigned)at_most(part, BLOCK_ROWS);
	r->group_blocks = (unsigned)at_most(part / BLOCK_ROWS, GROUP_BLOCKS_MAX);
	if (r->group_blocks < GROUP_BLOCKS_MIN)
		r->group_blocks = 0;
	*out = r;
	return 0;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_groups; i++)
		group_free(r->groups[i].group);
	for (size_t i = 0; i < r->n_blocks; i++)
		free(r->blocks[i]);
	group_maker_clear(&r->maker);
	models_clear(&r->models);
	free(r->groups);
	free(r->blocks);
	free(r->open);
	free(r);
}

/* --- from one level to the next --- */

/* The array with room for one entry more, perhaps at another place; NULL without memory. */
static void *reserve(void *array, size_t entry_size, size_t n, size_t *cap)
{
	size_t more = *cap + *cap / 2 + 4;

	if (n < *cap)
		return array;
	array = reallocarray(array, more, entry_size);
	if (array)
		*cap = more;
	return array;
}

/* The open block is empty afterwards, unless there is no memory. */
static int seal_open(struct ring *r)
{
	struct sealed_block **blocks, *b;

	blocks = reserve(r->blocks, sizeof *blocks, r->n_blocks, &r->cap_blocks);
	if (!blocks)
		return -ENOMEM;
	r->blocks = blocks;
	open_block_sort(r->open, r->interval_ms);
	b = block_seal(r->open);
	if (!b)
		return -ENOMEM;
	r->blocks[r->n_blocks++] = b;
	r->open->times.rows = 0;
	return 0;
}

static void drop_blocks(struct ring *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(r->blocks[i]);
	r->n_blocks -= n;
	memmove(r->blocks, r->blocks + n, r->n_blocks * sizeof(void *));
}

static void add_group(struct ring *r, struct group *g)
{
	struct group_slot slot = { g, INT64_MAX, INT64_MIN };

	for (unsigned i = 0; i < g->n_blocks; i++) {
		const struct block_times *t = &r->blocks[i]->times;

		slot.least_ms = t->least_ms < slot.least_ms ? t->least_ms : slot.least_ms;
		slot.greatest_ms = t->greatest_ms > slot.greatest_ms ? t->greatest_ms :
								       slot.greatest_ms;
	}
	r->groups[r->n_groups++] = slot;
	drop_blocks(r, g->n_blocks);
	r->next_group_blocks = r->group_blocks;
}

/* One step, if there is one to do. Without memory it is done later: until then nothing is amiss. */
static void make_group(struct ring *r)
{
	struct group_slot *groups;
	struct group *g;

	if (r->group_blocks == 0 || r->n_blocks < r->next_group_blocks + RECENT_BLOCKS)
		return;
	groups = reserve(r->groups, sizeof *groups, r->n_groups, &r->cap_groups);
	if (!groups)
		return;
	r->groups = groups;
	group_maker_step(&r->maker, r->blocks, r->next_group_blocks, r->interval_ms, &r->models,
			 &g);
	if (g)
		add_group(r, g);
}

static void evict(struct ring *r)
{
	if (r->n_groups > 0) {
		struct group *oldest = r->groups[0].group;

		if (r->count - oldest->rows < r->capacity)
			return;
		r->count -= oldest->rows;
		group_free(oldest);
		r->n_groups--;
		memmove(r->groups, r->groups + 1, r->n_groups * sizeof *r->groups);
	} else if (r->n_blocks > 0 && r->count - r->blocks[0]->times.rows >= r->capacity) {
		r->count -= r->blocks[0]->times.rows;
		group_maker_clear(&r->maker);
		drop_blocks(r, 1);
	}
}

/* --- appending --- */

/* Any two times that are not the same give unlike numbers (Knuth, multiplicative hashing). */
static unsigned first_group_blocks(const struct ring *r, int64_t first_ms)
{
	uint64_t hash = (uint64_t)first_ms * 0x9e3779b97f4a7c15u >> 32;

	if (r->group_blocks == 0)
		return 0;
	return GROUP_BLOCKS_MIN + (unsigned)(hash % (r->group_blocks - GROUP_BLOCKS_MIN + 1));
}

static bool value_fits(double value)
{
	return !isinf(value) && !(value < 0);
}

static int append_codes(struct ring *r, int64_t at_ms, const uint32_t codes[COLUMN_COUNT])
{
	int result;

	if (!r->open) {
		r->open = calloc(1, sizeof *r->open);
		if (!r->open)
			return -ENOMEM;
		r->next_group_blocks = first_group_blocks(r, at_ms);
	}
	if (r->open->times.rows < r->block_rows &&
	    open_block_append(r->open, at_ms, r->interval_ms, codes))
		return 0;
	result = seal_open(r);
	if (result == 0)
		open_block_append(r->open, at_ms, r->interval_ms, codes);
	return result;
}

int ring_append(struct ring *r, const struct sample *s)
{
	uint32_t codes[COLUMN_COUNT];
	int saturated = 0, result;

	for (int m = 0; m < METRIC_COUNT; m++) {
		bool too_large = false;

		if (!value_fits(s->value[m]))
			return -EINVAL;
		codes[COLUMN_OF(m)] = code_of((enum metric)m, s->value[m], &too_large);
		saturated += too_large;
	}
	result = append_codes(r, s->at_ms, codes);
	if (result < 0)
		return result;
	r->appended++;
	r->count++;
	if (r->appended > 1 && s->at_ms < r->newest_ms)
		r->stepped_back = r->appended;
	r->newest_ms = s->at_ms;
	evict(r);
	make_group(r);
	return saturated;
}

/* --- accounting --- */

size_t ring_count(const struct ring *r)
{
	return r->count;
}

static size_t allocated(const void *memory)
{
	return memory ? malloc_usable_size((void *)memory) + sizeof(size_t) : 0;
}

/* Of a model that all its references share, which are all in this ring. */
static double share(const struct model *m)
{
	return m ? (double)model_bytes(m) / m->refs : 0;
}

static double models_of_ring(const struct ring *r)
{
	double bytes = 0;

	for (size_t i = 0; i < r->n_groups; i++) {
		const struct group *g = r->groups[i].group;

		for (int k = 0; k < __builtin_popcount(g->coded); k++)
			bytes += share(g->models[k]);
	}
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		for (unsigned k = 0; k < MODELS_KEPT; k++)
			bytes += share(r->models.kept[c][k]);
		if (r->maker.column[c])
			bytes += share(r->maker.column[c]->model);
	}
	return bytes;
}

size_t ring_bytes(const struct ring *r)
{
	size_t bytes = allocated(r) + allocated(r->groups) + allocated(r->blocks) +
		       allocated(r->open) + group_maker_bytes(&r->maker) +
		       (size_t)lround(models_of_ring(r));

	for (size_t i = 0; i < r->n_groups; i++)
		bytes += group_bytes(r->groups[i].group);
	for (size_t i = 0; i < r->n_blocks; i++)
		bytes += allocated(r->blocks[i]);
	return bytes;
}
