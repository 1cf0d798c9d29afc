/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annealing: the best state that is seen is the best, exact ground states of small instances are
 * found, and everything that can end a search ends it with what was found so far.
 */
#include "test_boltzmann_mock.h"

#include <stdio.h>

/*
 * An instance with its lowest energy, from an independent program: "# ... ground E" or "optimum E",
 * n m, lines i j J.
 */
static struct pbit_bm *instance(const char *name, double *lowest)
{
	char path[128], line[512];
	unsigned int n, count, i, j;
	const char *at;
	struct pbit_bm *bm;
	double value;
	FILE *file;

	snprintf(path, sizeof(path), "tests/data/oracles/%s.txt", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s: run from the top of the source tree", path);
	assert_non_null(fgets(line, sizeof(line), file));
	at = strstr(line, "optimum ") ? strstr(line, "optimum ") : strstr(line, "; ground ") + 1;
	assert_int_equal(sscanf(at, "%*s %lf", lowest), 1);
	assert_int_equal(fscanf(file, "%u %u %*d", &n, &count), 2);
	assert_int_equal(pbit_bm_new(n, &bm), 0);
	while (count--) {
		assert_int_equal(fscanf(file, "%u %u %lf", &i, &j, &value), 3);
		assert_int_equal(pbit_bm_add_coupling(bm, i, j, value), 0);
	}
	fclose(file);
	return bm;
}

static struct pbit_schedule ramp(double from, double to, uint64_t sweeps)
{
	struct pbit_schedule s = PBIT_INIT(s);

	s.kind = PBIT_SCHEDULE_GEOMETRIC;
	s.beta = from;
	s.beta_end = to;
	s.sweeps = sweeps;
	return s;
}

/*
 * Instances solved by exhaustive search elsewhere. A run of one replica finds the ground state in
 * more than a fifth of all cases (measured over 200 seeds: 0.22 for the planted one, 0.63 and more
 * for the others), so 128 of them miss it with probability below 0.8^128 = 4e-13.
 */
static void test_ground_states(void **state)
{
	static const struct {
		const char *name;
		double beta_end;
	} instances[] = {{"sk_pm1_n12", 2},	     {"sk_pm1_n16", 2},	     {"sk_pm1_n20", 2},
			 {"maxcut_3reg_n12", 4},     {"maxcut_3reg_n16", 4}, {"maxcut_3reg_n20", 4},
			 {"wishart_n20_a0.75", 0.05}};
	struct mock *m = *state;

	for (size_t k = 0; k < sizeof(instances) / sizeof(instances[0]); k++) {
		struct pbit_schedule s =
			ramp(instances[k].beta_end / 40, instances[k].beta_end, 100);
		struct pbit_solve_opts opts = PBIT_INIT(opts);
		struct pbit_solve_result result = PBIT_INIT(result);
		uint64_t found = 0;
		double lowest;
		struct pbit_bm *bm = instance(instances[k].name, &lowest);

		opts.schedule = &s;
		opts.seed = 3;
		opts.replicas = 8;
		opts.restarts = 16;
		opts.flags = PBIT_SOLVE_TARGET;
		opts.target = lowest;
		result.state = &found;
		assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
		assert_int_equal(result.ended, PBIT_SOLVE_REACHED);
		assert_true(result.energy == lowest);
		assert_true(pbit_bm_energy(bm, &found) == lowest);
		/* Nothing is below the ground: such an energy would be a wrong one. */
		opts.target = lowest - 0.5;
		opts.restarts = 2;
		assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
		assert_int_equal(result.ended, PBIT_SOLVE_DONE);
		assert_true(result.energy >= lowest);
		assert_int_equal(result.sweeps, 200);
		assert_int_equal(result.updates, 200ull * 8 * pbit_bm_size(bm));
		pbit_bm_put(bm);
	}
}

/*
 * A planted ground state of 64 p-bits, on the software device. A run of one replica finds it in
 * more than half a percent of all cases (measured: 7 of 300), so 6400 of them miss it with
 * probability below 0.995^6400 = 1e-14.
 */
static void test_planted(void **state)
{
	struct pbit_schedule s = ramp(1e-5, 1e-3, 1000);
	struct pbit_solve_opts opts = PBIT_INIT(opts);
	struct pbit_solve_result result = PBIT_INIT(result);
	struct pbit_device *dev;
	struct pbit_bm *bm;
	double lowest;

	(void)state;
	bm = instance("wishart_n64_a0.75", &lowest);
	assert_int_equal(pbit_open("software:threads=1", NULL, &dev), 0);
	opts.schedule = &s;
	opts.replicas = 64;
	opts.restarts = 100;
	opts.flags = PBIT_SOLVE_TARGET;
	opts.target = lowest;
	assert_int_equal(pbit_solve(dev, bm, &opts, &result), 0);
	assert_int_equal(result.ended, PBIT_SOLVE_REACHED);
	assert_true(result.energy == lowest);
	pbit_close(dev);
	pbit_bm_put(bm);
}

#define PBITS	 70u
#define REPLICAS 3u
#define RESTARTS 2u
#define SWEEPS	 50u
#define BLOCK	 7u

/* The best of the same run made by hand: each look, each replica, ties to the first. */
static void best_by_hand(struct mock *m, struct pbit_bm *bm, const struct pbit_schedule *s,
			 const uint64_t *start, struct pbit_solve_result *best)
{
	best->energy = INFINITY;
	for (uint32_t k = 0; k < RESTARTS; k++) {
		struct pbit_program_opts opts = PBIT_INIT(opts);
		uint64_t states[2 * REPLICAS];

		opts.seed = 8;
		opts.replicas = REPLICAS;
		opts.first_chain = k * REPLICAS;
		assert_int_equal(pbit_program_with(&m->dev, bm, &opts), 0);
		assert_int_equal(pbit_set_state(&m->dev, start), 0);
		for (uint64_t sweep = 0; sweep <= SWEEPS; sweep++) {
			double beta = 1.0;

			if (sweep % BLOCK == 0 || sweep == SWEEPS) {
				assert_int_equal(pbit_read(&m->dev, states), 0);
				for (uint32_t r = 0; r < REPLICAS; r++) {
					double energy = pbit_bm_energy(bm, states + 2 * r);

					if (!(energy < best->energy))
						continue;
					best->energy = energy;
					best->restart = k;
					best->replica = r;
					best->found = k * SWEEPS + sweep;
					memcpy(best->state, states + 2 * r, 16);
				}
			}
			if (sweep == SWEEPS)
				break;
			assert_int_equal(pbit_schedule_beta(s, sweep, &beta, NULL), 0);
			assert_int_equal(pbit_update(&m->dev, beta, 1), 0);
		}
	}
}

static struct pbit_bm *glass(void)
{
	struct pbit_bm *bm = ring(PBITS);

