/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests that run in a guest share: devices, sims, requests with errno as their result. */
#ifndef PBIT_VM_GUEST_H
#define PBIT_VM_GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "uapi/pbit.h"
#include "uapi/pbit_card.h"

#define MS	1000000ull
#define FOREVER UINT64_MAX

/* The node of PBIT_TEST_NODE, else of a sim "t" that is made where there is none. NULL: neither. */
const char *test_node(void);
/* Is it a sim that has knobs, and may be pulled out? */
bool test_is_sim(void);
int test_open(void);

/* "attribute=value ..." before it goes live. 0 or negative errno; node has room for 32. */
int sim_make(const char *name, const char *settings, char *node);
int sim_set(const char *name, const char *attribute, const char *value);
void sim_drop(const char *name);

/* 0 or negative errno. */
int call(int fd, unsigned long request, void *arg);
uint64_t now_ns(void);
void sleep_ms(unsigned int ms);

int create(int fd, uint32_t place, uint64_t bytes, uint32_t *handle);
uint32_t make_buffer(int fd, uint32_t place, uint64_t bytes);
void *map_buffer(int fd, uint32_t handle, size_t bytes);
int destroy(int fd, uint32_t handle);

struct pbit_ioc_submit submit_of(const struct pbit_cmd *cmd, uint32_t n);
int submit(int fd, const struct pbit_cmd *cmd, uint32_t n, uint64_t *job);
/* Waits at most for ms. */
int wait_job(int fd, uint64_t job, unsigned int ms, struct pbit_event *event);
int run(int fd, const struct pbit_cmd *cmd, uint32_t n, struct pbit_event *event);
struct pbit_cmd copy_of(uint32_t from, uint32_t to, uint64_t bytes);

/* A machine of n p-bits without couplings, one replica, so many sweeps: work that takes a known time. */
struct work {
	uint32_t rows, columns, values, bias, state;
	struct pbit_cmd cmd;
};
void make_work(int fd, uint32_t n, uint32_t sweeps, struct work *work);

/* First line of a file; "" where it cannot be read. */
void read_line(const char *path, char *line, size_t size);
int write_line(const char *path, const char *text);

#endif
