#include "scrape.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "increase.h"
#include "kept.h"
#include "names.h"
#include "page.h"
#include "pick.h"

#define QUANTILE_DEFAULT 0.95
#define BUCKET_SUFFIX "_bucket"

/* One of the two families, from page to page. */
struct track {
	struct choice choice;
	struct kept *kept;	/* NULL: the next page is the first */
};

struct scrape {
	char *name[FAMILY_KINDS];	/* given by the rules, or NULL */
	double quantile;
	size_t max_series;
	struct track track[FAMILY_KINDS];
	int64_t before_ns;		/* when the page before was read */
	struct page *page;		/* being read, or NULL */
};

/* What a page makes of one family. */
struct outcome {
	enum scrape_why why;
	double value;		/* requests, or ms */
	struct kept *kept;
};

const char *scrape_why_text(enum scrape_why why)
{
	switch (why) {
	case SCRAPE_PRESENT:
		return "it is there";
	case SCRAPE_NO_FAMILY:
		return "the page has no family that is known or named for it";
	case SCRAPE_FIRST:
		return "there is no page before with these series";
	case SCRAPE_NO_TIME:
		return "no time has passed since the page before";
	case SCRAPE_TOO_MANY:
		return "its family has too many series";
	case SCRAPE_TOO_MANY_LAYOUTS:
		return "its family has too many different sets of bucket bounds";
	case SCRAPE_BAD_VALUE:
		return "its family has a value that is NaN, infinite or negative";
	case SCRAPE_NO_INF:
		return "its family has a label set without a +Inf bucket, or with no other";
	case SCRAPE_BOUNDS_CHANGED:
		return "bucket bounds have changed since the page before";
	case SCRAPE_NO_REQUEST:
		return "no request since the page before";
	}
	return "unknown";
}

static int copy_name(char **out, const char *name, const char *suffix)
{
	size_t len, suffix_len = strlen(suffix);

	if (!name)
		return 0;
	len = strlen(name);
	if (suffix_len > 0 && len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0)
		len -= suffix_len;
	if (len == 0 || len > SCRAPE_NAME_MAX)
		return -EINVAL;
	*out = strndup(name, len);
	return *out ? 0 : -ENOMEM;
}

int scrape_new(struct scrape **out, const struct scrape_rules *rules)
{
	struct scrape *s;
	int r;

	if (!(rules->quantile >= 0 && rules->quantile <= 1) ||
	    rules->max_series > SCRAPE_SERIES_MAX)
		return -EINVAL;
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->quantile = rules->quantile > 0 ? rules->quantile : QUANTILE_DEFAULT;
	s->max_series = rules->max_series ? rules->max_series : SCRAPE_SERIES_DEFAULT;
	r = copy_name(&s->name[FAMILY_REQUESTS], rules->request_counter, "");
	if (r == 0)
		r = copy_name(&s->name[FAMILY_LATENCY], rules->latency_histogram, BUCKET_SUFFIX);
	if (r < 0) {
		scrape_free(s);
		return r;
	}
	*out = s;
	return 0;
}

void scrape_free(struct scrape *s)
{
	if (!s)
		return;
	scrape_reset(s);
	for (int k = 0; k < FAMILY_KINDS; k++)
		free(s->name[k]);
	free(s);
}

void scrape_abandon(struct scrape *s)
{
	page_free(s->page);
	s->page = NULL;
}

void scrape_reset(struct scrape *s)
{
	scrape_abandon(s);
	for (int k = 0; k < FAMILY_KINDS; k++) {
		kept_free(s->track[k].kept);
		s->track[k] = (struct track){ 0 };
	}
}

size_t scrape_memory(const struct scrape *s)
{
	size_t bytes = sizeof *s + (s->page ? page_memory(s->page) : 0);

	for (int k = 0; k < FAMILY_KINDS; k++) {
		bytes += s->name[k] ? strlen(s->name[k]) + 1 : 0;
		bytes += s->track[k].kept ? s->track[k].kept->bytes : 0;
	}
	return bytes;
}

int scrape_begin(struct scrape *s, bool openmetrics)
{
	struct page *g;

	scrape_abandon(s);
	g = calloc(1, sizeof *g);
	if (!g)
		return -ENOMEM;
	names_init(&g->names, s->name[FAMILY_REQUESTS], s->name[FAMILY_LATENCY], openmetrics);
	for (int k = 0; k < FAMILY_KINDS; k++)
		g->pick[k].before = s->track[k].choice;
	g->quantile = s->quantile;
	g->max_series = s->max_series;
	g->openmetrics = openmetrics;
	s->page = g;
	return 0;
}

int scrape_feed(struct scrape *s, const char *data, size_t len)
{
	int r;

	if (!s->page)
		return -EINVAL;
	r = page_feed(s->page, data, len);
	if (r < 0)
		scrape_abandon(s);
	return r;
}

