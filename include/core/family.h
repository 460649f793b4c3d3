/*
 * family - which families of a page of metrics tell requests and latency: the names and the
 * quantile that a Target or a setting may say.
 */
#ifndef METER_FAMILY_H
#define METER_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Names are compared with each line of a page, and lists of instances show them: so the bound is
 * far below that of other texts of a Target, and far above the names there are. Not only the
 * letters, digits, '_' and ':' of old: OpenTelemetry's http.server.request.duration comes in quotes
 * on pages since Prometheus 3. Without blanks, quotes, backslashes and braces, which no name has in
 * practice: what has them is a selector, such as requests{code="200"}, and would never be found.
 */
#define FAMILY_NAME_MAX 255
#define FAMILY_NAME_RULE \
	"a metric's name alone: up to 255 bytes of UTF-8 without blanks, control characters, " \
	"quotes, backslashes and braces"
#define FAMILY_QUANTILE_RULE "a decimal above 0 and below 1, such as 0.95"

/* Takes no notice of a locale. */
bool family_name_valid(const char *s, size_t len);

/* Above 0 and below 1; so not NaN. */
bool family_quantile_valid(double q);
/* "0.95", ".95": up to 15 places behind the point, which is one in every locale. */
bool family_quantile_parse(const char *s, double *out);

#endif
