/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the limits of the device from its address; README.md lists the parameters.
 *
 * PORT 3a: yours has other parameters, or none; pbit_uri_only() refuses what you do not know.
 */
#include "limits.h"

#include <errno.h>
#include <string.h>

#define MOST_PBITS (1u << 20)
#define MOST_BITS  15 /* I + F: registers of 16 bits */

static const char what[] = "cannot open device";

struct choice {
	const char *name; /* NULL ends the list */
	uint32_t value;
};

static int read_choice(const struct pbit_uri *uri, const char *key, const struct choice *choices,
		       const char *expected, uint32_t *value)
{
	const char *text = pbit_uri_param(uri, key);

	if (!text)
		return 0;
	for (; choices->name; choices++) {
		if (!strcmp(choices->name, text)) {
			*value = choices->value;
			return 0;
		}
	}
	return pbit_fail(-EINVAL, PBIT_ERR_URI, what, uri->text, NULL,
			 "parameter %s is '%s', expected %s", key, text, expected);
}

static int read_flag(const struct pbit_uri *uri, const char *key, bool *flag)
{
	uint64_t number = *flag;
	int rc = pbit_uri_number(uri, key, 0, 1, &number);

	*flag = number != 0;
	return rc;
}

/* s{I}{F}: the range and step of two's complement. */
static struct pbit_format fixed(unsigned integer_bits, unsigned fraction_bits)
{
	double step = 1.0 / (double)(1u << fraction_bits), bound = (double)(1u << integer_bits);

	return (struct pbit_format){
		.integer_bits = (uint8_t)integer_bits,
		.fraction_bits = (uint8_t)fraction_bits,
		.min = -bound,
		.max = bound - step,
	};
}

static struct pbit_format real(void)
{
	return (struct pbit_format){.integer_bits = REAL, .min = -1e30, .max = 1e30};
}

/* One or two digits; -1 where there are none. */
static int read_digits(const char **text)
{
	int number = -1;

	for (int k = 0; k < 2 && **text >= '0' && **text <= '9'; k++, ++*text)
		number = (number < 0 ? 0 : 10 * number) + (**text - '0');
	return number;
}

/* "3.4" is s{3}{4}. */
static int read_format(const struct pbit_uri *uri, const char *key, struct pbit_format *format)
{
	const char *text = pbit_uri_param(uri, key), *rest = text;
	int integer, fraction = -1;

	if (!text)
		return 0;
	if (!strcmp(text, "real")) {
		*format = real();
		return 0;
	}
	integer = read_digits(&rest);
	if (integer >= 0 && *rest == '.') {
		rest++;
		fraction = read_digits(&rest);
	}
	if (fraction < 0 || *rest || integer + fraction > MOST_BITS)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, what, uri->text, NULL,
				 "parameter %s is '%s', expected I.F with I + F <= %d, or real",
				 key, text, MOST_BITS);
	*format = fixed((unsigned)integer, (unsigned)fraction);
	return 0;
}

static int read_choices(struct limits *limits, const struct pbit_uri *uri)
{
	static const struct choice topologies[] = {
		{"all", PBIT_TOPOLOGY_ALL}, {"bipartite", PBIT_TOPOLOGY_BIPARTITE}, {NULL, 0}};
	static const struct choice orders[] = {
		{"sequential", PBIT_ORDER_SEQUENTIAL},
		{"chromatic", PBIT_ORDER_CHROMATIC},
		{"synchronous", PBIT_ORDER_SYNCHRONOUS},
		{"any", PBIT_ORDER_SEQUENTIAL | PBIT_ORDER_CHROMATIC | PBIT_ORDER_SYNCHRONOUS},
		{NULL, 0}};
	static const struct choice generators[] = {{"sequential", 0}, {"contract", 1}, {NULL, 0}};
	uint32_t contract = limits->contract;
	int rc;

	rc = read_choice(uri, "topology", topologies, "all or bipartite", &limits->topology);
	if (!rc)
		rc = read_choice(uri, "order", orders, "sequential, chromatic, synchronous or any",
				 &limits->orders);
	if (!rc)
		rc = read_choice(uri, "generator", generators, "sequential or contract", &contract);
	limits->contract = contract != 0;
	return rc;
}

static int read_numbers(struct limits *limits, const struct pbit_uri *uri)
{
	int rc = pbit_uri_number(uri, "pbits", 1, MOST_PBITS, &limits->pbits);

	limits->fan_in = limits->pbits - 1;
	if (!rc)
		rc = pbit_uri_number(uri, "fan_in", 0, MOST_PBITS, &limits->fan_in);
	if (!rc)
		rc = read_flag(uri, "clamp", &limits->clamp);
	if (!rc)
		rc = read_flag(uri, "directed", &limits->directed);
	if (!rc)
		rc = pbit_uri_number(uri, "seed", 0, UINT64_MAX, &limits->seed);
	if (!rc)
		rc = read_format(uri, "coupling", &limits->coupling);
	if (!rc)
		rc = read_format(uri, "bias", &limits->bias);
	if (!rc)
		rc = read_format(uri, "beta", &limits->beta);
	return rc;
}

static int check(const struct limits *limits, const struct pbit_uri *uri)
{
	if (limits->directed && (limits->orders & PBIT_ORDER_CHROMATIC))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, what, uri->text,
				 "give order=sequential or order=synchronous with directed=1",
				 "it has no colours for directed couplings");
	if (limits->contract && limits->seed)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, what, uri->text,
				 "leave out the seed or generator=contract",
				 "draws by the contract depend on no seed but the machine's");
	return 0;
}

int limits_read(struct limits *limits, const struct pbit_uri *uri)
{
	static const char *const known[] = {"pbits", "fan_in",	  "topology", "order",
					    "clamp", "directed",  "coupling", "bias",
					    "beta",  "generator", "seed",     NULL};
	int rc;

	*limits = (struct limits){
		.pbits = 256,
		.topology = PBIT_TOPOLOGY_ALL,
		.orders = PBIT_ORDER_SEQUENTIAL,
		.clamp = true,
		.coupling = fixed(3, 12),
		.bias = fixed(7, 8),
		.beta = real(),
	};
	limits->beta.min = 0.0;
	rc = pbit_uri_only(uri, known);
	if (!rc)
		rc = read_choices(limits, uri);
	if (!rc)
		rc = read_numbers(limits, uri);
	return rc ? rc : check(limits, uri);
}
