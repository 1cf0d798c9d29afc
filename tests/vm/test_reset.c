// SPDX-License-Identifier: Apache-2.0
/* Reset, removal, faults, and devices that lie: every job gets its end, every old file ENODEV, the kernel nothing. */
#include <pthread.h>

#include <sys/stat.h>

#include "guest.h"

static const struct pbit_cmd nop = {.op = PBIT_OP_NOP};

static int open_sim(const char *settings)
{
	char node[32];

	assert_int_equal(sim_make("r", settings, node), 0);
	return open(node, O_RDWR | O_CLOEXEC);
}

static int drop(void **state)
{
	(void)state;
	sim_drop("r");
	return 0;
}

static int info(int fd, struct pbit_ioc_info *out)
{
	*out = (struct pbit_ioc_info){.size = sizeof(*out)};
	return call(fd, PBIT_IOC_INFO, out);
}

static int reset(int fd, uint32_t *reason)
{
	struct pbit_ioc_reset req = {.size = sizeof(req)};
	const int rc = call(fd, PBIT_IOC_RESET, &req);

	*reason = req.reason;
	return rc;
}

/* Everything that a dead file answers. */
static void is_dead(int fd, uint32_t handle, uint32_t reason)
{
	struct pbit_ioc_submit submit = submit_of(&nop, 1);
	struct pbit_ioc_buffer_create create = {
		.size = sizeof(create), .place = PBIT_BUFFER_HOST, .bytes = 1};
	struct pbit_ioc_info about;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct pbit_event event;
	uint32_t why;

	{ int rr = info(fd, &about); print_message("INFO %d gen %llu\n", rr, about.generation); if (!rr) { usleep(100000); rr = info(fd, &about); print_message("AGAIN %d gen %llu\n", rr, about.generation);} }
	assert_int_equal(info(fd, &about), -ENODEV);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &submit), -ENODEV);
	assert_int_equal(submit.reason, reason);
	assert_int_equal(call(fd, PBIT_IOC_BUFFER_CREATE, &create), -ENODEV);
	assert_int_equal(create.reason, reason);
	assert_int_equal(destroy(fd, handle), -ENODEV);
	assert_int_equal(reset(fd, &why), -ENODEV);
	assert_ptr_equal(
		mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, (off_t)((uint64_t)handle << 32)),
		MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(poll(&p, 1, 1000), 1);
	assert_true(p.revents & POLLHUP);
	while (read(fd, &event, sizeof(event)) == sizeof(event))
		;
	assert_int_equal(read(fd, &event, sizeof(event)), -1);
	assert_int_equal(errno, ENODEV);
}

static void resets(void **state)
{
	const int fd = open_sim("latency_us=200000");
	char link[64];
	int other, status = 0;
	uint32_t handle, device, why, theirs;
	struct pbit_ioc_info before, after;
	struct pbit_event event;
	struct pbit_cmd cmd;
	uint64_t job[3], i;

	(void)state;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	other = open(link, O_RDWR | O_CLOEXEC);
	assert_true(other >= 0);
	assert_int_equal(info(fd, &before), 0);
	handle = make_buffer(fd, PBIT_BUFFER_HOST, 4096);
	device = make_buffer(fd, PBIT_BUFFER_DEVICE, 4096);
	theirs = make_buffer(other, PBIT_BUFFER_HOST, 4096);
	for (i = 0; i < 3; i++)
		assert_int_equal(submit(other, &nop, 1, &job[i]), 0);
	assert_int_equal(reset(fd, &why), 0);
	/* Every job of the other file has its end. */
	for (i = 0; i < 3; i++) {
		assert_int_equal(wait_job(other, job[i], 1000, &event), 0);
		status += event.status == -ENODEV;
	}
	assert_int_equal(status, 3);
	is_dead(other, theirs, PBIT_REASON_RESET);
	/* The one that made the reset goes on, its device memory forgotten. */
	assert_int_equal(info(fd, &after), 0);
	assert_int_equal(after.generation, before.generation + 1);
	cmd = copy_of(handle, device, 8);
	assert_int_equal(submit(fd, &cmd, 1, &job[0]), -ENODEV);
	assert_int_equal(destroy(fd, device), 0);
	device = make_buffer(fd, PBIT_BUFFER_DEVICE, 4096);
	cmd = copy_of(handle, device, 8);
	assert_int_equal(run(fd, &cmd, 1, &event), 0);
	assert_int_equal(event.status, 0);
	close(other);
	other = open(link, O_RDWR | O_CLOEXEC);
	assert_int_equal(run(other, &nop, 1, &event), 0);
	close(other);
	close(fd);
}

