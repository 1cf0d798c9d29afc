/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of the software device: one chain, updated p-bit by p-bit as CONTRACT.md
 * says. The random bits of a sweep depend on seed, sweep and p-bit only, so they come in
 * blocks of 128 p-bits whatever the order of the updates.
 */
#include "boltzmann.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "contract/threefry.h"
#include "contract/threshold.h"

#define GROUP  128u /* p-bits that share eight Threefry blocks */
#define BLOCKS 8u

/*
 * Units of work (about 2 ns: one coupling; a p-bit costs PBIT_WORK more) between two looks at
 * the control block: well below a millisecond.
 */
#define PBIT_WORK     24u
#define WORK_PER_LOOK (1u << 18)

struct pbit__software_bm {
	uint32_t n;
	uint32_t order;
	uint64_t seed;
	uint64_t sweep; /* since program: counter 1 of the draws */
	uint64_t work;	/* since the last look at the control block */
	size_t words;
	uint64_t *row;
	uint32_t *col;
	double *J;
	double *h;
	uint64_t *state;
	uint64_t *before;  /* the state at the start of the sweep */
	uint64_t *clamped; /* mask */
	uint16_t *draws;   /* bits 8 ... 23 of U, for a whole number of groups */
	uint32_t *visits;  /* chromatic: p-bits colour by colour, else NULL */
};

/* One sweep under way. */
struct sweep {
	double twice_beta;
	const uint64_t *seen; /* the state that neighbours are read from */
	struct pbit_ctl *ctl;
};

void pbit__software_bm_free(struct pbit__software_bm *bm)
{
	if (!bm)
		return;
	free(bm->row);
	free(bm->col);
	free(bm->J);
	free(bm->h);
	free(bm->state);
	free(bm->before);
	free(bm->clamped);
	free(bm->draws);
	free(bm->visits);
	free(bm);
}

static void *copy(const void *from, size_t count, size_t size)
{
	void *to = calloc(count ? count : 1, size);

	if (to && count)
		memcpy(to, from, count * size);
	return to;
}

/* Smallest colour that no neighbour has; taken[c] is i + 1 where one has colour c. */
static uint32_t free_colour(const struct pbit__software_bm *bm, uint32_t i, const uint32_t *colour,
			    uint32_t *taken)
{
	uint32_t c = 0;

	/* Later neighbours have no colour yet. */
	for (uint64_t k = bm->row[i]; k < bm->row[i + 1] && bm->col[k] < i; k++)
		taken[colour[bm->col[k]]] = i + 1;
	while (taken[c] == i + 1)
		c++;
	return c;
}

/* Greedy colouring in order of the index; visits: by colour, then by index. */
static int order_by_colour(struct pbit__software_bm *bm)
{
	uint32_t *colour = calloc(bm->n, sizeof(*colour));
	uint32_t *taken = calloc(bm->n, sizeof(*taken));
	uint32_t *start = calloc((size_t)bm->n + 1, sizeof(*start));
	int rc = -ENOMEM;

	bm->visits = calloc(bm->n, sizeof(*bm->visits));
	if (!colour || !taken || !start || !bm->visits)
		goto out;
	for (uint32_t i = 0; i < bm->n; i++) {
		colour[i] = free_colour(bm, i, colour, taken);
		start[colour[i] + 1]++;
	}
	for (uint32_t c = 0; c < bm->n; c++)
		start[c + 1] += start[c];
	for (uint32_t i = 0; i < bm->n; i++)
		bm->visits[start[colour[i]]++] = i;
	rc = 0;
out:
	free(start);
	free(taken);
	free(colour);
	return rc;
}

