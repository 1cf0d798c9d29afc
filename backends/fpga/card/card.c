// SPDX-License-Identifier: Apache-2.0
/* A card made, reset, faulted, taken apart. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "card.h"

#define HOT_MC	    90000
#define CRITICAL_MC 100000

u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

bool vcard_dead(struct card *card)
{
	return !atomic_load(&card->faults.dead_after);
}

static void memory_free(struct card *card)
{
	if (card->memory)
		munmap(card->memory, card->memory_span);
	if (card->memory_fd >= 0)
		close(card->memory_fd);
	card->memory = NULL;
	card->memory_fd = -1;
}

/* Sealed: a client that holds it as well can take nothing of it away. */
static int memory_new(struct card *card)
{
	const int fd = memfd_create("pbit-card", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *at;
	int rc;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)card->memory_span) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		goto fail;
	at = mmap(NULL, card->memory_span, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		goto fail;
	memory_free(card);
	card->memory = at;
	card->memory_fd = fd;
	return 0;
fail:
	rc = -errno;
	close(fd);
	return rc;
}

void vcard_reset_begin(struct card *card)
{
	u32 q;

	card->resetting = true;
	for (q = 0; q < card->plan.queues; q++) {
		atomic_store(&card->queue[q].drop, true);
		pthread_cond_broadcast(&card->queue[q].wake);
	}
}

void vcard_reset_step(struct card *card)
{
	u32 q;

	if (!card->resetting)
		return;
	for (q = 0; q < card->plan.queues; q++)
		if (card->queue[q].running)
			return;
	for (q = 0; q < card->plan.queues; q++)
		vcard_queue_clear(&card->queue[q]);
	irq_clear(&card->irq);
	card->fault = 0;
	card->scratch_register = 0;
	card->energy_pj = 0;
	card->updates = 0;
	card->power_at_pj = 0;
	card->power_uw = 0;
	card->was_hot = false;
	/* What hung has been cured. */
	if (atomic_exchange(&card->hung, false))
		atomic_store(&card->faults.hang_after, -1);
	card->resetting = false;
	pthread_cond_broadcast(&card->idle);
}

int vcard_reset(struct card *card, bool memory)
{
	int rc = 0;

	pthread_mutex_lock(&card->lock);
	vcard_reset_begin(card);
	vcard_reset_step(card);
	while (card->resetting)
		pthread_cond_wait(&card->idle, &card->lock);
	if (memory)
		rc = memory_new(card);
	pthread_mutex_unlock(&card->lock);
	return rc;
}

void vcard_fault(struct card *card, u32 fault)
{
	u32 q;

	if (card->fault)
		return;
	card->fault = fault;
	for (q = 0; q < card->plan.queues; q++) {
		atomic_store(&card->queue[q].drop, true);
		pthread_cond_broadcast(&card->queue[q].wake);
	}
	irq_event(card, PBIT_IRQ_FAULT);
}

static void look_at_temperature(struct card *card)
{
	const s32 mc = atomic_load(&card->faults.temperature_mc);

	if (mc >= HOT_MC && !card->was_hot)
		irq_event(card, PBIT_IRQ_HOT);
	card->was_hot = mc >= HOT_MC;
	if (mc >= CRITICAL_MC)
		vcard_fault(card, PBIT_FAULT_HOT);
}

void vcard_faults_apply(struct card *card)
{
	const u32 fault = atomic_exchange(&card->faults.raise, 0);
	bool back;

	pthread_mutex_lock(&card->lock);
	back = card->was_dead && !vcard_dead(card);
	card->was_dead = vcard_dead(card);
	if (fault)
		vcard_fault(card, fault);
	look_at_temperature(card);
	pthread_mutex_unlock(&card->lock);
	/* A link that comes back has a card behind it that was reset. */
	if (back)
		(void)vcard_reset(card, false);
}

static int conds(struct card *card)
{
	pthread_condattr_t attr;
	u32 q;
	int rc = pthread_condattr_init(&attr);

	if (rc)
		return -rc;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&card->idle, &attr);
	if (!rc)
		rc = pthread_cond_init(&card->timer_wake, &attr);
	for (q = 0; q < card->plan.queues && !rc; q++)
		rc = pthread_cond_init(&card->queue[q].wake, &attr);
	pthread_condattr_destroy(&attr);
	return -rc;
}

static u64 power_of_two(u64 size)
{
	u64 span = 4096;

	while (span < size)
		span *= 2;
	return span;
}

static int bring_up(struct card *card)
{
	u32 q;
	int rc = conds(card);

	if (!rc)
		rc = dma_init(&card->dma);
	if (!rc)
		rc = memory_new(card);
	if (!rc)
		rc = vcard_timer_start(card);
	for (q = 0; q < card->plan.queues && !rc; q++)
		rc = vcard_queue_start(card, q);
	return rc;
}

int vcard_create(const struct card_plan *plan, struct card **out)
{
	struct card *card = calloc(1, sizeof(*card));
	struct card_plan honest = *plan;
	int rc;

	if (!card)
		return -ENOMEM;
	honest.rom_offset = ~0u;
	card->plan = *plan;
	card->memory_fd = -1;
	card->memory_span = power_of_two(plan->memory);
	card->born_ns = now_ns();
	card->power_at_ns = card->born_ns;
	pthread_mutex_init(&card->lock, NULL);
	faults_init(&card->faults);
	irq_init(&card->irq);
	vcard_rom(plan, &card->rom);
	vcard_rom(&honest, &card->limits);
	rc = bring_up(card);
	if (rc)
		vcard_destroy(card);
	else
		*out = card;
	return rc;
}

void vcard_destroy(struct card *card)
{
	u32 q;

	if (!card)
		return;
	atomic_store(&card->stopping, true);
	for (q = 0; q < card->plan.queues; q++)
		vcard_queue_stop(&card->queue[q]);
	vcard_timer_stop(card);
	irq_forget(&card->irq);
	dma_destroy(&card->dma);
	memory_free(card);
	for (q = 0; q < card->plan.queues; q++)
		pthread_cond_destroy(&card->queue[q].wake);
	pthread_cond_destroy(&card->timer_wake);
	pthread_cond_destroy(&card->idle);
	pthread_mutex_destroy(&card->lock);
	free(card);
}
