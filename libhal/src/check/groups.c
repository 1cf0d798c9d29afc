/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of tests by name, in the order in which they run: the quick and telling ones first. */
#include <string.h>
#include "check/run.h"

static int run_free_states(struct pbit__check *c)
{
	struct pbit__check_machine m;

	pbit__check_machine_free_spins(&m, pbit__check_few(c));
	return pbit__check_states(c, &m);
}

static int run_catalogue(struct pbit__check *c, uint32_t k)
{
	struct pbit__check_machine m;

	pbit__check_machine_get(k, &m);
	return pbit__check_states(c, &m);
}

/* Machines of the catalogue follow by number. */
static const struct {
	const char *name;
	int (*run)(struct pbit__check *c);
} groups[] = {
	{"start", pbit__check_free_start},    {"free", run_free_states},
	{"bits", pbit__check_free_bits},      {"sigmoid", pbit__check_sigmoid},
	{"transient", pbit__check_transient}, {"planted", pbit__check_planted},
	{"torus", pbit__check_torus},	      {"layers", pbit__check_layers},
};

#define OWN ((uint32_t)(sizeof(groups) / sizeof(groups[0])))

const char *pbit_check_group(uint32_t i)
{
	struct pbit__check_machine m;

	if (i < OWN)
		return groups[i].name;
	return pbit__check_machine_get(i - OWN, &m) ? m.name : NULL;
}

int pbit__check_group_run(struct pbit__check *c, uint32_t group)
{
	c->group = group;
	c->progress.name = pbit_check_group(group);
	return group < OWN ? groups[group].run(c) : run_catalogue(c, group - OWN);
}

int pbit__check_group_find(const char *name, size_t length)
{
	const char *known;

	for (uint32_t i = 0; (known = pbit_check_group(i)); i++) {
		if (strlen(known) == length && !strncmp(known, name, length))
			return (int)i;
	}
	return -1;
}
