/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole backend in one file, to start yours from: a machine of at most 64
 * p-bits that knows program, clamp, update and read, and no more. Replace the
 * body of update() by your hardware.
 *
 * Build it as pbit-dice.so and name its folder in PBIT_BACKEND_PATH; its
 * devices are then opened as dice:pbits=N.
 */
#include <errno.h>
#include <stdlib.h>
#include <pbit/backend.h>

#define MOST 64u

struct dice {
	uint32_t pbits; /* of the device */
	uint32_t n;	/* of the machine programmed */
	double J[MOST][MOST];
	double h[MOST];
	uint64_t state, mask, seed, sweep;
};

static int dice_scan(const struct pbit_backend *self, pbit_found_fn *fn, void *user)
{
	struct pbit_found found = PBIT_INIT(found);

	found.flags = PBIT_FLAG_SIMULATED;
	found.uri = "dice:";
	found.description = self->description;
	found.backend = self->name;
	found.reason = "";
	return fn(&found, user);
}

static int dice_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	static const char *const known[] = {"pbits", NULL};
	uint64_t pbits = MOST;
	struct dice *dice;
	int rc;

	(void)opts;
	rc = pbit_uri_only(uri, known);
	if (!rc)
		rc = pbit_uri_number(uri, "pbits", 1, MOST, &pbits);
	if (rc)
		return rc;
	dice = calloc(1, sizeof(*dice));
	if (!dice)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri->text, NULL,
				 "out of memory");
	dice->pbits = (uint32_t)pbits;
	*priv = dice;
	return 0;
}

static void dice_close(void *priv)
{
	free(priv);
}

static int dice_get_caps(void *priv, struct pbit_caps *caps)
{
	const struct dice *dice = priv;

	caps->flags = PBIT_FLAG_BOLTZMANN | PBIT_FLAG_CLAMP | PBIT_FLAG_SEEDABLE |
		      PBIT_FLAG_CONTRACT | PBIT_FLAG_SIMULATED;
	caps->stated = PBIT_CAP_PBITS | PBIT_CAP_TOPOLOGY | PBIT_CAP_ORDERS | PBIT_CAP_RANDOM_BITS;
	caps->pbits = dice->pbits;
	caps->topology = PBIT_TOPOLOGY_ALL;
	caps->orders = PBIT_ORDER_SEQUENTIAL;
	caps->random_bits = 24;
	return 0;
}

static int dice_program(void *priv, const struct pbit_bm_view *view, uint32_t order, uint64_t seed)
{
	struct dice *dice = priv;

	(void)order; /* the library asks only for what is stated */
	for (uint32_t i = 0; i < view->n; i++) {
		for (uint32_t j = 0; j < view->n; j++)
			dice->J[i][j] = 0.0;
		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++)
			dice->J[i][view->col[k]] = view->J[k];
		dice->h[i] = view->h[i];
	}
	dice->n = view->n;
	dice->seed = seed;
	dice->state = dice->mask = dice->sweep = 0;
	return 0;
}

static int dice_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	struct dice *dice = priv;

	dice->mask = mask ? mask[0] : 0;
	if (mask)
		dice->state = (dice->state & ~mask[0]) | (value[0] & mask[0]);
	return 0;
}

static int dice_set_state(void *priv, const uint64_t *state)
{
	struct dice *dice = priv;

	dice->state = (dice->state & dice->mask) | (state[0] & ~dice->mask);
	return 0;
}

static int dice_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	struct dice *dice = priv;

	for (uint64_t s = 0; s < sweeps; s++, dice->sweep++) {
		const int rc = s % 1024 ? 0 : pbit_ctl_check(ctl);

		if (rc)
			return pbit_fail(rc, PBIT_ERR_CANCELLED, "update ended early",
					 "dice:", NULL, "the caller asked for it");
		for (uint32_t i = 0; i < dice->n; i++) {
			double input = 0.0;

			if (dice->mask >> i & 1)
				continue;
			for (uint32_t j = 0; j < dice->n; j++)
				if (dice->J[i][j] != 0.0)
					input += dice->state >> j & 1 ? dice->J[i][j]
								      : -dice->J[i][j];
			input += dice->h[i];
			dice->state &= ~(1ull << i);
			if (pbit_draw_boltzmann(dice->seed, 0, dice->sweep, i) <
			    pbit_threshold24((float)(2.0 * beta * input)))
				dice->state |= 1ull << i;
		}
	}
	return 0;
}

static int dice_read(void *priv, uint64_t *state)
{
	const struct dice *dice = priv;

	state[0] = dice->state;
	return 0;
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.scan = dice_scan,
	.open = dice_open,
	.close = dice_close,
	.get_caps = dice_get_caps,
	.program = dice_program,
	.clamp = dice_clamp,
	.set_state = dice_set_state,
	.update = dice_update,
	.read = dice_read,
};

PBIT_EXPORT const struct pbit_backend pbit_backend_entry = {
	.struct_size = sizeof(pbit_backend_entry),
	.abi = PBIT_ABI,
	.name = "dice",
	.scheme = "dice",
	.description = "example backend: up to 64 p-bits in software",
	.version = "1.0",
	.rank = PBIT_RANK_NEVER,
	.ops = &ops,
};
