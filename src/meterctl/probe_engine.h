/*
 * probe_engine - one question to the container engines, waited for.
 */
#ifndef METERCTL_PROBE_ENGINE_H
#define METERCTL_PROBE_ENGINE_H

#include "config.h"
#include "container_answer.h"
#include "source.h"

/* Waits as long as engine.h says. 0 and *found, an enum failure with a sentence in why, -ENOMEM. */
int probe_engine_ask(const struct config *config, const char *name, struct container *found,
		     char why[SOURCE_ERROR_MAX]);

#endif
