// SPDX-License-Identifier: Apache-2.0
/* Jobs: results, poll and read, order, deadline, cancel, limits. */
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

/* So many sweeps of 4096 free p-bits as take about a second here. */
static uint32_t second(struct work *work)
{
	struct pbit_event event;
	uint64_t took;

	make_work(fd, 4096, 20, work);
	assert_int_equal(run(fd, &work->cmd, 1, &event), 0);
	assert_int_equal(event.status, 0);
	took = event.ended_ns - event.started_ns;
	return (uint32_t)(20 * 1000 * MS / (took ? took : 1)) + 20;
}

static void drop_work(const struct work *work)
{
	destroy(fd, work->rows);
	destroy(fd, work->columns);
	destroy(fd, work->values);
	destroy(fd, work->bias);
	destroy(fd, work->state);
}

static void there_and_back(void **state)
{
	const size_t bytes = 100003;
	const uint32_t from = make_buffer(fd, PBIT_BUFFER_HOST, bytes);
	const uint32_t to = make_buffer(fd, PBIT_BUFFER_HOST, bytes);
	const uint32_t device = make_buffer(fd, PBIT_BUFFER_DEVICE, bytes);
	const struct pbit_cmd cmds[2] = {copy_of(from, device, bytes), copy_of(device, to, bytes)};
	uint8_t *source = map_buffer(fd, from, bytes), *back = map_buffer(fd, to, bytes);
	struct pbit_event event;
	size_t i;

	(void)state;
	for (i = 0; i < bytes; i++)
		source[i] = (uint8_t)(i * 7 + i / 255);
	assert_int_equal(run(fd, cmds, 2, &event), 0);
	assert_int_equal(event.status, 0);
	assert_int_equal(event.command, 2);
	assert_memory_equal(source, back, bytes);
	munmap(source, bytes);
	munmap(back, bytes);
	destroy(fd, from);
	destroy(fd, to);
	destroy(fd, device);
}

/* Clamped p-bits stay, a bias beyond doubt decides the others, and the same seed gives the same again. */
static void sweeps(void **state)
{
	struct work work;
	struct pbit_cmd cmds[2];
	const uint32_t clamp = make_buffer(fd, PBIT_BUFFER_HOST, 4096);
	const uint32_t bias = make_buffer(fd, PBIT_BUFFER_HOST, 4096);
	uint64_t *mask = map_buffer(fd, clamp, 4096), *spins, first[4];
	int32_t *h = map_buffer(fd, bias, 4096);
	struct pbit_event event;
	uint32_t i;

	(void)state;
	make_work(fd, 256, 3, &work);
	spins = map_buffer(fd, work.state, 32);
	for (i = 0; i < 256; i++)
		h[i] = i % 4 == 1 ? 1000000 : i % 4 == 2 ? -1000000 : 0;
	for (i = 0; i < 4; i++) {
		mask[i] = 0x8888888888888888ull; /* each fourth p-bit: 3, 7 ... */
		spins[i] = 0x8080808080808080ull;
	}
	cmds[0] = work.cmd;
	cmds[0].sweep.clamp.handle = clamp;
	cmds[0].sweep.bias.handle = bias;
	assert_int_equal(run(fd, cmds, 1, &event), 0);
	assert_int_equal(event.status, 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(spins[i] & 0x8888888888888888ull, 0x8080808080808080ull);
		assert_int_equal(spins[i] & 0x2222222222222222ull, 0x2222222222222222ull);
		assert_int_equal(spins[i] & 0x4444444444444444ull, 0);
		first[i] = spins[i];
	}
	/* The free ones (bias 0) are neither all up nor all down: 64 of them. */
	for (i = 1; i < 4; i++)
		assert_true((spins[i] & 0x1111111111111111ull) != 0 ||
			    (spins[0] & 0x1111111111111111ull));
	for (i = 0; i < 4; i++)
		spins[i] = 0x8080808080808080ull;
	assert_int_equal(run(fd, cmds, 1, &event), 0);
	assert_memory_equal(first, spins, 32);
	munmap(mask, 4096);
	munmap(h, 4096);
	munmap(spins, 32);
	drop_work(&work);
	destroy(fd, clamp);
	destroy(fd, bias);
}

