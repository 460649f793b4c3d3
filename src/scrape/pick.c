#include "pick.h"

#include <math.h>

#define RANK_NOT_DESTINATION 1
#define RANK_QUANTILES 2
#define RANKS_OF_FAMILY 4

/* Buckets before quantiles, what the serving end reports before anything else. */
static unsigned rank_of(const struct pick *p, const struct name *name, const struct sample *s)
{
	bool as_before = p->before.any && p->before.order == name->order;
	unsigned rank = as_before ? 0 : (name->order + 1u) * RANKS_OF_FAMILY;

	if (name->role == NAME_QUANTILE)
		rank += RANK_QUANTILES;
	if (name->family->rule == RULE_ISTIO && !s->destination)
		rank += RANK_NOT_DESTINATION;
	return rank;
}

static void begin(struct pick *p, const struct name *name, unsigned rank)
{
	p->now = (struct choice){ true, name->order };
	p->rank = rank;
	p->family = name->family;
	p->role = name->role;
	series_clear(&p->series);
	p->told = 0;
	p->too_many = p->bad_value = false;
	p->greatest = 0;
}

/* Only those at q matter, and one that is NAN or 0 measured nothing. */
static int take_quantile(struct pick *p, const struct sample *s)
{
	p->told++;
	if (isinf(s->value))
		p->bad_value = true;
	else if (s->value > p->greatest)
		p->greatest = s->value;
	return 0;
}

static int take_series(struct pick *p, const struct sample *s, size_t max_series)
{
	bool bucket = p->role == NAME_BUCKET;
	struct series_set set = { .id = s->labels, .server = s->server, .handler = s->handler };

	p->told++;
	if (p->told > max_series) {
		p->too_many = true;
		series_free(&p->series);
		return 0;
	}
	if (!isfinite(s->value) || s->value < 0)
		p->bad_value = true;
	if (bucket)
		id_take(&set.id, s->le.id);
	return series_add(&p->series, &set, bucket ? s->le.at : 0, s->value);
}

int pick_take(struct pick *p, const struct name *name, const struct sample *s, double q,
	      size_t max_series)
{
	unsigned rank = rank_of(p, name, s);

	/* VictoriaMetrics's own kind of buckets has none. */
	if (name->role == NAME_BUCKET && !s->le.there)
		return 0;
	if (name->role == NAME_QUANTILE && !(s->quantile.there && s->quantile.at == q))
		return 0;
	if (name->family->rule == RULE_HAPROXY && s->own_proxy)
		return 0;
	if (p->family && rank > p->rank)
		return 0;
	if (!p->family || rank < p->rank)
		begin(p, name, rank);
	if (name->role == NAME_QUANTILE)
		return take_quantile(p, s);
	return take_series(p, s, max_series);
}

/* Each label set has its +Inf bucket and another one. */
static bool sets_are_whole(const struct series *s)
{
	for (size_t i = 0; i < s->n_sets; i++) {
		const struct series_set *set = &s->set[i];

		if (set->n < 2 || s->value[set->first + set->n - 1].le != (double)INFINITY)
			return false;
	}
	return true;
}

enum scrape_why pick_finish(struct pick *p, size_t *duplicates)
{
	*duplicates = 0;
	if (!p->family)
		return SCRAPE_NO_FAMILY;
	if (p->too_many)
		return SCRAPE_TOO_MANY;
	if (p->bad_value)
		return SCRAPE_BAD_VALUE;
	*duplicates = series_finish(&p->series);
	if (p->role == NAME_BUCKET && !sets_are_whole(&p->series))
		return SCRAPE_NO_INF;
	if (p->role == NAME_QUANTILE && p->greatest <= 0)
		return SCRAPE_NO_REQUEST;
	return SCRAPE_PRESENT;
}
