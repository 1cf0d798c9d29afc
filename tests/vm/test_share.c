// SPDX-License-Identifier: Apache-2.0
/* Several processes: shares of the device, priorities, a kill in mid-job, who has it. */
#include <sys/resource.h>
#include <sys/wait.h>

#include "guest.h"

/* Always more to do than the hardware queues hold, or the share is the client's own doing. */
#define BACKLOG 8u

/* A job of a few milliseconds, again and again, until `until`; writes how much device time it had. */
static void keep_busy(uint32_t priority, uint64_t until, int to)
{
	const int fd = test_open();
	struct pbit_event event;
	struct work work;
	uint64_t device = 0, job[BACKLOG];
	uint32_t at, i;

	make_work(fd, 4096, 8, &work);
	for (i = 0; i < BACKLOG; i++) {
		struct pbit_ioc_submit req = submit_of(&work.cmd, 1);

		req.priority = priority;
		assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
		job[i] = req.job;
	}
	for (at = 0; now_ns() < until; at = (at + 1) % BACKLOG) {
		struct pbit_ioc_submit req = submit_of(&work.cmd, 1);

		req.priority = priority;
		assert_int_equal(wait_job(fd, job[at], 30000, &event), 0);
		device += event.cycles;
		assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
		job[at] = req.job;
	}
	assert_int_equal(write(to, &device, sizeof(device)), sizeof(device));
	close(fd);
}

/* So many processes at once; their device times. */
static void compete(uint32_t n, const uint32_t *priority, uint64_t *time)
{
	const uint64_t until = now_ns() + 4000 * MS;
	int pipes[8][2];
	uint32_t i;

	for (i = 0; i < n; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		if (fork() == 0) {
			keep_busy(priority[i], until, pipes[i][1]);
			_exit(0);
		}
		close(pipes[i][1]);
	}
	for (i = 0; i < n; i++) {
		int status;

		assert_int_equal(read(pipes[i][0], &time[i], 8), 8);
		close(pipes[i][0]);
		wait(&status);
		assert_int_equal(status, 0);
	}
}

/* One queue: what one has, another has not. Made before any fork. */
static char one_queue[32];

static int set_up(void **state)
{
	(void)state;
	if (getenv("PBIT_TEST_NODE"))
		return 0;
	if (sim_make("one", "queues=1", one_queue))
		return -1;
	return setenv("PBIT_TEST_NODE", one_queue, 1);
}

static int tear_down(void **state)
{
	(void)state;
	if (one_queue[0])
		sim_drop("one");
	return 0;
}

static void equal_shares(void **state)
{
	const uint32_t priority[3] = {PBIT_PRIORITY_NORMAL, PBIT_PRIORITY_NORMAL,
				      PBIT_PRIORITY_NORMAL};
	uint64_t time[3], sum, i;

	(void)state;
	if (!one_queue[0])
		skip();
	compete(3, priority, time);
	sum = time[0] + time[1] + time[2];
	for (i = 0; i < 3; i++) {
		print_message("process %lu: %.1f %% of the device\n", i,
			      100.0 * (double)time[i] / (double)sum);
		assert_true(time[i] * 100 > sum * 20 && time[i] * 100 < sum * 47);
	}
}

static void priorities(void **state)
{
	const uint32_t priority[3] = {PBIT_PRIORITY_LOW, PBIT_PRIORITY_NORMAL, PBIT_PRIORITY_HIGH};
	uint64_t time[3];

	(void)state;
	if (!one_queue[0])
		skip();
	compete(3, priority, time);
	print_message("low %llu, normal %llu, high %llu ms\n", time[0] / MS, time[1] / MS,
		      time[2] / MS);
	assert_true(time[1] > 2 * time[0]);
	assert_true(time[2] > 2 * time[1]);
	/* Nobody starves. */
	assert_true(time[0] > 0);
}

static void high_priority_is_privileged(void **state)
{
	const struct pbit_cmd nop = {.op = PBIT_OP_NOP};
	const int fd = test_open();
	struct pbit_ioc_submit req = submit_of(&nop, 1);
	struct pbit_ioc_reset reset = {.size = sizeof(reset)};
	int status;

	(void)state;
	req.priority = PBIT_PRIORITY_HIGH;
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	if (fork() == 0) {
		if (setgid(1000) || setuid(1000))
			_exit(9);
		if (call(fd, PBIT_IOC_SUBMIT, &req) != -EPERM ||
		    req.reason != PBIT_REASON_PRIVILEGE)
			_exit(1);
		if (call(fd, PBIT_IOC_RESET, &reset) != -EPERM ||
		    reset.reason != PBIT_REASON_PRIVILEGE)
			_exit(2);
		_exit(0);
	}
	wait(&status);
	assert_int_equal(status, 0);
	close(fd);
}

