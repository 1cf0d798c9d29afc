/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of a run share: results, reasons, seeds, progress. */
#include "check/run.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "core/clock.h"
#include "core/text.h"

#define SHOW_NS 50000000

int pbit__check_no_memory(void)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot check the device", NULL, NULL,
			 "out of memory");
}

static struct pbit__check_result *grow(struct pbit__check_results *r)
{
	if (r->n == r->size) {
		uint32_t size = r->size ? 2 * r->size : 32;
		struct pbit__check_result *list = realloc(r->list, size * sizeof(*list));

		if (!list)
			return NULL;
		r->list = list;
		r->size = size;
	}
	return &r->list[r->n++];
}

struct pbit_check_test *pbit__check_add(struct pbit__check *c, const char *name, const char *defect)
{
	struct pbit__check_result *r = grow(&c->results);

	if (!r)
		return NULL;
	memset(r, 0, sizeof(*r));
	r->test.struct_size = sizeof(r->test);
	r->group = c->group;
	pbit__text_copy(r->name, sizeof(r->name), name);
	pbit__text_copy(r->defect, sizeof(r->defect), defect);
	r->test.p = r->test.p_repeat = r->test.power = NAN;
	r->test.tau = r->test.ess = r->test.statistic = r->test.df = NAN;
	return &r->test;
}

void pbit__check_reason(struct pbit__check *c, const char *fmt, ...)
{
	struct pbit__check_result *r = &c->results.list[c->results.n - 1];
	va_list args;

	va_start(args, fmt);
	pbit__text_format(r->reason, sizeof(r->reason), fmt, args);
	va_end(args);
}

int pbit__check_not_applicable(struct pbit__check *c, const char *name, const char *fmt, ...)
{
	struct pbit_check_test *t = pbit__check_add(c, name, NULL);
	struct pbit__check_result *r;
	va_list args;

	if (!t)
		return pbit__check_no_memory();
	t->verdict = PBIT_CHECK_NOT_APPLICABLE;
	r = &c->results.list[c->results.n - 1];
	va_start(args, fmt);
	pbit__text_format(r->reason, sizeof(r->reason), fmt, args);
	va_end(args);
	return 0;
}

int pbit__check_excuse(struct pbit__check *c, const char *name, int rc)
{
	const struct pbit_error *e = pbit_last_error();

	if (e->code != rc || e->error_class != PBIT_ERR_LIMIT)
		return rc;
	return pbit__check_not_applicable(c, name, "%s", e->why);
}

uint64_t pbit__check_seed(struct pbit__check *c)
{
	uint64_t x = c->d.seed + ++c->salt * 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 31;
}

int pbit__check_poll(struct pbit__check *c)
{
	int64_t now = pbit__now_ns();

	if (!c->opts.progress || now - c->shown_ns < SHOW_NS)
		return 0;
	c->shown_ns = now;
	c->progress.seconds = 1e-9 * (double)(now - c->begun_ns);
	if (!c->opts.progress(&c->progress, c->opts.user))
		return 0;
	return pbit_fail(-ECANCELED, PBIT_ERR_CANCELLED, "cannot check the device", NULL, NULL,
			 "cancelled during %s", c->progress.name);
}

uint32_t pbit__check_few(const struct pbit__check *c)
{
	const struct pbit_caps *caps = &c->d.caps;

	if ((caps->stated & PBIT_CAP_PBITS) && caps->pbits < 4)
		return caps->pbits ? (uint32_t)caps->pbits : 1;
	return 4;
}

const char *pbit__check_order_name(uint32_t order)
{
	switch (order) {
	case PBIT_ORDER_SEQUENTIAL:
		return "sequential";
	case PBIT_ORDER_CHROMATIC:
		return "chromatic";
	case PBIT_ORDER_SYNCHRONOUS:
		return "synchronous";
	default:
		return "asynchronous";
	}
}
