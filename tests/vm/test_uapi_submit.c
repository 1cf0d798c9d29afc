// SPDX-License-Identifier: Apache-2.0
/* Buffers, submission, waiting, cancelling: what is refused, and whose things are whose. */
#include <sys/socket.h>

#include "guest.h"

static int fd;

static int set_up(void **state)
{
	(void)state;
	fd = test_open();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(fd);
}

static const struct pbit_cmd nop = {.op = PBIT_OP_NOP};

#define REFUSED(change, code, why)                                          \
	do {                                                                \
		struct pbit_ioc_submit req = submit_of(&nop, 1);            \
                                                                            \
		change;                                                     \
		print_message(#change "\n");                                \
		assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), -(code)); \
		assert_int_equal(req.reason, PBIT_REASON_##why);            \
		assert_int_equal(req.job, 0);                               \
	} while (0)

static void submit_refuses(void **state)
{
	struct pbit_ioc_info info = {.size = sizeof(info)};

	(void)state;
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	REFUSED(req.n_commands = 0, EINVAL, RANGE);
	REFUSED(req.n_commands = info.max_commands + 1, EINVAL, RANGE);
	REFUSED(req.n_commands = UINT32_MAX, EINVAL, RANGE);
	REFUSED(req.command_size = 0, EINVAL, SIZE);
	REFUSED(req.command_size = sizeof(nop) - 1, EINVAL, SIZE);
	REFUSED(req.command_size = UINT32_MAX, EINVAL, SIZE);
	REFUSED(req.priority = 3, EINVAL, RANGE);
	REFUSED(req.priority = UINT32_MAX, EINVAL, RANGE);
	REFUSED(req.deadline_ns = 1, ETIMEDOUT, DEADLINE);
	REFUSED(req.commands = 0, EFAULT, NONE);
	REFUSED(req.commands = 1ull << 63, EFAULT, NONE);
	REFUSED(req.commands = UINT64_MAX - 8, EFAULT, NONE);
	/* A wider command of a later version. */
	{
		uint8_t wide[2][sizeof(nop) + 16] = {{0}};

		REFUSED((req.commands = (uintptr_t)wide, req.n_commands = 2,
			 req.command_size = sizeof(nop) + 16, wide[1][sizeof(nop)] = 1),
			E2BIG, RESERVED);
	}
}

static void wide_commands(void **state)
{
	uint8_t wide[2][sizeof(nop) + 16] = {{0}};
	struct pbit_ioc_submit req = submit_of((const struct pbit_cmd *)(void *)wide, 2);
	struct pbit_event event;

	(void)state;
	req.command_size = sizeof(wide[0]);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	assert_int_equal(wait_job(fd, req.job, 5000, &event), 0);
	assert_int_equal(event.command, 2);
}

/* The array of commands ends where a page does, or runs over its end. */
static void commands_at_the_end_of_a_page(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *at =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pbit_cmd *cmd = (struct pbit_cmd *)(void *)(at + page) - 2;
	struct pbit_ioc_submit req = submit_of(cmd, 2);
	struct pbit_event event;

	(void)state;
	assert_int_equal(mprotect(at + page, page, PROT_NONE), 0);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	assert_int_equal(wait_job(fd, req.job, 5000, &event), 0);
	req = submit_of(cmd, 3);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), -EFAULT);
	assert_int_equal(req.reason_command, 2);
	munmap(at, 2 * page);
}

static int create_why(uint32_t place, uint64_t bytes, uint32_t *reason, uint64_t *arg)
{
	struct pbit_ioc_buffer_create req = {.size = sizeof(req), .place = place, .bytes = bytes};
	const int rc = call(fd, PBIT_IOC_BUFFER_CREATE, &req);

	*reason = req.reason;
	*arg = req.reason_arg;
	if (rc)
		assert_int_equal(req.handle, 0);
	return rc;
}

