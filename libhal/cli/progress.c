/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error: one line, redrawn in place, nothing at all in a pipe. */
#include "progress.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH   30
#define INTERVAL_NS 100000000ll

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_drawn;
static bool visible;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_wanted(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

static void draw(const char *label, uint64_t done, uint64_t total, double seconds)
{
	static const char hashes[] = "##############################";
	double part = total ? (double)done / (double)total : 1;
	int filled = (int)(part * BAR_WIDTH);

	fprintf(stderr, "\r%.14s [%-*.*s] %3d%% %llu/%llu %.1f s\033[K", label, BAR_WIDTH, filled,
		hashes, (int)(part * 100), (unsigned long long)done, (unsigned long long)total,
		seconds);
	fflush(stderr);
	visible = true;
}

void progress_show(const char *label, uint64_t done, uint64_t total, double seconds)
{
	int64_t now;

	if (!is_wanted())
		return;
	pthread_mutex_lock(&lock);
	now = now_ns();
	if (now - last_drawn >= INTERVAL_NS) {
		last_drawn = now;
		draw(label, done, total, seconds);
	}
	pthread_mutex_unlock(&lock);
}

void progress_clear(void)
{
	pthread_mutex_lock(&lock);
	if (visible) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
		visible = false;
	}
	pthread_mutex_unlock(&lock);
}
