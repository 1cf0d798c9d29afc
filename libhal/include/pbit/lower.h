/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lowering: p-DNN layers on a device that offers Boltzmann mode only (program, clamp, update,
 * read). A layer becomes machines whose free p-bits are its outputs, coupled to clamped p-bits
 * that hold its inputs and to nothing else, so that one sweep is an exact sample of it; what
 * does not fit on the device is summed by the host and folded into the biases. pbit_session_*()
 * and pbit_run_layers() do it by themselves where a device has no layers of its own; what is
 * here tells beforehand what it will cost and how exact it will be.
 */
#ifndef PBIT_LOWER_H
#define PBIT_LOWER_H

#include <pbit/caps.h>
#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PBIT_LOWER_ALWAYS   (1u << 0) /* lower on this device even where it runs layers itself */
#define PBIT_LOWER_SATURATE (1u << 1) /* values out of range are clipped, the error counted */
#define PBIT_LOWER_FOLD	    (1u << 2) /* no couplings: the host makes every sum */

struct pbit_lower_opts {
	uint32_t struct_size;
	uint32_t flags; /* PBIT_LOWER_* */
	uint32_t
		couplings; /* kept on the device for one output at most; 0: as many as fit and max_error allows */
	uint32_t reserved; /* 0 */
	double max_error; /* largest worst error of a probability, else impossible; 0: 0.05 where fewer couplings reach it, any where couplings is given */
};

enum pbit_lower_verdict {
	PBIT_LOWER_EXACT = 0,	  /* each p-bit has the probability t(z)/2^24 of CONTRACT.md */
	PBIT_LOWER_QUANTISED = 1, /* at most worst_error from it */
	PBIT_LOWER_IMPOSSIBLE = 2,
};

enum pbit_lower_place {
	PBIT_LOWER_ON_DEVICE = 0,
	PBIT_LOWER_ON_HOST = 1, /* read-outs and max-pools: no p-bit draws there */
};

/* What becomes of one layer. */
struct pbit_lower_layer {
	uint32_t struct_size;
	uint32_t index;	     /* in the model */
	uint32_t verdict;    /* enum pbit_lower_verdict */
	uint32_t place;	     /* enum pbit_lower_place; what follows is of the device */
	uint32_t pbits;	     /* of one machine: outputs, clamped inputs and their copies */
	uint32_t outputs;    /* free p-bits of one machine */
	uint32_t kept;	     /* inputs of an output that are couplings: the first, in order of k */
	uint32_t folded;     /* inputs summed by the host, into the bias */
	uint32_t copies;     /* clamped p-bits that hold one input */
	uint32_t saturates;  /* 1: some bias may be clipped, where the p-bit is then certain */
	uint32_t same_draws; /* 1: draws are those of the native layer: exact means the same bits */
	uint32_t sweeps;   /* of an update: more than 1 where p-bits remember (correlation time) */
	uint64_t programs; /* machines of a request */
	double updates;	   /* calls of update for a sample */
	double biases;	   /* changes of biases for a sample (programs, where the device cannot) */
	double beta;	   /* inverse temperature of the updates */
	double coupling_step, bias_step; /* of the device's numbers; z = 2 beta (sum J m + h) */
	double worst_error;		 /* bound on |p - p of CONTRACT.md| over all inputs */
	double typical_error; /* the same for the root mean square of roundings, largest row */
	const char *limit;    /* the limit that makes it impossible, "" */
};

struct pbit_lower_plan;

/*
 * Plans all layers of model for a device with these capabilities; opts may be NULL. A layer that
 * the device cannot run gets the verdict impossible, which is no failure of this call. Reads
 * every weight. -EINVAL, -ENOMEM. Any thread.
 */
PBIT_API PBIT_CHECK int pbit_lower_plan(const struct pbit_model *model,
					const struct pbit_caps *caps,
					const struct pbit_lower_opts *opts,
					struct pbit_lower_plan **plan);

/* NULL is allowed. */
PBIT_API void pbit_lower_plan_free(struct pbit_lower_plan *plan);

/* Layers of the plan: those of its model. */
PBIT_API uint32_t pbit_lower_plan_layers(const struct pbit_lower_plan *plan);

/*
 * Fills layer i as far as layer->struct_size reaches; its text lives as long as the plan.
 * -EINVAL, -ENOENT past the last.
 */
PBIT_API PBIT_CHECK int pbit_lower_plan_layer(const struct pbit_lower_plan *plan, uint32_t i,
					      struct pbit_lower_layer *layer);

/* The worst verdict of its layers: impossible before quantised before exact. */
PBIT_API uint32_t pbit_lower_plan_verdict(const struct pbit_lower_plan *plan);

/* "exact", "quantised", "impossible"; "unknown" outside. Static. */
PBIT_API const char *pbit_lower_verdict_name(uint32_t verdict);

/*
 * How layers are lowered on dev by sessions made and layers run from now on; NULL restores the
 * default. While a lowered layer runs it has the device's Boltzmann mode to itself, and leaves
 * no machine programmed. -EINVAL. Not while another thread makes a session on dev.
 */
PBIT_API PBIT_CHECK int pbit_lower_device(struct pbit_device *dev,
					  const struct pbit_lower_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
