/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engines that update chain by chain against CONTRACT.md written out: shapes, orders, sizes of
 * couplings, replicas, threads, instruction sets, clamps, betas, streams, biases, bit by bit after
 * each of a series of calls.
 */
#include "test_engine_machine.h"

#include <errno.h>
#include <math.h>
#include <time.h>
#include "job/job.h"
#include "software/boltzmann/bipartite.h"
#include "software/boltzmann/dense.h"
#include "software/boltzmann/sparse.h"
#include "software/kernels/kernels.h"

#define MOST 160u /* p-bits */

static const int32_t largest_of[] = {1, 7, 100, 30000, 5000000};

struct drive {
	const struct soft_bm_engine *engine;
	struct machine *m;
	uint32_t order, replicas;
	void *priv;
	uint32_t visit[MOST];
	bool clamped[MOST];
	uint8_t *slow; /* replicas x n */
	double *beta;
	uint64_t *packed;
	struct soft_bm_position at;
	uint64_t random;
};

static enum soft_level best_level(void)
{
#ifdef __x86_64__
	if (soft_kernels_avx512.usable())
		return SOFT_LEVEL_AVX512;
	if (soft_kernels_avx2.usable())
		return SOFT_LEVEL_AVX2;
#endif
	return SOFT_LEVEL_PORTABLE;
}

static size_t words(const struct drive *d)
{
	return ((size_t)d->m->view.n + 63) / 64;
}

/* Random packed states for all replicas, or one. */
static void random_states(struct drive *d)
{
	for (size_t w = 0; w < d->replicas * words(d); w++) {
		d->packed[w] = next_random(&d->random);
		if (w % words(d) == words(d) - 1 && d->m->view.n % 64)
			d->packed[w] &= (1ull << d->m->view.n % 64) - 1;
	}
}

static uint8_t packed_bit(const struct drive *d, uint32_t r, uint32_t i)
{
	return d->packed[r * words(d) + i / 64] >> i % 64 & 1;
}

static void compare_states(struct drive *d, const char *call)
{
	const uint32_t n = d->m->view.n;

	memset(d->packed, 0xa5, d->replicas * words(d) * sizeof(*d->packed));
	d->engine->read(d->priv, d->packed);
	for (uint32_t r = 0; r < d->replicas; r++) {
		for (uint32_t i = 0; i < n; i++)
			if (packed_bit(d, r, i) != d->slow[r * n + i])
				fail_msg("%s, order %u, after %s: p-bit %u of %u, replica %u of %u",
					 d->engine->name, d->order, call, i, n, r, d->replicas);
		if (n % 64)
			assert_int_equal(d->packed[r * words(d) + n / 64] >> n % 64, 0);
	}
}

static void do_update(struct drive *d, bool each, double scale, uint64_t sweeps)
{
	uint64_t done = 0;

	for (uint32_t r = 0; r < d->replicas; r++)
		d->beta[r] = each ? scale * (double)(r % 5 + 1) / 3.0 : scale;
	assert_int_equal(d->engine->update(d->priv, d->beta, each, &d->at, sweeps, NULL, &done), 0);
	assert_int_equal(done, sweeps);
	for (uint32_t r = 0; r < d->replicas; r++)
		for (uint64_t s = 0; s < sweeps; s++)
			slow_sweep(d->m, d->order, d->visit, d->clamped, d->beta[r], &d->at,
				   d->at.sweep + s, d->at.chain + r, d->slow + r * d->m->view.n);
	d->at.sweep += sweeps;
	compare_states(d, "update");
}

static void do_clamp(struct drive *d, bool each)
{
	uint64_t mask[(MOST + 63) / 64] = {0};

	random_states(d);
	for (uint32_t i = 0; i < d->m->view.n; i++) {
		d->clamped[i] = next_random(&d->random) % 3 == 0;
		mask[i / 64] |= (uint64_t)d->clamped[i] << i % 64;
		for (uint32_t r = 0; d->clamped[i] && r < d->replicas; r++)
			d->slow[r * d->m->view.n + i] = packed_bit(d, each ? r : 0, i);
	}
	d->engine->clamp(d->priv, mask, d->packed, each);
	compare_states(d, "clamp");
}

static void do_release(struct drive *d)
{
	memset(d->clamped, 0, sizeof(d->clamped));
	d->engine->clamp(d->priv, NULL, NULL, false);
	compare_states(d, "release");
}

static void do_set_state(struct drive *d)
{
	random_states(d);
	for (uint32_t r = 0; r < d->replicas; r++)
		for (uint32_t i = 0; i < d->m->view.n; i++)
			if (!d->clamped[i])
				d->slow[r * d->m->view.n + i] = packed_bit(d, r, i);
	d->engine->set_state(d->priv, d->packed);
	compare_states(d, "set_state");
}

