/*
 * schedule - what is due when: slots of 10 ms around a wheel, lists through the entries themselves.
 *
 * Knows no clock: the time is an argument, and one timer armed for schedule_next_ms() drives it. Adding
 * and removing is O(1) and allocates nothing. Entries further away than one turn of the wheel (41 s)
 * wait in their slot and are passed over once a turn. Nothing is due early; at most one slot late.
 */
#ifndef METER_SCHEDULE_H
#define METER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_SLOT_MS 10
#define SCHEDULE_SLOTS 4096

/* Embedded in what is scheduled; zeroed = not scheduled. */
struct schedule_entry {
	struct schedule_entry *next;
	struct schedule_entry **link;	/* what points at this one; NULL = not scheduled */
	int64_t due_ms;			/* monotonic */
};

struct schedule {
	struct schedule_entry *slots[SCHEDULE_SLOTS];
	uint64_t occupied[SCHEDULE_SLOTS / 64];	/* a bit per slot that is not empty */
	int64_t turned;		/* slots up to and including this one have been visited */
	struct schedule_entry *ready;	/* due, in no particular order */
};

void schedule_init(struct schedule *s, int64_t now_ms);
/* An entry that is scheduled already is moved. */
void schedule_add(struct schedule *s, struct schedule_entry *e, int64_t due_ms);
void schedule_remove(struct schedule *s, struct schedule_entry *e);	/* not scheduled is fine */

/* An entry that is due at now_ms, taken out; NULL when there is none. Amortised O(1). */
struct schedule_entry *schedule_pop(struct schedule *s, int64_t now_ms);

/* When to call schedule_pop() next: never later than needed, perhaps a turn early. -1 = nothing waits. */
int64_t schedule_next_ms(const struct schedule *s);

#endif
