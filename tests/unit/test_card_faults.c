/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of the virtual card: each does what its name says, in mid-job as from the start; the control socket;
 * descriptors and registers written at random.
 */
#include "test_card_client.h"
#include "fpga/card/control.h"
#include "fpga/card/options.h"

#define LOCAL PBIT_CARD_LOCAL

static int make(void **state)
{
	struct card_plan plan;

	vcard_plan_init(&plan);
	plan.memory = 4 << 20;
	*state = client_new(&plan);
	return 0;
}

static int unmake(void **state)
{
	client_free(*state);
	return 0;
}

static void fault(struct client *c, const char *name, const char *value)
{
	const char *why;

	assert_int_equal(faults_set(&c->card->faults, name, value, &why), 0);
	vcard_faults_apply(c->card);
}

static struct pbit_card_desc nop(void)
{
	return (struct pbit_card_desc){.op = PBIT_OP_NOP, .flags = PBIT_DESC_IRQ};
}

static void test_hang(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = nop();
	struct pbit_card_done done;

	client_rings(c, DIRECT, 4);
	fault(c, "hang-after", "2");
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
	d.watchdog_us = 1000;
	client_write(c, &d);
	client_ring(c);
	set(c, reg_q(PBIT_Q_CONTROL), PBIT_Q_ENABLE | PBIT_Q_ABORT);
	assert_false(client_wait(c, &done, 50000000));
	assert_true(get(c, reg_q(PBIT_Q_CONTROL)) & PBIT_Q_ABORT);
	soft_reset(c);
	client_rings(c, DIRECT, 4);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
}

static void test_stall(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = nop();
	struct pbit_card_done done;

	client_rings(c, DIRECT, 4);
	fault(c, "stall", "on");
	d.watchdog_us = 5000;
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_WATCHDOG);
	d.watchdog_us = 0;
	client_write(c, &d);
	client_ring(c);
	assert_false(client_wait(c, &done, 50000000));
	fault(c, "stall", "off");
	assert_true(client_wait(c, &done, PATIENCE_NS));
	assert_int_equal(done.status, PBIT_DONE_OK);
}

static void test_dead(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = nop();
	struct pbit_card_done done;

	client_rings(c, DIRECT, 4);
	fault(c, "dead-after", "1");
	client_write(c, &d);
	client_write(c, &d);
	client_ring(c);
	assert_true(client_wait(c, &done, PATIENCE_NS));
	while (get(c, PBIT_REG_ID) != ~0u)
		;
	assert_int_equal(get_config(c, PCI_VENDOR_ID, 4), ~0u);
	set(c, PBIT_REG_SCRATCH, 1);
	usleep(20000);
	assert_false(client_poll(c, &done));
	fault(c, "dead-after", "off");
	assert_int_equal(get(c, PBIT_REG_ID), PBIT_CARD_ID);
	assert_int_equal(get(c, PBIT_REG_SCRATCH), 0);
	assert_int_equal(get(c, reg_q(PBIT_Q_STATUS)), 0);
	client_rings(c, DIRECT, 4);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
	/* In mid-job, at once. */
	fault(c, "stall", "on");
	client_write(c, &d);
	client_ring(c);
	fault(c, "dead-after", "0");
	assert_int_equal(get(c, PBIT_REG_STATUS), ~0u);
	assert_false(client_wait(c, &done, 30000000));
}

static void test_late(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = nop();

	client_rings(c, DIRECT, 4);
	fault(c, "late-interrupt", "200");
	client_run(c, &d);
	assert_false(edge_within(c, 1, 50));
	assert_int_equal(get(c, PBIT_REG_IRQ_STATUS), 0);
	assert_true(edge_within(c, 1, 10000));
	assert_int_equal(get(c, PBIT_REG_IRQ_STATUS), 1);
}

