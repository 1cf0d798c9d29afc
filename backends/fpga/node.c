/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link through /dev/pbitN. Host buffers are mapped, so the card writes samples where this process
 * reads them. Waiting is one poll() of the device and of what cancels the call.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "core/clock.h"
#include "node.h"

#define EVENTS 16u

struct node {
	struct card_link link;
	int fd;
	uint32_t priority;
	uint64_t page;
	struct pbit_event ended[EVENTS]; /* read and not asked for yet */
	uint32_t n_ended;
};

static struct node *node_of(struct card_link *link)
{
	return (struct node *)link; /* its first member */
}

static int request(const struct node *node, unsigned long number, void *arg)
{
	int rc;

	do {
		rc = ioctl(node->fd, number, arg);
	} while (rc && errno == EINTR);
	return rc ? -errno : 0;
}

static const char *reason_text(uint32_t reason)
{
	static const char *const text[] = {
		[PBIT_REASON_NONE] = "the driver tells no reason",
		[PBIT_REASON_SIZE] = "a struct is too small for it",
		[PBIT_REASON_RESERVED] = "it does not know a field or flag that is set",
		[PBIT_REASON_RANGE] = "a number is outside the device's limits",
		[PBIT_REASON_HANDLE] = "no buffer has that handle",
		[PBIT_REASON_EXTENT] = "a buffer is too small",
		[PBIT_REASON_ALIGN] = "an offset or stride is not aligned",
		[PBIT_REASON_PLACE] = "a buffer is on the wrong side",
		[PBIT_REASON_OP] = "the device does not have the operation",
		[PBIT_REASON_WORK] = "a command would take the device for too long",
		[PBIT_REASON_PINNED] = "the limit of locked memory is reached",
		[PBIT_REASON_DEVICE_MEMORY] = "the device's memory is full",
		[PBIT_REASON_JOBS] = "too many jobs are unfinished",
		[PBIT_REASON_BUSY] = "a buffer is in use",
		[PBIT_REASON_DETACHED] = "the device was removed",
		[PBIT_REASON_RESET] = "the device was reset",
		[PBIT_REASON_DEADLINE] = "the deadline passed",
		[PBIT_REASON_JOB] = "there is no such job",
		[PBIT_REASON_PRIVILEGE] = "it needs a privilege",
	};

	return reason < sizeof(text) / sizeof(text[0]) ? text[reason] : "unknown reason";
}

/* What the driver refused, as a record. */
static int refused(struct card_link *link, const char *what, int rc, uint32_t reason, uint64_t arg)
{
	const unsigned long long a = arg;

	if (rc == -ENODEV)
		return card_link_gone(link, what,
				      reason == PBIT_REASON_RESET ? "the device was reset"
								  : "the device was removed");
	switch (reason) {
	case PBIT_REASON_PINNED:
		rc = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, link->where,
			       "raise it: ulimit -l, or memlock in /etc/security/limits.conf",
			       "the limit of locked memory, %llu KiB, is reached", a / 1024);
		break;
	case PBIT_REASON_DEVICE_MEMORY:
		rc = pbit_fail(-E2BIG, PBIT_ERR_LIMIT, what, link->where,
			       "use a smaller model, or end other programs that use the device",
			       "the device's memory is full, %llu bytes are free", a);
		break;
	case PBIT_REASON_DEADLINE:
		rc = pbit_fail(-ETIMEDOUT, PBIT_ERR_TIMEOUT, what, link->where, NULL,
			       "the deadline passed");
		break;
	case PBIT_REASON_PRIVILEGE:
		rc = pbit_fail(-EPERM, PBIT_ERR_PERMISSION, what, link->where,
			       "ask for priority=normal", "the priority needs CAP_SYS_NICE");
		break;
	default:
		rc = pbit_fail(rc, rc == -ENOMEM ? PBIT_ERR_RESOURCE : PBIT_ERR_DEVICE, what,
			       link->where, NULL, "the driver refused: %s: %s (0x%llx)",
			       strerror(-rc), reason_text(reason), a);
	}
	pbit_fail_native((int)reason);
	return rc;
}

