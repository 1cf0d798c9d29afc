/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a p-DNN: T samples pass the whole network, its output is averaged.
 *
 * A session binds a model to one or several devices; weights are loaded once.
 * Runs on a session are serialised. Results do not depend on how images and
 * samples were divided between devices that follow the contract.
 */
#ifndef PBIT_RUN_H
#define PBIT_RUN_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pbit_input_format {
	PBIT_INPUT_U8 = 0,  /* codes, or a model with 8-bit input */
	PBIT_INPUT_U16 = 1, /* codes, host byte order */
	PBIT_INPUT_F32 = 2, /* real values, converted by the model's scale and zero */
	PBIT_INPUT_F64 = 3,
};

/* A batch of inputs: n_images rows of the model's n_inputs values. */
struct pbit_input {
	uint32_t struct_size;
	uint32_t format;  /* enum pbit_input_format */
	const void *data; /* borrowed until the run ends */
	uint64_t n_images;
	uint64_t n_values; /* per image; must be the model's n_inputs */
	size_t stride;	   /* bytes from an image to the next; 0: rows are contiguous */
};

struct pbit_progress {
	uint32_t struct_size;
	uint32_t n_devices;
	uint64_t images_done;
	uint64_t images;
	uint64_t samples_done; /* image-samples drawn */
	double seconds;
};

/*
 * Called now and then in the thread that runs; it must not use the session that calls it, which
 * would wait for itself. Return non-zero to interrupt: the run ends with -ECANCELED and the
 * result holds what is complete.
 */
typedef int pbit_progress_fn(const struct pbit_progress *progress, void *user);

struct pbit_run_opts {
	uint32_t struct_size;
	uint32_t samples; /* T, at least 1 */
	uint64_t seed;
	uint64_t first_image;	    /* number of the first image in the random stream's key */
	uint32_t first_sample;	    /* likewise */
	uint32_t batch;		    /* images per request, 0: the library's choice */
	uint32_t sample_block;	    /* samples per request, 0: the library's choice */
	uint32_t min_samples;	    /* early stop: never before this many, 0: 2 */
	double confidence;	    /* early stop: 0 none, else in (0.5, 1) */
	int64_t deadline_ns;	    /* absolute CLOCK_MONOTONIC, 0: none */
	pbit_progress_fn *progress; /* may be NULL */
	void *user;
	uint64_t flags; /* must be 0 */
};

/*
 * Loads `model` on each of the devices. The session holds its own reference to the model; the
 * devices must outlive it. *session is freed by pbit_session_free(). -E2BIG a device's stated
 * limit is exceeded (the record names it), -EOPNOTSUPP a layer or precision that a device does
 * not run, -ENOMEM, -ENODEV, -EINVAL.
 */
PBIT_API PBIT_CHECK int pbit_session_new(struct pbit_model *model,
					 struct pbit_device *const *devices, uint32_t n_devices,
					 struct pbit_session **session);

/* Waits for running work, then unloads. NULL is allowed. */
PBIT_API void pbit_session_free(struct pbit_session *session);

/*
 * Runs `input` and fills `result` (made by pbit_result_new(), reused at will).
 * Blocks. After an error the result holds the images completed before it
 * (pbit_result_images()).
 *
 * Early stop (opts->confidence = C): an image stops drawing once its leading class
 * is decided. At looks k = 1, 2, ... after each block of samples, the paired difference
 * between the leader and every rival must exceed its standard error by the
 * Student quantile of level (1 - C) / (k (k + 1) (n_outputs - 1)), one-sided. The bound sums over
 * looks and rivals to at most 1 - C for a wrong decision, as far as sample means are normal. A
 * difference that is constant over at least 8 samples counts as decided.
 *
 * -EINVAL (T = 0, wrong size), -EDOM (NaN or infinite input, the record names image and value),
 * -ETIMEDOUT, -ECANCELED, -ENODEV, -ENOMEM.
 */
