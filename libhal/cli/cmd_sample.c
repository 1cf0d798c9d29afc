/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit sample`: samples of a machine at one temperature, streamed to a file and into statistics. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <pbit/backend.h>
#include "command.h"
#include "device_open.h"
#include "progress.h"
#include "report.h"
#include "sample.h"
#include "signals.h"

/* A call to the device takes about this long, so that Ctrl-C is answered. */
#define PIECE_SECONDS 0.02

struct sampling {
	struct sample_request request;
	struct machine machine;
	struct pbit_device *dev;
	struct state_file start; /* states NULL: none */
	struct npy_stream out;
	struct sample_tally tally;
	struct sample_outcome outcome;
	uint64_t *states;
	uint64_t samples, total; /* to be made: samples, sweeps */
	uint64_t piece;
	double began;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Where --resume goes on: the file is that of this machine and this request. */
static int read_resume(struct sampling *s)
{
	struct sample_request *request = &s->request;
	uint64_t digest;
	int err;

	if (access(request->resume, F_OK) && errno == ENOENT)
		return 0;
	err = state_file_read(&s->start, request->resume, s->machine.n,
			      (uint32_t)request->replicas);
	if (!err)
		err = machine_digest(&s->machine, &digest);
	if (err)
		return err;
	if (!s->start.has_position)
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot resume", request->resume,
				 "use --state to start from states alone",
				 "the file does not say where its run ended");
	if (s->start.machine != digest)
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot resume", request->resume, NULL,
				 "its states are of another machine than %s", s->machine.path);
	if (request->has_seed && request->seed != s->start.seed)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot resume", request->resume,
				 "leave --seed out", "its run has seed %llu, not %llu",
				 (unsigned long long)s->start.seed,
				 (unsigned long long)request->seed);
	if (request->order && s->start.order && request->order != s->start.order)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot resume", request->resume,
				 "leave --order out", "its run has another order of updates");
	request->seed = s->start.seed;
	request->order = s->start.order;
	s->outcome.first_sweep = s->start.sweep;
	if (!request->has_burn)
		request->burn = 0;
	return 0;
}

static int read_start(struct sampling *s)
{
	if (s->request.state)
		return state_file_read(&s->start, s->request.state, s->machine.n,
				       (uint32_t)s->request.replicas);
	return s->request.resume ? read_resume(s) : 0;
}

/* A device of physical randomness goes on from the states alone. */
static int seek(struct sampling *s)
{
	struct pbit_caps caps = PBIT_INIT(caps);
	int err = pbit_get_caps(s->dev, &caps);

	if (err || !(caps.flags & PBIT_FLAG_SEEDABLE))
		return err;
	return pbit_seek(s->dev, s->outcome.first_sweep);
}

static int program(struct sampling *s)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	int err;

	opts.order = s->request.order;
	opts.seed = s->request.seed;
	opts.replicas = (uint32_t)s->request.replicas;
	err = pbit_program_with(s->dev, s->machine.bm, &opts);
	if (!err && s->start.states)
		err = pbit_set_state(s->dev, s->start.states);
	if (!err && s->machine.mask)
		err = pbit_clamp(s->dev, s->machine.mask, s->machine.value);
	return err || !s->outcome.first_sweep ? err : seek(s);
}

static int open_out(struct sampling *s)
{
	const struct sample_request *request = &s->request;
	int err = output_file_spares(request->out, request->machine);

	if (!err)
		err = output_file_spares(request->out, request->state);
	if (!err)
		err = output_file_spares(request->out, request->resume);
	return err ? err
		   : npy_stream_open(&s->out, request->out, s->samples, (uint32_t)request->replicas,
				     s->machine.n);
}

static int allocate(struct sampling *s)
{
	s->states = calloc(s->machine.words * s->request.replicas, sizeof(*s->states));
	if (!s->states)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot sample", NULL, NULL,
				 "no memory for the states of %llu replicas",
				 (unsigned long long)s->request.replicas);
	return sample_tally_open(&s->tally, &s->machine, (uint32_t)s->request.replicas, s->samples);
}

static int prepare(struct sampling *s)
{
	int err = machine_open(&s->machine, s->request.machine, s->request.format);

	if (!err)
		err = machine_clamp(&s->machine, &s->request.clamps);
	if (!err && s->request.resume)
		err = output_file_spares(s->request.resume, s->request.machine);
	if (!err)
		err = read_start(s);
	if (!err)
		err = device_open(s->request.device, s->request.threads, &s->dev);
	if (!err)
		err = program(s);
	s->samples = s->request.sweeps / s->request.interval;
	s->total = s->request.burn + s->samples * s->request.interval;
	s->piece = 1;
	if (!err)
		err = allocate(s);
	if (!err)
		err = signals_catch();
	return err || !s->request.out ? err : open_out(s);
}

static void release(struct sampling *s)
{
	npy_stream_abandon(&s->out);
	sample_tally_close(&s->tally);
	free(s->states);
	if (s->dev)
		pbit_close(s->dev);
	state_file_free(&s->start);
	machine_close(&s->machine);
}

/* Sweeps in pieces that a signal can come between. */
static int advance(struct sampling *s, uint64_t sweeps)
{
	while (sweeps) {
		uint64_t part = sweeps < s->piece ? sweeps : s->piece;
		double start = now(), taken;
		int err;

		if (signals_caught())
			return -ECANCELED;
		err = pbit_update(s->dev, s->request.beta, part);
		if (err)
			return err;
		sweeps -= part;
		s->outcome.sweeps += part;
		taken = now() - start;
		if (taken < PIECE_SECONDS / 2 && part == s->piece && s->piece < UINT64_C(1) << 40)
			s->piece *= 2;
		else if (taken > PIECE_SECONDS && s->piece > 1)
			s->piece /= 2;
		progress_show("sample", s->outcome.sweeps, s->total, now() - s->began);
	}
	return 0;
}

static int take_sample(struct sampling *s)
{
	int err = pbit_read(s->dev, s->states);

	if (!err && s->request.out)
		err = npy_stream_add(&s->out, s->states, s->machine.words);
	if (!err)
		sample_tally_add(&s->tally, &s->machine, s->states);
	return err;
}

/* 0, -ECANCELED after a signal, or a negative errno with a record. */
static int run(struct sampling *s)
{
	int err;

	s->began = now();
	err = advance(s, s->request.burn);
	while (!err && s->tally.samples < s->samples) {
		err = advance(s, s->request.interval);
		if (!err)
			err = take_sample(s);
	}
	s->outcome.seconds = now() - s->began;
	s->outcome.is_complete = !err;
	progress_clear();
	return err;
}

static int write_resume(struct sampling *s)
{
	struct state_file end = {
		.seed = s->request.seed,
		.sweep = s->outcome.first_sweep + s->outcome.sweeps,
		.order = s->request.order,
		.replicas = (uint32_t)s->request.replicas,
		.states = s->states,
	};
	int err = pbit_read(s->dev, s->states);

	if (!err)
		err = machine_digest(&s->machine, &end.machine);
	return err ? err : state_file_write(&end, s->request.resume, s->machine.n);
}

/* Leaves what was sampled, also of a run that a signal ended. */
static int finish(struct sampling *s)
{
	int err = 0;

	if (s->request.out && s->tally.samples)
		err = npy_stream_commit(&s->out);
	if (!err && s->request.resume && s->outcome.sweeps)
		err = write_resume(s);
	return err;
}

int command_sample(int argc, char **argv)
{
	struct sampling s = {.samples = 0};
	int status, printed, err;

	if (!sample_request_parse(&s.request, argc, argv, &status))
		return status;
	err = prepare(&s);
	if (!err)
		err = run(&s);
	if (!err || signals_caught()) {
		if (err)
			report("interrupted after %llu of %llu samples",
			       (unsigned long long)s.tally.samples, (unsigned long long)s.samples);
		status = err ? signals_status() : STATUS_OK;
		err = finish(&s);
	}
	if (err)
		status = report_failure();
	if (!err && s.tally.samples) {
		printed = sample_report(&s.request, &s.machine, s.dev, &s.tally, &s.outcome);
		status = status == STATUS_OK ? printed : status;
	}
	release(&s);
	return status;
}
