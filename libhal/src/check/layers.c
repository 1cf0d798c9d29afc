/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer mode through a session, native or lowered: each output given its inputs is a coin of known
 * bias, so that counts over samples are exact binomials. Behind a hidden layer the bias is the mean over
 * all of the hidden layer's states.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <pbit/lower.h>
#include "check/draw.h"
#include "check/power.h"
#include "stats/stats.h"

#define INPUTS	   16u
#define HIDDEN	   8u
#define OUTPUTS	   12u
#define IMAGES	   2u
#define LEAST	   20000u
#define MOST	   400000u
#define CODE	   (1.0 / 256.0) /* real value of one step of an input code */
#define SCALE	   0.125
#define TOO_COARSE 0.1 /* an error of probabilities at which nothing is left to judge */

struct net {
	uint32_t bits, layers;
	int8_t first[HIDDEN > OUTPUTS ? HIDDEN *INPUTS : OUTPUTS *INPUTS];
	int8_t second[OUTPUTS * HIDDEN];
	float bias1[OUTPUTS], bias2[OUTPUTS];
	uint8_t codes[IMAGES * INPUTS];
	double up[IMAGES][OUTPUTS]; /* exact P(+1) */
	struct pbit_model *model;
	double alpha;
	double error; /* of a probability, that the plan of a lowered model admits */
};

static uint32_t next(uint32_t *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 16;
}

/* Weights of the narrowest width from 4 bits up that the device runs natively, else of 4. */
static uint32_t width_for(const struct pbit_caps *caps)
{
	if (!(caps->stated & PBIT_CAP_WEIGHT_BITS) || (caps->weight_bits & 1u << 3))
		return 4;
	if (caps->weight_bits & 1u << 7)
		return 8;
	return caps->weight_bits & 1u << 1 ? 2 : 1;
}

static int8_t weight(uint32_t bits, uint32_t *x)
{
	uint32_t r = next(x);

	if (bits == 1)
		return r & 1 ? 1 : -1;
	if (bits == 2)
		return (int8_t)(r % 4) - 2;
	return (int8_t)(r % 15) - 7;
}

static void fill(struct net *net)
{
	uint32_t x = 4, n1 = net->layers == 2 ? HIDDEN : OUTPUTS;

	for (uint32_t k = 0; k < n1 * INPUTS; k++)
		net->first[k] = weight(net->bits, &x);
	for (uint32_t k = 0; k < OUTPUTS * HIDDEN; k++)
		net->second[k] = weight(net->bits, &x);
	for (uint32_t k = 0; k < OUTPUTS; k++) {
		net->bias1[k] = (float)((int)(next(&x) % 33) - 16) / 32.0f;
		net->bias2[k] = (float)((int)(next(&x) % 33) - 16) / 32.0f;
	}
	for (uint32_t k = 0; k < IMAGES * INPUTS; k++)
		net->codes[k] = (uint8_t)(next(&x) % 256);
}

static double response(double I)
{
	return 1.0 / (1.0 + exp(-2.0 * I));
}

/* Exact chances of the first layer's p-bits. */
static void first_layer(const struct net *net, uint32_t image, uint32_t n, double *up)
{
	for (uint32_t o = 0; o < n; o++) {
		double sum = net->bias1[o];

		for (uint32_t k = 0; k < INPUTS; k++)
			sum += SCALE * net->first[o * INPUTS + k] * CODE *
			       net->codes[image * INPUTS + k];
		up[o] = response(sum);
	}
}

static void find_law(struct net *net)
{
	for (uint32_t image = 0; image < IMAGES; image++) {
		double hidden[OUTPUTS];

		first_layer(net, image, net->layers == 2 ? HIDDEN : OUTPUTS, hidden);
		for (uint32_t o = 0; o < OUTPUTS; o++)
			net->up[image][o] = net->layers == 2 ? 0.0 : hidden[o];
		for (uint32_t s = 0; net->layers == 2 && s < 1u << HIDDEN; s++) {
			double p = 1.0;

			for (uint32_t k = 0; k < HIDDEN; k++)
				p *= s >> k & 1 ? hidden[k] : 1.0 - hidden[k];
			for (uint32_t o = 0; o < OUTPUTS; o++) {
				double sum = net->bias2[o];

				for (uint32_t k = 0; k < HIDDEN; k++)
					sum += SCALE * net->second[o * HIDDEN + k] *
					       (s >> k & 1 ? 1.0 : -1.0);
				net->up[image][o] += p * response(sum);
			}
		}
	}
}

static int make_model(struct net *net)
{
	const float scale = (float)SCALE;
	struct pbit_layer_spec layer[2];
	struct pbit_model_spec spec = PBIT_INIT(spec);

	for (int k = 0; k < 2; k++) {
		layer[k] = (struct pbit_layer_spec)PBIT_INIT(layer[k]);
		layer[k].type = PBIT_DENSE;
		layer[k].activation = PBIT_ACT_PBIT;
		layer[k].encoding = PBIT_BIPOLAR;
		layer[k].n_out = k + 1 < (int)net->layers ? HIDDEN : OUTPUTS;
		layer[k].weight_bits = net->bits;
		layer[k].weights = k ? net->second : net->first;
		layer[k].n_scale = 1;
		layer[k].scale = &scale;
		layer[k].bias = k ? net->bias2 : net->bias1;
	}
	spec.n_layers = net->layers;
	spec.name = "check";
	spec.in = (struct pbit_shape){INPUTS, 1, 1};
	spec.input_bits = 8;
	spec.input_scale = (float)CODE;
	spec.layers = layer;
	return pbit_model_create(&spec, &net->model);
}

