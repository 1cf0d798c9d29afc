/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctrl-C and SIGTERM: noted, so that a command can end its work, report what is
 * complete and clean up. A second signal ends the program at once.
 */
#ifndef PBIT_CLI_SIGNALS_H
#define PBIT_CLI_SIGNALS_H

/* Begins to note signals. Negative errno. */
int signals_catch(void);

/* Polls readable once a signal has come. */
int signals_fd(void);

/* The signal that came, 0 for none. */
int signals_caught(void);

/* Exit status that tells of it: 130 for SIGINT. */
int signals_status(void);

#endif
