/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A p-bit layer on the device. Tile by tile: the couplings go there once, then for each output
 * position and column the biases where they change, the inputs, one sweep, and the outputs back.
 */
#include <math.h>
#include <string.h>
#include "contract/threshold.h"
#include "lower/pass.h"
#include "model/gather.h"

#define NOT_YET UINT32_MAX

/* A tile at one position. */
struct place {
	struct pbit__pass *pass;
	const struct pbit__stage *stage;
	struct pbit__machine *machine;
	struct pbit__part part;
	size_t position;
	unsigned int from;
};

const uint32_t *pbit__pass_field(struct pbit__pass *pass, const struct pbit__stage *stage,
				 const uint32_t *state, size_t position)
{
	if (stage->layer->type == PBIT_DENSE)
		return state;
	pbit__gather(stage->layer, state, position, pass->patch);
	return pass->patch;
}

/* The bias in steps of 2^-25 of z that has the t of the contract's z. */
static int32_t same_threshold(double unit, float z)
{
	static const int near[] = {0, 1, -1, 2, -2};
	const uint32_t t = pbit__threshold24(z);
	double x = z > -20.0f ? (double)z : -20.0;
	int32_t q;

	x = x < 20.0 ? x : 20.0;
	q = (int32_t)rint(x / unit);
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		if (pbit__threshold24((float)(unit * (q + near[i]))) == t)
			return q + near[i];
	return q;
}

static void find_biases(const struct place *place)
{
	const struct pbit__stage *stage = place->stage;
	const struct pbit__sums *sums = &place->pass->sums;
	const uint32_t n = stage->layer->n_out, first = place->part.first;
	const float *c = stage->c + place->position * n;
	const double unit = stage->gain * stage->bias_step;
	const int32_t fine = (int32_t)rint(stage->bias_step / stage->step);
	int32_t *hq = place->pass->hq;

	for (uint32_t i = 0; i < place->part.n; i++) {
		const uint32_t o = first + i;
		const double half = stage->reach.kept_sum[o] / 2;
		double S, b;

		if (stage->by_threshold) {
			const float s = stage->taps.w32 ? sums->f[i] : (float)sums->s[i];

			hq[i] = same_threshold(unit, s * stage->a[o] + c[o]);
			continue;
		}
		S = stage->taps.w32 ? (double)sums->f[i] : (double)sums->s[i];
		b = rint(((double)stage->a[o] * (S + half) + (double)c[o]) / unit);
		b = fmin(fmax(b, stage->bias_low), stage->bias_high);
		hq[i] = (int32_t)b * fine;
	}
}

/* Inputs of the columns first, first + step, ... to the replicas; the biases of the first. */
static void place_inputs(struct place *place, uint32_t first, uint32_t step, uint32_t n)
{
	struct pbit__pass *pass = place->pass;

	for (uint32_t r = 0; r < n; r++) {
		const uint32_t *state = pass->bits[place->from] + (first + r * step) * pass->words;
		const uint32_t *field =
			pbit__pass_field(pass, place->stage, state, place->position);

		pbit__machine_inputs(place->machine, r, field);
		if (r)
			continue;
		pbit__sum_bits(place->stage, &place->part, field, &pass->sums);
		find_biases(place);
		pbit__machine_bias(place->machine, pass->hq);
	}
}

static void place_codes(struct place *place, uint32_t column, uint32_t *image)
{
	struct pbit__pass *pass = place->pass;

	if (*image == pbit__pass_image(pass, column))
		return;
	*image = (uint32_t)pbit__pass_image(pass, column);
	pbit__sum_codes(place->stage, &place->part, pbit__pass_codes(pass, column),
			pass->req->code_bytes, place->position, &pass->sums);
	find_biases(place);
	pbit__machine_bias(place->machine, pass->hq);
}

static int fire(struct place *place, uint32_t first, uint32_t step, uint32_t n)
{
	struct pbit__pass *pass = place->pass;
	const struct pbit__stage *stage = place->stage;
	const size_t at = place->position * stage->layer->out_stride + place->part.first;
	const struct pbit__draw draw = {
		.seed = pass->req->seed,
		.image = pbit__pass_number(pass, first),
		.sample = pbit__pass_sample(pass, first),
		.first = at,
	};
	int rc = pbit__machine_fire(place->machine, &draw, pass->ctl);

	for (uint32_t r = 0; !rc && r < n; r++)
		pbit__machine_outputs(
			place->machine, r,
			pass->bits[1 - place->from] + (first + r * step) * pass->words, at);
	return rc;
}

/* Columns of one sample whose images are numbered in a row: replicas draw as one chain after another. */
static uint32_t images_in_row(const struct pbit__pass *pass, uint32_t column, uint32_t most)
{
	const uint64_t number = pbit__pass_number(pass, column);
	const uint32_t step = pass->req->n_samples;
	uint32_t n = 1;

	while (n < most && (uint64_t)column + (uint64_t)n * step < pass->n &&
	       pbit__pass_number(pass, column + n * step) == number + n)
		n++;
	return n;
}