static pthread_barrier_t ready;

/* An assertion that fails in a thread cannot be caught: nothing is asserted once the trouble has begun. */
static void *submit_until_dead(void *node)
{
	const int fd = open(node, O_RDWR | O_CLOEXEC);
	uint64_t job, jobs = 0;
	struct pbit_event event;
	struct work work;
	int rc;

	if (fd < 0)
		return (void *)1;
	make_work(fd, 1024, 50, &work);
	pthread_barrier_wait(&ready);
	do {
		rc = submit(fd, &work.cmd, 1, &job);
		if (!rc)
			rc = wait_job(fd, job, 20000, &event);
		jobs++;
	} while (!rc);
	close(fd);
	return rc == -ENODEV && jobs ? NULL : (void *)2;
}

/* Several threads at work, each with its file, while another resets, or the device is pulled out. */
static void under_load(void **state)
{
	char node[32];
	pthread_t thread[4];
	uint32_t why;
	void *rc;
	int round, i, fd;

	(void)state;
	assert_int_equal(sim_make("r", "queues=3", node), 0);
	pthread_barrier_init(&ready, NULL, 5);
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&thread[i], NULL, submit_until_dead, node),
					 0);
		pthread_barrier_wait(&ready);
		sleep_ms(150);
		if (round < 5) {
			fd = open(node, O_RDWR | O_CLOEXEC);
			assert_int_equal(reset(fd, &why), 0);
			close(fd);
		} else {
			assert_int_equal(sim_set("r", "remove", "1"), 0);
		}
		for (i = 0; i < 4; i++) {
			pthread_join(thread[i], &rc);
			assert_null(rc);
		}
	}
	pthread_barrier_destroy(&ready);
}

static void removal(void **state)
{
	const int fd = open_sim("latency_us=500000");
	const uint32_t handle = make_buffer(fd, PBIT_BUFFER_HOST, 4096);
	uint8_t *at = map_buffer(fd, handle, 4096);
	struct pbit_event event;
	uint64_t job, begun;

	(void)state;
	assert_int_equal(submit(fd, &nop, 1, &job), 0);
	begun = now_ns();
	assert_int_equal(sim_set("r", "remove", "1"), 0);
	assert_int_equal(wait_job(fd, job, 5000, &event), 0);
	assert_true(now_ns() - begun < 3000 * MS);
	assert_int_equal(event.status, -ENODEV);
	is_dead(fd, handle, PBIT_REASON_DETACHED);
	/* Memory that is mapped stays the process's own. */
	at[0] = 1;
	assert_int_equal(at[0], 1);
	munmap(at, 4096);
	close(fd);
}

static void *blocked_read(void *fd)
{
	struct pbit_event event;

	return (void *)(intptr_t)(read((int)(intptr_t)fd, &event, sizeof(event)) < 0 ? -errno : 1);
}

/* A reader that sleeps is woken by the removal. */
static void removal_wakes(void **state)
{
	const int fd = open_sim(NULL);
	pthread_t thread;
	void *rc;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, blocked_read, (void *)(intptr_t)fd), 0);
	sleep_ms(100);
	assert_int_equal(sim_set("r", "remove", "1"), 0);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, -ENODEV);
	close(fd);
}

static void faults(void **state)
{
	const int fd = open_sim("latency_us=300000");
	const uint32_t handle = make_buffer(fd, PBIT_BUFFER_HOST, 4096);
	struct pbit_event event;
	uint64_t job;
	char node[64];
	int again;

	(void)state;
	assert_int_equal(sim_set("r", "fault", "0"), -ERANGE);
	assert_int_equal(submit(fd, &nop, 1, &job), 0);
	assert_int_equal(sim_set("r", "fault", "1"), 0);
	assert_int_equal(wait_job(fd, job, 5000, &event), 0);
	assert_true(event.status < 0);
	print_message("ended with %d after %lu ms\n", event.status, (event.ended_ns - event.queued_ns) / 1000000);
	is_dead(fd, handle, PBIT_REASON_RESET);
	snprintf(node, sizeof(node), "/proc/self/fd/%d", fd);
	again = open(node, O_RDWR | O_CLOEXEC);
	assert_int_equal(run(again, &nop, 1, &event), 0);
	assert_int_equal(event.status, 0);
	close(again);
	close(fd);
}

