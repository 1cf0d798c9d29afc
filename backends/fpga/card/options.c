// SPDX-License-Identifier: Apache-2.0
/* Options and their ranges. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"

struct parser {
	struct options *o;
	char *text;
	size_t size;
};

static const char usage[] =
	"usage: pbit-card --socket PATH [OPTION]...\n"
	"       pbit-card --tell PATH NAME VALUE | status\n\n"
	"A virtual PCIe p-bit card, for QEMU's -device vfio-user-pci.\n\n"
	"  --socket PATH          where the one client connects\n"
	"  --control PATH         where --tell connects\n"
	"  --memory MIB           card memory (64)\n"
	"  --queues N             1 to 16 (2)\n"
	"  --pbits N              p-bits of a Boltzmann machine (65536)\n"
	"  --degree N             couplings of a p-bit, on average (65536)\n"
	"  --inputs N, --outputs N  of a layer (65536)\n"
	"  --samples N            samples of one descriptor (1048576)\n"
	"  --work N               multiply-accumulates of one descriptor (2147483648)\n"
	"  --weight-bits LIST     of 1,2,4,8 (all)\n"
	"  --clock MHZ            clock of the modelled card (200)\n"
	"  --speed FACTOR         times the modelled speed; 0: as fast as can be (0)\n"
	"  --generator counter|sequential\n"
	"  --name TEXT, --serial TEXT\n"
	"  --rom OFFSET=VALUE     another word in the feature ROM\n"
	"  --verbose              tell of clients\n\n"
	"Faults, also set in mid-job by --tell:\n";

const char *options_usage(void)
{
	return usage;
}

static int refuse(struct parser *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->text, p->size, format, args);
	va_end(args);
	return -EINVAL;
}

static int whole(struct parser *p, const char *name, const char *value, u64 low, u64 high, u64 *out)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(value, &end, 0);
	if (errno || end == value || *end || *value == '-' || v < low || v > high)
		return refuse(p, "--%s %s: a whole number from %llu to %llu is needed", name, value,
			      (unsigned long long)low, (unsigned long long)high);
	*out = v;
	return 0;
}

static int number(struct parser *p, const char *name, const char *value, double low, double high,
		  double *out)
{
	char *end;
	const double v = strtod(value, &end);

	if (end == value || *end || !(v >= low && v <= high))
		return refuse(p, "--%s %s: a number from %g to %g is needed", name, value, low,
			      high);
	*out = v;
	return 0;
}

/* A number of 32 bits in the plan. */
static const struct {
	const char *name;
	size_t offset;
	u32 low, high;
} sizes[] = {
	{"queues", offsetof(struct card_plan, queues), 1, PBIT_CARD_MAX_QUEUES},
	{"pbits", offsetof(struct card_plan, pbits), 1, 1u << 26},
	{"degree", offsetof(struct card_plan, degree), 1, 1u << 26},
	{"inputs", offsetof(struct card_plan, inputs), 1, 1u << 24},
	{"outputs", offsetof(struct card_plan, outputs), 1, 1u << 24},
	{"samples", offsetof(struct card_plan, samples), 1, ~0u},
};

static int set_size(struct parser *p, const char *name, const char *value, bool *known)
{
	size_t i;
	u64 v;
	u32 n;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (strcmp(sizes[i].name, name))
			continue;
		*known = true;
		if (whole(p, name, value, sizes[i].low, sizes[i].high, &v))
			return -EINVAL;
		n = (u32)v;
		memcpy((u8 *)&p->o->plan + sizes[i].offset, &n, sizeof(n));
		return 0;
	}
	return 0;
}

static int set_weight_bits(struct parser *p, const char *value)
{
	const char *at = value;
	u32 mask = 0;

	for (;;) {
		if (*at != '1' && *at != '2' && *at != '4' && *at != '8')
			break;
		mask |= 1u << (*at - '1');
		at++;
		if (!*at) {
			p->o->plan.weight_bits = mask;
			return 0;
		}
		if (*at++ != ',')
			break;
	}
	return refuse(p, "--weight-bits %s: a list of 1, 2, 4, 8 is needed, as 4,8", value);
}

static int set_text(struct parser *p, const char *name, const char *value, char to[32])
{
	if (!*value || strlen(value) > 31)
		return refuse(p, "--%s %.40s: 1 to 31 bytes are needed", name, value);
	memset(to, 0, 32);
	memcpy(to, value, strlen(value));
	return 0;
}

static int set_generator(struct parser *p, const char *value)
{
	if (strcmp(value, "counter") && strcmp(value, "sequential"))
		return refuse(p, "--generator %s: counter or sequential is needed", value);
	p->o->plan.sequential = !strcmp(value, "sequential");
	return 0;
}

