/*
 * wire - bytes of the bus to plain structs and back, in both encodings.
 *
 * The only place that knows the generated protobuf code and the JSON parser: hostile bytes stop here.
 * Decoders check UTF-8, embedded NULs, enum values, types and lengths. All of them return 0; > 0 for a
 * peer's mistake with *p saying what (enum problem_code); < 0 (-ENOMEM). On anything but 0 the output is
 * cleared and owns nothing. Encoders append to *out and return 0 or -ENOMEM.
 */
#ifndef METER_WIRE_H
#define METER_WIRE_H

#include "buffer.h"
#include "ident.h"
#include "lifecycle.h"
#include "problem.h"
#include "range.h"
#include "sample.h"

enum encoding { ENCODING_PROTOBUF, ENCODING_JSON };

#define CONTENT_TYPE_JSON "application/json"
#define CONTENT_TYPE_PROTOBUF "application/x-protobuf"

/*
 * The one place that decides: JSON when the header Content-Type says application/json, or, without
 * that header, when the very first byte is '{'. content_type and accept are the headers' values or
 * NULL; accept counts for an empty body only.
 */
enum encoding wire_encoding(const char *content_type, const char *accept, const void *body,
			    size_t len);
const char *wire_content_type(enum encoding e);

/* --- a sample, as published, and inside replies --- */

struct wire_sample {
	char instance_id[IDENT_MAX + 1];
	uint64_t sequence;
	bool final;
	struct sample sample;
};

/* No Sample is longer than this. */
#define WIRE_SAMPLE_MAX 320

/* Encodes without allocating; returns the length. Protobuf: samples are published in no other form. */
size_t wire_encode_sample(const struct wire_sample *s, uint8_t out[WIRE_SAMPLE_MAX]);
int wire_decode_sample(const void *body, size_t len, struct wire_sample *out, struct problem *p);

struct json_out;
/* The keys of the metrics that are there, inside of an object that is open. */
void wire_metrics_json(struct json_out *j, const double value[METRIC_COUNT]);

/* --- range --- */

enum align { ALIGN_SINCE, ALIGN_EPOCH };

/* As it came: 0 = not said. The rules are in request.h. */
struct range_request {
	int64_t since_ms;
	int64_t until_ms;
	int64_t range_ms;
	int64_t resolution_ms;
	enum aggregate aggregates[AGGREGATE_COUNT];
	size_t n_aggregates;
	enum align align;
	bool raw;
};

struct range_reply {
	char instance_id[IDENT_MAX + 1];
	bool tracked;
	bool raw;
	int64_t since_ms;
	int64_t until_ms;
	int64_t resolution_ms;	/* 0 for raw */
	enum aggregate aggregates[AGGREGATE_COUNT];
	size_t n_aggregates;	/* 0 when the id is not tracked: no series */
	int64_t next_since_ms;	/* raw: 0 = nothing remains */
	struct range_result result;	/* owned by whoever made the reply */
};

/* "mean", "min", "max", "last"; false for anything else. */
bool aggregate_parse(const char *name, size_t len, enum aggregate *out);
const char *aggregate_name(enum aggregate a);

int wire_decode_range_request(enum encoding e, const void *body, size_t len,
			      struct range_request *out, struct problem *p);
int wire_encode_range_request(const struct range_request *r, struct buffer *out);	/* protobuf */
int wire_encode_range_reply(enum encoding e, const struct range_reply *r, struct buffer *out);
/*
 * Protobuf. On 0 the caller gives out->result to range_result_clear(). A raw reply has its rows under
 * AGGREGATE_MEAN.
 */
int wire_decode_range_reply(const void *body, size_t len, struct range_reply *out,
			    struct problem *p);

/* --- latest --- */

struct latest_reply {
	char instance_id[IDENT_MAX + 1];
	bool tracked;
	bool has_sample;
	struct wire_sample sample;
};

int wire_encode_latest_reply(enum encoding e, const struct latest_reply *r, struct buffer *out);
int wire_decode_latest_reply(const void *body, size_t len, struct latest_reply *out,
			     struct problem *p);

/* --- list --- */

