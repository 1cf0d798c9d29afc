/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small Boltzmann machine in this process with the least operations and any limits, for tests of the
 * lowering: it holds the library to what it states, counts what it is asked, and can be wrong on
 * purpose.
 */
#ifndef PBIT_TEST_LOWER_DEVICE_H
#define PBIT_TEST_LOWER_DEVICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "device/device.h"

enum box_fault {
	BOX_SOUND = 0,
	BOX_DROPS_FOLD, /* keeps the first biases of a tile: what is folded later is lost */
	BOX_WRONG_BETA, /* 15 % too high */
	BOX_UNCOUPLED,	/* couplings do not act */
};

struct box {
	struct pbit_device dev;
	enum box_fault fault;
	uint32_t n;
	uint64_t *row;
	uint32_t *col;
	double *J, *h;
	uint8_t *up, *clamped;
	uint64_t random;
	uint64_t programs, updates, rebiases;
	bool has_machine;
};

static inline double box_uniform(struct box *box)
{
	uint64_t x = box->random += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static inline void box_clear(struct box *box)
{
	free(box->row);
	free(box->col);
	free(box->J);
	free(box->h);
	free(box->up);
	free(box->clamped);
	box->row = NULL;
	box->col = NULL;
	box->J = box->h = NULL;
	box->up = box->clamped = NULL;
}

static inline void box_check_value(const struct pbit_format *format, double x)
{
	if (format->integer_bits == 255)
		return;
	assert_true(x >= format->min && x <= format->max);
	x = ldexp(x, format->fraction_bits);
	assert_true(rint(x) == x);
}

/* What the library promises to check before a backend sees it. */
static inline void box_check(const struct box *box, const struct pbit_bm_view *view)
{
	const struct pbit_caps *caps = &box->dev.caps;
	int64_t row;

	if (caps->stated & PBIT_CAP_PBITS)
		assert_true(view->n <= caps->pbits);
	if (!(caps->flags & PBIT_FLAG_DIRECTED))
		assert_false(view->flags & PBIT_BM_DIRECTED);
	for (uint32_t i = 0; i < view->n; i++) {
		box_check_value(&caps->bias, view->h[i]);
		assert_true(view->h[i] == view->hq[i] * view->step);
		row = llabs(view->hq[i]);
		if (caps->stated & PBIT_CAP_FAN_IN)
			assert_true(view->row[i + 1] - view->row[i] <= caps->fan_in);
		for (uint64_t k = view->row[i]; k < view->row[i + 1]; k++) {
			box_check_value(&caps->coupling, view->J[k]);
			assert_true(view->J[k] == view->Jq[k] * view->step);
			assert_true(view->col[k] < view->n && view->col[k] != i);
			row += llabs(view->Jq[k]);
		}
		assert_true(row <= 1 << 30);
	}
}

static inline void *box_copy(const void *from, size_t count, size_t size)
{
	void *to = calloc(count + 1, size);

	assert_non_null(to);
	memcpy(to, from, count * size);
	return to;
}

static inline int box_program(void *priv, const struct pbit_bm_view *view, uint32_t order,
			      uint64_t seed)
{
	struct box *box = priv;
	const uint64_t entries = view->row[view->n];
	const bool same = box->has_machine && box->n == view->n && box->row[box->n] == entries &&
			  !memcmp(box->J, view->J, entries * sizeof(double));
	double *h = same && box->fault == BOX_DROPS_FOLD
			    ? box_copy(box->h, view->n, sizeof(double))
			    : box_copy(view->h, view->n, sizeof(double));

	(void)order;
	box_check(box, view);
	box_clear(box);
	box->n = view->n;
	box->row = box_copy(view->row, view->n + 1, sizeof(*box->row));
	box->col = box_copy(view->col, entries, sizeof(*box->col));
	box->J = box_copy(view->J, entries, sizeof(*box->J));
	box->h = h;
	box->up = calloc(view->n, 1);
	box->clamped = calloc(view->n, 1);
	box->random = seed;
	box->has_machine = true;
	box->programs++;
	return 0;
}

static inline int box_rebias(void *priv, const struct pbit_bm_view *view)
{
	struct box *box = priv;

	assert_true(box->has_machine && box->n == view->n);
	box_check(box, view);
	if (box->fault != BOX_DROPS_FOLD)
		memcpy(box->h, view->h, box->n * sizeof(*box->h));
	box->rebiases++;
	return 0;
}

static inline int box_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	struct box *box = priv;

	assert_true(!mask || (box->dev.caps.flags & PBIT_FLAG_CLAMP));
	for (uint32_t i = 0; i < box->n; i++) {
		box->clamped[i] = mask && (mask[i / 64] >> i % 64 & 1);
		if (box->clamped[i])
			box->up[i] = value[i / 64] >> i % 64 & 1;
	}
	return 0;
}

