/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of a model: the loaded blob (one flattened device tree), its layers as parsed, and the
 * helpers that the files of this folder share. Outside of it, use pbit/model.h and
 * pbit__layer_row_sums().
 */
#ifndef PBIT_SRC_MODEL_H
#define PBIT_SRC_MODEL_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <pbit/backend.h>

#define PBIT__CHUNK	   32u	      /* inputs */
#define PBIT__LANES	   16u	      /* outputs of a tile */
#define PBIT__LINE	   64u	      /* bytes, and the alignment of weights */
#define PBIT__MAX_DIM	   65535u     /* of a shape, a kernel, a stride */
#define PBIT__MAX_ELEMENTS (1u << 27) /* of a map */
#define PBIT__MAX_SIZE	   INT_MAX    /* of a file, and what libfdt can address */
#define PBIT__MAX_NAME	   255u	      /* bytes of a property's name */

/* Who asks, for the record of an error. */
struct pbit__origin {
	const char *what;     /* "cannot open model" */
	const char *source;   /* path of the file, "memory", "model" */
	const char *hint;     /* what to do about bad content */
	uint32_t error_class; /* of bad content */
};

/* What a layer owns. The rest of it lies in the blob. */
struct pbit__layer_store {
	float *scale;
	float *bias;
	void *weights; /* NULL where they are used in place */
};

struct pbit__provenance {
	const char *key;
	const char *value;
};

struct pbit_model {
	atomic_uint references;
	const void *blob;
	size_t size;   /* of the tree within the blob */
	size_t mapped; /* length to unmap; 0: the blob is from the heap */
	bool aligned;  /* weights of all layers are at multiples of 64 in the blob */
	char *path;    /* "" where it came from memory */
	uint32_t n_layers;
	uint32_t n_provenance;
	uint32_t n_classes;
	uint32_t n_nodes; /* entries in use of layers and stores */
	struct pbit_layer *layers;
	struct pbit__layer_store *stores;
	const char **classes;
	struct pbit__provenance *provenance;
	struct pbit_model_info info;
};

/* fail.c: records "source:path/property"; property may be NULL. Returns code. */
int pbit__model_fail(const struct pbit__origin *origin, int code, const char *path,
		     const char *property, const char *fmt, ...) PBIT_PRINTF(5, 6);
int pbit__model_no_memory(const struct pbit__origin *origin, size_t size);

/* memory.c: at a multiple of 64 bytes, freed by free(); NULL where there is none. */
void *pbit__aligned(size_t size);

/* check.c */
int pbit__tree_check(const struct pbit__origin *origin, const void *blob, size_t size);

/* tree.c: a property as found in a node; data is NULL where it is absent. */
struct pbit__property {
	const char *name;
	const void *data;
	int size;
};

/* A node of the tree. */
struct pbit__node {
	const struct pbit__origin *origin;
	const void *blob;
	int offset;
	char path[48];
};

int pbit__node_read(const struct pbit__node *node, struct pbit__property *properties, size_t n);
int pbit__property_need(const struct pbit__node *node, const struct pbit__property *property);
int pbit__property_refuse(const struct pbit__node *node, const struct pbit__property *property,
			  const char *why);
int pbit__property_cells(const struct pbit__node *node, const struct pbit__property *property,
			 size_t n, uint32_t *cells);
int pbit__property_floats(const struct pbit__node *node, const struct pbit__property *property,
			  size_t n, float *values);
int pbit__property_string(const struct pbit__node *node, const struct pbit__property *property,
			  const char **text);

/* Strings of a list, each with its final zero byte; -1 where the last has none. */
int64_t pbit__property_strings(const struct pbit__property *property);

/* Index in a list of words, of which the last is NULL. */
int pbit__property_word(const struct pbit__node *node, const struct pbit__property *property,
			const char *const *words, uint32_t *index);

/* load.c: takes over the blob on success. mapped: as in struct pbit_model. */
int pbit__model_load(const struct pbit__origin *origin, const void *blob, size_t size,
		     size_t mapped, const char *path, struct pbit_model **model);
