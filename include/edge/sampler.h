/*
 * sampler - one reading of an instance, from whichever source it is read by, together with its page of
 * metrics if it has one.
 *
 * Both halves are begun together, and the sample is made when both have ended. Its time and its counters
 * are those of the source. Without the page it is made all the same, and the last error says why.
 * Loop thread only.
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
	size_t max_connections;		/* to pages of metrics, see scraper.h */
	struct loop *loop;
	struct pipeline *pipeline;
	struct remote *remote;
	struct engines *engines;
};

/* Everything is borrowed. -ENOMEM. */
int sampler_new(struct sampler **out, const struct sampler_options *options);
void sampler_free(struct sampler *s);	/* after all instances; NULL is fine */

/*
 * Ends in pipeline_on_reading() or pipeline_on_failure(), now (local files) or later (engines, bus, and
 * where there is a page of metrics).
 */
void sampler_begin(struct sampler *s, struct instance *i);
/* What remote.h tells. */
void sampler_on_reading(struct sampler *s, struct instance *i, const struct reading *reading);
void sampler_on_failure(struct sampler *s, struct instance *i, enum failure reason,
			const char *error);
/*
 * The reading under way, if any, is no longer waited for. Why it did not end, if that is known; as long
 * as there is no other call.
 */
const char *sampler_give_up(struct sampler *s, struct instance *i);
/* What reads it is chosen again at the next reading. */
void sampler_unbind(struct sampler *s, struct instance *i);

#endif
