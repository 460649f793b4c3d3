/*
 * levels - where a ring's samples are.
 *
 *     oldest                                                                         newest
 *   ┌─────────┬─────────┬─────────┬ ─ ─ ┬─────────┐ ┌───┬───┬───┬ ─ ─ ┬───┐ ┌───────────────┐
 *   │  group  │  group  │  group  │     │  group  │ │blk│blk│blk│     │blk│ │  open block   │
 *   └─────────┴─────────┴─────────┴ ─ ─ ┴─────────┘ └───┴───┴───┴ ─ ─ ┴───┘ └───────────────┘
 *    32 blocks each, coded          ▲                6 to 38 sealed          up to 64 samples,
 *    by models that they share:     │                blocks:                 plain codes:
 *    about 4 bytes a sample         └─ 32 at a time ─┘ 9 bytes a sample      33 bytes a sample
 *
 * An append goes into the open block; a full one is sealed. When 32 sealed blocks more than
 * RECENT_BLOCKS are there, the oldest 32 become a group, one column at each of the next appends.
 * The newest hour, at 10 s, is therefore always in blocks whose rows are read where they stand. When
 * the ring holds its capacity without its oldest group (or block, where it has no group), that is
 * freed.
 *
 * Rings that begin together would hold most at the same times, all of them. So the first group of a
 * ring has fewer blocks, by chance of its first sample's time.
 *
 * A ring of small capacity has smaller blocks and groups, or none, so that what it keeps beyond its
 * capacity is an eighth at most, or one sample.
 */
#ifndef METER_LEVELS_H
#define METER_LEVELS_H

#include "block.h"
#include "group.h"
#include "ring.h"

/* Sealed blocks that stay so: an hour of samples 10 s apart is asked for most. */
#define RECENT_BLOCKS 6
/* What may be held beyond the capacity: one part in so many. */
#define EVICTION_PART 8
/* A group of fewer blocks does not repay its head. */
#define GROUP_BLOCKS_MIN 4

struct group_slot {
	struct group *group;
	int64_t least_ms;
	int64_t greatest_ms;
};

struct ring {
	size_t capacity;
	int64_t interval_ms;
	unsigned block_rows;	/* of a full block */
	unsigned group_blocks;	/* of a group; 0: no groups */
	unsigned next_group_blocks;	/* of the one that is made next */
	size_t count;
	uint64_t appended;	/* ever */
	/* What appended was at the newest sample that is older than the one before; 0: none. */
	uint64_t stepped_back;
	int64_t newest_ms;	/* of the last sample */

	struct group_slot *groups;
	size_t n_groups;
	size_t cap_groups;
	struct sealed_block **blocks;
	size_t n_blocks;
	size_t cap_blocks;
	struct open_block *open;	/* NULL until the first sample */
	struct group_maker maker;	/* works on the oldest blocks */
	struct models models;
};

/* Are all samples held in the order of their times? */
static inline bool ring_is_ordered(const struct ring *r)
{
	return r->stepped_back == 0 || r->appended - r->stepped_back >= r->count;
}

#endif
