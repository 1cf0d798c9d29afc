/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging a device: one suite of statistical tests against exact laws, the same for every
 * device.
 *
 * A device passes where every test that applies to it passes and every negative control is
 * rejected. A correct device fails with probability below `false_alarm` (1e-6 for all tests of a
 * run together, Holm's correction). Each test states the defect that its sample size was
 * computed for and its power against it.
 */
#ifndef PBIT_CHECK_H
#define PBIT_CHECK_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pbit_check_verdict {
	PBIT_CHECK_PASS = 0,
	PBIT_CHECK_FAIL = 1,
	PBIT_CHECK_NOT_APPLICABLE = 2, /* the device cannot hold the test; the reason says why */
	PBIT_CHECK_REFUSED = 3,	       /* too correlated to be judged: counts against the device */
	PBIT_CHECK_INCOMPLETE = 4, /* of a whole report: no failure, but controls were left out */
};

/* Static name: "pass", "fail", "not applicable", "refused", "incomplete"; "unknown" outside. */
PBIT_API const char *pbit_check_verdict_name(uint32_t verdict);

#define PBIT_CHECK_QUICK       (1u << 0) /* a tenth of the samples; the power is stated as it is then */
#define PBIT_CHECK_NO_CONTROLS (1u << 1) /* the verdict is at best PBIT_CHECK_INCOMPLETE */

struct pbit_check_progress {
	uint32_t struct_size;
	uint32_t done; /* tests and controls that are complete, of `total` */
	uint32_t total;
	uint32_t reserved;
	const char *name; /* under way */
	double seconds;
};

/* Called now and then in the calling thread. Return non-zero to end with -ECANCELED. */
typedef int pbit_check_progress_fn(const struct pbit_check_progress *progress, void *user);

struct pbit_check_opts {
	uint32_t struct_size;
	uint32_t flags; /* PBIT_CHECK_* */
	uint64_t seed;
	const char *tests; /* names of groups (pbit_check_group()), ',' between them; NULL: all */
	pbit_check_progress_fn *progress; /* may be NULL */
	void *user;
};

/* Name of group i of tests, NULL past the end. Static strings. */
PBIT_API const char *pbit_check_group(uint32_t i);

struct pbit_check_summary {
	uint32_t struct_size;
	uint32_t verdict;   /* enum pbit_check_verdict */
	double false_alarm; /* family-wise */
	double alpha;	    /* of one test, by which powers and controls are computed */
	uint32_t n_tests;
	uint32_t n_controls;
	uint32_t n_fits; /* p-bits with a fitted response */
	uint32_t n_applicable;
	uint64_t seed;
	double seconds;
	const char *device;  /* address */
	const char *against; /* address of the second device, "" */
	const char *reason;  /* why it failed, "" */
};

struct pbit_check_test {
	uint32_t struct_size;
	uint32_t verdict;
	const char *name;
	const char *defect; /* what the sample size was computed for, "" */
	const char *reason; /* of a verdict other than pass, "" */
	double p;	    /* of the test; NaN where it did not run */
	double p_repeat;  /* of the repetition at ten times the samples, NaN where there was none */
	double power;	  /* against the defect, at `alpha`; NaN where it is not computed */
	uint64_t samples; /* that entered the test */
	uint64_t interval; /* sweeps from one to the next; 0: independent restarts */
	uint64_t burn_in;  /* sweeps */
	double tau; /* worst measured autocorrelation time, sweeps; 0.5 independent; NaN unmeasured */
	double ess;	  /* effective samples; NaN unmeasured */
	double statistic; /* chi-square or t, NaN */
	double df;	  /* NaN */
};

struct pbit_check_control {
	uint32_t struct_size;
	uint32_t rejected;
	const char *name;
	const char *test;   /* that was asked to notice */
	const char *device; /* "" : the device under test */
	const char *reason; /* why it could not run, "" */
	double p;	    /* smallest; NaN */
};

#define PBIT_CHECK_POINTS 17

/* Response of one free p-bit: P(+1) = 1/(1 + exp(-2 gain (beta h + offset))). */
struct pbit_check_fit {
	uint32_t struct_size;
	uint32_t pbit;
	double gain, gain_error; /* 1 standard error */
	double offset, offset_error;
	double shape_p;			 /* of the deviance */
	double input[PBIT_CHECK_POINTS]; /* beta * h */
	double up[PBIT_CHECK_POINTS];	 /* measured P(+1) */
	uint64_t draws;			 /* at each point */
};

struct pbit_check_report;

/*
 * Runs the suite on a device, which it programs as it likes. Blocks; opens devices of the scheme
 * `rules` for three of the negative controls. *report is freed by pbit_check_report_free().
 * Returns 0 whatever the verdict; -EINVAL (unknown test), -ECANCELED (the callback), -ENOMEM, or
 * what the device fails with for another reason than a stated limit.
 */
PBIT_API PBIT_CHECK int pbit_check_run(struct pbit_device *dev, const struct pbit_check_opts *opts,
				       struct pbit_check_report **report);

/*
 * Runs the same programs on two devices and tests that the samples have the same law: chi-square
 * of homogeneity, means of energies, each p-bit. The control repeats it with the second device
 * at 0.95 beta. Errors as pbit_check_run(); -EINVAL where both are one handle.
 */
PBIT_API PBIT_CHECK int pbit_check_against(struct pbit_device *dev, struct pbit_device *other,
					   const struct pbit_check_opts *opts,
					   struct pbit_check_report **report);

/* NULL is allowed. */
PBIT_API void pbit_check_report_free(struct pbit_check_report *report);

/*
 * Fill the struct as far as its struct_size reaches; -ENOENT past the end, -EINVAL. Strings live
 * as long as the report.
 */
PBIT_API PBIT_CHECK int pbit_check_report_summary(const struct pbit_check_report *report,
						  struct pbit_check_summary *summary);
PBIT_API PBIT_CHECK int pbit_check_report_test(const struct pbit_check_report *report, uint32_t i,
					       struct pbit_check_test *test);
PBIT_API PBIT_CHECK int pbit_check_report_control(const struct pbit_check_report *report,
						  uint32_t i, struct pbit_check_control *control);
PBIT_API PBIT_CHECK int pbit_check_report_fit(const struct pbit_check_report *report, uint32_t i,
					      struct pbit_check_fit *fit);

#ifdef __cplusplus
}
#endif
#endif
