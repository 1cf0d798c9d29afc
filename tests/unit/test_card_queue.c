/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of the virtual card: rings wherever they may lie, order, aborts, watchdog, interrupts,
 * resets, memory taken away in mid-job.
 */
#include "test_card_client.h"

#define LOCAL PBIT_CARD_LOCAL

static int make(void **state)
{
	struct card_plan plan;

	vcard_plan_init(&plan);
	plan.memory = 4 << 20;
	*state = client_new(&plan);
	return 0;
}

/* A card so slow that a job of a few sweeps lasts for minutes. */
static int make_slow(void **state)
{
	struct card_plan plan;

	vcard_plan_init(&plan);
	plan.memory = 4 << 20;
	plan.clock_khz = 1;
	plan.speed = 1;
	*state = client_new(&plan);
	return 0;
}

static int unmake(void **state)
{
	client_free(*state);
	return 0;
}

static void fill(u8 *p, size_t n, u64 seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (u8)next_random(&seed);
}

/* From everywhere to everywhere, whatever memory the rings lie in. */
static void test_copies(void **state)
{
	static const u64 rings[] = {DIRECT, MESSAGE, LOCAL};
	static const u64 data[] = {DIRECT + 0x10000, MESSAGE + 0x10000, LOCAL + 0x10000};
	struct client *c = *state;
	u32 r, from, to, n = 0;

	for (r = 0; r < 3; r++) {
		soft_reset(c);
		client_rings(c, rings[r], 1 + r);
		for (from = 0; from < 3; from++)
			for (to = 0; to < 3; to++) {
				const u64 size = 300001 - 77777 * to;
				struct pbit_card_desc d =
					copy_of(data[from] + 3, data[to] + (1 << 20) + 1, size);
				struct pbit_card_done done;

				fill(place(c, data[from] + 3), size, ++n);
				memset(place(c, data[to] + (1 << 20)), 0x77, size + 2);
				done = client_run(c, &d);
				assert_int_equal(done.status, PBIT_DONE_OK);
				assert_true(done.cycles && done.energy_pj);
				assert_memory_equal(place(c, data[from] + 3),
						    place(c, data[to] + (1 << 20) + 1), size);
				assert_int_equal(*place(c, data[to] + (1 << 20)), 0x77);
				assert_int_equal(*place(c, data[to] + (1 << 20) + 1 + size), 0x77);
			}
	}
	assert_true(c->served > 0);
	assert_int_equal(get(c, reg_q(PBIT_Q_SQ_HEAD)), 9);
}

/* Laps of a ring of completions: phases, order, a host that takes its time. */
static void test_laps(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = {.op = PBIT_OP_NOP};
	struct pbit_card_done done;
	u32 i, taken = 0;

	client_rings(c, DIRECT, 3);
	for (i = 0; i < 100; i++) {
		d.cookie = i;
		client_write(c, &d);
		client_ring(c);
		if (c->tail - taken < 8)
			continue;
		/* The ring is full: the card stops, and waits for room. */
		while (get(c, reg_q(PBIT_Q_SQ_HEAD)) != c->tail)
			;
		for (; taken < c->tail; taken++) {
			assert_true(client_wait(c, &done, PATIENCE_NS));
			assert_int_equal(done.cookie, taken);
			assert_int_equal(done.status, PBIT_DONE_OK);
		}
	}
}

static void test_full(void **state)
{
	struct client *c = *state;
	const struct pbit_card_desc d = {.op = PBIT_OP_NOP};
	struct pbit_card_done done;
	u32 i;

	client_rings(c, DIRECT, 1);
	for (i = 0; i < 2; i++)
		client_write(c, &d);
	client_ring(c);
	while (get(c, reg_q(PBIT_Q_SQ_HEAD)) != 2)
		;
	/* Descriptors have gone, completions have not been taken. */
	for (i = 0; i < 2; i++)
		client_write(c, &d);
	client_ring(c);
	usleep(20000);
	assert_int_equal(get(c, reg_q(PBIT_Q_SQ_HEAD)), 2);
	assert_true(get(c, reg_q(PBIT_Q_STATUS)) & PBIT_Q_STATUS_BUSY);
	for (i = 0; i < 4; i++)
		assert_true(client_wait(c, &done, PATIENCE_NS));
}