static int fill(struct pbit__software_bm *bm, const struct pbit_bm_view *view)
{
	uint64_t entries = view->row[view->n];

	bm->row = copy(view->row, (size_t)view->n + 1, sizeof(*bm->row));
	bm->col = copy(view->col, entries, sizeof(*bm->col));
	bm->J = copy(view->J, entries, sizeof(*bm->J));
	bm->h = copy(view->h, view->n, sizeof(*bm->h));
	bm->state = calloc(bm->words, sizeof(*bm->state));
	bm->before = calloc(bm->words, sizeof(*bm->before));
	bm->clamped = calloc(bm->words, sizeof(*bm->clamped));
	bm->draws = calloc(((size_t)view->n + GROUP - 1) / GROUP * GROUP, sizeof(*bm->draws));
	if (!bm->row || !bm->col || !bm->J || !bm->h || !bm->state || !bm->before || !bm->clamped ||
	    !bm->draws)
		return -ENOMEM;
	return bm->order == PBIT_ORDER_CHROMATIC ? order_by_colour(bm) : 0;
}

int pbit__software_bm_program(struct pbit__software_bm **bm, const struct pbit_bm_view *view,
			      uint32_t order, uint64_t seed)
{
	static const char what[] = "cannot program the machine";
	struct pbit__software_bm *made;

	if (!order)
		order = PBIT_ORDER_SEQUENTIAL;
	if ((order & (order - 1)) || !(order & PBIT__SOFTWARE_BM_ORDERS))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what,
				 "software:", "sequential, chromatic and synchronous are there",
				 "update order 0x%x is not", order);
	made = calloc(1, sizeof(*made));
	if (!made)
		goto no_memory;
	made->n = view->n;
	made->order = order;
	made->seed = seed;
	made->words = ((size_t)view->n + 63) / 64;
	if (fill(made, view))
		goto no_memory;
	pbit__software_bm_free(*bm);
	*bm = made;
	return 0;
no_memory:
	pbit__software_bm_free(made);
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, "software:", NULL,
			 "no memory for %u p-bits and %llu couplings", view->n,
			 (unsigned long long)(view->row[view->n] / 2));
}

int pbit__software_bm_clamp(struct pbit__software_bm *bm, const uint64_t *mask,
			    const uint64_t *value)
{
	if (!mask) {
		memset(bm->clamped, 0, bm->words * sizeof(*bm->clamped));
		return 0;
	}
	for (size_t w = 0; w < bm->words; w++) {
		bm->clamped[w] = mask[w];
		bm->state[w] = (bm->state[w] & ~mask[w]) | (value[w] & mask[w]);
	}
	return 0;
}

int pbit__software_bm_set_state(struct pbit__software_bm *bm, const uint64_t *state)
{
	for (size_t w = 0; w < bm->words; w++)
		bm->state[w] = (bm->state[w] & bm->clamped[w]) | (state[w] & ~bm->clamped[w]);
	return 0;
}

int pbit__software_bm_read(const struct pbit__software_bm *bm, uint64_t *state)
{
	memcpy(state, bm->state, bm->words * sizeof(*state));
	return 0;
}

/* The 16 upper bits of a group's draws: block b holds p-bits 4b ... 4b + 3 of each 32. */
static void draw_group(struct pbit__software_bm *bm, uint32_t group)
{
	const uint64_t key[4] = {bm->seed, PBIT_DOMAIN_BOLTZMANN, 0, 0};
	uint32_t left = bm->n - group * GROUP;
	uint32_t blocks = left < 32 ? (left + 3) / 4 : BLOCKS;
	uint16_t *draws = bm->draws + (size_t)group * GROUP;

	for (uint32_t b = 0; b < blocks; b++) {
		const uint64_t counter[4] = {(uint64_t)group * BLOCKS + b, bm->sweep, 0, 0};
		uint64_t out[4];

		pbit__threefry(key, counter, out);
		for (uint32_t w = 0; w < 4; w++) {
			for (uint32_t f = 0; f < 4; f++)
				draws[32 * w + 4 * b + f] = (uint16_t)(out[w] >> (16 * f));
		}
	}
}

