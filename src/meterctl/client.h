/*
 * client - the connection to NATS: asks, waits, and tells on standard error what went wrong.
 *
 * It blocks: meterctl has nothing else to do. One client in a process.
 */
#ifndef METERCTL_CLIENT_H
#define METERCTL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <nats/nats.h>

#include "buffer.h"
#include "problem.h"

struct client;
struct config;

/* Room for <prefix>.<endpoint>.<id> with its NUL. */
#define CLIENT_SUBJECT_SIZE 320

/*
 * Results: 0 fine; > 0 meterd refused with that code, *p says why and nothing is told yet; < 0
 * failed, and it is told.
 */

/* config is kept. With reconnects a lost connection comes back by itself. */
int client_connect(struct client **out, const struct config *config, bool reconnects);
/* Ends the library and its threads too. NULL is fine. */
void client_free(struct client *c);

/* The subject of an endpoint; id may be NULL. */
const char *client_subject(const struct client *c, const char *endpoint, const char *id,
			   char out[CLIENT_SUBJECT_SIZE]);

/* One request and its answer, which the caller gives to natsMsg_Destroy(). */
int client_ask(struct client *c, const char *subject, const struct buffer *body, natsMsg **out,
	       struct problem *p);

/* For more than one answer: those come in on *answers, for natsSubscription_Destroy(). */
int client_send(struct client *c, const char *subject, const struct buffer *body,
		natsSubscription **answers);
/* subject is the one asked, for the message. *out is NULL when none came in that time. */
int client_next(struct client *c, natsSubscription *answers, const char *subject,
		int64_t timeout_ms, natsMsg **out, struct problem *p);
/* Tells that nobody answered; returns -1. */
int client_no_answer(struct client *c, const char *subject, int64_t timeout_ms);

/* On 0 the server has it. */
int client_publish(struct client *c, const char *subject, const struct buffer *body);

/* On 0 the server knows of it. */
int client_subscribe(struct client *c, const char *subject, natsSubscription **out);

/*
 * Tells once on standard error that the connection was lost, and once that it is back. *told is
 * what was told so far; the first is 0.
 */
void client_tell_losses(struct client *c, unsigned *told);

#endif
