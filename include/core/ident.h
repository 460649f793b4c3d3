/*
 * ident - names that become a token of a NATS subject.
 *
 * NATS clients do not check what they are given: a blank or CRLF in a token injects protocol. So
 * nothing becomes a token that has not passed here.
 */
#ifndef METER_IDENT_H
#define METER_IDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENT_MAX 128
#define IDENT_RULE "1 to 128 characters of A-Z a-z 0-9 _ -"

/* [A-Za-z0-9_-]{1,128} */
bool ident_valid(const char *s, size_t len);

/* FNV-1a, 64 bits: for spreading and for telling incarnations apart, not against an adversary. */
uint64_t ident_hash(const void *data, size_t len);

#endif
