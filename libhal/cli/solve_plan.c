/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule of `pbit solve`: given as a list or file, by its ends, by the machine's file, or found. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "number.h"
#include "solve.h"

#define BETA_MAX 1e300

struct parsing {
	struct plan *plan;
	const char *where;
	size_t capacity;
};

static int fail_step(const struct parsing *p, const char *why, const char *text)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot read the schedule", p->where,
			 "a step is BETA:SWEEPS, beta above 0, at least one sweep", "%s: '%.40s'",
			 why, text);
}

static int add_step(struct parsing *p, double beta, uint64_t sweeps)
{
	struct pbit_schedule *schedule = &p->plan->schedule;

	if (schedule->n_steps == p->capacity) {
		size_t capacity = p->capacity + p->capacity / 2 + 16;
		struct pbit_schedule_step *steps =
			realloc(p->plan->steps, capacity * sizeof(*steps));

		if (!steps)
			return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot read the schedule",
					 p->where, NULL, "out of memory");
		p->plan->steps = steps;
		p->capacity = capacity;
	}
	p->plan->steps[schedule->n_steps++] = (struct pbit_schedule_step){beta, sweeps};
	return 0;
}

/* "BETA SWEEPS", with spaces or one of the separators between them. text is changed. */
static int parse_step(struct parsing *p, char *text)
{
	size_t length = strcspn(text, ": \t");
	char *count = text + length;
	uint64_t sweeps = 0;
	double beta;

	if (!*count)
		return fail_step(p, "no number of sweeps", text);
	*count++ = '\0';
	count += strspn(count, " \t");
	count[strcspn(count, " \t")] = '\0';
	if (!number_parse_real(text, 0, BETA_MAX, &beta))
		return fail_step(p, "not a beta above 0", text);
	if (!number_parse(count, 1, UINT64_C(1) << 52, &sweeps))
		return fail_step(p, "not a number of sweeps", count);
	return add_step(p, beta, sweeps);
}

static int parse_list(struct parsing *p, const char *text)
{
	char *copy = strdup(text), *at = copy, *item;
	int err = copy ? 0 : -ENOMEM;

	if (err)
		return pbit_fail(err, PBIT_ERR_RESOURCE, "cannot read the schedule", NULL, NULL,
				 "out of memory");
	while (!err && (item = strsep(&at, ",")))
		err = parse_step(p, item);
	free(copy);
	return err;
}

static int parse_file(struct parsing *p, const char *path)
{
	FILE *stream = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!stream)
		return pbit_fail(-errno, PBIT_ERR_FILE, "cannot read the schedule", path,
				 "or give a list, BETA:SWEEPS,BETA:SWEEPS", "%s", strerror(errno));
	while (!err && getline(&line, &size, stream) >= 0) {
		char *text = line + strspn(line, " \t");

		text[strcspn(text, "#\r\n")] = '\0';
		if (*text)
			err = parse_step(p, text);
	}
	if (!err && !feof(stream))
		err = pbit_fail(-EIO, PBIT_ERR_FILE, "cannot read the schedule", path, NULL,
				"reading failed");
	free(line);
	fclose(stream);
	return err;
}

/* A list has a colon and nothing that a number lacks; anything else is a file. */
static bool is_list(const char *text)
{
	return strchr(text, ':') && strspn(text, "0123456789.eE+-:, ") == strlen(text);
}

static int take_given(struct plan *plan, const char *text)
{
	struct parsing p = {.plan = plan, .where = text};

	plan->source = "given";
	return is_list(text) ? parse_list(&p, text) : parse_file(&p, text);
}

static int take_stages(struct plan *plan, const struct pbit_bm_info *info, const char *path)
{
	struct parsing p = {.plan = plan, .where = path};
	int err = 0;

	plan->source = "file";
	for (uint64_t k = 0; k < info->n_stages && !err; k++) {
		if (!info->stages[k].sweeps)
			continue;
		if (!(info->stages[k].beta > 0))
			return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot use the file's schedule",
					 path, "give --beta0 and --beta1",
					 "stage %llu has beta %g, which is not above 0",
					 (unsigned long long)k, info->stages[k].beta);
		err = add_step(&p, info->stages[k].beta, info->stages[k].sweeps);
	}
	return err;
}

/* Sizes of the inputs that p-bits see. */
struct scale {
	double widest, narrowest; /* root of the sum of squares of a row */
	double smallest;	  /* coupling or bias that is not 0 */
};

static void add_size(struct scale *scale, double value, double *squares)
{
	double size = fabs(value);

	*squares += size * size;
	if (size > 0 && size < scale->smallest)
		scale->smallest = size;
}

int plan_range(const struct machine *machine, double *hot, double *cold)
{
	struct pbit_bm_view view = PBIT_INIT(view);
	struct scale scale = {0, INFINITY, INFINITY};
	int err = pbit_bm_view(machine->bm, &view);

	if (err)
		return err;
	for (uint32_t i = 0; i < view.n; i++) {
		double squares = 0;

		add_size(&scale, view.h[i], &squares);
		for (uint64_t k = view.row[i]; k < view.row[i + 1]; k++)
			add_size(&scale, view.J[k], &squares);
		if (sqrt(squares) > scale.widest)
			scale.widest = sqrt(squares);
		if (squares > 0 && sqrt(squares) < scale.narrowest)
			scale.narrowest = sqrt(squares);
	}
	*hot = *cold = 1;
	if (!(scale.widest > 0) || !isfinite(scale.widest))
		return 0;
	*hot = 0.3 / scale.widest;
	/* The smallest input is followed 99 times of 100; never colder than 30 typical inputs. */
	*cold = fmin(log(99) / (2 * scale.smallest), 30 / scale.narrowest);
	if (*cold < 10 * *hot)
		*cold = 10 * *hot;
	return 0;
}

static int take_ends(struct plan *plan, const struct solve_request *request,
		     const struct machine *machine)
{
	struct pbit_schedule *schedule = &plan->schedule;
	int err = 0;

	plan->source = request->has_beta0 && request->has_beta1 ? "given" : "found";
	if (!request->has_beta0 || !request->has_beta1)
		err = plan_range(machine, &schedule->beta, &schedule->beta_end);
	schedule->kind = PBIT_SCHEDULE_GEOMETRIC;
	if (request->has_beta0)
		schedule->beta = request->beta0;
	if (request->has_beta1)
		schedule->beta_end = request->beta1;
	schedule->sweeps = request->sweeps;
	return err;
}

int plan_make(struct plan *plan, const struct solve_request *request, const struct machine *machine)
{
	bool has_ends = request->has_sweeps || request->has_beta0 || request->has_beta1;
	int err;

	*plan = (struct plan){.schedule = PBIT_INIT(plan->schedule)};
	if (request->schedule)
		err = take_given(plan, request->schedule);
	else if (machine->info.n_stages && !has_ends && !request->temper)
		err = take_stages(plan, &machine->info, machine->path);
	else
		err = take_ends(plan, request, machine);
	if (err)
		return err;
	if (plan->schedule.kind != PBIT_SCHEDULE_GEOMETRIC)
		plan->schedule.kind = PBIT_SCHEDULE_LIST;
	plan->schedule.steps = plan->steps;
	return pbit_schedule_check(&plan->schedule, &plan->sweeps);
}

void plan_free(struct plan *plan)
{
	free(plan->steps);
	plan->steps = NULL;
}
