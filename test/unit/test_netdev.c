#include <fcntl.h>
#include <inttypes.h>

#include "unit.h"
#include "../../src/source/netdev.h"
#include "../../src/source/procfs.h"
#include "source_tree.h"

#define HEADINGS \
	"Inter-|   Receive                                                |  Transmit\n" \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"

static const struct sum_case {
	const char *name;
	const char *text;
	int want;
	uint64_t in, out;
} sum_cases[] = {
	{ "lo is left out, the others are summed",
	  HEADINGS "    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n"
	  "  eth0: 100 2 0 0 0 0 0 0 20 3 0 0 0 0 0 0\n"
	  "eth1.4:1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n", 0, 101, 22 },
	{ "only lo", HEADINGS "    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n", 0, 0, 0 },
	{ "lo is a whole name", HEADINGS "lo1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n"
	  " l: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n", 0, 6, 7 },
	{ "the last line without its newline", HEADINGS "e: 5 1 0 0 0 0 0 0 6", 0, 5, 6 },
	{ "no interface", HEADINGS, 0, 0, 0 },
	{ "empty", "", -EBADMSG, 0, 0 },
	{ "garbage", HEADINGS "\xff garbage\n", -EBADMSG, 0, 0 },
	{ "too few columns", HEADINGS "e: 5 1 0 0 0 0 0 0\n", -EBADMSG, 0, 0 },
	{ "negative", HEADINGS "e: -5 1 0 0 0 0 0 0 6 0\n", -EBADMSG, 0, 0 },
	{ "not a number", HEADINGS "e: 5 1 0 0 0 0 0 0 six 0\n", -EBADMSG, 0, 0 },
	{ "a number and more", HEADINGS "e: 5x 1 0 0 0 0 0 0 6 0\n", -EBADMSG, 0, 0 },
	{ "does not fit", HEADINGS "e: 99999999999999999999 1 0 0 0 0 0 0 6 0\n", -EBADMSG, 0, 0 },
	{ "the sum does not fit", HEADINGS "e: 18446744073709551615 1 0 0 0 0 0 0 6 0\n"
	  "f: 1 1 0 0 0 0 0 0 6 0\n", -EBADMSG, 0, 0 },
};

static void test_sum(void **state)
{
	struct procfs_pieces text;
	uint64_t in, out;
	int dir;

	(void)state;
	tree_new();
	dir = procfs_open_dir(AT_FDCWD, tree_dir);
	for (size_t i = 0; i < COUNT_OF(sum_cases); i++) {
		const struct sum_case *c = &sum_cases[i];

		print_message("# %s\n", c->name);
		tree_put("/dev", c->text);
		assert_int_equal(procfs_pieces_open(&text, dir, "dev", 1000), 0);
		in = out = 0;
		assert_int_equal(netdev_sum(&text, &in, &out), c->want);
		assert_int_equal(in, c->in);
		assert_int_equal(out, c->out);
		procfs_pieces_close(&text);
	}
	print_message("# longer than the bound: a part would be a wrong sum\n");
	tree_put("/dev", sum_cases[0].text);
	assert_int_equal(procfs_pieces_open(&text, dir, "dev", 250), 0);
	assert_int_equal(netdev_sum(&text, &in, &out), -EBADMSG);
	procfs_pieces_close(&text);
	close(dir);
	tree_free();
}

static void plant(int pid, int ns, uint64_t bytes)
{
	char path[64], text[512];

	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	snprintf(text, sizeof text, "net:[%d]", ns);
	tree_link(path, text);
	snprintf(path, sizeof path, "/proc/%d/net/dev", pid);
	snprintf(text, sizeof text, HEADINGS "e: %" PRIu64 " 1 0 0 0 0 0 0 %" PRIu64 " 0\n",
		 bytes, bytes * 2);
	tree_put(path, text);
}