/*
 * What rounding may cost on a device that layers are lowered to: its plan bounds the error of each layer, and an
 * error in a hidden p-bit moves an output by that much at most.
 */
static int find_error(const struct pbit__check *c, struct net *net)
{
	struct pbit_lower_layer layer = PBIT_INIT(layer);
	struct pbit_lower_plan *plan;
	int rc;

	if (c->d.caps.flags & PBIT_FLAG_LAYERS)
		return 0;
	rc = pbit_lower_plan(net->model, &c->d.caps, NULL, &plan);
	for (uint32_t k = 0; !rc && k < net->layers; k++) {
		rc = pbit_lower_plan_layer(plan, k, &layer);
		if (!rc)
			net->error += layer.worst_error * (k + 1 < net->layers ? HIDDEN : 1.0);
	}
	if (!rc || rc == -ENOENT)
		pbit_lower_plan_free(plan);
	return rc;
}

/* The law nearest to the counts among those that the error allows. */
static double p_of(double up, double samples, double chance, double error)
{
	double low = fmax(0.0, chance - error), high = fmin(1.0, chance + error);
	double share = up / samples, nearest = fmin(fmax(share, low), high);

	return pbit__stats_binomial_test((uint64_t)llrint(up), (uint64_t)samples, nearest);
}

static int poll_session(const struct pbit_progress *progress, void *user)
{
	(void)progress;
	return pbit__check_poll(user);
}

static int run_session(struct pbit__check *c, struct net *net, uint32_t samples,
		       struct pbit_result *result)
{
	struct pbit_input input = PBIT_INIT(input);
	struct pbit_run_opts opts = PBIT_INIT(opts);
	struct pbit_session *session;
	int rc = pbit_session_new(net->model, &c->d.dev, 1, &session);

	if (rc)
		return rc;
	input.format = PBIT_INPUT_U8;
	input.data = net->codes;
	input.n_images = IMAGES;
	input.n_values = INPUTS;
	opts.samples = samples;
	opts.seed = pbit__check_seed(c);
	opts.progress = poll_session;
	opts.user = c;
	rc = pbit_session_run(session, &input, &opts, result);
	pbit_session_free(session);
	return rc;
}

static double power_of(double n, void *user)
{
	const struct net *net = user;
	double least = 1.0;

	/* An input 0.02 off in the output whose chance is nearest to one half: outputs behind it show less. */
	for (uint32_t image = 0; image < IMAGES; image++) {
		for (uint32_t o = 0; o < OUTPUTS; o++) {
			double p = net->up[image][o];

			least = fmin(least, fabs(p - 0.5));
		}
	}
	least = 0.5 - least;
	return pbit__check_power_normal(fmax(0.0, 0.04 * least * (1.0 - least) - 2.0 * net->error),
					sqrt(least * (1.0 - least) / n),
					net->alpha / (IMAGES * OUTPUTS));
}

static int judge(struct pbit__check *c, const struct net *net, const char *name,
		 const struct pbit_result *result, uint32_t samples)
{
	const double *mean = pbit_result_mean(result);
	struct pbit_check_test *t = pbit__check_add(c, name, "an offset of 0.02 in one output");
	uint32_t worst = 0;
	double least = 2.0;

	if (!t)
		return pbit__check_no_memory();
	for (uint32_t image = 0; image < IMAGES; image++) {
		for (uint32_t o = 0; o < OUTPUTS; o++) {
			double up = 0.5 * (mean[image * OUTPUTS + o] + 1.0) * samples;
			double p = p_of(up, samples, net->up[image][o], net->error);

			if (p < least) {
				least = p;
				worst = o;
			}
		}
	}
	t->p = fmin(1.0, least * IMAGES * OUTPUTS);
	t->samples = samples;
	t->interval = 0;
	t->tau = 0.5;
	t->ess = samples;
	t->power = power_of(samples, (void *)net);
	if (t->p <= c->alpha)
		pbit__check_reason(c, "output %u is the worst", worst);
	else if (net->error > 0.0)
		pbit__check_reason(c, "lowered and rounded: probabilities to within %.2g",
				   net->error);
	return 0;
}

static int run_net(struct pbit__check *c, uint32_t layers, const char *name)
{
	struct net net = {.bits = width_for(&c->d.caps), .layers = layers, .alpha = c->alpha};
	struct pbit_result *result = NULL;
	uint32_t samples;
	int rc;

	fill(&net);
	find_law(&net);
	samples = (uint32_t)ceil((double)pbit__check_size(power_of, &net, LEAST, MOST) * c->scale);
	rc = make_model(&net);
	if (rc)
		return rc;
	rc = find_error(c, &net);
	if (!rc && net.error > TOO_COARSE) {
		pbit_model_put(net.model);
		return pbit__check_not_applicable(
			c, name, "in its numbers a probability may be %.2g off", net.error);
	}
	if (!rc)
		rc = pbit_result_new(&result);
	if (!rc)
		rc = run_session(c, &net, samples, result);
	rc = rc ? pbit__check_excuse(c, name, rc) : judge(c, &net, name, result, samples);
	pbit_result_free(result);
	pbit_model_put(net.model);
	return rc;
}

int pbit__check_layers(struct pbit__check *c)
{
	int rc = run_net(c, 1, "layer, one");

	return rc ? rc : run_net(c, 2, "layer, two");
}
