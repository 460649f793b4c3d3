/*
 * subject - NATS subjects as settings: prefixes and wildcard patterns.
 */
#ifndef METER_SUBJECT_H
#define METER_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#define SUBJECT_MAX 512

/* One or more tokens of [A-Za-z0-9_-]+ joined by dots, at most 128 characters. */
bool subject_prefix_valid(const char *prefix);

/*
 * Is there a subject that both patterns match? `*` is one token, a last `>` one or more; elsewhere
 * `>` is a token like any other. Nothing matches an empty token.
 */
bool subject_patterns_overlap(const char *a, const char *b);

/* Does the pattern match this subject? In a subject `*` and `>` are no wildcards. */
bool subject_matches(const char *pattern, const char *subject);

#endif
