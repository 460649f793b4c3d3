/*
 * daemon - owns every object: made in the order of the path, stopped in reverse.
 */
#ifndef METER_DAEMON_H
#define METER_DAEMON_H

#include "config.h"

/* Runs until SIGTERM or SIGINT. Exit status: 0, or 1 with the reason logged. */
int daemon_run(const struct config *config);

#endif