static inline int box_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	struct box *box = priv;

	(void)ctl;
	box_check_value(&box->dev.caps.beta, beta);
	if (box->fault == BOX_WRONG_BETA)
		beta *= 1.15;
	box->updates++;
	for (uint64_t s = 0; s < sweeps; s++)
		for (uint32_t i = 0; i < box->n; i++) {
			double I = box->h[i];

			if (box->clamped[i])
				continue;
			for (uint64_t k = box->row[i];
			     k < box->row[i + 1] && box->fault != BOX_UNCOUPLED; k++)
				I += box->up[box->col[k]] ? box->J[k] : -box->J[k];
			box->up[i] = box_uniform(box) < 1 / (1 + exp(-2 * beta * I));
		}
	return 0;
}

static inline int box_read(void *priv, uint64_t *state)
{
	const struct box *box = priv;

	memset(state, 0, ((size_t)box->n + 63) / 64 * sizeof(*state));
	for (uint32_t i = 0; i < box->n; i++)
		state[i / 64] |= (uint64_t)box->up[i] << i % 64;
	return 0;
}

static inline struct pbit_format box_format(uint8_t integer_bits, uint8_t fraction_bits)
{
	struct pbit_format format = {integer_bits, fraction_bits, {0}, 0, 0};

	if (integer_bits == 255) {
		format.min = -1e30;
		format.max = 1e30;
		return format;
	}
	format.min = -ldexp(1, integer_bits);
	format.max = -format.min - ldexp(1, -(int)fraction_bits);
	return format;
}

/* 256 p-bits of degree 64, couplings and biases of 8 bits, nothing but the least operations. */
static inline void box_open(struct box *box)
{
	memset(box, 0, sizeof(*box));
	pthread_mutex_init(&box->dev.lock, NULL);
	box->dev.priv = box;
	box->dev.uri = (char *)(uintptr_t) "box:";
	box->dev.ops = (struct pbit_backend_ops){
		.struct_size = sizeof(box->dev.ops),
		.program = box_program,
		.clamp = box_clamp,
		.update = box_update,
		.read = box_read,
	};
	box->dev.caps = (struct pbit_caps){
		.struct_size = sizeof(box->dev.caps),
		.flags = PBIT_FLAG_BOLTZMANN | PBIT_FLAG_CLAMP | PBIT_FLAG_SIMULATED,
		.stated = PBIT_CAP_PBITS | PBIT_CAP_FAN_IN | PBIT_CAP_TOPOLOGY | PBIT_CAP_COUPLING |
			  PBIT_CAP_BIAS | PBIT_CAP_BETA | PBIT_CAP_ORDERS,
		.pbits = 256,
		.fan_in = 64,
		.orders = PBIT_ORDER_SEQUENTIAL,
		.coupling = box_format(3, 4),
		.bias = box_format(3, 4),
		.beta = box_format(255, 0),
	};
	box->dev.caps.beta.min = 0;
}

static inline void box_close(struct box *box)
{
	box_clear(box);
	pthread_mutex_destroy(&box->dev.lock);
}

#endif
