/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speed of Boltzmann mode, one thread unless told otherwise, beside a plain heat-bath loop in the
 * same run on the same machine: local fields kept up to date, a flip corrects those of its
 * neighbours, probabilities from a table where fields are few and by exp() where not, one uniform
 * number an update. Speed is in updates of one p-bit, whether or not it flips; independent samples a second
 * are sweeps a second of all replicas over twice the integrated autocorrelation time of a chain's energy
 * (Sokal's window; a glass at beta = 1 moves on longer than the series, so take it as a guide there).
 *
 *     boltzmann_speed [--device software:threads=1] [--case NAME] [--seconds S] [--list]
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pbit/pbit.h>
#include "stats.h"

#define RUNS	  5
#define BURN_IN	  400  /* sweeps before energies are taken */
#define CHAINS	  4    /* whose mean autocorrelation time is taken */
#define SERIES	  1000 /* energies of a chain */
#define MAX_TABLE 64

struct random {
	uint64_t a, b;
};

static uint64_t next(struct random *r)
{
	uint64_t x = r->a;
	const uint64_t y = r->b;

	r->a = y;
	x ^= x << 23;
	r->b = x ^ y ^ x >> 17 ^ y >> 26;
	return r->b + y;
}

static double uniform(struct random *r)
{
	return (double)(next(r) >> 11) * 0x1p-53;
}

static double normal(struct random *r)
{
	return sqrt(-2.0 * log(1.0 - uniform(r))) * cos(6.283185307179586 * uniform(r));
}

/* --- machines --- */

static int couple(struct pbit_bm *bm, uint32_t i, uint32_t j, struct random *r, bool gauss)
{
	return pbit_bm_add_coupling(bm, i, j, gauss ? normal(r) : next(r) >> 40 & 1 ? 1.0 : -1.0);
}

static int lattice(struct pbit_bm *bm, uint32_t side, unsigned int dimensions, bool gauss)
{
	const uint32_t n = pbit_bm_size(bm);
	struct random r = {1, 2};
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++) {
		uint32_t stride = 1;

		for (unsigned int d = 0; d < dimensions && !rc; d++, stride *= side) {
			const uint32_t x = i / stride % side;

			rc = couple(bm, i, i - x * stride + (x + 1) % side * stride, &r, gauss);
		}
	}
	return rc;
}

static int build_cube(struct pbit_bm *bm)
{
	return lattice(bm, 20, 3, false);
}

static int build_cube_gauss(struct pbit_bm *bm)
{
	return lattice(bm, 20, 3, true);
}

static int build_square(struct pbit_bm *bm)
{
	return lattice(bm, 100, 2, false);
}

static int build_square_gauss(struct pbit_bm *bm)
{
	return lattice(bm, 100, 2, true);
}

/* Sherrington-Kirkpatrick, J = +-1/sqrt(n). */
static int build_sk(struct pbit_bm *bm)
{
	const uint32_t n = pbit_bm_size(bm);
	struct random r = {3, 4};
	int rc = 0;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = i + 1; j < n && !rc; j++)
			rc = pbit_bm_add_coupling(bm, i, j,
						  (next(&r) >> 40 & 1 ? 1.0 : -1.0) / sqrt(n));
	return rc;
}

/* Weights on 8 bits, as a trained machine's would be on a device. */
static int build_rbm(struct pbit_bm *bm)
{
	struct random r = {5, 6};
	int rc = 0;

	for (uint32_t i = 0; i < 784; i++)
		for (uint32_t j = 784; j < 784 + 512 && !rc; j++)
			rc = pbit_bm_add_coupling(bm, i, j, rint(normal(&r) * 24.0) / 1024.0);
	return rc;
}

struct machine_case {
	const char *name;
	const char *text;
	uint32_t n;
	int (*build)(struct pbit_bm *bm);
	double beta;
	uint32_t replicas;
	uint32_t order;
};