static int set_rom(struct parser *p, const char *value)
{
	char offset[24] = "";
	const char *sign = strchr(value, '=');
	u64 at, word;

	if (!sign || (size_t)(sign - value) >= sizeof(offset))
		return refuse(p, "--rom %s: OFFSET=VALUE is needed", value);
	memcpy(offset, value, (size_t)(sign - value));
	if (whole(p, "rom", offset, 0, sizeof(struct pbit_card_rom) - 4, &at) ||
	    whole(p, "rom", sign + 1, 0, ~0u, &word))
		return -EINVAL;
	if (at % 4)
		return refuse(p, "--rom %s: the offset has to be a multiple of 4", value);
	p->o->plan.rom_offset = (u32)at;
	p->o->plan.rom_value = (u32)word;
	return 0;
}

static int set_clock(struct parser *p, const char *value)
{
	double mhz;

	if (number(p, "clock", value, 0.001, 100000, &mhz))
		return -EINVAL;
	p->o->plan.clock_khz = (u32)lround(mhz * 1000);
	return 0;
}

static int set_memory(struct parser *p, const char *value)
{
	u64 mib;

	if (whole(p, "memory", value, 1, 1u << 16, &mib))
		return -EINVAL;
	p->o->plan.memory = mib << 20;
	return 0;
}

/* Tried on a table of its own: an option that makes no sense is refused at once. */
static int set_fault(struct parser *p, const char *name, const char *value)
{
	struct options *o = p->o;
	struct card_faults try;
	const char *why;

	faults_init(&try);
	if (faults_set(&try, name, value, &why))
		return refuse(p, "--%s %s: %s is needed", name, value, why);
	if (o->n_faults == sizeof(o->fault) / sizeof(o->fault[0]))
		return refuse(p, "too many faults");
	o->fault[o->n_faults].name = name;
	o->fault[o->n_faults++].value = value;
	return 0;
}

static bool is_fault(const char *name)
{
	const char *known, *summary;
	unsigned int i;

	for (i = 0; (known = faults_name(i, &summary)); i++)
		if (!strcmp(known, name))
			return true;
	return false;
}

static int set(struct parser *p, const char *name, const char *value)
{
	struct options *o = p->o;
	bool known = false;
	int rc;

	if (!strcmp(name, "socket"))
		o->socket = value;
	else if (!strcmp(name, "control"))
		o->control = value;
	else if (!strcmp(name, "tell"))
		o->tell = value;
	else if (!strcmp(name, "memory"))
		return set_memory(p, value);
	else if (!strcmp(name, "work"))
		return whole(p, name, value, 1, 1ull << 62, &o->plan.work);
	else if (!strcmp(name, "weight-bits"))
		return set_weight_bits(p, value);
	else if (!strcmp(name, "clock"))
		return set_clock(p, value);
	else if (!strcmp(name, "speed"))
		return number(p, name, value, 0, 1e9, &o->plan.speed);
	else if (!strcmp(name, "generator"))
		return set_generator(p, value);
	else if (!strcmp(name, "name"))
		return set_text(p, name, value, o->plan.name);
	else if (!strcmp(name, "serial"))
		return set_text(p, name, value, o->plan.serial);
	else if (!strcmp(name, "rom"))
		return set_rom(p, value);
	else if (is_fault(name))
		return set_fault(p, name, value);
	else {
		rc = set_size(p, name, value, &known);
		return known ? rc : refuse(p, "unknown option --%s (see --help)", name);
	}
	return 0;
}

/* What stands behind --tell PATH. */
static int words_to_tell(struct parser *p, int argc, char **argv, int i)
{
	struct options *o = p->o;
	size_t used = 0;

	for (; i < argc; i++) {
		const int n = snprintf(o->words + used, sizeof(o->words) - used, "%s%s",
				       used ? " " : "", argv[i]);

		used += (size_t)n;
		if (used >= sizeof(o->words))
			return refuse(p, "--tell: too many words");
	}
	return used ? 0 : refuse(p, "--tell PATH: NAME VALUE or status is needed");
}

int options_parse(int argc, char **argv, struct options *options, char *text, size_t size)
{
	struct parser p = {options, text, size};
	int i;

	memset(options, 0, sizeof(*options));
	vcard_plan_init(&options->plan);
	for (i = 1; i < argc; i++) {
		const char *name = argv[i];

		if (strncmp(name, "--", 2))
			return refuse(&p, "%s: options begin with -- (see --help)", name);
		name += 2;
		if (!strcmp(name, "help") || !strcmp(name, "verbose")) {
			*(*name == 'h' ? &options->help : &options->verbose) = true;
			continue;
		}
		if (i + 1 == argc)
			return refuse(&p, "--%s: unknown, or its value is missing (see --help)",
				      name);
		if (set(&p, name, argv[++i]))
			return -EINVAL;
		if (options->tell)
			return words_to_tell(&p, argc, argv, i + 1);
	}
	if (!options->socket && !options->help)
		return refuse(&p, "--socket PATH is needed (see --help)");
	return 0;
}
