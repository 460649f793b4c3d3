/*
 * scrape - from the bytes of a workload's /metrics page to requests per second and latency.
 *
 * One struct scrape an instance. It reads a page as it comes, in pieces of any size, keeps the
 * series of one request counter and one latency histogram, and compares them with those of the page
 * before. Both formats are read: Prometheus text 0.0.4 and OpenMetrics 1.0. Knows no socket and no
 * clock, and needs only libc. One thread at a time for each struct; different ones share nothing.
 *
 * Absent rather than wrong: a line of these families that cannot be read refuses the whole page.
 * Timestamps of samples are not used.
 *
 * Between pages it holds 24 + 8 bytes a series of the counter, 24 + 8 x buckets a label set of the
 * histogram (some 10 bytes a series). While a page is read some hundred bytes a series come on top.
 */
#ifndef METER_SCRAPE_H
#define METER_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRAPE_NAME_MAX 255		/* bytes of a family's name in the rules */
#define SCRAPE_LINE_MAX 16384		/* of a line that matters; others may be of any length */
#define SCRAPE_LABEL_BYTES_MAX 8192	/* between the braces of such a line */
#define SCRAPE_LABELS_MAX 64		/* of one series */
#define SCRAPE_SERIES_DEFAULT 2000	/* kept of each of the two families */
#define SCRAPE_SERIES_MAX 100000	/* what max_series may be */
#define SCRAPE_LAYOUTS_MAX 64		/* different sets of bucket bounds in one family */
#define SCRAPE_ERROR_MAX 160

struct scrape;

/* What is known of the workload; all zero is fine. */
struct scrape_rules {
	/* Families to take instead of looking for known ones; NULL = look. Copied. */
	const char *request_counter;
	const char *latency_histogram;	/* in seconds, unless it ends in _milliseconds, _ms, ... */
	double quantile;		/* above 0, at most 1; 0 = 0.95 */
	size_t max_series;		/* 0 = SCRAPE_SERIES_DEFAULT */
};

/* Why a number is absent. */
enum scrape_why {
	SCRAPE_PRESENT,
	SCRAPE_NO_FAMILY,	/* the page has none that is known or named */
	SCRAPE_FIRST,		/* nothing to compare with: the first page with this family */
	SCRAPE_NO_TIME,		/* no time since the page before */
	SCRAPE_TOO_MANY,	/* more series than max_series: none is kept */
	SCRAPE_TOO_MANY_LAYOUTS,
	SCRAPE_BAD_VALUE,	/* a value that no counter has: NaN, infinite or negative */
	SCRAPE_NO_INF,		/* a label set without its +Inf bucket */
	SCRAPE_BOUNDS_CHANGED,	/* a label set has other buckets than in the page before */
	SCRAPE_NO_REQUEST,	/* none since the page before: there is no latency */
};

/* Half a sentence for the operator, e.g. "no request since the page before". */
const char *scrape_why_text(enum scrape_why why);

struct scrape_result {
	double requests_per_sec;	/* NAN = absent */
	double latency_p95_ms;		/* NAN = absent; at the quantile of the rules */
	enum scrape_why requests_why;
	enum scrape_why latency_why;
	const char *request_family;	/* NULL = none; valid as long as the scrape */
	const char *latency_family;	/* without _bucket */
	uint64_t bytes;
	uint64_t lines;
	size_t series;			/* of the two families, those beyond the bound too */
	size_t duplicates;		/* series told twice: the first counts */
	char error[SCRAPE_ERROR_MAX];	/* one sentence when the page is refused, else "" */
};

/* On 0 the caller owns *out. -EINVAL for rules out of range, -ENOMEM. */
int scrape_new(struct scrape **out, const struct scrape_rules *rules);
void scrape_free(struct scrape *s);	/* NULL is fine */

/*
 * A page begins; one that was not ended is forgotten. openmetrics: the Content-Type said so, and
 * the page has to end in "# EOF". Otherwise content decides: what only OpenMetrics has (an
 * exemplar, a timestamp that is no integer) makes it one. -ENOMEM.
 */
int scrape_begin(struct scrape *s, bool openmetrics);
/* The next bytes. 0; > 0: the page is refused, the rest need not be fed; -ENOMEM. */
int scrape_feed(struct scrape *s, const char *data, size_t len);
/*
 * The page is whole, and the counters were read at mono_ns. 0: *out is what it and the page before
 * say; > 0: refused, out->error says why, and what is kept of the page before stays as it was;
 * -ENOMEM: the same without a sentence. For a body that did not come whole do not call this.
 */
int scrape_end(struct scrape *s, int64_t mono_ns, struct scrape_result *out);
/* The page did not come whole: as if it had not begun. */
void scrape_abandon(struct scrape *s);
/* It is another process now: the next page is the first one again. Forgets a page not ended too. */
void scrape_reset(struct scrape *s);

size_t scrape_memory(const struct scrape *s);	/* bytes held, a page being read included */

#endif
