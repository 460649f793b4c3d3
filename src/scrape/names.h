/*
 * names - which families matter, and which lines of a page may be theirs.
 *
 * There is one list for request counters and one for latency histograms, the best first; what the
 * operator names is the only one of its kind.
 */
#ifndef METER_SCRAPE_NAMES_H
#define METER_SCRAPE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scrape.h"

enum family_kind { FAMILY_REQUESTS, FAMILY_LATENCY, FAMILY_KINDS };

/* What is not summed over all label sets as it stands. */
enum family_rule {
	RULE_NONE,
	RULE_CADDY,	/* counts a request once a handler of its chain */
	RULE_HAPROXY,	/* has proxies of its own */
	RULE_ISTIO,	/* both ends of a connection count */
};

struct family {
	const char *name;	/* of the counter; of the histogram without _bucket */
	enum family_rule rule;
	double to_ms;		/* latency: how many ms its unit is */
	bool has_quantiles;	/* its quantiles will do where it has no buckets */
	bool given;		/* by the operator, who is believed whatever its TYPE */
};

/* What a series of a name is. */
enum name_role { NAME_COUNTER, NAME_BUCKET, NAME_QUANTILE };

/* As it stands in a line: family->name with a suffix. */
struct name {
	const struct family *family;
	const char *suffix;
	uint64_t first;		/* its first 8 bytes, those beyond base_len are 0 */
	uint64_t mask;		/* which of them there are */
	uint16_t base_len;
	uint16_t len;
	uint8_t next;		/* in its chain, 1 + index; 0 = the last */
	uint8_t order;		/* of the family in its list, the best is 0 */
	bool barred;		/* its TYPE says that it is something else */
	bool plain;		/* may stand in a line without quotes */
	enum family_kind kind;
	enum name_role role;
};

#define NAMES_MAX 64

/* What a line is that begins with this byte. */
enum line_start { LINE_BAD, LINE_NAME, LINE_COMMENT, LINE_BRACE, LINE_BLANK };

struct names {
	struct family given[FAMILY_KINDS];
	struct name name[NAMES_MAX];
	uint8_t n;
	bool any_short;		/* a name has less than 4 bytes */
	uint8_t chain[256];	/* by the first 4 bytes; 1 + index */
	uint8_t start[256];	/* enum line_start */
};

/*
 * NULL for what the operator does not name; else it stays where it is, as long as n is used, and
 * has 1 to SCRAPE_NAME_MAX bytes. In OpenMetrics a counter x has series x_total.
 */
void names_init(struct names *n, const char *request_counter, const char *latency_histogram,
		bool openmetrics);

/* May a line that begins with these 4 bytes be of one of them? */
bool names_may_begin(const struct names *n, const char *four_bytes);
/*
 * The name that the line begins with, if it is one of them and no TYPE line has barred it, else
 * NULL. Most lines cost a few compares, and are not looked at any further.
 */
const struct name *names_find(const struct names *n, const char *line, const char *end);
/* The same for a name that stood in quotes. */
const struct name *names_find_quoted(const struct names *n, const char *name, size_t len);
/* Is this a byte that names have: a-z A-Z 0-9 _ : ? */
bool names_has_byte(char c);
/* "# TYPE name type". False: it matters, and there is no such type. */
bool names_note_type(struct names *n, const char *name, size_t len, const char *type,
		     size_t type_len);

#endif
