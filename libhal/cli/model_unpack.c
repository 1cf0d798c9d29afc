/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit model unpack`: a model file to device-tree source, once it is known to be a valid model. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <pbit/model.h>
#include "command.h"
#include "dtc.h"
#include "options.h"
#include "output_file.h"
#include "report.h"
#include "signals.h"

static int check_model(const char *path)
{
	struct pbit_model *model;
	int err = pbit_model_open(path, &model);

	if (!err)
		pbit_model_put(model);
	return err;
}

static int take(void *arg, const void *data, size_t n)
{
	return output_file_write(arg, data, n);
}

static int unpack_to_output(const char *input)
{
	static char name[] = "standard output";
	struct output_file file = {.fd = STDOUT_FILENO, .path = name};

	return dtc_read("dtb", "dts", input, take, &file);
}

static int unpack_to_file(const char *input, const char *path)
{
	struct output_file file;
	int err = signals_catch();

	if (!err)
		err = output_file_spares(path, input);
	if (!err)
		err = output_file_open(&file, path);
	if (err)
		return err;
	err = dtc_read("dtb", "dts", input, take, &file);
	if (!err && signals_caught())
		err = -EINTR;
	if (err)
		output_file_abandon(&file);
	else
		err = output_file_commit(&file);
	return err;
}

int model_unpack(int argc, char **argv)
{
	const char *operands[2];
	const struct option options[] = {{.name = NULL}};
	const struct syntax syntax = {
		.command = "pbit model unpack",
		.operands = "IN.pbm OUT.dts|-",
		.summary = "Turns a model file into device-tree source with dtc; - is standard "
			   "output.",
		.options = options,
		.min_operands = 2,
		.max_operands = 2,
	};
	int status, err;

	if (options_parse(&syntax, argc, argv, operands, &status) < 0)
		return status;
	err = check_model(operands[0]);
	if (!err && !strcmp(operands[1], "-"))
		err = unpack_to_output(operands[0]);
	else if (!err)
		err = unpack_to_file(operands[0], operands[1]);
	if (err == -EINTR)
		return signals_caught() ? signals_status() : 130;
	if (err == -EPIPE)
		return STATUS_OK;
	return err ? report_failure() : STATUS_OK;
}
