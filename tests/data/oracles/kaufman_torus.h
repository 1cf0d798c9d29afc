/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy per spin of the ferromagnetic Ising model (J = 1, h = 0) on the 8 x 8 torus, from
 * Kaufman's formula of 1949 for finite lattices. Generated from an independent program.
 */
#ifndef ORACLE_KAUFMAN_TORUS_H
#define ORACLE_KAUFMAN_TORUS_H

static const struct {
	double beta;
	double energy;
} oracle_torus8[] = {
	{0.2, -0.42836805894470176}, {0.3, -0.7124673726727879},
	{0.4, -1.2223206432521263},  {0.44068679350977147, -1.4915891074412007},
	{0.5, -1.745683170288486},   {0.6, -1.9090674297517893},
	{1.0, -1.9971602041143475},
};

#endif
