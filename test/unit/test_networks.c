/* Which addresses may be connected to: every border, and every way to wrap one in another. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/un.h>

#include "networks.h"

/* --- the list --- */

static const struct list_case {
	const char *list;
	size_t n;		/* 0: refused */
	const char *says;
} list_cases[] = {
	{ NETWORKS_DEFAULT, 6, NULL },
	{ "192.0.2.1", 1, NULL },
	{ "192.0.2.1/32", 1, NULL },
	{ "2001:db8::1", 1, NULL },
	{ "2001:DB8::1/128", 1, NULL },
	{ "0.0.0.0/0,::/0", 2, NULL },
	{ "0.0.0.0,::", 2, NULL },
	{ "128.0.0.0/1,8000::/1", 2, NULL },
	{ "192.0.2.128/25,2001:db8::8000/113", 2, NULL },
	{ "2001:db8:ffff:ffff:ffff:ffff:255.255.255.255/128", 1, NULL },
	{ "64:ff9b:1::1", 1, NULL },
	{ "64:ff9b::/47", 1, NULL },
	{ "2000::/3", 1, NULL },
	{ "::/95", 1, NULL },
	{ "192.0.2.1,192.0.2.1", 2, NULL },

	{ "", 0, "is missing" },
	{ ",", 0, "is missing" },
	{ "192.0.2.1,", 0, "is missing" },
	{ ",192.0.2.1", 0, "is missing" },
	{ "192.0.2.1,,192.0.2.2", 0, "is missing" },
	{ "localhost", 0, "'localhost' is not an IP address" },
	{ "192.0.2.1, 192.0.2.2", 0, "' 192.0.2.2' is not an IP address" },
	{ "192.0.2", 0, "'192.0.2' is not an IP address" },
	{ "192.0.2.256", 0, "is not an IP address" },
	{ "192.0.2.01", 0, "is not an IP address" },
	{ "0x7f.0.0.1", 0, "is not an IP address" },
	{ "2130706433", 0, "is not an IP address" },
	{ "[::1]", 0, "is not an IP address" },
	{ "::1::", 0, "is not an IP address" },
	{ "192.0.2.1:80", 0, "is not an IP address" },
	{ "/8", 0, "'' is not an IP address" },
	{ "10.0.0.0/", 0, "the prefix of '10.0.0.0' must be 0 to 32, and not ''" },
	{ "10.0.0.0/33", 0, "must be 0 to 32, and not '33'" },
	{ "fd00::/129", 0, "the prefix of 'fd00::' must be 0 to 128, and not '129'" },
	{ "10.0.0.0/-8", 0, "not '-8'" },
	{ "10.0.0.0/+8", 0, "not '+8'" },
	{ "10.0.0.0/08", 0, "not '08'" },
	{ "10.0.0.0/8 ", 0, "not '8 '" },
	{ "10.0.0.0/8/8", 0, "not '8/8'" },
	{ "10.0.0.0/4294967304", 0, "not '4294967304'" },
	{ "10.0.0.0/255.0.0.0", 0, "not '255.0.0.0'" },
	{ "10.0.0.1/8", 0, "'10.0.0.1/8' has bits set behind the first 8" },
	{ "0.0.0.1/0", 0, "'0.0.0.1/0' has bits set behind the first 0" },
	{ "192.0.2.1/31", 0, "has bits set behind the first 31" },
	{ "fd00::1/127", 0, "has bits set behind the first 127" },
	{ "fe00::/6", 0, "has bits set behind the first 6" },
	{ "fe80::1%eth0", 0, "'fe80::1%eth0' has a scope id" },
	{ "fe80::%1/10", 0, "has a scope id" },
	{ "::ffff:10.0.0.1", 0,
	  "'::ffff:10.0.0.1' is v4-mapped, where the IPv4 address inside decides" },
	{ "::ffff:0:0/96", 0, "is v4-mapped" },
	{ "::10.0.0.1", 0, "is v4-compatible" },
	{ "::ffff:0:10.0.0.1", 0, "is v4-translated" },
	{ "::/96", 0, "is v4-compatible" },
	{ "2002::/16", 0, "is 6to4" },
	{ "2002:a00:1::1", 0, "is 6to4" },
	{ "64:ff9b::/96", 0, "is NAT64" },
	{ "64:ff9b::10.0.0.1", 0, "is NAT64" },
	{ "64:ff9b:1::/48", 0, "name single addresses" },
	{ "64:ff9b:1::/127", 0, "name single addresses" },
	{ "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001/128", 0, "is too long" },
	{ "10.0.0.0/8,\nx", 0, "'?x' is not an IP address" },
};

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
		const struct list_case *c = &list_cases[i];
		struct networks n = { .n = 99 };
		struct problem p = { 0 };

		printf("# \"%s\"\n", c->list[0] && !strchr(c->list, '\n') ? c->list : "");
		assert_int_equal(networks_parse(&n, c->list, &p), c->n ? 0 : PROBLEM_MALFORMED);
		assert_int_equal(n.n, c->n ? c->n : 99);	/* as it was */
		if (c->says && !strstr(p.text, c->says))
			fail_msg("\"%s\" does not say \"%s\"", p.text, c->says);
	}
}

