#include "subject.h"

#include <string.h>

#include "ident.h"

#define SUBJECT_PREFIX_MAX 128

/* A walk over the tokens of a subject. */
struct tokens {
	const char *rest;	/* what follows the current token and its dot; NULL = nothing */
	const char *at;
	size_t len;
};

/* Goes to the next token, which is empty where two dots meet. False at the end. */
static bool tokens_next(struct tokens *t)
{
	const char *dot;

	if (!t->rest)
		return false;
	t->at = t->rest;
	dot = strchr(t->at, '.');
	t->len = dot ? (size_t)(dot - t->at) : strlen(t->at);
	t->rest = dot ? dot + 1 : NULL;
	return true;
}

static bool token_is(const struct tokens *t, char c)
{
	return t->len == 1 && t->at[0] == c;
}

/* `>` is a wildcard as the last token only. */
static bool token_is_tail(const struct tokens *t)
{
	return token_is(t, '>') && !t->rest;
}

static bool token_equal(const struct tokens *a, const struct tokens *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

bool subject_prefix_valid(const char *prefix)
{
	struct tokens t = { .rest = prefix };

	if (strlen(prefix) > SUBJECT_PREFIX_MAX)
		return false;
	while (tokens_next(&t))
		if (!ident_valid(t.at, t.len))
			return false;
	return true;
}

/* With literal_b a `*` or `>` in b is a token like any other. */
static bool walk(const char *a, const char *b, bool literal_b)
{
	struct tokens ta = { .rest = a };
	struct tokens tb = { .rest = b };

	for (;;) {
		bool more_a = tokens_next(&ta);
		bool more_b = tokens_next(&tb);

		if (!more_a || !more_b)
			return more_a == more_b;
		/* NATS has no empty tokens: nothing matches them, not even a wildcard. */
		if (ta.len == 0 || tb.len == 0)
			return false;
		if (token_is_tail(&ta) || (!literal_b && token_is_tail(&tb)))
			return true;
		if (!token_is(&ta, '*') && (literal_b || !token_is(&tb, '*')) &&
		    !token_equal(&ta, &tb))
			return false;
	}
}

bool subject_patterns_overlap(const char *a, const char *b)
{
	return walk(a, b, false);
}

bool subject_matches(const char *pattern, const char *subject)
{
	return walk(pattern, subject, true);
}
