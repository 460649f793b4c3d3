#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARRY_FIRST 512
#define EOF_WORD "EOF"
#define COMMENT_BLANKS 16	/* with more before its word a comment is always looked at */

/* Returns 1. Only our own words are in it, nothing of the page. */
__attribute__((format(printf, 2, 3)))
static int refuse(struct page *g, const char *format, ...)
{
	va_list ap;

	g->refused = true;
	va_start(ap, format);
	vsnprintf(g->error, sizeof g->error, format, ap);
	va_end(ap);
	return 1;
}

/* Does the text at p begin with the word, as far as it goes? */
static bool may_be(const char *p, const char *end, const char *word)
{
	size_t left = (size_t)(end - p), len = strlen(word);

	return memcmp(p, word, left < len ? left : len) == 0;
}

/* Of comments TYPE and EOF matter. */
static bool comment_may_matter(const char *p, const char *end)
{
	const char *word = sample_skip_blanks(p + 1, end);

	if (word == p + 1 && word < end)
		return false;
	return word - p > COMMENT_BLANKS || may_be(word, end, "TYPE") ||
	       may_be(word, end, EOF_WORD);
}

/* As far as the first bytes of a line tell. Where it is false, more bytes do not change it. */
static bool may_matter(const struct page *g, const char *p, const char *end)
{
	switch (g->names.start[(uint8_t)*p]) {
	case LINE_NAME:
		return end - p < 4 || names_may_begin(&g->names, p);
	case LINE_COMMENT:
		return comment_may_matter(p, end);
	default:
		return true;
	}
}

/* "TYPE name type", from behind the word on */
static int read_type(struct page *g, const char *p, const char *end)
{
	const char *name, *type;
	size_t len;

	name = sample_skip_blanks(p, end);
	if (name == p)
		return 0;	/* TYPED and other words */
	for (p = name; p < end && !sample_is_blank(*p); p++)
		;
	len = (size_t)(p - name);
	if (len >= 2 && name[0] == '"' && p[-1] == '"') {
		name++;
		len -= 2;
	}
	type = sample_skip_blanks(p, end);
	while (end > type && sample_is_blank(end[-1]))
		end--;
	if (!names_note_type(&g->names, name, len, type, (size_t)(end - type)))
		return refuse(g, "line %" PRIu64 " says a TYPE that there is not%s", g->lines,
			      end > type && end[-1] == '\r' ? ": it ends in CR LF" : "");
	return 0;
}

/* "# EOF", with any blanks between. */
static bool is_eof(const char *p, const char *end)
{
	const char *word = sample_skip_blanks(p + 1, end);

	return *p == '#' && word > p + 1 && end - word == 3 && may_be(word, end, EOF_WORD);
}

static int read_comment(struct page *g, const char *p, const char *end)
{
	const char *word = sample_skip_blanks(p + 1, end);

	if (is_eof(p, end))
		g->eof_line = g->lines;
	else if (word > p + 1 && end - word > 4 && may_be(word, end, "TYPE"))
		return read_type(g, word + 4, end);
	return 0;
}

static int read_sample(struct page *g, const char *p, const char *end)
{
	const struct name *name = NULL;
	struct sample *s = &g->sample;

	if (*p != '{') {
		name = names_find(&g->names, p, end);
		if (!name)
			return 0;
	}
	if (!sample_read(s, p, name ? p + name->len : p, end))
		return refuse(g, "line %" PRIu64 " %s", g->lines, s->wrong);
	g->openmetrics = g->openmetrics || s->openmetrics;
	if (!name)
		name = names_find_quoted(&g->names, s->name, s->name_len);
	if (!name)
		return 0;
	return pick_take(&g->pick[name->kind], name, s, g->quantile, g->max_series);
}

static int refuse_length(struct page *g)
{
	return refuse(g, "line %" PRIu64 " is longer than %d bytes", g->lines, SCRAPE_LINE_MAX);
}

