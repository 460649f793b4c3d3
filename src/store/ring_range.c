#include "ring.h"

#include <errno.h>

#include "tally.h"
#include "walk.h"

int ring_range(const struct ring *r, const struct range_query *q, struct range_result *out)
{
	int64_t points = range_query_points(q);
	struct tally t;
	struct walk w;
	int result;

	*out = (struct range_result){ 0 };
	if (points > RANGE_BUCKETS_MAX || q->resolution_ms <= 0 || !(q->aggregates & AGGREGATE_ALL))
		return -EINVAL;
	if (points == 0)
		return 0;
	result = tally_init(&t, q, (size_t)points, ring_is_ordered(r), out);
	if (result < 0) {
		range_result_clear(out);
		return result;
	}
	walk_begin(&w, r, q->since_ms, q->until_ms);
	while (walk_next(&w))
		tally_add(&t, &w);
	tally_finish(&t);
	tally_clear(&t);
	return 0;
}