static void test_too_many(void **state)
{
	char list[16 * (NETWORKS_MAX + 1)] = "";
	struct networks n;
	struct problem p;

	(void)state;
	for (int i = 0; i < NETWORKS_MAX; i++)
		sprintf(list + strlen(list), "%s10.0.0.%d", i ? "," : "", i);
	assert_int_equal(networks_parse(&n, list, &p), 0);
	assert_int_equal(n.n, NETWORKS_MAX);
	strcat(list, ",10.1.0.0");
	assert_int_equal(networks_parse(&n, list, &p), PROBLEM_MALFORMED);
	assert_string_equal(p.text, "there are more than 64 networks");
}

/* --- addresses --- */

/* With a port and, of v6, a scope id: neither matters. At an odd address in memory. */
static bool allowed(const char *list, const char *address)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(80),
				   .sin6_scope_id = 7 };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(80) };
	char memory[1 + sizeof v6];
	struct networks n;
	struct problem p;

	assert_int_equal(networks_parse(&n, list, &p), 0);
	if (strchr(address, ':')) {
		assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
		memcpy(memory + 1, &v6, sizeof v6);
	} else {
		assert_int_equal(inet_pton(AF_INET, address, &v4.sin_addr), 1);
		memcpy(memory + 1, &v4, sizeof v4);
	}
	return networks_allow(&n, (const struct sockaddr *)(const void *)(memory + 1));
}

