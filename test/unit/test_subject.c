/* Subjects, and the names that become one of their tokens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ident.h"
#include "subject.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128 A32 A32 A32 A32

static const struct ident_case {
	const char *name;
	const char *text;
	size_t len;
	bool want;
} ident_cases[] = {
	{ "an id of the control plane", "inst_01h455vb4pex5vsknk084sn02q", 31, true },
	{ "one character", "a", 1, true },
	{ "all kinds", "azAZ09_-", 8, true },
	{ "128 characters", A128, 128, true },

	{ "empty", "", 0, false },
	{ "129 characters", A128 "a", 129, false },
	{ "dot", "a.b", 3, false },
	{ "blank", "a b", 3, false },
	{ "CRLF", "a\r\nPUB x 0", 10, false },
	{ "NUL", "a\0b", 3, false },
	{ "star", "*", 1, false },
	{ "greater than", ">", 1, false },
	{ "slash", "a/b", 3, false },
	{ "before 0", "/", 1, false },
	{ "after 9", ":", 1, false },
	{ "before A", "@", 1, false },
	{ "after Z", "[", 1, false },
	{ "before a", "`", 1, false },
	{ "after z", "{", 1, false },
	{ "a letter of Latin-1", "\xe4", 1, false },
	{ "a letter of UTF-8", "\xc3\xa4", 2, false },
	{ "delete", "\x7f", 1, false },
};

static void test_ident_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ident_cases / sizeof ident_cases[0]; i++) {
		const struct ident_case *c = &ident_cases[i];

		printf("# %s\n", c->name);
		assert_int_equal(ident_valid(c->text, c->len), c->want);
	}
}

/* Values from the reference at isthe.com/chongo/tech/comp/fnv. */
static void test_ident_hash(void **state)
{
	(void)state;
	assert_true(ident_hash("", 0) == 0xcbf29ce484222325);
	assert_true(ident_hash("a", 1) == 0xaf63dc4c8601ec8c);
	assert_true(ident_hash("foobar", 6) == 0x85944171f73967e8);
	assert_true(ident_hash("\0", 1) == 0xaf63bd4c8601b7df);
}

static const struct prefix_case {
	const char *name;
	const char *prefix;
	bool want;
} prefix_cases[] = {
	{ "one token", "metrics", true },
	{ "two tokens", "eu-1.metrics", true },
	{ "128 characters", A128, true },
	{ "128 characters with a dot", A32 A32 A32 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },

	{ "empty", "", false },
	{ "129 characters", A128 "a", false },
	{ "129 characters with a dot", A32 A32 A32 "." A32, false },
	{ "dot alone", ".", false },
	{ "dot before", ".metrics", false },
	{ "dot after", "metrics.", false },
	{ "two dots", "eu..metrics", false },
	{ "star", "eu.*", false },
	{ "tail", "metrics.>", false },
	{ "blank", "me trics", false },
	{ "line end", "metrics\n", false },
	{ "dollar sign", "$SRV", false },
};

static void test_prefix_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof prefix_cases / sizeof prefix_cases[0]; i++) {
		const struct prefix_case *c = &prefix_cases[i];

		printf("# %s\n", c->name);
		assert_int_equal(subject_prefix_valid(c->prefix), c->want);
	}
}

static const struct pair_case {
	const char *name;
	const char *a;
	const char *b;
	bool want;
} overlap_cases[] = {
	{ "equal", "a.b", "a.b", true },
	{ "one token", "a", "a", true },
	{ "everything", ">", "a.b.c", true },
	{ "everything and one token", ">", "a", true },
	{ "everything twice", ">", ">", true },
	{ "own samples through a star", "*.instance.>", "metrics.instance.x", true },
	{ "own samples as a pattern", "*.instance.>", "metrics.instance.*", true },
	{ "stars crosswise", "a.*", "*.b", true },
	{ "star on star", "a.*", "a.*", true },
	{ "tail on tail", "a.>", "a.b.>", true },
	{ "tail takes several", "a.>", "a.b.c.d", true },
	{ "tail takes a star", "a.>", "a.*", true },
	{ "star before the tail", "a.*.>", "a.b.c", true },
	{ "greater than within a token", "a.b>", "a.b>", true },
	{ "greater than not last is a token", "a.>.c", "a.>.c", true },

	{ "the defaults", "instance.>", "metrics.instance.*", false },
	{ "another token", "a.b", "a.c", false },
	{ "star takes one", "a.*", "a.b.c", false },
	{ "star takes no less than one", "a.*", "a", false },
	{ "tail takes no less than one", "a.>", "a", false },
	{ "tail after a star takes one", "a.*.>", "a.b", false },
	{ "a beginning", "a.b", "a.b.c", false },
	{ "a token's beginning", "instance", "instances", false },
	{ "star within a token", "a.b*", "a.bc", false },
	{ "greater than not last", "a.>.c", "a.b.c", false },
	{ "capitals", "a.B", "a.b", false },
	{ "empty token and star", "a.*.c", "a..c", false },
	{ "empty token and tail", "a.>", "a.", false },
	{ "empty and everything", ">", "", false },
	{ "both empty", "", "", false },
};

