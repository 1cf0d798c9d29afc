// SPDX-License-Identifier: Apache-2.0
/* BAR 0, as the table of pbit_card.h. */
#include <endian.h>
#include <string.h>
#include "card.h"

#define CRITICAL_MC 100000
#define HOT_MC	    90000
#define POWER_SPAN  100000000ull /* ns that power is averaged over, at least */

static u32 low(u64 x)
{
	return (u32)x;
}

static u32 high(u64 x)
{
	return (u32)(x >> 32);
}

static u32 status(const struct card *card)
{
	u32 s = card->resetting ? PBIT_STATUS_RESETTING : PBIT_STATUS_READY;

	if (card->fault)
		s |= PBIT_STATUS_FAULT;
	if (atomic_load(&card->faults.temperature_mc) >= HOT_MC)
		s |= PBIT_STATUS_HOT;
	return s;
}

static u32 power(struct card *card)
{
	const u64 now = now_ns(), pj = card->energy_pj;

	if (now - card->power_at_ns >= POWER_SPAN) {
		/* pJ / ns = mW */
		const u64 uw = (pj - card->power_at_pj) * 1000 / (now - card->power_at_ns);

		card->power_uw = uw > UINT32_MAX ? UINT32_MAX : (u32)uw;
		card->power_at_ns = now;
		card->power_at_pj = pj;
	}
	return card->power_uw;
}

static u64 cycles(const struct card *card)
{
	const u64 ns = now_ns() - card->born_ns;

	return ns / 1000000 * card->plan.clock_khz + ns % 1000000 * card->plan.clock_khz / 1000000;
}

static u32 read_rom(const struct card *card, u32 offset)
{
	u32 word;

	memcpy(&word, (const u8 *)&card->rom + offset, sizeof(word));
	word = le32toh(word);
	if (offset == offsetof(struct pbit_card_rom, crc32) &&
	    atomic_load(&card->faults.lie) == LIE_ROM)
		word ^= 1;
	return word;
}

static u32 queue_status(const struct card_queue *q)
{
	u32 s = q->enabled ? PBIT_Q_STATUS_ENABLED : 0;

	if (vcard_queue_busy(q))
		s |= PBIT_Q_STATUS_BUSY;
	if (q->halted || q->card->fault)
		s |= PBIT_Q_STATUS_HALTED;
	return s;
}

static u32 queue_progress(const struct card_queue *q)
{
	if (atomic_load(&q->card->faults.lie) == LIE_PROGRESS)
		return ~0u;
	return q->running ? atomic_load(&q->progress) : 0;
}

static u32 read_queue(const struct card_queue *q, u32 offset)
{
	switch (offset) {
	case PBIT_Q_SQ_BASE_LO:
		return low(q->sq_base);
	case PBIT_Q_SQ_BASE_HI:
		return high(q->sq_base);
	case PBIT_Q_CQ_BASE_LO:
		return low(q->cq_base);
	case PBIT_Q_CQ_BASE_HI:
		return high(q->cq_base);
	case PBIT_Q_SIZE:
		return q->log2;
	case PBIT_Q_CONTROL:
		return (q->enabled ? PBIT_Q_ENABLE : 0) | (q->aborting ? PBIT_Q_ABORT : 0);
	case PBIT_Q_STATUS:
		return queue_status(q);
	case PBIT_Q_SQ_TAIL:
		return q->tail;
	case PBIT_Q_SQ_HEAD:
		return q->head;
	case PBIT_Q_CQ_HEAD:
		return q->cq_head;
	case PBIT_Q_PROGRESS:
		return queue_progress(q);
	case PBIT_Q_COALESCE:
		return q->coalesce;
	default:
		return ~0u;
	}
}

static u32 read_global(struct card *card, u32 offset)
{
	switch (offset) {
	case PBIT_REG_ID:
		return PBIT_CARD_ID;
	case PBIT_REG_VERSION:
		return PBIT_CARD_MAJOR << 16 | PBIT_CARD_MINOR;
	case PBIT_REG_ROM_SIZE:
		return sizeof(card->rom);
	case PBIT_REG_CONTROL:
	case PBIT_REG_IRQ_TEST:
		return 0;
	case PBIT_REG_STATUS:
		return status(card);
	case PBIT_REG_FAULT:
		return card->fault;
	case PBIT_REG_SCRATCH:
		return card->scratch_register;
	case PBIT_REG_IRQ_STATUS:
		return card->irq.status;
	case PBIT_REG_IRQ_ENABLE:
		return card->irq.enable;
	case PBIT_REG_CYCLES_LO:
		return low(cycles(card));
	case PBIT_REG_CYCLES_HI:
		return high(cycles(card));
	case PBIT_REG_TEMPERATURE:
		return (u32)atomic_load(&card->faults.temperature_mc);
	case PBIT_REG_TEMP_CRITICAL:
		return CRITICAL_MC;
	case PBIT_REG_POWER:
		return power(card);
	case PBIT_REG_ENERGY_LO:
		return low(card->energy_pj / 1000000);
	case PBIT_REG_ENERGY_HI:
		return high(card->energy_pj / 1000000);
	case PBIT_REG_UPDATES_LO:
		return low(card->updates);
	case PBIT_REG_UPDATES_HI:
		return high(card->updates);
	default:
		return ~0u;
	}
}

