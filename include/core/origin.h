/*
 * origin - where readings come from, and why one may fail: what is counted of each source.
 */
#ifndef METER_ORIGIN_H
#define METER_ORIGIN_H

/* constant, name */
#define SOURCE_KINDS(X) \
	X(SOURCE_CGROUP, cgroup) \
	X(SOURCE_PROCESS, process) \
	X(SOURCE_BUS, bus)

/* constant, name, what it says; kind and source are passed on */
#define FAILURES(X, kind, source) \
	X(kind, source, FAILURE_TARGET, target, "the target names nothing, or what cannot be") \
	X(kind, source, FAILURE_ABSENT, absent, "nothing there that the target names") \
	X(kind, source, FAILURE_GONE, gone, "what was read before is gone") \
	X(kind, source, FAILURE_DENIED, denied, "no permission") \
	X(kind, source, FAILURE_SHORT, short, "out of memory or descriptors") \
	X(kind, source, FAILURE_UNREADABLE, unreadable, "there, but not to be understood") \
	X(kind, source, FAILURE_SILENT, silent, "no answer in time") \
	X(kind, source, FAILURE_REFUSED, refused, "answered that there is no reading") \
	X(kind, source, FAILURE_UNSENT, unsent, "could not be asked: no connection, or no room")

#define ORIGIN_KIND(constant, name) constant,
#define ORIGIN_FAILURE(kind, source, constant, name, help) constant,

enum source_kind { SOURCE_NONE, SOURCE_KINDS(ORIGIN_KIND) SOURCE_KIND_COUNT };
/* Positive, so that it can be what a function returns that leaves a sentence. */
enum failure { FAILURE_NONE, FAILURES(ORIGIN_FAILURE, , ) FAILURE_COUNT };

#undef ORIGIN_KIND
#undef ORIGIN_FAILURE

/* "cgroup"; "none" for SOURCE_NONE */
const char *source_kind_name(enum source_kind k);

/* What an errno, as -errno, says of a file that was there before. */
enum failure failure_of(int error);

#endif
