/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device against the reference: random inputs for a range of layers, both run, every output compared
 * byte by byte, and no byte written beyond them. A device that does not draw as the contract
 * says is checked for consistency of its outputs only.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include <stdbool.h>
#include <pbit/pbit.h>

/* The device under test. */
struct subject {
	struct pbit_device *dev;
	struct pbit_caps caps;
	bool contract;	  /* draws as CONTRACT.md says */
	uint64_t runs;	  /* compared so far */
	uint64_t refused; /* outside what the device states that it runs */
};

/* One run. */
struct trial {
	struct pbit_model *model;
	uint32_t first, n;
	uint32_t images, samples;
	uint64_t seed, first_image, first_sample;
	const uint64_t *image_numbers; /* may be NULL */
	uint64_t input_seed;
	const char *name; /* for the message of a failure */
};

/* A request with its arrays. */
struct request {
	struct pbit_layers_req req;
	size_t bits, raw, sum; /* elements; bits is 0 behind a read-out */
	size_t inputs;	       /* words or codes of all images */
	void *input;
};

/*
 * Opens the device at `uri`, NULL: the environment's PBIT_TEST_URI, else software:threads=1. 0, 77
 * where it has no layer mode, 1 with a message on standard error.
 */
int subject_open(struct subject *subject, const char *uri);
void subject_close(struct subject *subject);

/* Random inputs and cleared outputs. Fail the running test where memory is short. */
void request_new(struct request *request, const struct trial *trial);
void request_free(struct request *request);

/* Runs the device; false where it states that it cannot. Fails the running test on an error. */
bool subject_run(struct subject *subject, const struct trial *trial, struct request *request);

/* Runs both and compares. Fails the running test where they differ. */
void subject_compare(struct subject *subject, const struct trial *trial);

/* Compares two filled requests of one trial. Fails the running test where they differ. */
void request_assert_same(const struct request *got, const struct request *expected,
			 const struct trial *trial);

#endif
