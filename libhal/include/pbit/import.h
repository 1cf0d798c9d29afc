/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann machines from files of the field: max-cut graphs, binary quadratic models, QUBO, Ising
 * programs. man 5 pbit-machine describes each format and the rules by which they are told apart.
 */
#ifndef PBIT_IMPORT_H
#define PBIT_IMPORT_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pbit_bm_format {
	PBIT_FORMAT_GSET = 1,  /* "gset": rudy's max-cut graphs, vertices from 1, J = -w */
	PBIT_FORMAT_DIMOD = 2, /* "dimod": a binary quadratic model in JSON */
	PBIT_FORMAT_QUBO = 3,  /* "qubo": the text form of qbsolv */
	PBIT_FORMAT_FTP = 4,   /* "ftp": ferrotherm program, version 1 */
	PBIT_FORMAT_ISING = 5, /* "ising": n m 0, then i j J or i i h, p-bits from 0 */
};

/* What the variables of the file are. The machine's p-bits are always -1, +1; x = (1 + m)/2. */
enum pbit_vartype {
	PBIT_SPIN_VARIABLES = 0,
	PBIT_BINARY_VARIABLES = 1,
};

/* One rung of a schedule that came with the machine. */
struct pbit_bm_stage {
	double beta;
	uint64_t sweeps;
};

/*
 * What a file says beside J and h. Set struct_size (PBIT_INIT()); the strings and arrays belong
 * to the struct until pbit_bm_info_free().
 */
struct pbit_bm_info {
	uint32_t struct_size;
	uint32_t format;	   /* enum pbit_bm_format */
	void *memory;		   /* owns what follows; not for the caller */
	double offset;		   /* energy in the file's terms: E + offset */
	double total_weight;	   /* is_cut: W, the sum of all weights; cut = (W - E)/2 */
	uint32_t is_cut;	   /* 1 for a max-cut graph */
	uint32_t vartype;	   /* enum pbit_vartype */
	const char *const *labels; /* n names in UTF-8, one per p-bit; NULL: they are 0 ... n - 1 */
	const struct pbit_bm_stage *stages; /* NULL where there are none */
	uint64_t n_stages;
	const char *name; /* "" where the file has none */
};

/*
 * Reads a machine from a file (or pipe), in bounded pieces. format: one of the names above, NULL
 * to tell by content. *bm belongs to the caller (pbit_bm_put()); info may be NULL. On failure
 * both are left alone and the record's `where` is path:line:column.
 *
 * Memory is used as the file's bytes come, never by a count in it. A file of more than 65,536
 * p-bits has at least one byte for each. Terms of value 0 are checked and left out. The same
 * pair twice: gset and ising count equal values once and refuse others, qubo and dimod refuse
 * it, ftp adds up (as it specifies).
 *
 * -EINVAL: not such a file, or the content is wrong. -EOPNOTSUPP: terms of more than two p-bits.
 * -E2BIG: more than 2^26 p-bits, a JSON file over 256 MiB. -ENOMEM, and what open() and read()
 * give. Blocks on the file; any thread.
 */
PBIT_API PBIT_CHECK int pbit_bm_load(const char *path, const char *format, struct pbit_bm **bm,
				     struct pbit_bm_info *info);

/* The same from size bytes of memory, which are not kept. */
PBIT_API PBIT_CHECK int pbit_bm_from_memory(const void *data, size_t size, const char *format,
					    struct pbit_bm **bm, struct pbit_bm_info *info);

/* Frees what info owns and forgets it. NULL, and a struct that owns nothing, are allowed. */
PBIT_API void pbit_bm_info_free(struct pbit_bm_info *info);

/* Name of a format, "gset"; static, "unknown" outside the list. */
PBIT_API const char *pbit_bm_format_name(uint32_t format);

#ifdef __cplusplus
}
#endif
#endif