static void test_faults(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = nop();
	struct pbit_card_done done;

	client_rings(c, DIRECT, 4);
	fault(c, "stall", "on");
	client_write(c, &d);
	client_ring(c);
	fault(c, "fault", "memory");
	assert_int_equal(get(c, PBIT_REG_FAULT), PBIT_FAULT_MEMORY);
	assert_true(get(c, PBIT_REG_STATUS) & PBIT_STATUS_FAULT);
	assert_true(edge_within(c, 0, 10000));
	assert_false(client_wait(c, &done, 30000000));
	/* The first one is kept. */
	fault(c, "fault", "clock");
	assert_int_equal(get(c, PBIT_REG_FAULT), PBIT_FAULT_MEMORY);
	fault(c, "stall", "off");
	soft_reset(c);
	assert_int_equal(get(c, PBIT_REG_FAULT), 0);
	client_rings(c, DIRECT, 4);
	fault(c, "temperature", "95000");
	assert_int_equal(get(c, PBIT_REG_TEMPERATURE), 95000);
	assert_true(get(c, PBIT_REG_STATUS) & PBIT_STATUS_HOT);
	assert_true(get(c, PBIT_REG_IRQ_STATUS) & PBIT_IRQ_HOT);
	assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
	fault(c, "temperature", "101000");
	assert_int_equal(get(c, PBIT_REG_FAULT), PBIT_FAULT_HOT);
	fault(c, "temperature", "-5000");
	assert_int_equal((s32)get(c, PBIT_REG_TEMPERATURE), -5000);
}

/* The completion that the card writes for a descriptor with cookie 5. */
static struct pbit_card_done lied(struct client *c, const char *lie)
{
	struct pbit_card_desc d = nop();
	struct pbit_card_done done;
	const u32 slot = c->tail & 15;

	d.cookie = 5;
	fault(c, "lie", lie);
	client_write(c, &d);
	client_ring(c);
	while (get(c, reg_q(PBIT_Q_STATUS)) & PBIT_Q_STATUS_BUSY)
		;
	memcpy(&done, place(c, c->cq + 32 * (u64)slot), sizeof(done));
	c->taken = c->tail;
	set(c, reg_q(PBIT_Q_CQ_HEAD), c->taken);
	return done;
}

static void test_lies(void **state)
{
	struct client *c = *state;
	const u32 crc = get(c, PBIT_REG_ROM + offsetof(struct pbit_card_rom, crc32));
	struct pbit_card_done done;

	client_rings(c, DIRECT, 4);
	assert_int_equal(lied(c, "none").cookie, 5);
	assert_int_not_equal(lied(c, "cookie").cookie, 5);
	assert_int_equal(lied(c, "phase").phase, 2);
	assert_int_equal(lied(c, "progress").progress, ~0u);
	assert_true(lied(c, "status").status > PBIT_DONE_RANDOM);
	lied(c, "twice");
	memcpy(&done, place(c, c->cq + 32 * (u64)c->tail), sizeof(done));
	assert_int_equal(done.cookie, 5);
	fault(c, "lie", "rom");
	assert_int_not_equal(get(c, PBIT_REG_ROM + offsetof(struct pbit_card_rom, crc32)), crc);
	fault(c, "lie", "none");
	assert_int_equal(get(c, PBIT_REG_ROM + offsetof(struct pbit_card_rom, crc32)), crc);
}

static void test_bit_error(void **state)
{
	struct client *c = *state;
	struct pbit_card_desc d = copy_of(DIRECT + 0x10000, DIRECT + 0x20000, 64);
	u32 i, wrong = 0;

	client_rings(c, DIRECT, 4);
	fault(c, "bit-error", "0.25");
	for (i = 0; i < 200; i++) {
		assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
		wrong += !!memcmp(place(c, DIRECT + 0x10000), place(c, DIRECT + 0x20000), 64);
	}
	assert_in_range(wrong, 20, 80);
	fault(c, "bit-error", "off");
	client_run(c, &d);
	assert_memory_equal(place(c, DIRECT + 0x10000), place(c, DIRECT + 0x20000), 64);
}

static void test_names(void **state)
{
	struct card_faults f;
	const char *why = NULL, *summary = NULL;
	unsigned int i;

	(void)state;
	faults_init(&f);
	for (i = 0; faults_name(i, &summary); i++) {
		assert_non_null(summary);
		assert_int_equal(faults_set(&f, faults_name(i, &summary), "rubbish", &why),
				 -EINVAL);
		assert_non_null(why);
		assert_int_equal(faults_set(&f, faults_name(i, &summary), "", &why), -EINVAL);
	}
	assert_int_equal(i, 8);
	assert_int_equal(faults_set(&f, "nonsense", "1", &why), -EINVAL);
	assert_int_equal(faults_set(&f, "hang-after", "-2", &why), -EINVAL);
	assert_int_equal(faults_set(&f, "bit-error", "1.5", &why), -EINVAL);
	assert_int_equal(faults_set(&f, "bit-error", "nan", &why), -EINVAL);
	assert_int_equal(faults_set(&f, "dead-after", "99999999999999999999", &why), -EINVAL);
}