static void create_refuses(void **state)
{
	struct pbit_ioc_info info = {.size = sizeof(info)};
	uint32_t reason;
	uint64_t arg;

	(void)state;
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	assert_int_equal(create_why(2, 4096, &reason, &arg), -EINVAL);
	assert_int_equal(reason, PBIT_REASON_PLACE);
	assert_int_equal(create_why(UINT32_MAX, 4096, &reason, &arg), -EINVAL);
	assert_int_equal(create_why(PBIT_BUFFER_HOST, 0, &reason, &arg), -EINVAL);
	assert_int_equal(reason, PBIT_REASON_RANGE);
	assert_int_equal(create_why(PBIT_BUFFER_DEVICE, 0, &reason, &arg), -EINVAL);
	assert_int_equal(create_why(PBIT_BUFFER_HOST, UINT64_MAX, &reason, &arg), -EINVAL);
	assert_int_equal(create_why(PBIT_BUFFER_DEVICE, UINT64_MAX, &reason, &arg), -EINVAL);
	assert_int_equal(create_why(PBIT_BUFFER_HOST, info.max_host_buffer + 1, &reason, &arg),
			 -EINVAL);
	assert_int_equal(reason, PBIT_REASON_RANGE);
	assert_int_equal(arg, info.max_host_buffer);
	assert_int_equal(create_why(PBIT_BUFFER_DEVICE, info.device_memory + 4096, &reason, &arg),
			 -ENOSPC);
	assert_int_equal(reason, PBIT_REASON_DEVICE_MEMORY);
	assert_int_equal(arg, info.device_memory);
}

static void destroy_refuses(void **state)
{
	struct pbit_ioc_buffer_destroy req = {.size = sizeof(req)};
	const uint32_t handle = make_buffer(fd, PBIT_BUFFER_DEVICE, 1);

	(void)state;
	assert_int_equal(call(fd, PBIT_IOC_BUFFER_DESTROY, &req), -ENOENT);
	assert_int_equal(req.reason, PBIT_REASON_HANDLE);
	req.handle = UINT32_MAX;
	assert_int_equal(call(fd, PBIT_IOC_BUFFER_DESTROY, &req), -ENOENT);
	assert_int_equal(destroy(fd, handle), 0);
	assert_int_equal(destroy(fd, handle), -ENOENT);
}

/* A handle means something to its own file only. */
static void handles_of_another_file(void **state)
{
	const int other = test_open();
	const uint32_t pad = make_buffer(other, PBIT_BUFFER_HOST, 4096);
	const uint32_t theirs = make_buffer(other, PBIT_BUFFER_HOST, 4096);
	const uint32_t ours = make_buffer(fd, PBIT_BUFFER_DEVICE, 4096);
	struct pbit_cmd cmd = copy_of(ours, theirs + 100, 4096);
	struct pbit_event event;
	uint64_t job;
	void *at;

	(void)state;
	(void)pad;
	assert_int_equal(submit(fd, &cmd, 1, &job), -ENOENT);
	/* The other's numbers of jobs neither. */
	assert_int_equal(submit(other, &nop, 1, &job), 0);
	assert_int_equal(wait_job(fd, job + 1000, 10, &event), -ENOENT);
	assert_int_equal(wait_job(other, job, 5000, &event), 0);
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, (off_t)((uint64_t)(theirs + 100) << 32));
	assert_ptr_equal(at, MAP_FAILED);
	assert_int_equal(errno, ENOENT);
	destroy(fd, ours);
	close(other);
}

static void foreign_files(void **state)
{
	struct pbit_ioc_info info = {.size = sizeof(info)};
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(call(null, PBIT_IOC_INFO, &info), -ENOTTY);
	assert_int_equal(call(pipes[0], PBIT_IOC_INFO, &info), -ENOTTY);
	assert_int_equal(call(-1, PBIT_IOC_INFO, &info), -EBADF);
	close(null);
	close(pipes[0]);
	close(pipes[1]);
}

static void *try_map(uint64_t offset, size_t bytes, int flags)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, (off_t)offset);
}

static void mappings(void **state)
{
	const uint32_t host = make_buffer(fd, PBIT_BUFFER_HOST, 8192);
	const uint32_t device = make_buffer(fd, PBIT_BUFFER_DEVICE, 8192);
	const uint64_t at = (uint64_t)host << 32;
	uint8_t *map;

	(void)state;
	assert_ptr_equal(try_map(0, 4096, MAP_SHARED), MAP_FAILED);
	assert_ptr_equal(try_map(at + 4096, 4096, MAP_SHARED), MAP_FAILED);
	assert_ptr_equal(try_map(at, 12288, MAP_SHARED), MAP_FAILED);
	assert_ptr_equal(try_map((uint64_t)device << 32, 4096, MAP_SHARED), MAP_FAILED);
	assert_ptr_equal(try_map(1ull << 52, 4096, MAP_SHARED), MAP_FAILED);
	assert_ptr_equal(try_map(at, 4096, MAP_PRIVATE), MAP_FAILED);
	map = map_buffer(fd, host, 8192);
	assert_int_equal(map[0] | map[8191], 0);
	map[8191] = 7;
	/* The mapping keeps the memory, not the buffer. */
	assert_int_equal(destroy(fd, host), 0);
	assert_int_equal(map[8191], 7);
	munmap(map, 8192);
	destroy(fd, device);
}