/* The queue that an offset belongs to, NULL: none. */
static struct card_queue *queue_at(struct card *card, u32 offset)
{
	const u32 stride = PBIT_REG_QUEUE(1) - PBIT_REG_QUEUE(0);

	if (offset < PBIT_REG_QUEUE(0) || offset >= PBIT_REG_QUEUE(card->plan.queues))
		return NULL;
	return &card->queue[(offset - PBIT_REG_QUEUE(0)) / stride];
}

u32 vcard_read(struct card *card, u32 offset)
{
	struct card_queue *q = queue_at(card, offset);
	u32 value;

	if (offset % 4 || offset >= PBIT_REGISTERS_SIZE || vcard_dead(card))
		return ~0u;
	pthread_mutex_lock(&card->lock);
	if (q)
		value = read_queue(q, offset - PBIT_REG_QUEUE(q->index));
	else if (offset >= PBIT_REG_ROM && offset < PBIT_REG_ROM + sizeof(card->rom))
		value = read_rom(card, offset - PBIT_REG_ROM);
	else
		value = read_global(card, offset);
	pthread_mutex_unlock(&card->lock);
	return value;
}

static void set_low(u64 *x, u32 value)
{
	*x = (*x & ~0xffffffffull) | value;
}

static void set_high(u64 *x, u32 value)
{
	*x = (*x & 0xffffffffull) | (u64)value << 32;
}

/* While the queue is enabled its rings stay where they are. */
static void write_ring(struct card_queue *q, u32 offset, u32 value)
{
	if (q->enabled || q->running)
		return;
	switch (offset) {
	case PBIT_Q_SQ_BASE_LO:
		set_low(&q->sq_base, value & ~0xffu);
		break;
	case PBIT_Q_SQ_BASE_HI:
		set_high(&q->sq_base, value);
		break;
	case PBIT_Q_CQ_BASE_LO:
		set_low(&q->cq_base, value & ~0x3fu);
		break;
	case PBIT_Q_CQ_BASE_HI:
		set_high(&q->cq_base, value);
		break;
	case PBIT_Q_SIZE:
		q->log2 = value < 1 ? 1 : value > 12 ? 12 : value;
		break;
	}
}

/* A doorbell that claims more than the ring holds rings for nothing. */
static void write_tail(struct card_queue *q, u32 value)
{
	if (!q->enabled || value - q->head > 1u << q->log2 || value - q->head < q->tail - q->head)
		return;
	q->tail = value;
	pthread_cond_broadcast(&q->wake);
}

static void write_taken(struct card_queue *q, u32 value)
{
	if (!q->enabled || value - q->cq_head > q->cq_tail - q->cq_head)
		return;
	q->cq_head = value;
	pthread_cond_broadcast(&q->wake);
}

static void write_control(struct card_queue *q, u32 value)
{
	vcard_queue_enable(q, value & PBIT_Q_ENABLE);
	if (value & PBIT_Q_ABORT)
		vcard_queue_abort(q);
}

static void write_queue(struct card_queue *q, u32 offset, u32 value)
{
	switch (offset) {
	case PBIT_Q_CONTROL:
		write_control(q, value);
		break;
	case PBIT_Q_SQ_TAIL:
		write_tail(q, value);
		break;
	case PBIT_Q_CQ_HEAD:
		write_taken(q, value);
		break;
	case PBIT_Q_COALESCE:
		q->coalesce = value;
		break;
	default:
		write_ring(q, offset, value);
	}
}

static void write_global(struct card *card, u32 offset, u32 value)
{
	switch (offset) {
	case PBIT_REG_CONTROL:
		if (value & PBIT_CONTROL_RESET) {
			vcard_reset_begin(card);
			vcard_reset_step(card);
		}
		break;
	case PBIT_REG_SCRATCH:
		card->scratch_register = value;
		break;
	case PBIT_REG_IRQ_STATUS:
		irq_acknowledge(card, value);
		break;
	case PBIT_REG_IRQ_ENABLE:
		irq_enable(card, value);
		break;
	case PBIT_REG_IRQ_TEST:
		irq_event(card, value);
		break;
	}
}

void vcard_write(struct card *card, u32 offset, u32 value)
{
	struct card_queue *q = queue_at(card, offset);

	if (offset % 4 || offset >= PBIT_REGISTERS_SIZE || vcard_dead(card))
		return;
	pthread_mutex_lock(&card->lock);
	/* During a reset nothing else is heard. */
	if (!card->resetting) {
		if (q)
			write_queue(q, offset - PBIT_REG_QUEUE(q->index), value);
		else
			write_global(card, offset, value);
	}
	pthread_mutex_unlock(&card->lock);
}
