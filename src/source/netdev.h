/*
 * netdev - bytes in and out of the network namespace of a process.
 *
 * They are an instance's own only when the namespace is: in the host's, or in ours, everybody's
 * traffic would be counted for each instance.
 */
#ifndef METER_SOURCE_NETDEV_H
#define METER_SOURCE_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kept_file.h"
#include "netaddr.h"
#include "reading.h"

/* "net:[4026531840]", as the link in /proc reads; "" = not known */
struct netdev_ns {
	char text[40];
};

struct source_observer;

/* The namespaces that are no instance's own. Read once: neither ever changes. */
struct netdev_shared {
	struct netdev_ns host;
	struct netdev_ns own;
	bool in_container;	/* with a host root: our own namespace is not the host's */
	const struct source_observer *observer;	/* or NULL */
	uint64_t *unreadable;	/* counter of readings for which none could be read; or NULL */
};

/* observer and unreadable are NULL then. */
void netdev_shared_load(struct netdev_shared *shared, const char *host_root);

/*
 * Sets the network counters in *out when the process whose directory in /proc this is has a
 * namespace of its own. *last is where they came from the last time: when they come from another
 * one now, they are left out once, for they must not be compared.
 */
void netdev_read_at(const struct netdev_shared *shared, int dir, struct netdev_ns *last,
		    struct reading *out);

/*
 * The process that was asked the last time. Its directory in /proc is kept: that pins its entry in
 * the kernel's table of ids, but neither the process nor a namespace, and never becomes another's.
 */
struct netdev_member {
	struct kept_file dir;
	struct netdev_ns ns;	/* where it was: its own, or one that is no instance's */
};

void netdev_member_init(struct netdev_member *m);
void netdev_member_release(struct netdev_member *m, struct kept_budget *b);

/*
 * The same, from that process alone. false: it has ended, is in another namespace now, or cannot be
 * read; then *out is as it was.
 */
bool netdev_member_read(const struct netdev_shared *shared, const struct netdev_member *m,
			struct netdev_ns *last, struct reading *out);

/*
 * The same, from the first of these processes that is in a namespace of its own, preferably in
 * *last; *member becomes the one that was chosen. When all share the host's it is one of them.
 */
void netdev_read(const struct netdev_shared *shared, const char *host_root, const int32_t *pids,
		 size_t n, struct netdev_member *member, struct kept_budget *budget,
		 struct netdev_ns *last, struct reading *out);

/*
 * The address at which the process whose directory in /proc this is is reached, see netaddr.h.
 * -EADDRNOTAVAIL also where its namespace is not its own.
 */
int netdev_address(const struct netdev_shared *shared, int dir, char out[NETADDR_MAX]);

struct procfs_pieces;
/* The text of net/dev: sums over all interfaces but lo. -errno; -EBADMSG: not such a text. */
int netdev_sum(struct procfs_pieces *text, uint64_t *in, uint64_t *out);

#endif
