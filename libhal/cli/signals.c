/* SPDX-License-Identifier: Apache-2.0 */
/* Notes SIGINT and SIGTERM in a pipe that a waiting command polls. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <pbit/backend.h>

static volatile sig_atomic_t caught;
static int wake[2] = {-1, -1};

static void note(int number)
{
	int saved = errno;

	caught = number;
	if (write(wake[1], "", 1) < 0) {
		/* Full: it polls readable already. */
	}
	errno = saved;
}

int signals_catch(void)
{
	struct sigaction action = {.sa_handler = note,
				   .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};

	if (wake[0] >= 0)
		return 0;
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		return pbit_fail(-errno, PBIT_ERR_RESOURCE, "cannot watch for signals", NULL, NULL,
				 "%s", strerror(errno));
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return 0;
}

int signals_fd(void)
{
	return wake[0];
}

int signals_caught(void)
{
	return caught;
}

int signals_status(void)
{
	return 128 + caught;
}