/* New memory shows nothing of its last owner, on either side. */
static void memory_is_clean(void **state)
{
	struct pbit_event event;
	uint32_t handle, host = make_buffer(fd, PBIT_BUFFER_HOST, 65536);
	uint8_t *at = map_buffer(fd, host, 65536);
	int round;

	(void)state;
	for (round = 0; round < 20; round++) {
		struct pbit_cmd cmd;
		size_t i;

		handle = make_buffer(fd, PBIT_BUFFER_DEVICE, 65536);
		cmd = copy_of(handle, host, 65536);
		memset(at, 0xff, 65536);
		assert_int_equal(run(fd, &cmd, 1, &event), 0);
		for (i = 0; i < 65536; i++)
			assert_int_equal(at[i], 0);
		memset(at, 0xff, 65536);
		cmd = copy_of(host, handle, 65536);
		assert_int_equal(run(fd, &cmd, 1, &event), 0);
		assert_int_equal(destroy(fd, handle), 0);
	}
	munmap(at, 65536);
	destroy(fd, host);
}

static void waits_refused(void **state)
{
	struct pbit_ioc_wait wait = {.size = sizeof(wait), .job = 0};
	struct pbit_ioc_cancel cancel = {.size = sizeof(cancel), .job = 12345678};
	struct pbit_event event;
	uint64_t job;

	(void)state;
	assert_int_equal(call(fd, PBIT_IOC_WAIT, &wait), -ENOENT);
	assert_int_equal(wait.reason, PBIT_REASON_JOB);
	wait.job = UINT64_MAX;
	assert_int_equal(call(fd, PBIT_IOC_WAIT, &wait), -ENOENT);
	assert_int_equal(call(fd, PBIT_IOC_CANCEL, &cancel), -ENOENT);
	assert_int_equal(cancel.reason, PBIT_REASON_JOB);
	/* An event is taken once. */
	assert_int_equal(submit(fd, &nop, 1, &job), 0);
	assert_int_equal(wait_job(fd, job, 5000, &event), 0);
	assert_int_equal(wait_job(fd, job, 10, &event), -ENOENT);
	cancel.job = job;
	assert_int_equal(call(fd, PBIT_IOC_CANCEL, &cancel), -ENOENT);
}

static void reads_refused(void **state)
{
	struct pbit_event event[2];
	uint64_t job;
	const int flags = fcntl(fd, F_GETFL);
	void *const volatile nowhere = NULL;

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	assert_int_equal(read(fd, event, sizeof(event[0]) - 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(read(fd, event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(submit(fd, &nop, 1, &job), 0);
	while (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000) != 1)
		;
	/* What cannot be handed over is not lost. */
	assert_int_equal(read(fd, nowhere, sizeof(event[0])), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(read(fd, event, sizeof(event)), sizeof(event[0]));
	assert_int_equal(event[0].job, job);
	assert_int_equal(write(fd, event, 1), -1);
	assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

/* Neither is what a wait cannot hand over. */
static void wait_loses_nothing(void **state)
{
	struct pbit_ioc_wait *wait =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pbit_event event;

	(void)state;
	*wait = (struct pbit_ioc_wait){.size = sizeof(*wait), .deadline_ns = FOREVER};
	assert_int_equal(submit(fd, &nop, 1, (uint64_t *)&wait->job), 0);
	assert_int_equal(mprotect(wait, 4096, PROT_READ), 0);
	assert_int_equal(call(fd, PBIT_IOC_WAIT, wait), -EFAULT);
	assert_int_equal(wait_job(fd, wait->job, 5000, &event), 0);
	munmap(wait, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submit_refuses),
		cmocka_unit_test(wide_commands),
		cmocka_unit_test(commands_at_the_end_of_a_page),
		cmocka_unit_test(create_refuses),
		cmocka_unit_test(destroy_refuses),
		cmocka_unit_test(handles_of_another_file),
		cmocka_unit_test(foreign_files),
		cmocka_unit_test(mappings),
		cmocka_unit_test(memory_is_clean),
		cmocka_unit_test(waits_refused),
		cmocka_unit_test(reads_refused),
		cmocka_unit_test(wait_loses_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
