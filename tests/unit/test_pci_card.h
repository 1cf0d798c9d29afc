/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card on a bus of files: a folder like sysfs's, whose resources are ordinary files, and a thread
 * that plays the card in them, with kernel/model for its work.
 */
#ifndef TEST_PCI_CARD_H
#define TEST_PCI_CARD_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <pbit/pbit.h>
#include "pci/bare.h"
#include "model/desc.h"

#define CARD_MEMORY (8u << 20)
#define CARD_PBITS  8192u

static struct {
	char folder[64];
	volatile uint32_t *reg;
	uint8_t *memory;
	pthread_t thread;
	atomic_bool quit, hang, lie, gone;
	uint32_t tail, head; /* of descriptors done */
	bool was_on, aborting;
	void *scratch;
	struct pbit_card_rom rom;
	atomic_uint resets;
} card;

static void bus_write(const char *device, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/devices/%s/%s", card.folder, device, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void bus_add(const char *device, const char *vendor, const char *id)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/devices/%s", card.folder, device);
	assert_int_equal(mkdir(path, 0700), 0);
	bus_write(device, "vendor", vendor);
	bus_write(device, "device", id);
	bus_write(device, "class", "0x120000\n");
	bus_write(device, "irq", "0\n");
	bus_write(device, "resource", "");
	bus_write(device, "enable", "0\n");
}

static void bus_bind(const char *device, const char *driver)
{
	char path[256], to[256];

	snprintf(path, sizeof(path), "%s/devices/%s/driver", card.folder, device);
	snprintf(to, sizeof(to), "../../drivers/%s", driver);
	assert_int_equal(symlink(to, path), 0);
}

static void *bus_resource(const char *device, const char *name, size_t size)
{
	char path[256];
	void *at;
	int fd;

	snprintf(path, sizeof(path), "%s/devices/%s/%s", card.folder, device, name);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	close(fd);
	return at;
}

#define Q(r) card.reg[(PBIT_REG_QUEUE(0) + (r)) / 4]
#define R(r) card.reg[(r) / 4]

static void *card_at(void *user, uint64_t address, uint64_t size, bool write)
{
	(void)user;
	(void)write;
	if (!(address & PBIT_CARD_LOCAL))
		return NULL; /* this card reaches no host */
	address &= ~PBIT_CARD_LOCAL;
	return size <= CARD_MEMORY && address <= CARD_MEMORY - size ? card.memory + address : NULL;
}

static int card_poll(void *user, uint32_t progress)
{
	(void)user;
	(void)progress;
	return Q(PBIT_Q_CONTROL) & PBIT_Q_ABORT ? PBIT_DONE_ABORTED : 0;
}

static void card_one(void)
{
	const struct pbit_engine_card engine = {
		.rom = &card.rom,
		.at = card_at,
		.poll = card_poll,
		.scratch = card.scratch,
	};
	const uint64_t mask = ~PBIT_CARD_LOCAL;
	const uint64_t sq = (((uint64_t)Q(PBIT_Q_SQ_BASE_HI) << 32) | Q(PBIT_Q_SQ_BASE_LO)) & mask;
	const uint64_t cq = (((uint64_t)Q(PBIT_Q_CQ_BASE_HI) << 32) | Q(PBIT_Q_CQ_BASE_LO)) & mask;
	const uint32_t size = 1u << Q(PBIT_Q_SIZE), slot = card.head % size;
	struct pbit_card_done *to = (void *)(card.memory + cq + slot * sizeof(*to));
	struct pbit_engine_result result = {.status = PBIT_DONE_ABORTED};
	struct pbit_card_desc desc;
	struct pbit_card_done done = {0};

	memcpy(&desc, card.memory + sq + slot * sizeof(desc), sizeof(desc));
	if (!(Q(PBIT_Q_CONTROL) & PBIT_Q_ABORT)) {
		pbit_engine_run(&engine, &desc, &result);
		done.cycles = 1;
	}
	done.cookie = desc.cookie + card.lie;
	done.status = (uint16_t)result.status;
	done.progress = result.progress;
	done.phase = to->phase;
	memcpy(to, &done, sizeof(done));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint16_t *)&to->phase = !(card.head / size & 1);
	card.head++;
	Q(PBIT_Q_SQ_HEAD) = card.head;
}