/* The series of calls. beta: inputs in steps times 2 beta step are then of order 1. */
static void calls(struct drive *d, double beta, int32_t largest)
{
	const struct soft_bm_position other = {
		.key = {d->random, PBIT_DOMAIN_LAYER, 3},
		.sweep = 1ull << 40,
		.chain = 1000003,
		.first_pbit = 128 * 77,
	};

	compare_states(d, "make");
	do_update(d, false, beta, 3);
	do_set_state(d);
	do_update(d, true, beta, 2);
	do_clamp(d, false);
	do_update(d, false, beta / 3, 2);
	do_clamp(d, true);
	do_set_state(d);
	do_update(d, true, beta, 1);
	do_update(d, false, 0.0, 1);
	do_update(d, false, 1e300, 1);
	machine_rebias(d->m, largest, d->random);
	d->engine->rebias(d->priv, &d->m->view);
	do_update(d, false, beta, 2);
	do_release(d);
	d->at = other;
	do_update(d, false, beta, 2);
	do_update(d, false, beta * 40, 1);
	do_update(d, false, 1e-300, 1);
	do_update(d, false, INFINITY, 1);
	do_set_state(d);
	do_update(d, false, beta, 3);
}

/* One engine on one machine. */
static void drive(const struct soft_bm_engine *engine, struct machine *m, uint32_t order,
		  uint32_t replicas, enum soft_level level, struct soft_pool *pool, int32_t largest)
{
	const struct soft_bm_request req = {
		.view = &m->view,
		.order = order,
		.replicas = replicas,
		.seed = 77,
		.level = level,
		.pool = pool,
	};
	struct drive d = {
		.engine = engine,
		.m = m,
		.order = order,
		.replicas = replicas,
		.at = {.key = {77, PBIT_DOMAIN_BOLTZMANN, 0}},
		.random = 5 * (uint64_t)m->view.n + order,
	};

	if (!(engine->cost(&req) > 0.0))
		return;
	d.slow = checked(calloc((size_t)replicas * m->view.n, 1));
	d.beta = checked(calloc(replicas, sizeof(*d.beta)));
	d.packed = checked(calloc(replicas * words(&d), sizeof(*d.packed)));
	machine_visits(m, order, d.visit);
	assert_int_equal(engine->make(&req, &d.priv), 0);
	/* Typical inputs grow as the root of the couplings' number. */
	calls(&d,
	      1.0 / (m->view.step * largest * sqrt(1.0 + (double)m->row[m->view.n] / m->view.n)),
	      largest);
	engine->free(d.priv);
	free(d.slow);
	free(d.beta);
	free(d.packed);
}

static void every_order(const struct soft_bm_engine *engine, enum shape shape, uint32_t n,
			int32_t largest, bool directed)
{
	static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
					  PBIT_ORDER_SYNCHRONOUS};
	static const uint32_t replicas[] = {1, 3, 18};

	for (uint32_t threads = 1; threads <= 3; threads += 2)
		for (unsigned int o = 0; o < 3; o++)
			for (int level = SOFT_LEVEL_PORTABLE; level <= (int)best_level(); level++) {
				struct machine *m = machine_new(shape, n, largest, 0.25,
								(uint64_t)shape + n, directed);
				struct soft_pool *pool;

				assert_int_equal(soft_pool_new(threads, &pool), 0);
				drive(engine, m, orders[o], replicas[(n + o) % 3],
				      (enum soft_level)level, pool, largest);
				soft_pool_free(pool);
				machine_free(m);
			}
}

/* Whether the engine takes a machine of this shape at all, so that no test passes by refusing. */
static void takes(const struct soft_bm_engine *engine, enum shape shape, uint32_t n,
		  int32_t largest, uint32_t order)
{
	struct machine *m = machine_new(shape, n, largest, 0.25, 1, false);
	struct soft_bm_request req = {.view = &m->view, .order = order, .replicas = 4};

	assert_int_equal(soft_pool_new(2, &req.pool), 0);
	assert_true(engine->cost(&req) > 0.0);
	soft_pool_free(req.pool);
	machine_free(m);
}

/*
 * All p-bits clamped but one, whose input is made +1 or -1 step, at a beta where only its sign
 * counts: a coupling wrong by one step anywhere shows.
 */
