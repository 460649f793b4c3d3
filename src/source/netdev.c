#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netdev.h"
#include "observe.h"
#include "procfs.h"

/* About 8,000 interfaces. */
#define NET_DEV_MAX ((size_t)1 << 20)
/* What is sent stands behind the eight columns of what is received. */
#define COLUMN_SENT 8

static void ns_load(struct netdev_ns *ns, int dir)
{
	ssize_t n = readlinkat(dir, "ns/net", ns->text, sizeof ns->text);

	if (n < 0 || (size_t)n >= sizeof ns->text)
		n = 0;
	ns->text[n] = '\0';
}

static bool ns_same(const struct netdev_ns *a, const struct netdev_ns *b)
{
	return strcmp(a->text, b->text) == 0;
}

static void shared_load(struct netdev_ns *ns, const char *host_root, const char *who)
{
	char path[PROCFS_PATH_MAX];
	int dir, n;

	ns->text[0] = '\0';
	n = snprintf(path, sizeof path, "%s/proc/%s", host_root, who);
	if (n < 0 || (size_t)n >= sizeof path)
		return;
	dir = procfs_open_dir(AT_FDCWD, path);
	if (dir < 0)
		return;
	ns_load(ns, dir);
	close(dir);
}

void netdev_shared_load(struct netdev_shared *shared, const char *host_root)
{
	*shared = (struct netdev_shared){ .in_container = host_root[0] != '\0' };
	shared_load(&shared->host, host_root, "1");
	shared_load(&shared->own, host_root, "self");
}

/*
 * Not knowing the host's, no namespace can be told to be an instance's own; but outside of a
 * container the host's is ours.
 */
static bool ns_is_own(const struct netdev_shared *shared, const struct netdev_ns *ns)
{
	if (shared->host.text[0] == '\0' &&
	    (shared->in_container || shared->own.text[0] == '\0'))
		return false;
	return ns->text[0] != '\0' && !ns_same(ns, &shared->host) && !ns_same(ns, &shared->own);
}

static const char *ns_whose(const struct netdev_shared *shared, const struct netdev_ns *ns)
{
	if (ns->text[0] == '\0')
		return "cannot be read: another user's process needs CAP_SYS_PTRACE";
	if (ns_same(ns, &shared->host))
		return ", the host's: left out";
	if (ns_same(ns, &shared->own))
		return ", our own: left out";
	if (!ns_is_own(shared, ns))
		return ", maybe the host's, which cannot be read: left out";
	return ", its own";
}

/* "  eth0: 1 2 3 4 5 6 7 8 9 ..." */
static int add_line(const char *line, uint64_t *in, uint64_t *out)
{
	const char *colon = strchr(line, ':');
	uint64_t value = 0;

	if (!colon)	/* the two lines of headings have bars */
		return strchr(line, '|') ? 0 : -EBADMSG;
	line += strspn(line, " \t");
	if (colon - line == 2 && strncmp(line, "lo", 2) == 0)
		return 0;
	line = colon + 1;
	for (int column = 0; column <= COLUMN_SENT; column++) {
		line += strspn(line, " \t");
		if (!procfs_number(&line, &value))
			return -EBADMSG;
		if (*line != ' ' && *line != '\t' && *line != '\0')
			return -EBADMSG;
		if (column == 0 && __builtin_add_overflow(*in, value, in))
			return -EBADMSG;
	}
	return __builtin_add_overflow(*out, value, out) ? -EBADMSG : 0;
}

int netdev_sum(struct procfs_pieces *text, uint64_t *in, uint64_t *out)
{
	uint64_t sum_in = 0, sum_out = 0;
	bool any = false;
	char *line;
	int r;

	while ((line = procfs_pieces_next(text, '\n'))) {
		r = add_line(line, &sum_in, &sum_out);
		if (r < 0)
			return r;
		any = true;
	}
	if (text->error)
		return text->error;
	if (!any || text->cut)
		return -EBADMSG;
	*in = sum_in;
	*out = sum_out;
	return 0;
}

/*
 * Opened for each reading, and not kept: an open net/dev holds its network namespace alive. Of a
 * container that has ended, its interfaces and their peers on the host would stay until our next
 * reading. And after a setns() of the process it would go on telling of the namespace left behind.
 */
static int read_counters(int dir, struct reading *out)
{
	struct procfs_pieces text;
	int r;

	r = procfs_pieces_open(&text, dir, "net/dev", NET_DEV_MAX);
	if (r < 0)
		return r;
	r = netdev_sum(&text, &out->network_in, &out->network_out);
	procfs_pieces_close(&text);
	return r;
}

