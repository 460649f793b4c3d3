#include <fcntl.h>

#include "unit.h"
#include "../../src/source/fail.h"
#include "../../src/source/mounts.h"
#include "../../src/source/procfs.h"
#include "source_tree.h"

static const struct number_case {
	const char *name;
	const char *text;
	bool good;
	uint64_t want;
} number_cases[] = {
	{ "a number and a newline", "123\n", true, 123 },
	{ "without a newline", "123", true, 123 },
	{ "zero", "0\n", true, 0 },
	{ "the largest", "18446744073709551615\n", true, UINT64_MAX },
	{ "one more", "18446744073709551616\n", false, 0 },
	{ "ten times the largest", "184467440737095516150\n", false, 0 },
	{ "empty", "", false, 0 },
	{ "only a newline", "\n", false, 0 },
	{ "negative", "-1\n", false, 0 },
	{ "with a sign", "+1\n", false, 0 },
	{ "blank in front", " 1\n", false, 0 },
	{ "hexadecimal", "0x10\n", false, 0 },
	{ "two numbers", "1 2\n", false, 0 },
	{ "a word", "max\n", false, 0 },
	{ "a fraction", "1.5\n", false, 0 },
};

static void test_only_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(number_cases); i++) {
		const struct number_case *c = &number_cases[i];
		uint64_t v = 77;

		print_message("# %s\n", c->name);
		assert_int_equal(procfs_only_number(c->text, &v), c->good);
		assert_int_equal(v, c->good ? c->want : 77);
	}
}

static const struct keyed_case {
	const char *name;
	const char *text;
	bool good;
	uint64_t want;
} keyed_cases[] = {
	{ "first line", "file 1\nother 2\n", true, 1 },
	{ "last line", "other 2\nfile 1\n", true, 1 },
	{ "last line without newline", "other 2\nfile 1", true, 1 },
	{ "a longer key before it", "file_mapped 2\nfile 1\n", true, 1 },
	{ "a key that ends in it", "inactive_file 2\nfile 1\n", true, 1 },
	{ "as a value", "name file 9\nfile 1\n", true, 1 },
	{ "tabs and a unit", "file\t   1 kB\n", true, 1 },
	{ "not there", "other 2\n", false, 0 },
	{ "empty", "", false, 0 },
	{ "only the key", "file", false, 0 },
	{ "only the key and a blank", "file ", false, 0 },
	{ "no value", "file \nother 2\n", false, 0 },
	{ "not a number", "file x\n", false, 0 },
	{ "negative", "file -1\n", false, 0 },
	{ "a number and more", "file 1x\n", false, 0 },
	{ "too large", "file 99999999999999999999\n", false, 0 },
};

static void test_keyed_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(keyed_cases); i++) {
		const struct keyed_case *c = &keyed_cases[i];
		uint64_t v = 77;

		print_message("# %s\n", c->name);
		assert_int_equal(procfs_keyed_number(c->text, "file", &v), c->good);
		assert_int_equal(v, c->good ? c->want : 77);
	}
}

/* Read into 16 bytes. */
static const struct read_case {
	const char *name;
	const char *text;
	const char *want;
} read_cases[] = {
	{ "empty", "", "" },
	{ "fits", "1\n2\n", "1\n2\n" },
	{ "fits exactly", "12345\n1234567\nx", "12345\n1234567\nx" },
	{ "one byte too long", "12345\n1234567\nxy", "12345\n1234567\n" },
	{ "cut in a number", "a 1\nb 1234567890123\n", "a 1\n" },
	{ "cut without any newline", "12345678901234567890\n", "" },
};