/* A machine of two p-bits in the card's memory, or the host's at `at`. */
static struct pbit_card_desc sweep_of(struct client *c, u64 at, u32 sweeps)
{
	const u32 rows[] = {0, 1, 2}, columns[] = {1, 0};
	const s32 values[] = {1, 1}, bias[] = {0, 0};

	memcpy(place(c, at), rows, sizeof(rows));
	memcpy(place(c, at + 16), columns, sizeof(columns));
	memcpy(place(c, at + 32), values, sizeof(values));
	memcpy(place(c, at + 48), bias, sizeof(bias));
	memset(place(c, at + 64), 0, 8);
	return (struct pbit_card_desc){
		.op = PBIT_OP_SWEEP,
		.flags = PBIT_DESC_IRQ,
		.sweep = {.rows = at,
			  .columns = at + 16,
			  .values = at + 32,
			  .bias = at + 48,
			  .state = at + 64,
			  .scale = 0x3ff0000000000000,
			  .seed = 5,
			  .n_values = 2,
			  .n = 2,
			  .replicas = 1,
			  .sweeps = sweeps},
	};
}

static void begin(struct client *c, u64 at)
{
	/* 500 microseconds a sweep, at a clock of 1 kHz. */
	struct pbit_card_desc d = sweep_of(c, at, 1000000);

	client_write(c, &d);
	client_ring(c);
	while (!(get(c, reg_q(PBIT_Q_STATUS)) & PBIT_Q_STATUS_BUSY) ||
	       !get(c, reg_q(PBIT_Q_PROGRESS)))
		;
}

static void test_abort(void **state)
{
	struct client *c = *state;
	const struct pbit_card_desc d = {.op = PBIT_OP_NOP, .cookie = 9};
	struct pbit_card_done done;
	u32 i;

	client_rings(c, DIRECT, 4);
	begin(c, LOCAL);
	for (i = 0; i < 3; i++)
		client_write(c, &d);
	client_ring(c);
	set(c, reg_q(PBIT_Q_CONTROL), PBIT_Q_ENABLE | PBIT_Q_ABORT);
	assert_true(client_wait(c, &done, PATIENCE_NS));
	assert_int_equal(done.status, PBIT_DONE_ABORTED);
	assert_true(done.cycles && done.progress > 0 && done.progress < 1000000);
	for (i = 0; i < 3; i++) {
		assert_true(client_wait(c, &done, PATIENCE_NS));
		assert_int_equal(done.status, PBIT_DONE_ABORTED);
		assert_int_equal(done.cookie, 9);
		assert_int_equal(done.cycles, 0);
	}
	while (get(c, reg_q(PBIT_Q_CONTROL)) & PBIT_Q_ABORT)
		;
	/* What comes later is run. */
	client_write(c, &d);
	client_ring(c);
	assert_true(client_wait(c, &done, PATIENCE_NS));
	assert_int_equal(done.status, PBIT_DONE_OK);
}

static void test_watchdog(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = sweep_of(c, LOCAL, 1000000);
	struct pbit_card_done done;
	const u64 start = now_ns();

	client_rings(c, DIRECT, 4);
	d.watchdog_us = 30000;
	done = client_run(c, &d);
	assert_int_equal(done.status, PBIT_DONE_WATCHDOG);
	assert_true(now_ns() - start >= 30000000);
	assert_true(done.progress < 1000000);
}

/* The modelled pace: 20 sweeps of 2 p-bits and 2 couplings. */
static void test_pace(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = sweep_of(c, LOCAL, 20);
	u64 start, modelled;
	struct pbit_card_done done;

	client_rings(c, DIRECT, 4);
	start = now_ns();
	done = client_run(c, &d);
	modelled = 20ull * (2 * c->card->limits.update_fs + 2 * c->card->limits.mac_fs) / 1000000;
	assert_int_equal(done.status, PBIT_DONE_OK);
	assert_true(now_ns() - start >= modelled);
	/* A kilohertz: a cycle is a millisecond. */
	assert_in_range(done.cycles, modelled / 1000000, modelled / 1000000 + 1);
}

