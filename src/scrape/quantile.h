/*
 * quantile - Prometheus's histogram_quantile() for classic buckets.
 */
#ifndef METER_SCRAPE_QUANTILE_H
#define METER_SCRAPE_QUANTILE_H

#include <stddef.h>

struct bucket {
	double le;	/* upper bound, not NAN */
	double count;	/* of all that are not above it */
};

/*
 * The value that a part q (0 to 1) is below. Buckets in any order, equal bounds added up; b is
 * changed. As in Prometheus: counts are forced to grow, linear inside of a bucket, from 0 on in a
 * first one that ends above 0, the bound below for what is in +Inf. NAN when there is no +Inf, no
 * second bucket, or nothing was counted. Cost n log n when they are not in order.
 */
double quantile_of_buckets(struct bucket *b, size_t n, double q);

#endif
