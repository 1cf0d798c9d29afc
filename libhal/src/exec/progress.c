/* SPDX-License-Identifier: Apache-2.0 */
/* Progress reports of a run, at most 20 in a second. */
#include "core/clock.h"
#include "exec/run.h"

#define INTERVAL_NS 50000000

void pbit__run_progress(struct pbit__run *run, bool always)
{
	struct pbit_progress progress = PBIT_INIT(progress);
	int64_t now;

	if (!run->opts.progress)
		return;
	now = pbit__now_ns();
	progress.images_done = atomic_load_explicit(&run->images_done, memory_order_relaxed);
	/* The report that all is done is the last one, made by itself. */
	if (!always &&
	    (now - run->reported < INTERVAL_NS || progress.images_done == run->input.n_images))
		return;
	run->reported = now;
	progress.n_devices = run->session->n_devices;
	progress.images = run->input.n_images;
	progress.samples_done = atomic_load_explicit(&run->samples_done, memory_order_relaxed);
	progress.seconds = (double)(now - run->started) * 1e-9;
	if (run->opts.progress(&progress, run->opts.user))
		atomic_store(&run->ctl->cancelled, 1);
}
