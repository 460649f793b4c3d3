#include "networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define V4_BITS 32
#define V6_BITS 128
/* "255.255.255.255/32" and more; with the longest address and its prefix. */
#define ENTRY_MAX (INET6_ADDRSTRLEN + 4)

/* v6 addresses that are a way to a v4 one: where in them it stands. */
static const struct wrapping {
	uint8_t prefix[16];
	uint8_t bits;
	uint8_t at;
	const char *name;
} wrappings[] = {
	{ { [10] = 0xff, 0xff }, 96, 12, "v4-mapped" },
	{ { [8] = 0xff, 0xff }, 96, 12, "v4-translated" },	/* RFC 2765 */
	{ { 0x20, 0x02 }, 16, 2, "6to4" },
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12, "NAT64" },
	{ { 0 }, 96, 12, "v4-compatible" },	/* but for :: and ::1 */
};

/* RFC 8215. The prefix of each NAT64 in there may be of another length. */
static const struct network own_nat64 = {
	.is_v6 = true, .bits = 48, .address = { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 },
};

#define V4(a, b, c, d) { .bits = V4_BITS, .address = { a, b, c, d } }
#define V6(...) { .is_v6 = true, .bits = V6_BITS, .address = { __VA_ARGS__ } }

/* No network allows these: who connects is given credentials of the machine, or is this machine. */
static const struct network only_by_name[] = {
	V4(0, 0, 0, 0),
	V6(0),
	V4(169, 254, 169, 254),			/* most clouds */
	V4(169, 254, 170, 2),			/* tasks in Amazon ECS */
	V4(169, 254, 170, 23),			/* pods in Amazon EKS */
	V4(100, 100, 100, 200),			/* Alibaba */
	V4(168, 63, 129, 16),			/* Azure */
	V4(192, 0, 0, 192),			/* Oracle */
	V6(0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54),			/* Amazon */
	V6(0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23),			/* pods in Amazon EKS */
	V6(0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54),			/* Google */
	V6(0xfe, 0x80, [12] = 0xa9, 0xfe, 0xa9, 0xfe),			/* OpenStack */
};

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

/* Does the network hold all of the other, which may be a host? */
static bool covers(const struct network *n, const struct network *other)
{
	return n->is_v6 == other->is_v6 && n->bits <= other->bits &&
	       same_prefix(n->address, other->address, n->bits);
}

static bool is_host(const struct network *n)
{
	return n->bits == (n->is_v6 ? V6_BITS : V4_BITS);
}

/* How all of this network is wrapped; NULL: it is not, at least not all of it. */
static const struct wrapping *wrapping_of(const struct network *n)
{
	static const uint8_t zero[15];

	if (!n->is_v6)
		return NULL;
	/* :: and ::1 are addresses of their own right. */
	if (is_host(n) && memcmp(n->address, zero, sizeof zero) == 0 && n->address[15] <= 1)
		return NULL;
	for (size_t i = 0; i < sizeof wrappings / sizeof *wrappings; i++)
		if (n->bits >= wrappings[i].bits &&
		    same_prefix(n->address, wrappings[i].prefix, wrappings[i].bits))
			return &wrappings[i];
	return NULL;
}

static struct network unwrapped(const struct network *host)
{
	const struct wrapping *w = wrapping_of(host);
	struct network v4 = { .bits = V4_BITS };

	if (!w)
		return *host;
	memcpy(v4.address, host->address + w->at, 4);
	return v4;
}

