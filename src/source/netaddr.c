#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "netaddr.h"
#include "procfs.h"

_Static_assert(NETADDR_MAX == INET6_ADDRSTRLEN, "room for any address");

#define FILE_MAX ((size_t)256 << 10)

/* if_inet6: 32 digits of the address, then these, two digits each at least, and the name. */
enum { COLUMN_INTERFACE, COLUMN_PREFIX, COLUMN_SCOPE, COLUMN_FLAGS, COLUMNS };

#define SCOPE_GLOBAL 0x00
/* IFA_F_DADFAILED, IFA_F_TENTATIVE: somebody else has it, or nobody knows yet. */
#define FLAGS_UNUSABLE (0x08 | 0x40)

/* v4: 127.0.0.0/8 and 169.254.0.0/16 */
static bool is_inner(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strncmp(address, "169.254.", 8) == 0;
}

/*
 * A leaf is "|-- 192.0.2.2" and below it what is known of it: "/32 host LOCAL" is an address of
 * this namespace, whereas "/8 host LOCAL" is a network of which everything is taken in.
 */
static bool take_v4_line(const char *line, char address[INET_ADDRSTRLEN], bool *found)
{
	struct in_addr parsed;

	line += strspn(line, " ");
	if (strncmp(line, "|-- ", 4) == 0) {
		line += 4;
		if (inet_pton(AF_INET, line, &parsed) != 1)
			return false;
		strcpy(address, line);
		return true;
	}
	if (*line != '/')	/* "Main:", "+-- 0.0.0.0/0 3 0 5" */
		return true;
	*found = strcmp(line, "/32 host LOCAL") == 0 && *address && !is_inner(address);
	return true;
}

/* What a search that found nothing means. */
static int not_found(const struct procfs_pieces *text)
{
	if (text->error)
		return text->error;
	return text->cut ? -EFBIG : -EADDRNOTAVAIL;
}

static int find_v4(int dir, char out[NETADDR_MAX])
{
	char address[INET_ADDRSTRLEN] = "";
	struct procfs_pieces text;
	bool found = false, good = true;
	char *line;
	int r;

	r = procfs_pieces_open(&text, dir, "net/fib_trie", FILE_MAX);
	if (r < 0)
		return r;
	while (!found && good && (line = procfs_pieces_next(&text, '\n')))
		good = take_v4_line(line, address, &found);
	if (found)
		strcpy(out, address);
	else
		r = good ? not_found(&text) : -EBADMSG;
	procfs_pieces_close(&text);
	return r;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* " 02 40 00 80": numbers of two to eight digits. false: not so */
static bool read_columns(const char *s, unsigned columns[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++) {
		int digits = 0;

		s += strspn(s, " ");
		columns[i] = 0;
		for (; hex_digit(*s) >= 0 && digits < 8; digits++)
			columns[i] = columns[i] << 4 | (unsigned)hex_digit(*s++);
		if (digits < 2 || *s != ' ')
			return false;
	}
	return true;
}

static bool take_v6_line(const char *line, struct in6_addr *address, bool *found)
{
	unsigned columns[COLUMNS];

	for (int i = 0; i < 32; i++) {
		int digit = hex_digit(line[i]);	/* the NUL is none */

		if (digit < 0)
			return false;
		address->s6_addr[i / 2] = (uint8_t)(address->s6_addr[i / 2] << 4 | digit);
	}
	if (line[32] != ' ' || !read_columns(line + 32, columns))
		return false;
	*found = columns[COLUMN_SCOPE] == SCOPE_GLOBAL && !(columns[COLUMN_FLAGS] & FLAGS_UNUSABLE);
	return true;
}

static int find_v6(int dir, char out[NETADDR_MAX])
{
	struct procfs_pieces text;
	bool found = false, good = true;
	struct in6_addr address = { 0 };
	char *line;
	int r;

	r = procfs_pieces_open(&text, dir, "net/if_inet6", FILE_MAX);
	if (r == -ENOENT)	/* a kernel without IPv6 */
		return -EADDRNOTAVAIL;
	if (r < 0)
		return r;
	while (!found && good && (line = procfs_pieces_next(&text, '\n')))
		good = take_v6_line(line, &address, &found);
	if (found)
		inet_ntop(AF_INET6, &address, out, NETADDR_MAX);
	else
		r = good ? not_found(&text) : -EBADMSG;
	procfs_pieces_close(&text);
	return r;
}

int netaddr_find(int dir, char out[NETADDR_MAX])
{
	int r = find_v4(dir, out);

	return r == -EADDRNOTAVAIL ? find_v6(dir, out) : r;
}
