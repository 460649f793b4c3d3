#include "origin.h"

#include <errno.h>

#define NAME(constant, name) [constant] = #name,

const char *source_kind_name(enum source_kind k)
{
	static const char *const names[SOURCE_KIND_COUNT] = {
		[SOURCE_NONE] = "none",
		SOURCE_KINDS(NAME)
	};

	return k < SOURCE_KIND_COUNT ? names[k] : names[SOURCE_NONE];
}

enum failure failure_of(int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ESRCH:
	case ENODEV:
		return FAILURE_GONE;
	case EACCES:
	case EPERM:
		return FAILURE_DENIED;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return FAILURE_SHORT;
	default:
		return FAILURE_UNREADABLE;
	}
}
