/* The address of a network namespace: texts of the kernel's, hostile ones, and a real namespace. */
#include <fcntl.h>
#include <sched.h>

#include "unit.h"
#include "../../src/source/netaddr.h"
#include "../../src/source/procfs.h"
#include "source_live.h"
#include "source_tree.h"

#define LEAF(address, what) "           |-- " address "\n              " what "\n"
#define LOOPBACK \
	"     +-- 127.0.0.0/8 2 0 2\n        +-- 127.0.0.0/31 1 0 0\n" \
	LEAF("127.0.0.0", "/8 host LOCAL") LEAF("127.0.0.1", "/32 host LOCAL") \
	LEAF("127.255.255.255", "/32 link BROADCAST")
#define TOP "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
#define OURS \
	"     +-- 192.0.2.0/24 2 0 2\n        +-- 192.0.2.0/30 2 0 2\n" \
	LEAF("192.0.2.0", "/24 link UNICAST") LEAF("192.0.2.2", "/32 host LOCAL") \
	LEAF("192.0.2.255", "/32 link BROADCAST")
#define NONE TOP LOOPBACK

#define LO6 "00000000000000000000000000000001 01 80 10 80       lo\n"
#define LINK6 "fe8000000000000000fc00fffe000001 02 40 20 80     eth0\n"
#define GLOBAL6 "fd000000000000000000000000000002 02 40 00 80     eth0\n"

static const struct text_case {
	const char *name;
	const char *v4;		/* NULL: no such file */
	const char *v6;
	int want;
	const char *is;
} cases[] = {
	{ "as a container has it", TOP LOOPBACK OURS "Local:\n" LOOPBACK OURS, LO6 LINK6 GLOBAL6, 0,
	  "192.0.2.2" },
	{ "rules of its own: local addresses stand in the second trie",
	  TOP "Local:\n" LOOPBACK OURS, LO6, 0, "192.0.2.2" },
	{ "the first of two", TOP LEAF("10.0.0.9", "/32 host LOCAL") OURS, LO6, 0, "10.0.0.9" },
	{ "a leaf with two lines",
	  TOP "  |-- 10.0.0.8\n     /29 link UNICAST\n     /32 host LOCAL\n",
	  "", 0, "10.0.0.8" },
	{ "all of a network taken in is no address", TOP LEAF("10.0.0.0", "/8 host LOCAL"), LO6,
	  -EADDRNOTAVAIL, NULL },
	{ "a route to one host is none", TOP LEAF("10.0.0.1", "/32 link UNICAST"), LO6,
	  -EADDRNOTAVAIL, NULL },
	{ "another of 127/8", TOP LEAF("127.9.9.9", "/32 host LOCAL"), LO6, -EADDRNOTAVAIL, NULL },
	{ "link-local goes behind", TOP LEAF("169.254.1.1", "/32 host LOCAL") OURS, LO6, 0,
	  "192.0.2.2" },
	{ "169.25 is another", TOP LEAF("169.25.4.1", "/32 host LOCAL"), LO6, 0,
	  "169.25.4.1" },
	{ "12.7.0.0 is not 127", TOP LEAF("12.7.0.0", "/32 host LOCAL"), LO6, 0, "12.7.0.0" },
	{ "without its newline", TOP "|-- 10.0.0.1\n/32 host LOCAL", LO6, 0, "10.0.0.1" },

	{ "v6 when there is no v4", NONE, LO6 LINK6 GLOBAL6, 0, "fd00::2" },
	{ "no v4 at all", "", LO6 GLOBAL6, 0, "fd00::2" },
	{ "without its newline, v6", NONE, "20010db8000000000000000000000001 02 40 00 80 e", 0,
	  "2001:db8::1" },
	{ "tentative", NONE, "fd000000000000000000000000000003 02 40 00 c0     eth0\n" GLOBAL6, 0,
	  "fd00::2" },
	{ "somebody else has it", NONE, "fd000000000000000000000000000003 02 40 00 88     eth0\n",
	  -EADDRNOTAVAIL, NULL },
	{ "deprecated is still reached", NONE,
	  "fd000000000000000000000000000003 02 40 00 a0     eth0\n", 0, "fd00::3" },
	{ "an interface past 255", NONE, "fd000000000000000000000000000003 100 40 00 80     eth0\n",
	  0, "fd00::3" },
	{ "a name with blanks in it", NONE, "fd000000000000000000000000000003 02 40 00 80 a 0 b\n",
	  0, "fd00::3" },
	{ "only lo and link-local", NONE, LO6 LINK6, -EADDRNOTAVAIL, NULL },
	{ "nothing at all", "", "", -EADDRNOTAVAIL, NULL },
	{ "a kernel without IPv6", NONE, NULL, -EADDRNOTAVAIL, NULL },
	{ "a kernel without IPv6, and v4", TOP OURS, NULL, 0, "192.0.2.2" },
	{ "gone", NULL, NULL, -ENOENT, NULL },

	{ "a leaf that is no address", TOP "|-- 300.0.0.1\n/32 host LOCAL\n", GLOBAL6,
	  -EBADMSG, NULL },
	{ "a very long one", TOP "|-- 10.0.0.1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	  GLOBAL6, -EBADMSG, NULL },
	{ "what is known, of nothing", "/32 host LOCAL\n", LO6, -EADDRNOTAVAIL, NULL },
	{ "garbage", "\xff\xfe garbage\n", LO6, -EADDRNOTAVAIL, NULL },
	{ "v6: garbage", NONE, "\xff garbage\n", -EBADMSG, NULL },
	{ "v6: cut short", NONE, "fd00000000000000000000000000000\n", -EBADMSG, NULL },
	{ "v6: too long", NONE, "fd0000000000000000000000000000021 02 40 00 80 e\n",
	  -EBADMSG, NULL },
	{ "v6: no hex", NONE, "fd00000000000000000000000000000g 02 40 00 80 e\n", -EBADMSG, NULL },
	{ "v6: a column is missing", NONE, "fd000000000000000000000000000002 02 40 00\n",
	  -EBADMSG, NULL },
	{ "v6: a column that is too long", NONE,
	  "fd000000000000000000000000000002 02 40 000000000 80 e\n",
	  -EBADMSG, NULL },
	{ "v6: an empty line", NONE, "\n", -EBADMSG, NULL },
};

static void put_net(const char *name, const char *text)
{
	char path[32];

	snprintf(path, sizeof path, "/net/%s", name);
	tree_mkdir("/net");
	tree_remove(path);
	if (text)
		tree_put(path, text);
}

static void test_texts(void **state)
{
	size_t before = tree_descriptors();
	char address[NETADDR_MAX];
	int dir;

	(void)state;
	tree_new();
	dir = procfs_open_dir(AT_FDCWD, tree_dir);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct text_case *c = &cases[i];

		print_message("# %s\n", c->name);
		put_net("fib_trie", c->v4);
		put_net("if_inet6", c->v6);
		strcpy(address, "as it was");
		assert_int_equal(netaddr_find(dir, address), c->want);
		assert_string_equal(address, c->is ? c->is : "as it was");
	}
	close(dir);
	tree_free();
	assert_int_equal(tree_descriptors(), before);
}

