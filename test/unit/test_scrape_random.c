/*
 * Pages by chance, held against a naive reader: series that grow, begin anew, come and go, told in
 * any order and any form that the formats allow, between lines that do not matter, in pieces of any
 * size.
 *
 *   test_scrape_random [rounds [first round]]
 */
#include "scrape_unit.h"

#include "naive_page.h"

#define ROUNDS 200
#define PAGES 5		/* of a round */
#define SETS_MOST 12
#define BOUNDS_MOST 8

/* One label set; what has it is told or not. */
struct set {
	unsigned id;
	bool there;
	double count;
	double bucket[BOUNDS_MOST + 1];
};

struct world {
	uint64_t seed;
	const char *counter, *histogram;
	bool caddy, openmetrics, whole_numbers;
	unsigned n_bounds, n_sets, next_id;
	double bound[BOUNDS_MOST];
	struct set set[SETS_MOST];
	char *text;
	size_t len, cap;
};

static unsigned below(struct world *w, unsigned n)
{
	return unit_random(&w->seed) % n;
}

__attribute__((format(printf, 2, 3)))
static void add(struct world *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	w->len += vsnprintf(w->text + w->len, w->cap - w->len, format, ap);
	va_end(ap);
	assert_true(w->len < w->cap);
}

/* --- what the workload does --- */

static void new_set(struct world *w, struct set *s)
{
	*s = (struct set){ .id = w->next_id++, .there = true };
}

static void requests(struct world *w, struct set *s)
{
	unsigned n = below(w, 4) ? below(w, 1000) : 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned bucket = below(w, w->n_bounds + 1);

		for (unsigned k = bucket; k <= w->n_bounds; k++)
			s->bucket[k] += 1;
	}
	s->count += w->whole_numbers ? n : n * 0.1;
}

static void live(struct world *w)
{
	for (unsigned i = 0; i < w->n_sets; i++) {
		struct set *s = &w->set[i];

		if (!s->there && below(w, 2))
			continue;
		if (!s->there || below(w, 40) == 0) {
			/* another one, or the same that began anew */
			unsigned id = s->id;
			bool anew = s->there;

			new_set(w, s);
			s->id = anew ? id : s->id;
		} else if (below(w, 20) == 0) {
			s->there = false;
		}
		requests(w, s);
	}
}

/* --- how it tells it --- */

static const char *blank(struct world *w)
{
	static const char *const blanks[] = { "", "", "", " ", "\t", "  " };

	return blanks[below(w, COUNT_OF(blanks))];
}

static void add_number(struct world *w, double d)
{
	switch (below(w, 5)) {
	case 0:
		add(w, "%.17e", d);
		break;
	case 1:
		add(w, isinf(d) ? "+Inf" : "%a", d);
		break;
	case 2:
		add(w, "+%.17g", d);
		break;
	default:
		add(w, "%.17g", d);
		break;
	}
}

static void add_label(struct world *w, unsigned which, const struct set *s, double le)
{
	const char *quote = below(w, 8) == 0 ? "\"" : "";
	static const char *const names[] = { "server", "handler", "code", "le", "empty" };

	add(w, "%s%s%s%s=%s\"", quote, names[which], quote, blank(w), blank(w));
	switch (which) {
	case 0:
		add(w, "s%u", s->id % 3);
		break;
	case 1:
		add(w, "h\\\"%u\\\\", s->id / 3 % 3);
		break;
	case 2:
		add(w, "%u\\n", s->id);
		break;
	case 3:
		add_number(w, le);
		break;
	default:
		break;
	}
	add(w, "\"%s", blank(w));
}

static void add_sample(struct world *w, const char *name, const char *suffix, const struct set *s,
		       double le, double value)
{
	unsigned order[6] = { 0, 1, 2, 3, 4, 5 }, at = below(w, 6);
	bool inside = below(w, 6) == 0, first = true;

	for (unsigned i = 5; i > 0 && below(w, 3); i--) {
		unsigned k = below(w, i + 1), t = order[i];

		order[i] = order[k];
		order[k] = t;
	}
	if (!inside)
		add(w, "%s%s%s", name, suffix, blank(w));
	add(w, "{%s", blank(w));
	for (unsigned i = 0; i < 6; i++) {
		unsigned which = order[i];

		if ((which == 3 && isnan(le)) || (which == 4 && at != 0) || (which == 5 && !inside))
			continue;
		if (!first)
			add(w, ",%s", blank(w));
		first = false;
		if (which == 5)
			add(w, "\"%s%s\"%s", name, suffix, blank(w));
		else
			add_label(w, which, s, le);
	}
	add(w, "%s}%s ", at == 1 ? "," : "", blank(w));
	add_number(w, value);
	if (w->openmetrics && at == 2)
		add(w, " 1700000000.25");
	else if (at == 3)
		add(w, " 1700000000000");
	if (w->openmetrics && at >= 4)
		add(w, " # {trace=\"a } b\"} 0.5 1.5");
	add(w, "%s\n", blank(w));
}