/* A command line, its words apart by blanks. */
static int parse(const char *line, struct options *o, char *text, size_t size)
{
	static char copy[256];
	char *argv[24], *rest = NULL;
	int argc = 0;

	snprintf(copy, sizeof(copy), "pbit-card %s", line);
	for (argv[0] = strtok_r(copy, " ", &rest); argv[argc];
	     argv[argc] = strtok_r(NULL, " ", &rest))
		argc++;
	return options_parse(argc, argv, o, text, size);
}

static void refused(const char *line, const char *part)
{
	char text[256] = "";
	struct options o;

	assert_int_equal(parse(line, &o, text, sizeof(text)), -EINVAL);
	if (!strstr(text, part))
		fail_msg("%s: %s", line, text);
}

static void test_options(void **state)
{
	char text[256];
	struct options o;

	(void)state;
	assert_int_equal(parse("--socket s --queues 16 --memory 3 --clock 0.5 --weight-bits 1,8 "
			       "--generator sequential --lie phase --rom 0x14=0xffff",
			       &o, text, sizeof(text)),
			 0);
	assert_int_equal(o.plan.queues, 16);
	assert_int_equal(o.plan.memory, 3 << 20);
	assert_int_equal(o.plan.clock_khz, 500);
	assert_int_equal(o.plan.weight_bits, 0x81);
	assert_true(o.plan.sequential);
	assert_int_equal(o.plan.rom_offset, 20);
	assert_int_equal(o.plan.rom_value, 0xffff);
	assert_int_equal(o.n_faults, 1);
	refused("", "--socket PATH is needed");
	refused("socket", "options begin with --");
	refused("--socket", "value is missing");
	refused("--nonsense 1", "unknown option --nonsense");
	refused("--queues 17", "from 1 to 16");
	refused("--queues 0", "from 1 to 16");
	refused("--queues -1", "from 1 to 16");
	refused("--memory 0", "from 1 to");
	refused("--pbits 99999999999", "from 1 to");
	refused("--clock 0", "from 0.001");
	refused("--speed nan", "from 0");
	refused("--weight-bits 3", "list of 1, 2, 4, 8");
	refused("--weight-bits 4,", "list of 1, 2, 4, 8");
	refused("--generator dice", "counter or sequential");
	refused("--name 12345678901234567890123456789012", "1 to 31 bytes");
	refused("--rom 20", "OFFSET=VALUE");
	refused("--rom 18=1", "multiple of 4");
	refused("--rom 256=1", "from 0 to 252");
	refused("--lie often", "is needed");
	refused("--tell x", "NAME VALUE or status");
}

struct control {
	struct card *card;
	int listener;
	unsigned int calls;
};

static void *control_loop(void *data)
{
	const struct control *k = data;
	unsigned int i;

	for (i = 0; i < k->calls; i++)
		control_serve(k->card, k->listener);
	return NULL;
}

static void test_control(void **state)
{
	struct client *c = *state;
	struct control k = {.card = c->card, .calls = 5};
	char path[64], text[600];
	pthread_t thread;

	snprintf(path, sizeof(path), "/tmp/pbit-card-test-%d", (int)getpid());
	k.listener = socket_listen(path, SOCK_SEQPACKET);
	assert_true(k.listener >= 0);
	/* Somebody listens there already. */
	assert_int_equal(socket_listen(path, SOCK_SEQPACKET), -EADDRINUSE);
	assert_int_equal(pthread_create(&thread, NULL, control_loop, &k), 0);
	assert_int_equal(control_tell(path, "status", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "client=1 dead=0 fault=0"));
	assert_int_equal(control_tell(path, "temperature 77000", text, sizeof(text)), 0);
	assert_int_equal(get(c, PBIT_REG_TEMPERATURE), 77000);
	assert_int_equal(control_tell(path, "temperature hot", text, sizeof(text)), 1);
	assert_non_null(strstr(text, "whole number"));
	assert_int_equal(control_tell(path, "one two three", text, sizeof(text)), 1);
	pthread_join(thread, NULL);
	close(k.listener);
	/* A dead socket is replaced, and nothing else. */
	k.listener = socket_listen(path, SOCK_SEQPACKET);
	assert_true(k.listener >= 0);
	close(k.listener);
	unlink(path);
	assert_int_equal(control_tell(path, "status", text, sizeof(text)), -ENOENT);
	assert_int_equal(socket_listen("/nonexistent/socket", SOCK_STREAM), -ENOENT);
}

