#include "increase.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "quantile.h"

#define NOT_BEFORE UINT32_MAX

/* What happened to one label set of the page. */
struct change {
	const struct series_set *set;
	uint32_t before;	/* its index there */
	bool left_out;		/* by the rule of its family */
	double total;		/* requests */
	double all;		/* over all buckets: of two equal totals the slower has less */
};

static bool was_present(const struct increase *in, const struct change *c)
{
	return c->before < in->before->n_present;
}

static double grown(double before, double now)
{
	return now >= before ? now - before : now;
}

static int changes_new(const struct increase *in, struct change **out)
{
	struct change *c = calloc(in->page->n_sets + 1, sizeof *c);

	if (!c)
		return -ENOMEM;
	for (size_t i = 0; i < in->page->n_sets; i++) {
		c[i].set = &in->page->set[i];
		c[i].before = NOT_BEFORE;
	}
	for (uint32_t j = 0; j < in->before->n_sets; j++) {
		uint32_t i = series_find(in->page, in->before->set[j].id);

		if (i != UINT32_MAX)
			c[i].before = j;
	}
	*out = c;
	return 0;
}

/* By server and handler. */
static int by_handler(const void *left, const void *right)
{
	const struct change *a = *(struct change *const *)left, *b = *(struct change *const *)right;
	int order = id_order(a->set->server, b->set->server);

	return order != 0 ? order : id_order(a->set->handler, b->set->handler);
}

/* The sets of one handler, from order[i] on: their sums, and how many they are. */
static size_t sum_handler(struct change *const *order, size_t left, double *total, double *all)
{
	size_t n = 0;

	*total = *all = 0;
	for (; n < left && by_handler(&order[0], &order[n]) == 0; n++) {
		*total += order[n]->total;
		*all += order[n]->all;
	}
	return n;
}

/*
 * Of one server. Each handler of a chain counts every request that comes to it: the one with the
 * most has seen them all, and when there are several the slowest is the outermost, whose time has
 * that of the others in it.
 */
static void choose_handler(struct change **order, size_t n)
{
	double total, all, best_total = -1, best_all = 0;
	size_t best = 0, best_n = 0, run;

	for (size_t i = 0; i < n; i += run) {
		run = sum_handler(order + i, n - i, &total, &all);
		if (total > best_total || (total == best_total && all < best_all)) {
			best = i;
			best_n = run;
			best_total = total;
			best_all = all;
		}
	}
	for (size_t i = 0; i < n; i++)
		order[i]->left_out = i < best || i >= best + best_n;
}

static int apply_rule(const struct increase *in, struct change *c)
{
	size_t n = in->page->n_sets;
	struct change **order;
	size_t end;

	if (in->rule != RULE_CADDY)
		return 0;
	order = calloc(n + 1, sizeof(struct change *));
	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = &c[i];
	qsort(order, n, sizeof(struct change *), by_handler);
	for (size_t i = 0; i < n; i = end) {
		for (end = i; end < n && id_equal(order[i]->set->server, order[end]->set->server);)
			end++;
		choose_handler(order + i, end - i);
	}
	free(order);
	return 0;
}

int increase_of_counter(const struct increase *in, double *increase, enum scrape_why *why)
{
	size_t n = in->page->n_sets;
	bool any = false;
	struct change *c;
	int r;

	r = changes_new(in, &c);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		double value = in->now->value[c[i].set->first];

		if (was_present(in, &c[i])) {
			any = true;
			c[i].total = grown(in->before->value[in->before->set[c[i].before].first],
					   value);
		} else if (c[i].before == NOT_BEFORE) {
			c[i].total = value;
		}
	}
	r = apply_rule(in, c);
	if (r < 0)
		goto out;
	*increase = 0;
	for (size_t i = 0; i < n; i++)
		*increase += c[i].left_out ? 0 : c[i].total;
	*why = !any ? SCRAPE_FIRST : isfinite(*increase) ? SCRAPE_PRESENT : SCRAPE_BAD_VALUE;
out:
	free(c);
	return r;
}

static bool same_layout(const struct increase *in, const struct change *c, uint32_t index)
{
	const struct layout *a = &in->before->layout[in->before->set[c->before].layout];
	const struct layout *b = &in->now->layout[in->now->set[index].layout];

	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (in->before->bound[a->first + i] != in->now->bound[b->first + i])
			return false;
	}
	return true;
}

static double bucket_grown(const struct increase *in, const struct change *c, uint32_t bucket)
{
	return grown(in->before->value[in->before->set[c->before].first + bucket],
		     in->now->value[c->set->first + bucket]);
}

/* Totals of the sets that were in both pages; the others do not count. */
static enum scrape_why total_sets(const struct increase *in, struct change *c)
{
	bool any = false;

	for (uint32_t i = 0; i < in->page->n_sets; i++) {
		if (!was_present(in, &c[i]))
			continue;
		any = true;
		if (!same_layout(in, &c[i], i))
			return SCRAPE_BOUNDS_CHANGED;
		for (uint32_t k = 0; k < c[i].set->n; k++) {
			c[i].total = bucket_grown(in, &c[i], k);
			c[i].all += c[i].total;
		}
	}
	return any ? SCRAPE_PRESENT : SCRAPE_FIRST;
}

/* One bucket for each bound of each layout, summed over the sets that count. */
static size_t sum_buckets(const struct increase *in, const struct change *c, struct bucket *b)
{
	const struct kept *now = in->now;
	const struct layout *last = &now->layout[now->n_layouts - 1];
	size_t n = last->first + last->n;

	for (size_t i = 0; i < n; i++)
		b[i] = (struct bucket){ .le = now->bound[i] };
	for (uint32_t i = 0; i < in->page->n_sets; i++) {
		struct bucket *first = &b[now->layout[now->set[i].layout].first];

		if (!was_present(in, &c[i]) || c[i].left_out)
			continue;
		for (uint32_t k = 0; k < c[i].set->n; k++)
			first[k].count += bucket_grown(in, &c[i], k);
	}
	return n;
}

int increase_quantile(const struct increase *in, double q, double *value, enum scrape_why *why)
{
	struct change *c = NULL;
	struct bucket *b;
	int r;

	b = calloc(in->now->n_values + 1, sizeof *b);
	r = b ? changes_new(in, &c) : -ENOMEM;
	if (r < 0)
		goto out;
	*why = total_sets(in, c);
	if (*why != SCRAPE_PRESENT)
		goto out;
	r = apply_rule(in, c);
	if (r < 0)
		goto out;
	*value = quantile_of_buckets(b, sum_buckets(in, c, b), q);
	if (!isfinite(*value))
		*why = isnan(*value) ? SCRAPE_NO_REQUEST : SCRAPE_BAD_VALUE;
out:
	free(c);
	free(b);
	return r;
}
