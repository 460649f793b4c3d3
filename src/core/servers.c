#include "servers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool port_valid(const char *s)
{
	size_t digits = strspn(s, "0123456789");
	long port = strtol(s, NULL, 10);

	return digits > 0 && digits <= 5 && s[digits] == '\0' && port >= 1 && port <= 65535;
}

static bool host_valid(const char *s)
{
	size_t len;

	if (*s == '[') {
		len = strspn(s + 1, "0123456789abcdefABCDEF:.%");
		if (len == 0 || s[len + 1] != ']')
			return false;
		s += len + 2;
	} else {
		len = strcspn(s, ":");
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)s[i]) && !strchr("-._", s[i]))
				return false;
		if (len == 0)
			return false;
		s += len;
	}
	return *s == '\0' || (*s == ':' && port_valid(s + 1));
}

static bool server_valid(const char *s)
{
	const char *host = strrchr(s, '@');

	for (const char *c = s; *c; c++)
		if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c))
			return false;
	if (strncmp(s, "nats://", 7) == 0)
		s += 7;
	else if (strncmp(s, "tls://", 6) == 0)
		s += 6;
	return host_valid(host ? host + 1 : s);
}

bool servers_valid(const char *list)
{
	const char *servers[SERVERS_MAX];
	size_t n, commas = 0;
	bool valid;
	char *copy;

	for (const char *c = list; *c; c++)
		commas += *c == ',';
	n = servers_split(list, servers, &copy);
	valid = n == commas + 1;
	for (size_t i = 0; i < n; i++)
		valid = valid && server_valid(servers[i]);
	free(copy);
	return valid;
}

size_t servers_split(const char *list, const char *out[SERVERS_MAX], char **copy)
{
	char *rest, *one;
	size_t n = 0;

	rest = *copy = strdup(list);
	while (n < SERVERS_MAX && (one = strsep(&rest, ",")))
		out[n++] = one;
	return n;
}

char *servers_masked(const char *list)
{
	char *out = calloc(1, strlen(list) * 2 + 1), *to = out;

	while (out && *list) {
		size_t len = strcspn(list, ",");
		const char *at = memrchr(list, '@', len);
		const char *user = memmem(list, len, "://", 3);

		if (at) {
			user = user && user < at ? user + 3 : list;
			to = mempcpy(to, list, (size_t)(user - list));
			*to++ = '*';
			len -= (size_t)(at - list);
			list = at;
		}
		to = mempcpy(to, list, len);
		list += len;
		if (*list)
			*to++ = *list++;
	}
	return out;
}
