#include "kept.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The layouts of a page, while they are found; their bounds are those of a set that has them. */
struct found {
	uint32_t n;
	size_t n_bounds;
	struct layout layout[SCRAPE_LAYOUTS_MAX];	/* first is of a value of the page */
	uint32_t *of_set;
};

static bool has_layout(const struct series *page, const struct series_set *set,
		       const struct layout *l)
{
	if (set->n != l->n)
		return false;
	for (uint32_t i = 0; i < l->n; i++) {
		if (page->value[set->first + i].le != page->value[l->first + i].le)
			return false;
	}
	return true;
}

/* False: too many. */
static bool find_layouts(struct found *f, const struct series *page)
{
	uint32_t last = 0;

	for (size_t i = 0; i < page->n_sets; i++) {
		const struct series_set *set = &page->set[i];
		uint32_t l = last;

		if (f->n == 0 || !has_layout(page, set, &f->layout[l])) {
			for (l = 0; l < f->n && !has_layout(page, set, &f->layout[l]); l++)
				;
		}
		if (l == SCRAPE_LAYOUTS_MAX)
			return false;
		if (l == f->n) {
			f->layout[f->n++] = (struct layout){ set->first, set->n };
			f->n_bounds += set->n;
		}
		f->of_set[i] = last = l;
	}
	return true;
}

static struct kept *kept_alloc(size_t n_sets, size_t n_values, const struct found *f)
{
	size_t layouts = sizeof(struct kept) + f->n * sizeof(struct layout);
	size_t sets = n_sets * sizeof(struct kept_set);
	size_t values = n_values * sizeof(double), bounds = f->n_bounds * sizeof(double);
	struct kept *k = malloc(layouts + sets + values + bounds);

	if (!k)
		return NULL;
	k->bytes = layouts + sets + values + bounds;
	k->set = (struct kept_set *)((char *)k + layouts);
	k->value = (double *)((char *)k->set + sets);
	k->bound = k->value + n_values;
	k->n_sets = (uint32_t)n_sets;
	k->n_values = (uint32_t)n_values;
	k->n_layouts = f->n;
	return k;
}

static void fill(struct kept *k, const struct series *page, const struct found *f)
{
	uint32_t bound = 0;

	k->n_present = (uint32_t)page->n_sets;
	for (uint32_t l = 0; l < f->n; l++) {
		k->layout[l] = (struct layout){ bound, f->layout[l].n };
		for (uint32_t i = 0; i < f->layout[l].n; i++)
			k->bound[bound++] = page->value[f->layout[l].first + i].le;
	}
	for (size_t i = 0; i < page->n_sets; i++)
		k->set[i] = (struct kept_set){ page->set[i].id, page->set[i].first, f->of_set[i] };
	for (size_t i = 0; i < page->n_values; i++)
		k->value[i] = page->value[i].value;
}

int kept_new(struct kept **out, const struct series *page, const struct id *gone, size_t n_gone)
{
	struct found f = { .n = 0 };
	struct kept *k;
	int r = 0;

	f.of_set = calloc(page->n_sets + 1, sizeof *f.of_set);
	if (!f.of_set)
		return -ENOMEM;
	if (!find_layouts(&f, page)) {
		r = 1;
		goto out;
	}
	k = kept_alloc(page->n_sets + n_gone, page->n_values, &f);
	if (!k) {
		r = -ENOMEM;
		goto out;
	}
	fill(k, page, &f);
	for (size_t i = 0; i < n_gone; i++)
		k->set[page->n_sets + i] = (struct kept_set){ .id = gone[i] };
	*out = k;
out:
	free(f.of_set);
	return r;
}

void kept_free(struct kept *k)
{
	free(k);
}
