/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver as the fpga: backend sees it, in this process: the linker puts these open(), ioctl(),
 * read(), mmap() and close() in place of the C library's (rules-fpga.mk), for paths below a folder of the
 * test's own. Jobs run in a thread by kernel/model, as in the driver's sim devices.
 */
#ifndef TEST_FPGA_FAKE_H
#define TEST_FPGA_FAKE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <pbit/pbit.h>
#include "fpga/node.h"
#include "model/desc.h"

#define FAKE_MEMORY  (8u << 20)
#define FAKE_BUFFERS 64u
#define FAKE_JOBS    8u
#define FAKE_PAGE    4096u

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, void *arg);
ssize_t __real_read(int fd, void *to, size_t size);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __real_close(int fd);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
ssize_t __wrap_read(int fd, void *to, size_t size);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __wrap_close(int fd);

struct fake_buffer {
	uint64_t bytes, card; /* card: offset in the device's memory */
	uint8_t *mem;	      /* of a host buffer, and its file */
	int file;
	bool used, host;
};

struct fake_job {
	uint64_t job, user;
	struct pbit_cmd cmd[64];
	uint32_t n;
	int64_t deadline;
};

static struct fake {
	char folder[64];
	struct fpga_paths paths;
	char class_folder[128], node_folder[128];
	struct pbit_card_rom rom;
	/* What is told of limits. */
	uint64_t max_host, max_work, pinned_limit;
	uint32_t max_commands, major, level;
	/* One open file. */
	int fd, tell;
	bool open, thread_on, quit, gone, cancel;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint8_t *memory; /* of the device */
	void *scratch;
	struct fake_buffer buffer[FAKE_BUFFERS];
	struct fake_job job[FAKE_JOBS];
	uint32_t first, n;
	struct pbit_event event[FAKE_JOBS];
	uint32_t n_events;
	uint64_t next_job;
	/* Trouble. */
	long calls, fail_at; /* system calls of the backend, counted from 1 */
	int fail_errno;
	long commands, gone_at, error_at; /* commands run */
	uint32_t error_status;
	bool stall, short_event;
	/* What was seen. */
	uint64_t pinned, submits, copied;
	uint32_t most_jobs, opens;
} fake = {.fd = -1};

/* Refuses the n-th call. */
static bool fake_refuses(void)
{
	if (++fake.calls != fake.fail_at)
		return false;
	errno = fake.fail_errno;
	return true;
}

static void *fake_at(void *user, uint64_t address, uint64_t size, bool write)
{
	const struct fake_buffer *b;

	(void)user;
	(void)write;
	if (address & PBIT_CARD_LOCAL) {
		address &= ~PBIT_CARD_LOCAL;
		return size <= FAKE_MEMORY && address <= FAKE_MEMORY - size ? fake.memory + address
									    : NULL;
	}
	b = &fake.buffer[address >> 32];
	address &= 0xffffffff;
	return size <= b->bytes && address <= b->bytes - size ? b->mem + address : NULL;
}

static int fake_poll(void *user, uint32_t progress)
{
	int status = 0;

	(void)user;
	(void)progress;
	pthread_mutex_lock(&fake.lock);
	if (fake.cancel || fake.quit || fake.gone)
		status = PBIT_DONE_ABORTED;
	pthread_mutex_unlock(&fake.lock);
	return status;
}

/* 0 and *address, or -1: as the driver's take(). */
static int fake_ref(const struct pbit_ref *ref, bool device_only, uint32_t align, __le64 *address)
{
	const struct fake_buffer *b = ref->handle < FAKE_BUFFERS ? &fake.buffer[ref->handle] : NULL;

	if (!b || !b->used || ref->reserved || ref->offset % align || ref->offset > b->bytes ||
	    (device_only && b->host))
		return -1;
	*address = b->host ? (uint64_t)ref->handle << 32 | ref->offset
			   : PBIT_CARD_LOCAL | (b->card + ref->offset);
	return 0;
}

static int fake_optional(const struct pbit_ref *ref, bool device_only, uint32_t align,
			 __le64 *address)
{
	*address = 0;
	if (!ref->handle)
		return ref->offset || ref->reserved ? -1 : 0;
	return fake_ref(ref, device_only, align, address);
}