static void *card_thread(void *arg)
{
	(void)arg;
	while (!card.quit) {
		if (R(PBIT_REG_CONTROL) & PBIT_CONTROL_RESET) {
			R(PBIT_REG_STATUS) = PBIT_STATUS_RESETTING;
			R(PBIT_REG_CONTROL) = 0;
			Q(PBIT_Q_CONTROL) = Q(PBIT_Q_SQ_TAIL) = Q(PBIT_Q_SQ_HEAD) = 0;
			card.head = 0;
			card.resets++;
			R(PBIT_REG_STATUS) = PBIT_STATUS_READY;
		}
		if (card.gone)
			for (uint32_t i = 0; i < PBIT_REGISTERS_SIZE / 4; i++)
				card.reg[i] = ~0u;
		if (!card.gone && Q(PBIT_Q_CONTROL) & PBIT_Q_ENABLE &&
		    Q(PBIT_Q_SQ_TAIL) != card.head &&
		    (!card.hang || Q(PBIT_Q_CONTROL) & PBIT_Q_ABORT)) {
			card_one();
			continue;
		}
		if (!card.gone && Q(PBIT_Q_CONTROL) & PBIT_Q_ABORT)
			Q(PBIT_Q_CONTROL) = PBIT_Q_ENABLE;
		usleep(20);
	}
	return NULL;
}

static uint32_t card_crc(const struct pbit_card_rom *rom)
{
	const uint8_t *data = (const uint8_t *)rom;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < sizeof(*rom); i++)
		for (int bit = 0; bit < 8; bit++) {
			const uint32_t in = data[i] >> bit & 1;

			crc = crc >> 1 ^ ((crc ^ in) & 1 ? 0xedb88320u : 0);
		}
	return ~crc;
}

/* Registers as after power-up. */
static void card_power_up(void)
{
	for (uint32_t i = 0; i < PBIT_REGISTERS_SIZE / 4; i++)
		card.reg[i] = 0;
	card.rom = (struct pbit_card_rom){
		.id = PBIT_CARD_ID,
		.version = PBIT_CARD_MAJOR << 16,
		.size = sizeof(card.rom),
		.flags = PBIT_CARD_LAYER | PBIT_CARD_BOLTZMANN | PBIT_CARD_DIRECTED |
			 PBIT_CARD_CLAMP | PBIT_CARD_CONTRACT | PBIT_CARD_SEEDABLE |
			 PBIT_CARD_SIMULATED | PBIT_CARD_COPY,
		.n_queues = 1,
		.memory_size = CARD_MEMORY,
		.max_inputs = 4096,
		.max_outputs = 4096,
		.max_pbits = CARD_PBITS,
		.max_degree = 4096,
		.max_samples = 1u << 16,
		.weight_bits = 0x8b,
		.code_bits = 0x8080,
		.orders = 7,
		.coupling_bits = 32,
		.random_bits = 24,
		.max_work = 1ull << 32,
		.name = "card of files",
	};
	card.rom.crc32 = card_crc(&card.rom);
	for (size_t i = 0; i < sizeof(card.rom) / 4; i++)
		R(PBIT_REG_ROM + 4 * i) = ((const uint32_t *)(const void *)&card.rom)[i];
	R(PBIT_REG_ROM_SIZE) = sizeof(card.rom);
	R(PBIT_REG_VERSION) = card.rom.version;
	R(PBIT_REG_STATUS) = PBIT_STATUS_READY;
	R(PBIT_REG_ID) = PBIT_CARD_ID;
}

static int bus_setup(void **state)
{
	char path[128];

	(void)state;
	strcpy(card.folder, "/tmp/pbit-pci-XXXXXX");
	if (!mkdtemp(card.folder))
		return -1;
	snprintf(path, sizeof(path), "%s/devices", card.folder);
	mkdir(path, 0700);
	pbit__pci_sysfs = card.folder;
	pbit_engine_init();
	return 0;
}

static void card_plug(const char *device)
{
	bus_add(device, "0x1d6b\n", "0x7062\n");
	card.reg = bus_resource(device, "resource0", PBIT_REGISTERS_SIZE);
	card.memory = bus_resource(device, "resource2", CARD_MEMORY);
	card.scratch = aligned_alloc(64, (pbit_engine_scratch_bytes(CARD_PBITS) + 63) / 64 * 64);
	card_power_up();
	assert_int_equal(pthread_create(&card.thread, NULL, card_thread, NULL), 0);
}

static int bus_teardown(void **state)
{
	char command[128];

	(void)state;
	if (card.reg) {
		card.quit = true;
		pthread_join(card.thread, NULL);
		munmap((void *)(uintptr_t)card.reg, PBIT_REGISTERS_SIZE);
		munmap(card.memory, CARD_MEMORY);
		free(card.scratch);
	}
	snprintf(command, sizeof(command), "rm -r %s", card.folder);
	return system(command);
}

#endif