static void test_read(void **state)
{
	size_t before = tree_descriptors();
	char path[PATH_MAX], buf[16];
	int64_t from, at = 0;
	int dir;

	(void)state;
	tree_new();
	dir = procfs_open_dir(AT_FDCWD, tree_dir);
	assert_true(dir >= 0);
	for (size_t i = 0; i < COUNT_OF(read_cases); i++) {
		const struct read_case *c = &read_cases[i];

		print_message("# %s\n", c->name);
		tree_put("/f", c->text);
		from = procfs_now_ns();
		assert_int_equal(procfs_read(dir, "f", buf, sizeof buf, &at), strlen(c->want));
		assert_string_equal(buf, c->want);
		assert_true(from <= at && at <= procfs_now_ns());
	}
	assert_int_equal(procfs_read(dir, "none", buf, sizeof buf, NULL), -ENOENT);
	assert_int_equal(procfs_read(dir, ".", buf, sizeof buf, NULL), -EISDIR);
	print_message("# a FIFO without a writer does not block\n");
	snprintf(path, sizeof path, "%s/fifo", tree_dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(procfs_read(dir, "fifo", buf, sizeof buf, NULL), 0);
	close(dir);
	tree_free();
	assert_int_equal(tree_descriptors(), before);
}

static char *repeat(char c, size_t n, const char *tail)
{
	char *s = malloc(n + strlen(tail) + 1);

	assert_non_null(s);
	memset(s, c, n);
	strcpy(s + n, tail);
	return s;
}

static void test_pieces(void **state)
{
	struct procfs_pieces p;
	char *text;
	int dir;

	(void)state;
	tree_new();
	dir = procfs_open_dir(AT_FDCWD, tree_dir);
	assert_true(dir >= 0);

	print_message("# the last piece may lack its separator\n");
	tree_put("/f", "a\n\nbc");
	assert_int_equal(procfs_pieces_open(&p, dir, "f", 100), 0);
	assert_string_equal(procfs_pieces_next(&p, '\n'), "a");
	assert_string_equal(procfs_pieces_next(&p, '\n'), "");
	assert_string_equal(procfs_pieces_next(&p, '\n'), "bc");
	assert_null(procfs_pieces_next(&p, '\n'));
	assert_null(procfs_pieces_next(&p, '\n'));
	assert_false(p.cut);
	procfs_pieces_close(&p);

	print_message("# a bound: what is cut does not count, and is told\n");
	assert_int_equal(procfs_pieces_open(&p, dir, "f", 4), 0);
	assert_string_equal(procfs_pieces_next(&p, '\n'), "a");
	assert_string_equal(procfs_pieces_next(&p, '\n'), "");
	assert_null(procfs_pieces_next(&p, '\n'));
	assert_true(p.cut);
	procfs_pieces_close(&p);

	print_message("# a piece that does not fit is passed over, and nothing else\n");
	for (size_t n = sizeof p.buf - 3; n < sizeof p.buf + 3; n++) {
		bool fits = n < sizeof p.buf - 1;

		text = repeat('x', n, "\nend\n");
		tree_put("/f", text);
		assert_int_equal(procfs_pieces_open(&p, dir, "f", 100000), 0);
		if (fits)
			assert_int_equal(strlen(procfs_pieces_next(&p, '\n')), n);
		assert_string_equal(procfs_pieces_next(&p, '\n'), "end");
		assert_null(procfs_pieces_next(&p, '\n'));
		procfs_pieces_close(&p);
		free(text);
	}
	print_message("# a file that is one endless piece\n");
	text = repeat('x', 50000, "");
	tree_put("/f", text);
	assert_int_equal(procfs_pieces_open(&p, dir, "f", 100000), 0);
	assert_null(procfs_pieces_next(&p, '\n'));
	procfs_pieces_close(&p);
	free(text);
	close(dir);
	tree_free();
}

static void test_dirs(void **state)
{
	struct procfs_dirs d;
	const char *name;
	char path[32];
	size_t n = 0;
	int dir;

	(void)state;
	tree_new();
	tree_put("/a-file", "");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, "/some-directory-%d", i);
		tree_mkdir(path);
	}
	dir = procfs_open_dir(AT_FDCWD, tree_dir);
	assert_true(dir >= 0);
	assert_int_equal(procfs_dirs_open(&d, dir, "."), 0);
	while ((name = procfs_dirs_next(&d))) {
		assert_int_equal(strncmp(name, "some-directory-", 15), 0);
		n++;
	}
	assert_int_equal(n, 300);
	procfs_dirs_close(&d);
	close(dir);
	tree_free();
}

