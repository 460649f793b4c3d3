/*
 * range_fetch - the whole answer to a range request, however many replies it takes.
 */
#ifndef METERCTL_RANGE_FETCH_H
#define METERCTL_RANGE_FETCH_H

#include "wire.h"

struct client;

/*
 * Asks once; what is too large for one reply is asked for in pieces of whole buckets, raw samples
 * page by page, and put together as if one reply had held it. On 0 the caller gives out->result to
 * range_result_clear(); else it is told what went wrong.
 */
int range_fetch(struct client *c, const char *id, const struct range_request *request,
		struct range_reply *out);

#endif