static void exact_input(struct drive *d, uint32_t i, int32_t input)
{
	const uint32_t n = d->m->view.n;
	const double beta = 1e6 / d->m->view.step;
	uint64_t mask[(MOST + 63) / 64] = {0}, done;

	random_states(d);
	for (uint32_t j = 0; j < n; j++)
		mask[j / 64] |= (uint64_t)(j != i) << j % 64;
	d->m->hq[i] = input;
	for (uint32_t j = 0; j < n; j++)
		d->m->hq[i] -= packed_bit(d, 0, j) ? d->m->K[i * n + j] : -d->m->K[i * n + j];
	d->engine->rebias(d->priv, &d->m->view);
	d->engine->clamp(d->priv, mask, d->packed, false);
	assert_int_equal(d->engine->update(d->priv, &beta, false, &d->at, 1, NULL, &done), 0);
	d->engine->read(d->priv, d->packed);
	d->at.sweep++;
	for (uint32_t r = 0; r < d->replicas; r++)
		assert_int_equal(packed_bit(d, r, i), input > 0);
}

static void exact_inputs(const struct soft_bm_engine *engine, enum shape shape, uint32_t n,
			 int32_t largest, enum soft_level level)
{
	struct machine *m = machine_new(shape, n, largest, 0.25, 3, false);
	struct drive d = {
		.engine = engine,
		.m = m,
		.replicas = 5,
		.at = {.key = {1, PBIT_DOMAIN_BOLTZMANN, 0}},
		.random = 11,
	};
	struct soft_bm_request req = {
		.view = &m->view,
		.order = PBIT_ORDER_CHROMATIC,
		.replicas = d.replicas,
		.level = level,
	};

	assert_int_equal(soft_pool_new(1, &req.pool), 0);
	assert_true(engine->cost(&req) > 0.0);
	d.packed = checked(calloc(d.replicas * words(&d), sizeof(*d.packed)));
	assert_int_equal(engine->make(&req, &d.priv), 0);
	for (uint32_t i = 0; i < n; i++)
		for (int32_t sign = -1; sign <= 1; sign += 2)
			exact_input(&d, i, sign);
	engine->free(d.priv);
	soft_pool_free(req.pool);
	free(d.packed);
	machine_free(m);
}

static void test_exact_inputs(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < 5; k++)
		for (int level = SOFT_LEVEL_PORTABLE; level <= (int)best_level(); level++) {
			const enum soft_level l = (enum soft_level)level;

			exact_inputs(&soft_engine_sparse, SHAPE_SPARSE, 150, largest_of[k], l);
			exact_inputs(&soft_engine_dense, SHAPE_DENSE, 130, largest_of[k], l);
			exact_inputs(&soft_engine_bipartite, SHAPE_SHUFFLED, 150, largest_of[k], l);
		}
}

/* A ring of n p-bits, for what n x n entries are too many. */
static struct machine *ring_new(uint32_t n)
{
	struct machine *m = checked(calloc(1, sizeof(*m)));

	m->row = checked(calloc((size_t)n + 1, sizeof(*m->row)));
	m->col = checked(calloc(2 * (size_t)n, sizeof(*m->col)));
	m->Jq = checked(calloc(2 * (size_t)n, sizeof(*m->Jq)));
	m->hq = checked(calloc(n, sizeof(*m->hq)));
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t a = (i + n - 1) % n, b = (i + 1) % n;

		m->col[2 * i] = a < b ? a : b;
		m->col[2 * i + 1] = a < b ? b : a;
		m->Jq[2 * i] = m->Jq[2 * i + 1] = 1;
		m->row[i + 1] = 2 * (uint64_t)i + 2;
	}
	m->view = (struct pbit_bm_view){
		.struct_size = sizeof(m->view),
		.n = n,
		.row = m->row,
		.col = m->col,
		.Jq = m->Jq,
		.hq = m->hq,
		.step = 1.0,
	};
	return m;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Stopped after a while, an update has the state of as many whole sweeps as it says. */