static void poll_and_read(void **state)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct pbit_event events[4];
	struct pbit_ioc_submit req;
	uint32_t i, got = 0;

	(void)state;
	assert_int_equal(poll(&p, 1, 0), 0);
	for (i = 0; i < 3; i++) {
		req = submit_of(&nop, 1);
		req.user = 1000 + i;
		assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	}
	while (got < 3) {
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(p.revents & ~(POLLIN | POLLRDNORM), 0);
		got += (uint32_t)(read(fd, events + got, sizeof(events[0]) * (4 - got)) /
				  (ssize_t)sizeof(events[0]));
	}
	assert_int_equal(poll(&p, 1, 0), 0);
	/* In the order in which they were submitted. */
	for (i = 0; i < 3; i++) {
		assert_int_equal(events[i].user, 1000 + i);
		assert_int_equal(events[i].status, 0);
		assert_true(events[i].queued_ns <= events[i].started_ns);
		assert_true(events[i].started_ns <= events[i].ended_ns);
	}
}

static void waits_end(void **state)
{
	struct work work;
	const uint32_t much = second(&work);
	struct pbit_event event;
	const uint64_t before = now_ns();
	uint64_t job, took;

	(void)state;
	work.cmd.sweep.sweeps = much;
	assert_int_equal(submit(fd, &work.cmd, 1, &job), 0);
	/* Deadline 0 only looks; a wait that ends leaves the job alone. */
	assert_int_equal(wait_job(fd, job, 20, &event), -ETIMEDOUT);
	took = now_ns() - before;
	assert_true(took >= 20 * MS && took < 5000 * MS);
	assert_int_equal(
		call(fd, PBIT_IOC_WAIT,
		     &(struct pbit_ioc_wait){.size = sizeof(struct pbit_ioc_wait), .job = job}),
		-ETIMEDOUT);
	assert_int_equal(destroy(fd, work.state), -EBUSY);
	assert_int_equal(wait_job(fd, job, 60000, &event), 0);
	assert_int_equal(event.status, 0);
	drop_work(&work);
}

static void cancel(void **state)
{
	struct pbit_ioc_cancel req = {.size = sizeof(req)};
	struct pbit_event event;
	struct work work;
	uint64_t running, queued, begun;
	uint32_t second_long;

	(void)state;
	second_long = second(&work);
	work.cmd.sweep.sweeps = second_long / 2;
	assert_int_equal(submit(fd, &work.cmd, 1, &running), 0);
	work.cmd.sweep.sweeps = second_long * 8;
	assert_int_equal(submit(fd, &work.cmd, 1, &queued), 0);
	/* One behind another that goes on: it ends as soon as its turn comes. */
	req.job = queued;
	assert_int_equal(call(fd, PBIT_IOC_CANCEL, &req), 0);
	assert_int_equal(wait_job(fd, queued, 5000, &event), 0);
	assert_int_equal(event.status, -ECANCELED);
	assert_int_equal(wait_job(fd, running, 0, &event), 0);
	assert_int_equal(event.status, 0);
	/* One that runs. */
	assert_int_equal(submit(fd, &work.cmd, 1, &running), 0);
	sleep_ms(50);
	begun = now_ns();
	req.job = running;
	assert_int_equal(call(fd, PBIT_IOC_CANCEL, &req), 0);
	assert_int_equal(wait_job(fd, running, 10000, &event), 0);
	assert_int_equal(event.status, -ECANCELED);
	assert_true(now_ns() - begun < 2000 * MS);
	/* All at once, and the file is as good as before. */
	assert_int_equal(submit(fd, &work.cmd, 1, &running), 0);
	assert_int_equal(submit(fd, &work.cmd, 1, &queued), 0);
	req.job = 0;
	assert_int_equal(call(fd, PBIT_IOC_CANCEL, &req), 0);
	assert_int_equal(wait_job(fd, queued, 10000, &event), 0);
	assert_int_equal(event.status, -ECANCELED);
	assert_int_equal(wait_job(fd, running, 10000, &event), 0);
	assert_int_equal(event.status, -ECANCELED);
	assert_int_equal(run(fd, &nop, 1, &event), 0);
	assert_int_equal(event.status, 0);
	drop_work(&work);
}

