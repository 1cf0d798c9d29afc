/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model against a device's stated capabilities. Only what is stated counts; an unstated limit is
 * left to the backend, which knows its device.
 */
#include <errno.h>
#include <stdio.h>

#include "core/text.h"
#include "device/limits.h"
#include "lower/net.h"

#define WHAT "cannot load model"

static const char *const type_names[] = {"dense", "conv2d", "maxpool"};
static const char *const activation_names[] = {"pbit", "linear", "sigmoid", "no activation"};

struct subject {
	const struct pbit_device *dev;
	const struct pbit_layer *layer;
	char name[96]; /* "layer 1 (hidden)" */
};

static const char *name_of(const char *const *names, size_t n, uint32_t i)
{
	return i < n ? names[i] : "unknown";
}

static int too_big(const struct subject *s, const char *quantity, uint64_t found, uint64_t limit)
{
	return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, WHAT, s->dev->uri,
			 "use a smaller model or a larger device",
			 "%s has %s of %llu, device states at most %llu", s->name, quantity,
			 (unsigned long long)found, (unsigned long long)limit);
}

static int check_kind(const struct subject *s)
{
	const struct pbit_caps *caps = &s->dev->caps;
	const struct pbit_layer *layer = s->layer;

	/* These masks have no bit in `stated`: an empty one says nothing. */
	if (caps->layer_types && !(caps->layer_types & 1u << layer->type))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, WHAT, s->dev->uri, NULL,
				 "%s is of type %s, which the device does not run", s->name,
				 name_of(type_names, 3, layer->type));
	if (caps->activations && layer->type != PBIT_MAXPOOL &&
	    !(caps->activations & 1u << layer->activation))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, WHAT, s->dev->uri, NULL,
				 "%s has the activation %s, which the device does not run", s->name,
				 name_of(activation_names, 4, layer->activation));
	return 0;
}

static int check_precision(const struct subject *s)
{
	const struct pbit_caps *caps = &s->dev->caps;
	uint32_t bits = s->layer->weight_bits, b;
	char list[128] = "";

	if (!bits || !(caps->stated & PBIT_CAP_WEIGHT_BITS) ||
	    (caps->weight_bits & 1u << (bits - 1)))
		return 0;
	for (b = 1; b <= 32; b++)
		if (caps->weight_bits & 1u << (b - 1))
			pbit__text_append(list, sizeof(list), "%s%u", *list ? ", " : "", b);
	return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, WHAT, s->dev->uri,
			 "quantise the model to a width that the device runs",
			 "%s has weights of %u bits, device states %s", s->name, bits,
			 *list ? list : "none");
}

static int check_layer(const struct subject *s)
{
	const struct pbit_caps *caps = &s->dev->caps;
	const struct pbit_layer *layer = s->layer;
	uint64_t outputs = (uint64_t)layer->out.channels * layer->out.height * layer->out.width;
	int rc = check_kind(s);

	if (!rc)
		rc = check_precision(s);
	if (rc)
		return rc;
	if (layer->type != PBIT_MAXPOOL && (caps->stated & PBIT_CAP_FAN_IN) &&
	    layer->fan_in > caps->fan_in)
		return too_big(s, "a fan-in", layer->fan_in, caps->fan_in);
	if ((caps->stated & PBIT_CAP_PBITS) && outputs > caps->pbits)
		return too_big(s, "a number of outputs", outputs, caps->pbits);
	return 0;
}

static bool layer_stated(const struct pbit_caps *caps, const struct pbit_layer *l)
{
	const uint64_t outputs = (uint64_t)l->out.channels * l->out.height * l->out.width;

	if (caps->layer_types && !(caps->layer_types & 1u << l->type))
		return false;
	if ((caps->stated & PBIT_CAP_PBITS) && outputs > caps->pbits)
		return false;
	if (l->type == PBIT_MAXPOOL)
		return true;
	if (caps->activations && !(caps->activations & 1u << l->activation))
		return false;
	if ((caps->stated & PBIT_CAP_WEIGHT_BITS) &&
	    !(caps->weight_bits & 1u << (l->weight_bits - 1)))
		return false;
	return !(caps->stated & PBIT_CAP_FAN_IN) || l->fan_in <= caps->fan_in;
}

bool pbit__layers_stated(const struct pbit_device *dev, const struct pbit_model *model,
			 uint32_t first, uint32_t n)
{
	uint64_t bytes = 0;

	for (uint32_t i = first; i < first + n; i++) {
		const struct pbit_layer *layer = pbit_model_layer(model, i);

		if (!layer_stated(&dev->caps, layer))
			return false;
		bytes += layer->weights_size;
	}
	return !(dev->caps.stated & PBIT_CAP_MEMORY) || bytes <= dev->caps.memory;
}

static int check_memory(const struct pbit_device *dev, uint64_t bytes)
{
	if (!(dev->caps.stated & PBIT_CAP_MEMORY) || bytes <= dev->caps.memory)
		return 0;
	return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, WHAT, dev->uri,
			 "run fewer layers at a time, or quantise the weights to fewer bits",
			 "the weights take %llu bytes, device states a memory of %llu",
			 (unsigned long long)bytes, (unsigned long long)dev->caps.memory);
}

int pbit__check_layer_mode(const struct pbit_device *dev, const char *what)
{
	if ((dev->caps.flags & PBIT_FLAG_LAYERS) && dev->ops.net_load && dev->ops.net_unload &&
	    dev->ops.net_run)
		return 0;
	return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
			 "use a device that states the layer mode, e.g. software:",
			 "the device does not run the layers of a p-DNN natively");
}

int pbit__check_model(const struct pbit_device *dev, const struct pbit_model *model, uint32_t first,
		      uint32_t n)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct subject s = {.dev = dev};
	uint64_t bytes = 0;
	uint32_t i;
	int rc = pbit_model_info(model, &info);

	if (rc)
		return rc;
	if (!n || first >= info.n_layers || n > info.n_layers - first)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, info.name, NULL,
				 "layers %u to %llu were asked for, the model has %u layers", first,
				 (unsigned long long)first + n - (n ? 1 : 0), info.n_layers);
	if (pbit__net_is_lowered(dev, model, first, n))
		return 0; /* the plan of the lowering finds out */
	rc = pbit__check_layer_mode(dev, WHAT);
	for (i = first; !rc && i < first + n; i++) {
		s.layer = pbit_model_layer(model, i);
		s.name[0] = '\0';
		pbit__text_append(s.name, sizeof(s.name),
				  s.layer->name[0] ? "layer %u (%s)" : "layer %u", i,
				  s.layer->name);
		rc = check_layer(&s);
		bytes += s.layer->weights_size;
	}
	return rc ? rc : check_memory(dev, bytes);
}
