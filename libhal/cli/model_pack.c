/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `pbit model pack`: device-tree source to a model file. dtc's output goes to
 * memory, is checked as a model there, and only then saved.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <pbit/backend.h>
#include "command.h"
#include "dtc.h"
#include "options.h"
#include "output_file.h"
#include "report.h"
#include "signals.h"

static int check_source(const char *path)
{
	if (!strcmp(path, "-") || !access(path, R_OK))
		return 0;
	return pbit_fail(-errno, PBIT_ERR_FILE, "cannot read source", path, "check the path", "%s",
			 strerror(errno));
}

static int fail_memory(const char *path)
{
	return pbit_fail(-errno, PBIT_ERR_RESOURCE, "cannot pack", path, NULL, "%s",
			 strerror(errno));
}

static int save(const char *input, int blob, const char *output)
{
	struct pbit_model *model;
	struct stat st;
	void *data;
	int err;

	if (fstat(blob, &st))
		return fail_memory(input);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, blob, 0);
	if (data == MAP_FAILED)
		return fail_memory(input);
	err = pbit_model_from_memory(data, (size_t)st.st_size, &model);
	if (err)
		report("%s is not the source of a valid model", input);
	munmap(data, (size_t)st.st_size);
	if (err)
		return err;
	err = pbit_model_save(model, output);
	pbit_model_put(model);
	return err;
}

int model_pack(int argc, char **argv)
{
	const char *operands[2];
	const struct option options[] = {{.name = NULL}};
	const struct syntax syntax = {
		.command = "pbit model pack",
		.operands = "IN.dts OUT.pbm",
		.summary = "Makes a model file from device-tree source (pbm(5)) with dtc.",
		.options = options,
		.min_operands = 2,
		.max_operands = 2,
	};
	int status, blob, err;

	if (options_parse(&syntax, argc, argv, operands, &status) < 0)
		return status;
	/* Ctrl-C while the model is saved must not leave a part of it behind. */
	if (signals_catch() || check_source(operands[0]) ||
	    output_file_spares(operands[1], operands[0]))
		return report_failure();
	blob = memfd_create("model", MFD_CLOEXEC);
	if (blob < 0) {
		fail_memory(operands[0]);
		return report_failure();
	}
	err = dtc_run("dts", "dtb", operands[0], blob);
	if (!err && signals_caught())
		err = -EINTR;
	if (!err)
		err = save(operands[0], blob, operands[1]);
	close(blob);
	if (err == -EINTR)
		return signals_caught() ? signals_status() : 130;
	return err ? report_failure() : STATUS_OK;
}
