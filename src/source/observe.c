#include "observe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "fail.h"
#include "procfs.h"

static void tell(const struct source_observer *o, char *path, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void tell(const struct source_observer *o, char *path, const char *format, va_list ap)
{
	char found[SOURCE_ERROR_MAX];

	vsnprintf(found, sizeof found, format, ap);
	source_make_printable(path);
	source_make_printable(found);
	o->file(o->ctx, path, found);
}

void observe_told(const struct source_observer *o, const char *dir, const char *below,
		  const char *name, const char *format, ...)
{
	char path[2 * PROCFS_PATH_MAX];
	va_list ap;

	snprintf(path, sizeof path, "%s%s%s", dir, below, name);
	va_start(ap, format);
	tell(o, path, format, ap);
	va_end(ap);
}

void observe_at_told(const struct source_observer *o, int dir, const char *name,
		     const char *format, ...)
{
	char path[2 * PROCFS_PATH_MAX], link[32];
	ssize_t n;
	va_list ap;

	snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	n = readlink(link, path, PROCFS_PATH_MAX);
	n = n < 0 ? 0 : n;
	snprintf(path + n, sizeof path - (size_t)n, "/%s", name);
	va_start(ap, format);
	tell(o, path, format, ap);
	va_end(ap);
}

void observe_proc_told(const struct source_observer *o, const char *host_root, int64_t pid,
		       const char *name, const char *format, ...)
{
	char path[2 * PROCFS_PATH_MAX];
	va_list ap;

	snprintf(path, sizeof path, "%s/proc/%" PRId64 "/%s", host_root, pid, name);
	va_start(ap, format);
	tell(o, path, format, ap);
	va_end(ap);
}