static void expect_quiet(struct client *c)
{
	struct pbit_card_done done;

	usleep(30000);
	assert_false(client_poll(c, &done));
	assert_int_equal(get(c, reg_q(PBIT_Q_STATUS)), 0);
	assert_int_equal(get(c, reg_q(PBIT_Q_SQ_HEAD)), 0);
	assert_int_equal(get(c, PBIT_REG_IRQ_ENABLE), 0);
	assert_int_equal(get(c, PBIT_REG_STATUS), PBIT_STATUS_READY);
}

static void test_resets(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = {.op = PBIT_OP_NOP};

	client_rings(c, DIRECT, 4);
	begin(c, LOCAL);
	soft_reset(c);
	expect_quiet(c);

	client_rings(c, DIRECT, 4);
	begin(c, LOCAL);
	assert_int_equal(client_ask(c, WIRE_DEVICE_RESET, NULL, 0, -1, NULL, 0, NULL), 0);
	expect_quiet(c);
	assert_int_equal(get_config(c, PCI_COMMAND, 2), 0);
	set_config(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);

	client_rings(c, DIRECT, 4);
	begin(c, LOCAL);
	set_config(c, CONFIG_EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2);
	expect_quiet(c);
	assert_int_equal(get_config(c, CONFIG_EXP + PCI_EXP_DEVCTL, 2), 0);
	set_config(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);

	/* Off and on again, which drops as well. */
	client_rings(c, DIRECT, 4);
	begin(c, LOCAL);
	set(c, reg_q(PBIT_Q_CONTROL), 0);
	while (get(c, reg_q(PBIT_Q_STATUS)) & PBIT_Q_STATUS_BUSY)
		;
	client_rings(c, DIRECT, 4);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
}

static void test_coalescing(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = {.op = PBIT_OP_NOP, .flags = PBIT_DESC_IRQ};
	u32 i;

	client_rings(c, DIRECT, 4);
	set(c, reg_q(PBIT_Q_COALESCE), 3);
	for (i = 0; i < 2; i++)
		client_run(c, &d);
	assert_false(edge_within(c, 1, 30));
	client_run(c, &d);
	assert_true(edge_within(c, 1, 10000));
	assert_int_equal(edges(c, 1), 1);
	set(c, PBIT_REG_IRQ_STATUS, 1);
	/* After a time, as it never comes to three. */
	set(c, reg_q(PBIT_Q_COALESCE), 3 | 20000 << 8);
	client_run(c, &d);
	assert_true(edge_within(c, 1, 10000));
	assert_int_equal(edges(c, 1), 1);
	set(c, PBIT_REG_IRQ_STATUS, 1);
	/* Who does not ask gets none. */
	set(c, reg_q(PBIT_Q_COALESCE), 0);
	d.flags = 0;
	client_run(c, &d);
	assert_false(edge_within(c, 1, 30));
	d.flags = PBIT_DESC_IRQ;
	client_run(c, &d);
	assert_true(edge_within(c, 1, 10000));
}

/*
 * A host that sleeps until an edge, acknowledges, then looks: completions that come between its steps
 * must make another edge. None is lost, or this never ends.
 */
static void test_no_lost_edge(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = {.op = PBIT_OP_NOP, .flags = PBIT_DESC_IRQ};
	struct pbit_card_done done;
	u32 taken = 0;

	client_rings(c, DIRECT, 4);
	while (taken < 3000) {
		while (c->tail - taken < 4) {
			client_write(c, &d);
			client_ring(c);
		}
		if (!edge_within(c, 1, 10000))
			fail_msg("no edge after %u completions", taken);
		edges(c, 1);
		set(c, PBIT_REG_IRQ_STATUS, 1);
		while (client_poll(c, &done))
			taken++;
		set(c, reg_q(PBIT_Q_CQ_HEAD), c->taken);
	}
}

