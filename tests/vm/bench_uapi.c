// SPDX-License-Identifier: Apache-2.0
/*
 * Figures of the interface: an empty job through submit and wait, many at once, beside a bare request; bytes that the
 * processor copies for a sample.
 */
#include "guest.h"

static double per_second(uint64_t count, uint64_t ns)
{
	return (double)count * 1e9 / (double)ns;
}

static uint64_t bare(int fd, uint32_t count)
{
	const uint64_t start = now_ns();
	uint32_t i;

	/* The cheapest one: refused at once. */
	for (i = 0; i < count; i++)
		ioctl(fd, _IOWR(PBIT_IOC_MAGIC, 0x7f, int), NULL);
	return now_ns() - start;
}

static uint64_t info(int fd, uint32_t count)
{
	struct pbit_ioc_info req = {.size = sizeof(req)};
	const uint64_t start = now_ns();
	uint32_t i;

	for (i = 0; i < count; i++)
		if (call(fd, PBIT_IOC_INFO, &req))
			exit(1);
	return now_ns() - start;
}

/* One after the other: latency. */
static uint64_t latency(int fd, const struct pbit_cmd *cmd, uint32_t count)
{
	const uint64_t start = now_ns();
	struct pbit_event event;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (run(fd, cmd, 1, &event) || event.status)
			exit(1);
	return now_ns() - start;
}

/* As many in flight as are allowed: throughput. */
static uint64_t throughput(int fd, const struct pbit_cmd *cmd, uint32_t count)
{
	const uint64_t start = now_ns();
	struct pbit_event events[64];
	uint32_t sent = 0, ended = 0;
	uint64_t job;
	ssize_t got;

	while (ended < count) {
		while (sent < count && sent - ended < 128) {
			if (submit(fd, cmd, 1, &job))
				exit(1);
			sent++;
		}
		got = read(fd, events, sizeof(events));
		if (got <= 0)
			exit(1);
		ended += (uint32_t)((size_t)got / sizeof(events[0]));
	}
	return now_ns() - start;
}

int main(void)
{
	const uint32_t n = 3000;
	const struct pbit_cmd nop = {.op = PBIT_OP_NOP};
	const int fd = test_open();
	uint64_t ns;

	ns = bare(fd, n);
	printf("bare ioctl:           %8.2f us\n", (double)ns / n / 1e3);
	ns = info(fd, n);
	printf("PBIT_IOC_INFO:        %8.2f us\n", (double)ns / n / 1e3);
	ns = latency(fd, &nop, n);
	printf("empty job:            %8.2f us from submit to event\n", (double)ns / n / 1e3);
	ns = throughput(fd, &nop, n);
	printf("empty jobs, queued:   %8.0f a second\n", per_second(n, ns));
	printf("bytes copied by the processor a sample: 0 (samples are written to the mapped "
	       "buffer)\n");
	close(fd);
	return 0;
}