static int fake_layer(const struct pbit_cmd_layer *l, struct pbit_card_layer *d)
{
	d->seed = l->seed;
	d->first_image = l->first_image;
	d->first_sample = l->first_sample;
	d->n_inputs = l->n_inputs;
	d->n_outputs = l->n_outputs;
	d->n_images = l->n_images;
	d->n_samples = l->n_samples;
	d->in_stride = l->in_stride;
	d->out_stride = l->out_stride;
	d->layer = l->layer;
	d->first_output = l->first_output;
	d->weight_bits = l->weight_bits;
	d->in_kind = l->in_kind;
	d->out_kind = l->out_kind;
	memcpy(d->reserved, l->reserved, sizeof(d->reserved));
	return fake_ref(&l->weights, true, 64, &d->weights) |
	       fake_optional(&l->factors, true, 4, &d->factors) |
	       fake_ref(&l->input, false, 8, &d->input) |
	       fake_ref(&l->output, false, 8, &d->output) |
	       fake_optional(&l->image_numbers, false, 8, &d->image_numbers);
}

static int fake_sweep(const struct pbit_cmd_sweep *s, struct pbit_card_sweep *d)
{
	d->scale = s->scale;
	d->seed = s->seed;
	d->layer = s->layer;
	d->first_sweep = s->first_sweep;
	d->first_chain = s->first_chain;
	d->first_pbit = s->first_pbit;
	d->n_values = s->n_values;
	d->n = s->n;
	d->replicas = s->replicas;
	d->sweeps = s->sweeps;
	d->interval = s->interval;
	d->domain = s->domain;
	d->synchronous = s->synchronous;
	memcpy(d->reserved, s->reserved, sizeof(d->reserved));
	return fake_ref(&s->rows, true, 4, &d->rows) | fake_ref(&s->columns, true, 4, &d->columns) |
	       fake_ref(&s->values, true, 4, &d->values) | fake_ref(&s->bias, false, 4, &d->bias) |
	       fake_optional(&s->visits, true, 4, &d->visits) |
	       fake_optional(&s->clamp, false, 8, &d->clamp) |
	       fake_ref(&s->state, false, 8, &d->state) |
	       fake_optional(&s->output, false, 8, &d->output);
}

/* A command as a descriptor; what a command does not use must be 0. */
static int fake_desc(const struct pbit_cmd *cmd, struct pbit_card_desc *d)
{
	size_t used = 0;
	int rc = -1;

	*d = (struct pbit_card_desc){.op = (uint16_t)cmd->op};
	if (cmd->op == PBIT_OP_COPY) {
		used = sizeof(cmd->copy);
		d->copy.size = cmd->copy.bytes;
		rc = fake_ref(&cmd->copy.from, false, 1, &d->copy.from) |
		     fake_ref(&cmd->copy.to, false, 1, &d->copy.to);
		if (cmd->copy.bytes / 8 > fake.max_work)
			rc = -1;
	} else if (cmd->op == PBIT_OP_LAYER) {
		used = sizeof(cmd->layer);
		rc = fake_layer(&cmd->layer, &d->layer);
	} else if (cmd->op == PBIT_OP_SWEEP) {
		used = sizeof(cmd->sweep);
		rc = fake_sweep(&cmd->sweep, &d->sweep);
	}
	for (; used < sizeof(cmd->raw); used++)
		rc |= ((const uint8_t *)cmd->raw)[used] ? -1 : 0;
	return cmd->flags ? -1 : rc;
}

static uint32_t fake_command(const struct pbit_cmd *cmd, uint32_t *progress)
{
	const struct pbit_engine_card card = {
		.rom = &fake.rom,
		.at = fake_at,
		.poll = fake_poll,
		.scratch = fake.scratch,
	};
	struct pbit_engine_result result;
	struct pbit_card_desc desc;

	fake_desc(cmd, &desc);
	pbit_engine_run(&card, &desc, &result);
	fake.copied += result.bytes;
	*progress = result.progress;
	return result.status;
}