static void node_buffer_free(struct card_link *link, struct card_buffer *buffer)
{
	struct pbit_ioc_buffer_destroy req = {.size = sizeof(req), .handle = buffer->handle};

	if (buffer->mem)
		munmap(buffer->mem, buffer->bytes);
	/* Of a device that is gone they went too; a busy one goes with the file. */
	if (!link->dead && request(node_of(link), PBIT_IOC_BUFFER_DESTROY, &req))
		pbit_log(PBIT_LOG_WARN, "%s: buffer %u not given back: %s", link->where,
			 buffer->handle, reason_text(req.reason));
	*buffer = (struct card_buffer){0};
}

static int map(struct node *node, const char *what, uint64_t offset, struct card_buffer *buffer)
{
	void *mem = mmap(NULL, buffer->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, node->fd,
			 (off_t)offset);
	const int rc = -errno;

	if (mem != MAP_FAILED) {
		buffer->mem = mem;
		return 0;
	}
	node_buffer_free(&node->link, buffer);
	if (rc == -ENODEV)
		return card_link_gone(&node->link, what, NULL);
	return pbit_fail(rc, PBIT_ERR_RESOURCE, what, node->link.where, NULL,
			 "cannot map a buffer: %s", strerror(-rc));
}

static int node_buffer_new(struct card_link *link, const char *what, uint32_t place, uint64_t bytes,
			   struct card_buffer *buffer)
{
	struct node *node = node_of(link);
	struct pbit_ioc_buffer_create req = {.size = sizeof(req), .place = place};
	int rc;

	req.bytes = card_round_up(bytes ? bytes : 1, node->page);
	rc = request(node, PBIT_IOC_BUFFER_CREATE, &req);
	if (rc)
		return refused(link, what, rc, req.reason, req.reason_arg);
	*buffer = (struct card_buffer){
		.handle = req.handle,
		.place = place,
		.bytes = req.bytes,
	};
	return place == PBIT_BUFFER_HOST ? map(node, what, req.map_offset, buffer) : 0;
}

static int node_submit(struct card_link *link, const char *what, const struct pbit_cmd *cmds,
		       uint32_t n, int64_t deadline, uint64_t *job)
{
	struct node *node = node_of(link);
	struct pbit_ioc_submit req = {
		.size = sizeof(req),
		.commands = (uint64_t)(uintptr_t)cmds,
		.n_commands = n,
		.command_size = sizeof(*cmds),
		.priority = node->priority,
	};
	int rc;

	/* 0 would mean none, and what lies before it has passed. */
	if (deadline != PBIT_FOREVER)
		req.deadline_ns = deadline > 0 ? (uint64_t)deadline : 1;
	rc = request(node, PBIT_IOC_SUBMIT, &req);
	if (rc)
		return refused(link, what, rc, req.reason, req.reason_arg);
	*job = req.job;
	return 0;
}

static bool find_event(struct node *node, uint64_t job, struct pbit_event *event)
{
	for (uint32_t i = 0; i < node->n_ended; i++)
		if (node->ended[i].job == job) {
			*event = node->ended[i];
			node->ended[i] = node->ended[--node->n_ended];
			return true;
		}
	return false;
}

/* 0, also where there was nothing to read. */
static int read_events(struct node *node, const char *what)
{
	const size_t one = sizeof(node->ended[0]);
	ssize_t n;

	/* Never more than CARD_DEPTH are unfinished: this is a driver that invents jobs. */
	if (node->n_ended == EVENTS)
		node->n_ended = 0;
	n = read(node->fd, &node->ended[node->n_ended], (EVENTS - node->n_ended) * one);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno == ENODEV)
		return card_link_gone(&node->link, what, NULL);
	if (n < 0)
		return pbit_fail(-errno, PBIT_ERR_DEVICE, what, node->link.where, NULL,
				 "cannot read events: %s", strerror(errno));
	if (!n || (size_t)n % one) {
		node->link.dead = true;
		return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, node->link.where,
				 "bring driver and libpbit to matching versions",
				 "the driver gave %zd bytes of events, whole ones have %zu", n,
				 one);
	}
	node->n_ended += (uint32_t)((size_t)n / one);
	return 0;
}

