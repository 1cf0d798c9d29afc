/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines from files: which format it is, the draft of the machine, the machine. The format is told
 * by the first byte that is neither space nor a comment: { is dimod, c or p qubo, f ftp,
 * a digit a list of edges, whose first line has two numbers (gset) or three (ising).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/bm.h"
#include "core/args.h"
#include "import/format.h"

typedef int import_fn(struct pbit__reader *reader, struct pbit__draft *draft);

static const struct format {
	const char *name;
	import_fn *import;
	uint32_t number;
} formats[] = {
	{"gset", pbit__import_gset, PBIT_FORMAT_GSET},
	{"dimod", pbit__import_dimod, PBIT_FORMAT_DIMOD},
	{"qubo", pbit__import_qubo, PBIT_FORMAT_QUBO},
	{"ftp", pbit__import_ftp, PBIT_FORMAT_FTP},
	{"ising", pbit__import_ising, PBIT_FORMAT_ISING},
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

const char *pbit_bm_format_name(uint32_t format)
{
	return format >= 1 && format <= N_FORMATS ? formats[format - 1].name : "unknown";
}

/* What a pbit_bm_info owns. */
struct owned {
	struct pbit__draft draft;
};

static int by_name(const char *name, const struct format **format)
{
	for (size_t k = 0; k < N_FORMATS; k++) {
		if (!strcmp(formats[k].name, name)) {
			*format = &formats[k];
			return 0;
		}
	}
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot load machine", "format",
			 "use gset, dimod, qubo, ftp, ising, or none to tell by content",
			 "\"%s\" is no known format", PBIT__SHOW(name));
}

static int fail_content(struct pbit__reader *reader, int c)
{
	reader->word_line = reader->line;
	reader->word_column = reader->column;
	if (c == -1)
		return pbit__reader_fail_whole(reader, -EINVAL, NULL, "the file is empty");
	return pbit__reader_fail(reader, -EINVAL, "name the format where you know it",
				 "this begins like none of gset, dimod (JSON), qubo, ftp, ising");
}

/* By the first byte that counts; lists of edges are told apart by their reader. */
static int by_content(struct pbit__reader *reader, import_fn **import)
{
	for (;;) {
		int c, err = pbit__reader_skip_spaces(reader);

		if (err)
			return err;
		c = pbit__reader_peek(reader);
		if (c < -1)
			return c;
		if (c == '{' || c == '[')
			*import = pbit__import_dimod;
		else if (c == 'c' || c == 'p')
			*import = pbit__import_qubo;
		else if (c == 'f')
			*import = pbit__import_ftp;
		else if (c >= '0' && c <= '9')
			*import = pbit__import_edges;
		else if (c != '#')
			return fail_content(reader, c);
		if (c != '#')
			return 0;
		err = pbit__reader_skip_line(reader);
		if (err)
			return err;
	}
}

static uint32_t number_of(import_fn *import, const struct pbit__draft *draft)
{
	if (import == pbit__import_edges)
		return draft->is_cut ? PBIT_FORMAT_GSET : PBIT_FORMAT_ISING;
	for (size_t k = 0; k < N_FORMATS; k++)
		if (formats[k].import == import)
			return formats[k].number;
	return 0;
}

/* Hands the draft's labels, stages and name over. */
static int write_info(struct pbit_bm_info *info, uint32_t format, const struct pbit__draft *draft)
{
	struct owned *owned = malloc(sizeof(*owned));
	struct pbit_bm_info own = {
		.format = format,
		.memory = owned,
		.offset = draft->offset,
		.total_weight = draft->is_cut ? draft->total_weight : 0,
		.is_cut = draft->is_cut,
		.vartype = draft->is_binary ? PBIT_BINARY_VARIABLES : PBIT_SPIN_VARIABLES,
		.labels = (const char *const *)draft->labels,
		.stages = draft->stages,
		.n_stages = draft->n_stages,
		.name = draft->name ? draft->name : "",
	};
	int err;

	if (!owned)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot load machine", NULL, NULL,
				 "out of memory");
	err = pbit__args_write(info, &own, sizeof(own), PBIT__SIZE_TO(struct pbit_bm_info, memory),
			       "cannot load machine", "info");
	if (err)
		free(owned);
	else
		owned->draft = *draft;
	return err;
}

static int check_arguments(const void *source, const char *name, struct pbit_bm **bm,
			   const struct pbit_bm_info *info)
{
	struct pbit_bm_info own;

	if (!source || !bm)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot load machine",
				 source ? "bm" : name, NULL, "the pointer is NULL");
	if (!info)
		return 0;
	return pbit__args_read(&own, sizeof(own), info, PBIT__SIZE_TO(struct pbit_bm_info, memory),
			       "cannot load machine", "info");
}

static int load(struct pbit__reader *reader, const struct format *format, struct pbit_bm **bm,
		struct pbit_bm_info *info)
{
	struct pbit__draft draft = {.n = 0};
	struct pbit_bm *made = NULL;
	import_fn *import = format ? format->import : NULL;
	int err = import ? pbit__reader_skip_spaces(reader) : by_content(reader, &import);

	if (!err)
		err = import(reader, &draft);
	if (!err)
		err = pbit__draft_build(&draft, reader, &made);
	free(draft.terms);
	draft.terms = NULL;
	if (!err && info) {
		err = write_info(info, number_of(import, &draft), &draft);
		if (!err)
			draft = (struct pbit__draft){.n = 0};
	}
	pbit__draft_free(&draft);
	if (err)
		pbit_bm_put(made);
	else
		*bm = made;
	return err;
}

int pbit_bm_load(const char *path, const char *name, struct pbit_bm **bm, struct pbit_bm_info *info)
{
	const struct format *format = NULL;
	struct pbit__reader reader;
	int err = check_arguments(path, "path", bm, info);

	if (!err && name)
		err = by_name(name, &format);
	if (err)
		return err;
	err = pbit__reader_open(&reader, path);
	if (!err)
		err = load(&reader, format, bm, info);
	pbit__reader_close(&reader);
	return err;
}

int pbit_bm_from_memory(const void *data, size_t size, const char *name, struct pbit_bm **bm,
			struct pbit_bm_info *info)
{
	const struct format *format = NULL;
	struct pbit__reader reader;
	int err = check_arguments(data, "data", bm, info);

	if (!err && name)
		err = by_name(name, &format);
	if (err)
		return err;
	err = pbit__reader_memory(&reader, data, size);
	if (!err)
		err = load(&reader, format, bm, info);
	pbit__reader_close(&reader);
	return err;
}

void pbit_bm_info_free(struct pbit_bm_info *info)
{
	struct pbit_bm_info own = {.struct_size = 0};
	struct owned *owned;

	if (!info || info->struct_size < PBIT__SIZE_TO(struct pbit_bm_info, memory))
		return;
	owned = info->memory;
	if (owned)
		pbit__draft_free(&owned->draft);
	free(owned);
	/* Cannot fail: the size was looked at above. */
	(void)pbit__args_write(info, &own, sizeof(own), PBIT__SIZE_TO(struct pbit_bm_info, memory),
			       "cannot free", "info");
}
