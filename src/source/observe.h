/*
 * observe - tells whoever observes a source which file was read and what was taken from it.
 */
#ifndef METER_SOURCE_OBSERVE_H
#define METER_SOURCE_OBSERVE_H

#include "source.h"

/*
 * The path is dir, below and name in one, what was found a sentence; what is not printable ASCII in
 * them becomes '?'. Nobody observes when o is NULL, and this costs nothing then.
 */
#define observe_file(o, dir, below, name, ...) \
	((o) ? observe_told((o), (dir), (below), (name), __VA_ARGS__) : (void)0)

void observe_told(const struct source_observer *o, const char *dir, const char *below,
		  const char *name, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same of a file in an open directory. */
#define observe_at(o, dir, name, ...) \
	((o) ? observe_at_told((o), (dir), (name), __VA_ARGS__) : (void)0)

void observe_at_told(const struct source_observer *o, int dir, const char *name,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same of /proc/<pid>/<name>. */
#define observe_proc(o, host_root, pid, name, ...) \
	((o) ? observe_proc_told((o), (host_root), (pid), (name), __VA_ARGS__) : (void)0)

void observe_proc_told(const struct source_observer *o, const char *host_root, int64_t pid,
		       const char *name, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