PBIT_API PBIT_CHECK int pbit_session_run(struct pbit_session *session,
					 const struct pbit_input *input,
					 const struct pbit_run_opts *opts,
					 struct pbit_result *result);

/*
 * The same as a job. input's data, and result, are borrowed until the job has
 * ended; both structs themselves are copied. The progress callback runs in the
 * library's thread. See job.h.
 */
PBIT_API PBIT_CHECK int pbit_session_submit(struct pbit_session *session,
					    const struct pbit_input *input,
					    const struct pbit_run_opts *opts,
					    struct pbit_result *result, struct pbit_job **job);

/* An empty result, to be freed by pbit_result_free(). -ENOMEM. */
PBIT_API PBIT_CHECK int pbit_result_new(struct pbit_result **result);

/* NULL is allowed. Not during a run that fills it. */
PBIT_API void pbit_result_free(struct pbit_result *result);

/* Images that are complete, and values per output. */
PBIT_API uint64_t pbit_result_images(const struct pbit_result *result);
PBIT_API uint64_t pbit_result_outputs(const struct pbit_result *result);

/*
 * Arrays over [image][output], valid until the next run into this result: the
 * mean over samples, its standard error (sd of samples / sqrt(T); 0 at T = 1), and
 * the number of samples in which the output was the largest (the first of equals).
 */
PBIT_API const double *pbit_result_mean(const struct pbit_result *result);
PBIT_API const double *pbit_result_stderr(const struct pbit_result *result);
PBIT_API const uint32_t *pbit_result_votes(const struct pbit_result *result);

/* Arrays over [image]: the output with the largest mean (the first of equals); samples drawn. */
PBIT_API const uint32_t *pbit_result_class(const struct pbit_result *result);
PBIT_API const uint32_t *pbit_result_samples(const struct pbit_result *result);

struct pbit_run_stats {
	uint32_t struct_size;
	uint32_t n_devices;
	double seconds; /* wall clock of the run */
	uint64_t images;
	uint64_t samples;	 /* image-samples drawn */
	uint64_t clipped_inputs; /* real inputs outside the range of codes */
	uint64_t pbit_updates;
};

/* Fills stats of the last run into this result, as far as stats->struct_size reaches. -EINVAL. */
PBIT_API PBIT_CHECK int pbit_result_stats(const struct pbit_result *result,
					  struct pbit_run_stats *stats);

/*
 * One request for a range of layers, in the terms of the contract: what a backend runs, and
 * what a test or a pipeline asks for directly. Exactly one kind of input: codes
 * for a range that begins at layer 0, else in_bits. Any of the outputs may be NULL.
 */
struct pbit_layers_req {
	uint32_t struct_size;
	uint32_t code_bytes; /* 1 or 2 */
	const void *
		codes; /* [image][n_inputs], in the order of MODEL.md (channels last), host byte order */
	size_t code_stride; /* bytes from an image to the next */
	const uint64_t *
		in_bits; /* [image][sample][words of the input state]; bits past the state, and of padding channels inside a map, must be 0 */
	uint32_t n_images;
	uint32_t n_samples;
	uint64_t seed;
	uint64_t first_image;
	uint64_t first_sample;
	uint64_t *
		out_bits; /* [image][sample][words of the output state]: a range that ends in a p-bit or max-pool layer */
	int64_t *out_raw; /* [image][sample][n_outputs]: what CONTRACT.md, Read-out, sums */
	int64_t *out_sum; /* [image][n_outputs]: the sums over these samples */
	const uint64_t *
		image_numbers; /* n_images numbers for the random stream's key, in place of first_image, first_image + 1, ...; NULL: those */
};

/*
 * Loads layers first ... first + n_layers - 1 of model on dev, runs req, unloads.
 * Blocks. Errors as pbit_session_new() and pbit_session_run().
 */
PBIT_API PBIT_CHECK int pbit_run_layers(struct pbit_device *dev, struct pbit_model *model,
					uint32_t first, uint32_t n_layers,
					const struct pbit_layers_req *req);

#ifdef __cplusplus
}
#endif
#endif
