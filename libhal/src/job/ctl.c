/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend asks about the call it is in: was it cancelled, is its time over? */
#include <errno.h>

#include "core/clock.h"
#include "job/job.h"

int pbit_ctl_check(struct pbit_ctl *ctl)
{
	if (!ctl)
		return 0;
	if (atomic_load_explicit(&ctl->cancelled, memory_order_relaxed))
		return -ECANCELED;
	if (ctl->deadline != PBIT_FOREVER && pbit__now_ns() >= ctl->deadline)
		return -ETIMEDOUT;
	return 0;
}

int pbit_ctl_fd(struct pbit_ctl *ctl)
{
	return ctl ? ctl->fd : -1;
}

int64_t pbit_ctl_deadline(struct pbit_ctl *ctl)
{
	return ctl ? ctl->deadline : PBIT_FOREVER;
}