/* As many routes as somebody likes: what is behind the bound is not looked at. */
static void test_too_long(void **state)
{
	static char text[300 << 10];
	static const char route[] = LEAF("10.1.2.3", "/32 link UNICAST");
	char address[NETADDR_MAX];
	size_t len = 0;
	int dir;

	(void)state;
	tree_new();
	dir = procfs_open_dir(AT_FDCWD, tree_dir);
	while (len < (256 << 10))
		len = (size_t)(stpcpy(text + len, route) - text);
	strcpy(text + len, OURS);
	put_net("fib_trie", text);
	put_net("if_inet6", GLOBAL6);
	assert_int_equal(netaddr_find(dir, address), -EFBIG);
	strcpy(text + (200 << 10) / (sizeof route - 1) * (sizeof route - 1), OURS);
	put_net("fib_trie", text);
	assert_int_equal(netaddr_find(dir, address), 0);
	assert_string_equal(address, "192.0.2.2");
	print_message("# one line without an end\n");
	memset(text, 'x', sizeof text - 1);
	put_net("fib_trie", text);
	assert_int_equal(netaddr_find(dir, address), -EFBIG);
	close(dir);
	tree_free();
}

static const char *const *commands;
static bool have_namespace;

/* In the child: a namespace of its own, with what the commands put into it. */
static void own_network(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	for (size_t i = 0; commands[i]; i++)
		if (system(commands[i]) != 0)
			_exit(1);
}

static void expect_address(const char *const *made_by, int want, const char *is)
{
	char address[NETADDR_MAX] = "";
	int done, dir;
	pid_t pid;

	commands = made_by;
	pid = live_child(own_network, &done);
	have_namespace = live_await(done);
	dir = procfs_open_pid("", pid);
	if (have_namespace) {
		assert_true(dir >= 0);
		assert_int_equal(netaddr_find(dir, address), want);
		assert_string_equal(address, is);
		print_message("# once it has ended\n");
		kill(pid, SIGKILL);
		assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
		assert_true(procfs_is_gone(netaddr_find(dir, address)));
	}
	live_end(pid);
	close(dir);
	close(done);
}

#define PAIR "ip link add eth0 type veth peer name eth1", "ip link set eth0 up"

static void test_live(void **state)
{
	static const char *const nothing[] = { NULL };
	static const char *const loopback[] = { "ip link set lo up", NULL };
	static const char *const v4[] = {
		"ip link set lo up", PAIR, "ip address add 10.9.0.1/24 dev eth0",
		"ip address add 127.0.0.9/8 dev lo", "ip address add 169.254.3.4/16 dev eth0",
		"ip route add local 10.8.0.0/16 dev lo", "ip route add 10.7.0.1/32 dev eth0", NULL,
	};
	static const char *const rules[] = {
		PAIR, "ip rule add from 10.1.0.0/16 table 200",
		"ip address add 10.9.0.1/24 dev eth0", NULL,
	};
	static const char *const v6[] = {
		"ip link set lo up", PAIR, "ip address add fd09::1/64 dev eth0 nodad", NULL,
	};
	static const char *const tentative[] = {	/* no carrier: it stays so */
		PAIR, "ip link set eth0 down", "ip address add fd09::1/64 dev eth0", NULL,
	};

	(void)state;
	expect_address(nothing, -EADDRNOTAVAIL, "");
	if (!have_namespace || system("ip link show lo >/dev/null 2>&1") != 0) {
		print_message("# skipped: no network namespace can be made here, or no iproute2\n");
		skip();
	}
	expect_address(loopback, -EADDRNOTAVAIL, "");
	expect_address(v4, 0, "10.9.0.1");
	if (!have_namespace) {
		print_message("# skipped: no veth pair can be made here\n");
		skip();
	}
	print_message("# with rules of its own\n");
	expect_address(rules, 0, "10.9.0.1");
	if (access("/proc/self/net/if_inet6", F_OK) < 0)
		return;
	print_message("# v6\n");
	expect_address(v6, 0, "fd09::1");
	print_message("# v6, tentative\n");
	expect_address(tentative, -EADDRNOTAVAIL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
