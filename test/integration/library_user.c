/* The example of README, "The store": a program that knows of the installed library alone. */
#include <stdio.h>

#include <ring.h>

int main(void)
{
	struct range_query q = { 0, 86400000, 3600000, AGGREGATE_BIT(AGGREGATE_MAX) };
	struct range_result max;
	struct ring *ring;

	if (ring_new(&ring, 60480, 10000) < 0)
		return 1;
	for (int i = 0; i < 8640; i++) {
		struct sample s = { i * 10000, { i % 360, NAN, NAN, NAN, NAN, NAN, NAN } };

		if (ring_append(ring, &s) < 0)
			return 1;
	}
	if (ring_range(ring, &q, &max) < 0)
		return 1;
	for (size_t i = 0; i < max.n; i++)
		printf("%lld %u %g\n", (long long)max.at_ms[i], max.count[i],
		       max.column[AGGREGATE_MAX][METRIC_CPU_PERCENT][i]);
	range_result_clear(&max);
	ring_free(ring);
	return 0;
}
