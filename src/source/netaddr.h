/*
 * netaddr - at which address the network namespace of a process is reached.
 *
 * Whether that namespace is the instance's own, and not the host's, the caller has decided already
 * (see netdev.h). What stands in the files comes from whoever rules in that namespace: it is an
 * address to ask for, and not one that may be connected to (see networks.h).
 */
#ifndef METER_SOURCE_NETADDR_H
#define METER_SOURCE_NETADDR_H

#define NETADDR_MAX 46	/* with its NUL: INET6_ADDRSTRLEN */

/*
 * dir is the process's directory in /proc. The first v4 address that net/fib_trie calls local, but
 * for 127.0.0.0/8 and 169.254.0.0/16, which are reached from within only; else the first v6 address
 * of global scope in net/if_inet6 that is in use. The kernel lists the former in the order of their
 * bits.
 *
 * 0; -EADDRNOTAVAIL: it has none; -EBADMSG: not such a text; -EFBIG: none among the first 256 KiB
 * (thousands of routes); else -errno of the read: procfs_is_gone() tells whether the process is.
 * A few file reads, to be done when something is bound and not each time; out is written on 0 only.
 */
int netaddr_find(int dir, char out[NETADDR_MAX]);

#endif
