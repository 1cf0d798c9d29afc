// SPDX-License-Identifier: Apache-2.0
/* SIGBUS in a guarded piece of work ends that piece; anywhere else it ends the process, as ever. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include "guard.h"

static _Thread_local sigjmp_buf *volatile way_out;

static void handler(int signal_number)
{
	if (way_out)
		siglongjmp(*way_out, 1);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

int guard_init(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER};

	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) ? -errno : 0;
}

bool guard_run(void (*fn)(void *), void *arg)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 0)) {
		way_out = NULL;
		return false;
	}
	way_out = &here;
	fn(arg);
	way_out = NULL;
	return true;
}
