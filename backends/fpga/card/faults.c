// SPDX-License-Identifier: Apache-2.0
/* The table of faults: names, values, what they mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "faults.h"
#include "uapi/pbit_card.h"

struct knob {
	const char *name, *summary, *values;
	int (*set)(struct card_faults *faults, const char *value);
};

static int whole(const char *text, s64 low, s64 high, s64 *out)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 0);
	if (errno || end == text || *end || v < low || v > high)
		return -EINVAL;
	*out = v;
	return 0;
}

static int after(_Atomic s64 *to, const char *value)
{
	s64 n = -1;

	if (strcmp(value, "off") && whole(value, 0, INT64_MAX, &n))
		return -EINVAL;
	atomic_store(to, n);
	return 0;
}

static int hang_after(struct card_faults *f, const char *value)
{
	return after(&f->hang_after, value);
}

static int dead_after(struct card_faults *f, const char *value)
{
	return after(&f->dead_after, value);
}

static int late_interrupt(struct card_faults *f, const char *value)
{
	s64 ms = 0;

	if (strcmp(value, "off") && whole(value, 0, 3600000, &ms))
		return -EINVAL;
	atomic_store(&f->late_ms, (u32)ms);
	return 0;
}

static int bit_error(struct card_faults *f, const char *value)
{
	char *end;
	double p = 0;

	if (strcmp(value, "off")) {
		p = strtod(value, &end);
		if (end == value || *end || !(p >= 0 && p <= 1))
			return -EINVAL;
	}
	atomic_store(&f->bit_error, (u64)(p * 4294967296.0));
	return 0;
}

static int stall(struct card_faults *f, const char *value)
{
	if (strcmp(value, "on") && strcmp(value, "off"))
		return -EINVAL;
	atomic_store(&f->stall, !strcmp(value, "on"));
	return 0;
}

static int temperature(struct card_faults *f, const char *value)
{
	s64 mc;

	if (whole(value, -273150, 1000000, &mc))
		return -EINVAL;
	atomic_store(&f->temperature_mc, (s32)mc);
	return 0;
}

static int word_of(const char *const *words, const char *value)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], value))
			return i;
	return -EINVAL;
}

static int lie(struct card_faults *f, const char *value)
{
	static const char *const words[] = {"none",	"rom",	  "cookie", "phase",
					    "progress", "status", "twice",  NULL};
	const int i = word_of(words, value);

	if (i < 0)
		return i;
	atomic_store(&f->lie, (u32)i);
	return 0;
}

static int fault(struct card_faults *f, const char *value)
{
	static const char *const words[] = {"none", "memory", "bus", "clock",
					    "hot",  "random", NULL};
	const int i = word_of(words, value);

	if (i < 0)
		return i;
	atomic_store(&f->raise, (u32)i);
	return 0;
}

static const struct knob knobs[] = {
	{"hang-after", "hang at the descriptor after N more; only a reset helps",
	 "a number of descriptors, or off", hang_after},
	{"stall", "do nothing, though abort and watchdog are heeded", "on or off", stall},
	{"bit-error", "flip a bit of a descriptor's output with probability P",
	 "a probability from 0 to 1, or off", bit_error},
	{"late-interrupt", "interrupt MS milliseconds late", "0 to 3600000 milliseconds, or off",
	 late_interrupt},
	{"dead-after", "cut the link after N more descriptors", "a number of descriptors, or off",
	 dead_after},
	{"lie", "state what is not so: rom, cookie, phase, progress, status, twice",
	 "none, rom, cookie, phase, progress, status or twice", lie},
	{"fault", "raise a fault: memory, bus, clock, hot, random",
	 "none, memory, bus, clock, hot or random", fault},
	{"temperature", "degrees C times 1000", "a whole number", temperature},
};

#define N_KNOBS (sizeof(knobs) / sizeof(knobs[0]))

void faults_init(struct card_faults *faults)
{
	memset(faults, 0, sizeof(*faults));
	atomic_store(&faults->hang_after, -1);
	atomic_store(&faults->dead_after, -1);
	atomic_store(&faults->temperature_mc, 45000);
}

int faults_set(struct card_faults *faults, const char *name, const char *value, const char **why)
{
	size_t i;
	int rc;

	for (i = 0; i < N_KNOBS; i++) {
		if (strcmp(knobs[i].name, name))
			continue;
		rc = knobs[i].set(faults, value);
		*why = rc ? knobs[i].values : NULL;
		return rc;
	}
	*why = "one of the faults that --help lists";
	return -EINVAL;
}

const char *faults_name(unsigned int n, const char **summary)
{
	if (n >= N_KNOBS)
		return NULL;
	*summary = knobs[n].summary;
	return knobs[n].name;
}
