/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual card as a function on a bus: configuration space, registers, interrupts, what the protocol refuses. */
#include "test_card_client.h"
#include <zlib.h>

static int make(void **state)
{
	struct card_plan plan;

	vcard_plan_init(&plan);
	plan.memory = 3 << 20; /* no power of two: the BAR is larger */
	*state = client_new(&plan);
	return 0;
}

static int unmake(void **state)
{
	client_free(*state);
	return 0;
}

/* Offset of a capability, 0: none. */
static u32 capability(struct client *c, u32 id)
{
	u32 at = get_config(c, PCI_CAPABILITY_LIST, 1), steps = 0;

	while (at && steps++ < 48) {
		if (get_config(c, at, 1) == id)
			return at;
		at = get_config(c, at + 1, 1);
	}
	return 0;
}

static u32 bar_size(struct client *c, u32 n)
{
	const u32 at = PCI_BASE_ADDRESS_0 + 4 * n, before = get_config(c, at, 4);
	u32 mask;

	set_config(c, at, ~0u, 4);
	mask = get_config(c, at, 4) & ~0xfu;
	set_config(c, at, before, 4);
	return ~mask + 1;
}

static void test_config(void **state)
{
	struct client *c = *state;
	u32 msix, exp, pm;

	assert_int_equal(get_config(c, PCI_VENDOR_ID, 2), PBIT_PCI_VENDOR_ID);
	assert_int_equal(get_config(c, PCI_DEVICE_ID, 2), PBIT_PCI_DEVICE_ID);
	assert_int_equal(get_config(c, PCI_CLASS_REVISION, 4) >> 8, PBIT_PCI_CLASS);
	assert_int_equal(bar_size(c, 0), PBIT_REGISTERS_SIZE);
	assert_int_equal(bar_size(c, 2), 4 << 20);
	assert_int_equal(bar_size(c, 4), 4096);
	msix = capability(c, PCI_CAP_ID_MSIX);
	assert_true(msix);
	assert_int_equal(get_config(c, msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE, 2);
	exp = capability(c, PCI_CAP_ID_EXP);
	assert_true(exp && get_config(c, exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	pm = capability(c, PCI_CAP_ID_PM);
	assert_true(pm);
	set_config(c, pm + PCI_PM_CTRL, 3, 2);
	assert_int_equal(get_config(c, pm + PCI_PM_CTRL, 2) & 3, 3);
	assert_true(capability(c, PCI_CAP_ID_MSI));
	assert_int_equal(get_config(c, 0x100, 2), PCI_EXT_CAP_ID_DSN);
	/* What is read only stays. */
	set_config(c, PCI_VENDOR_ID, 0x12345678, 4);
	assert_int_equal(get_config(c, PCI_VENDOR_ID, 2), PBIT_PCI_VENDOR_ID);
}

static void test_rom(void **state)
{
	struct client *c = *state;
	struct pbit_card_rom rom;
	u32 crc, i;

	assert_int_equal(get(c, PBIT_REG_ID), PBIT_CARD_ID);
	assert_int_equal(get(c, PBIT_REG_ROM_SIZE), sizeof(rom));
	for (i = 0; i < sizeof(rom); i += 4) {
		const u32 word = get(c, PBIT_REG_ROM + i);

		memcpy((u8 *)&rom + i, &word, 4);
	}
	crc = rom.crc32;
	rom.crc32 = 0;
	assert_int_equal(crc, crc32(0, (const u8 *)&rom, sizeof(rom)));
	assert_int_equal(rom.memory_size, 3 << 20);
	assert_int_equal(rom.n_queues, 2);
	assert_true(rom.flags & PBIT_CARD_CONTRACT);
	assert_int_equal(get(c, PBIT_REG_ROM + sizeof(rom)), ~0u);
}

static void test_registers(void **state)
{
	struct client *c = *state;
	u64 before, after;
	u16 half;

	set(c, PBIT_REG_SCRATCH, 0x12345678);
	assert_int_equal(get(c, PBIT_REG_SCRATCH), 0x12345678);
	region_get(c, PBIT_BAR_REGISTERS, PBIT_REG_SCRATCH + 2, &half, 2);
	assert_int_equal(half, 0x1234);
	/* A part of a word is not written. */
	half = 0xffff;
	region_set(c, PBIT_BAR_REGISTERS, PBIT_REG_SCRATCH, &half, 2);
	assert_int_equal(get(c, PBIT_REG_SCRATCH), 0x12345678);
	/* Unknown offsets, queues that are not there, read-only ones. */
	assert_int_equal(get(c, 0x3ffc), ~0u);
	assert_int_equal(get(c, PBIT_REG_QUEUE(2)), ~0u);
	assert_int_equal(get(c, PBIT_REGISTERS_SIZE - 4), ~0u);
	set(c, PBIT_REG_ID, 0);
	set(c, 0xfffc, 0);
	assert_int_equal(get(c, PBIT_REG_ID), PBIT_CARD_ID);
	before = get(c, PBIT_REG_CYCLES_LO);
	usleep(2000);
	after = get(c, PBIT_REG_CYCLES_LO);
	assert_in_range((u32)(after - before), 2 * 200000 - 1, 1u << 31);
	assert_int_equal(get(c, PBIT_REG_STATUS), PBIT_STATUS_READY);
	set(c, PBIT_REG_CONTROL, PBIT_CONTROL_RESET);
	assert_int_equal(get(c, PBIT_REG_STATUS), PBIT_STATUS_READY);
	assert_int_equal(get(c, PBIT_REG_SCRATCH), 0);
}

static void test_queue_registers(void **state)
{
	struct client *c = *state;

	set(c, reg_q(PBIT_Q_SQ_BASE_LO), 0xffffffff);
	assert_int_equal(get(c, reg_q(PBIT_Q_SQ_BASE_LO)), 0xffffff00);
	set(c, reg_q(PBIT_Q_SIZE), 77);
	assert_int_equal(get(c, reg_q(PBIT_Q_SIZE)), 12);
	set(c, reg_q(PBIT_Q_SIZE), 0);
	assert_int_equal(get(c, reg_q(PBIT_Q_SIZE)), 1);
	client_rings(c, DIRECT, 3);
	/* Enabled, rings stay where they are; a doorbell cannot claim more than there is. */
	set(c, reg_q(PBIT_Q_SQ_BASE_LO), 0);
	assert_int_equal(get(c, reg_q(PBIT_Q_SQ_BASE_LO)), (u32)DIRECT);
	set(c, reg_q(PBIT_Q_SQ_TAIL), 9);
	assert_int_equal(get(c, reg_q(PBIT_Q_SQ_TAIL)), 0);
	set(c, reg_q(PBIT_Q_CQ_HEAD), 1);
	assert_int_equal(get(c, reg_q(PBIT_Q_CQ_HEAD)), 0);
	/* Idle: no operation. */
	set(c, reg_q(PBIT_Q_CONTROL), PBIT_Q_ENABLE | PBIT_Q_ABORT);
	assert_int_equal(get(c, reg_q(PBIT_Q_CONTROL)), PBIT_Q_ENABLE);
}

/* An edge is made by a new cause, and by each that is left after an acknowledgement. */
static void test_interrupts(void **state)
{
	struct client *c = *state;

	set(c, PBIT_REG_IRQ_TEST, 1 | PBIT_IRQ_HOT);
	assert_int_equal(edges(c, 0) + edges(c, 1), 0);
	assert_int_equal(get(c, PBIT_REG_IRQ_STATUS), 1 | PBIT_IRQ_HOT);
	set(c, PBIT_REG_IRQ_ENABLE, 1);
	assert_int_equal(edges(c, 1), 1);
	assert_int_equal(edges(c, 0), 0);
	/* Still a cause: no other edge, until somebody acknowledges something. */
	set(c, PBIT_REG_IRQ_TEST, 1);
	assert_int_equal(edges(c, 1), 0);
	set(c, PBIT_REG_IRQ_STATUS, PBIT_IRQ_HOT);
	assert_int_equal(edges(c, 1), 1);
	set(c, PBIT_REG_IRQ_STATUS, 1);
	assert_int_equal(edges(c, 1), 0);
	assert_int_equal(get(c, PBIT_REG_IRQ_STATUS), 0);
	set(c, PBIT_REG_IRQ_TEST, ~0u);
	assert_int_equal(get(c, PBIT_REG_IRQ_STATUS), 3 | PBIT_IRQ_HOT | PBIT_IRQ_FAULT);
}

/* An edge that finds no eventfd waits for one. */
static void test_pending(void **state)
{
	struct client *c = *state;
	const struct vfio_irq_set off = {
		.argsz = sizeof(off),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
	};
	u64 bits = 0;

	assert_int_equal(client_ask(c, WIRE_SET_IRQS, &off, sizeof(off), -1, NULL, 0, NULL), 0);
	set(c, PBIT_REG_IRQ_ENABLE, ~0u);
	set(c, PBIT_REG_IRQ_TEST, 2);
	assert_int_equal(edges(c, 2), 0);
	region_get(c, CONFIG_BAR_MSIX, CONFIG_MSIX_PBA, &bits, 8);
	assert_int_equal(bits, 4);
	close(c->vector[2]);
	client_vector(c, 2);
	assert_int_equal(edges(c, 2), 1);
}

static void test_memory(void **state)
{
	struct client *c = *state;
	struct vfio_region_info info = {.argsz = sizeof(info), .index = PBIT_BAR_MEMORY};
	u32 word = 0x5eed5eed;
	int fd = -1;
	u8 *at;

	assert_int_equal(
		client_ask(c, WIRE_REGION_INFO, &info, sizeof(info), -1, &info, sizeof(info), &fd),
		(int)sizeof(info));
	assert_int_equal(info.size, 4 << 20);
	assert_true(info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	assert_true(fd >= 0);
	/* A client cannot cut it short. */
	assert_int_equal(ftruncate(fd, 4096), -1);
	at = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	region_set(c, PBIT_BAR_MEMORY, 0x1234, &word, 4);
	assert_memory_equal(at + 0x1234, &word, 4);
	munmap(at, 4 << 20);
	close(fd);
}

/* Asks and expects EINVAL. */
static void refused(struct client *c, u16 command, const void *body, size_t size, u32 error)
{
	assert_int_equal(client_ask(c, command, body, size, -1, NULL, 0, NULL), -1);
	assert_int_equal(c->last_error, error);
}

static void test_refusals(void **state)
{
	struct client *c = *state;
	struct wire_region_access a = {0, 0, 4};
	struct vfio_irq_set s = {.argsz = sizeof(s)};
	u32 zero[64] = {0}, word = ~0u;

	refused(c, WIRE_VERSION, zero, 8, EINVAL); /* twice */
	refused(c, 99, NULL, 0, EOPNOTSUPP);
	refused(c, WIRE_DIRTY_PAGES, zero, 16, EOPNOTSUPP);
	refused(c, WIRE_REGION_READ, &a, sizeof(a) - 1, EINVAL);
	a = (struct wire_region_access){PBIT_REGISTERS_SIZE - 3, 0, 4};
	refused(c, WIRE_REGION_READ, &a, sizeof(a), EINVAL);
	a = (struct wire_region_access){~0ull - 1, 0, 4};
	refused(c, WIRE_REGION_READ, &a, sizeof(a), EINVAL);
	a = (struct wire_region_access){0, 1, 4}; /* no such BAR */
	refused(c, WIRE_REGION_READ, &a, sizeof(a), EINVAL);
	a = (struct wire_region_access){0, 0, ~0u};
	refused(c, WIRE_REGION_READ, &a, sizeof(a), EINVAL);
	refused(c, WIRE_REGION_WRITE, &a, sizeof(a), EINVAL); /* more than it has */
	s.index = VFIO_PCI_MSIX_IRQ_INDEX;
	s.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	s.start = 3;
	s.count = 1;
	refused(c, WIRE_SET_IRQS, &s, sizeof(s), EINVAL);
	s.start = 2;
	s.count = ~0u;
	refused(c, WIRE_SET_IRQS, &s, sizeof(s), EINVAL);
	s.index = ~0u;
	refused(c, WIRE_SET_IRQS, &s, sizeof(s), EINVAL);
	zero[1] = 0;
	zero[2] = ~0u;
	refused(c, WIRE_REGION_INFO, zero, sizeof(struct vfio_region_info), EINVAL);
	refused(c, WIRE_IRQ_INFO, zero, sizeof(struct vfio_irq_info), EINVAL);
	region_get(c, PBIT_BAR_REGISTERS, 0, &word, 4);
	assert_int_equal(word, PBIT_CARD_ID);
}

static void test_maps(void **state)
{
	struct client *c = *state;
	const u64 page = 4096;

	assert_int_equal(map_memory(c, DIRECT + page, page, 3, -1, 0), -1);
	assert_int_equal(c->last_error, EEXIST);
	assert_int_equal(map_memory(c, DIRECT - page, 2 * page, 3, -1, 0), -1);
	assert_int_equal(map_memory(c, 0, ~0ull, 3, -1, 0), -1);
	assert_int_equal(map_memory(c, ~0ull - page + 2, page, 3, -1, 0), -1);
	assert_int_equal(c->last_error, EINVAL);
	assert_int_equal(map_memory(c, 0, 0, 3, -1, 0), -1);
	assert_int_equal(map_memory(c, 0, page, 0, -1, 0), -1);
	assert_int_equal(map_memory(c, 0, page, 7, -1, 0), -1);
	/* Behind the file's end. */
	assert_int_equal(map_memory(c, 0, page, 3, c->direct_fd, DIRECT_SIZE), -1);
	assert_int_equal(map_memory(c, 0, page, 3, c->direct_fd, ~0ull - 100), -1);
	assert_int_equal(map_memory(c, ~0ull - page + 1, page, 3, c->direct_fd, page), 0);
	/* A part of a map cannot be taken out of it; several at once can, and nothing. */
	assert_int_equal(unmap_memory(c, DIRECT, page, 0), -1);
	assert_int_equal(unmap_memory(c, 0, page, 0), (int)sizeof(struct wire_dma_unmap));
	assert_int_equal(unmap_memory(c, 0, ~0ull, 0), -1);
	assert_int_equal(unmap_memory(c, 0, MESSAGE + MESSAGE_SIZE, 0),
			 (int)sizeof(struct wire_dma_unmap));
	assert_int_equal(c->card->dma.n, 1);
	assert_int_equal(unmap_memory(c, 0, 0, WIRE_UNMAP_ALL), (int)sizeof(struct wire_dma_unmap));
	assert_int_equal(c->card->dma.n, 0);
}

static void test_reconnect(void **state)
{
	struct client *c = *state;
	u32 word = 0x5ec2e7;

	region_set(c, PBIT_BAR_MEMORY, 4096, &word, 4);
	set(c, PBIT_REG_SCRATCH, 5);
	client_disconnect(c);
	client_connect(c);
	/* Nothing is said before the version. */
	assert_int_equal(client_ask(c, WIRE_DEVICE_INFO, &word, 4, -1, NULL, 0, NULL), -1);
	client_settle(c);
	assert_int_equal(get(c, PBIT_REG_SCRATCH), 0);
	region_get(c, PBIT_BAR_MEMORY, 4096, &word, 4);
	assert_int_equal(word, 0);
}

/* Messages that are none end the connection, not the card. */
static void test_noise(void **state)
{
	struct client *c = *state;
	u64 random = 4;
	u32 round, i;

	for (round = 0; round < 30; round++) {
		u32 noise[64];

		for (i = 0; i < 64; i++)
			noise[i] = (u32)next_random(&random);
		if (round % 2)
			noise[1] = 16 + noise[1] % 4096;
		full_send(c, noise, sizeof(noise) - round % 4, -1);
		client_disconnect(c);
		client_connect(c);
	}
	client_settle(c);
	assert_int_equal(get(c, PBIT_REG_ID), PBIT_CARD_ID);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_config),	    T(test_rom),       T(test_registers), T(test_queue_registers),
		T(test_interrupts), T(test_pending),   T(test_memory),	  T(test_refusals),
		T(test_maps),	    T(test_reconnect), T(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
