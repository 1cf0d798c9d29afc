/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines, to the application's callback or, when a person asked for it by PBIT_LOG, to standard
 * error. A line whose level is off costs one load and a comparison.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <pbit/backend.h>
#include "core/text.h"

#define LEVEL_UNREAD (-1)
#define LINE_SIZE    2048

static atomic_int threshold = LEVEL_UNREAD;
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static pbit_log_fn *sink; /* NULL: standard error; under sink_lock, like the next */
static void *sink_user;

static const char *const level_names[] = {"none", "error", "warn", "info", "debug"};

static int level_of_environment(void)
{
	const char *value = secure_getenv("PBIT_LOG");
	int level;

	for (level = PBIT_LOG_ERROR; value && level <= PBIT_LOG_DEBUG; level++)
		if (!strcasecmp(value, level_names[level]))
			return level;
	return PBIT_LOG_NONE;
}

static int read_threshold(void)
{
	int level;

	pthread_mutex_lock(&sink_lock);
	level = atomic_load_explicit(&threshold, memory_order_relaxed);
	if (level == LEVEL_UNREAD) {
		level = level_of_environment();
		atomic_store_explicit(&threshold, level, memory_order_relaxed);
	}
	pthread_mutex_unlock(&sink_lock);
	return level;
}

void pbit_set_log(pbit_log_fn *fn, void *user, int level)
{
	if (level < PBIT_LOG_NONE)
		level = PBIT_LOG_NONE;
	pthread_mutex_lock(&sink_lock);
	sink = fn;
	sink_user = user;
	atomic_store_explicit(&threshold, fn ? level : level_of_environment(),
			      memory_order_relaxed);
	pthread_mutex_unlock(&sink_lock);
}

static void deliver(int level, const char *line)
{
	pbit_log_fn *fn;
	void *user;

	pthread_mutex_lock(&sink_lock);
	fn = sink;
	user = sink_user;
	pthread_mutex_unlock(&sink_lock);
	if (fn)
		fn(level, line, user);
	else
		fprintf(stderr, "pbit: %s: %s\n",
			level_names[level < PBIT_LOG_DEBUG ? level : PBIT_LOG_DEBUG], line);
}

void pbit_log(int level, const char *fmt, ...)
{
	int limit = atomic_load_explicit(&threshold, memory_order_relaxed);
	char line[LINE_SIZE], *c;
	int saved = errno;
	va_list args;

	if (limit == LEVEL_UNREAD)
		limit = read_threshold();
	if (level > limit || level <= PBIT_LOG_NONE)
		return;
	va_start(args, fmt);
	pbit__text_format(line, sizeof(line), fmt, args);
	va_end(args);
	for (c = line; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	deliver(level, line);
	errno = saved;
}
