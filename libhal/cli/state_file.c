/* SPDX-License-Identifier: Apache-2.0 */
/* States in a text file, read line by line; see state_file.h. */
#include "state_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "number.h"
#include "output_file.h"

struct reading {
	struct state_file *file;
	const char *path;
	FILE *stream;
	char *line;
	size_t size;
	uint64_t number;
	uint32_t n;
	uint32_t seen; /* bit per key */
	uint32_t capacity;
};

static int fail_line(const struct reading *r, const char *why)
{
	char where[512];

	snprintf(where, sizeof(where), "%.400s:%llu", r->path, (unsigned long long)r->number);
	return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot read states", where, NULL, "%s", why);
}

static int no_memory(const char *path)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot read states", path, NULL,
			 "out of memory");
}

/* A line of + and -. Memory grows with the lines that were read. */
static int take_state(struct reading *r, const char *text, size_t length)
{
	struct state_file *file = r->file;
	size_t words = ((size_t)r->n + 63) / 64;
	uint64_t *state;

	if (length != r->n)
		return fail_line(r, "the line has not one + or - for each p-bit");
	if (file->replicas == r->capacity) {
		uint32_t capacity = r->capacity + r->capacity / 2 + 1;
		uint64_t *states = realloc(file->states, capacity * words * sizeof(*states));

		if (!states)
			return no_memory(r->path);
		file->states = states;
		r->capacity = capacity;
	}
	state = file->states + file->replicas++ * words;
	memset(state, 0, words * sizeof(*state));
	for (uint32_t i = 0; i < r->n; i++) {
		if (text[i] != '+' && text[i] != '-')
			return fail_line(r, "a state has + and - only");
		if (text[i] == '+')
			state[i / 64] |= UINT64_C(1) << (i % 64);
	}
	return 0;
}

static const char *const keys[] = {"machine", "seed", "sweep", "order"};

static int take_key(struct reading *r, const char *key, size_t length, const char *text)
{
	struct state_file *file = r->file;
	uint64_t order = 0;
	uint64_t *const values[] = {&file->machine, &file->seed, &file->sweep, &order};

	for (uint32_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		if (strncmp(keys[k], key, length) || keys[k][length])
			continue;
		if (r->seen & 1u << k)
			return fail_line(r, "the key is there twice");
		r->seen |= 1u << k;
		if (!number_parse(text, 0, k == 3 ? UINT32_MAX : UINT64_MAX, values[k]))
			return fail_line(r, "the value is not a whole number");
		if (k == 3)
			file->order = (uint32_t)order;
		file->has_position = r->seen == 15;
		return 0;
	}
	return fail_line(r, "neither a state of + and - nor a known key");
}

static int take_line(struct reading *r)
{
	char *text = r->line + strspn(r->line, " \t");
	size_t length = strcspn(text, "#\r\n");

	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	text[length] = '\0';
	if (!length)
		return 0;
	if (*text == '+' || *text == '-')
		return take_state(r, text, length);
	length = strcspn(text, " \t");
	return take_key(r, text, length, text + length + strspn(text + length, " \t"));
}

/* One state for all replicas. */
static int spread(struct state_file *file, const char *path, uint32_t n, uint32_t replicas)
{
	size_t words = ((size_t)n + 63) / 64;
	uint64_t *states = realloc(file->states, replicas * words * sizeof(*states));

	if (!states)
		return no_memory(path);
	file->states = states;
	for (uint32_t r = 1; r < replicas; r++)
		memcpy(states + r * words, states, words * sizeof(*states));
	file->replicas = replicas;
	return 0;
}

static int check_count(struct state_file *file, const char *path, uint32_t n, uint32_t replicas)
{
	if (!file->replicas)
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot read states", path,
				 "the file may be truncated", "there is no state in it");
	if (!replicas || file->replicas == replicas)
		return 0;
	if (file->replicas == 1)
		return spread(file, path, n, replicas);
	return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot read states", path, NULL,
			 "%u states, but %u replicas", file->replicas, replicas);
}

int state_file_read(struct state_file *file, const char *path, uint32_t n, uint32_t replicas)
{
	struct reading r = {.file = file, .path = path, .n = n};
	int err = 0;

	*file = (struct state_file){.replicas = 0};
	r.stream = fopen(path, "re");
	if (!r.stream)
		return pbit_fail(-errno, PBIT_ERR_FILE, "cannot read states", path, NULL, "%s",
				 strerror(errno));
	errno = 0;
	while (!err && getline(&r.line, &r.size, r.stream) >= 0) {
		r.number++;
		err = take_line(&r);
	}
	if (!err && !feof(r.stream))
		err = pbit_fail(errno ? -errno : -EIO, PBIT_ERR_FILE, "cannot read states", path,
				NULL, "%s", strerror(errno ? errno : EIO));
	if (!err)
		err = check_count(file, path, n, replicas);
	fclose(r.stream);
	free(r.line);
	if (err)
		state_file_free(file);
	return err;
}

static int write_states(struct output_file *out, const struct state_file *file, uint32_t n)
{
	size_t words = ((size_t)n + 63) / 64;
	char *line = malloc((size_t)n + 1);
	int err = 0;

	if (!line)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot write states", out->path, NULL,
				 "out of memory");
	line[n] = '\n';
	for (uint32_t r = 0; r < file->replicas && !err; r++) {
		for (uint32_t i = 0; i < n; i++)
			line[i] = state_bit(file->states + r * words, i) > 0 ? '+' : '-';
		err = output_file_write(out, line, (size_t)n + 1);
	}
	free(line);
	return err;
}

int state_file_write(const struct state_file *file, const char *path, uint32_t n)
{
	struct output_file out;
	char head[256];
	int length, err = output_file_open(&out, path);

	if (err)
		return err;
	length = snprintf(head, sizeof(head),
			  "# pbit states: pbit sample --resume goes on from here\n"
			  "machine %llu\nseed %llu\nsweep %llu\norder %u\n",
			  (unsigned long long)file->machine, (unsigned long long)file->seed,
			  (unsigned long long)file->sweep, file->order);
	err = output_file_write(&out, head, (size_t)length);
	if (!err)
		err = write_states(&out, file, n);
	if (!err)
		return output_file_commit(&out);
	output_file_abandon(&out);
	return err;
}

void state_file_free(struct state_file *file)
{
	free(file->states);
	file->states = NULL;
}
