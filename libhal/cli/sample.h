/* SPDX-License-Identifier: Apache-2.0 */
/* What `pbit sample` is asked for, does and tells. */
#ifndef PBIT_CLI_SAMPLE_H
#define PBIT_CLI_SAMPLE_H

#include <pbit/device.h>
#include "machine.h"
#include "npy_stream.h"
#include "series.h"
#include "state_file.h"

/* p-bits up to which the states themselves are counted. */
#define SAMPLE_COUNT_PBITS 12u

struct sample_request {
	const char *machine, *format, *device;
	struct text_list clamps;
	uint64_t threads;
	double beta;
	uint64_t sweeps, burn, interval, replicas, seed;
	uint32_t order;
	const char *state, *resume, *out;
	bool has_seed, has_burn, want_json;
};

/* False: *status is the exit status. */
bool sample_request_parse(struct sample_request *request, int argc, char **argv, int *status);

/* What comes of the samples. */
struct sample_tally {
	struct series energy, magnetisation, absolute;
	uint64_t samples; /* of each replica */
	uint64_t *up;	  /* per p-bit: samples of +1 */
	uint64_t *states; /* per state, NULL for more than SAMPLE_COUNT_PBITS */
};

int sample_tally_open(struct sample_tally *tally, const struct machine *machine, uint32_t replicas,
		      uint64_t samples);
void sample_tally_close(struct sample_tally *tally);

/* One sample of all replicas. */
void sample_tally_add(struct sample_tally *tally, const struct machine *machine,
		      const uint64_t *states);

struct sample_outcome {
	uint64_t first_sweep, sweeps; /* made, burn-in included */
	double seconds;
	bool is_complete;
};

/* JSON or a table; returns an exit status. */
int sample_report(const struct sample_request *request, const struct machine *machine,
		  const struct pbit_device *dev, const struct sample_tally *tally,
		  const struct sample_outcome *outcome);

#endif
