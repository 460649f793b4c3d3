/*
 * range_print - the answer to a range request as it is printed, in every form.
 */
#ifndef METERCTL_RANGE_PRINT_H
#define METERCTL_RANGE_PRINT_H

#include "output.h"
#include "wire.h"

/* What -o gives, for --help. */
#define RANGE_PRINT_HELP                                                                           \
	"-o json: the JSON form of the reply, {\"instance_id\",\"tracked\",\"since\",\"until\",\n"  \
	"\"resolution_ms\",\"series\":[...]}; with several aggregates series is {\"mean\":[...],...}.\n" \
	"-o csv: a row per sample or bucket. An empty cell is absent; memory is whole bytes; all\n" \
	"else reads back exactly. With --raw:\n"                                                   \
	CSV_SAMPLE_HELP                                                                            \
	"Buckets have one column more at the end, count. With several aggregates each bucket has\n" \
	"a row for each, and the second column is aggregate.\n"

/* 0, or -1 and it is told. */
int range_print(const struct range_reply *r, enum format format);

#endif