/* A whole line, without its line feed. */
static int read_line(struct page *g, const char *p, const char *end)
{
	g->lines++;
	if (p == end || !may_matter(g, p, end))
		return 0;
	if (end - p > SCRAPE_LINE_MAX)
		return refuse_length(g);
	p = sample_skip_blanks(p, end);
	if (p == end)
		return 0;
	if (g->names.start[(uint8_t)*p] == LINE_BAD)
		return refuse(g, "line %" PRIu64 " begins with a byte that no line begins with",
			      g->lines);
	return *p == '#' ? read_comment(g, p, end) : read_sample(g, p, end);
}

/* The bytes of a line that has not ended. */
static int keep(struct page *g, const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	if (g->carry_len + n > SCRAPE_LINE_MAX)
		n = SCRAPE_LINE_MAX + 1 - g->carry_len;	/* enough to be too long */
	if (g->carry_len + n > g->carry_cap) {
		size_t cap = g->carry_len + n + CARRY_FIRST;
		char *carry = realloc(g->carry, cap);

		if (!carry)
			return -ENOMEM;
		g->carry = carry;
		g->carry_cap = cap;
	}
	if (n > 0)
		memcpy(g->carry + g->carry_len, p, n);
	g->carry_len += n;
	if (!may_matter(g, g->carry, g->carry + g->carry_len)) {
		g->skipping = true;
		g->carry_len = 0;
	} else if (g->carry_len > SCRAPE_LINE_MAX) {
		g->lines++;
		return refuse_length(g);
	}
	return 0;
}

/* Ends the line that a piece before began. *p is behind it, or the end. */
static int finish_line(struct page *g, const char **p, const char *end)
{
	const char *first = *p, *feed = memchr(first, '\n', (size_t)(end - first));
	size_t len;
	int r;

	*p = feed ? feed + 1 : end;
	if (g->skipping) {
		g->skipping = !feed;
		g->lines += feed != NULL;
		return 0;
	}
	r = keep(g, first, feed ? feed : end);
	if (r != 0 || !feed)
		return r;
	if (g->skipping) {
		g->skipping = false;
		g->lines++;
		return 0;
	}
	len = g->carry_len;
	g->carry_len = 0;
	return read_line(g, g->carry, g->carry + len);
}

int page_feed(struct page *g, const char *data, size_t len)
{
	const char *p = data, *end = data + len, *feed;
	int r = 0;

	g->bytes += len;
	if (g->refused)
		return 1;
	if (len > 0 && (g->skipping || g->carry_len > 0))
		r = finish_line(g, &p, end);
	while (r == 0 && p < end) {
		feed = memchr(p, '\n', (size_t)(end - p));
		if (!feed)
			return keep(g, p, end);
		r = read_line(g, p, feed);
		p = feed + 1;
	}
	return r;
}

int page_end(struct page *g)
{
	if (g->refused)
		return 1;
	if (g->bytes == 0)
		return refuse(g, "the page is empty");
	/* Behind EOF alone the last line feed may be missing. */
	if (g->carry_len > 0 && is_eof(g->carry, g->carry + g->carry_len)) {
		g->eof_line = ++g->lines;
		g->carry_len = 0;
	}
	if (g->carry_len > 0 || g->skipping)
		return refuse(g, "the page is cut short: it ends within line %" PRIu64,
			      g->lines + 1);
	if (g->openmetrics && g->eof_line == 0)
		return refuse(g, "the page is cut short: it is OpenMetrics and does not end in "
			      "# EOF");
	if (g->openmetrics && g->eof_line < g->lines)
		return refuse(g, "the page goes on behind # EOF");
	return 0;
}

void page_free(struct page *g)
{
	if (!g)
		return;
	for (int k = 0; k < FAMILY_KINDS; k++)
		series_free(&g->pick[k].series);
	free(g->carry);
	free(g);
}

size_t page_memory(const struct page *g)
{
	size_t bytes = sizeof *g + g->carry_cap;

	for (int k = 0; k < FAMILY_KINDS; k++)
		bytes += series_memory(&g->pick[k].series);
	return bytes;
}
