/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invertible logic by enumeration: ground states against truth tables, the gap, the mass of the
 * valid states against an independent program's, and circuits of gates run forwards and backwards.
 * Nothing here is sampled but the last test, which says how often it would raise a false alarm.
 */
#include "test_boltzmann_mock.h"
#include "../data/oracles/gates.h"

static bool in(uint32_t s, unsigned int pin)
{
	return s >> pin & 1;
}

/* Is state s a row of the truth table? */
static bool valid(enum pbit_gate gate, uint32_t s)
{
	bool a = in(s, 0), b = in(s, 1), c = in(s, 2), d = in(s, 3);

	switch (gate) {
	case PBIT_GATE_COPY:
		return b == a;
	case PBIT_GATE_NOT:
		return b != a;
	case PBIT_GATE_AND:
		return c == (a && b);
	case PBIT_GATE_OR:
		return c == (a || b);
	case PBIT_GATE_NAND:
		return c == !(a && b);
	case PBIT_GATE_NOR:
		return c == !(a || b);
	case PBIT_GATE_XOR:
	case PBIT_GATE_HALF_ADDER:
		return c == (a != b) && d == (a && b);
	case PBIT_GATE_FULL_ADDER:
		return a + b + c == d + 2 * in(s, 4);
	}
	return false;
}

static const struct {
	enum pbit_gate gate;
	uint32_t pins;
	double ground, gap;
	const char *oracle; /* start of its name there, NULL: two p-bits, a closed form */
} gates[] = {
	{PBIT_GATE_COPY, 2, -1, 2, NULL},	 {PBIT_GATE_NOT, 2, -1, 2, NULL},
	{PBIT_GATE_AND, 3, -3, 4, "AND3"},	 {PBIT_GATE_OR, 3, -3, 4, "OR3"},
	{PBIT_GATE_NAND, 3, -3, 4, "NAND3"},	 {PBIT_GATE_NOR, 3, -3, 4, "NOR3"},
	{PBIT_GATE_XOR, 4, -4, 2, "XOR4"},	 {PBIT_GATE_HALF_ADDER, 4, -11, 4, "HA4"},
	{PBIT_GATE_FULL_ADDER, 5, -4, 2, "FA5"},
};

#define ORACLES (sizeof(oracle_gates) / sizeof(oracle_gates[0]))
#define GATES	(sizeof(gates) / sizeof(gates[0]))

static const uint32_t in_order[5] = {0, 1, 2, 3, 4};

static struct pbit_bm *one_gate(enum pbit_gate gate, double scale)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(pbit_gate_pins(gate), &bm), 0);
	assert_int_equal(pbit_bm_add_gate(bm, gate, in_order, scale), 0);
	return bm;
}

static double energy_of(const struct pbit_bm *bm, uint64_t state)
{
	return pbit_bm_energy(bm, &state);
}

/*
 * Every row of the truth table has the ground energy, every other state at least the gap more, and
 * one just that.
 */
static void test_ground_states(void **state)
{
	(void)state;
	for (size_t g = 0; g < GATES; g++) {
		struct pbit_bm *bm = one_gate(gates[g].gate, 0.5);
		double next = INFINITY;

		assert_int_equal(pbit_gate_pins(gates[g].gate), gates[g].pins);
		for (uint32_t s = 0; s < 1u << gates[g].pins; s++) {
			double energy = energy_of(bm, s);

			if (valid(gates[g].gate, s))
				assert_true(energy == 0.5 * gates[g].ground);
			else if (energy < next)
				next = energy;
		}
		assert_true(next == 0.5 * (gates[g].ground + gates[g].gap));
		pbit_bm_put(bm);
	}
}

static double valid_mass(const struct pbit_bm *bm, enum pbit_gate gate, double beta)
{
	double good = 0.0, all = 0.0;

	for (uint32_t s = 0; s < 1u << pbit_bm_size(bm); s++) {
		double weight = exp(-beta * energy_of(bm, s));

		all += weight;
		good += valid(gate, s) ? weight : 0.0;
	}
	return good / all;
}

