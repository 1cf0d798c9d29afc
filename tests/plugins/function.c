/* SPDX-License-Identifier: Apache-2.0 */
/* The exported name is a function, not a descriptor. */
#include "least.h"

EXPORTED extern const struct pbit_backend *pbit_backend_entry(void);
const struct pbit_backend *pbit_backend_entry(void)
{
	return NULL;
}