/* Milliseconds for poll(), rounded up. */
static int until(int64_t when)
{
	int64_t left;

	if (when == PBIT_FOREVER)
		return -1;
	left = when - pbit__now_ns();
	if (left <= 0)
		return 0;
	return left / 1000000 < INT_MAX - 1 ? (int)(left / 1000000) + 1 : INT_MAX;
}

static int sleep_for_event(struct node *node, const char *what, struct pbit_ctl *ctl, int64_t when)
{
	struct pollfd fds[2] = {
		{.fd = node->fd, .events = POLLIN},
		{.fd = ctl ? pbit_ctl_fd(ctl) : -1, .events = POLLIN},
	};
	int n = poll(fds, 2, until(when));

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return pbit_fail(-errno, PBIT_ERR_DEVICE, what, node->link.where, NULL,
				 "cannot wait for the device: %s", strerror(errno));
	if (n <= 0)
		return 0;
	if (fds[0].revents & POLLIN)
		return read_events(node, what);
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return card_link_gone(&node->link, what, NULL);
	return 0;
}

static int node_wait(struct card_link *link, const char *what, uint64_t job, struct pbit_ctl *ctl,
		     int64_t give_up, struct pbit_event *event)
{
	struct node *node = node_of(link);
	int64_t when = ctl ? pbit_ctl_deadline(ctl) : PBIT_FOREVER;
	int rc;

	if (give_up < when)
		when = give_up;
	while (!find_event(node, job, event)) {
		rc = pbit_ctl_check(ctl);
		if (rc)
			return rc;
		if (link->dead)
			return card_link_gone(link, what, NULL);
		if (give_up != PBIT_FOREVER && pbit__now_ns() >= give_up) {
			link->dead = true;
			return pbit_fail(-ETIME, PBIT_ERR_DEVICE, what, link->where, NULL,
					 "the device does not end its jobs");
		}
		rc = sleep_for_event(node, what, ctl, when);
		if (rc)
			return rc;
	}
	return 0;
}

static void node_cancel(struct card_link *link)
{
	struct pbit_ioc_cancel req = {.size = sizeof(req)};

	if (request(node_of(link), PBIT_IOC_CANCEL, &req))
		pbit_log(PBIT_LOG_DEBUG, "%s: nothing cancelled: %s", link->where,
			 reason_text(req.reason));
}

static void node_close(struct card_link *link)
{
	struct node *node = node_of(link);

	close(node->fd);
	free(node);
}

static const struct card_link_ops node_ops = {
	.buffer_new = node_buffer_new,
	.buffer_free = node_buffer_free,
	.submit = node_submit,
	.wait = node_wait,
	.cancel = node_cancel,
	.close = node_close,
};

static int cannot_open(const char *name, const char *where, int code)
{
	static const char what[] = "cannot open device";
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", pbit__fpga_paths.node_folder, name);
	if (code == -EACCES || code == -EPERM)
		return pbit_fail(-EACCES, PBIT_ERR_PERMISSION, what, where, FPGA_PERMISSION_HINT,
				 "no permission to open %s", path);
	if (code == -ENOENT && access(pbit__fpga_paths.module_folder, F_OK))
		return pbit_fail(-ENODEV, PBIT_ERR_NO_DRIVER, what, where,
				 "load it: modprobe pbit; pbit doctor tells more",
				 "the kernel module pbit is not loaded");
	if (code == -ENOENT || code == -ENXIO || code == -ENODEV)
		return pbit_fail(-ENODEV, PBIT_ERR_NO_DEVICE, what, where,
				 "see pbit list; check that the card is there and powered",
				 "there is no %s", path);
	return pbit_fail(code, PBIT_ERR_DEVICE, what, where, NULL, "%s: %s", path, strerror(-code));
}

