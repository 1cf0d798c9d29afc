/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run that Ctrl-C ends early: it is a job, and this thread waits for its end
 * or a signal, whichever comes first.
 */
#include "run_watch.h"

#include <errno.h>
#include <poll.h>
#include <pbit/job.h>
#include "progress.h"
#include "signals.h"

static int show_progress(const struct pbit_progress *progress, void *user)
{
	progress_show(user, progress->images_done, progress->images, progress->seconds);
	return 0;
}

static void wait_for_end_or_signal(const struct pbit_job *job)
{
	struct pollfd fds[2] = {
		{.fd = pbit_job_fd(job), .events = POLLIN},
		{.fd = signals_fd(), .events = POLLIN},
	};

	while (!signals_caught())
		if (poll(fds, 2, -1) > 0 && fds[0].revents)
			return;
}

int run_and_watch(struct pbit_session *session, const struct pbit_input *input,
		  const struct pbit_run_opts *opts, const char *label, struct pbit_result *result)
{
	struct pbit_run_opts watched = *opts;
	struct pbit_job *job;
	int err;

	watched.progress = show_progress;
	/* The label outlives the run and is not written to. */
	watched.user = (void *)(uintptr_t)label;
	err = pbit_session_submit(session, input, &watched, result, &job);
	if (err)
		return err;
	wait_for_end_or_signal(job);
	if (signals_caught())
		pbit_job_cancel(job);
	err = pbit_job_wait(job, PBIT_FOREVER);
	progress_clear();
	pbit_job_free(job);
	return err;
}
