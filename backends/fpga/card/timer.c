// SPDX-License-Identifier: Apache-2.0
/* One thread for the interrupts that wait: for company (coalescing), or because a fault is set. */
#include "card.h"
#include <time.h>

static void *thread_fn(void *data)
{
	struct card *card = data;

	pthread_mutex_lock(&card->lock);
	while (!atomic_load(&card->stopping)) {
		const u64 now = now_ns();
		u64 next = now + 1000000000;
		struct timespec until;
		u32 q;

		for (q = 0; q < card->plan.queues; q++) {
			const u64 due = card->queue[q].due_ns;

			if (due && due <= now)
				vcard_queue_interrupt(&card->queue[q]);
			else if (due && due < next)
				next = due;
		}
		until.tv_sec = (time_t)(next / 1000000000);
		until.tv_nsec = (long)(next % 1000000000);
		pthread_cond_timedwait(&card->timer_wake, &card->lock, &until);
	}
	pthread_mutex_unlock(&card->lock);
	return NULL;
}

int vcard_timer_start(struct card *card)
{
	const int rc = pthread_create(&card->timer, NULL, thread_fn, card);

	card->timer_started = !rc;
	return -rc;
}

void vcard_timer_stop(struct card *card)
{
	if (!card->timer_started)
		return;
	pthread_mutex_lock(&card->lock);
	pthread_cond_broadcast(&card->timer_wake);
	pthread_mutex_unlock(&card->lock);
	pthread_join(card->timer, NULL);
}
