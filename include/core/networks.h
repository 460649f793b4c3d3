/*
 * networks - which addresses may be connected to.
 *
 * URLs come from events, and names in them resolve to what somebody else says: so it is the address
 * that decides, right before it is connected to. Pure: no lookups, no allocation.
 */
#ifndef METER_NETWORKS_H
#define METER_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problem.h"

struct sockaddr;

/* This machine, and what is private by RFC 1918 and RFC 4193. */
#define NETWORKS_DEFAULT "127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
#define NETWORKS_MAX 64
#define NETWORKS_RULE \
	"networks such as 10.0.0.0/8 or fd00::/8 and addresses, up to 64, separated by commas"

struct network {
	bool is_v6;
	uint8_t bits;		/* of the prefix; all of the address: it names a host */
	uint8_t address[16];	/* of v4 the first four; what is behind the prefix is 0 */
};

struct networks {
	struct network list[NETWORKS_MAX];
	size_t n;
};

/*
 * A list without blanks. > 0 with a sentence: what is no address or network, has bits set behind
 * its prefix or a scope id, and v6 networks of which not the v6 address decides (see below): the
 * v4 network is to be named instead.
 */
int networks_parse(struct networks *out, const char *list, struct problem *p);

/*
 * May this address be connected to? Its port and scope id do not matter.
 *
 * A v6 address that is only a way to a v4 one stands for that: v4-mapped, v4-compatible,
 * v4-translated, 6to4, and NAT64 at 64:ff9b::/96. In 64:ff9b:1::/48, which is for everyone's own
 * NAT64, nobody can tell where the v4 address stands: refused, unless named as a host. So are the
 * addresses at which clouds give their machines credentials, and 0.0.0.0 and ::, which reach this
 * machine by another name. Address families other than v4 and v6 are refused, and NULL is.
 */
bool networks_allow(const struct networks *n, const struct sockaddr *address);

#endif
