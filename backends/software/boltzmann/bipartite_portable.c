/* SPDX-License-Identifier: Apache-2.0 */
/* Draws of a side for any processor. */
#include "bipartite_generic.h"

void soft_bipartite_portable(const struct soft_bipartite_side *s)
{
	bipartite_run(s);
}
