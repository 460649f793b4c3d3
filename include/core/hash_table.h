/*
 * hash_table - uthash, with a hash function that compiles without warnings everywhere: its default one
 * falls through cases in a way that clang does not see as meant.
 */
#ifndef METER_HASH_TABLE_H
#define METER_HASH_TABLE_H

#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#endif