/* A sequential generator: the same descriptor the same bits, another seed others, and half are +1. */
static void test_sequential(void **state)
{
	struct card_plan plan;
	struct client *c;
	u32 rows[1025] = {0}, seed, ones = 0, i;
	u64 result[3][16];

	(void)state;
	vcard_plan_init(&plan);
	plan.sequential = true;
	plan.memory = 1 << 20;
	c = client_new(&plan);
	assert_int_equal(get(c, PBIT_REG_ROM + offsetof(struct pbit_card_rom, random_source)),
			 PBIT_CARD_RANDOM_SEQUENTIAL);
	assert_false(get(c, PBIT_REG_ROM + offsetof(struct pbit_card_rom, flags)) &
		     PBIT_CARD_CONTRACT);
	client_rings(c, DIRECT, 4);
	memcpy(place(c, LOCAL), rows, sizeof(rows));
	for (seed = 0; seed < 3; seed++) {
		struct pbit_card_desc d = {
			.op = PBIT_OP_SWEEP,
			.sweep = {.rows = LOCAL,
				  .bias = LOCAL,
				  .state = LOCAL + 8192,
				  .seed = seed / 2,
				  .n = 1024,
				  .replicas = 1,
				  .sweeps = 1},
		};

		assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
		memcpy(result[seed], place(c, LOCAL + 8192), 128);
	}
	assert_memory_equal(result[0], result[1], 128);
	assert_memory_not_equal(result[0], result[2], 128);
	for (i = 0; i < 16; i++)
		ones += (u32)__builtin_popcountll(result[0][i]);
	assert_in_range(ones, 512 - 96, 512 + 96);
	client_free(c);
}

static u64 odd_number(u64 *s)
{
	static const u64 edge[] = {0,
				   1,
				   64,
				   4096,
				   LOCAL,
				   LOCAL + 4096,
				   LOCAL | (4 << 20),
				   DIRECT,
				   DIRECT + DIRECT_SIZE - 64,
				   MESSAGE,
				   ~0ull,
				   1ull << 63,
				   0xffffffff,
				   0x7fffffff,
				   1ull << 32};

	return next_random(s) % 2 ? edge[next_random(s) % 15]
				  : next_random(s) >> next_random(s) % 64;
}

static u64 somewhere(u64 *s)
{
	static const u64 base[] = {LOCAL + (1 << 20), DIRECT + 0x10000, MESSAGE + 0x10000};

	return base[next_random(s) % 3] + (next_random(s) % 16 << 16);
}