static void expect_halt(struct client *c)
{
	const u64 end = now_ns() + PATIENCE_NS;

	while (!(get(c, PBIT_REG_STATUS) & PBIT_STATUS_FAULT) && now_ns() < end)
		;
	assert_int_equal(get(c, PBIT_REG_FAULT), PBIT_FAULT_BUS);
	assert_true(get(c, reg_q(PBIT_Q_STATUS)) & PBIT_Q_STATUS_HALTED);
	assert_true(get(c, PBIT_REG_IRQ_STATUS) & PBIT_IRQ_FAULT);
	assert_true(edge_within(c, 0, 10000));
	edges(c, 0);
	soft_reset(c);
	assert_int_equal(get(c, PBIT_REG_FAULT), 0);
}

static void bad_rings(struct client *c, u64 sq, u64 cq)
{
	client_rings(c, DIRECT, 2);
	set(c, reg_q(PBIT_Q_CONTROL), 0);
	set(c, reg_q(PBIT_Q_SQ_BASE_HI), (u32)(sq >> 32));
	set(c, reg_q(PBIT_Q_SQ_BASE_LO), (u32)sq);
	set(c, reg_q(PBIT_Q_CQ_BASE_HI), (u32)(cq >> 32));
	set(c, reg_q(PBIT_Q_CQ_BASE_LO), (u32)cq);
	set(c, reg_q(PBIT_Q_CONTROL), PBIT_Q_ENABLE);
	memset(place(c, DIRECT), 0, 4096);
	c->tail = 1;
	client_ring(c);
	expect_halt(c);
}

static void test_bad_rings(void **state)
{
	struct client *c = *state;

	bad_rings(c, 0, DIRECT + 4096);
	bad_rings(c, DIRECT, 0);
	bad_rings(c, DIRECT, DIRECT + DIRECT_SIZE);
	bad_rings(c, ~0ull & ~0xffull, DIRECT);
	bad_rings(c, LOCAL | (4 << 20), DIRECT);
	bad_rings(c, 0x7fffffffffffff00, DIRECT);
	bad_rings(c, MESSAGE + MESSAGE_SIZE, DIRECT);
	/* Off the bus. */
	set_config(c, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	bad_rings(c, DIRECT, DIRECT + 4096);
	set_config(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

/* A job that works in the host's memory when it is taken away: rings are the card's own. */
static void test_unmap_in_use(void **state)
{
	struct client *c = *state;
	struct pbit_card_done done;

	client_rings(c, LOCAL, 3);
	begin(c, DIRECT + 0x1000);
	assert_int_equal(unmap_memory(c, DIRECT, DIRECT_SIZE, 0),
			 (int)sizeof(struct wire_dma_unmap));
	assert_int_equal(c->card->dma.n, 1);
	assert_true(client_wait(c, &done, PATIENCE_NS));
	assert_int_equal(done.status, PBIT_DONE_BUS);
	/* Off the bus in mid-job. */
	assert_int_equal(map_memory(c, DIRECT, DIRECT_SIZE, 3, c->direct_fd, 0), 0);
	begin(c, DIRECT + 0x1000);
	set_config(c, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_true(client_wait(c, &done, PATIENCE_NS));
	assert_int_equal(done.status, PBIT_DONE_BUS);
}

/* Two regions side by side are one array; one that may only be read is not written. */
static void test_regions(void **state)
{
	struct client *c = *state;
	const u64 at = 0x10000000;
	struct pbit_card_desc d = copy_of(at + 100, LOCAL + 8192, 8000);

	/* The runner has its own handler by now. */
	assert_int_equal(guard_init(), 0);
	client_rings(c, LOCAL, 3);
	assert_int_equal(map_memory(c, at, 4096, 1, c->direct_fd, 0x200000), 0);
	assert_int_equal(map_memory(c, at + 4096, 4096, 3, c->direct_fd, 0x100000), 0);
	fill(c->direct + 0x200000, 4096, 1);
	fill(c->direct + 0x100000, 4096, 2);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
	assert_memory_equal(place(c, LOCAL + 8192), c->direct + 0x200000 + 100, 3996);
	assert_memory_equal(place(c, LOCAL + 8192 + 3996), c->direct + 0x100000, 4004);
	d = copy_of(LOCAL, at, 8);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_BUS);
	d = copy_of(LOCAL, at + 4092, 8);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_BUS);
	d = copy_of(at + 8190, LOCAL + 8192, 4);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_BUS);
	d = copy_of(LOCAL, at + 4096, 8);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
#ifndef __SANITIZE_THREAD__ /* which does not come back from this signal */
	/* A region whose file was cut short. */
	assert_int_equal(ftruncate(c->direct_fd, 0x100000), 0);
	d = copy_of(LOCAL, at + 4096, 8);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_BUS);
	d = copy_of(at, LOCAL, 8192);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_BUS);
	assert_int_equal(ftruncate(c->direct_fd, (off_t)DIRECT_SIZE), 0);
