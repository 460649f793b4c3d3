#include "trace_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const trace_names[TRACE_COUNT] = {
	"bb_322", "bb_500", "bb_69", "cap1s_build", "cap1s_nats", "cap1s_web",
	"cap_build", "cap_idle", "cap_nats", "cap_web", "nab_a",
};

static void give_up(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(1);
}

/* unix_ms and the seven metrics in their order; an empty field is an absent reading. */
static int row_parse(const char *line, struct sample *s)
{
	char *end;

	s->at_ms = strtoll(line, &end, 10);
	if (end == line)
		return -1;
	for (int m = 0; m < METRIC_COUNT; m++) {
		if (*end != ',')
			return -1;
		line = end + 1;
		s->value[m] = strtod(line, &end);
		if (end == line)
			s->value[m] = NAN;
	}
	return *end == '\n' || *end == '\r' || *end == '\0' ? 0 : -1;
}

void trace_read(struct trace *t, const char *folder, const char *name)
{
	char path[4096], line[512];
	size_t cap = 0;
	FILE *file;

	*t = (struct trace){ .name = name };
	snprintf(path, sizeof path, "%s/%s.csv", folder, name);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof line, file))	/* the first line names the columns */
		give_up(path, "cannot be read");
	while (fgets(line, sizeof line, file)) {
		if (t->n == cap) {
			cap = cap ? cap * 2 : 1024;
			t->rows = reallocarray(t->rows, cap, sizeof *t->rows);
			if (!t->rows)
				give_up(path, "no memory");
		}
		if (row_parse(line, &t->rows[t->n++]) != 0)
			give_up(path, "a line that is not a sample");
	}
	fclose(file);
	if (t->n == 0)
		give_up(path, "no samples");
}

void trace_clear(struct trace *t)
{
	free(t->rows);
	*t = (struct trace){ 0 };
}

struct sample trace_sample(const struct trace *t, uint64_t i)
{
	int64_t span_ms = t->rows[t->n - 1].at_ms - t->rows[0].at_ms;
	struct sample s = t->rows[i % t->n];

	s.at_ms += (int64_t)(i / t->n) * (span_ms + TRACE_INTERVAL_MS);
	return s;
}
