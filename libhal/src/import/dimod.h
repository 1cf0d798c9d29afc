/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the two layouts of a binary quadratic model in JSON. */
#ifndef PBIT_SRC_IMPORT_DIMOD_H
#define PBIT_SRC_IMPORT_DIMOD_H

#include <jansson.h>
#include "import/format.h"

struct pbit__dimod {
	struct pbit__reader *reader;
	struct pbit__draft *draft;
	const json_t *root;
};

/* where is path: member[index]; index SIZE_MAX: of the member itself. Returns -EINVAL. */
int pbit__dimod_fail(const struct pbit__dimod *d, const char *member, size_t index,
		     const char *hint, const char *why, ...) PBIT_PRINTF(5, 6);

/* Value of "SPIN" or "BINARY" into the draft. */
int pbit__dimod_vartype(struct pbit__dimod *d, const char *member);

/* A finite number within +-1e300. */
int pbit__dimod_real(const struct pbit__dimod *d, const json_t *value, const char *member,
		     size_t index, double *real);

/* The offset, 0 where there is none. */
int pbit__dimod_offset(struct pbit__dimod *d);

/* A label (string, number, list of labels) as text to be freed, NULL with a record. */
char *pbit__dimod_label(const struct pbit__dimod *d, const json_t *value, const char *member,
			size_t index);

/*
 * Arrays: linear_biases, quadratic_head and so on (to_serializable(), schema 2 and 3).
 * Members: linear, quadratic, offset, vartype.
 */
int pbit__dimod_arrays(struct pbit__dimod *d);
int pbit__dimod_plain(struct pbit__dimod *d);

/*
 * Numbers of an array in either form: a list, or the bytes in base64. type: "float64", "int32"
 * and so on, looked at for bytes only.
 */
struct pbit__numbers {
	const json_t *list; /* or */
	uint8_t *bytes;	    /* to be freed */
	size_t count, width;
	bool is_real, is_signed;
	const char *member;
};
int pbit__numbers_open(const struct pbit__dimod *d, const char *member, const char *type,
		       struct pbit__numbers *numbers);
void pbit__numbers_close(struct pbit__numbers *numbers);
int pbit__numbers_real(const struct pbit__dimod *d, const struct pbit__numbers *numbers, size_t k,
		       double *value);
int pbit__numbers_index(const struct pbit__dimod *d, const struct pbit__numbers *numbers, size_t k,
			uint64_t n, uint64_t *value);

/* Decodes base64 (RFC 4648, with padding). *bytes is to be freed. -EINVAL, -ENOMEM without a record. */
int pbit__base64(const char *text, size_t length, uint8_t **bytes, size_t *size);

#endif