/* One that is right, but for what lies in memory. */
static void plausible(struct pbit_card_desc *d, u64 *s)
{
	memset(d, 0, sizeof(*d));
	d->op = (u16)(next_random(s) % 5);
	d->watchdog_us = 3000;
	if (d->op == PBIT_OP_COPY || d->op == PBIT_OP_CLEAR) {
		d->copy = (struct pbit_card_copy){d->op == PBIT_OP_COPY ? somewhere(s) : 0,
						  LOCAL + (3 << 20), 1 + next_random(s) % 65536};
	} else if (d->op == PBIT_OP_LAYER) {
		d->layer = (struct pbit_card_layer){
			.weights = somewhere(s),
			.factors = somewhere(s),
			.input = somewhere(s),
			.output = somewhere(s),
			.n_inputs = 1 + (u32)(next_random(s) % 200),
			.n_outputs = 1 + (u32)(next_random(s) % 200),
			.n_images = 1 + (u32)(next_random(s) % 5),
			.n_samples = 1 + (u32)(next_random(s) % 5),
			.in_stride = 400,
			.weight_bits = (u8)(1u << next_random(s) % 4),
			.in_kind = (u8)(next_random(s) % 3),
			.out_kind = (u8)(next_random(s) % 3),
		};
		d->layer.out_stride = d->layer.out_kind ? 0 : 28;
	} else if (d->op == PBIT_OP_SWEEP) {
		/* Zeroes are rows without couplings. */
		d->sweep = (struct pbit_card_sweep){
			.rows = LOCAL + (2 << 20),
			.bias = somewhere(s),
			.clamp = next_random(s) % 2 ? somewhere(s) : 0,
			.state = somewhere(s),
			.output = somewhere(s),
			.n = 1 + (u32)(next_random(s) % 1000),
			.replicas = 1 + (u32)(next_random(s) % 3),
			.sweeps = 1 + (u32)(next_random(s) % 20),
			.interval = 1,
		};
		d->sweep.visits = next_random(s) % 2 ? d->sweep.rows : 0;
	}
}

/* The same with up to two words that are odd. */
static void hostile(struct pbit_card_desc *d, u64 *s)
{
	u64 n = next_random(s) % 3;

	plausible(d, s);
	for (; n; n--) {
		const u64 odd = odd_number(s);
		const size_t at = 16 + 4 * (next_random(s) % 50);

		memcpy((u8 *)d + at, &odd, at % 8 ? 4 : 8);
	}
	if (next_random(s) % 20 == 0)
		d->op = (u16)odd_number(s);
}

static void test_fuzz(void **state)
{
	const char *seconds = getenv("PBIT_FUZZ_SECONDS");
	const u64 end = now_ns() + (seconds ? strtoull(seconds, NULL, 0) : 2) * 1000000000;
	struct client *c = *state;
	u64 random = 2026;
	u32 counts[9] = {0}, rounds = 0;

	while (now_ns() < end) {
		struct pbit_card_desc d;
		struct pbit_card_done done;

		if (rounds++ % 200 == 0) {
			soft_reset(c);
			set_config(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
			memset(place(c, LOCAL + (2 << 20)), 0, 1 << 20);
			client_rings(c, MESSAGE + (MESSAGE_SIZE - 65536), 4);
		}
		hostile(&d, &random);
		/* Its rings are the card's to keep. */
		done = client_run(c, &d);
		assert_in_range(done.status, 0, PBIT_DONE_RANDOM);
		counts[done.status]++;
	}
	print_message("%u descriptors: %u ok, %u size, %u address, %u bus, %u watchdog\n", rounds,
		      counts[0], counts[2], counts[3], counts[4], counts[5]);
	/* It went everywhere. */
	assert_true(counts[PBIT_DONE_OK] > rounds / 5);
	assert_true(counts[PBIT_DONE_BAD_OP] && counts[PBIT_DONE_BAD_SIZE]);
	assert_true(counts[PBIT_DONE_BAD_ADDRESS] && counts[PBIT_DONE_BUS]);
}

/* Registers written at random, rings and doorbells among them; a reset puts all in order again. */
static void test_fuzz_registers(void **state)
{
	const u64 end = now_ns() + 1000000000;
	struct client *c = *state;
	u64 random = 5;
	u32 i;
	struct pbit_card_desc d = nop();

	while (now_ns() < end) {
		for (i = 0; i < 300; i++) {
			const u32 q = PBIT_REG_QUEUE((u32)(next_random(&random) % 3)),
				  word = (u32)(next_random(&random) % 24) * 4,
				  at = next_random(&random) % 2 ? q + word : word;
			u32 value = (u32)odd_number(&random);

			if (next_random(&random) % 8 == 0)
				value = (u32)DIRECT;
			set(c, at, value);
			get(c, at);
		}
		soft_reset(c);
		client_rings(c, DIRECT, 4);
		assert_int_equal(client_run(c, &d).status, PBIT_DONE_OK);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hang),
		T(test_stall),
		T(test_dead),
		T(test_late),
		T(test_faults),
		T(test_lies),
		T(test_bit_error),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_options),
		T(test_control),
		cmocka_unit_test(test_sequential),
		T(test_fuzz),
		T(test_fuzz_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
