#include "sample.h"

#include <math.h>
#include <string.h>

#include "number.h"

struct text {
	const char *p;
	size_t len;
};

/* What is read of the braces. */
struct labels {
	struct sample *s;
	unsigned n;
	struct text names[SCRAPE_LABELS_MAX];
	bool exemplar;		/* its labels are only looked at */
	bool named;		/* the name of the metric was there */
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool wrong(struct sample *s, const char *what)
{
	s->wrong = what;
	return false;
}

static bool text_is(const struct text *t, const char *word, size_t len)
{
	return t->len == len && memcmp(t->p, word, len) == 0;
}

#define TEXT_IS(t, word) text_is(t, word, sizeof word - 1)

/* Behind the opening quote at p; *p ends behind the closing one. Escapes stay as they are. */
static bool take_quoted(const char **p, const char *end, struct text *t, bool *escapes)
{
	const char *c = *p + 1;

	*escapes = false;
	t->p = c;
	for (; c < end && *c != '"'; c++) {
		if (*c != '\\')
			continue;
		*escapes = true;
		if (++c == end)
			break;
	}
	if (c >= end)
		return false;
	t->len = (size_t)(c - t->p);
	*p = c + 1;
	return true;
}

/* \\, \" and \n; any other backslash stands for itself, as in Prometheus. */
static void unescape(struct text *t, char *into)
{
	size_t n = 0;

	for (size_t i = 0; i < t->len; i++, n++) {
		char c = t->p[i], next = i + 1 < t->len ? t->p[i + 1] : '\0';

		into[n] = c;
		if (c != '\\' || (next != '\\' && next != '"' && next != 'n'))
			continue;
		into[n] = next;
		if (next == 'n')
			into[n] = '\n';
		i++;
	}
	t->p = into;
	t->len = n;
}

static bool note_bound(struct sample *s, struct sample_bound *b, const struct text *value,
		       struct id id, const char *what)
{
	b->id = id;
	b->there = number_read(value->p, value->len, &b->at) && !isnan(b->at);
	return b->there || wrong(s, what);
}

static bool is_own_proxy(const struct text *value)
{
	return TEXT_IS(value, "stats") || TEXT_IS(value, "metrics") ||
	       TEXT_IS(value, "prometheus");
}

/* The few labels that mean something here. */
static bool note_label(struct sample *s, const struct text *name, const struct text *value)
{
	struct id id = id_of_label(name->p, name->len, value->p, value->len);

	id_add(&s->labels, id);
	switch (name->len) {
	case 2:
		if (TEXT_IS(name, "le"))
			return note_bound(s, &s->le, value, id, "has an le that is no number");
		break;
	case 5:
		if (TEXT_IS(name, "proxy"))
			s->own_proxy = is_own_proxy(value);
		break;
	case 6:
		if (TEXT_IS(name, "server"))
			s->server = id;
		break;
	case 7:
		if (TEXT_IS(name, "handler"))
			s->handler = id;
		break;
	case 8:
		if (TEXT_IS(name, "reporter"))
			s->destination = TEXT_IS(value, "destination");
		else if (TEXT_IS(name, "quantile"))
			return note_bound(s, &s->quantile, value, id,
					  "has a quantile that is no number");
		break;
	default:
		break;
	}
	return true;
}

static bool take_value(struct labels *l, const struct text *name, const char **p, const char *end)
{
	struct sample *s = l->s;
	char plain[SCRAPE_LABEL_BYTES_MAX];
	struct text value;
	bool escapes;

	if (*p == end || **p != '"' || !take_quoted(p, end, &value, &escapes))
		return wrong(s, "has a label without a quoted value");
	for (unsigned i = 0; i < l->n; i++) {
		if (text_is(name, l->names[i].p, l->names[i].len))
			return wrong(s, "has a label twice");
	}
	if (l->n == SCRAPE_LABELS_MAX)
		return wrong(s, "has too many labels");
	l->names[l->n++] = *name;
	if (l->exemplar || value.len == 0)
		return true;
	if (value.len > sizeof plain)
		return wrong(s, "has too many bytes of labels");
	if (escapes)
		unescape(&value, plain);
	return note_label(s, name, &value);
}

/* A quoted string that is no label's name is the name of the metric. */
static bool take_metric_name(struct labels *l, struct text *name, bool escapes)
{
	struct sample *s = l->s;

	if (l->exemplar)
		return wrong(s, "has a label without =");
	if (l->named)
		return wrong(s, "has two names");
	l->named = true;
	if (escapes && name->len <= SCRAPE_NAME_MAX)
		unescape(name, s->name_text);
	s->name = name->p;
	s->name_len = name->len;
	return true;
}

/* A label, or the name of the metric in quotes, from p on. */
static bool take_label(struct labels *l, const char **p, const char *end)
{
	bool quoted = **p == '"', escapes = false;
	struct text name;
	const char *c;

	if (quoted) {
		if (!take_quoted(p, end, &name, &escapes))
			return wrong(l->s, "has a quote that does not end");
	} else {
		for (c = *p; c < end && (is_letter(*c) || (c > *p && is_digit(*c))); c++)
			;
		name = (struct text){ *p, (size_t)(c - *p) };
		*p = c;
		if (name.len == 0)
			return wrong(l->s, "has a label without a name");
	}
	*p = sample_skip_blanks(*p, end);
	if (*p < end && **p == '=') {
		*p = sample_skip_blanks(*p + 1, end);
		return take_value(l, &name, p, end);
	}
	if (quoted)
		return take_metric_name(l, &name, escapes);
	return wrong(l->s, "has a label without =");
}

/* From the opening brace at *p until behind the closing one. */
static bool take_labels(struct labels *l, const char **p, const char *end)
{
	const char *start = *p;

	for (*p = sample_skip_blanks(*p + 1, end); *p < end && **p != '}';
	     *p = sample_skip_blanks(*p, end)) {
		if (!take_label(l, p, end))
			return false;
		*p = sample_skip_blanks(*p, end);
		if (*p < end && **p == ',')
			++*p;
		else if (*p < end && **p != '}')
			return wrong(l->s, "has labels without a comma between them");
	}
	if (*p >= end)
		return wrong(l->s, "has a brace that does not end");
	++*p;
	return *p - start <= SCRAPE_LABEL_BYTES_MAX || wrong(l->s, "has too many bytes of labels");
}

static bool take_number(const char **p, const char *end, double *value)
{
	const char *first = *p;

	while (*p < end && !sample_is_blank(**p))
		++*p;
	return number_read(first, (size_t)(*p - first), value);
}

/* " # {trace_id="x"} 0.5 1700000000.1" */
static bool take_exemplar(struct sample *s, const char *p, const char *end)
{
	struct labels l = { .s = s, .exemplar = true };
	double ignored;

	s->openmetrics = true;
	p = sample_skip_blanks(p + 1, end);
	if (p == end || *p != '{')
		return wrong(s, "has an exemplar without labels");
	if (!take_labels(&l, &p, end))
		return false;
	p = sample_skip_blanks(p, end);
	if (!take_number(&p, end, &ignored))
		return wrong(s, "has an exemplar without a value");
	p = sample_skip_blanks(p, end);
	if (p < end && (!take_number(&p, end, &ignored) || !isfinite(ignored)))
		return wrong(s, "has an exemplar with a timestamp that is no number");
	return sample_skip_blanks(p, end) == end || wrong(s, "goes on behind its exemplar");
}

/* Text has whole milliseconds, OpenMetrics seconds. */
static bool take_timestamp(struct sample *s, const char **p, const char *end)
{
	const char *first = *p, *c = first + (*first == '-');
	double at;

	if (!take_number(p, end, &at) || !isfinite(at))
		return wrong(s, "has a timestamp that is no number");
	while (c < *p && is_digit(*c))
		c++;
	s->openmetrics = c < *p;
	return true;
}

static bool take_rest(struct sample *s, const char *p, const char *end)
{
	p = sample_skip_blanks(p, end);
	if (p == end)
		return wrong(s, "has no value");
	if (!take_number(&p, end, &s->value))
		return wrong(s, end[-1] == '\r' ? "ends in CR LF, and lines end in LF alone" :
						  "has a value that is no number");
	p = sample_skip_blanks(p, end);
	if (p < end && *p != '#') {
		if (!take_timestamp(s, &p, end))
			return false;
		p = sample_skip_blanks(p, end);
	}
	if (p == end)
		return true;
	return *p == '#' ? take_exemplar(s, p, end) : wrong(s, "goes on behind its timestamp");
}

bool sample_read(struct sample *s, const char *line, const char *name_end, const char *end)
{
	struct labels l;
	const char *p;

	memset(s, 0, offsetof(struct sample, name_text));
	l.s = s;
	l.n = 0;
	l.exemplar = false;
	l.named = name_end > line;
	p = sample_skip_blanks(name_end, end);
	if (p < end && *p == '{') {
		if (!take_labels(&l, &p, end))
			return false;
	} else if (p == name_end) {
		return wrong(s, p == end ? "has no value" : "has a name with a byte that none has");
	}
	return l.named ? take_rest(s, p, end) : wrong(s, "has no name");
}