static bool bits_behind_prefix(const struct network *n)
{
	for (unsigned bit = n->bits; bit < (n->is_v6 ? V6_BITS : V4_BITS); bit++)
		if (n->address[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

/* "8"; without a sign, blanks, and zeros before it. */
static bool parse_bits(const char *s, unsigned max, uint8_t *out)
{
	unsigned v = 0;

	if (*s == '\0' || strlen(s) > 3 || (s[0] == '0' && s[1] != '\0'))
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (unsigned)(*s - '0');
	}
	if (v > max)
		return false;
	*out = (uint8_t)v;
	return true;
}

/* Takes the entry apart at its slash. */
static int parse_entry(struct network *out, char *entry, struct problem *p)
{
	char *slash = strchr(entry, '/');
	unsigned max;

	if (slash)
		*slash = '\0';
	*out = (struct network){ .is_v6 = strchr(entry, ':') };
	max = out->is_v6 ? V6_BITS : V4_BITS;
	out->bits = (uint8_t)max;
	if (strchr(entry, '%'))
		return problem_set(p, PROBLEM_MALFORMED, "'%s' has a scope id, which is not looked "
				   "at: name the address without it", entry);
	if (inet_pton(out->is_v6 ? AF_INET6 : AF_INET, entry, out->address) != 1)
		return problem_set(p, PROBLEM_MALFORMED, "'%s' is not an IP address", entry);
	if (slash && !parse_bits(slash + 1, max, &out->bits))
		return problem_set(p, PROBLEM_MALFORMED, "the prefix of '%s' must be 0 to %u, and "
				   "not '%s'", entry, max, slash + 1);
	if (bits_behind_prefix(out))
		return problem_set(p, PROBLEM_MALFORMED, "'%s/%u' has bits set behind the first %u",
				   entry, out->bits, out->bits);
	return 0;
}

/* An entry that could never be asked for. */
static int check_reachable(const struct network *n, const char *entry, struct problem *p)
{
	const struct wrapping *w = wrapping_of(n);

	if (w)
		return problem_set(p, PROBLEM_MALFORMED, "'%s' is %s, where the IPv4 address "
				   "inside decides: name that", entry, w->name);
	if (!is_host(n) && covers(&own_nat64, n))
		return problem_set(p, PROBLEM_MALFORMED, "'%s' is in 64:ff9b:1::/48, where the "
				   "IPv4 address inside cannot be told: name single addresses",
				   entry);
	return 0;
}

int networks_parse(struct networks *out, const char *list, struct problem *p)
{
	struct networks parsed = { .n = 0 };
	char entry[ENTRY_MAX + 1];
	size_t len;
	int r;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (len == 0)
			return problem_set(p, PROBLEM_MALFORMED,
					   "a network or an address is missing");
		if (len > ENTRY_MAX)
			return problem_set(p, PROBLEM_MALFORMED,
					   "'%.*s...' is too long for a network", ENTRY_MAX, list);
		if (parsed.n == NETWORKS_MAX)
			return problem_set(p, PROBLEM_MALFORMED, "there are more than %d networks",
					   NETWORKS_MAX);
		memcpy(entry, list, len);
		entry[len] = '\0';
		r = parse_entry(&parsed.list[parsed.n], entry, p);
		if (r == 0)
			r = check_reachable(&parsed.list[parsed.n], entry, p);
		if (r != 0)
			return r;
		parsed.n++;
		if (list[len] == '\0')
			break;
	}
	*out = parsed;
	return 0;
}

/* false: neither v4 nor v6. The address may stand at any place in memory. */
static bool host_of(const struct sockaddr *address, struct network *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr any;

	*out = (struct network){ .bits = V4_BITS };
	memcpy(&any.sa_family, (const char *)address + offsetof(struct sockaddr, sa_family),
	       sizeof any.sa_family);
	if (any.sa_family == AF_INET) {
		memcpy(&v4, address, sizeof v4);
		memcpy(out->address, &v4.sin_addr, 4);
		return true;
	}
	if (any.sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof v6);
	out->is_v6 = true;
	out->bits = V6_BITS;
	memcpy(out->address, &v6.sin6_addr, 16);
	return true;
}

static bool needs_name(const struct network *host)
{
	for (size_t i = 0; i < sizeof only_by_name / sizeof *only_by_name; i++)
		if (covers(&only_by_name[i], host))
			return true;
	return covers(&own_nat64, host);
}

bool networks_allow(const struct networks *n, const struct sockaddr *address)
{
	struct network host;
	bool by_name;

	if (!address || !host_of(address, &host))
		return false;
	host = unwrapped(&host);
	by_name = needs_name(&host);
	for (size_t i = 0; i < n->n; i++)
		if (covers(&n->list[i], &host) && (!by_name || is_host(&n->list[i])))
			return true;
	return false;
}
