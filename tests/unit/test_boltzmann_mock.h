/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device for tests of Boltzmann mode: it states what a test wants it to state, notes what it is
 * given, fails on demand, and otherwise does as CONTRACT.md says.
 */
#ifndef TEST_BOLTZMANN_MOCK_H
#define TEST_BOLTZMANN_MOCK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pbit/pbit.h>
#include "boltzmann/chains.h"
#include "device/device.h"
#include "job/job.h"
#include "test_boltzmann_machine.h"

#define MOCK_ORDERS (PBIT_ORDER_SEQUENTIAL | PBIT_ORDER_CHROMATIC | PBIT_ORDER_SYNCHRONOUS)

struct mock {
	struct pbit_device dev;
	struct machine *machine;
	uint32_t order;		    /* as given to program */
	uint64_t seed;		    /* likewise */
	uint64_t mask[4], value[4]; /* as given to clamp */
	bool no_mask;
	unsigned int programs, updates, rebiases;
	int fail;		 /* returned by program and update, with a record */
	bool dirty;		 /* read sets bits past n */
	unsigned int fail_after; /* updates before one fails, 0: never */
};

static inline int mock_program_replicas(void *priv, const struct pbit_bm_view *view,
					const struct pbit_program_opts *opts)
{
	struct mock *m = priv;

	if (m->fail)
		return pbit_fail(m->fail, PBIT_ERR_DEVICE, "mock", NULL, NULL, "on demand");
	m->order = opts->order;
	m->seed = opts->seed;
	m->programs++;
	machine_free(m->machine);
	m->machine = machine_new(view, opts);
	return 0;
}

static inline int mock_program(void *priv, const struct pbit_bm_view *view, uint32_t order,
			       uint64_t seed)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);

	opts.order = order;
	opts.seed = seed;
	opts.replicas = 1;
	return mock_program_replicas(priv, view, &opts);
}

static inline int mock_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	struct mock *m = priv;
	size_t bytes = m->machine->words * sizeof(*mask);

	m->no_mask = !mask;
	if (mask && bytes <= sizeof(m->mask)) {
		memcpy(m->mask, mask, bytes);
		memcpy(m->value, value, bytes);
	}
	machine_clamp(m->machine, mask, value, false);
	return 0;
}

static inline int mock_clamp_each(void *priv, const uint64_t *mask, const uint64_t *values)
{
	machine_clamp(((struct mock *)priv)->machine, mask, values, true);
	return 0;
}

static inline int mock_set_state(void *priv, const uint64_t *state)
{
	machine_set_state(((struct mock *)priv)->machine, state);
	return 0;
}

static inline int mock_update_all(struct mock *m, const double *beta, bool each, uint64_t sweeps,
				  struct pbit_ctl *ctl)
{
	if (m->fail || (m->fail_after && m->updates >= m->fail_after))
		return pbit_fail(m->fail ? m->fail : -EIO, PBIT_ERR_DEVICE, "mock", NULL, NULL,
				 "on demand");
	m->updates++;
	return machine_update(m->machine, beta, each, sweeps, ctl);
}

static inline int mock_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	return mock_update_all(priv, &beta, false, sweeps, ctl);
}

static inline int mock_update_each(void *priv, const double *beta, uint64_t sweeps,
				   struct pbit_ctl *ctl)
{
	return mock_update_all(priv, beta, true, sweeps, ctl);
}

static inline int mock_read(void *priv, uint64_t *state)
{
	const struct machine *m = ((struct mock *)priv)->machine;

	memcpy(state, m->state, m->replicas * m->words * sizeof(*state));
	if (((struct mock *)priv)->dirty)
		state[(m->n - 1) / 64] |= 1ull << 63;
	return 0;
}

static inline int mock_seek(void *priv, const struct pbit_stream *stream)
{
	((struct mock *)priv)->machine->stream = *stream;
	return 0;
}

static inline int mock_rebias(void *priv, const struct pbit_bm_view *view)
{
	struct mock *m = priv;

	m->rebiases++;
	assert_true(view->step == m->machine->step);
	memcpy(m->machine->hq, view->hq, view->n * sizeof(*view->hq));
	return 0;
}

/* What 1.1 added. */
static inline void mock_has_replicas(struct mock *m, uint64_t replicas)
{
	m->dev.caps.stated |= PBIT_CAP_REPLICAS;
	m->dev.caps.replicas = replicas;
	m->dev.ops.program_replicas = mock_program_replicas;
	m->dev.ops.clamp_each = mock_clamp_each;
	m->dev.ops.update_each = mock_update_each;
}

static inline int setup(void **state)
{
	static char uri[] = "mock:";
	struct mock *m = calloc(1, sizeof(*m));

	if (!m)
		return -1;
	pthread_mutex_init(&m->dev.lock, NULL);
	m->dev.uri = uri;
	m->dev.priv = m;
	m->dev.caps.flags = PBIT_FLAG_BOLTZMANN | PBIT_FLAG_CLAMP;
	m->dev.caps.stated = PBIT_CAP_ORDERS;
	m->dev.caps.orders = MOCK_ORDERS;
	m->dev.ops.program = mock_program;
	m->dev.ops.clamp = mock_clamp;
	m->dev.ops.set_state = mock_set_state;
	m->dev.ops.update = mock_update;
	m->dev.ops.read = mock_read;
	*state = m;
	return 0;
}

static inline int teardown(void **state)
{
	struct mock *m = *state;

	pbit__chains_forget(&m->dev);
	machine_free(m->machine);
	pthread_mutex_destroy(&m->dev.lock);
	free(m);
	return 0;
}

static inline void assert_error(int rc, int code, const char *fragment)
{
	char text[1024];

	assert_int_equal(rc, code);
	assert_int_equal(pbit_last_error()->code, code);
	pbit_format_error(text, sizeof(text));
	if (!strstr(text, fragment))
		fail_msg("\"%s\" says nothing of \"%s\"", text, fragment);
	pbit_clear_error();
}

/* A ring with J = 0.5 and h = 0.25. */
static inline struct pbit_bm *ring(uint32_t n)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(n, &bm), 0);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(pbit_bm_set_bias(bm, i, 0.25), 0);
		if (n > 2 || i + 1 < n)
			assert_int_equal(pbit_bm_add_coupling(bm, i, (i + 1) % n, 0.5), 0);
	}
	return bm;
}

static inline void program_ring(struct mock *m, uint32_t n)
{
	struct pbit_bm *bm = ring(n);

	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	pbit_bm_put(bm);
}

static inline int take_none(const uint64_t *state, uint64_t index, void *user)
{
	(void)state;
	(void)index;
	(void)user;
	fail_msg("a sample came");
	return 0;
}

static inline struct pbit_sample_opts sample_opts(uint64_t samples)
{
	struct pbit_sample_opts opts = PBIT_INIT(opts);

	opts.beta = 1.0;
	opts.samples = samples;
	opts.interval = 1;
	return opts;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
