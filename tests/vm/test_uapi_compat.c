// SPDX-License-Identifier: Apache-2.0
/*
 * The requests as a program of 32 bits makes them: by its system call (int 0x80), which takes the driver's
 * compat path. That the structs lie the same for 32 bits is checked at build time (uapi.sh).
 */
#include "guest.h"

#ifdef __x86_64__

#define NR_IOCTL_32 54

static long ioctl_32(int fd, unsigned long request, void *at)
{
	long rc;

	__asm__ volatile("int $0x80"
			 : "=a"(rc)
			 : "a"((long)NR_IOCTL_32), "b"((long)fd), "c"((long)(uint32_t)request),
			   "d"((long)(uintptr_t)at)
			 : "memory", "r8", "r9", "r10", "r11");
	return rc;
}

static void *low;

static void on_fault(int signal)
{
	(void)signal;
	_exit(77); /* a kernel without 32-bit calls */
}

static void info(void **state)
{
	struct pbit_ioc_info *req = low;
	struct pbit_card_rom *rom = (void *)((uint8_t *)low + 2048);
	const int fd = test_open();

	(void)state;
	*req = (struct pbit_ioc_info){
		.size = sizeof(*req), .rom = (uintptr_t)rom, .rom_size = sizeof(*rom)};
	assert_int_equal(ioctl_32(fd, PBIT_IOC_INFO, req), 0);
	assert_int_equal(req->uapi_major, PBIT_UAPI_MAJOR);
	assert_int_equal(rom->id, PBIT_CARD_ID);
	req->flags = 1;
	assert_int_equal(ioctl_32(fd, PBIT_IOC_INFO, req), -EINVAL);
	assert_int_equal(ioctl_32(fd, _IOWR(PBIT_IOC_MAGIC, 0x77, int), req), -ENOTTY);
	assert_int_equal(ioctl_32(fd, PBIT_IOC_INFO, NULL), -EFAULT);
	close(fd);
}

static void job(void **state)
{
	struct pbit_ioc_submit *submit = low;
	struct pbit_ioc_wait *wait = (void *)((uint8_t *)low + 512);
	struct pbit_cmd *cmd = (void *)((uint8_t *)low + 1024);
	const int fd = test_open();

	(void)state;
	*cmd = copy_of(make_buffer(fd, PBIT_BUFFER_HOST, 4096),
		       make_buffer(fd, PBIT_BUFFER_DEVICE, 4096), 4096);
	*submit = submit_of(cmd, 1);
	assert_int_equal(ioctl_32(fd, PBIT_IOC_SUBMIT, submit), 0);
	*wait = (struct pbit_ioc_wait){
		.size = sizeof(*wait), .job = submit->job, .deadline_ns = FOREVER};
	assert_int_equal(ioctl_32(fd, PBIT_IOC_WAIT, wait), 0);
	assert_int_equal(wait->event.job, submit->job);
	assert_int_equal(wait->event.status, 0);
	cmd->copy.bytes = 4097;
	assert_int_equal(ioctl_32(fd, PBIT_IOC_SUBMIT, submit), -EINVAL);
	assert_int_equal(submit->reason, PBIT_REASON_EXTENT);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info),
		cmocka_unit_test(job),
	};

	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
		   0);
	if (low == MAP_FAILED)
		return 1;
	signal(SIGSEGV, on_fault);
	if (ioctl_32(-1, PBIT_IOC_INFO, low) != -EBADF)
		return 77;
	signal(SIGSEGV, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void)
{
	return 77;
}
#endif
