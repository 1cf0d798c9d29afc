/* SPDX-License-Identifier: Apache-2.0 */
/* A run that Ctrl-C ends early. */
#ifndef PBIT_CLI_RUN_WATCH_H
#define PBIT_CLI_RUN_WATCH_H

#include <pbit/run.h>

/*
 * As pbit_session_run(), with a progress bar, and -ECANCELED once a signal has come
 * (signals_catch() having been called). label is shown with the bar.
 */
int run_and_watch(struct pbit_session *session, const struct pbit_input *input,
		  const struct pbit_run_opts *opts, const char *label, struct pbit_result *result);

#endif