#endif
}

/* A client that does not answer holds up nothing but the job; one that goes, not even that. */
static void test_deaf_client(void **state)
{
	struct client *c = *state;
	const struct pbit_card_desc d = copy_of(MESSAGE, LOCAL + 8192, 100);
	struct pbit_card_done done;

	client_rings(c, LOCAL, 3);
	c->deaf = true;
	client_write(c, &d);
	client_ring(c);
	while (!c->served)
		client_listen(c, 100);
	soft_reset(c);
	client_rings(c, LOCAL, 3);
	c->served = 0;
	client_write(c, &d);
	client_ring(c);
	while (!c->served)
		client_listen(c, 100);
	client_disconnect(c);
	client_connect(c);
	client_settle(c);
	client_rings(c, LOCAL, 3);
	client_write(c, &d);
	client_ring(c);
	assert_true(client_wait(c, &done, PATIENCE_NS));
	assert_int_equal(done.status, PBIT_DONE_OK);
}

/* Both queues at work at once, each in order. */
static void test_two_queues(void **state)
{
	struct client *c = *state;
	const u32 second = PBIT_REG_QUEUE(1);
	u8 *sq = place(c, DIRECT + 0x20000), *cq = place(c, DIRECT + 0x30000);
	struct pbit_card_desc d = {.op = PBIT_OP_NOP};
	u32 i;

	client_rings(c, DIRECT, 4);
	begin(c, LOCAL); /* lasts */
	memset(cq, 0, 512);
	for (i = 0; i < 16; i++) {
		d.cookie = i;
		memcpy(sq + 256 * (size_t)i, &d, sizeof(d));
	}
	set(c, second + PBIT_Q_SQ_BASE_LO, DIRECT + 0x20000);
	set(c, second + PBIT_Q_CQ_BASE_LO, DIRECT + 0x30000);
	set(c, second + PBIT_Q_SIZE, 4);
	set(c, second + PBIT_Q_CONTROL, PBIT_Q_ENABLE);
	set(c, second + PBIT_Q_SQ_TAIL, 16);
	while (get(c, second + PBIT_Q_SQ_HEAD) != 16 ||
	       get(c, second + PBIT_Q_STATUS) & PBIT_Q_STATUS_BUSY)
		;
	for (i = 0; i < 16; i++) {
		struct pbit_card_done done;

		memcpy(&done, cq + 32 * (size_t)i, sizeof(done));
		assert_int_equal(done.cookie, i);
		assert_int_equal(done.phase, 1);
	}
	assert_true(get(c, reg_q(PBIT_Q_STATUS)) & PBIT_Q_STATUS_BUSY);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, make, unmake)
#define SLOW(f) cmocka_unit_test_setup_teardown(f, make_slow, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_copies),
		T(test_laps),
		T(test_full),
		SLOW(test_abort),
		SLOW(test_watchdog),
		SLOW(test_pace),
		SLOW(test_resets),
		T(test_coalescing),
		T(test_no_lost_edge),
		T(test_bad_rings),
		SLOW(test_unmap_in_use),
		T(test_regions),
		T(test_deaf_client),
		SLOW(test_two_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
