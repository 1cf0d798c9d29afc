/* SPDX-License-Identifier: Apache-2.0 */
/* A report and the suite that fills it. */
#ifndef PBIT_SRC_CHECK_SUITE_H
#define PBIT_SRC_CHECK_SUITE_H

#include "check/run.h"

#define PBIT__CHECK_CONTROLS 6u

struct pbit__check_control {
	struct pbit_check_control control;
	char test[48];
	char reason[256];
};

struct pbit_check_report {
	struct pbit_check_summary summary;
	struct pbit__check_results results;
	struct pbit__check_control control[PBIT__CHECK_CONTROLS];
	struct pbit_check_fit *fits;
	char *device, *against;
	char reason[256];
};

/* Runs the six controls into the report; c holds the device under test. */
int pbit__check_controls(struct pbit__check *c, struct pbit_check_report *report);

/* The device as the suite needs it. */
int pbit__check_device_init(struct pbit__check_device *d, struct pbit_device *dev, uint64_t seed);

/* Marks failures by Holm's correction; returns how many there are. */
uint32_t pbit__check_judge(struct pbit__check_results *results, double family);

/* A report with the device's address; NULL out of memory. */
struct pbit_check_report *pbit__check_report_new(struct pbit_device *dev,
						 struct pbit_device *other);

/* Verdict of the whole from its tests and controls. */
void pbit__check_conclude(struct pbit_check_report *report, bool with_controls);

/* Reads and checks options, sets up c. `what` names the call. */
int pbit__check_begin(struct pbit__check *c, struct pbit_device *dev,
		      const struct pbit_check_opts *given, const char *what);

/* Group chosen by opts->tests? */
bool pbit__check_chosen(const struct pbit__check *c, uint32_t group);

#endif
