/* SPDX-License-Identifier: Apache-2.0 */
/* Memory aligned as packed weights need it: to a line of 64 bytes. */
#include <stdlib.h>
#include "model.h"

void *pbit__aligned(size_t size)
{
	if (size > SIZE_MAX - PBIT__LINE)
		return NULL;
	size = (size + PBIT__LINE - 1) / PBIT__LINE * PBIT__LINE;
	return aligned_alloc(PBIT__LINE, size ? size : PBIT__LINE);
}
