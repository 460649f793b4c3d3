#include "quantile.h"

#include <math.h>
#include <stdlib.h>

static int by_bound(const void *left, const void *right)
{
	const struct bucket *a = left, *b = right;

	return a->le < b->le ? -1 : a->le > b->le;
}

/* Returns how many bounds there are. */
static size_t merge_equal(struct bucket *b, size_t n)
{
	size_t last = 0;

	for (size_t i = 1; i < n; i++) {
		if (b[i].le == b[last].le)
			b[last].count += b[i].count;
		else
			b[++last] = b[i];
	}
	return last + 1;
}

static void force_monotone(struct bucket *b, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (b[i].count < b[i - 1].count)
			b[i].count = b[i - 1].count;
	}
}

double quantile_of_buckets(struct bucket *b, size_t n, double q)
{
	double rank, below = 0, start = 0;
	size_t i = 0;

	if (n == 0)
		return (double)NAN;
	qsort(b, n, sizeof *b, by_bound);
	n = merge_equal(b, n);
	force_monotone(b, n);
	if (n < 2 || !isinf(b[n - 1].le) || b[n - 1].le < 0 || !(b[n - 1].count > 0))
		return (double)NAN;
	rank = q * b[n - 1].count;
	while (i < n - 1 && b[i].count < rank)
		i++;
	if (i == n - 1)
		return b[n - 2].le;
	if (i == 0 && b[0].le <= 0)
		return b[0].le;
	if (i > 0) {
		start = b[i - 1].le;
		below = b[i - 1].count;
	}
	return start + (b[i].le - start) * ((rank - below) / (b[i].count - below));
}
