/*
 * servers - a list of NATS URLs, as in the setting: "nats://user:secret@one:4222,two".
 */
#ifndef METER_SERVERS_H
#define METER_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

#define SERVERS_MAX 32
#define SERVERS_RULE "NATS URLs (nats://host:port or tls://host:port), up to 32, separated by commas"

/* Each is [nats:// or tls://][user[:password]@]host[:port]; an IPv6 address stands in brackets. */
bool servers_valid(const char *list);

/*
 * Cuts the list up at its commas. The pointers point into the one allocation *copy, the caller's to
 * free(). Returns how many, at most SERVERS_MAX; 0 without memory.
 */
size_t servers_split(const char *list, const char *out[SERVERS_MAX], char **copy);

/*
 * The list with every user and password replaced by '*', for messages. Works on what is no list, too.
 * The caller's to free(); NULL without memory.
 */
char *servers_masked(const char *list);

#endif
