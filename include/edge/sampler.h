/*
 * sampler - begins one reading of an instance, from whichever source it is read by. Loop thread only.
 */
#ifndef METER_SAMPLER_H
#define METER_SAMPLER_H

#include "config.h"
#include "locator.h"
#include "loop.h"
#include "pipeline.h"
#include "remote.h"
#include "source.h"

struct sampler;

struct sampler_options {
	const struct config *config;
	struct source_options sources;
	struct loop *loop;
	struct pipeline *pipeline;
	struct remote *remote;
	struct engines *engines;
};

/* Everything is borrowed. -ENOMEM. */
int sampler_new(struct sampler **out, const struct sampler_options *options);
void sampler_free(struct sampler *s);	/* after all instances; NULL is fine */

/* Ends in pipeline_on_reading() or pipeline_on_failure(), now (local files) or later (engines, bus). */
void sampler_begin(struct sampler *s, struct instance *i);
/*
 * The reading under way, if any, is no longer waited for. Why it did not end, if that is known; as long
 * as there is no other call.
 */
const char *sampler_give_up(struct sampler *s, struct instance *i);
/* What reads it is chosen again at the next reading. */
void sampler_unbind(struct sampler *s, struct instance *i);

#endif
