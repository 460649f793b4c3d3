/*
 * problem - what a peer did wrong: one sentence and a code, as it goes back on the bus.
 *
 * Results are three-way all through core: 0 fine; < 0 (-errno) our own trouble, returned unchanged;
 * > 0 the peer's mistake, one of the codes below, with *p filled in.
 */
#ifndef METER_PROBLEM_H
#define METER_PROBLEM_H

enum problem_code {
	PROBLEM_MALFORMED = 400,
	PROBLEM_TOO_LARGE = 413,
	PROBLEM_TOO_MANY = 429,
};

#define PROBLEM_TEXT_MAX 256

struct problem {
	int code;
	char text[PROBLEM_TEXT_MAX];	/* printable ASCII, one sentence */
};

/* Fills *p and returns code. What is not printable ASCII in the result becomes '?'. */
int problem_set(struct problem *p, enum problem_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