static int read_observed(const struct source_observer *o, int dir, struct reading *out)
{
	int r = read_counters(dir, out);

	if (r < 0)
		observe_at(o, dir, "net/dev", "cannot be read: %s", strerror(-r));
	else
		observe_at(o, dir, "net/dev", "%" PRIu64 " bytes in, %" PRIu64 " bytes out, "
			   "all but lo", out->network_in, out->network_out);
	return r;
}

/* The best so far. */
struct choice {
	struct netdev_ns ns;	/* "" = none */
	bool unreadable;	/* the namespace of one of them */
	struct reading counters;
};

/* One candidate in hand is good enough, unless this is where it was last time. true: chosen */
static bool consider(struct choice *c, const struct netdev_shared *shared, int dir,
		     const struct netdev_ns *ns, const struct netdev_ns *last)
{
	observe_at(shared->observer, dir, "ns/net", "%s%s", ns->text, ns_whose(shared, ns));
	c->unreadable = c->unreadable || ns->text[0] == '\0';
	if (!ns_is_own(shared, ns) || (c->ns.text[0] != '\0' && !ns_same(ns, last)) ||
	    read_observed(shared->observer, dir, &c->counters) < 0)
		return false;
	c->ns = *ns;
	return true;
}

static void take(const struct netdev_shared *shared, const struct choice *c,
		 struct netdev_ns *last, struct reading *out)
{
	if (c->ns.text[0] == '\0' && c->unreadable && shared->unreadable)
		++*shared->unreadable;
	if (c->ns.text[0] == '\0')
		return;
	if (last->text[0] == '\0' || ns_same(&c->ns, last)) {
		out->network_in = c->counters.network_in;
		out->network_out = c->counters.network_out;
		out->has |= READING_NETWORK;
	}
	*last = c->ns;
}

void netdev_read_at(const struct netdev_shared *shared, int dir, struct netdev_ns *last,
		    struct reading *out)
{
	struct choice c = { .ns = { "" } };
	struct netdev_ns ns;

	ns_load(&ns, dir);
	consider(&c, shared, dir, &ns, last);
	take(shared, &c, last, out);
}

/* --- of one of several --- */

void netdev_member_init(struct netdev_member *m)
{
	static const struct kept_file closed = KEPT_FILE_INIT;

	*m = (struct netdev_member){ closed, { "" } };
}

void netdev_member_release(struct netdev_member *m, struct kept_budget *b)
{
	kept_file_release(&m->dir, b);
}

bool netdev_member_read(const struct netdev_shared *shared, const struct netdev_member *m,
			struct netdev_ns *last, struct reading *out)
{
	struct choice c = { .ns = { "" } };
	struct netdev_ns ns;

	if (!kept_file_is_open(&m->dir))
		return false;
	ns_load(&ns, m->dir.fd);
	if (!ns_same(&ns, &m->ns))
		return false;
	if (!consider(&c, shared, m->dir.fd, &ns, last))
		return !ns_is_own(shared, &ns);
	take(shared, &c, last, out);
	return true;
}

/* Keeps this directory instead of the one before. */
static void remember(struct netdev_member *m, struct kept_budget *b, int dir,
		     const struct netdev_ns *ns)
{
	netdev_member_release(m, b);
	kept_dir_adopt(&m->dir, b, dir);
	m->ns = *ns;
}

void netdev_read(const struct netdev_shared *shared, const char *host_root, const int32_t *pids,
		 size_t n, struct netdev_member *member, struct kept_budget *budget,
		 struct netdev_ns *last, struct reading *out)
{
	struct choice c = { .ns = { "" } };
	struct netdev_ns ns, whose = { "" };
	int dir, best = -1, old;

	for (size_t i = 0; i < n; i++) {
		dir = procfs_open_pid(host_root, pids[i]);
		if (dir < 0)
			continue;
		ns_load(&ns, dir);
		old = dir;
		/* Of those that share the host's, any will do, until one has its own. */
		if (consider(&c, shared, dir, &ns, last) ||
		    (best < 0 && ns.text[0] != '\0' && !ns_is_own(shared, &ns))) {
			old = best;
			best = dir;
			whose = ns;
		}
		if (old >= 0)
			close(old);
		if (c.ns.text[0] != '\0' && (ns_same(&c.ns, last) || last->text[0] == '\0'))
			break;
	}
	if (best >= 0)
		remember(member, budget, best, &whose);
	else
		netdev_member_release(member, budget);
	take(shared, &c, last, out);
}

int netdev_address(const struct netdev_shared *shared, int dir, char out[NETADDR_MAX])
{
	struct netdev_ns ns;

	ns_load(&ns, dir);
	return ns_is_own(shared, &ns) ? netaddr_find(dir, out) : -EADDRNOTAVAIL;
}