static const struct machine_case cases[] = {
	{"cube-512", "20^3 +-J, 512 replicas", 8000, build_cube, 1.0, 512, 0},
	{"square-512", "100^2 +-J, 512 replicas", 10000, build_square, 1.0, 512, 0},
	{"cube-512-chromatic", "the same by colours", 8000, build_cube, 1.0, 512,
	 PBIT_ORDER_CHROMATIC},
	{"cube-1024", "20^3 +-J, 1024 replicas", 8000, build_cube, 1.0, 1024, 0},
	{"cube-1", "20^3 +-J, one chain", 8000, build_cube, 1.0, 1, 0},
	{"square-1", "100^2 +-J, one chain", 10000, build_square, 1.0, 1, 0},
	{"cube-gauss-1", "20^3 normal J, one chain", 8000, build_cube_gauss, 1.0, 1, 0},
	{"square-gauss-1", "100^2 normal J, one chain", 10000, build_square_gauss, 1.0, 1, 0},
	{"sk-1", "SK N = 1024, one chain", 1024, build_sk, 1.0, 1, 0},
	{"sk-8", "SK N = 1024, 8 replicas", 1024, build_sk, 1.0, 8, 0},
	{"rbm-1", "RBM 784 x 512, one chain", 1296, build_rbm, 1.0, 1, 0},
	{"rbm-4", "RBM 784 x 512, 4 replicas", 1296, build_rbm, 1.0, 4, 0},
	{"rbm-16", "RBM 784 x 512, 16 replicas", 1296, build_rbm, 1.0, 16, 0},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* --- the plain loop --- */

struct plain {
	struct pbit_bm_view view;
	double *field;
	int8_t *m;
	double table
		[MAX_TABLE]; /* of P(+1) by field, where all are whole numbers below MAX_TABLE / 2 */
	bool whole;
	double beta;
	struct random random;
};

static bool whole_fields(const struct pbit_bm_view *v)
{
	for (uint32_t i = 0; i < v->n; i++) {
		double sum = 0.0;

		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++) {
			if (v->J[k] != rint(v->J[k]))
				return false;
			sum += fabs(v->J[k]);
		}
		if (v->h[i] != rint(v->h[i]) || sum + fabs(v->h[i]) >= MAX_TABLE / 2)
			return false;
	}
	return true;
}

static int plain_start(struct plain *p, struct pbit_bm *bm, double beta)
{
	const struct pbit_bm_view *v = &p->view;

	*p = (struct plain){.view = PBIT_INIT(p->view), .beta = beta, .random = {7, 8}};
	if (pbit_bm_view(bm, &p->view))
		return -1;
	p->field = calloc(v->n, sizeof(*p->field));
	p->m = calloc(v->n, sizeof(*p->m));
	if (!p->field || !p->m)
		return -1;
	for (uint32_t i = 0; i < v->n; i++) {
		p->m[i] = -1;
		p->field[i] = v->h[i];
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++)
			p->field[i] -= v->J[k];
	}
	p->whole = whole_fields(v);
	for (int f = 0; f < MAX_TABLE; f++)
		p->table[f] = 1.0 / (1.0 + exp(-2.0 * beta * (f - MAX_TABLE / 2)));
	return 0;
}

static void plain_end(struct plain *p)
{
	free(p->field);
	free(p->m);
}

static void plain_sweep(struct plain *p)
{
	const struct pbit_bm_view *v = &p->view;

	for (uint32_t i = 0; i < v->n; i++) {
		const double up = p->whole ? p->table[(int)p->field[i] + MAX_TABLE / 2]
					   : 1.0 / (1.0 + exp(-2.0 * p->beta * p->field[i]));
		const int8_t m = uniform(&p->random) < up ? 1 : -1;

		if (m == p->m[i])
			continue;
		p->m[i] = m;
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++)
			p->field[v->col[k]] += 2 * m * v->J[k];
	}
}

static double plain_energy(const struct plain *p)
{
	double e = 0.0;

	for (uint32_t i = 0; i < p->view.n; i++)
		e -= 0.5 * p->m[i] * (p->field[i] + p->view.h[i]);
	return e;
}

/* --- measurements --- */

/* CPU time of the whole process, helpers included. */
static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct measured {
	double seconds; /* of a sweep of all replicas: least of RUNS */
	double tau;	/* sweeps */
};

typedef int sweep_fn(void *with, uint64_t sweeps);

/* The shortest of some runs of about `seconds` together; CPU time where one thread works. */
static int time_sweeps(sweep_fn *sweep, void *with, double seconds, double (*clock_of)(void),
		       double *least)
{
	uint64_t sweeps = 1;
	double took = 0.0;

	*least = INFINITY;
	for (int run = -1; run < RUNS; run++) {
		const double start = clock_of();

		if (sweep(with, sweeps))
			return -1;
		took = (clock_of() - start) / (double)sweeps;
		if (run >= 0)
			*least = fmin(*least, took);
		else
			sweeps = 1 + (uint64_t)(seconds / RUNS / (took + 1e-9));
	}
	return 0;
}

static int sweep_plain(void *with, uint64_t sweeps)
{
	while (sweeps--)
		plain_sweep(with);
	return 0;
}

static int measure_plain(struct pbit_bm *bm, double beta, double seconds, struct measured *out)
{
	double energies[SERIES];
	struct plain p;
	int rc = plain_start(&p, bm, beta);

	if (!rc)
		rc = time_sweeps(sweep_plain, &p, seconds, cpu, &out->seconds);
	out->tau = 0.0;
	for (uint64_t chain = 0; chain < CHAINS && !rc; chain++) {
		plain_end(&p);
		rc = plain_start(&p, bm, beta);
		p.random.a += chain << 32;
		for (int k = 0; k < BURN_IN && !rc; k++)
			plain_sweep(&p);
		for (int k = 0; k < SERIES && !rc; k++) {
			plain_sweep(&p);
			energies[k] = plain_energy(&p);
		}
		out->tau += stats_autocorrelation_time(energies, SERIES) / CHAINS;
	}
	plain_end(&p);
	return rc;
}

