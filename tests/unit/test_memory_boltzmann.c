/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every single allocation of making a Boltzmann machine, programming it on a device
 * and drawing from it: each attempt gives -ENOMEM with a record a person can use, nothing leaks, and
 * the next attempt on the same handles gives the right outcome.
 */
#include <pbit/solve.h>
#include "boltzmann/ops.h"
#include "test_model_make.h"
#include "test_memory_wrap.h"

#define PBITS	  70u
#define SWEEPS	  5u
#define COUPLINGS 100u

static struct pbit_device *device;
static struct pbit_bm *bm;

static void open_device(void)
{
	assert_int_equal(pbit_open("software:threads=1", NULL, &device), 0);
}

static void close_device(void)
{
	pbit_close(device);
	device = NULL;
}

static void make_bm(void)
{
	assert_int_equal(pbit_bm_new(PBITS, &bm), 0);
}

/* Goes on where the last attempt was refused. */
static int couple(void)
{
	for (uint64_t k = pbit_bm_couplings(bm); k < COUPLINGS; k++) {
		uint32_t i = (uint32_t)k % PBITS, j = (i + 1 + (uint32_t)k / PBITS) % PBITS;
		int rc = pbit_bm_add_coupling(bm, i, j, 0.25 * (double)(k % 5) - 0.5);

		if (rc)
			return rc;
	}
	return 0;
}

static void check_couplings(void)
{
	assert_int_equal(pbit_bm_couplings(bm), COUPLINGS);
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 1, 1.0), -EEXIST);
}

static void put_bm(void)
{
	pbit_bm_put(bm);
	bm = NULL;
}

static int build(void)
{
	return pbit_bm_new(PBITS, &bm);
}

static void no_bm(void)
{
	assert_null(bm);
}

static void check_bm(void)
{
	assert_int_equal(pbit_bm_size(bm), PBITS);
}

/* A dense matrix, and a coupling on top of it. */
static int set_dense(void)
{
	static double J[PBITS * PBITS];
	int rc = 0;

	J[1] = J[PBITS] = 0.5;
	if (pbit_bm_couplings(bm) != 1)
		rc = pbit_bm_set_dense(bm, J);
	return rc ? rc : pbit_bm_add_coupling(bm, 2, 3, 0.25);
}

static void check_dense(void)
{
	uint64_t state[2] = {0};

	assert_int_equal(pbit_bm_couplings(bm), 2);
	assert_true(pbit_bm_energy(bm, state) == -0.75);
}

static int view(void)
{
	struct pbit_bm_view seen = PBIT_INIT(seen);

	return pbit_bm_view(bm, &seen);
}

/* A directed coupling and a gate, whose terms come all or none. */
static int add_more(void)
{
	static const uint32_t pins[] = {60, 61, 62, 63, 64};
	int rc = 0;

	if (pbit_bm_couplings(bm) == 0)
		rc = pbit_bm_add_directed(bm, 1, 0, 0.5);
	if (!rc)
		rc = pbit_bm_add_gate(bm, PBIT_GATE_FULL_ADDER, pins, 1.0);
	return rc;
}

static void at_most_one(void)
{
	assert_true(pbit_bm_couplings(bm) <= 1);
}

static void check_more(void)
{
	assert_int_equal(pbit_bm_couplings(bm), 11);
}

static uint32_t colours;

static int colour(void)
{
	static uint32_t colour_of[PBITS];

	return pbit_bm_colour(bm, colour_of, &colours);
}

static void make_directed(void)
{
	make_bm();
	assert_int_equal(add_more(), 0);
}

static void check_colours(void)
{
	assert_int_equal(colours, 5);
}

static void make_coupled(void)
{
	make_bm();
	assert_int_equal(couple(), 0);
}

static void test_machine(void **state)
{
	(void)state;
	every_failure(&(struct scenario){
		.act = build, .refused = no_bm, .check = check_bm, .clean = put_bm, .at_least = 2});
	every_failure(&(struct scenario){.prepare = make_bm,
					 .act = couple,
					 .check = check_couplings,
					 .clean = put_bm,
					 .at_least = 6});
	every_failure(&(struct scenario){.prepare = make_coupled,
					 .act = set_dense,
					 .check = check_dense,
					 .clean = put_bm,
					 .at_least = 3});
	every_failure(&(struct scenario){.prepare = make_coupled,
					 .act = view,
					 .check = check_couplings,
					 .clean = put_bm,
					 .at_least = 8});
	every_failure(&(struct scenario){.prepare = make_bm,
					 .act = add_more,
					 .refused = at_most_one,
					 .check = check_more,
					 .clean = put_bm,
					 .at_least = 4});
	every_failure(&(struct scenario){.prepare = make_directed,
					 .act = colour,
					 .check = check_colours,
					 .clean = put_bm,
					 .at_least = 11});
}

static uint64_t right_states[SWEEPS][2], states[SWEEPS][2];

static void open_and_build(void)
{
	open_device();
	make_coupled();
}

static int program(void)
{
	int rc = pbit_program(device, bm, PBIT_ORDER_CHROMATIC, 5);

	return rc ? rc : pbit_update(device, 0.7, SWEEPS);
}

static void not_programmed(void)
{
	assert_int_equal(pbit_read(device, states[0]), -ENOTCONN);
}

