/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine can do at most: products of bits (AND and population count), products
 * of bytes, and bytes read from each level of memory, per second, in plain
 * loops over registers. Prints JSON. A benchmark's results are shares of these.
 * usage: limit [--threads N] [--seconds S]
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "limit_loops.h"

#define THREADS_MAX 1024u
#define STEPS	    4096u

struct task {
	pthread_t thread;
	pthread_barrier_t *start;
	const struct limit_loop *loop; /* NULL: read memory */
	const uint64_t *memory;
	size_t bytes;
	double seconds;
	double rate; /* operations or bytes per second */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *measure(void *user)
{
	struct task *task = user;
	double start, end, done = 0;

	if (task->loop && task->loop->prepare)
		task->loop->prepare();
	pthread_barrier_wait(task->start);
	start = now();
	do {
		if (task->loop) {
			task->loop->run(STEPS);
			done += (double)STEPS * task->loop->per_step;
		} else {
			limit_read(task->memory, task->bytes);
			done += (double)task->bytes;
		}
		end = now();
	} while (end - start < task->seconds);
	task->rate = done / (end - start);
	return NULL;
}

/* All threads at once; the sum of their rates, negative where a thread could not be started. */
static double together(const struct limit_loop *loop, uint64_t *const *memory, size_t bytes,
		       unsigned int n, double seconds)
{
	struct task *tasks = calloc(n, sizeof(*tasks));
	pthread_barrier_t start;
	double rate = 0;

	if (!tasks)
		return -1;
	pthread_barrier_init(&start, NULL, n);
	for (unsigned int i = 0; i < n; i++) {
		tasks[i] = (struct task){.start = &start,
					 .loop = loop,
					 .memory = memory ? memory[i] : NULL,
					 .bytes = bytes,
					 .seconds = seconds};
		if (i && pthread_create(&tasks[i].thread, NULL, measure, &tasks[i])) {
			fprintf(stderr, "limit: cannot start %u threads\n", n);
			exit(1); /* those that wait at the barrier cannot be woken */
		}
	}
	measure(&tasks[0]);
	rate = tasks[0].rate;
	for (unsigned int i = 1; i < n; i++) {
		pthread_join(tasks[i].thread, NULL);
		rate += tasks[i].rate;
	}
	pthread_barrier_destroy(&start);
	free(tasks);
	return rate;
}

/* The best of three, so that a neighbour's burst does not lower the limit. */
static double best(const struct limit_loop *loop, uint64_t *const *memory, size_t bytes,
		   unsigned int n, double seconds)
{
	double most = 0;

	for (int i = 0; i < 3; i++) {
		double rate = together(loop, memory, bytes, n, seconds / 3);

		if (rate > most)
			most = rate;
	}
	return most;
}

static void print_loops(enum limit_kind kind, const char *name, unsigned int n, double seconds)
{
	const char *separator = "";

	printf("  \"%s\": {", name);
	for (size_t i = 0; i < limit_n_loops; i++) {
		const struct limit_loop *loop = &limit_loops[i];

		if (loop->kind != kind || (loop->usable && !loop->usable()))
			continue;
		printf("%s\"%s\": %.4g", separator, loop->name, best(loop, NULL, 0, n, seconds));
		separator = ", ";
	}
	printf("},\n");
}

static int print_memory(unsigned int n, double seconds)
{
	static const size_t sizes[] = {32u << 10, 256u << 10, 1u << 20,
				       4u << 20,  32u << 20,  128u << 20};
	const size_t n_sizes = sizeof(sizes) / sizeof(sizes[0]), most = sizes[n_sizes - 1];
	uint64_t **memory = calloc(n, sizeof(*memory));
	int status = 1;

	if (!memory)
		return 1;
	for (unsigned int i = 0; i < n; i++) {
		memory[i] = aligned_alloc(4096, most);
		if (!memory[i]) {
			fprintf(stderr, "limit: no memory for %u buffers of %zu bytes\n", n, most);
			goto free_memory;
		}
		memset(memory[i], (int)i + 1, most);
	}
	printf("  \"read_bytes_per_second\": [\n");
	for (size_t i = 0; i < n_sizes; i++)
		printf("    {\"bytes_per_thread\": %zu, \"rate\": %.4g}%s\n", sizes[i],
		       best(NULL, memory, sizes[i], n, seconds), i + 1 < n_sizes ? "," : "");
	printf("  ]\n");
	status = 0;
free_memory:
	for (unsigned int i = 0; i < n; i++)
		free(memory[i]);
	free(memory);
	return status;
}

static bool parse(int argc, char **argv, unsigned int *n, double *seconds)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		char *end;

		if (!strcmp(argv[i], "--threads"))
			*n = (unsigned int)strtoul(argv[i + 1], &end, 10);
		else if (!strcmp(argv[i], "--seconds"))
			*seconds = strtod(argv[i + 1], &end);
		else
			return false;
		if (*end || end == argv[i + 1])
			return false;
	}
	return argc % 2 == 1 && *n >= 1 && *n <= THREADS_MAX && *seconds > 0 && *seconds <= 60;
}

int main(int argc, char **argv)
{
	unsigned int n = 1;
	double seconds = 0.1;
	int status;

	if (!parse(argc, argv, &n, &seconds)) {
		fprintf(stderr, "usage: limit [--threads N] [--seconds S]\n");
		return 2;
	}
	printf("{\n  \"threads\": %u,\n", n);
	print_loops(LIMIT_BITS, "bit_products_per_second", n, seconds);
	print_loops(LIMIT_BYTES, "byte_products_per_second", n, seconds);
	status = print_memory(n, seconds);
	printf("}\n");
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "limit: cannot write: %s\n", strerror(errno));
		return 1;
	}
	return status;
}
