/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every single allocation of making a Boltzmann machine, programming it on a device
 * and drawing from it: each attempt gives -ENOMEM with a record a person can use, nothing leaks, and
 * the next attempt on the same handles gives the right outcome.
 */
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
					 .at_least = 6});
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