static void test_overlap(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof overlap_cases / sizeof overlap_cases[0]; i++) {
		const struct pair_case *c = &overlap_cases[i];

		printf("# %s\n", c->name);
		assert_int_equal(subject_patterns_overlap(c->a, c->b), c->want);
		assert_int_equal(subject_patterns_overlap(c->b, c->a), c->want);
	}
}

/* a is the pattern */
static const struct pair_case match_cases[] = {
	{ "equal", "a.b", "a.b", true },
	{ "star", "a.*.c", "a.b.c", true },
	{ "tail", "instance.>", "instance.created.x", true },
	{ "tail of one", "instance.>", "instance.created", true },
	{ "everything", ">", "a", true },
	{ "a star as a token", "a.*", "a.*", true },

	{ "a star as a token is no wildcard", "a.b", "a.*", false },
	{ "a tail as a token is no wildcard", "a.b", "a.>", false },
	{ "the subject alone is the tail", "a.b.c", ">", false },
	{ "tail of none", "instance.>", "instance", false },
	{ "longer", "a.*", "a.b.c", false },
	{ "shorter", "a.*.c", "a.b", false },
	{ "another token", "a.b", "a.c", false },
	{ "empty token", "a.*", "a.", false },
	{ "empty subject", ">", "", false },
};

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof match_cases / sizeof match_cases[0]; i++) {
		const struct pair_case *c = &match_cases[i];

		printf("# %s\n", c->name);
		assert_int_equal(subject_matches(c->a, c->b), c->want);
	}
}

/*
 * By another way: all patterns of up to three tokens over two letters and the wildcards. Two of
 * them overlap when one of the 39 subjects matches both; a third letter stands for all the others.
 */
static void test_overlap_by_subjects(void **state)
{
	static const char *const token[] = { "a", "b", "*", ">" };
	char pattern[64][8];
	char subject[39][8];
	size_t n_patterns = 0, n_subjects = 0;

	(void)state;
	for (int i = 0; i < 4 * 5 * 5; i++) {
		int second = i / 4 % 5, third = i / 20;

		/* A tail only at the end, and no gap before a token. */
		if ((second == 0 && third != 0) || (i % 4 == 3 && second != 0) ||
		    (second == 4 && third != 0))
			continue;
		assert_true(n_patterns < 64);
		snprintf(pattern[n_patterns++], sizeof pattern[0], "%s%s%s%s%s", token[i % 4],
			 second ? "." : "", second ? token[second - 1] : "", third ? "." : "",
			 third ? token[third - 1] : "");
	}
	for (int len = 1; len <= 3; len++) {
		for (int i = 0; i < (len == 1 ? 3 : len == 2 ? 9 : 27); i++)
			snprintf(subject[n_subjects++], sizeof subject[0], "%c%s%.*s%s%.*s",
				 'a' + i % 3, len > 1 ? "." : "", len > 1,
				 &"abc"[i / 3 % 3], len > 2 ? "." : "", len > 2,
				 &"abc"[i / 9 % 3]);
	}
	for (size_t a = 0; a < n_patterns; a++) {
		for (size_t b = 0; b < n_patterns; b++) {
			bool want = false;

			for (size_t s = 0; s < n_subjects && !want; s++)
				want = subject_matches(pattern[a], subject[s]) &&
				       subject_matches(pattern[b], subject[s]);
			if (subject_patterns_overlap(pattern[a], pattern[b]) != want)
				fail_msg("%s and %s", pattern[a], pattern[b]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ident_valid),
		cmocka_unit_test(test_ident_hash),
		cmocka_unit_test(test_prefix_valid),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_overlap_by_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
