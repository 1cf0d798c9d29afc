/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocators that refuse on demand and count what is not given back yet, in any thread, and the loop
 * that refuses one allocation of a call after the other. The linker puts them in place of the C
 * library's (rules-memory.mk); threads and event descriptors are refused in the same way, under a
 * count of their own.
 */
#ifndef TEST_MEMORY_WRAP_H
#define TEST_MEMORY_WRAP_H

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

typedef int wrap_filter(const struct dirent *entry);
typedef int wrap_compare(const struct dirent **a, const struct dirent **b);

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **p, size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
int __real_scandir(const char *folder, struct dirent ***list, wrap_filter *filter,
		   wrap_compare *compare);
void __real_free(void *p);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
			  void *arg);
int __real_eventfd(unsigned int value, int flags);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **p, size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_asprintf(char **text, const char *fmt, ...);
int __wrap_scandir(const char *folder, struct dirent ***list, wrap_filter *filter,
		   wrap_compare *compare);
void __wrap_free(void *p);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
			  void *arg);
int __wrap_eventfd(unsigned int value, int flags);

/* Counted from 1; 0: none is refused. */
static atomic_long wrap_calls, wrap_fail_at, wrap_live;
static atomic_long wrap_resources, wrap_resource_fail_at;
static atomic_bool wrap_no_resources;

static bool wrap_refuse(void)
{
	return atomic_fetch_add(&wrap_calls, 1) + 1 == atomic_load(&wrap_fail_at);
}

static bool wrap_refuse_resource(void)
{
	long n = atomic_fetch_add(&wrap_resources, 1) + 1;

	return atomic_load(&wrap_no_resources) || n == atomic_load(&wrap_resource_fail_at);
}

static void *wrap_count(void *p)
{
	if (p)
		atomic_fetch_add(&wrap_live, 1);
	return p;
}

static void *wrap_none(void)
{
	errno = ENOMEM;
	return NULL;
}

void *__wrap_malloc(size_t size)
{
	return wrap_refuse() ? wrap_none() : wrap_count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return wrap_refuse() ? wrap_none() : wrap_count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	void *q;

	if (wrap_refuse())
		return wrap_none();
	q = __real_realloc(p, size);
	return p ? q : wrap_count(q);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return wrap_refuse() ? wrap_none() : wrap_count(__real_aligned_alloc(alignment, size));
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
	int rc = wrap_refuse() ? ENOMEM : __real_posix_memalign(p, alignment, size);

	if (!rc)
		wrap_count(*p);
	return rc;
}

char *__wrap_strdup(const char *text)
{
	return wrap_refuse() ? wrap_none() : wrap_count(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t size)
{
	return wrap_refuse() ? wrap_none() : wrap_count(__real_strndup(text, size));
}

int __wrap_asprintf(char **text, const char *fmt, ...)
{
	va_list args;
	int length;

	if (wrap_refuse()) {
		errno = ENOMEM;
		return -1;
	}
	va_start(args, fmt);
	length = vasprintf(text, fmt, args);
	va_end(args);
	if (length >= 0)
		wrap_count(*text);
	return length;
}

/* The list and each of its entries are given back by free(). */
int __wrap_scandir(const char *folder, struct dirent ***list, wrap_filter *filter,
		   wrap_compare *compare)
{
	int n;

	if (wrap_refuse()) {
		errno = ENOMEM;
		return -1;
	}
	n = __real_scandir(folder, list, filter, compare);
	if (n >= 0)
		atomic_fetch_add(&wrap_live, n + (*list != NULL));
	return n;
}

void __wrap_free(void *p)
{
	if (p)
		atomic_fetch_sub(&wrap_live, 1);
	__real_free(p);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
			  void *arg)
{
	return wrap_refuse_resource() ? EAGAIN : __real_pthread_create(thread, attr, start, arg);
}

int __wrap_eventfd(unsigned int value, int flags)
{
	if (wrap_refuse_resource()) {
		errno = EMFILE;
		return -1;
	}
	return __real_eventfd(value, flags);
}

/* What is tried again and again: made ready, tried, looked at, cleared away. */
struct scenario {
	void (*prepare)(void);
	int (*act)(void);
	void (*refused)(void); /* after a failure */
	void (*check)(void);   /* after success */
	void (*clean)(void);
	long at_least; /* allocations that must have been refused */
};

static inline void check_record(int rc)
{
	const struct pbit_error *error = pbit_last_error();
	char text[1024];

	assert_int_equal(error->code, rc);
	assert_int_equal(error->error_class, PBIT_ERR_RESOURCE);
	assert_true(error->what[0] && error->why[0]);
	assert_true(pbit_format_error(text, sizeof(text)) > 10);
	assert_null(strstr(text, "(null)"));
}

/* Refuses each allocation in turn until there are no more. */
static inline void every_failure(const struct scenario *s)
{
	long before = wrap_live, refused = 0;
	bool all = false;

	for (long n = 1; !all; n++) {
		int rc;

		if (s->prepare)
			s->prepare();
		pbit_clear_error();
		wrap_calls = 0;
		wrap_fail_at = n;
		rc = s->act();
		wrap_fail_at = 0;
		all = wrap_calls < n;
		if (rc) {
			assert_int_equal(rc, -ENOMEM);
			assert_false(all);
			check_record(rc);
			if (s->refused)
				s->refused();
			assert_int_equal(s->act(), 0);
			refused++;
		}
		s->check();
		s->clean();
		assert_int_equal(wrap_live, before);
	}
	if (refused < s->at_least)
		fail_msg("%ld allocations were refused, at least %ld expected", refused,
			 s->at_least);
}

#endif
