/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the lowering. A *stage* is one layer of a model; on the device it is a family of machines
 * with the same couplings, one for each *tile* of outputs. Quantities in *z units* are parts of
 * z = S*a + c (CONTRACT.md); divided by `gain` = 2 beta they are couplings and biases.
 */
#ifndef PBIT_SRC_LOWER_H
#define PBIT_SRC_LOWER_H

#include <stdbool.h>
#include <pbit/backend.h>
#include <pbit/lower.h>

/* The most that the sizes of a row add up to in units of the step (pbit/boltzmann.h). */
#define PBIT__ROW_BOUND 0x1p30

/* Group of p-bits that a stream of random bits may begin with. */
#define PBIT__STREAM_GROUP 128u

/* Correlation times after which a state counts as forgotten; e^-12 of it is left. */
#define PBIT__DECAY 12.0

/* A number format: a multiple of step (0: any binary32 number) in [low, high]. */
struct pbit__number {
	double step, low, high;
};

/* What a device states, in the terms of the lowering. */
struct pbit__lower_limits {
	uint64_t pbits, degree;
	bool couples;  /* clamped p-bits can be coupled to any free one */
	bool contract; /* draws as asked for */
	bool directed;
	uint32_t random_bits; /* 0: unstated */
	uint32_t sweeps;      /* until a p-bit has forgotten its state */
	struct pbit__number coupling, bias, beta;
	const char *no_couplings; /* why, "" */
};

void pbit__lower_limits(const struct pbit_caps *caps, struct pbit__lower_limits *limits);

/* Weights by input: row k has the weights of all outputs. */
struct pbit__taps {
	uint32_t n_out;
	uint32_t n; /* rows: positions of a fan-in, padding channels among them */
	uint32_t n_real;
	uint32_t *real; /* rows that are inputs, ascending */
	int8_t *w8;	/* [n][n_out], weights of 1 ... 8 bits */
	float *w32;	/* [n][n_out], binary32 */
};

int pbit__taps_read(const struct pbit_layer *layer, struct pbit__taps *taps);
void pbit__taps_free(struct pbit__taps *taps);

static inline double pbit__tap(const struct pbit__taps *taps, uint32_t k, uint32_t o)
{
	const size_t i = (size_t)k * taps->n_out + o;

	return taps->w8 ? taps->w8[i] : (double)taps->w32[i];
}

/* How a machine is made up. */
struct pbit__tile {
	uint32_t outputs, kept, copies;
	uint32_t lead; /* p-bits left out at most so that streams begin at whole groups */
	bool directed;
	bool same_draws;
};

/* What rows of a layer can reach, per output. */
struct pbit__reach {
	double *kept_sum;   /* of weights kept on the device */
	double *kept_size;  /* of their sizes */
	double *low, *high; /* of S over the folded inputs */
	double *c_low, *c_high;
};

struct pbit__stage {
	const struct pbit_layer *layer;
	bool host;
	size_t positions; /* of the output map; 1 for a dense layer */
	size_t n_values;  /* of its output */
	size_t words;	  /* 32-bit words of its output state, whole 64-bit ones */
	double input_max; /* largest value of an input: 1 for bits */
	struct pbit__taps taps;
	float *a; /* [n_out] */
	float *c; /* [positions][n_out] */
	struct pbit__tile tile;
	struct pbit__reach reach;
	bool by_threshold; /* all folded, any bias at hand: the bias that has native t(z) */
	double gain, beta;
	double coupling_step, bias_step, step;
	double bias_low, bias_high; /* in units of bias_step */
	int32_t *J;		    /* [kept][n_out] in units of step */
	struct pbit_lower_layer plan;
	char limit[256];
};

int pbit__stage_read(const struct pbit_model *model, uint32_t index, struct pbit__stage *stage);
void pbit__stage_free(struct pbit__stage *stage);

/*
 * Plans a stage that has been read: tile, gain, steps, couplings, verdict. 0 or -ENOMEM with a
 * record; impossible is a verdict.
 */
int pbit__stage_plan(struct pbit__stage *stage, const struct pbit__lower_limits *limits,
		     const struct pbit_lower_opts *opts);

/* tile.c: the largest machine. false: the device has no room for one p-bit. */
bool pbit__tile_choose(const struct pbit__stage *stage, const struct pbit__lower_limits *limits,
		       uint32_t most_kept, struct pbit__tile *tile);

/* reach.c: fills stage->reach for the tile. -ENOMEM. */
int pbit__reach_find(struct pbit__stage *stage);

/* Biases that output o may need, in z units. */
void pbit__reach_bias(const struct pbit__stage *stage, uint32_t o, double *low, double *high);

/* Coupling of kept input i to output o in z units. */
static inline double pbit__stage_coupling(const struct pbit__stage *stage, uint32_t i, uint32_t o)
{
	return (double)stage->a[o] * pbit__tap(&stage->taps, stage->taps.real[i], o) / 2;
}

/* A choice of gain, and what follows from it. */
struct pbit__scheme {
	const struct pbit__lower_limits *limits;
	double gain, coupling_step, bias_step;
};

/* gain.c: the scheme that errs least. false with stage->limit set. */
bool pbit__gain_choose(const struct pbit__lower_limits *limits, uint32_t flags,
		       struct pbit__stage *stage, struct pbit__scheme *scheme);

/* Is x a beta that the device can be given? */
bool pbit__beta_fits(const struct pbit__number *beta, double x);

/* steps.c: steps of couplings and biases at scheme->gain. false: rows exceed the bound. */
bool pbit__steps_choose(const struct pbit__stage *stage, struct pbit__scheme *scheme);

/* bound.c: errors of a row under a scheme. */
struct pbit__bound {
	double worst, typical; /* of the probability, by rounding */
	bool exact;
};

void pbit__bound_row(const struct pbit__stage *stage, const struct pbit__scheme *scheme, uint32_t o,
		     struct pbit__bound *bound);

/* The probability that a p-bit whose bias is clipped is not certain; 0 where none is clipped. */
double pbit__bound_saturation(const struct pbit__stage *stage, const struct pbit__scheme *scheme,
			      uint32_t o);

/* What the device adds: fewer random bits than the contract, memory of the sample before. */
double pbit__bound_device(const struct pbit__lower_limits *limits);

/* Is x a whole multiple of unit? */
bool pbit__is_multiple(double x, double unit);

/* The multiple of step nearest to x that the format holds. */
double pbit__number_round(const struct pbit__number *number, double step, double x);

/* An option struct of the caller, complete and checked; NULL: defaults. */
int pbit__lower_opts_read(const struct pbit_lower_opts *given, struct pbit_lower_opts *own,
			  const char *what);

int pbit__lower_no_memory(const char *what);

#endif