/* Neighbours in ascending order, then the bias, all in binary64. */
static double input(const struct pbit__software_bm *bm, const uint64_t *seen, uint32_t i)
{
	double sum = 0.0;

	for (uint64_t k = bm->row[i]; k < bm->row[i + 1]; k++) {
		uint32_t j = bm->col[k];
		uint64_t bits, up = seen[j / 64] >> (j % 64);
		double term = bm->J[k];

		/* J * m by its sign bit: no branch on a random bit. */
		memcpy(&bits, &term, sizeof(bits));
		bits ^= ~up << 63;
		memcpy(&term, &bits, sizeof(bits));
		sum += term;
	}
	return sum + bm->h[i];
}

/* U < t. The upper 16 of its 24 bits decide nearly always. */
static bool fires(const struct pbit__software_bm *bm, uint32_t i, float z)
{
	uint32_t t = pbit__threshold24(z);
	uint32_t high = bm->draws[i];

	if (high != t >> 8)
		return high < t >> 8;
	return pbit_draw_boltzmann(bm->seed, 0, bm->sweep, i) < t;
}

static void update_one(struct pbit__software_bm *bm, const struct sweep *s, uint32_t i)
{
	uint64_t bit = 1ull << (i % 64);

	if (bm->clamped[i / 64] & bit)
		return;
	if (fires(bm, i, (float)(s->twice_beta * input(bm, s->seen, i))))
		bm->state[i / 64] |= bit;
	else
		bm->state[i / 64] &= ~bit;
	bm->work += PBIT_WORK + (bm->row[i + 1] - bm->row[i]);
}

static int look(struct pbit__software_bm *bm, struct pbit_ctl *ctl)
{
	if (bm->work < WORK_PER_LOOK)
		return 0;
	bm->work = 0;
	return pbit_ctl_check(ctl);
}

static int sweep_by_index(struct pbit__software_bm *bm, const struct sweep *s)
{
	for (uint32_t first = 0; first < bm->n; first += GROUP) {
		uint32_t end = bm->n - first < GROUP ? bm->n : first + GROUP;

		draw_group(bm, first / GROUP);
		bm->work += GROUP;
		for (uint32_t i = first; i < end; i++) {
			int rc;

			update_one(bm, s, i);
			rc = look(bm, s->ctl);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int sweep_by_colour(struct pbit__software_bm *bm, const struct sweep *s)
{
	int rc;

	for (uint32_t first = 0; first < bm->n; first += GROUP) {
		draw_group(bm, first / GROUP);
		bm->work += GROUP;
		rc = look(bm, s->ctl);
		if (rc)
			return rc;
	}
	for (uint32_t v = 0; v < bm->n; v++) {
		update_one(bm, s, bm->visits[v]);
		rc = look(bm, s->ctl);
		if (rc)
			return rc;
	}
	return 0;
}

int pbit__software_bm_update(struct pbit__software_bm *bm, double beta, uint64_t sweeps,
			     struct pbit_ctl *ctl)
{
	struct sweep s = {
		.twice_beta = 2.0 * beta,
		.seen = bm->order == PBIT_ORDER_SYNCHRONOUS ? bm->before : bm->state,
		.ctl = ctl,
	};

	for (uint64_t done = 0; done < sweeps; done++) {
		int rc;

		memcpy(bm->before, bm->state, bm->words * sizeof(*bm->state));
		rc = bm->visits ? sweep_by_colour(bm, &s) : sweep_by_index(bm, &s);
		if (rc) {
			memcpy(bm->state, bm->before, bm->words * sizeof(*bm->state));
			return pbit_fail(
				rc, rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED,
				"cannot update the machine",
				"software:", "the state behind the last whole sweep is kept",
				"%s after %llu of %llu sweeps",
				rc == -ETIMEDOUT ? "the deadline passed" : "cancelled",
				(unsigned long long)done, (unsigned long long)sweeps);
		}
		bm->sweep++;
	}
	return 0;
}
