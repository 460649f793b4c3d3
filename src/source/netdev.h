/*
 * netdev - bytes in and out of the network namespace of a process.
 *
 * They are an instance's own only when the namespace is: in the host's, or in ours, everybody's
 * traffic would be counted for each instance.
 */
#ifndef METER_SOURCE_NETDEV_H
#define METER_SOURCE_NETDEV_H

#include <stddef.h>
#include <stdint.h>

#include "reading.h"

/* "net:[4026531840]", as the link in /proc reads; "" = not known */
struct netdev_ns {
	char text[40];
};

/* The namespaces that are no instance's own. Read once: neither ever changes. */
struct netdev_shared {
	struct netdev_ns host;
	struct netdev_ns own;
};

void netdev_shared_load(struct netdev_shared *shared, const char *host_root);

/*
 * Sets the network counters in *out, from the first of these processes that is in a namespace of
 * its own, preferably in *last, which is where they came from the last time. When they come from
 * another one now, they are left out once, for they must not be compared.
 */
void netdev_read(const struct netdev_shared *shared, const char *host_root, const int32_t *pids,
		 size_t n, struct netdev_ns *last, struct reading *out);

/* The same of one process, whose directory in /proc this is. */
void netdev_read_at(const struct netdev_shared *shared, int dir, struct netdev_ns *last,
		    struct reading *out);

struct procfs_pieces;
/* The text of net/dev: sums over all interfaces but lo. -errno; -EBADMSG: not such a text. */
int netdev_sum(struct procfs_pieces *text, uint64_t *in, uint64_t *out);

#endif