static void interrupt(const struct soft_bm_engine *engine, struct machine *m, uint32_t replicas,
		      int64_t ns, uint64_t most)
{
	const double beta = 0.5 / m->view.step;
	const struct soft_bm_position at = {.key = {9, PBIT_DOMAIN_BOLTZMANN, 0}, .sweep = 4};
	struct pbit_ctl ctl = PBIT_CTL_INIT(now_ns() + ns);
	struct pbit_ctl cancelled = PBIT_CTL_INIT(PBIT_FOREVER);
	struct soft_bm_request req = {
		.view = &m->view,
		.order = PBIT_ORDER_CHROMATIC,
		.replicas = replicas,
		.level = best_level(),
	};
	const size_t bytes = replicas * (((size_t)m->view.n + 63) / 64) * sizeof(uint64_t);
	uint64_t *first = checked(malloc(bytes)), *second = checked(malloc(bytes));
	uint64_t done = 0, again = 0;
	void *a, *b;

	assert_int_equal(soft_pool_new(2, &req.pool), 0);
	assert_true(engine->cost(&req) > 0.0);
	assert_int_equal(engine->make(&req, &a), 0);
	assert_int_equal(engine->update(a, &beta, false, &at, UINT64_MAX, &ctl, &done), -ETIMEDOUT);
	assert_true(now_ns() < ctl.deadline + 5000000000); /* a busy machine, a slow build */
	assert_true(done <= most);
	engine->read(a, first);
	atomic_store(&cancelled.cancelled, 1);
	assert_int_equal(engine->update(a, &beta, false, &at, 5, &cancelled, &again), -ECANCELED);
	assert_int_equal(again, 0);
	engine->read(a, second);
	assert_memory_equal(first, second, bytes);
	assert_int_equal(engine->make(&req, &b), 0);
	assert_int_equal(engine->update(b, &beta, false, &at, done, NULL, &again), 0);
	engine->read(b, second);
	assert_memory_equal(first, second, bytes);
	engine->free(a);
	engine->free(b);
	soft_pool_free(req.pool);
	free(first);
	free(second);
}

static void test_interrupted(void **state)
{
	struct machine *m = machine_new(SHAPE_BIPARTITE, 100, 100, 0.01, 8, false);
	struct machine *ring = ring_new(600000);

	(void)state;
	for (uint32_t replicas = 1; replicas <= 40; replicas += 13)
		for (int64_t ns = 300000; ns < 12000000; ns *= 5) {
			interrupt(&soft_engine_sparse, m, replicas, ns, 1000000);
			interrupt(&soft_engine_dense, m, replicas, ns, 1000000);
			interrupt(&soft_engine_bipartite, m, replicas, ns, 1000000);
		}
	interrupt(&soft_engine_sparse, ring, 1, 700000, 100);
	interrupt(&soft_engine_sparse, ring, 3, 2500000, 100);
	machine_free(m);
	machine_free(ring);
}

static void test_sparse(void **state)
{
	(void)state;
	takes(&soft_engine_sparse, SHAPE_GRID, 64, 1, PBIT_ORDER_SEQUENTIAL);
	takes(&soft_engine_sparse, SHAPE_SPARSE, 64, 5000000, PBIT_ORDER_SYNCHRONOUS);
	for (unsigned int k = 0; k < 5; k++) {
		every_order(&soft_engine_sparse, SHAPE_SPARSE, 150, largest_of[k], false);
		every_order(&soft_engine_sparse, SHAPE_SPARSE, 101, largest_of[k], true);
		every_order(&soft_engine_sparse, SHAPE_GRID, 128, largest_of[k], false);
	}
	every_order(&soft_engine_sparse, SHAPE_GRID, 1, 1, false);
	every_order(&soft_engine_sparse, SHAPE_DENSE, 20, 9, false);
}

static void test_dense(void **state)
{
	(void)state;
	takes(&soft_engine_dense, SHAPE_DENSE, 64, 1, PBIT_ORDER_SEQUENTIAL);
	takes(&soft_engine_dense, SHAPE_DENSE, 64, 5000000, PBIT_ORDER_CHROMATIC);
	for (unsigned int k = 0; k < 5; k++) {
		every_order(&soft_engine_dense, SHAPE_DENSE, 150, largest_of[k], false);
		every_order(&soft_engine_dense, SHAPE_DENSE, 64, largest_of[k], true);
		every_order(&soft_engine_dense, SHAPE_SHUFFLED, 101, largest_of[k], false);
	}
	every_order(&soft_engine_dense, SHAPE_DENSE, 1, 1, false);
	every_order(&soft_engine_dense, SHAPE_SPARSE, 33, 9, false);
}

static void test_bipartite(void **state)
{
	(void)state;
	takes(&soft_engine_bipartite, SHAPE_BIPARTITE, 64, 1, PBIT_ORDER_SEQUENTIAL);
	takes(&soft_engine_bipartite, SHAPE_SHUFFLED, 64, 5000000, PBIT_ORDER_CHROMATIC);
	for (unsigned int k = 0; k < 5; k++) {
		every_order(&soft_engine_bipartite, SHAPE_BIPARTITE, 150, largest_of[k], false);
		every_order(&soft_engine_bipartite, SHAPE_BIPARTITE, 70, largest_of[k], true);
		every_order(&soft_engine_bipartite, SHAPE_SHUFFLED, 101, largest_of[k], false);
		every_order(&soft_engine_bipartite, SHAPE_SHUFFLED, 38, largest_of[k], true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sparse),	    cmocka_unit_test(test_dense),
		cmocka_unit_test(test_bipartite),   cmocka_unit_test(test_exact_inputs),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