/* RLIMIT_MEMLOCK counts, for whoever is not above it. */
static void locked_memory(void **state)
{
	const int fd = test_open();
	int status;

	(void)state;
	if (fork() == 0) {
		const struct rlimit limit = {65536, 65536};
		struct pbit_ioc_buffer_create req = {
			.size = sizeof(req), .place = PBIT_BUFFER_HOST, .bytes = 65536 + 1};
		uint32_t handle;

		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgid(1000) || setuid(1000))
			_exit(9);
		if (call(fd, PBIT_IOC_BUFFER_CREATE, &req) != -ENOMEM ||
		    req.reason != PBIT_REASON_PINNED || req.reason_arg != 65536)
			_exit(1);
		_exit(create(fd, PBIT_BUFFER_HOST, 65536, &handle) ? 2 : 0);
	}
	wait(&status);
	assert_int_equal(status, 0);
	close(fd);
}

static bool is_user(pid_t pid)
{
	char path[128], line[256], want[16];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/pbit/%s/users", strrchr(test_node(), '/') + 1);
	snprintf(want, sizeof(want), "%d ", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		found |= strncmp(line, want, strlen(want)) == 0;
	fclose(file);
	return found;
}

/* Killed in mid-job: the device goes on for others at once, and all that was taken comes back. */
static void killed(void **state)
{
	struct pbit_ioc_info before = {.size = sizeof(before)}, now = before;
	const struct pbit_cmd nop = {.op = PBIT_OP_NOP};
	const int fd = test_open();
	struct pbit_event event;
	uint64_t begun;
	int pipes[2], status, tries = 250, round;
	char ready;
	pid_t pid;

	(void)state;
	assert_int_equal(call(fd, PBIT_IOC_INFO, &before), 0);
	for (round = 0; round < 5; round++) {
		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		if (pid == 0) {
			const int own = test_open();
			struct work work;
			uint64_t job;
			int i;

			make_work(own, 65536, 4000, &work);
			make_buffer(own, PBIT_BUFFER_HOST, 1 << 20);
			for (i = 0; i < 5; i++)
				if (submit(own, &work.cmd, 1, &job))
					_exit(1);
			if (write(pipes[1], "r", 1) != 1)
				_exit(2);
			pause();
			_exit(3);
		}
		close(pipes[1]);
		assert_int_equal(read(pipes[0], &ready, 1), 1);
		close(pipes[0]);
		sleep_ms(30);
		assert_true(is_user(pid));
		begun = now_ns();
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		assert_false(is_user(pid));
		assert_int_equal(run(fd, &nop, 1, &event), 0);
		assert_int_equal(event.status, 0);
		assert_true(now_ns() - begun < 3000 * MS);
	}
	do {
		sleep_ms(20);
		assert_int_equal(call(fd, PBIT_IOC_INFO, &now), 0);
	} while (now.device_memory_free != before.device_memory_free && --tries);
	assert_int_equal(now.device_memory_free, before.device_memory_free);
	close(fd);
}

/* A context that is shared: by a fork, by threads of two processes. */
static void forked(void **state)
{
	const struct pbit_cmd nop = {.op = PBIT_OP_NOP};
	const int fd = test_open();
	const uint32_t handle = make_buffer(fd, PBIT_BUFFER_HOST, 4096);
	uint32_t *at = map_buffer(fd, handle, 4096);
	struct pbit_event event;
	uint64_t job;
	int status;

	(void)state;
	if (fork() == 0) {
		at[0] = 42;
		_exit(submit(fd, &nop, 1, &job) ? 1 : (int)job);
	}
	wait(&status);
	assert_int_equal(at[0], 42);
	assert_int_equal(wait_job(fd, (uint64_t)WEXITSTATUS(status), 5000, &event), 0);
	munmap(at, 4096);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_shares),
		cmocka_unit_test(priorities),
		cmocka_unit_test(high_priority_is_privileged),
		cmocka_unit_test(locked_memory),
		cmocka_unit_test(killed),
		cmocka_unit_test(forked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
