#include "series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAP_FIRST 64

void series_clear(struct series *s)
{
	s->n_sets = s->n_values = 0;
	s->last = 0;
	s->ordered = true;
	if (s->slots > 0)
		memset(s->slot, 0, s->slots * sizeof *s->slot);
}

void series_free(struct series *s)
{
	free(s->set);
	free(s->value);
	free(s->slot);
	*s = (struct series){ 0 };
}

size_t series_memory(const struct series *s)
{
	return s->sets_cap * sizeof *s->set + s->values_cap * sizeof *s->value +
	       s->slots * sizeof *s->slot;
}

/* Where the set is, or the free slot where it would be. There always is a free one. */
static uint32_t *find_slot(const struct series *s, struct id id)
{
	size_t at = id.a & (s->slots - 1);

	while (s->slot[at] != 0 && !id_equal(s->set[s->slot[at] - 1].id, id))
		at = (at + 1) & (s->slots - 1);
	return &s->slot[at];
}

uint32_t series_find(const struct series *s, struct id id)
{
	return s->slots > 0 ? *find_slot(s, id) - 1 : UINT32_MAX;
}

/* Twice as many slots as sets. */
static int grow_sets(struct series *s)
{
	size_t cap = s->sets_cap ? 2 * s->sets_cap : CAP_FIRST;
	uint32_t *slot = calloc(2 * cap, sizeof *slot);
	struct series_set *set = reallocarray(s->set, cap, sizeof *set);

	if (set)
		s->set = set;
	if (!set || !slot) {
		free(slot);
		return -ENOMEM;
	}
	free(s->slot);
	s->slot = slot;
	s->slots = 2 * cap;
	s->sets_cap = cap;
	for (size_t i = 0; i < s->n_sets; i++)
		*find_slot(s, set[i].id) = (uint32_t)i + 1;
	return 0;
}

static int grow_values(struct series *s)
{
	size_t cap = s->values_cap ? 2 * s->values_cap : CAP_FIRST;
	struct series_value *value = reallocarray(s->value, cap, sizeof *value);

	if (!value)
		return -ENOMEM;
	s->value = value;
	s->values_cap = cap;
	return 0;
}

static int find_or_add(struct series *s, const struct series_set *set, uint32_t *index)
{
	uint32_t *slot;
	int r;

	if (s->n_sets > 0 && id_equal(s->set[s->last].id, set->id)) {
		*index = s->last;
		return 0;
	}
	if (s->n_sets == s->sets_cap) {
		r = grow_sets(s);
		if (r < 0)
			return r;
	}
	slot = find_slot(s, set->id);
	if (*slot == 0) {
		s->set[s->n_sets++] = *set;
		*slot = (uint32_t)s->n_sets;
	}
	*index = *slot - 1;
	return 0;
}

int series_add(struct series *s, const struct series_set *set, double le, double value)
{
	const struct series_value *before;
	uint32_t index;
	int r;

	if (s->n_values == s->values_cap) {
		r = grow_values(s);
		if (r < 0)
			return r;
	}
	r = find_or_add(s, set, &index);
	if (r < 0)
		return r;
	if (s->n_values == 0) {
		s->ordered = true;
	} else {
		before = &s->value[s->n_values - 1];
		if (index < before->set || (index == before->set && le <= before->le))
			s->ordered = false;
	}
	s->last = index;
	s->value[s->n_values] = (struct series_value){ index, (uint32_t)s->n_values, le, value };
	s->n_values++;
	return 0;
}

static int by_set_and_le(const void *left, const void *right)
{
	const struct series_value *a = left, *b = right;

	if (a->set != b->set)
		return a->set < b->set ? -1 : 1;
	if (a->le != b->le)
		return a->le < b->le ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

size_t series_finish(struct series *s)
{
	size_t kept = 0, told = s->n_values;

	if (told > 0 && !s->ordered) {
		qsort(s->value, told, sizeof *s->value, by_set_and_le);
		for (size_t i = 1; i < told; i++) {
			if (s->value[i].set != s->value[kept].set ||
			    s->value[i].le != s->value[kept].le)
				s->value[++kept] = s->value[i];
		}
		s->n_values = kept + 1;
	}
	for (size_t i = 0; i < s->n_sets; i++)
		s->set[i].n = 0;
	for (size_t i = 0; i < s->n_values; i++) {
		struct series_set *set = &s->set[s->value[i].set];

		if (set->n++ == 0)
			set->first = (uint32_t)i;
	}
	return told - s->n_values;
}