/* pid 1 is in the namespace 1, we are in 2; 10 to 14 as planted in test_namespaces(). */
static const struct ns_case {
	const char *name;
	int32_t pids[4];
	size_t n;
	int last;	/* 0 = not read yet */
	uint64_t want;	/* 0 = absent */
	int want_last;
} ns_cases[] = {
	{ "no process", { 0 }, 0, 0, 0, 0 },
	{ "its own", { 10 }, 1, 0, 1000, 100 },
	{ "its own, again", { 10 }, 1, 100, 1000, 100 },
	{ "the host's", { 12 }, 1, 0, 0, 0 },
	{ "ours", { 13 }, 1, 0, 0, 0 },
	{ "cannot be read", { 14 }, 1, 0, 0, 0 },
	{ "has ended", { 99 }, 1, 0, 0, 0 },
	{ "the first that has its own", { 99, 14, 12, 11 }, 4, 0, 1100, 101 },
	{ "the namespace of the last time goes first", { 10, 11 }, 2, 101, 1100, 101 },
	{ "another than the last time: once absent", { 10 }, 1, 101, 0, 100 },
	{ "nobody left: the last one is remembered", { 99 }, 1, 101, 0, 101 },
	{ "counters that cannot be read", { 15 }, 1, 0, 0, 0 },
	{ "counters that cannot be read, and the next", { 15, 11 }, 2, 0, 1100, 101 },
};

static void set_ns(struct netdev_ns *ns, int number)
{
	ns->text[0] = '\0';
	if (number != 0)
		snprintf(ns->text, sizeof ns->text, "net:[%d]", number);
}

static void test_namespaces(void **state)
{
	size_t before = tree_descriptors();
	struct kept_budget none = { .max = 0 };
	struct netdev_shared shared;
	struct netdev_member member;
	struct netdev_ns last, want;

	(void)state;
	tree_new();
	tree_link("/proc/1/ns/net", "net:[1]");
	tree_link("/proc/self/ns/net", "net:[2]");
	plant(10, 100, 1000);
	plant(11, 101, 1100);
	plant(12, 1, 1200);
	plant(13, 2, 1300);
	plant(14, 104, 1400);
	tree_remove("/proc/14/ns/net");
	plant(15, 105, 1500);
	tree_put("/proc/15/net/dev", "\xff garbage");
	netdev_shared_load(&shared, tree_dir);
	for (size_t i = 0; i < COUNT_OF(ns_cases); i++) {
		const struct ns_case *c = &ns_cases[i];
		struct reading r = { .has = 0 };

		print_message("# %s\n", c->name);
		set_ns(&last, c->last);
		set_ns(&want, c->want_last);
		netdev_member_init(&member);
		netdev_read(&shared, tree_dir, c->pids, c->n, &member, &none, &last, &r);
		assert_int_equal(r.has, c->want ? READING_NETWORK : 0);
		assert_int_equal(r.network_in, c->want);
		assert_int_equal(r.network_out, 2 * c->want);
		assert_string_equal(last.text, want.text);
	}
	tree_free();
	assert_int_equal(tree_descriptors(), before);
}

static void test_unknown_shared(void **state)
{
	struct kept_budget none = { .max = 0 };
	struct netdev_shared shared;
	struct netdev_member member;
	struct netdev_ns last = { "" };
	struct reading r = { .has = 0 };
	int32_t pid = 10;

	(void)state;
	netdev_member_init(&member);
	tree_new();
	plant(10, 100, 1000);
	print_message("# neither the host's nor ours is known: nothing is taken for its own\n");
	netdev_shared_load(&shared, tree_dir);
	netdev_read(&shared, tree_dir, &pid, 1, &member, &none, &last, &r);
	assert_int_equal(r.has, 0);
	print_message("# in a container ours is not the host's: nor is anything then\n");
	tree_link("/proc/self/ns/net", "net:[2]");
	netdev_shared_load(&shared, tree_dir);
	netdev_read(&shared, tree_dir, &pid, 1, &member, &none, &last, &r);
	assert_int_equal(r.has, 0);
	print_message("# outside of one it is\n");
	shared.in_container = false;
	netdev_read(&shared, tree_dir, &pid, 1, &member, &none, &last, &r);
	assert_int_equal(r.has, READING_NETWORK);
	tree_free();
}

/* Another user's process: that is counted, once a reading. */
static void test_unreadable(void **state)
{
	struct kept_budget none = { .max = 0 };
	struct netdev_shared shared;
	struct netdev_member member;
	struct netdev_ns last = { "" };
	struct reading r = { .has = 0 };
	int32_t pids[] = { 10, 11 }, readable = 12;
	uint64_t unreadable = 0;

	(void)state;
	netdev_member_init(&member);
	tree_new();
	tree_mkdir("/proc/10");
	tree_mkdir("/proc/11");
	plant(12, 100, 1000);
	tree_link("/proc/1/ns/net", "net:[1]");
	netdev_shared_load(&shared, tree_dir);
	shared.unreadable = &unreadable;
	netdev_read(&shared, tree_dir, pids, 2, &member, &none, &last, &r);
	assert_int_equal(r.has, 0);
	assert_int_equal(unreadable, 1);
	netdev_read(&shared, tree_dir, &readable, 1, &member, &none, &last, &r);
	assert_int_equal(r.has, READING_NETWORK);
	assert_int_equal(unreadable, 1);
	tree_free();
}

