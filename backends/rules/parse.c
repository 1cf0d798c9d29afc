/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of the rules: which rule, and which defects it is given. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "rules.h"

static const char what[] = "cannot open device";

static const struct {
	const char *name;
	enum rule rule;
} rules[] = {
	{"heat-bath", RULE_HEAT_BATH},
	{"metropolis-sequential", RULE_METROPOLIS_SEQUENTIAL},
	{"metropolis-random", RULE_METROPOLIS_RANDOM},
	{"synchronous", RULE_SYNCHRONOUS},
	{"asynchronous", RULE_ASYNCHRONOUS},
};

static int parse_rule(const struct pbit_uri *uri, enum rule *rule)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!strcmp(uri->target, rules[i].name)) {
			*rule = rules[i].rule;
			return 0;
		}
	}
	return pbit_fail(-EINVAL, PBIT_ERR_URI, what, uri->text,
			 "heat-bath, metropolis-sequential, metropolis-random, synchronous and "
			 "asynchronous are there",
			 "there is no update rule \"%s\"", uri->target);
}

static int parse_real(const struct pbit_uri *uri, const char *key, double min, double max,
		      double *value)
{
	const char *text = pbit_uri_param(uri, key);
	char *end;
	double v;

	if (!text)
		return 0;
	v = strtod(text, &end);
	if (end == text || *end || !(v >= min && v <= max))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, what, uri->text, NULL,
				 "%s=%s is not a number from %g to %g", key, text, min, max);
	*value = v;
	return 0;
}

int rules_parse(const struct pbit_uri *uri, struct rules_config *config)
{
	static const char *const known[] = {"gain",    "offset",   "dt",       "hold",	"bits",
					    "stuck",   "drop",	   "shared",   "pbits", "degree",
					    "integer", "fraction", "physical", NULL};
	uint64_t drop = 0, shared = 0, physical = 0;
	int rc;

	*config = (struct rules_config){.gain = 1.0,
					.dt = 1.0 / 6.0,
					.stuck = RULES_NO_PBIT,
					.integer = 3,
					.fraction = RULES_REAL};
	rc = parse_rule(uri, &config->rule);
	if (!rc)
		rc = pbit_uri_only(uri, known);
	if (!rc)
		rc = parse_real(uri, "gain", 0.0, 100.0, &config->gain);
	if (!rc)
		rc = parse_real(uri, "offset", -100.0, 100.0, &config->offset);
	if (!rc)
		rc = parse_real(uri, "dt", 1e-4, 10.0, &config->dt);
	if (!rc)
		rc = parse_real(uri, "hold", 0.0, 1.0, &config->hold);
	if (!rc)
		rc = pbit_uri_number(uri, "bits", 2, 24, &config->bits);
	if (!rc)
		rc = pbit_uri_number(uri, "stuck", 0, RULES_MAX_PBITS - 1, &config->stuck);
	if (!rc)
		rc = pbit_uri_number(uri, "drop", 0, 1, &drop);
	if (!rc)
		rc = pbit_uri_number(uri, "shared", 0, 1, &shared);
	if (!rc)
		rc = pbit_uri_number(uri, "pbits", 1, RULES_MAX_PBITS, &config->pbits);
	if (!rc)
		rc = pbit_uri_number(uri, "degree", 1, RULES_MAX_PBITS, &config->degree);
	if (!rc)
		rc = pbit_uri_number(uri, "integer", 0, 15, &config->integer);
	if (!rc)
		rc = pbit_uri_number(uri, "fraction", 0, 15, &config->fraction);
	if (!rc)
		rc = pbit_uri_number(uri, "physical", 0, 1, &physical);
	config->physical = physical;
	config->drop = drop;
	config->shared = shared;
	return rc;
}
