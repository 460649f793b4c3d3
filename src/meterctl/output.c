#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json_out.h"
#include "trace.h"

#define ERROR_SIZE 1024
#define SECOND_MS 1000
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static const struct {
	const char *unit;	/* in tables; NULL: bytes, by a unit that fits */
	bool per_second;
	bool whole;		/* in CSV */
} metrics[METRIC_COUNT] = {
	[METRIC_CPU_PERCENT] = { "", false, false },
	[METRIC_MEMORY_USED] = { NULL, false, true },
	[METRIC_MEMORY_LIMIT] = { NULL, false, true },
	[METRIC_NETWORK_IN] = { NULL, true, false },
	[METRIC_NETWORK_OUT] = { NULL, true, false },
	[METRIC_REQUESTS] = { "", false, false },
	[METRIC_LATENCY_P95] = { "ms", false, false },
};

bool format_parse(const char *name, enum format *out)
{
	static const char *const names[] = { "table", "json", "csv" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum format)i;
			return true;
		}
	}
	return false;
}

void output_error(const char *format, ...)
{
	char line[ERROR_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	/* It may quote what came over the bus, and this is somebody's terminal. */
	for (unsigned char *c = (unsigned char *)line; *c; c++)
		if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
			*c = '?';
	fprintf(stderr, "meterctl: %s\n", line);
}

bool output_gone(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP | POLLNVAL));
}

int output_flush(void)
{
	const char *why = "an earlier write failed";
	bool failed = ferror(stdout);

	if (fflush(stdout) != 0) {
		why = strerror(errno);
		failed = true;
	}
	if (!failed || output_gone())
		return 0;
	output_error("cannot write the output: %s", why);
	return -1;
}

/* --- JSON and CSV --- */

int output_json(const struct buffer *text)
{
	if (text->failed) {
		output_error("out of memory");
		return -1;
	}
	fwrite(text->data, 1, text->len, stdout);
	putchar('\n');
	return 0;
}

void csv_metric_names(void)
{
	for (int m = 0; m < METRIC_COUNT; m++)
		printf(",%s", trace_column((enum metric)m));
}

void csv_metrics(const double value[METRIC_COUNT])
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		char number[JSON_NUMBER_SIZE];

		putchar(',');
		if (!isfinite(value[m]))
			continue;
		if (metrics[m].whole && value[m] >= 0 && value[m] < 0x1p64) {
			printf("%" PRIu64, (uint64_t)value[m]);
			continue;
		}
		json_number(value[m], number);
		fputs(number, stdout);
	}
}

void csv_text(const char *s)
{
	if (!s)
		return;
	if (!strpbrk(s, ",\"\r\n")) {
		fputs(s, stdout);
		return;
	}
	putchar('"');
	for (; *s; s++) {
		if (*s == '"')
			putchar('"');
		putchar(*s);
	}
	putchar('"');
}

/* --- tables --- */

void table_begin(struct table *t, const struct column *columns, size_t n, int least)
{
	*t = (struct table){ .columns = columns, .n = n };
	for (size_t i = 0; i < n; i++) {
		int width = (int)strlen(columns[i].title);

		t->width[i] = width > least ? width : least;
	}
}

void table_measure(struct table *t, const char *const cells[])
{
	for (size_t i = 0; i < t->n; i++) {
		int width = (int)strlen(cells[i]);

		if (width > t->width[i])
			t->width[i] = width;
	}
}

static void print_cell(const struct table *t, size_t i, const char *cell)
{
	bool left = t->columns[i].left;

	if (i > 0)
		fputs("  ", stdout);
	if (left && i == t->n - 1)
		fputs(cell, stdout);	/* no blanks at the end of a line */
	else
		printf("%*s", left ? -t->width[i] : t->width[i], cell);
}

void table_head(const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		print_cell(t, i, t->columns[i].title);
	putchar('\n');
}

void table_row(const struct table *t, const char *const cells[])
{
	for (size_t i = 0; i < t->n; i++)
		print_cell(t, i, cells[i]);
	putchar('\n');
}

static void bytes_cell(double bytes, const char *per, char cell[CELL_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	size_t i = 0;

	/* 1023.95 would print as 1024.0 */
	for (; i + 1 < sizeof units / sizeof *units && bytes >= (i > 0 ? 1023.95 : 1023.5); i++)
		bytes /= 1024;
	if (bytes < 1e6)
		snprintf(cell, CELL_SIZE, "%.*f%s%s", i > 0, bytes, units[i], per);
	else
		snprintf(cell, CELL_SIZE, "%.3g%s%s", bytes, units[i], per);
}

void metric_cells(const double value[METRIC_COUNT], char space[METRIC_COUNT][CELL_SIZE],
		  const char *cells[METRIC_COUNT])
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		cells[m] = space[m];
		if (!isfinite(value[m]))
			cells[m] = "-";
		else if (!metrics[m].unit)
			bytes_cell(value[m], metrics[m].per_second ? "/s" : "", space[m]);
		else
			snprintf(space[m], CELL_SIZE, value[m] < 1e9 ? "%.1f%s" : "%.3g%s",
				 value[m], metrics[m].unit);
	}
}

const char *age_cell(int64_t ms, char cell[CELL_SIZE])
{
	static const struct {
		int64_t upto_ms;
		int64_t unit_ms;
		const char *unit;
	} steps[] = {
		{ 2 * MINUTE_MS, SECOND_MS, "s" },
		{ 2 * HOUR_MS, MINUTE_MS, "m" },
		{ 2 * DAY_MS, HOUR_MS, "h" },
		{ INT64_MAX, DAY_MS, "d" },
	};
	size_t i = 0;

	while (ms >= steps[i].upto_ms && i < 3)
		i++;
	snprintf(cell, CELL_SIZE, "%" PRId64 "%s", ms > 0 ? ms / steps[i].unit_ms : 0,
		 steps[i].unit);
	return cell;
}