#define LIST_LIMIT_MAX 1000

struct list_request {
	char page_token[IDENT_MAX + 1];	/* "" = from the start */
	uint32_t limit;			/* 0 = as many as fit; more than LIST_LIMIT_MAX counts as that */
};

/*
 * Strings are borrowed by the encoder; owned by the decoded reply's memory, where control characters
 * are replaced by '?'. NULL = absent. In JSON last_error_ms is "last_error_at": without its unit the
 * name would be that of last_error.
 */
struct list_entry {
	const char *instance_id;
	int64_t tracked_since_ms;
	uint64_t samples;
	bool has_latest;
	struct wire_sample latest;
	const char *tenant_id;
	const char *workload_id;
	const char *source;
	const char *last_error;
	int64_t last_error_ms;
	const char *request_family;
	const char *latency_family;
};

struct list_reply {
	struct list_entry *entries;
	size_t n_entries;
	const char *next_page_token;	/* NULL = last page */
	uint32_t total;
	const char *node;		/* NULL = none */
	void *memory;			/* decoded: backs the strings; see wire_list_reply_clear() */
};

int wire_decode_list_request(enum encoding e, const void *body, size_t len,
			     struct list_request *out, struct problem *p);
int wire_encode_list_request(const struct list_request *r, struct buffer *out);	/* protobuf */
int wire_encode_list_reply(enum encoding e, const struct list_reply *r, struct buffer *out);
int wire_decode_list_reply(const void *body, size_t len, struct list_reply *out,
			   struct problem *p);
void wire_list_reply_clear(struct list_reply *r);	/* of a decoded one */
/* An upper bound of what this entry adds to an encoded reply: pages are filled by it. */
size_t wire_list_entry_size(enum encoding e, const struct list_entry *entry);

/* --- lifecycle --- */

/*
 * A body needs its type and its instance id; every other key of a wrong type is ignored. An event of
 * a type that is no concern of ours decodes to EVENT_OTHER.
 */
int wire_decode_event(enum encoding e, const void *body, size_t len, struct lifecycle_event *out,
		      struct problem *p);
/* event_id and actor_id may be NULL. Protobuf. */
int wire_encode_event(const struct lifecycle_event *ev, const char *event_id, const char *actor_id,
		      struct buffer *out);

/* --- what the control plane answers --- */

enum usage_has {
	USAGE_CPU_PERCENT = 1 << 0,
	USAGE_MEMORY_USED = 1 << 1,
	USAGE_MEMORY_LIMIT = 1 << 2,
	USAGE_NETWORK_IN = 1 << 3,
	USAGE_NETWORK_OUT = 1 << 4,
};

struct resource_usage {
	unsigned has;
	double cpu_percent;
	int64_t memory_used_mb;
	int64_t memory_limit_mb;
	double network_in_mb;		/* cumulative, MiB */
	double network_out_mb;
	int64_t at_ms;			/* 0 = not said */
	uint64_t incarnation;		/* ident_hash() of the string; 0 = not said */
};

/*
 * Values are finite, not negative and such as a machine may have (memory to 2^33 MiB, network to
 * 2^43 MiB), else malformed; so is a time after the year 9999. One at or before 1970 is not said. An
 * empty body is one without any field; what counts as "no reading" is decided in usage.h.
 */
int wire_decode_usage(enum encoding e, const void *body, size_t len, struct resource_usage *out,
		      struct problem *p);

struct listed_instance {
	char instance_id[IDENT_MAX + 1];
	char *tenant_id;
	struct target target;
};

struct instance_list {
	struct listed_instance *instances;	/* owned */
	size_t n_instances;
	char *next_page_token;			/* owned; NULL = last page */
};

/*
 * An id that is none makes the whole list malformed; what else cannot be used counts as not said. JSON
 * without "instances" is the empty list only if it says nothing else.
 */
int wire_encode_instance_list_request(const char *page_token, uint32_t limit, struct buffer *out);
int wire_decode_instance_list(enum encoding e, const void *body, size_t len,
			      struct instance_list *out, struct problem *p);
void wire_instance_list_clear(struct instance_list *l);

#endif
