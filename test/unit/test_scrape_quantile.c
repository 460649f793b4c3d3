/* histogram_quantile: rows worked out by hand from what Prometheus documents. */
#include "unit.h"

#include <math.h>

#include "quantile.h"

#define INF INFINITY

static const struct quantile_case {
	const char *name;
	double q;
	struct bucket b[6];
	size_t n;
	double want;
} cases[] = {
	{ "nothing", 0.95, { { 0, 0 } }, 0, NAN },
	{ "+Inf alone", 0.95, { { INF, 5 } }, 1, NAN },
	{ "no +Inf", 0.95, { { 1, 5 }, { 2, 9 } }, 2, NAN },
	{ "only -Inf", 0.95, { { -INF, 5 }, { -INF, 9 } }, 2, NAN },
	{ "no request", 0.95, { { 1, 0 }, { INF, 0 } }, 2, NAN },
	{ "linear from 0", 0.95, { { 2, 10 }, { INF, 10 } }, 2, 1.9 },
	{ "linear inside", 0.95, { { 1, 90 }, { 2, 100 }, { INF, 100 } }, 3, 1.5 },
	{ "exactly at a bound", 0.9, { { 1, 90 }, { 2, 100 }, { INF, 100 } }, 3, 1 },
	{ "exactly at a bound, the next bucket is empty", 0.9,
	  { { 1, 90 }, { 2, 90 }, { INF, 100 } }, 3, 1 },
	{ "in +Inf: the bound below", 0.95, { { 1, 50 }, { 2, 60 }, { INF, 100 } }, 3, 2 },
	{ "in any order", 0.95, { { INF, 100 }, { 2, 100 }, { 1, 90 } }, 3, 1.5 },
	{ "equal bounds are added up", 0.95,
	  { { 1, 40 }, { 2, 50 }, { 1, 50 }, { INF, 50 }, { 2, 50 }, { INF, 50 } }, 6, 1.5 },
	{ "forced to grow", 0.95, { { 1, 90 }, { 2, 80 }, { 4, 100 }, { INF, 100 } }, 4, 3 },
	{ "+Inf below the others", 0.95, { { 1, 90 }, { 2, 100 }, { INF, 10 } }, 3, 1.5 },
	{ "first bound below 0", 0.5, { { -1, 90 }, { 2, 100 }, { INF, 100 } }, 3, -1 },
	{ "first bound 0", 0.5, { { 0, 90 }, { 2, 100 }, { INF, 100 } }, 3, 0 },
	{ "second, from below 0", 0.95, { { -1, 90 }, { 1, 100 }, { INF, 100 } }, 3, 0 },
	{ "empty first buckets", 0.95, { { 1, 0 }, { 2, 0 }, { 4, 100 }, { INF, 100 } }, 4, 3.9 },
	{ "the median", 0.5, { { 1, 50 }, { 2, 100 }, { INF, 100 } }, 3, 1 },
	{ "all of them", 1, { { 1, 50 }, { 2, 100 }, { INF, 100 } }, 3, 2 },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct quantile_case *c = &cases[i];
		struct bucket b[6];
		double value;

		printf("# %s\n", c->name);
		memcpy(b, c->b, sizeof b);
		value = quantile_of_buckets(b, c->n, c->q);
		if (isnan(c->want))
			assert_true(isnan(value));
		else
			assert_true(fabs(value - c->want) <= 1e-12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