static void test_fail(void **state)
{
	char error[SOURCE_ERROR_MAX];
	char *text = repeat('x', 1000, "");

	(void)state;
	assert_int_equal(source_fail(error, FAILURE_GONE, "a %s", "\r\n\x1b[1m\xc3\xa9\x7f"),
			 FAILURE_GONE);
	assert_string_equal(error, "a ???[1m???");
	source_fail(error, FAILURE_GONE, "%s", text);
	assert_int_equal(strlen(error), SOURCE_ERROR_MAX - 1);
	free(text);
}

static const struct below_case {
	const char *name;
	const char *root;
	const char *path;
	const char *want;	/* NULL = outside */
} below_cases[] = {
	{ "whole hierarchy", "/", "/a/b", "/a/b" },
	{ "its root", "/", "/", "/" },
	{ "below the mount's root", "/docker/x", "/docker/x/y", "/y" },
	{ "the mount's root", "/docker/x", "/docker/x", "/" },
	{ "beside it", "/docker/x", "/docker/xy", NULL },
	{ "elsewhere", "/docker/x", "/", NULL },
	{ "above our namespace", "/", "/../b", NULL },
	{ "a mount above our namespace", "/../..", "/../../b", "/b" },
	{ "further above", "/..", "/../../b", NULL },
};

static void test_below(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(below_cases); i++) {
		const struct below_case *c = &below_cases[i];
		char root[64];
		struct mount m = { .root = root };
		const char *got;

		print_message("# %s\n", c->name);
		strcpy(root, c->root);
		got = mounts_below(&m, c->path);
		if (c->want)
			assert_string_equal(got, c->want);
		else
			assert_null(got);
	}
}

static void test_mountinfo(void **state)
{
	struct mounts m;

	(void)state;
	tree_new();
	tree_put("/proc/1/mountinfo",
		 "\n"
		 "garbage\n"
		 "1 2 0:1 / /short rw -\n"
		 "1 2 0:1 / /no-dash rw cgroup cgroup rw,memory\n"
		 "1 2 0:1 relative /rel rw - cgroup cgroup rw,memory\n"
		 "31 23 0:28 / / rw shared:1 - ext4 /dev/vda rw\n"
		 "32 31 0:29 / /c/cpu\\040acct\\134 rw shared:2 master:3 - cgroup cgroup "
		 "rw,cpu,cpuacct\n"
		 "33 31 0:30 /part /c/part rw - cgroup cgroup rw,memory\n"
		 "34 31 0:30 / /c/memory rw - cgroup cgroup memory,rw\n"
		 "35 31 0:30 / /c/again rw - cgroup cgroup rw,memory\n"
		 "36 31 0:31 / /c/no rw - cgroup cgroup rw,cpuacctx,name=memory\n"
		 "37 31 0:32 /x /c/unified rw - cgroup2 cgroup2 rw,nsdelegate");
	assert_int_equal(mounts_load(&m, tree_dir), 0);
	assert_int_equal(m.error, 0);
	assert_int_equal(m.n, 6);
	assert_string_equal(m.of[MOUNTS_CPUACCT]->dir + m.host_root_len, "/c/cpu acct\\");
	assert_string_equal(m.of[MOUNTS_MEMORY]->dir + m.host_root_len, "/c/memory");
	assert_string_equal(m.of[MOUNTS_UNIFIED]->dir + m.host_root_len, "/c/unified");
	assert_string_equal(m.of[MOUNTS_UNIFIED]->root, "/x");
	mounts_clear(&m);

	print_message("# more mounts than are kept\n");
	{
		char text[200 * 64] = "";

		for (int i = 0; i < 200; i++)
			sprintf(text + strlen(text), "1 2 0:1 / /c/%d rw - cgroup2 c rw\n", i);
		tree_put("/proc/1/mountinfo", text);
	}
	assert_int_equal(mounts_load(&m, tree_dir), 0);
	assert_int_equal(m.n, MOUNTS_MAX);
	mounts_clear(&m);

	print_message("# none at all\n");
	tree_remove("/proc");
	assert_int_equal(mounts_load(&m, tree_dir), 0);
	assert_int_equal(m.error, -ENOENT);
	mounts_clear(&m);
	tree_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_number),
		cmocka_unit_test(test_keyed_number),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_dirs),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_mountinfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