/* The kept series of the page before, when they are of the same family. */
static const struct kept *comparable(const struct track *t, const struct pick *p)
{
	return t->choice.any && t->choice.order == p->now.order ? t->kept : NULL;
}

/*
 * Of a counter also what was there and is gone is kept, the latest first and while there is room,
 * for when it comes back. For a histogram that makes no difference.
 */
static int keep(struct outcome *o, const struct pick *p, const struct kept *before,
		size_t max_series)
{
	size_t room = max_series - p->series.n_sets, n = 0;
	struct id *gone = NULL;
	int r;

	if (before && p->role == NAME_COUNTER) {
		gone = calloc(before->n_sets + 1, sizeof *gone);
		if (!gone)
			return -ENOMEM;
		for (uint32_t i = 0; i < before->n_sets && n < room; i++) {
			if (series_find(&p->series, before->set[i].id) == UINT32_MAX)
				gone[n++] = before->set[i].id;
		}
	}
	r = kept_new(&o->kept, &p->series, gone, n);
	free(gone);
	return r;
}

static int compare(struct scrape *s, const struct pick *p, const struct kept *before,
		   double seconds, struct outcome *o)
{
	struct increase in = { before, o->kept, &p->series, p->family->rule };
	int r;

	if (!before) {
		o->why = SCRAPE_FIRST;
		return 0;
	}
	if (!(seconds > 0)) {
		o->why = SCRAPE_NO_TIME;
		return 0;
	}
	if (p->role == NAME_COUNTER) {
		r = increase_of_counter(&in, &o->value, &o->why);
		o->value /= seconds;
	} else {
		r = increase_quantile(&in, s->quantile, &o->value, &o->why);
		o->value *= p->family->to_ms;
	}
	return r;
}

static int conclude(struct scrape *s, enum family_kind kind, double seconds,
		    struct scrape_result *out, struct outcome *o)
{
	struct pick *p = &s->page->pick[kind];
	const struct kept *before = comparable(&s->track[kind], p);
	size_t duplicates;
	int r;

	*o = (struct outcome){ .why = pick_finish(p, &duplicates) };
	out->series += p->told;
	out->duplicates += duplicates;
	if (o->why != SCRAPE_PRESENT)
		return 0;
	if (p->role == NAME_QUANTILE) {
		o->value = p->greatest * p->family->to_ms;
		return 0;
	}
	r = keep(o, p, before, s->max_series);
	if (r > 0) {
		o->why = SCRAPE_TOO_MANY_LAYOUTS;
		return 0;
	}
	return r < 0 ? r : compare(s, p, before, seconds, o);
}

/* The page is the one before from now on. */
static void commit(struct scrape *s, const struct outcome *o, int64_t mono_ns)
{
	for (int k = 0; k < FAMILY_KINDS; k++) {
		kept_free(s->track[k].kept);
		s->track[k].kept = o[k].kept;
		s->track[k].choice = s->page->pick[k].now;
	}
	s->before_ns = mono_ns;
}

static void say(struct scrape_result *out, const struct page *g, const struct outcome *o)
{
	const struct family *requests = g->pick[FAMILY_REQUESTS].family;
	const struct family *latency = g->pick[FAMILY_LATENCY].family;

	out->requests_why = o[FAMILY_REQUESTS].why;
	out->latency_why = o[FAMILY_LATENCY].why;
	if (out->requests_why == SCRAPE_PRESENT)
		out->requests_per_sec = o[FAMILY_REQUESTS].value;
	if (out->latency_why == SCRAPE_PRESENT)
		out->latency_p95_ms = o[FAMILY_LATENCY].value;
	out->request_family = requests ? requests->name : NULL;
	out->latency_family = latency ? latency->name : NULL;
}

int scrape_end(struct scrape *s, int64_t mono_ns, struct scrape_result *out)
{
	double seconds = (double)(mono_ns - s->before_ns) / 1e9;
	struct outcome o[FAMILY_KINDS] = { { .kept = NULL } };
	struct page *g = s->page;
	int r;

	if (!g)
		return -EINVAL;
	*out = (struct scrape_result){
		.requests_per_sec = (double)NAN, .latency_p95_ms = (double)NAN,
		.requests_why = SCRAPE_NO_FAMILY, .latency_why = SCRAPE_NO_FAMILY,
	};
	r = page_end(g);
	out->bytes = g->bytes;
	out->lines = g->lines;
	if (r != 0) {
		memcpy(out->error, g->error, sizeof out->error);
		goto out;
	}
	for (int k = 0; k < FAMILY_KINDS && r == 0; k++)
		r = conclude(s, (enum family_kind)k, seconds, out, &o[k]);
	if (r < 0) {
		for (int k = 0; k < FAMILY_KINDS; k++)
			kept_free(o[k].kept);
		goto out;
	}
	say(out, g, o);
	commit(s, o, mono_ns);
out:
	scrape_abandon(s);
	return r;
}
