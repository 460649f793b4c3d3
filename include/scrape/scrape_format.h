/*
 * scrape_format - which of the two formats is asked for, and which it is that came.
 */
#ifndef METER_SCRAPE_FORMAT_H
#define METER_SCRAPE_FORMAT_H

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A line of the request's headers: as Prometheus asks, but for its protobuf. */
#define SCRAPE_ACCEPT \
	"Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4," \
	"*/*;q=0.1"

/* Of the answer's Content-Type; any other is read as text, for many servers send text/html. */
static inline bool scrape_is_openmetrics(const char *content_type)
{
	static const char type[] = "application/openmetrics-text";

	return strncasecmp(content_type, type, sizeof type - 1) == 0;
}

#endif
