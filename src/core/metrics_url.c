#include "metrics_url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253	/* of a name in DNS */
#define PORT_MAX 65535

static int malformed(struct problem *p, const char *why)
{
	return problem_set(p, PROBLEM_MALFORMED, "%s", why);
}

/* What is behind "http://" or "https://"; NULL: it begins with neither. */
static const char *behind_scheme(const char *url)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url + strlen(schemes[i]);
	return NULL;
}

bool metrics_url_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

/* *end is set behind it. */
static bool name_valid(const char *s, const char **end)
{
	bool any = false;	/* but dots and the like */
	const char *c;

	for (c = s; metrics_url_host_char(*c); c++)
		any = any || !strchr(".-_", *c);
	*end = c;
	return any && c - s <= HOST_MAX;
}

static bool v6_valid(const char *s, const char **end)
{
	char text[INET6_ADDRSTRLEN], address[16];
	size_t len = strcspn(s, "]");

	if (s[len] != ']' || len >= sizeof text)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	*end = s + len + 1;
	return inet_pton(AF_INET6, text, address) == 1;
}

/* s is behind the colon. */
static bool port_valid(const char *s, const char *end)
{
	unsigned port = 0;

	if (s == end || end - s > 5)
		return false;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return false;
		port = port * 10 + (unsigned)(*s - '0');
	}
	return port >= 1 && port <= PORT_MAX;
}

static int check_chars(const char *url, struct problem *p)
{
	const char *c;

	if (strlen(url) > METRICS_URL_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "the URL is longer than %d bytes",
				   METRICS_URL_MAX);
	for (c = url; *c > ' ' && *c < 0x7f && *c != '\\' && *c != '#'; c++)
		;
	if (*c == '#')
		return malformed(p, "the URL has a fragment (#...), which no server is told");
	if (*c != '\0')
		return malformed(p, "the URL has a character that must be percent-encoded: only "
				    "printable ASCII without blanks and backslashes is none");
	return 0;
}

int metrics_url_check(const char *url, struct problem *p)
{
	const char *host, *end, *host_end;
	int r;

	r = check_chars(url, p);
	if (r != 0)
		return r;
	host = behind_scheme(url);
	if (!host)
		return malformed(p, "the URL must begin with http:// or https://");
	end = host + strcspn(host, "/?");
	if (memchr(host, '@', (size_t)(end - host)))
		return malformed(p, "the URL must not have a user or a password in it");
	if (host == end || *host == ':')
		return malformed(p, "the URL has no host");
	if (*host == '[' ? !v6_valid(host + 1, &host_end) : !name_valid(host, &host_end))
		return malformed(p, "the host of the URL must be a name, an IPv4 address, or an "
				    "IPv6 address in brackets");
	if (host_end != end && *host_end != ':')
		return malformed(p, "the host of the URL has a character that no host has");
	if (host_end != end && !port_valid(host_end + 1, end))
		return malformed(p, "the port of the URL must be 1 to 65535");
	return 0;
}

/* "https://": whatever it names; 0 when it begins with none. */
static size_t scheme_length(const char *url)
{
	size_t len = 0;

	while (metrics_url_host_char(url[len]) || url[len] == '+')
		len++;
	return strncmp(url + len, "://", 3) == 0 ? len + 3 : 0;
}

const char *metrics_url_shown(const char *url, char out[METRICS_URL_SHOWN_MAX])
{
	size_t scheme = scheme_length(url);
	const char *at = strrchr(url, '@'), *rest;
	int n;

	if (at && !behind_scheme(url))
		scheme = 0;	/* it may be the user */
	rest = url + scheme;
	/* The '@' is behind a user when nothing before it ends the host; else nobody can tell. */
	if (at)
		rest = rest + strcspn(rest, "/?#\\") < at ? "" : at;
	n = snprintf(out, METRICS_URL_SHOWN_MAX, "%.*s%s%.*s", (int)scheme, url, at ? "*" : "",
		     (int)strcspn(rest, "?#"), rest);
	if (n >= METRICS_URL_SHOWN_MAX)
		strcpy(out + METRICS_URL_SHOWN_MAX - 4, "...");
	for (char *c = out; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '?';
	return out;
}
