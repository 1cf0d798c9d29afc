/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logic gates as Boltzmann machines whose ground states are their truth tables, with the total
 * probability of those states, by enumeration. Generated from an independent program.
 */
#ifndef ORACLE_GATES_H
#define ORACLE_GATES_H

#define ORACLE_GATE_BETAS 4

static const double oracle_gate_beta[ORACLE_GATE_BETAS] = {0.8, 1, 1.5, 2};

struct oracle_gate {
	const char *name;
	unsigned int n;
	double J[5][5];
	double h[5];
	double ground; /* energy */
	double valid_mass[ORACLE_GATE_BETAS];
};

static const struct oracle_gate oracle_gates[] = {
	{"AND3 (A,B,C)",
	 3,
	 {
		 {0, -1, 2},
		 {-1, 0, 2},
		 {2, 2, 0},
	 },
	 {1, 1, -2},
	 -3,
	 {0.9703193052900795, 0.9864479168923722, 0.9981443817803465, 0.9997484663047534}},
	{"OR3 (A,B,C)",
	 3,
	 {
		 {0, -1, 2},
		 {-1, 0, 2},
		 {2, 2, 0},
	 },
	 {-1, -1, 2},
	 -3,
	 {0.9703193052900795, 0.9864479168923722, 0.9981443817803465, 0.9997484663047534}},
	{"NAND3 (A,B,C)",
	 3,
	 {
		 {0, -1, -2},
		 {-1, 0, -2},
		 {-2, -2, 0},
	 },
	 {1, 1, 2},
	 -3,
	 {0.9703193052900795, 0.9864479168923722, 0.9981443817803465, 0.9997484663047534}},
	{"NOR3 (A,B,C)",
	 3,
	 {
		 {0, -1, -2},
		 {-1, 0, -2},
		 {-2, -2, 0},
	 },
	 {-1, -1, -2},
	 -3,
	 {0.9703193052900795, 0.9864479168923722, 0.9981443817803465, 0.9997484663047534}},
	{"XOR4 (A,B,C,aux=A AND B)",
	 4,
	 {
		 {0, -1, 1, 2},
		 {-1, 0, 1, 2},
		 {1, 1, 0, -2},
		 {2, 2, -2, 0},
	 },
	 {1, 1, -1, -2},
	 -4,
	 {0.7380179448353145, 0.8082949085180383, 0.9198502182611584, 0.9689429741284845}},
	{"HA4 pkit (A,B,S,C)",
	 4,
	 {
		 {0, -3, 2, 6},
		 {-3, 0, 2, 6},
		 {2, 2, 0, -4},
		 {6, 6, -4, 0},
	 },
	 {3, 3, -2, -6},
	 -11,
	 {0.9596851099200691, 0.9817712206677783, 0.9975227914654173, 0.9996645655247582}},
	{"FA5 (A,B,Cin,S,Cout)",
	 5,
	 {
		 {0, -1, -1, 1, 2},
		 {-1, 0, -1, 1, 2},
		 {-1, -1, 0, 1, 2},
		 {1, 1, 1, 0, -2},
		 {2, 2, 2, -2, 0},
	 },
	 {0, 0, 0, 0, 0},
	 -4,
	 {0.7380179448353144, 0.8082949085180386, 0.9198502182611586, 0.9689429741284845}},
};

#endif