static void test_valid_mass(void **state)
{
	size_t compared = 0;

	(void)state;
	for (size_t g = 0; g < GATES; g++) {
		struct pbit_bm *bm = one_gate(gates[g].gate, 1.0);

		for (double beta = 0.3; !gates[g].oracle && beta < 2.5; beta += 0.1)
			assert_true(fabs(valid_mass(bm, gates[g].gate, beta) -
					 1.0 / (1.0 + exp(-2.0 * beta))) < 1e-14);
		compared += !gates[g].oracle;
		for (size_t o = 0; gates[g].oracle && o < ORACLES; o++) {
			const struct oracle_gate *oracle = &oracle_gates[o];

			if (strncmp(oracle->name, gates[g].oracle, strlen(gates[g].oracle)))
				continue;
			for (size_t b = 0; b < ORACLE_GATE_BETAS; b++)
				assert_true(
					fabs(valid_mass(bm, gates[g].gate, oracle_gate_beta[b]) -
					     oracle->valid_mass[b]) < 1e-12);
			compared++;
		}
		pbit_bm_put(bm);
	}
	assert_int_equal(compared, GATES);
}

static void test_refuses(void **state)
{
	static const uint32_t twice[5] = {0, 1, 1, 2, 3}, beyond[5] = {0, 1, 9, 2, 3};
	struct pbit_bm *bm;
	struct pbit_bm_view before = PBIT_INIT(before);

	(void)state;
	assert_int_equal(pbit_bm_new(5, &bm), 0);
	assert_int_equal(pbit_gate_pins((enum pbit_gate)9), 0);
	assert_error(pbit_bm_add_gate(NULL, PBIT_GATE_AND, in_order, 1.0), -EINVAL, "NULL");
	assert_error(pbit_bm_add_gate(bm, PBIT_GATE_AND, NULL, 1.0), -EINVAL, "NULL");
	assert_error(pbit_bm_add_gate(bm, (enum pbit_gate)9, in_order, 1.0), -EINVAL, "9");
	assert_error(pbit_bm_add_gate(bm, PBIT_GATE_AND, twice, 1.0), -EINVAL, "both p-bit 1");
	assert_error(pbit_bm_add_gate(bm, PBIT_GATE_AND, beyond, 1.0), -EINVAL, "p-bit 9");
	assert_error(pbit_bm_add_gate(bm, PBIT_GATE_AND, in_order, 0.0), -EINVAL, "scale");
	assert_error(pbit_bm_add_gate(bm, PBIT_GATE_AND, in_order, NAN), -EINVAL, "scale");
	assert_error(pbit_bm_add_gate(bm, PBIT_GATE_AND, in_order, 6e299), -EINVAL, "value");
	assert_int_equal(pbit_bm_couplings(bm), 0);
	/* A term late in the gate cannot be added: none is. */
	assert_int_equal(pbit_bm_add_directed(bm, 3, 4, 1.0), 0);
	assert_error(pbit_bm_add_gate(bm, PBIT_GATE_FULL_ADDER, in_order, 1.0), -EEXIST,
		     "directed");
	assert_int_equal(pbit_bm_couplings(bm), 1);
	assert_int_equal(pbit_bm_view(bm, &before), 0);
	assert_true(before.h[0] == 0.0);
	pbit_bm_put(bm);
}

/* Two bits times two: A0 A1 B0 B1, products P0 ... P3, and what lies between. */
enum { A0, A1, B0, B1, P0, P1, P2, P3, X, Y, Z, CARRY, MULTIPLIER };

static struct pbit_bm *multiplier(void)
{
	static const uint32_t and0[] = {A0, B0, P0}, and1[] = {A1, B0, X}, and2[] = {A0, B1, Y},
			      and3[] = {A1, B1, Z}, half1[] = {X, Y, P1, CARRY},
			      half2[] = {Z, CARRY, P2, P3};
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(MULTIPLIER, &bm), 0);
	assert_int_equal(pbit_bm_add_gate(bm, PBIT_GATE_AND, and0, 1.0), 0);
	assert_int_equal(pbit_bm_add_gate(bm, PBIT_GATE_AND, and1, 1.0), 0);
	assert_int_equal(pbit_bm_add_gate(bm, PBIT_GATE_AND, and2, 1.0), 0);
	assert_int_equal(pbit_bm_add_gate(bm, PBIT_GATE_AND, and3, 1.0), 0);
	assert_int_equal(pbit_bm_add_gate(bm, PBIT_GATE_HALF_ADDER, half1, 1.0), 0);
	assert_int_equal(pbit_bm_add_gate(bm, PBIT_GATE_HALF_ADDER, half2, 1.0), 0);
	return bm;
}

