/* SPDX-License-Identifier: Apache-2.0 */
/* What a model tells about itself. */
#include <errno.h>
#include "core/args.h"
#include "model.h"

int pbit_model_info(const struct pbit_model *model, struct pbit_model_info *info)
{
	if (!model)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot describe model", "model",
				 "pass a model", "NULL argument");
	return pbit__args_write(info, &model->info, sizeof(model->info),
				PBIT__SIZE_TO(struct pbit_model_info, n_layers),
				"cannot describe model", "info");
}

const struct pbit_layer *pbit_model_layer(const struct pbit_model *model, uint32_t i)
{
	return model && i < model->n_layers ? &model->layers[i] : NULL;
}

const char *pbit_model_class(const struct pbit_model *model, uint32_t i)
{
	return model && i < model->n_classes ? model->classes[i] : NULL;
}

int pbit_model_provenance(const struct pbit_model *model, uint32_t i, const char **key,
			  const char **value)
{
	if (!model || !key || !value)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot read provenance", NULL,
				 "pass a model and places for key and value", "NULL argument");
	if (i >= model->n_provenance)
		return pbit_fail(-ENOENT, PBIT_ERR_ARGUMENT, "cannot read provenance", model->path,
				 NULL, "entry %u of %u", i, model->n_provenance);
	*key = model->provenance[i].key;
	*value = model->provenance[i].value;
	return 0;
}

size_t pbit_layer_state_words(const struct pbit_layer *layer)
{
	if (!layer)
		return 0;
	return (size_t)(((uint64_t)layer->out.height * layer->out.width * layer->out_stride + 63) /
			64);
}
