/*
 * probe - one instance of this machine, found and read as a meterd would, and how that went.
 */
#ifndef METERCTL_PROBE_H
#define METERCTL_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "lifecycle.h"
#include "output.h"
#include "reading.h"
#include "sample.h"
#include "source.h"

/* Of the ways there are four and a process; a reading takes a dozen files. */
#define PROBE_NOTES_MAX 64

/* One step: a way to find the instance, or a file; and what came of it. */
struct probe_note {
	char *what;
	char *found;
};

struct probe_notes {
	struct probe_note list[PROBE_NOTES_MAX];
	size_t n;
};

struct probe {
	struct target target;		/* strings are not owned */
	const char *id;			/* of the instance, or NULL */
	const char *metrics_url;	/* of its page, or NULL */
	int64_t span_ms;		/* between two readings; 0 = one reading only */
	/* What came of it. */
	struct probe_notes ways;
	struct probe_notes files;	/* of the last reading */
	enum source_kind kind;		/* SOURCE_NONE: not found */
	char bound[TARGET_STRING_MAX + 32];	/* "cgroup /docker/0123"; "" = not found */
	bool has_reading;
	struct reading reading;
	struct sample sample;
	char error[SOURCE_ERROR_MAX];	/* why there is no reading; "" = there is one */
};

void probe_notes_add(struct probe_notes *notes, const char *what, const char *found);
void probe_notes_clear(struct probe_notes *notes);

/* Tries each way in the order of meterd, and reads. Waits span_ms. 0, or -ENOMEM. */
int probe_run(struct probe *p, const struct config *config);

/* 0, or -1 and it is told. */
int probe_print(const struct probe *p, enum format format);

#endif