struct ours {
	struct pbit_device *dev;
	double beta;
};

static int sweep_ours(void *with, uint64_t sweeps)
{
	const struct ours *o = with;

	return pbit_update(o->dev, o->beta, sweeps);
}

/* A few chains of their own: energies of all replicas would take longer than their updates. */
static int measure_tau(const struct machine_case *c, struct pbit_device *dev, struct pbit_bm *bm,
		       struct pbit_program_opts *opts, double *tau)
{
	const size_t words = (c->n + 63) / 64;
	double *energies = calloc(CHAINS * SERIES, sizeof(*energies));
	uint64_t *state = calloc(words * CHAINS, sizeof(*state));
	int rc = energies && state ? 0 : -1;

	opts->replicas = CHAINS;
	if (!rc)
		rc = pbit_program_with(dev, bm, opts);
	if (!rc)
		rc = pbit_update(dev, c->beta, BURN_IN);
	for (int k = 0; k < SERIES && !rc; k++) {
		rc = pbit_update(dev, c->beta, 1);
		if (!rc)
			rc = pbit_read(dev, state);
		for (int chain = 0; chain < CHAINS && !rc; chain++)
			energies[chain * SERIES + k] =
				pbit_bm_energy(bm, state + (size_t)chain * words);
	}
	*tau = 0.0;
	for (int chain = 0; chain < CHAINS && !rc; chain++)
		*tau += stats_autocorrelation_time(energies + chain * SERIES, SERIES) / CHAINS;
	free(state);
	free(energies);
	return rc;
}

static int measure_ours(const struct machine_case *c, struct pbit_device *dev, struct pbit_bm *bm,
			double seconds, bool one_thread, struct measured *out)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	struct ours o = {dev, c->beta};
	int rc;

	opts.order = c->order;
	opts.seed = 1;
	opts.replicas = c->replicas;
	rc = pbit_program_with(dev, bm, &opts);
	if (!rc)
		rc = time_sweeps(sweep_ours, &o, seconds, one_thread ? cpu : wall, &out->seconds);
	return rc ? rc : measure_tau(c, dev, bm, &opts, &out->tau);
}

static int run_case(const struct machine_case *c, struct pbit_device *dev, double seconds,
		    bool one_thread)
{
	const double updates = (double)c->n * c->replicas;
	struct measured plain, ours;
	struct pbit_bm *bm;
	int rc = pbit_bm_new(c->n, &bm);

	if (rc)
		return rc;
	rc = c->build(bm);
	if (!rc)
		rc = measure_plain(bm, c->beta, seconds, &plain);
	if (!rc)
		rc = measure_ours(c, dev, bm, seconds, one_thread, &ours);
	if (!rc)
		printf("%-20s %9.4f ns %8.3f /ns %8.2f us/sweep %11.3g /s | plain %7.2f ns %9.3g "
		       "/s | %6.1f x, samples %6.1f x\n",
		       c->name, ours.seconds / updates * 1e9, updates / ours.seconds * 1e-9,
		       ours.seconds * 1e6, c->replicas / (2.0 * ours.tau * ours.seconds),
		       plain.seconds / c->n * 1e9, 1.0 / (2.0 * plain.tau * plain.seconds),
		       plain.seconds / c->n / (ours.seconds / updates),
		       c->replicas * plain.tau * plain.seconds / (ours.tau * ours.seconds));
	pbit_bm_put(bm);
	return rc;
}

static void list(void)
{
	for (size_t k = 0; k < CASES; k++)
		printf("%-20s %s\n", cases[k].name, cases[k].text);
}

static int fail(void)
{
	char text[1024];

	pbit_format_error(text, sizeof(text));
	fprintf(stderr, "boltzmann_speed: %s\n", text);
	return 1;
}

int main(int argc, char **argv)
{
	const char *uri = "software:threads=1", *only = NULL;
	double seconds = 0.5;
	struct pbit_device *dev;
	int rc = 0;

	for (int a = 1; a < argc; a++) {
		const char *value = a + 1 < argc ? argv[a + 1] : "";

		if (!strcmp(argv[a], "--list")) {
			list();
			return 0;
		}
		if (!strcmp(argv[a], "--device"))
			uri = value;
		else if (!strcmp(argv[a], "--case"))
			only = value;
		else if (!strcmp(argv[a], "--seconds") && atof(value) > 0.0)
			seconds = atof(value);
		else {
			fprintf(stderr, "usage: boltzmann_speed [--device URI] [--case NAME] "
					"[--seconds S] [--list]\n");
			return 2;
		}
		a++;
	}
	if (pbit_open(uri, NULL, &dev))
		return fail();
	for (size_t k = 0; k < CASES && !rc; k++)
		if (!only || !strcmp(only, cases[k].name))
			rc = run_case(&cases[k], dev, seconds, strstr(uri, "threads=1") != NULL);
	pbit_close(dev);
	return rc ? fail() : 0;
}