static void deadline(void **state)
{
	struct pbit_ioc_submit req;
	struct pbit_event event;
	struct work work;
	uint32_t second_long;
	uint64_t job;

	(void)state;
	second_long = second(&work);
	work.cmd.sweep.sweeps = second_long * 8;
	req = submit_of(&work.cmd, 1);
	req.deadline_ns = now_ns() + 100 * MS;
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	assert_int_equal(wait_job(fd, req.job, 10000, &event), 0);
	assert_int_equal(event.status, -ETIMEDOUT);
	assert_true(event.ended_ns >= req.deadline_ns);
	assert_true(event.ended_ns < req.deadline_ns + 2000 * MS);
	/* One that has not begun when it is over. */
	work.cmd.sweep.sweeps = second_long / 2;
	assert_int_equal(submit(fd, &work.cmd, 1, &job), 0);
	work.cmd.sweep.sweeps = second_long * 8;
	req.deadline_ns = now_ns() + 50 * MS;
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	assert_int_equal(wait_job(fd, req.job, 5000, &event), 0);
	assert_int_equal(event.status, -ETIMEDOUT);
	assert_int_equal(wait_job(fd, job, 5000, &event), 0);
	assert_int_equal(event.status, 0);
	drop_work(&work);
}

static void limit_of_jobs(void **state)
{
	struct pbit_ioc_info info = {.size = sizeof(info)};
	struct pbit_ioc_submit req = submit_of(&nop, 1);
	struct pbit_event event;
	uint32_t i;

	(void)state;
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	for (i = 0; i < info.max_jobs; i++)
		assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), -EAGAIN);
	assert_int_equal(req.reason, PBIT_REASON_JOBS);
	assert_int_equal(req.reason_arg, info.max_jobs);
	assert_int_equal(read(fd, &event, sizeof(event)), sizeof(event));
	req = submit_of(&nop, 1);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), 0);
	for (i = 0; i < info.max_jobs; i++)
		assert_int_equal(read(fd, &event, sizeof(event)), sizeof(event));
}

static void limit_of_memory(void **state)
{
	struct pbit_ioc_info info = {.size = sizeof(info)};
	struct pbit_ioc_buffer_create req;
	const int other = test_open();
	uint64_t pinned = 0;
	int rc = 0;

	(void)state;
	while (pinned <= 1ull << 32) {
		req = (struct pbit_ioc_buffer_create){
			.size = sizeof(req), .place = PBIT_BUFFER_HOST, .bytes = 1 << 20};
		rc = call(other, PBIT_IOC_BUFFER_CREATE, &req);
		if (rc)
			break;
		pinned += 1 << 20;
	}
	assert_int_equal(rc, -ENOMEM);
	assert_int_equal(req.reason, PBIT_REASON_PINNED);
	assert_int_equal(call(other, PBIT_IOC_INFO, &info), 0);
	assert_int_equal(req.reason_arg, info.pinned_limit);
	assert_int_equal(info.pinned, pinned);
	/* Another file has its own share. */
	destroy(fd, make_buffer(fd, PBIT_BUFFER_HOST, 4096));
	close(other);
}

static void device_memory_is_shared_out_and_comes_back(void **state)
{
	struct pbit_ioc_info before = {.size = sizeof(before)}, now = before;
	const int other = test_open();
	uint32_t handle;
	int tries = 200;

	(void)state;
	assert_int_equal(call(fd, PBIT_IOC_INFO, &before), 0);
	assert_int_equal(create(other, PBIT_BUFFER_DEVICE, before.device_memory_free, &handle), 0);
	assert_int_equal(create(fd, PBIT_BUFFER_DEVICE, 4096, &handle), -ENOSPC);
	close(other);
	do {
		sleep_ms(20);
		assert_int_equal(call(fd, PBIT_IOC_INFO, &now), 0);
	} while (now.device_memory_free < before.device_memory_free && --tries);
	assert_int_equal(now.device_memory_free, before.device_memory_free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(sweeps),
		cmocka_unit_test(poll_and_read),
		cmocka_unit_test(waits_end),
		cmocka_unit_test(cancel),
		cmocka_unit_test(deadline),
		cmocka_unit_test(limit_of_jobs),
		cmocka_unit_test(limit_of_memory),
		cmocka_unit_test(device_memory_is_shared_out_and_comes_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
