// SPDX-License-Identifier: Apache-2.0
/*
 * Requests made of noise and of things that are nearly right, from several threads, for a bounded time
 * (PBIT_FUZZ_SECONDS, 5). Judged by the kernel's log, by the device still working, and by what is given back.
 */
#include <pthread.h>

#include "guest.h"

#define THREADS 3
#define FILES	3

struct fuzzer {
	uint64_t seed, until, calls, accepted;
	int fd[FILES]; /* shared by all threads */
	pthread_t thread;
};

static uint64_t draw(struct fuzzer *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return f->seed;
}

static uint64_t edge(struct fuzzer *f)
{
	static const uint64_t edges[] = {
		0,    1,    2,	   7,	      8,	  64,	      127,	 128,
		4095, 4096, 65536, INT32_MAX, UINT32_MAX, 1ull << 32, INT64_MAX, UINT64_MAX};

	return draw(f) % 3 ? edges[draw(f) % 16] : draw(f) >> (draw(f) % 64);
}

static uint32_t handle(struct fuzzer *f)
{
	return draw(f) % 16 ? (uint32_t)(draw(f) % 12) : (uint32_t)edge(f);
}

static void small(struct fuzzer *f, uint32_t *n)
{
	*n = draw(f) % 8 ? (uint32_t)(draw(f) % 200) : (uint32_t)edge(f);
}

/* References at the head of every command, numbers that are mostly small; some bytes of noise. */
static struct pbit_cmd command(struct fuzzer *f)
{
	struct pbit_cmd cmd = {.op = (uint32_t)(draw(f) % 5)};
	uint32_t refs = 0, i;

	switch (cmd.op) {
	case PBIT_OP_COPY:
		refs = 2;
		cmd.copy.bytes = draw(f) % 8 ? draw(f) % 20000 + 1 : edge(f);
		break;
	case PBIT_OP_LAYER:
		refs = 5;
		cmd.layer = (struct pbit_cmd_layer){
			.weight_bits = (uint8_t)(1u << (draw(f) % 4)),
			.in_kind = (uint8_t)(draw(f) % 3),
			.out_kind = (uint8_t)(draw(f) % 3 | (draw(f) & 0x80)),
			.in_stride = (uint32_t)(draw(f) % 100) * 4,
			.n_images = (uint32_t)(draw(f) % 4) + 1,
			.n_samples = (uint32_t)(draw(f) % 4) + 1,
			.seed = draw(f),
		};
		small(f, &cmd.layer.n_inputs);
		small(f, &cmd.layer.n_outputs);
		if (cmd.layer.out_kind == PBIT_OUT_BITS)
			cmd.layer.out_stride = (cmd.layer.n_outputs + 31) / 32 * 4;
		break;
	case PBIT_OP_SWEEP:
		refs = 8;
		cmd.sweep = (struct pbit_cmd_sweep){
			.scale = draw(f),
			.replicas = (uint32_t)(draw(f) % 5) + 1,
			.sweeps = (uint32_t)(draw(f) % 50) + 1,
			.synchronous = draw(f) & 1,
			.interval = (uint32_t)(draw(f) % 3),
		};
		small(f, &cmd.sweep.n);
		small(f, &cmd.sweep.n_values);
		break;
	default:
		break;
	}
	for (i = 0; i < refs; i++) {
		struct pbit_ref *ref = (struct pbit_ref *)(void *)cmd.raw + i;

		ref->handle = handle(f);
		if (ref->handle)
			ref->offset = draw(f) % 4 ? (draw(f) % 64) * 64 : edge(f);
	}
	while (draw(f) % 6 == 0)
		((uint8_t *)&cmd)[draw(f) % sizeof(cmd)] = (uint8_t)draw(f);
	return cmd;
}

union any {
	uint32_t size;
	struct pbit_ioc_info info;
	struct pbit_ioc_buffer_create create;
	struct pbit_ioc_buffer_destroy destroy;
	struct pbit_ioc_submit submit;
	struct pbit_ioc_wait wait;
	struct pbit_ioc_cancel cancel;
	struct pbit_ioc_reset reset;
	uint8_t bytes[256];
};

