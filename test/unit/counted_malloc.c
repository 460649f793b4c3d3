#include "counted_malloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

struct counted_malloc counted;

/* What glibc keeps before each block. */
#define HEADER_BYTES sizeof(size_t)

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void __real_free(void *memory);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
void __wrap_free(void *memory);

void counted_fail_at(size_t n)
{
	counted.calls = counted.failures = 0;
	counted.fail_at = n;
	counted.fail_from = 0;
}

void counted_fail_from(size_t n)
{
	counted_fail_at(0);
	counted.fail_from = n;
}

static bool fails(void)
{
	counted.calls++;
	if (counted.calls != counted.fail_at &&
	    (counted.fail_from == 0 || counted.calls < counted.fail_from))
		return false;
	counted.failures++;
	errno = ENOMEM;
	return true;
}

static void *taken(void *memory)
{
	if (memory) {
		counted.blocks++;
		counted.bytes += malloc_usable_size(memory) + HEADER_BYTES;
	}
	return memory;
}

static void given_back(void *memory)
{
	if (memory) {
		counted.blocks--;
		counted.bytes -= malloc_usable_size(memory) + HEADER_BYTES;
	}
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : taken(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : taken(__real_calloc(n, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
	return __wrap_reallocarray(memory, size, 1);
}

void *__wrap_reallocarray(void *memory, size_t n, size_t size)
{
	void *moved;

	if (fails())
		return NULL;
	given_back(memory);
	moved = __real_reallocarray(memory, n, size);
	if (!moved)
		abort();	/* there is no way back, and no test that needs it */
	return taken(moved);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : taken(__real_aligned_alloc(alignment, size));
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	int error = fails() ? ENOMEM : __real_posix_memalign(memory, alignment, size);

	if (error == 0)
		taken(*memory);
	return error;
}

void __wrap_free(void *memory)
{
	given_back(memory);
	__real_free(memory);
}