/* Ground states are exactly the 16 products: 4 ANDs at -3, 2 half adders at -11. */
static void test_multiplier(void **state)
{
	struct pbit_bm *bm = multiplier();
	uint32_t ground = 0;

	(void)state;
	for (uint32_t s = 0; s < 1u << MULTIPLIER; s++) {
		uint32_t a = s & 3, b = s >> 2 & 3, p = s >> 4 & 15;
		double energy = energy_of(bm, s);

		assert_true(energy >= 4 * -3.0 + 2 * -11.0);
		if (energy > 4 * -3.0 + 2 * -11.0)
			continue;
		assert_int_equal(p, a * b);
		ground++;
	}
	assert_int_equal(ground, 16);
	pbit_bm_put(bm);
}

/* Four bits plus four: full adders in a row; p-bits A 0-3, B 4-7, S 8-11, carries 12-16. */
static struct pbit_bm *adder(void)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(17, &bm), 0);
	for (uint32_t k = 0; k < 4; k++) {
		const uint32_t pins[5] = {k, 4 + k, 12 + k, 8 + k, 13 + k};

		assert_int_equal(pbit_bm_add_gate(bm, PBIT_GATE_FULL_ADDER, pins, 1.0), 0);
	}
	return bm;
}

static void test_adder(void **state)
{
	struct pbit_bm *bm = adder();
	uint32_t ground = 0;

	(void)state;
	for (uint32_t s = 0; s < 1u << 17; s++) {
		uint32_t a = s & 15, b = s >> 4 & 15, sum = s >> 8 & 15, in_carry = s >> 12 & 1,
			 out_carry = s >> 16;
		double energy = energy_of(bm, s);

		assert_true(energy >= -16.0);
		if (energy > -16.0)
			continue;
		assert_int_equal(a + b + in_carry, sum + 16 * out_carry);
		ground++;
	}
	assert_int_equal(ground, 512);
	pbit_bm_put(bm);
}

/*
 * The adder run forwards (A, B clamped) and backwards (S clamped) by annealing: the best state of 8
 * replicas and 4 runs of 200 sweeps. One run of one replica ends in a ground state with probability
 * above 1/2 (measured 0.98 and 0.99), so all 32 miss with probability below 2^-32, for 6 questions
 * below 1e-8.
 */
static void test_adder_runs(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = adder();
	struct pbit_schedule ramp = PBIT_INIT(ramp);

	ramp.kind = PBIT_SCHEDULE_GEOMETRIC;
	ramp.beta = 0.1;
	ramp.beta_end = 4.0;
	ramp.sweeps = 200;
	for (uint64_t k = 0; k < 6; k++) {
		struct pbit_solve_opts opts = PBIT_INIT(opts);
		struct pbit_solve_result result = PBIT_INIT(result);
		uint64_t found = 0, value = 3 * k + (11 - k) * 16, mask = 0x10ff;

		if (k % 2) { /* which numbers have this sum, no carry in, none out? */
			mask = 0x11f00;
			value = (2 * k + 1) << 8;
		}
		opts.schedule = &ramp;
		opts.seed = k;
		opts.replicas = 8;
		opts.restarts = 4;
		opts.flags = PBIT_SOLVE_TARGET;
		opts.target = -16.0;
		opts.mask = &mask;
		opts.value = &value;
		result.state = &found;
		assert_int_equal(pbit_solve(&m->dev, bm, &opts, &result), 0);
		assert_int_equal(result.ended, PBIT_SOLVE_REACHED);
		assert_int_equal(found & mask, value);
		if (k % 2)
			assert_int_equal((found & 15) + (found >> 4 & 15), 2 * k + 1);
		else
			assert_int_equal((found >> 8 & 15) + 16 * (found >> 16 & 1),
					 3 * k + 11 - k);
	}
	pbit_bm_put(bm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ground_states), cmocka_unit_test(test_valid_mass),
		cmocka_unit_test(test_refuses),	      cmocka_unit_test(test_multiplier),
		cmocka_unit_test(test_adder),	      TEST(test_adder_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