/* How a device can hang, and what is left of it: its watchdog works, abort works, a reset works, nothing does. */
static void stalls(void **state)
{
	static const struct {
		const char *settings;
		int status;
		bool survives, file_survives;
	} cases[] = {
		{"stall=1", -ETIME, true, true},
		{"stall=2", 0, true, false},
		{"stall=3", 0, false, false},
	};
	char node[64], line[16];
	size_t i;

	(void)state;
	read_line("/sys/module/pbit/parameters/watchdog_ms", line, sizeof(line));
	assert_int_equal(write_line("/sys/module/pbit/parameters/watchdog_ms", "300"), 0);
	for (i = 0; i < 3; i++) {
		const int fd = open_sim(cases[i].settings);
		struct pbit_event event;
		uint64_t job;
		int again, rc;

		print_message("%s\n", cases[i].settings);
		assert_int_equal(submit(fd, &nop, 1, &job), 0);
		rc = wait_job(fd, job, 10000, &event);
		assert_int_equal(rc, 0);
		assert_true(event.status < 0);
		if (cases[i].status)
			assert_int_equal(event.status, cases[i].status);
		sim_set("r", "stall", "0");
		assert_int_equal(submit(fd, &nop, 1, &job), cases[i].file_survives ? 0 : -ENODEV);
		snprintf(node, sizeof(node), "/proc/self/fd/%d", fd);
		again = open(node, O_RDWR | O_CLOEXEC);
		if (cases[i].survives) {
			assert_int_equal(run(again, &nop, 1, &event), 0);
			assert_int_equal(event.status, 0);
		} else {
			assert_true(again < 0 || submit(again, &nop, 1, &job) == -ENODEV);
		}
		if (again >= 0)
			close(again);
		close(fd);
		sim_drop("r");
	}
	write_line("/sys/module/pbit/parameters/watchdog_ms", line);
}

/* Completions that cannot be true: the device is reset, every job ends. */
static void lies_of_completions(void **state)
{
	static const char *const lies[] = {"1", "2", "3"};
	char node[64];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		const int fd = open_sim(NULL);
		struct pbit_event event;
		uint64_t job;
		int again;

		assert_int_equal(sim_set("r", "bad_done", lies[i]), 0);
		assert_int_equal(submit(fd, &nop, 1, &job), 0);
		assert_int_equal(wait_job(fd, job, 10000, &event), 0);
		/* Told twice: the first was true. */
		if (i < 2)
			assert_true(event.status < 0);
		sleep_ms(100);
		assert_int_equal(submit(fd, &nop, 1, &job), -ENODEV);
		snprintf(node, sizeof(node), "/proc/self/fd/%d", fd);
		again = open(node, O_RDWR | O_CLOEXEC);
		assert_int_equal(run(again, &nop, 1, &event), 0);
		assert_int_equal(event.status, 0);
		close(again);
		close(fd);
		sim_drop("r");
	}
}

static void errors_of_commands(void **state)
{
	const int fd = open_sim("error_every=2 error_status=7");
	struct pbit_event event;
	const struct pbit_cmd three[3] = {nop, nop, nop};

	(void)state;
	assert_int_equal(run(fd, three, 3, &event), 0);
	assert_int_equal(event.status, -EIO);
	assert_int_equal(event.card_status, PBIT_DONE_MEMORY);
	assert_int_equal(event.command, 1);
	close(fd);
}

