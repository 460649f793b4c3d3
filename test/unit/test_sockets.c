/* Lists of unix sockets, as in the setting. */
#include "unit.h"

#include "sockets.h"

#define PATH_50 "/456789012345678901234567890123456789012345678901234"	/* 52 */
#define PATH_107 PATH_50 PATH_50 "/ab"

static const struct list_case {
	const char *name;
	const char *list;
	const char *root;
	int n;			/* -1: refused */
	const char *last;
} list_cases[] = {
	{ "one", "/run/docker.sock", "", 1, "/run/docker.sock" },
	{ "two", "/run/docker.sock,/run/podman/podman.sock", "", 2, "/run/podman/podman.sock" },
	{ "as docker writes it", "unix:///run/docker.sock", "", 1, "/run/docker.sock" },
	{ "both ways", "/a,unix:///b", "", 2, "/b" },
	{ "below a root", "/run/a,unix:///run/b", "/host", 2, "/host/run/b" },
	{ "below a root with a slash", "/run/a", "/host//", 1, "/host/run/a" },
	{ "below the root", "/run/a", "/", 1, "/run/a" },
	{ "nothing", "", "", 0, NULL },
	{ "none", "none", "/host", 0, NULL },
	{ "eight", "/1,/2,/3,/4,/5,/6,/7,/8", "", 8, "/8" },
	{ "as long as can be", PATH_107, "", 1, PATH_107 },
	{ "nine", "/1,/2,/3,/4,/5,/6,/7,/8,/9", "", -1, NULL },
	{ "one too long", PATH_107 "x", "", -1, NULL },
	{ "too long below a root", PATH_107, "/h", -1, NULL },
	{ "a root too long", "/a", PATH_107 PATH_107, -1, NULL },
	{ "relative", "run/docker.sock", "", -1, NULL },
	{ "the root", "/", "", -1, NULL },
	{ "another scheme", "tcp://127.0.0.1:2375", "", -1, NULL },
	{ "a scheme only", "unix://", "", -1, NULL },
	{ "an abstract one", "@docker", "", -1, NULL },
	{ "a comma too many", "/a,", "", -1, NULL },
	{ "a comma in front", ",/a", "", -1, NULL },
	{ "none and another", "none,/a", "", -1, NULL },
	{ "a blank", "/a, /b", "", -1, NULL },
	{ "a line end", "/a\n", "", -1, NULL },
};

static void test_lists(void **state)
{
	(void)state;
	assert_int_equal(strlen(PATH_107), SOCKETS_PATH_MAX - 1);
	for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
		const struct list_case *c = &list_cases[i];
		struct sockets s;

		print_message("# %s\n", c->name);
		assert_int_equal(sockets_parse(c->list, c->root, &s), c->n >= 0);
		if (c->n < 0)
			continue;
		assert_int_equal(s.n, c->n);
		if (c->n > 0)
			assert_string_equal(s.path[c->n - 1], c->last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
