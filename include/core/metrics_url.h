/*
 * metrics_url - the address of an instance's page of metrics: what it may be, and how logs show it.
 *
 * URLs come from events and from a setting. What is connected to in the end is decided by the
 * resolved address, see networks.h.
 */
#ifndef METER_METRICS_URL_H
#define METER_METRICS_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "problem.h"

#define METRICS_URL_MAX 2048
#define METRICS_URL_SHOWN_MAX 160
#define METRICS_URL_RULE "an http:// or https:// URL"

/*
 * http:// or https://, a host (a name, an IPv4 address, an IPv6 address in brackets), maybe a port,
 * a path, a query; printable ASCII without blanks and backslashes, about which parsers disagree. No
 * user or password: meterd has no place to keep them from who may read a Target, and they would be
 * sent to whatever the name resolves to. No fragment, which no server is told. > 0 with a sentence,
 * which does not repeat the URL.
 */
int metrics_url_check(const char *url, struct problem *p);

/* What may stand as the host, or as a part of it: letters, digits, '.', '-' and '_'. */
bool metrics_url_host_char(char c);

/*
 * For logs and errors: without query and fragment, user and password as '*'; where it cannot be
 * told what is which (it may be no URL at all), nothing behind the scheme. Printable ASCII, cut
 * with "..." to fit. Returns out.
 */
const char *metrics_url_shown(const char *url, char out[METRICS_URL_SHOWN_MAX]);

#endif
