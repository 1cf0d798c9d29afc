/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p-DNN models. The file format is in MODEL.md, the arithmetic in CONTRACT.md.
 * A model is immutable once made and may be used by any number of threads and
 * devices at once.
 */
#ifndef PBIT_MODEL_H
#define PBIT_MODEL_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PBIT_MAX_LAYERS 1024u
#define PBIT_MAX_FAN_IN 65536u

/* One layer of a model, read only. Pointers live as long as the model. */
struct pbit_layer {
	uint32_t struct_size;
	uint32_t index;
	uint32_t type;	      /* enum pbit_layer_type */
	uint32_t activation;  /* enum pbit_activation */
	uint32_t in_encoding; /* enum pbit_encoding of what comes in */
	uint32_t
		encoding; /* enum pbit_encoding of what goes out (activation PBIT_ACT_PBIT, max-pool) */
	struct pbit_shape in;
	struct pbit_shape out;
	uint32_t kernel_h, kernel_w;
	uint32_t stride_h, stride_w;
	uint32_t pad_h, pad_w;
	uint32_t weight_bits; /* 1, 2, 4, 8, 32; 0 for a max-pool */
	uint32_t
		n_out; /* neurons per position: outputs of a dense layer, channels of a convolution */
	uint32_t in_stride;  /* Cs of the input map (MODEL.md, order of k) */
	uint32_t out_stride; /* Cs of the output map */
	uint32_t fan_in;     /* real inputs of one neuron, padding of channels not counted */
	uint32_t k_padded;   /* K: row length of the packed weights, a multiple of 32 */
	uint32_t n_scale;    /* 1 or n_out */
	float beta;
	const void *weights; /* packed, at a multiple of 64 bytes */
	size_t weights_size;
	const float *scale; /* n_scale values */
	const float *bias;  /* n_out values */
	const char *name;   /* "" where it has none */
};

struct pbit_model_info {
	uint32_t struct_size;
	uint32_t n_layers;
	struct pbit_shape in;
	struct pbit_shape out;
	uint32_t input_bits; /* 8 or 16 */
	uint32_t input_zero;
	float input_scale;
	uint32_t input_chw; /* 1: a caller's input is planar, channels first */
	uint64_t n_inputs;  /* values of one input */
	uint64_t n_outputs; /* values of one output */
	uint64_t n_pbits;   /* stochastic neurons */
	uint64_t n_weights;
	uint64_t n_macs;       /* multiply-accumulates of one whole pass */
	uint64_t weight_bytes; /* packed */
	uint32_t n_classes;    /* names given, 0 or n_outputs */
	uint32_t reserved;
	const char *name;
	const char *description;
	const char *path; /* file it came from, "" */
};

/*
 * Maps and checks a `.pbm` file. On success the caller drops *model with pbit_model_put(). The
 * file must not be changed while it is mapped (replace it, do not rewrite it). -ENOENT, -EACCES,
 * -ENOMEM; -EINVAL for a file that is not a valid model, the record's `where` naming file and
 * property. Reads the file, blocks on its disk.
 */
PBIT_API PBIT_CHECK int pbit_model_open(const char *path, struct pbit_model **model);

/* The same from memory; the bytes are copied. */
PBIT_API PBIT_CHECK int pbit_model_from_memory(const void *data, size_t size,
					       struct pbit_model **model);

/* One more owner. Returns its argument. Any thread. */
PBIT_API struct pbit_model *pbit_model_get(struct pbit_model *model);

/* One owner less; the last one frees it. NULL is allowed. Any thread. */
PBIT_API void pbit_model_put(struct pbit_model *model);

/* Fills info as far as info->struct_size reaches. -EINVAL. */
PBIT_API PBIT_CHECK int pbit_model_info(const struct pbit_model *model,
					struct pbit_model_info *info);

/* Layer i, NULL past the end. */
PBIT_API const struct pbit_layer *pbit_model_layer(const struct pbit_model *model, uint32_t i);

/* Name of class i, NULL where none is given. */
PBIT_API const char *pbit_model_class(const struct pbit_model *model, uint32_t i);

/*
 * Provenance entry i in *key and *value, -ENOENT past the end. Strings live as long as the model.
 */
PBIT_API PBIT_CHECK int pbit_model_provenance(const struct pbit_model *model, uint32_t i,
					      const char **key, const char **value);

/* Writes the model to a new file or in place of an old one, whole or not at all. */
PBIT_API PBIT_CHECK int pbit_model_save(const struct pbit_model *model, const char *path);

/* Description of a layer to be made; weights in plain row-major order. */
struct pbit_layer_spec {
	uint32_t struct_size;
	uint32_t type;	     /* enum pbit_layer_type */
	uint32_t activation; /* enum pbit_activation */
	uint32_t encoding;   /* enum pbit_encoding, PBIT_BIPOLAR or PBIT_BINARY */
	uint32_t n_out;	     /* outputs or channels; unused by a max-pool */
	uint32_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
	uint32_t weight_bits;
	uint32_t n_scale;
	float beta; /* 0 means 1 */
	const int8_t *
		weights; /* [n_out][kh][kw][in channels] or [n_out][in height][in width][in channels], values fit weight_bits */
	const float *weights_f32; /* the same for weight_bits == 32 */
	const float *scale;	  /* n_scale values */
	const float *bias;	  /* n_out values; NULL means 0 */
	const char *name;	  /* may be NULL */
};

struct pbit_model_spec {
	uint32_t struct_size;
	uint32_t n_layers;
	const char *name;
	const char *description;
	struct pbit_shape in;
	uint32_t input_bits;
	uint32_t input_zero;
	float input_scale;
	uint32_t input_chw;
	const struct pbit_layer_spec
		*layers;	    /* n_layers, each struct_size as layers[0].struct_size */
	const char *const *classes; /* n_classes strings */
	uint32_t n_classes;
	uint32_t n_provenance;
	const char *const *provenance; /* n_provenance pairs key, value */
};

/*
 * Makes a model from plain arrays, which are copied. Checks everything that a file
 * is checked for. -EINVAL, -ERANGE (a weight does not fit its bits), -ENOMEM.
 */
PBIT_API PBIT_CHECK int pbit_model_create(const struct pbit_model_spec *spec,
					  struct pbit_model **model);

/*
 * Unpacks weight (o, k) of a layer, k in the order of MODEL.md. 0 outside.
 */
PBIT_API double pbit_layer_weight(const struct pbit_layer *layer, uint32_t o, uint32_t k);

#ifdef __cplusplus
}
#endif
#endif
