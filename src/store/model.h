/*
 * model - how one column is told in bits: what is expected of a value, and the code of how it
 * differs.
 *
 * A value is predicted (not at all, or by the value before it in its block, or by another column of
 * the same row) and what remains, its residual, is told by the code of its bin (bins.h, huffman.h)
 * and the bin's extra bits. The last bin is the escape: it takes what is in no other, so that a
 * model made for one group of samples serves for later ones as well. Groups of one ring share
 * models; each holds a reference.
 *
 * Where one residual is by far the commonest the model is sparse: each 16 values begin with one
 * bit, and 0 says that all of them are it.
 */
#ifndef METER_MODEL_H
#define METER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bins.h"
#include "huffman.h"

enum predictor {
	PREDICT_NOTHING,	/* residual = code */
	PREDICT_PREVIOUS,	/* of the same block, absent ones skipped */
	PREDICT_COLUMN,		/* another column of the same row */
};

/* Residuals of a predicted value; CODE_ABSENT stays itself. */
#define RESIDUAL_ZERO 0x80000000u

#define MODEL_RUN 16	/* values of a sparse column under one bit */
/*
 * An escape takes residuals from its base on, modulo 2^32, of so many bits: any of a metric
 * that is not memory.
 */
#define MODEL_ESCAPE_BITS 20

struct model {
	unsigned refs;
	float bits;		/* a value took on average when the model was made */
	uint32_t common;	/* of a sparse one */
	uint16_t rows;		/* it was made from */
	uint32_t origin;	/* bases are told from here */
	uint32_t escape;	/* base of the last bin */
	uint8_t predictor;
	uint8_t by;		/* the column that predicts */
	bool sparse;
	bool wide;		/* two values may be more than one word */
	uint8_t n;		/* bins, the escape is the last */
	uint8_t base_bytes;
	/* A byte for each bin's length and extra bits, then the bases, but the escape's. */
	uint8_t packed[];
};

/* What a model is to be made of. */
struct model_plan {
	enum predictor predictor;
	unsigned by;
	bool sparse;
	uint32_t common;
	uint32_t escape;	/* takes what is in none of the bins from here on */
	struct bins bins;	/* at most BINS_MAX - 1 */
};

/* One reference for the caller. NULL without memory. */
struct model *model_new(const struct model_plan *plan);
struct model *model_ref(struct model *m);
void model_unref(struct model *m);	/* NULL is fine */
size_t model_bytes(const struct model *m);

/* --- values to bits --- */

/* Of the span of a model's bins: so many that as a rule a cell has one bin. */
#define ENCODER_CELL_BITS 12
#define ENCODER_CELLS (1u << ENCODER_CELL_BITS)

/* A model laid out for finding a value's bin. */
struct encoder {
	const struct model *model;
	unsigned n;
	uint32_t base[BINS_MAX];	/* ascending, but for the escape */
	uint8_t extra[BINS_MAX];
	uint8_t length[BINS_MAX];
	uint8_t code[BINS_MAX];
	unsigned shift;			/* of a residual less base[0], to its cell */
	uint8_t cell[ENCODER_CELLS + 2];	/* the first bin that may hold a residual of it */
};

void encoder_init(struct encoder *e, const struct model *m);

/*
 * How many bits n residuals take, and the bin of each; SIZE_MAX if the model cannot tell one of
 * them. BIN_COMMON is all of a run that is common.
 */
#define BIN_COMMON 255
size_t encoder_cost(const struct encoder *e, const uint32_t *residuals, unsigned n, uint8_t *bins);
/* Appends them at bit *at of zeroed memory. */
void encoder_put(const struct encoder *e, const uint32_t *residuals, unsigned n,
		 const uint8_t *bins, uint8_t *bytes, size_t *at);

/* --- bits to values --- */

/*
 * By the next 8 bits of a stream: in the upper half the bin's base, less its code as it stands
 * before the extra bits; in the lower how many bits the value takes, so that value = upper half +
 * these bits.
 */
struct decoder {
	const struct model *model;	/* the one it was made for */
	uint64_t entry[1u << HUFFMAN_BITS];
};

void decoder_init(struct decoder *d, const struct model *m);

#endif
