#include "connect_options.h"

#include <stdlib.h>

#include "log.h"
#include "servers.h"

/* Of one server; a list is gone through. */
#define CONNECT_TIMEOUT_MS 2000
#define CONNECT_SLACK_MS 3000
/* A server that went away without a word is noticed after three of these. */
#define PING_INTERVAL_MS 10000
#define PINGS_OUT_MAX 2

static void library_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
	(void)nc, (void)sub, (void)arg;
	/* A slow consumer is told by bus_next() as well, where it is counted. */
	if (s != NATS_SLOW_CONSUMER)
		log_warning("NATS: %s", natsStatus_GetText(s));
}

static natsStatus set_servers(natsOptions *o, const char *list)
{
	const char *servers[SERVERS_MAX];
	char *copy;
	size_t n = servers_split(list, servers, &copy);
	natsStatus s = natsOptions_SetServers(o, servers, (int)n);

	free(copy);
	return s;
}

natsOptions *connect_options_new(const char *servers, const char *name)
{
	natsOptions *o = NULL;
	natsStatus s = natsOptions_Create(&o);

	if (s == NATS_OK)
		s = set_servers(o, servers);
	if (s == NATS_OK)
		s = natsOptions_SetName(o, name);
	if (s == NATS_OK)
		s = natsOptions_SetTimeout(o, CONNECT_TIMEOUT_MS);
	if (s == NATS_OK)	/* else it waits a millisecond before it sends */
		s = natsOptions_SetSendAsap(o, true);
	if (s == NATS_OK)	/* see link.h */
		s = natsOptions_SetAllowReconnect(o, false);
	if (s == NATS_OK)
		s = natsOptions_SetErrorHandler(o, library_error, NULL);
	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(o, PING_INTERVAL_MS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxPingsOut(o, PINGS_OUT_MAX);
	if (s == NATS_OK)
		return o;
	natsOptions_Destroy(o);
	return NULL;
}

int64_t connect_deadline_ms(const char *servers)
{
	const char *each[SERVERS_MAX];
	char *copy;
	size_t n = servers_split(servers, each, &copy);

	free(copy);
	return (int64_t)n * CONNECT_TIMEOUT_MS + CONNECT_SLACK_MS;
}
