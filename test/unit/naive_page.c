#include "naive_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 16
#define TEXT_MAX 256	/* of a name or a value */

struct naive_series {
	char *name;
	char *labels;		/* sorted, without le */
	char *server, *handler;
	double le;		/* NAN = none */
	double value;
};

struct naive_page {
	struct naive_series *series;
	size_t n;
};

struct naive_label {
	char name[TEXT_MAX], value[TEXT_MAX];
};

static const char *blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* From the opening quote on. */
static const char *quoted(const char *p, char *out)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\' && p[1] == 'n') {
			*out++ = '\n';
			p++;
		} else if (*p == '\\' && (p[1] == '\\' || p[1] == '"')) {
			*out++ = *++p;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
	return p + 1;
}

static const char *word(const char *p, const char *ends, char *out)
{
	size_t n = strcspn(p, ends);

	memcpy(out, p, n);
	out[n] = '\0';
	return p + n;
}

static int by_name(const void *left, const void *right)
{
	const struct naive_label *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void take_labels(struct naive_series *s, struct naive_label *labels, size_t n)
{
	size_t len = 1;

	qsort(labels, n, sizeof *labels, by_name);
	for (size_t i = 0; i < n; i++)
		len += strlen(labels[i].name) + strlen(labels[i].value) + 2;
	s->labels = calloc(1, len);
	s->le = NAN;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(labels[i].name, "server") == 0)
			s->server = strdup(labels[i].value);
		if (strcmp(labels[i].name, "handler") == 0)
			s->handler = strdup(labels[i].value);
		if (strcmp(labels[i].name, "le") == 0) {
			s->le = strtod(labels[i].value, NULL);
		} else if (labels[i].value[0] != '\0') {
			strcat(s->labels, labels[i].name);
			strcat(s->labels, "\x01");
			strcat(s->labels, labels[i].value);
			strcat(s->labels, "\x02");
		}
	}
	s->server = s->server ? s->server : strdup("");
	s->handler = s->handler ? s->handler : strdup("");
}

static void read_line(struct naive_page *page, const char *p)
{
	static struct naive_label labels[LABELS_MAX];
	static char name[TEXT_MAX], text[TEXT_MAX];
	struct naive_series s = { 0 };
	size_t n = 0;

	p = blanks(p);
	if (*p == '\0' || *p == '#')
		return;
	if (*p != '{')
		p = blanks(word(p, " \t{", name));
	if (*p == '{') {
		for (p = blanks(p + 1); *p != '}'; p = blanks(p + strspn(p, " \t,"))) {
			p = blanks(*p == '"' ? quoted(p, text) : word(p, " \t=", text));
			if (*p != '=') {
				strcpy(name, text);
				continue;
			}
			strcpy(labels[n].name, text);
			p = blanks(quoted(blanks(p + 1), labels[n++].value));
		}
		p++;
	}
	take_labels(&s, labels, n);
	s.name = strdup(name);
	s.value = strtod(blanks(p), NULL);
	page->series = reallocarray(page->series, page->n + 1, sizeof s);
	page->series[page->n++] = s;
}

struct naive_page *naive_page_read(const char *text)
{
	struct naive_page *page = calloc(1, sizeof *page);
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		read_line(page, line);
	free(copy);
	return page;
}

void naive_page_free(struct naive_page *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->series[i].name);
		free(p->series[i].labels);
		free(p->series[i].server);
		free(p->series[i].handler);
	}
	free(p->series);
	free(p);
}