static int fake_errno(uint32_t status)
{
	switch (status) {
	case PBIT_DONE_OK:
		return 0;
	case PBIT_DONE_WATCHDOG:
		return -ETIME;
	case PBIT_DONE_ABORTED:
		return -ECANCELED;
	case PBIT_DONE_BAD_OP:
	case PBIT_DONE_BAD_SIZE:
	case PBIT_DONE_BAD_ADDRESS:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static void fake_run_job(const struct fake_job *job, struct pbit_event *e)
{
	*e = (struct pbit_event){.job = job->job, .user = job->user, .command = job->n};
	for (uint32_t i = 0; i < job->n && !e->status; i++) {
		const long number = ++fake.commands;

		if (number == fake.error_at)
			e->card_status = fake.error_status;
		else
			e->card_status = fake_command(&job->cmd[i], &e->progress);
		e->command = i;
		e->status = fake_errno(e->card_status);
		if (number == fake.gone_at) {
			pthread_mutex_lock(&fake.lock);
			fake.gone = true;
			pthread_mutex_unlock(&fake.lock);
			e->status = -ENODEV;
		}
	}
}

static void fake_tell(void)
{
	if (write(fake.tell, "", 1) != 1)
		abort();
}

static void *fake_thread(void *arg)
{
	static struct fake_job job;
	struct pbit_event event;

	(void)arg;
	pthread_mutex_lock(&fake.lock);
	while (!fake.quit && !fake.gone) {
		if (!fake.n || (fake.stall && !fake.cancel)) {
			pthread_cond_wait(&fake.changed, &fake.lock);
			continue;
		}
		job = fake.job[fake.first];
		if (fake.cancel) {
			event = (struct pbit_event){.job = job.job, .status = -ECANCELED};
		} else {
			pthread_mutex_unlock(&fake.lock);
			fake_run_job(&job, &event);
			pthread_mutex_lock(&fake.lock);
		}
		fake.first = (fake.first + 1) % FAKE_JOBS;
		if (!--fake.n)
			fake.cancel = false;
		fake.event[fake.n_events++] = event;
		fake_tell();
	}
	/* Every job of a device that goes ends; then it hangs up. */
	while (fake.gone && fake.n--) {
		fake.event[fake.n_events++] = (struct pbit_event){
			.job = fake.job[fake.first].job,
			.status = -ENODEV,
		};
		fake.first = (fake.first + 1) % FAKE_JOBS;
		fake_tell();
	}
	fake.n = 0;
	pthread_mutex_unlock(&fake.lock);
	__real_close(fake.tell);
	return NULL;
}

int __wrap_open(const char *path, int flags, ...)
{
	int ends[2];

	if (!*fake.node_folder || strncmp(path, fake.node_folder, strlen(fake.node_folder)))
		return __real_open(path, flags, 0600);
	fake.opens++;
	if (fake_refuses())
		return -1;
	if (access(path, F_OK))
		return -1;
	if (fake.open) /* one at a time is all that this fake does */
		abort();
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -1;
	fake.fd = ends[0];
	fake.tell = ends[1];
	fake.open = true;
	fake.quit = fake.gone = fake.cancel = false;
	fake.n = fake.n_events = 0;
	if (pthread_create(&fake.thread, NULL, fake_thread, NULL))
		abort();
	return fake.fd;
}

static int fake_create(struct pbit_ioc_buffer_create *req)
{
	static uint64_t next;
	uint32_t h = 1;
	struct fake_buffer *b;

	if (h && fake.n == 0 && !fake.buffer[0].used) { /* the memory is as new when it is empty */
		bool any = false;

		for (uint32_t i = 1; i < FAKE_BUFFERS; i++)
			any |= fake.buffer[i].used && !fake.buffer[i].host;
		next = any ? next : 0;
	}
	while (h < FAKE_BUFFERS && fake.buffer[h].used)
		h++;
	if (h == FAKE_BUFFERS)
		abort();
	b = &fake.buffer[h];
	*b = (struct fake_buffer){.bytes = (req->bytes + FAKE_PAGE - 1) / FAKE_PAGE * FAKE_PAGE};
	if (req->place == PBIT_BUFFER_HOST) {
		if (b->bytes > fake.max_host) {
			req->reason = PBIT_REASON_RANGE;
			return -EINVAL;
		}
		if (fake.pinned + b->bytes > fake.pinned_limit) {
			req->reason = PBIT_REASON_PINNED;
			req->reason_arg = fake.pinned_limit;
			return -ENOMEM;
		}
		b->host = true;
		b->file = memfd_create("fake", MFD_CLOEXEC);
		if (b->file < 0 || ftruncate(b->file, (off_t)b->bytes))
			abort();
		b->mem =
			__real_mmap(NULL, b->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, b->file, 0);
		fake.pinned += b->bytes;
	} else {
		if (next + b->bytes > FAKE_MEMORY) {
			req->reason = PBIT_REASON_DEVICE_MEMORY;
			req->reason_arg = FAKE_MEMORY - next;
			return -ENOSPC;
		}
		b->card = next;
		next += b->bytes;
	}
	b->used = true;
	req->handle = h;
	req->map_offset = (uint64_t)h << 32;
	return 0;
}

static void fake_drop(struct fake_buffer *b)
{
	if (b->used && b->host) {
		munmap(b->mem, b->bytes);
		__real_close(b->file);
		fake.pinned -= b->bytes;
	}
	*b = (struct fake_buffer){0};
}

static int fake_submit(struct pbit_ioc_submit *req)
{
	const struct pbit_cmd *cmds = (const void *)(uintptr_t)req->commands;
	struct pbit_card_desc desc;
	struct fake_job *job;

	if (!req->n_commands || req->n_commands > fake.max_commands ||
	    req->command_size != sizeof(*cmds) || req->flags || req->reserved) {
		req->reason = PBIT_REASON_RANGE;
		return -EINVAL;
	}
	for (uint32_t i = 0; i < req->n_commands; i++)
		if (fake_desc(&cmds[i], &desc)) {
			req->reason = PBIT_REASON_HANDLE;
			req->reason_command = i;
			return -EINVAL;
		}
	fake.submits++;
	if (fake.n + fake.n_events >= FAKE_JOBS) {
		req->reason = PBIT_REASON_JOBS;
		return -EAGAIN;
	}
	job = &fake.job[(fake.first + fake.n++) % FAKE_JOBS];
	if (fake.n > fake.most_jobs)
		fake.most_jobs = fake.n;
	job->job = req->job = ++fake.next_job;
	job->user = req->user;
	job->n = req->n_commands;
	memcpy(job->cmd, cmds, sizeof(*cmds) * req->n_commands);
	pthread_cond_signal(&fake.changed);
	return 0;
}

static int fake_info(struct pbit_ioc_info *info)
{
	if (info->rom_size < sizeof(fake.rom))
		return -EINVAL;
	memcpy((void *)(uintptr_t)info->rom, &fake.rom, sizeof(fake.rom));
	info->rom_size = sizeof(fake.rom);
	info->uapi_major = fake.major;
	info->uapi_level = fake.level;
	info->bus = 2;
	info->device_memory = FAKE_MEMORY;
	info->pinned_limit = fake.pinned_limit;
	info->max_jobs = FAKE_JOBS;
	info->max_commands = fake.max_commands;
	info->max_work = fake.max_work;
	info->max_host_buffer = fake.max_host;
	return 0;
}

static int fake_request(unsigned long request, void *arg)
{
	switch (request) {
	case PBIT_IOC_INFO:
		return fake_info(arg);
	case PBIT_IOC_BUFFER_CREATE:
		return fake_create(arg);
	case PBIT_IOC_BUFFER_DESTROY: {
		struct pbit_ioc_buffer_destroy *req = arg;

		if (!req->handle || req->handle >= FAKE_BUFFERS || !fake.buffer[req->handle].used)
			return -ENOENT;
		fake_drop(&fake.buffer[req->handle]);
		return 0;
	}
	case PBIT_IOC_SUBMIT:
		return fake_submit(arg);
	case PBIT_IOC_CANCEL:
		fake.cancel = fake.n > 0;
		pthread_cond_signal(&fake.changed);
		return 0;
	default:
		return -ENOTTY;
	}
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int rc;

	if (!fake.open || fd != fake.fd)
		return __real_ioctl(fd, request, arg);
	if (fake_refuses())
		return -1;
	pthread_mutex_lock(&fake.lock);
	rc = fake.gone ? -ENODEV : fake_request(request, arg);
	pthread_mutex_unlock(&fake.lock);
	if (!rc)
		return 0;
	errno = -rc;
	return -1;
}

ssize_t __wrap_read(int fd, void *to, size_t size)
{
	const size_t one = sizeof(fake.event[0]);
	ssize_t n = 0;
	char drop;

	if (!fake.open || fd != fake.fd)
		return __real_read(fd, to, size);
	if (fake_refuses())
		return -1;
	pthread_mutex_lock(&fake.lock);
	while (fake.n_events && size - (size_t)n >= one) {
		memcpy((char *)to + n, &fake.event[0], one);
		memmove(&fake.event[0], &fake.event[1], one * --fake.n_events);
		n += (ssize_t)one;
		if (__real_read(fd, &drop, 1) != 1)
			abort();
	}
	if (n && fake.short_event)
		n -= 8;
	errno = fake.gone ? ENODEV : EAGAIN;
	pthread_mutex_unlock(&fake.lock);
	return n ? n : -1;
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	if (!fake.open || fd != fake.fd)
		return __real_mmap(at, size, prot, flags, fd, offset);
	if (fake_refuses())
		return MAP_FAILED;
	return __real_mmap(at, size, prot, flags, fake.buffer[offset >> 32].file, 0);
}

int __wrap_close(int fd)
{
	if (!fake.open || fd != fake.fd)
		return __real_close(fd);
	pthread_mutex_lock(&fake.lock);
	fake.quit = true;
	pthread_cond_signal(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
	pthread_join(fake.thread, NULL);
	for (uint32_t i = 0; i < FAKE_BUFFERS; i++)
		fake_drop(&fake.buffer[i]);
	fake.open = false;
	fake.fd = -1;
	return __real_close(fd);
}

static void fake_write(const char *folder, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void fake_defaults(void)
{
	fake.rom = (struct pbit_card_rom){
		.id = PBIT_CARD_ID,
		.version = PBIT_CARD_MAJOR << 16,
		.size = sizeof(fake.rom),
		.flags = PBIT_CARD_LAYER | PBIT_CARD_BOLTZMANN | PBIT_CARD_DIRECTED |
			 PBIT_CARD_CLAMP | PBIT_CARD_CONTRACT | PBIT_CARD_SEEDABLE |
			 PBIT_CARD_SIMULATED | PBIT_CARD_COPY,
		.n_queues = 1,
		.memory_size = FAKE_MEMORY,
		.max_inputs = 4096,
		.max_outputs = 4096,
		.max_pbits = 8192,
		.max_degree = 4096,
		.max_samples = 1u << 20,
		.weight_bits = 0x8b,
		.code_bits = 0x8080,
		.orders = 7,
		.coupling_bits = 32,
		.random_bits = 24,
		.max_work = 1ull << 32,
		.name = "fake card",
		.serial = "S1",
	};
	fake.max_host = 4u << 20;
	fake.max_work = 1ull << 32;
	fake.pinned_limit = 64u << 20;
	fake.max_commands = 64;
	fake.major = PBIT_UAPI_MAJOR;
	fake.level = PBIT_UAPI_LEVEL;
	fake.calls = fake.fail_at = fake.commands = fake.gone_at = fake.error_at = 0;
	fake.stall = fake.short_event = false;
	fake.submits = fake.copied = fake.most_jobs = 0;
}

/* /sys/class/pbit/pbit0 and /dev/pbit0, in a folder of our own. */
static int fake_setup(void **state)
{
	char path[256];

	(void)state;
	strcpy(fake.folder, "/tmp/pbit-fpga-XXXXXX");
	if (!mkdtemp(fake.folder))
		return -1;
	snprintf(fake.class_folder, sizeof(fake.class_folder), "%s/class", fake.folder);
	snprintf(fake.node_folder, sizeof(fake.node_folder), "%s/dev", fake.folder);
	snprintf(path, sizeof(path), "%s/pbit0", fake.class_folder);
	mkdir(fake.class_folder, 0700);
	mkdir(fake.node_folder, 0700);
	mkdir(path, 0700);
	fake_write(path, "uapi", "1.1\n");
	fake_write(path, "label", "fake card\n");
	fake_write(path, "bus", "sim\n");
	fake_write(path, "serial", "S1\n");
	fake_write(path, "flags", "0x000000ff\n");
	fake.paths = (struct fpga_paths){fake.class_folder, fake.node_folder, fake.folder};
	pbit__fpga_paths = fake.paths;
	{
		const char *const name = "pbit0";
		char node[256];

		snprintf(node, sizeof(node), "%s/%s", fake.node_folder, name);
		__real_close(__real_open(node, O_CREAT | O_RDWR, 0600));
	}
	pthread_mutex_init(&fake.lock, NULL);
	pthread_cond_init(&fake.changed, NULL);
	fake.memory = aligned_alloc(64, FAKE_MEMORY);
	fake.scratch = aligned_alloc(64, (pbit_engine_scratch_bytes(8192) + 63) / 64 * 64);
	pbit_engine_init();
	fake_defaults();
	return fake.memory && fake.scratch ? 0 : -1;
}

static int fake_teardown(void **state)
{
	char command[128];

	(void)state;
	free(fake.memory);
	free(fake.scratch);
	snprintf(command, sizeof(command), "rm -r %s", fake.folder);
	return system(command);
}

static inline void fake_stall(bool stall)
{
	pthread_mutex_lock(&fake.lock);
	fake.stall = stall;
	pthread_cond_signal(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

/* Jobs that have not ended. */
static inline uint32_t fake_waiting(void)
{
	uint32_t n;

	pthread_mutex_lock(&fake.lock);
	n = fake.n;
	pthread_mutex_unlock(&fake.lock);
	return n;
}

static inline struct pbit_device *fake_open_device(void)
{
	struct pbit_device *dev;

	if (pbit_open("fpga:pbit0", NULL, &dev))
		fail_msg("%s: %s", pbit_last_error()->what, pbit_last_error()->why);
	return dev;
}

static inline struct pbit_device *fake_software(void)
{
	struct pbit_device *dev;

	assert_int_equal(pbit_open("software:threads=1", NULL, &dev), 0);
	return dev;
}

static inline uint64_t fake_random(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#endif