static void check_state(void)
{
	uint64_t state[2];

	assert_int_equal(pbit_read(device, state), 0);
	assert_memory_equal(state, right_states[SWEEPS - 1], sizeof(state));
}

static void close_machine(void)
{
	close_device();
	put_bm();
}

static void programmed(void)
{
	open_and_build();
	assert_int_equal(pbit_program(device, bm, PBIT_ORDER_CHROMATIC, 5), 0);
}

static int keep_state(const uint64_t *state, uint64_t index, void *user)
{
	(void)user;
	memcpy(states[index], state, sizeof(states[index]));
	return 0;
}

/* The clamps hold p-bits at what they are, then let them go: the stream is the plain one. */
static int clamp_and_sample(void)
{
	static const uint64_t down[2], some[2] = {0xff, 1};
	struct pbit_sample_opts stream = PBIT_INIT(stream);
	int rc;

	stream.beta = 0.7;
	stream.burn_in = stream.interval = 1;
	stream.samples = SWEEPS;
	memset(states, 0, sizeof(states));
	if ((rc = pbit_clamp(device, some, down)) || (rc = pbit_set_state(device, down)) ||
	    (rc = pbit_clamp(device, NULL, NULL)))
		return rc;
	return pbit_sample(device, &stream, keep_state, NULL);
}

static void check_states(void)
{
	assert_memory_equal(states, right_states, sizeof(states));
}

static void test_program(void **state)
{
	(void)state;
	programmed();
	for (int i = 0; i < (int)SWEEPS; i++) {
		assert_int_equal(pbit_update(device, 0.7, 1), 0);
		assert_int_equal(pbit_read(device, right_states[i]), 0);
	}
	close_machine();
	assert_memory_not_equal(right_states[0], right_states[1], sizeof(right_states[0]));
	every_failure(&(struct scenario){.prepare = open_and_build,
					 .act = program,
					 .refused = not_programmed,
					 .check = check_state,
					 .clean = close_machine,
					 .at_least = 19});
	every_failure(&(struct scenario){.prepare = programmed,
					 .act = clamp_and_sample,
					 .check = check_states,
					 .clean = close_machine,
					 .at_least = 4});
}

#define REPLICAS 3u

static uint64_t replica_states[REPLICAS * 2], right_replicas[REPLICAS * 2];

/* Everything that replicas can be asked for, on the device and in the library's own books. */
static int use_replicas(void)
{
	static const uint64_t mask[2] = {0xff, 1}, values[REPLICAS * 2] = {1, 0, 2, 1, 3, 0};
	static const double betas[REPLICAS] = {0.3, 0.5, 0.7};
	struct pbit_program_opts opts = PBIT_INIT(opts);
	double h[PBITS] = {0.5};
	int rc;

	opts.seed = 5;
	opts.replicas = REPLICAS;
	h[7] = 1e-3;
	if ((rc = pbit_program_with(device, bm, &opts)) ||
	    (rc = pbit_clamp_each(device, mask, values)) || (rc = pbit_set_state(device, values)) ||
	    (rc = pbit_update_each(device, betas, 3)) || (rc = pbit__bm_rebias(device, h)) ||
	    (rc = pbit_update(device, 0.4, 2)))
		return rc;
	return pbit_read(device, replica_states);
}

static void check_replicas(void)
{
	assert_memory_equal(replica_states, right_replicas, sizeof(right_replicas));
}

static struct pbit_schedule schedule;
static double energy;

static int solve(void)
{
	struct pbit_solve_opts opts = PBIT_INIT(opts);
	struct pbit_solve_result result = PBIT_INIT(result);
	int rc;

	opts.schedule = &schedule;
	opts.replicas = REPLICAS;
	rc = pbit_solve(device, bm, &opts, &result);
	energy = result.energy;
	return rc;
}

static int temper(void)
{
	static const double betas[] = {0.2, 0.3, 0.4};
	struct pbit_temper_opts opts = PBIT_INIT(opts);
	struct pbit_temper_result result = PBIT_INIT(result);
	int rc;

	opts.betas = betas;
	opts.n_betas = 3;
	opts.sweeps = 1;
	opts.samples = 4;
	rc = pbit_temper(&device, 1, bm, &opts, NULL, NULL, &result);
	energy = result.energy;
	return rc;
}

static double right_energy;

static void check_energy(void)
{
	assert_true(energy == right_energy);
}

static void test_many(void **state)
{
	(void)state;
	schedule = (struct pbit_schedule)PBIT_INIT(schedule);
	schedule.beta = 1.0;
	schedule.sweeps = 5;
	open_and_build();
	assert_int_equal(use_replicas(), 0);
	memcpy(right_replicas, replica_states, sizeof(right_replicas));
	close_machine();
	every_failure(&(struct scenario){.prepare = open_and_build,
					 .act = use_replicas,
					 .check = check_replicas,
					 .clean = close_machine,
					 .at_least = 12});
	open_and_build();
	assert_int_equal(solve(), 0);
	right_energy = energy;
	close_machine();
	every_failure(&(struct scenario){.prepare = open_and_build,
					 .act = solve,
					 .check = check_energy,
					 .clean = close_machine,
					 .at_least = 12});
	open_and_build();
	assert_int_equal(temper(), 0);
	right_energy = energy;
	close_machine();
	every_failure(&(struct scenario){.prepare = open_and_build,
					 .act = temper,
					 .check = check_energy,
					 .clean = close_machine,
					 .at_least = 15});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
