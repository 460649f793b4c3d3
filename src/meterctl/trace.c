#include "trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS (1 + METRIC_COUNT)

struct trace {
	FILE *in;
	const char *name;	/* for messages */
	size_t line;		/* the number of the one in text */
	size_t len;
	char text[TRACE_LINE_MAX + 1];
};

const char *trace_column(enum metric m)
{
	static const char *const names[METRIC_COUNT] = {
		[METRIC_CPU_PERCENT] = "cpu_percent",
		[METRIC_MEMORY_USED] = "memory_used_bytes",
		[METRIC_MEMORY_LIMIT] = "memory_limit_bytes",
		[METRIC_NETWORK_IN] = "net_in_bytes_per_sec",
		[METRIC_NETWORK_OUT] = "net_out_bytes_per_sec",
		[METRIC_REQUESTS] = "requests_per_sec",
		[METRIC_LATENCY_P95] = "latency_p95_ms",
	};

	return names[m];
}

/* --- what went wrong --- */

struct complaint {
	char *text;
	size_t size;
};

static int complain(const struct complaint *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int complain(const struct complaint *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->text, c->size, format, args);
	va_end(args);
	return -1;
}

static int unreadable(const char *name, const struct complaint *c)
{
	return complain(c, "cannot read %.300s: %s", name, strerror(errno));
}

/* "trace.csv:17: why" */
static int wrong_line(const struct trace *t, const struct complaint *c, const char *why)
{
	return complain(c, "%.300s:%zu: %s", t->name, t->line, why);
}

/* cell becomes what may be shown of it: somebody has a terminal. */
static int wrong_cell(const struct trace *t, const struct complaint *c, const char *column,
		      char *cell, const char *rule)
{
	for (char *p = cell; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return complain(c, "%.300s:%zu: %s: '%.40s' is not %s", t->name, t->line, column, cell,
			rule);
}

/* --- lines --- */

/* 1: a line is in text, without its end. 0: there is none. */
static int read_line(struct trace *t, const struct complaint *c)
{
	char why[64];
	int byte;

	t->line++;
	t->len = 0;
	while ((byte = getc_unlocked(t->in)) != EOF && byte != '\n') {
		if (byte == '\0')
			return wrong_line(t, c, "the line has a NUL byte");
		if (t->len == TRACE_LINE_MAX) {
			snprintf(why, sizeof why, "the line has more than %d bytes",
				 TRACE_LINE_MAX);
			return wrong_line(t, c, why);
		}
		t->text[t->len++] = (char)byte;
	}
	if (ferror(t->in))
		return unreadable(t->name, c);
	if (byte == EOF && t->len == 0)
		return 0;
	if (t->len > 0 && t->text[t->len - 1] == '\r')
		t->len--;
	t->text[t->len] = '\0';
	return 1;
}

static int read_header(struct trace *t, const struct complaint *c)
{
	char header[256], why[sizeof header + 64];
	int n = snprintf(header, sizeof header, "unix_ms");
	int r;

	for (int m = 0; m < METRIC_COUNT; m++)
		n += snprintf(header + n, sizeof header - (size_t)n, ",%s",
			      trace_column((enum metric)m));
	r = read_line(t, c);
	if (r < 0)
		return -1;
	if (r > 0 && strcmp(t->text, header) == 0)
		return 0;
	snprintf(why, sizeof why, "the first line has to be the header %s", header);
	return wrong_line(t, c, why);
}

/* 1: a row's line is in text. 0: nothing follows but empty lines. */
static int read_row_line(struct trace *t, const struct complaint *c)
{
	size_t empty = 0;	/* number of the first empty line */
	int r;

	while ((r = read_line(t, c)) > 0 && t->len == 0)
		if (empty == 0)
			empty = t->line;
	if (r <= 0 || empty == 0)
		return r;
	t->line = empty;
	return wrong_line(t, c, "the line is empty, and rows follow it");
}

/* --- cells --- */

static bool parse_time(const char *cell, int64_t *out)
{
	char *end;

	if (*cell < '0' || *cell > '9')
		return false;
	/* What is too large for it becomes INT64_MAX, and that is too large for a time. */
	*out = strtoll(cell, &end, 10);
	return *end == '\0' && *out <= TRACE_TIME_MAX;
}

/* An empty cell is NaN. strtod() alone takes blanks, signs, words and hexadecimal too. */
static bool parse_value(const char *cell, double *out)
{
	char *end;

	*out = NAN;
	if (!*cell)
		return true;
	if (*cell == '+' || *cell == '-' || cell[strspn(cell, "0123456789.eE+-")])
		return false;
	*out = strtod(cell, &end);
	return end != cell && *end == '\0' && isfinite(*out);
}

/* Cuts the line into cells. Returns how many it has, which may be more than there is room for. */
static size_t split(char *line, char *cells[COLUMNS])
{
	size_t n = 0;
	char *comma;

	for (;; line = comma + 1) {
		if (n < COLUMNS)
			cells[n] = line;
		n++;
		comma = strchr(line, ',');
		if (!comma)
			return n;
		*comma = '\0';
	}
}

static int parse_row(struct trace *t, struct sample *out, const struct complaint *c)
{
	char *cells[COLUMNS];
	size_t n = split(t->text, cells);

	if (n != COLUMNS)
		return complain(c, "%.300s:%zu: the row has %zu cell%s: it has to have %d", t->name,
				t->line, n, n == 1 ? "" : "s", COLUMNS);
	if (!parse_time(cells[0], &out->at_ms))
		return wrong_cell(t, c, "unix_ms", cells[0],
				  "a time in Unix milliseconds, from 1970 to the year 9999");
	for (int m = 0; m < METRIC_COUNT; m++)
		if (!parse_value(cells[m + 1], &out->value[m]))
			return wrong_cell(t, c, trace_column((enum metric)m), cells[m + 1],
					  "a number that is 0 or more");
	return 1;
}

/* --- the trace --- */

int trace_open(struct trace **out, const char *path, char *error, size_t error_size)
{
	const struct complaint c = { error, error_size };
	bool standard = strcmp(path, "-") == 0;
	struct trace *t = calloc(1, sizeof *t);
	int r;

	if (!t)
		return complain(&c, "out of memory");
	t->name = standard ? "standard input" : path;
	t->in = standard ? stdin : fopen(path, "re");
	r = t->in ? read_header(t, &c) : unreadable(t->name, &c);
	if (r < 0)
		trace_close(t);
	else
		*out = t;
	return r;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	if (t->in && t->in != stdin)
		fclose(t->in);
	free(t);
}

int trace_next(struct trace *t, struct sample *out, char *error, size_t error_size)
{
	const struct complaint c = { error, error_size };
	int r = read_row_line(t, &c);

	return r > 0 ? parse_row(t, out, &c) : r;
}