	for (uint32_t i = 0; i + 5 < PBITS; i++)
		assert_int_equal(pbit_bm_add_coupling(bm, i, i + 5, i * i % 7 < 3 ? -0.75 : 0.5),
				 0);
	return bm;
}

static void test_best(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = glass();
	struct pbit_schedule s = ramp(0.1, 3.0, SWEEPS);
	struct pbit_solve_opts opts = PBIT_INIT(opts);
	struct pbit_solve_result got = PBIT_INIT(got), want = PBIT_INIT(want);
	uint64_t start[2 * REPLICAS], a[2] = {0}, b[2] = {0};

	for (uint32_t k = 0; k < 2 * REPLICAS; k++)
		start[k] = 0x9e3779b97f4a7c15u * (k + 1);
	m->dev.ops.seek = mock_seek;
	s.hold = 3;
	opts.schedule = &s;
	opts.seed = 8;
	opts.replicas = REPLICAS;
	opts.restarts = RESTARTS;
	opts.block = BLOCK;
	opts.start = start;
	got.state = a;
	want.state = b;
	assert_int_equal(pbit_solve(&m->dev, bm, &opts, &got), 0);
	best_by_hand(m, bm, &s, start, &want);
	assert_true(got.energy == want.energy);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(got.replica, want.replica);
	assert_int_equal(got.restart, want.restart);
	assert_int_equal(got.found, want.found);
	assert_int_equal(got.sweeps, RESTARTS * SWEEPS);
	assert_true(got.found_seconds <= got.seconds);
	pbit_bm_put(bm);
}

struct watcher {
	unsigned int calls, end_at;
	uint64_t sweeps;
	double energy;
};

static int watch(const struct pbit_solve_progress *p, void *user)
{
	struct watcher *w = user;

	assert_int_equal(p->struct_size, sizeof(*p));
	assert_true(p->sweeps > w->sweeps);
	assert_int_equal(p->total, 80);
	assert_int_equal(p->restart, (p->sweeps - 1) / 40);
	assert_true(p->beta >= 0.1 && p->beta <= 2.0);
	assert_true(!w->calls || p->energy <= w->energy);
	w->sweeps = p->sweeps;
	w->energy = p->energy;
	return ++w->calls == w->end_at;
}

static void test_ends(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = glass();
	struct pbit_schedule s = ramp(0.1, 2.0, 40);
	struct pbit_solve_opts opts = PBIT_INIT(opts);
	struct pbit_solve_result result = PBIT_INIT(result);
	struct watcher w = {0};

	opts.schedule = &s;
	opts.restarts = 2;
	opts.block = 10;
	opts.progress = watch;
	opts.user = &w;
	assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
	assert_int_equal(result.ended, PBIT_SOLVE_DONE);
	assert_int_equal(w.calls, 8);
	w = (struct watcher){.end_at = 3};
	assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
	assert_int_equal(result.ended, PBIT_SOLVE_STOPPED);
	assert_int_equal(result.sweeps, 30);
	assert_true(result.energy == w.energy);
	/* A deadline in the past: the start is all there is to keep. */
	opts.progress = NULL;
	opts.deadline_ns = 1;
	assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
	assert_int_equal(result.ended, PBIT_SOLVE_DEADLINE);
	assert_int_equal(result.sweeps, 0);
	assert_true(result.energy == pbit_bm_energy(bm, (uint64_t[2]){0}));
	/* One that passes within an endless search. */
	s = (struct pbit_schedule)PBIT_INIT(s);
	s.beta = 1.0;
	s.sweeps = UINT64_MAX;
	opts.deadline_ns = pbit_deadline_ms(20);
	assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
	assert_int_equal(result.ended, PBIT_SOLVE_DEADLINE);
	assert_true(result.seconds < 10.0); /* generous: the machine may be busy */
	/* A device that fails is a failure. */
	opts.deadline_ns = 0;
	m->fail_after = m->updates + 1;
	s.sweeps = 100;
	assert_error(pbit_solve(&m->dev, bm, &opts, &result), -EIO, "on demand");
	pbit_bm_put(bm);
}

static void test_clamped(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = glass();
	struct pbit_schedule s = ramp(0.1, 2.0, 40);
	struct pbit_solve_opts opts = PBIT_INIT(opts);
	struct pbit_solve_result result = PBIT_INIT(result);
	uint64_t mask[2] = {0xff00ff, 0x3c}, value[2] = {0xa500c3, 0x14}, found[2];

	opts.schedule = &s;
	opts.replicas = 2;
	opts.mask = mask;
	opts.value = value;
	result.state = found;
	assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
	assert_int_equal(found[0] & mask[0], value[0]);
	assert_int_equal(found[1] & mask[1], value[1]);
	assert_int_equal(result.updates, 40 * 2 * (PBITS - 20));
	pbit_bm_put(bm);
}

static void test_refuses(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = glass(), *directed;
	struct pbit_schedule s = ramp(0.1, 2.0, 40);
	struct pbit_solve_opts opts = PBIT_INIT(opts);
	struct pbit_solve_result result = PBIT_INIT(result);
	uint64_t mask[2] = {1, 0};

	assert_int_equal(pbit_bm_new(2, &directed), 0);
	assert_int_equal(pbit_bm_add_directed(directed, 0, 1, 1.0), 0);
	opts.schedule = &s;
	assert_error(pbit_solve(NULL, bm, &opts, &result), -EINVAL, "NULL");
	assert_error(pbit_solve(&m->dev, NULL, &opts, &result), -EINVAL, "NULL");
	assert_error(pbit_solve(&m->dev, bm, NULL, &result), -EINVAL, "NULL");
	assert_error(pbit_solve(&m->dev, bm, &opts, NULL), -EINVAL, "NULL");
	assert_error(pbit_solve(&m->dev, directed, &opts, &result), -EINVAL, "directed");
	opts.flags = 8;
	assert_error(pbit_solve(&m->dev, bm, &opts, &result), -EINVAL, "0x8");
	opts.flags = PBIT_SOLVE_TARGET;
	opts.target = NAN;
	assert_error(pbit_solve(&m->dev, bm, &opts, &result), -EINVAL, "target");
	opts.flags = 0;
	opts.mask = mask;
	assert_error(pbit_solve(&m->dev, bm, &opts, &result), -EINVAL, "value");
	opts.mask = NULL;
	s.beta = -1.0;
	assert_error(pbit_solve(&m->dev, bm, &opts, &result), -EINVAL, "schedule.beta");
	opts.schedule = NULL;
	assert_error(pbit_solve(&m->dev, bm, &opts, &result), -EINVAL, "schedule");
	assert_int_equal(m->programs, 0);
	pbit_bm_put(directed);
	pbit_bm_put(bm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ground_states), cmocka_unit_test(test_planted),
		TEST(test_best),	  TEST(test_ends),
		TEST(test_clamped),	  TEST(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