static void add_noise(struct world *w)
{
	static const char *const lines[] = {
		"# HELP http_requests_total nothing\n", "\n", " \t\n", "#\n",
		"# http_requests_total 1\n",
		"http_requests_created 5\n", "go_info{a=\"http_requests_total 5\"} 1\n", "h 1\n",
		"http_request_duration_seconds_sum 0.5\n",
		"http_request_duration_seconds_count 5\n",
		"# TYPE go_gc summary\n", "caddy_http_request_duration_seconds_sum{a=\"b\"} 5\n",
		"{\"other\",a=\"b\"} 5\n", "  other{a=\"b\"} 5\n",
	};

	add(w, "%s", lines[below(w, COUNT_OF(lines))]);
}

/* The lines of a page: each set's counter and buckets, or all in no order. */
static void tell(struct world *w)
{
	unsigned lines = w->n_sets * (w->n_bounds + 2), from = below(w, 2) ? 0 : below(w, lines);
	unsigned stride = from ? 1 + 2 * below(w, lines) : 1;

	while (stride > 1 && lines % stride == 0)
		stride += 2;
	w->len = 0;
	for (unsigned i = 0, a, b, t; i < lines; i++) {
		unsigned line = i;
		const struct set *s;

		/* A stride that shares no factor with lines meets each of them once. */
		for (a = lines, b = stride; b; t = a % b, a = b, b = t)
			;
		if (a == 1)
			line = (unsigned)((from + (uint64_t)i * stride) % lines);
		s = &w->set[line / (w->n_bounds + 2)];
		line %= w->n_bounds + 2;
		if (below(w, 10) == 0)
			add_noise(w);
		if (!s->there)
			continue;
		if (line == 0)
			add_sample(w, w->counter, "", s, NAN, s->count);
		else if (line <= w->n_bounds)
			add_sample(w, w->histogram, "_bucket", s, w->bound[line - 1],
				   s->bucket[line - 1]);
		else
			add_sample(w, w->histogram, "_bucket", s, INFINITY, s->bucket[w->n_bounds]);
	}
	add(w, w->openmetrics ? "# EOF\n" : "other 1\n");
}

static void make_world(struct world *w, uint64_t seed)
{
	static const char *const names[][2] = {
		{ "http_requests_total", "http_request_duration_seconds" },
		{ "http_server_request_duration_seconds_count",
		  "http_server_duration_milliseconds" },
		{ "caddy_http_requests_total", "caddy_http_request_duration_seconds" },
		{ "grpc_server_handled_total", "grpc_server_handling_seconds" },
	};
	unsigned stack;
	double at = 0;

	w->seed = seed * 2654435761u + 1;
	stack = below(w, COUNT_OF(names));
	w->counter = names[stack][0];
	w->histogram = names[stack][1];
	w->caddy = stack == 2;
	w->openmetrics = below(w, 2);
	w->whole_numbers = below(w, 3);
	w->n_bounds = 1 + below(w, BOUNDS_MOST);
	w->n_sets = 1 + below(w, SETS_MOST);
	w->next_id = 0;
	for (unsigned i = 0; i < w->n_bounds; i++)
		w->bound[i] = at += (1 + below(w, 1000)) / 1000.0;
	for (unsigned i = 0; i < w->n_sets; i++)
		new_set(w, &w->set[i]);
}

/* --- both read it --- */

static void check_close(const char *what, double got, double want)
{
	if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= 1e-9 * fabs(want)))
		fail_msg("%s: %.17g, naive %.17g", what, got, want);
}

static void check_page(struct world *w, struct scrape *whole, struct scrape *pieces, int page,
		       const struct naive_page *before, const struct naive_page *now)
{
	struct page_pieces how = { 1 + below(w, 200), 1 + below(w, 1 << 30) };
	double to_ms = strstr(w->histogram, "milli") ? 1 : 1000;
	struct scrape_result out, same;

	if (page_feed_all(whole, w->text, w->len, w->openmetrics, (struct page_pieces){ 0 },
			  page * PAGE_INTERVAL_NS, &out) != 0)
		fail_msg("refused: %s\n%s", out.error, w->text);
	page_feed_all(pieces, w->text, w->len, w->openmetrics, how, page * PAGE_INTERVAL_NS, &same);
	assert_true(page_results_equal(&out, &same));
	assert_int_equal(out.duplicates, 0);
	if (!before)
		return;
	check_close("requests", out.requests_per_sec * SECONDS,
		    naive_increase(before, now, w->counter, w->caddy));
	check_close("latency", out.latency_p95_ms,
		    naive_quantile(before, now, w->histogram, 0.95, w->caddy) * to_ms);
}

static void run_round(struct world *w, uint64_t round)
{
	struct scrape *whole = unit_scrape(NULL, NULL), *pieces = unit_scrape(NULL, NULL);
	struct naive_page *before = NULL, *now;

	make_world(w, round);
	for (int page = 1; page <= PAGES; page++) {
		live(w);
		tell(w);
		now = naive_page_read(w->text);
		check_page(w, whole, pieces, page, before, now);
		if (before)
			naive_page_free(before);
		before = now;
	}
	naive_page_free(before);
	scrape_free(whole);
	scrape_free(pieces);
}

static unsigned long rounds = ROUNDS, first_round;

static void test_rounds(void **state)
{
	static struct world w;

	(void)state;
	w.cap = 1 << 20;
	w.text = malloc(w.cap);
	for (unsigned long i = first_round; i < first_round + rounds; i++) {
		if (rounds <= 10 || i % 100 == 0)
			printf("# round %lu\n", i);
		run_round(&w, i);
	}
	free(w.text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rounds) };

	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		first_round = strtoul(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
