/* SPDX-License-Identifier: Apache-2.0 */
/* Dense machines in plain C. */
#include "dense_generic.h"

void soft_dense_portable(const struct soft_dense_sweep *s)
{
	dense_run(s);
}