/* First and last of each network, and their neighbours outside. */
static const struct border_case {
	const char *list;
	const char *before, *first, *last, *behind;	/* NULL: there is none */
} border_cases[] = {
	{ NETWORKS_DEFAULT, "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0" },
	{ NETWORKS_DEFAULT, "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0" },
	{ NETWORKS_DEFAULT, "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0" },
	{ NETWORKS_DEFAULT, "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0" },
	{ NETWORKS_DEFAULT, NULL, "::1", "::1", "::2" },
	{ NETWORKS_DEFAULT, "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::",
	  "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::" },
	{ "192.0.2.7", "192.0.2.6", "192.0.2.7", "192.0.2.7", "192.0.2.8" },
	{ "192.0.2.6/31", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8" },
	{ "192.0.2.128/25", "192.0.2.127", "192.0.2.128", "192.0.2.255", "192.0.3.0" },
	{ "192.0.2.0/23", "192.0.1.255", "192.0.2.0", "192.0.3.255", "192.0.4.0" },
	{ "128.0.0.0/1", "127.255.255.255", "128.0.0.0", "255.255.255.255", NULL },
	{ "2001:db8::8000/113", "2001:db8::7fff", "2001:db8::8000", "2001:db8::ffff",
	  "2001:db8::1:0" },
	{ "2001:db8::2/127", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4" },
	{ "2001:db8::2", "2001:db8::1", "2001:db8::2", "2001:db8::2", "2001:db8::3" },
	{ "8000::/1", "7fff::", "8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
	{ "198.51.100.0/24,2001:db8::/32,203.0.113.0/24", "203.0.112.255", "203.0.113.0",
	  "203.0.113.255", "203.0.114.0" },
};

static void test_borders(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(border_cases); i++) {
		const struct border_case *c = &border_cases[i];

		printf("# %s to %s\n", c->first, c->last);
		assert_true(!c->before || !allowed(c->list, c->before));
		assert_true(allowed(c->list, c->first));
		assert_true(allowed(c->list, c->last));
		assert_true(!c->behind || !allowed(c->list, c->behind));
	}
}

#define ALL "0.0.0.0/0,::/0"

static const struct address_case {
	const char *list;
	const char *address;
	bool want;
} address_cases[] = {
	/* Families keep apart. */
	{ "0.0.0.0/0", "8.8.8.8", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "8.8.8.8", false },
	{ "0.0.0.0/0", "::1", false },
	{ NETWORKS_DEFAULT, "8.8.8.8", false },
	{ NETWORKS_DEFAULT, "fe80::1", false },
	{ NETWORKS_DEFAULT, "100.64.0.1", false },
	{ NETWORKS_DEFAULT, "169.254.1.1", false },
	{ "fe80::/10", "fe80::1", true },

	/* The v4 address inside decides, whatever way it is wrapped. */
	{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
	{ "10.0.0.0/8", "::ffff:11.1.2.3", false },
	{ "10.0.0.0/8", "::10.1.2.3", true },
	{ "10.0.0.0/8", "::11.1.2.3", false },
	{ "10.0.0.0/8", "2002:0a01:0203::1", true },
	{ "10.0.0.0/8", "2002:0a01:0203:ffff:ffff:ffff:ffff:ffff", true },
	{ "10.0.0.0/8", "2002:0b01:0203::1", false },
	{ "10.0.0.0/8", "::ffff:0:10.1.2.3", true },
	{ "10.0.0.0/8", "::ffff:0:11.1.2.3", false },
	{ "::/0", "::ffff:0:10.1.2.3", false },
	{ "10.0.0.0/8", "64:ff9b::10.1.2.3", true },
	{ "10.0.0.0/8", "64:ff9b::11.1.2.3", false },
	{ "::/0", "::ffff:10.1.2.3", false },
	{ "::/0", "::10.1.2.3", false },
	{ "::/0", "2002:0a01:0203::1", false },
	{ "2000::/3", "2002:0a01:0203::1", false },
	{ "::/0", "64:ff9b::10.1.2.3", false },
	{ NETWORKS_DEFAULT, "::ffff:127.0.0.1", true },
	{ NETWORKS_DEFAULT, "::ffff:8.8.8.8", false },
	{ NETWORKS_DEFAULT, "64:ff9b::8.8.8.8", false },

	/* Right beside those forms nothing is wrapped. */
	{ "10.0.0.0/8", "::fffe:10.1.2.3", false },
	{ "10.0.0.0/8", "::1:ffff:10.1.2.3", false },
	{ "10.0.0.0/8", "2003:0a01:0203::1", false },
	{ "10.0.0.0/8", "64:ff9b:0:0:0:1:10.1.2.3", false },
	{ "10.0.0.0/8", "64:ff9c::10.1.2.3", false },
	{ "::/0", "::fffe:10.1.2.3", true },
	{ "::/0", "::ffff:1:10.1.2.3", true },
	{ "::/0", "2001:ffff:0a01:0203::1", true },
	{ "::/0", "2003:0a01:0203::1", true },
	{ "::/0", "64:ff9b:2::10.1.2.3", true },

	/* NAT64 of one's own: by name only. */
	{ ALL, "64:ff9b:1::10.1.2.3", false },
	{ ALL, "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", false },
	{ "64:ff9b::/47", "64:ff9b:1::1", false },
	{ "64:ff9b:1::1", "64:ff9b:1::1", true },
	{ "64:ff9b:1::1", "64:ff9b:1::2", false },
	{ "64:ff9b:1::1,10.0.0.0/8", "64:ff9b:1::10.1.2.3", false },

	/* This machine by another name. */
	{ ALL, "0.0.0.0", false },
	{ ALL, "::", false },
	{ ALL, "::ffff:0.0.0.0", false },
	{ ALL, "2002::1", false },
	{ ALL, "64:ff9b::", false },
	{ "0.0.0.0", "0.0.0.0", true },
	{ "0.0.0.0", "::ffff:0.0.0.0", true },
	{ "0.0.0.0/32", "0.0.0.0", true },
	{ "0.0.0.0", "::", false },
	{ "::", "::", true },
	{ "::/128", "::", true },
	{ "::", "0.0.0.0", false },
	{ "0.0.0.0/31", "0.0.0.0", false },
	{ ALL, "0.0.0.1", true },
	{ ALL, "::1", true },

	/* Credentials of the machine. */
	{ ALL, "169.254.169.254", false },
	{ ALL, "::ffff:169.254.169.254", false },
	{ ALL, "::169.254.169.254", false },
	{ ALL, "::ffff:0:169.254.169.254", false },
	{ ALL, "2002:a9fe:a9fe::", false },
	{ ALL, "64:ff9b::169.254.169.254", false },
	{ "169.254.0.0/16", "169.254.169.254", false },
	{ "169.254.169.254/31", "169.254.169.254", false },
	{ "169.254.169.254", "169.254.169.254", true },
	{ "169.254.169.254/32", "169.254.169.254", true },
	{ "169.254.169.254", "::ffff:169.254.169.254", true },
	{ ALL, "169.254.169.253", true },
	{ ALL, "169.254.169.255", true },
	{ ALL, "169.254.170.2", false },
	{ ALL, "169.254.170.23", false },
	{ ALL, "100.100.100.200", false },
	{ "100.100.100.200", "100.100.100.200", true },
	{ ALL, "168.63.129.16", false },
	{ "168.63.129.16", "168.63.129.16", true },
	{ ALL, "192.0.0.192", false },
	{ NETWORKS_DEFAULT, "fd00:ec2::254", false },
	{ NETWORKS_DEFAULT, "fd00:ec2::255", true },
	{ NETWORKS_DEFAULT, "fd00:ec2::23", false },
	{ NETWORKS_DEFAULT ",fd00:ec2::254", "fd00:ec2::254", true },
	{ NETWORKS_DEFAULT, "fd20:ce::254", false },
	{ NETWORKS_DEFAULT, "fd20:ce::253", true },
	{ "fd20:ce::254/128", "fd20:ce::254", true },
	{ ALL, "fe80::a9fe:a9fe", false },
	/* The name of one is not that of another. */
	{ ALL ",100.100.100.200", "169.254.169.254", false },
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(address_cases); i++) {
		const struct address_case *c = &address_cases[i];

		printf("# %s in %s\n", c->address, c->list);
		assert_int_equal(allowed(c->list, c->address), c->want);
	}
}

static void test_other_families(void **state)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/docker.sock" };
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	struct networks n;
	struct problem p;

	(void)state;
	assert_int_equal(networks_parse(&n, ALL, &p), 0);
	assert_false(networks_allow(&n, NULL));
	assert_false(networks_allow(&n, (const struct sockaddr *)&local));
	assert_false(networks_allow(&n, (const struct sockaddr *)&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