/* A ROM that lies is refused, or does no harm. */
static void lies_of_the_rom(void **state)
{
	static const struct {
		size_t offset;
		const char *value;
		bool refused;
	} cases[] = {
		{offsetof(struct pbit_card_rom, id), "1", true},
		{offsetof(struct pbit_card_rom, version), "0x20000", true},
		{offsetof(struct pbit_card_rom, size), "8", true},
		{offsetof(struct pbit_card_rom, crc32), "1", true},
		{offsetof(struct pbit_card_rom, n_queues), "0", true},
		{offsetof(struct pbit_card_rom, n_queues), "17", true},
		{offsetof(struct pbit_card_rom, n_queues), "0xffffffff", true},
		{offsetof(struct pbit_card_rom, memory_size), "1", true},
		{offsetof(struct pbit_card_rom, memory_size) + 4, "0xffffffff", true},
		{offsetof(struct pbit_card_rom, max_inputs), "0", true},
		{offsetof(struct pbit_card_rom, max_outputs), "0xffffffff", true},
		{offsetof(struct pbit_card_rom, max_pbits), "0xffffffff", true},
		{offsetof(struct pbit_card_rom, max_samples), "0", true},
		{offsetof(struct pbit_card_rom, orders), "0", true},
		{offsetof(struct pbit_card_rom, coupling_bits), "33", true},
		{offsetof(struct pbit_card_rom, coupling_bits), "0", true},
		{offsetof(struct pbit_card_rom, max_samples), "0xffffffff", false},
		{offsetof(struct pbit_card_rom, max_degree), "0xffffffff", false},
		{offsetof(struct pbit_card_rom, name), "0xffffffff", false},
		{offsetof(struct pbit_card_rom, flags), "0xffffffff", false},
	};
	char settings[64], node[32], path[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pbit_event event;
		int rc, fd;

		print_message("offset %zu is %s\n", cases[i].offset, cases[i].value);
		mkdir("/sys/kernel/config/pbit/r", 0755);
		snprintf(settings, sizeof(settings), "%zu %s", cases[i].offset, cases[i].value);
		assert_int_equal(sim_set("r", "rom", settings), 0);
		rc = sim_set("r", "live", "1");
		assert_int_equal(rc, cases[i].refused ? -EPROTO : 0);
		if (!rc) {
			snprintf(path, sizeof(path), "/sys/kernel/config/pbit/r/device");
			read_line(path, settings, sizeof(settings));
			snprintf(node, sizeof(node), "/dev/%.20s", settings);
			fd = open(node, O_RDWR | O_CLOEXEC);
			assert_int_equal(run(fd, &nop, 1, &event), 0);
			close(fd);
		}
		sim_drop("r");
	}
}

/* What a sim is cannot be changed while it is live; nonsense is refused. */
static void settings_of_a_sim(void **state)
{
	static const char *const plan[] = {"pbits",   "degree", "inputs", "outputs",
					   "samples", "queues", "memory", "work"};
	const int fd = open_sim(NULL);
	char node[32];
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		assert_int_equal(sim_set("r", plan[i], i == 6 ? "8192" : "1"), -EBUSY);
	assert_int_equal(sim_set("r", "rom", "none"), -EBUSY);
	assert_int_equal(sim_set("r", "generator", "physical"), -EBUSY);
	close(fd);
	assert_int_equal(sim_set("r", "live", "0"), 0);
	assert_int_equal(sim_set("r", "remove", "1"), -ENODEV);
	assert_int_equal(sim_set("r", "fault", "1"), -ENODEV);
	assert_int_equal(sim_set("r", "queues", "0"), -ERANGE);
	assert_int_equal(sim_set("r", "queues", "17"), -ERANGE);
	assert_int_equal(sim_set("r", "pbits", "x"), -EINVAL);
	assert_int_equal(sim_set("r", "pbits", "-1"), -EINVAL);
	assert_int_equal(sim_set("r", "memory", "4097"), -EINVAL);
	assert_int_equal(sim_set("r", "stall", "4"), -ERANGE);
	assert_int_equal(sim_set("r", "generator", "dice"), -EINVAL);
	assert_int_equal(sim_make("r", NULL, node), -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(resets, drop),
		cmocka_unit_test_teardown(under_load, drop),
		cmocka_unit_test_teardown(removal, drop),
		cmocka_unit_test_teardown(removal_wakes, drop),
		cmocka_unit_test_teardown(faults, drop),
		cmocka_unit_test_teardown(stalls, drop),
		cmocka_unit_test_teardown(lies_of_completions, drop),
		cmocka_unit_test_teardown(errors_of_commands, drop),
		cmocka_unit_test_teardown(lies_of_the_rom, drop),
		cmocka_unit_test_teardown(settings_of_a_sim, drop),
	};

	if (access("/sys/kernel/config/pbit", W_OK))
		return 77;
	if (getenv("F")) cmocka_set_test_filter(getenv("F"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