bool naive_page_has(const struct naive_page *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->series[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool same_le(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Its increase; false when it was not there before. */
static bool increase_of(const struct naive_page *before, const struct naive_series *s,
	double *increase)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct naive_series *b = &before->series[i];

		if (strcmp(b->name, s->name) == 0 && strcmp(b->labels, s->labels) == 0 &&
		    same_le(b->le, s->le)) {
			*increase = s->value < b->value ? s->value : s->value - b->value;
			return true;
		}
	}
	*increase = s->value;
	return false;
}

/* Requests of one handler (and how many of its buckets they are in, over all). */
static double of_handler(const struct naive_page *before, const struct naive_page *now,
			 const char *name, const struct naive_series *like, bool new_too,
			 	double *all)
{
	double sum = 0, increase;

	*all = 0;
	for (size_t i = 0; i < now->n; i++) {
		const struct naive_series *s = &now->series[i];

		if (strcmp(s->name, name) != 0 || strcmp(s->server, like->server) != 0 ||
		    strcmp(s->handler, like->handler) != 0)
			continue;
		if (!increase_of(before, s, &increase) && !new_too)
			continue;
		if (isnan(s->le) || isinf(s->le))
			sum += increase;
		if (!isnan(s->le))
			*all += increase;
	}
	return sum;
}

/* Is no other handler of its server better? */
static bool is_best_handler(const struct naive_page *before, const struct naive_page *now,
			    const char *name, const struct naive_series *s, bool new_too)
{
	double all, sum = of_handler(before, now, name, s, new_too, &all);

	for (size_t i = 0; i < now->n; i++) {
		const struct naive_series *o = &now->series[i];
		double other_all, other;

		if (strcmp(o->name, name) != 0 || strcmp(o->server, s->server) != 0 ||
		    strcmp(o->handler, s->handler) == 0)
			continue;
		other = of_handler(before, now, name, o, new_too, &other_all);
		if (other > sum || (other == sum && other_all < all))
			return false;
	}
	return true;
}

double naive_increase(const struct naive_page *before, const struct naive_page *now,
	const char *name,
		      bool handlers)
{
	double sum = 0, increase, all;
	bool any = false;

	for (size_t i = 0; i < now->n; i++) {
		const struct naive_series *s = &now->series[i];

		if (strcmp(s->name, name) != 0)
			continue;
		if (increase_of(before, s, &increase))
			any = true;
		if (!handlers)
			sum += increase;
	}
	/* The largest of each server, told once: by the first series of that server. */
	for (size_t i = 0; handlers && i < now->n; i++) {
		const struct naive_series *s = &now->series[i];
		double most = 0;
		bool first = strcmp(s->name, name) == 0;

		for (size_t k = 0; k < now->n; k++) {
			const struct naive_series *o = &now->series[k];
			double sum_k;

			if (strcmp(o->name, name) != 0 || strcmp(o->server, s->server) != 0)
				continue;
			if (k < i)
				first = false;
			sum_k = of_handler(before, now, name, o, true, &all);
			most = sum_k > most ? sum_k : most;
		}
		sum += first ? most : 0;
	}
	return any ? sum : NAN;
}

double naive_quantile(const struct naive_page *before, const struct naive_page *now,
		      const char *name, double q, bool handlers)
{
	double bound[1000], count[1000], increase, below = 0, start = 0, highest = 0;
	char bucket[TEXT_MAX];
	size_t n = 0, k;

	snprintf(bucket, sizeof bucket, "%s_bucket", name);
	for (size_t i = 0; i < now->n; i++) {
		const struct naive_series *s = &now->series[i];

		if (strcmp(s->name, bucket) != 0 || !increase_of(before, s, &increase))
			continue;
		if (handlers && !is_best_handler(before, now, bucket, s, false))
			continue;
		for (k = 0; k < n && bound[k] < s->le; k++)
			;
		if (k == n || bound[k] != s->le) {
			memmove(&bound[k + 1], &bound[k], (n - k) * sizeof *bound);
			memmove(&count[k + 1], &count[k], (n - k) * sizeof *count);
			bound[k] = s->le;
			count[k] = 0;
			n++;
		}
		count[k] += increase;
	}
	for (k = 0; k < n; k++) {
		highest = count[k] > highest ? count[k] : highest;
		count[k] = highest;
	}
	if (n < 2 || !isinf(bound[n - 1]) || count[n - 1] == 0)
		return NAN;
	for (k = 0; count[k] < q * count[n - 1]; k++) {
		below = count[k];
		start = bound[k];
	}
	if (k == n - 1)
		return bound[n - 2];
	if (k == 0 && bound[0] <= 0)
		return bound[0];
	return start + (bound[k] - start) * ((q * count[n - 1] - below) / (count[k] - below));
}
