/*
 * url_template - the URL of each instance's page of metrics out of one setting:
 * "http://{container_ip}:9100/metrics".
 *
 * Variables are {id}, {node}, {workload_id}, {container_name} and {container_ip}. Their values come
 * from events, and cannot change where the URL goes but for what the template leaves to them: in
 * the path and the query they are percent-encoded, and where the host stands only what a host may
 * have is taken.
 */
#ifndef METER_URL_TEMPLATE_H
#define METER_URL_TEMPLATE_H

#include "metrics_url.h"

#define URL_TEMPLATE_RULE \
	"a URL such as http://{container_ip}:9100/metrics, with {id}, {node}, {workload_id}, " \
	"{container_name} and {container_ip}"

/* NULL or "" = it has no such value. */
struct url_values {
	const char *id;
	const char *node;
	const char *workload_id;
	const char *container_name;
	const char *container_ip;	/* v4 or v6 as text, without brackets */
};

/*
 * > 0 with a sentence: an unknown variable, a brace without its other, or not what
 * metrics_url_check() lets pass whatever the values. A variable cannot stand for the port.
 */
int url_template_check(const char *text, struct problem *p);

enum url_result {
	URL_MADE,
	URL_NO_VALUE,	/* a variable has none: the instance has no such page, which is no error */
	URL_UNUSABLE,	/* what the values make is no URL; *p says why */
};

/* text has passed url_template_check(). url is written on URL_MADE only. No allocation. */
enum url_result url_template_expand(const char *text, const struct url_values *v,
				    char url[METRICS_URL_MAX + 1], struct problem *p);

#endif