static unsigned long request(struct fuzzer *f, union any *r, struct pbit_cmd *cmds)
{
	uint32_t i;

	memset(r, 0, sizeof(*r));
	switch (draw(f) % 64) {
	case 0 ... 3:
		r->info = (struct pbit_ioc_info){.size = sizeof(r->info),
						 .rom_size = (uint32_t)edge(f)};
		if (draw(f) & 1)
			r->info.rom = edge(f);
		return PBIT_IOC_INFO;
	case 4 ... 11:
		r->create = (struct pbit_ioc_buffer_create){
			.size = sizeof(r->create),
			.place = (uint32_t)(draw(f) % 2),
			.bytes = draw(f) % 8 ? draw(f) % 65536 : edge(f),
		};
		return PBIT_IOC_BUFFER_CREATE;
	case 12 ... 16:
		r->destroy = (struct pbit_ioc_buffer_destroy){.size = sizeof(r->destroy),
							      .handle = handle(f)};
		return PBIT_IOC_BUFFER_DESTROY;
	case 17 ... 52:
		for (i = 0; i < 4; i++)
			cmds[i] = command(f);
		r->submit = submit_of(cmds, (uint32_t)(draw(f) % 4) + 1);
		r->submit.priority = (uint32_t)(draw(f) % 3);
		if (draw(f) % 4 == 0)
			r->submit.deadline_ns = now_ns() + draw(f) % (5 * MS);
		return PBIT_IOC_SUBMIT;
	case 53 ... 58:
		r->wait = (struct pbit_ioc_wait){
			.size = sizeof(r->wait),
			.job = draw(f) % 1000,
			.deadline_ns = now_ns() + draw(f) % (3 * MS),
		};
		return PBIT_IOC_WAIT;
	case 59 ... 62:
		r->cancel = (struct pbit_ioc_cancel){.size = sizeof(r->cancel),
						     .job = draw(f) % 8 ? draw(f) % 1000 : 0};
		return PBIT_IOC_CANCEL;
	default:
		/* A reset now and then: it ends every other file. */
		r->reset = (struct pbit_ioc_reset){.size = sizeof(r->reset),
						   .flags = draw(f) % 64 != 0};
		return PBIT_IOC_RESET;
	}
}

static void reopen(struct fuzzer *f, uint32_t i)
{
	const int fd = test_open();

	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	dup3(fd, f->fd[i], O_CLOEXEC);
	close(fd);
}

static void *fuzz(void *data)
{
	struct fuzzer *f = data;
	struct pbit_event events[16];
	struct pbit_cmd cmds[4];
	union any r;

	while (now_ns() < f->until) {
		const uint32_t i = (uint32_t)(draw(f) % FILES);
		unsigned long number = request(f, &r, cmds);
		int rc;

		if (draw(f) % 10 == 0)
			r.bytes[draw(f) % sizeof(r)] = (uint8_t)draw(f);
		if (draw(f) % 50 == 0)
			number = _IOC(draw(f) % 4, PBIT_IOC_MAGIC, draw(f) % 10, draw(f) % 4096);
		/* A forever that is made by chance would be one. */
		if (_IOC_NR(number) == 4)
			r.wait.deadline_ns = now_ns() + MS;
		rc = call(f->fd[i], number,
			  draw(f) % 100 ? (void *)&r : (void *)(uintptr_t)edge(f));
		f->calls++;
		f->accepted += rc == 0;
		if (draw(f) % 3 == 0 && read(f->fd[i], events, draw(f) % sizeof(events)) < 0 &&
		    errno == ENODEV)
			reopen(f, i);
		if (draw(f) % 40 == 0) {
			void *at = mmap(NULL, 4096 * (draw(f) % 4 + 1), PROT_READ | PROT_WRITE,
					MAP_SHARED, f->fd[i], (off_t)((uint64_t)handle(f) << 32));
			if (at != MAP_FAILED) {
				*(uint64_t *)at = draw(f);
				munmap(at, 4096);
			}
		}
		if (draw(f) % 500 == 0)
			reopen(f, i);
	}
	return NULL;
}

static void noise(void **state)
{
	const char *seconds = getenv("PBIT_FUZZ_SECONDS");
	const uint64_t until = now_ns() + (seconds ? strtoull(seconds, NULL, 10) : 5) * 1000 * MS;
	const struct pbit_cmd nop = {.op = PBIT_OP_NOP};
	struct pbit_ioc_info now = {.size = sizeof(now)};
	struct fuzzer fuzzers[THREADS];
	uint64_t calls = 0, accepted = 0;
	struct pbit_event event;
	int i, k, fd, tries = 250;

	(void)state;
	for (k = 0; k < FILES; k++) {
		fuzzers[0].fd[k] = test_open();
		fcntl(fuzzers[0].fd[k], F_SETFL, O_RDWR | O_NONBLOCK);
	}
	for (i = 0; i < THREADS; i++) {
		memcpy(fuzzers[i].fd, fuzzers[0].fd, sizeof(fuzzers[0].fd));
		fuzzers[i].seed = 0x9e3779b97f4a7c15ull * (uint64_t)(i + 1);
		fuzzers[i].until = until;
		fuzzers[i].calls = fuzzers[i].accepted = 0;
		assert_int_equal(pthread_create(&fuzzers[i].thread, NULL, fuzz, &fuzzers[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(fuzzers[i].thread, NULL);
		calls += fuzzers[i].calls;
		accepted += fuzzers[i].accepted;
	}
	print_message("%lu requests, %lu accepted\n", calls, accepted);
	/* Noise that never gets in tests nothing. */
	assert_true(accepted * 20 > calls);
	for (k = 0; k < FILES; k++)
		close(fuzzers[0].fd[k]);
	fd = test_open();
	assert_int_equal(run(fd, &nop, 1, &event), 0);
	assert_int_equal(event.status, 0);
	do {
		sleep_ms(20);
		assert_int_equal(call(fd, PBIT_IOC_INFO, &now), 0);
	} while (now.device_memory_free != now.device_memory && --tries);
	assert_int_equal(now.device_memory_free, now.device_memory);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
