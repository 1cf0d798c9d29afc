/* SPDX-License-Identifier: Apache-2.0 */
/* What `pbit doctor` finds: a list of checks, each with a verdict and what to do. */
#ifndef PBIT_CLI_DOCTOR_H
#define PBIT_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <pbit/types.h>

enum verdict {
	VERDICT_OK,
	VERDICT_WARNING,
	VERDICT_PROBLEM,
};

struct check {
	enum verdict verdict;
	const char *name;
	char *detail;
	const char *advice; /* "" where there is nothing to do */
};

struct doctor {
	struct check *checks;
	size_t n, size;
	unsigned usable; /* devices */
	bool failed;	 /* out of memory */
};

/* name and advice are kept, so they must be constant strings. */
void doctor_add(struct doctor *doctor, enum verdict verdict, const char *name, const char *advice,
		const char *fmt, ...) PBIT_PRINTF(5, 6);

void check_library(struct doctor *doctor);
void check_backends(struct doctor *doctor);
void check_environment(struct doctor *doctor);
void check_devices(struct doctor *doctor);
void check_kernels(struct doctor *doctor);
void check_data_set(struct doctor *doctor);
void check_compiler(struct doctor *doctor);
void check_cards(struct doctor *doctor);
void check_memory_lock(struct doctor *doctor);

#endif
