/*
 * usage - what the control plane answers about an instance, as a reading.
 */
#ifndef METER_USAGE_H
#define METER_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "reading.h"
#include "wire.h"

/*
 * false = no reading: no field is there, or every field that is there is zero, which is what control
 * planes answer for an instance they do not find. A memory limit of 0 is no limit.
 */
bool usage_reading(const struct resource_usage *u, int64_t mono_ns, struct reading *out);

#endif
