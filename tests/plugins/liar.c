/* SPDX-License-Identifier: Apache-2.0 */
/* States the layer mode without having its operations. */
#include "least.h"

static int liar_get_caps(void *priv, struct pbit_caps *caps)
{
	int rc = least_get_caps(priv, caps);

	caps->flags |= PBIT_FLAG_LAYERS;
	return rc;
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.open = least_open,
	.close = least_close,
	.get_caps = liar_get_caps,
	.program = least_program,
	.clamp = least_clamp,
	.update = least_update,
	.read = least_read,
};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("liar", &ops)};
