/* SPDX-License-Identifier: Apache-2.0 */
/* A run of the suite: what its tests share. */
#ifndef PBIT_SRC_CHECK_RUN_H
#define PBIT_SRC_CHECK_RUN_H

#include <stdbool.h>
#include <pbit/check.h>
#include <pbit/pbit.h>
#include "check/law.h"
#include "check/machine.h"

#define PBIT__CHECK_FAMILY 1e-6

/* What a negative control does to the device under test. */
struct pbit__check_fault {
	double beta; /* factor; 0 counts as 1 */
	bool drop;   /* one coupling is not programmed: the one that shows least */
	bool stuck;  /* p-bit 0 is clamped to +1 */
};

/* A device under test. */
struct pbit__check_device {
	struct pbit_device *dev;
	struct pbit_caps caps;
	uint32_t order;	   /* PBIT_ORDER_* of the stationary tests, 0 where none is stated */
	uint32_t replicas; /* a power of two */
	uint64_t seed;
	struct pbit__check_fault fault;
};

struct pbit__check_result {
	struct pbit_check_test test;
	char name[48];
	char defect[64];
	char reason[256];
	uint32_t group;
};

struct pbit__check_results {
	struct pbit__check_result *list;
	uint32_t n, size;
};

struct pbit__check {
	struct pbit__check_device d;
	double alpha;	/* of one test */
	double scale;	/* of sample sizes: 1, 10 in a repetition, 0.1 when quick */
	uint64_t salt;	/* another for every test, so that seeds differ */
	uint32_t group; /* under way */
	struct pbit__check_results results;
	struct pbit_check_fit *fits;
	uint32_t n_fits;
	bool keep_fits;
	struct pbit_check_opts opts;
	struct pbit_check_progress progress;
	int64_t begun_ns, shown_ns;
};

/* A new result, NULL out of memory. Numbers are NaN, the verdict is pass. */
struct pbit_check_test *pbit__check_add(struct pbit__check *c, const char *name,
					const char *defect);

/* A result that says that a test does not apply. 0, -ENOMEM. */
int pbit__check_not_applicable(struct pbit__check *c, const char *name, const char *fmt, ...)
	PBIT_PRINTF(3, 4);

/*
 * After a call that failed: 0 where the device's stated limits are the cause and the test has been noted as not
 * applicable, else rc.
 */
int pbit__check_excuse(struct pbit__check *c, const char *name, int rc);

/* Reason of the result added last. */
void pbit__check_reason(struct pbit__check *c, const char *fmt, ...) PBIT_PRINTF(2, 3);

/* Shows progress; -ECANCELED with a record. */
int pbit__check_poll(struct pbit__check *c);

/* A record of no memory. */
int pbit__check_no_memory(void);

/* A seed for the next program. */
uint64_t pbit__check_seed(struct pbit__check *c);

/* p-bits of the free machine: 4, or as many as the device has. */
uint32_t pbit__check_few(const struct pbit__check *c);

const char *pbit__check_order_name(uint32_t order);

/* The tests. Each adds its results; a negative errno ends the run. */
int pbit__check_free_start(struct pbit__check *c);
int pbit__check_free_bits(struct pbit__check *c);
int pbit__check_sigmoid(struct pbit__check *c);
int pbit__check_states(struct pbit__check *c, const struct pbit__check_machine *m);
int pbit__check_planted(struct pbit__check *c);
int pbit__check_transient(struct pbit__check *c);
int pbit__check_torus(struct pbit__check *c);
int pbit__check_layers(struct pbit__check *c);

/* Group i of tests by number. */
#define PBIT__CHECK_GROUPS 18u
int pbit__check_group_run(struct pbit__check *c, uint32_t group);
int pbit__check_group_find(const char *name, size_t length);

#endif