static int check_info(const struct pbit_ioc_info *info, const char *where)
{
	static const char what[] = "cannot open device";

	if (info->uapi_major != PBIT_UAPI_MAJOR || info->uapi_level < FPGA_OLDEST_LEVEL)
		return pbit_fail(-EPROTO, PBIT_ERR_VERSION, what, where,
				 "bring driver and libpbit to matching versions",
				 "the driver speaks interface %u.%u, this library accepts %u.%u to "
				 "%u.x",
				 info->uapi_major, info->uapi_level, PBIT_UAPI_MAJOR,
				 FPGA_OLDEST_LEVEL, PBIT_UAPI_MAJOR);
	if (info->rom_size < sizeof(struct pbit_card_rom) || !info->max_commands ||
	    !info->max_host_buffer || !info->max_work)
		return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, where, NULL,
				 "the driver's limits make no sense: ROM of %u bytes, %u commands, "
				 "host buffers of %llu bytes, work of %llu",
				 info->rom_size, info->max_commands,
				 (unsigned long long)info->max_host_buffer,
				 (unsigned long long)info->max_work);
	return 0;
}

/* More commands than this in one job serve nobody. */
#define MOST_COMMANDS 1024u

static int ask(struct node *node, const char *where)
{
	static const char *const buses[] = {"PCI", "platform", "sim"};
	struct card_link *link = &node->link;
	struct pbit_ioc_info info = {
		.size = sizeof(info),
		.rom_size = sizeof(link->rom),
		.rom = (uint64_t)(uintptr_t)&link->rom,
	};
	int rc = request(node, PBIT_IOC_INFO, &info);

	if (rc)
		return pbit_fail(rc == -ENOTTY ? -ENODEV : rc, PBIT_ERR_NO_DEVICE,
				 "cannot open device", where, NULL,
				 rc == -ENOTTY ? "it is not a device of the pbit driver: %s"
					       : "it does not answer: %s",
				 strerror(-rc));
	rc = check_info(&info, where);
	if (!rc)
		rc = card_rom_check(&link->rom, false, where);
	if (rc)
		return rc;
	if (!(le32toh(link->rom.flags) & PBIT_CARD_COPY))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, "cannot open device", where,
				 "unbind the driver and use pci:",
				 "the card cannot copy to and from host memory");
	link->device_memory = info.device_memory;
	link->max_host_buffer = info.max_host_buffer / node->page * node->page;
	link->max_work = info.max_work;
	link->max_commands = info.max_commands < MOST_COMMANDS ? info.max_commands : MOST_COMMANDS;
	link->max_jobs = info.max_jobs;
	snprintf(link->version, sizeof(link->version), "driver interface %u.%u, card %u.%u, %s",
		 info.uapi_major, info.uapi_level, le32toh(link->rom.version) >> 16,
		 le32toh(link->rom.version) & 0xffff, info.bus < 3 ? buses[info.bus] : "?");
	return 0;
}

int fpga_node_open(const char *name, const char *where, uint32_t priority, struct card_link **link)
{
	struct node *node;
	char path[512];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", pbit__fpga_paths.node_folder, name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cannot_open(name, where, -errno);
	node = calloc(1, sizeof(*node));
	if (!node) {
		close(fd);
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", where, NULL,
				 "out of memory");
	}
	node->fd = fd;
	node->priority = priority;
	node->page = (uint64_t)sysconf(_SC_PAGESIZE);
	node->link.ops = &node_ops;
	snprintf(node->link.where, sizeof(node->link.where), "fpga:%s", name);
	rc = ask(node, where);
	if (rc) {
		node_close(&node->link);
		return rc;
	}
	*link = &node->link;
	return 0;
}