void pbit__model_free(struct pbit_model *model);

/* labels.c */
int pbit__model_read_provenance(struct pbit_model *model, const struct pbit__node *node);
int pbit__model_read_classes(struct pbit_model *model, const struct pbit__node *root,
			     const struct pbit__property *property);

/* layer.c: reads node into layer i of the model. */
int pbit__layer_read(struct pbit_model *model, const struct pbit__node *node, uint32_t i);

/* What comes into a layer. */
struct pbit__map {
	struct pbit_shape shape;
	uint32_t encoding;
	uint32_t stride;
};

/*
 * geometry.c: completes a layer of which type, activation, encoding, n_out, kernel, stride, padding
 * and weight_bits are known, for a given input; checks every limit.
 */
int pbit__layer_derive(const struct pbit__origin *origin, const char *path,
		       struct pbit_layer *layer, const struct pbit__map *in, bool last);
int pbit__shape_check(const struct pbit__origin *origin, const char *path, const char *property,
		      uint64_t channels, uint64_t height, uint64_t width);
void pbit__layer_output(const struct pbit_layer *layer, struct pbit__map *out);

/* Positions of a neuron's inputs: kernel of a convolution, input map of a dense layer. */
static inline uint32_t pbit__field_height(const struct pbit_layer *layer)
{
	return layer->type == PBIT_CONV2D ? layer->kernel_h : layer->in.height;
}

static inline uint32_t pbit__field_width(const struct pbit_layer *layer)
{
	return layer->type == PBIT_CONV2D ? layer->kernel_w : layer->in.width;
}

/* pack.c: row-major weights into cleared packed ones. -ERANGE with a record. */
int pbit__layer_pack(const struct pbit__origin *origin, const char *path,
		     const struct pbit_layer *layer, const int8_t *weights, void *packed);
void pbit__layer_pack_f32(const struct pbit_layer *layer, const float *weights, void *packed);

/*
 * rowsums.c: R of CONTRACT.md for every output, over the real inputs in a window of the kernel (the
 * whole of a dense layer). -EINVAL without a record for a window outside the kernel or the other
 * kind of weights.
 */
int pbit__layer_row_sums(const struct pbit_layer *layer, uint32_t ky0, uint32_t ky1, uint32_t kx0,
			 uint32_t kx1, int64_t *R);
int pbit__layer_row_sums_f32(const struct pbit_layer *layer, uint32_t ky0, uint32_t ky1,
			     uint32_t kx0, uint32_t kx1, double *R);

/* writer.c: a tree in a buffer that grows. After the first error every call does nothing. */
struct pbit__writer {
	const struct pbit__origin *origin;
	void *buffer;
	size_t capacity;
	size_t used; /* at most */
	int error;
};

int pbit__writer_begin(struct pbit__writer *writer, const struct pbit__origin *origin,
		       uint64_t capacity);
void pbit__writer_node(struct pbit__writer *writer, const char *name);
void pbit__writer_end_node(struct pbit__writer *writer);
void *pbit__writer_place(struct pbit__writer *writer, const char *name, uint64_t size);
void pbit__writer_property(struct pbit__writer *writer, const char *name, const void *data,
			   uint64_t size);
void pbit__writer_string(struct pbit__writer *writer, const char *name, const char *text);
void pbit__writer_cells(struct pbit__writer *writer, const char *name, size_t n,
			const uint32_t *cells);
void pbit__writer_floats(struct pbit__writer *writer, const char *name, size_t n,
			 const float *values);

/* Cleared room for weights at a multiple of 64; NULL after an error. */
void *pbit__writer_weights(struct pbit__writer *writer, uint64_t size);

/* Ends the tree. On success the caller frees *blob; on failure there is nothing to free. */
int pbit__writer_finish(struct pbit__writer *writer, void **blob, size_t *size);
void pbit__writer_drop(struct pbit__writer *writer);

/* rewrite.c: a copy of the model's tree with all weights aligned, freed by free(). */
int pbit__model_rewrite(const struct pbit__origin *origin, const struct pbit_model *model,
			void **blob, size_t *size);

#endif