/* 20 to 23 have namespaces of their own, 24 has the host's. */
struct member_case {
	const char *name;
	int32_t pids[3];
	size_t n;
	size_t room;		/* in the budget */
	void (*change)(void);	/* after the members were listed */
	bool again;		/* may be asked without a list */
	uint64_t want;		/* what it says then; 0 = absent */
};

static void nothing_changes(void)
{
}

static void more_traffic(void)
{
	plant(20, 200, 7000);
}

static void another_namespace(void)
{
	plant(20, 299, 7000);
}

static void hosts_namespace(void)
{
	plant(20, 1, 7000);
}

static void own_namespace(void)
{
	plant(24, 298, 7000);
}

static void it_ends(void)
{
	tree_remove("/proc/20");
}

static void number_of_another(void)
{
	it_ends();
	plant(20, 200, 7000);
}

static void garbage(void)
{
	tree_put("/proc/20/net/dev", "\xff garbage");
}

static const struct member_case member_cases[] = {
	{ "nothing changes", { 20 }, 1, 1, nothing_changes, true, 2000 },
	{ "counters do", { 20 }, 1, 1, more_traffic, true, 7000 },
	{ "the one that has its own", { 24, 20, 24 }, 3, 1, more_traffic, true, 7000 },
	{ "another namespace", { 20 }, 1, 1, another_namespace, false, 0 },
	{ "the host's now", { 20 }, 1, 1, hosts_namespace, false, 0 },
	{ "it ends", { 20, 21 }, 2, 1, it_ends, false, 0 },
	{ "its number is another's by then", { 20 }, 1, 1, number_of_another, false, 0 },
	{ "cannot be read", { 20 }, 1, 1, garbage, false, 0 },
	{ "the host's, and nothing changes", { 99, 24 }, 2, 1, nothing_changes, true, 0 },
	{ "was the host's", { 24 }, 1, 1, own_namespace, false, 0 },
	{ "no member", { 99 }, 1, 1, nothing_changes, false, 0 },
	{ "nothing may be kept", { 20 }, 1, 0, nothing_changes, false, 0 },
};

static void test_member(void **state)
{
	size_t before = tree_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(member_cases); i++) {
		const struct member_case *c = &member_cases[i];
		struct kept_budget b = { .max = c->room };
		struct reading first = { .has = 0 }, r = { .has = 0 };
		struct netdev_ns last = { "" };
		struct netdev_shared shared;
		struct netdev_member member;

		print_message("# %s\n", c->name);
		tree_new();
		tree_link("/proc/1/ns/net", "net:[1]");
		for (int pid = 20; pid < 24; pid++)
			plant(pid, 180 + pid, (uint64_t)pid * 100);
		plant(24, 1, 2400);
		netdev_shared_load(&shared, tree_dir);
		netdev_member_init(&member);
		assert_false(netdev_member_read(&shared, &member, &last, &r));
		netdev_read(&shared, tree_dir, c->pids, c->n, &member, &b, &last, &first);
		assert_true(b.open <= c->room);
		assert_int_equal(tree_descriptors(), before + b.open);
		c->change();
		assert_int_equal(netdev_member_read(&shared, &member, &last, &r), c->again);
		assert_int_equal(r.has, c->want ? READING_NETWORK : 0);
		assert_int_equal(r.network_in, c->want);
		print_message("# and whoever is listed then takes its place\n");
		netdev_read(&shared, tree_dir, &(int32_t){ 23 }, 1, &member, &b, &last, &first);
		r.has = 0;
		assert_int_equal(netdev_member_read(&shared, &member, &last, &r), c->room > 0);
		assert_int_equal(r.has, c->room > 0 ? READING_NETWORK : 0);
		netdev_member_release(&member, &b);
		assert_int_equal(b.open, 0);
		tree_free();
	}
	assert_int_equal(tree_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_unknown_shared),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
