/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what came of `pbit solve`, as JSON or for people. */
#include <math.h>
#include <stdio.h>
#include "command.h"
#include "solve.h"
#include "table.h"

/* p-bits of a state that a person is shown. */
#define SHOWN_PBITS 256u

static double cut_of(const struct machine *machine, double energy)
{
	return (machine->info.total_weight - energy) / 2;
}

static const char *method(const struct solve_request *request)
{
	return request->temper ? "tempering" : "annealing";
}

static void add_schedule(struct json *json, const struct solve_request *request,
			 const struct plan *plan)
{
	const struct pbit_schedule *schedule = &plan->schedule;

	json_object(json, "schedule");
	json_string(json, "source", plan->source);
	if (schedule->kind == PBIT_SCHEDULE_LIST) {
		json_string(json, "kind", "list");
		json_array(json, "steps");
		for (uint32_t k = 0; k < schedule->n_steps; k++) {
			json_object(json, NULL);
			json_number(json, "beta", schedule->steps[k].beta);
			json_count(json, "sweeps", schedule->steps[k].sweeps);
			json_end(json);
		}
		json_end(json);
	} else {
		json_string(json, "kind", request->temper ? "ladder" : "geometric");
		json_number(json, "beta0", schedule->beta);
		json_number(json, "beta1", schedule->beta_end);
		json_count(json, "sweeps", schedule->sweeps);
	}
	json_end(json);
}

static void add_exchanges(struct json *json, const struct solve_request *request,
			  const struct solve_outcome *outcome)
{
	json_array(json, "temperatures");
	for (uint64_t b = 0; b < request->temperatures; b++) {
		json_object(json, NULL);
		json_number(json, "beta", outcome->betas[b]);
		if (b + 1 < request->temperatures) {
			json_count(json, "exchanges_tried", outcome->tried[b]);
			json_count(json, "exchanges_accepted", outcome->accepted[b]);
		}
		json_end(json);
	}
	json_end(json);
}

static int print_json(const struct solve_request *request, const struct machine *machine,
		      struct pbit_device *const *devs, uint32_t n_devs, const struct plan *plan,
		      const struct solve_outcome *outcome)
{
	struct json json = {0};

	json_begin_document(&json, "solve");
	json_string(&json, "device", pbit_device_uri(devs[0]));
	json_array(&json, "devices");
	for (uint32_t i = 0; i < n_devs; i++) {
		json_object(&json, NULL);
		json_string(&json, "uri", pbit_device_uri(devs[i]));
		json_end(&json);
	}
	json_end(&json);
	machine_json(&json, machine);
	json_number(&json, "energy", outcome->energy + machine->info.offset);
	if (machine->info.is_cut)
		json_number(&json, "cut", cut_of(machine, outcome->energy));
	json_string(&json, "method", method(request));
	json_count(&json, "replicas", request->replicas);
	json_count(&json, "seed", request->seed);
	json_string(&json, "order", order_name(devs[0], request->order));
	json_count(&json, "sweeps", outcome->sweeps);
	json_count(&json, "updates", outcome->updates);
	json_number(&json, "seconds", outcome->seconds);
	json_number(&json, "found_seconds", outcome->found_seconds);
	json_bool(&json, "complete", outcome->is_complete);
	if (request->has_target || request->has_cut)
		json_bool(&json, "reached", outcome->has_reached);
	add_schedule(&json, request, plan);
	if (request->temper) {
		add_exchanges(&json, request, outcome);
	} else {
		json_count(&json, "restart", outcome->restart);
		json_count(&json, "replica", outcome->replica);
	}
	machine_json_state(&json, machine, outcome->state);
	return json_print(&json);
}

static void add_ending(struct table *table, const struct solve_request *request,
		       const struct solve_outcome *outcome)
{
	if (request->has_target || request->has_cut) {
		table_cell(table, "target");
		table_cell(table, outcome->has_reached ? "reached" : "not reached");
	}
	if (!outcome->is_complete && !outcome->has_reached) {
		table_cell(table, "search");
		table_cell(table, "ended early");
	}
}

static void add_exchange_rates(struct table *table, const struct solve_request *request,
			       const struct solve_outcome *outcome)
{
	double least = 1, most = 0;

	if (!request->temper || request->temperatures < 2)
		return;
	for (uint64_t b = 0; b + 1 < request->temperatures; b++) {
		double rate = outcome->tried[b]
				      ? (double)outcome->accepted[b] / (double)outcome->tried[b]
				      : 0;

		least = fmin(least, rate);
		most = fmax(most, rate);
	}
	table_cell(table, "exchanges");
	table_cellf(table, "%.0f %% to %.0f %% accepted", 100 * least, 100 * most);
}

static int print_table(const struct solve_request *request, const struct machine *machine,
		       struct pbit_device *const *devs, uint32_t n_devs, const struct plan *plan,
		       const struct solve_outcome *outcome)
{
	struct table table = {.columns = 2};
	char text[32], more[32];

	table_cell(&table, "machine");
	table_cellf(&table, "%s (%s)", machine->path, pbit_bm_format_name(machine->info.format));
	for (uint32_t i = 0; i < n_devs; i++) {
		table_cell(&table, i ? "" : "device");
		table_cell(&table, pbit_device_uri(devs[i]));
	}
	table_cell(&table, "p-bits");
	table_cellf(&table, "%s, %s couplings", format_count(text, machine->n),
		    format_count(more, pbit_bm_couplings(machine->bm)));
	table_cell(&table, "energy");
	table_cellf(&table, "%.10g", outcome->energy + machine->info.offset);
	if (machine->info.is_cut) {
		table_cell(&table, "cut");
		table_cellf(&table, "%.10g", cut_of(machine, outcome->energy));
	}
	add_ending(&table, request, outcome);
	table_cell(&table, method(request));
	if (plan->schedule.kind == PBIT_SCHEDULE_LIST)
		table_cellf(&table, "%u steps of the schedule, %s sweeps", plan->schedule.n_steps,
			    format_count(text, outcome->sweeps));
	else
		table_cellf(&table, "beta %.4g to %.4g, %s sweeps", plan->schedule.beta,
			    plan->schedule.beta_end, format_count(text, outcome->sweeps));
	add_exchange_rates(&table, request, outcome);
	table_cell(&table, "time");
	table_cellf(&table, "%.3f s, found after %.3f s, %.3g updates/s", outcome->seconds,
		    outcome->found_seconds, (double)outcome->updates / outcome->seconds);
	return table_print(&table);
}

static void print_state(const struct machine *machine, const uint64_t *state)
{
	if (machine->n > SHOWN_PBITS)
		return;
	putchar('\n');
	for (uint32_t i = 0; i < machine->n; i++)
		putchar(state_bit(state, i) > 0 ? '+' : '-');
	putchar('\n');
}

int solve_report(const struct solve_request *request, const struct machine *machine,
		 struct pbit_device *const *devs, uint32_t n_devs, const struct plan *plan,
		 const struct solve_outcome *outcome)
{
	int status;

	if (request->want_json)
		return print_json(request, machine, devs, n_devs, plan, outcome);
	status = print_table(request, machine, devs, n_devs, plan, outcome);
	if (status == STATUS_OK)
		print_state(machine, outcome->state);
	return status;
}