/* Replicas that draw as asked: the images of a sample together, sample by sample. */
static int fire_by_sample(struct place *place, uint32_t replicas)
{
	struct pbit__pass *pass = place->pass;
	const uint32_t step = pass->req->n_samples;
	int rc = 0;

	for (uint32_t s = 0; s < step && s < pass->n; s++)
		for (uint32_t column = s, n; !rc && column < pass->n; column += n * step) {
			n = images_in_row(pass, column, replicas);
			place_inputs(place, column, step, n);
			rc = fire(place, column, step, n);
		}
	return rc;
}

/* Columns that share their biases, so that replicas can take them together. */
static uint32_t columns_alike(const struct place *place, uint32_t column, uint32_t most)
{
	const struct pbit__pass *pass = place->pass;
	uint32_t n = 1;

	while (n < most && column + n < pass->n &&
	       (!pass->req->codes || place->stage->layer->index ||
		pbit__pass_image(pass, column + n) == pbit__pass_image(pass, column)))
		n++;
	return n;
}

static int fire_in_order(struct place *place, uint32_t replicas)
{
	const bool codes = place->stage->layer->in_encoding == PBIT_CODES;
	struct pbit__pass *pass = place->pass;
	uint32_t image = NOT_YET;
	int rc = 0;

	for (uint32_t column = 0, n; !rc && column < pass->n; column += n) {
		n = columns_alike(place, column, replicas);
		if (codes)
			place_codes(place, column, &image);
		else
			place_inputs(place, column, 1, n);
		rc = fire(place, column, 1, n);
	}
	return rc;
}

/* Replicas share their biases: they pay where those do not depend on the column. */
static uint32_t choose_replicas(const struct pbit__pass *pass, const struct pbit__stage *stage)
{
	const struct pbit_device *dev = pass->dev;
	const bool codes = stage->layer->in_encoding == PBIT_CODES;
	const bool draws = stage->tile.same_draws && dev->ops.seek;
	uint64_t most = pass->n;

	if (!dev->ops.program_replicas || !dev->ops.clamp_each ||
	    !(dev->caps.stated & PBIT_CAP_REPLICAS))
		return 1;
	if (codes ? draws : stage->plan.folded > 0)
		return 1;
	if (draws)
		most = (pass->n + pass->req->n_samples - 1) / pass->req->n_samples;
	else if (codes)
		most = most < pass->req->n_samples ? most : pass->req->n_samples;
	if (most > dev->caps.replicas)
		most = dev->caps.replicas;
	return most > 1 ? (uint32_t)most : 1;
}

static int fire_tile(struct place *place, uint32_t lead)
{
	const struct pbit__stage *stage = place->stage;
	const uint32_t replicas = place->machine->replicas;
	const size_t stride = stage->layer->out_stride;
	int rc = 0;

	pbit__machine_tile(place->machine, place->part.first, place->part.n, lead);
	for (size_t p = 0; !rc && p < stage->positions; p++) {
		place->position = p;
		if (stage->tile.lead &&
		    (p * stride + place->part.first) % PBIT__STREAM_GROUP != lead)
			continue;
		if (replicas > 1 && stage->layer->in_encoding != PBIT_CODES &&
		    place->machine->seeks)
			rc = fire_by_sample(place, replicas);
		else
			rc = fire_in_order(place, replicas);
	}
	return rc;
}

/* Every tile, with each distance of a position's first p-bit from a group of the stream. */
static int fire_tiles(struct place *place)
{
	const struct pbit__tile *tile = &place->stage->tile;
	const uint32_t n = place->stage->layer->n_out;
	const uint32_t unit = tile->lead ? PBIT__STREAM_GROUP - tile->lead : PBIT__STREAM_GROUP;
	int rc = 0;

	for (uint32_t first = 0; !rc && first < n; first += tile->outputs) {
		place->part.first = first;
		place->part.n = n - first < tile->outputs ? n - first : tile->outputs;
		for (uint32_t lead = 0; !rc && lead <= tile->lead; lead += unit)
			rc = fire_tile(place, lead);
	}
	return rc;
}

int pbit__fire_stage(struct pbit__pass *pass, const struct pbit__stage *stage, unsigned int from)
{
	struct pbit__machine machine;
	struct place place = {
		.pass = pass,
		.stage = stage,
		.machine = &machine,
		.part.input = stage->tile.kept,
		.from = from,
	};
	int rc;

	memset(pass->bits[1 - from], 0, pass->n * pass->words * sizeof(uint32_t));
	rc = pbit__machine_new(pass->dev, stage, choose_replicas(pass, stage), &machine);
	if (!rc)
		rc = fire_tiles(&place);
	pbit__machine_free(&machine);
	return rc;
}
