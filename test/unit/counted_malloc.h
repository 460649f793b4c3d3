/*
 * counted_malloc - what the linker puts between the store and the allocator (-Wl,--wrap=malloc and
 * its like): counts what is held, and fails when it is told to.
 */
#ifndef METER_COUNTED_MALLOC_H
#define METER_COUNTED_MALLOC_H

#include <stddef.h>

struct counted_malloc {
	size_t blocks;		/* held now */
	size_t bytes;		/* the allocator's own included */
	size_t calls;		/* that could have failed, since the last counted_fail_at() */
	size_t failures;	/* since then */
	size_t fail_at;		/* the call that fails, from 1; 0 = none */
	size_t fail_from;	/* from this call on all fail; 0 = none */
};

extern struct counted_malloc counted;

/* The n-th call from now on fails, and no other. 0 = none. */
void counted_fail_at(size_t n);
/* The n-th call from now on fails, and all that follow. */
void counted_fail_from(size_t n);

#endif
