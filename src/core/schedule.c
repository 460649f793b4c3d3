#include "schedule.h"

#include <stddef.h>

/* Rounded up: nothing is due early. */
static int64_t slot_of(int64_t due_ms)
{
	return (due_ms + SCHEDULE_SLOT_MS - 1) / SCHEDULE_SLOT_MS;
}

void schedule_init(struct schedule *s, int64_t now_ms)
{
	*s = (struct schedule){ .turned = now_ms / SCHEDULE_SLOT_MS };
}

static void list_push(struct schedule_entry **head, struct schedule_entry *e)
{
	e->next = *head;
	e->link = head;
	if (e->next)
		e->next->link = &e->next;
	*head = e;
}

static void list_remove(struct schedule_entry *e)
{
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	e->link = NULL;
}

void schedule_add(struct schedule *s, struct schedule_entry *e, int64_t due_ms)
{
	int64_t slot = slot_of(due_ms);
	size_t i = (size_t)(slot % SCHEDULE_SLOTS);

	schedule_remove(s, e);
	e->due_ms = due_ms;
	if (slot <= s->turned) {
		list_push(&s->ready, e);
		return;
	}
	list_push(&s->slots[i], e);
	s->occupied[i / 64] |= 1ULL << (i % 64);
}

void schedule_remove(struct schedule *s, struct schedule_entry *e)
{
	size_t i;

	if (!e->link)
		return;
	list_remove(e);
	i = (size_t)(slot_of(e->due_ms) % SCHEDULE_SLOTS);
	if (!s->slots[i])
		s->occupied[i / 64] &= ~(1ULL << (i % 64));
}

/* The first occupied slot after s->turned, at most one turn away; 0 = none. */
static int64_t next_slot(const struct schedule *s)
{
	int64_t slot = s->turned + 1;

	for (int64_t end = s->turned + SCHEDULE_SLOTS; slot <= end;) {
		size_t i = (size_t)(slot % SCHEDULE_SLOTS);
		uint64_t bits = s->occupied[i / 64] >> (i % 64);

		if (bits)
			return slot + __builtin_ctzll(bits);
		slot += 64 - (int64_t)(i % 64);
	}
	return 0;
}

/* Moves what is due in this slot to ready; later turns stay. */
static void visit(struct schedule *s, int64_t slot)
{
	size_t i = (size_t)(slot % SCHEDULE_SLOTS);
	struct schedule_entry *e, *next;

	for (e = s->slots[i]; e; e = next) {
		next = e->next;
		if (slot_of(e->due_ms) > slot)
			continue;
		list_remove(e);
		list_push(&s->ready, e);
	}
	if (!s->slots[i])
		s->occupied[i / 64] &= ~(1ULL << (i % 64));
}

struct schedule_entry *schedule_pop(struct schedule *s, int64_t now_ms)
{
	int64_t now = now_ms / SCHEDULE_SLOT_MS;
	struct schedule_entry *e;

	/* After a long stall one turn finds everything, however many were missed. */
	if (now - s->turned > SCHEDULE_SLOTS)
		s->turned = now - SCHEDULE_SLOTS;
	while (!s->ready && s->turned < now) {
		int64_t slot = next_slot(s);

		if (!slot || slot > now) {
			s->turned = now;
			break;
		}
		visit(s, slot);
		s->turned = slot;
	}
	e = s->ready;
	if (e)
		list_remove(e);
	return e;
}

int64_t schedule_next_ms(const struct schedule *s)
{
	int64_t slot;

	if (s->ready)
		return s->turned * SCHEDULE_SLOT_MS;
	slot = next_slot(s);
	return slot ? slot * SCHEDULE_SLOT_MS : -1;
}
