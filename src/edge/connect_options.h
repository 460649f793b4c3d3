/*
 * connect_options - how the NATS library is told to connect.
 */
#ifndef METER_CONNECT_OPTIONS_H
#define METER_CONNECT_OPTIONS_H

#include <nats/nats.h>
#include <stdint.h>

/* The caller gives them to natsOptions_Destroy(). NULL without memory. */
natsOptions *connect_options_new(const char *servers, const char *name);

/* How long one attempt over all of these servers may take before it is stuck. */
int64_t connect_deadline_ms(const char *servers);

#endif
