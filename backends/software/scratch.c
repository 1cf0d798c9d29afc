/* SPDX-License-Identifier: Apache-2.0 */
/* One thread's working memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "scratch.h"

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Bytes of each part, enough for every layer; words of a state. */
struct parts {
	size_t codes, patch, sums, z, t16, bits, gemm, words;
};

static void measure(const struct soft_net *net, struct parts *p)
{
	memset(p, 0, sizeof(*p));
	for (uint32_t i = 0; i < net->n_layers; i++) {
		const struct soft_layer *l = &net->layers[i];
		const size_t positions =
			l->positions < SOFT_POSITIONS ? l->positions : SOFT_POSITIONS;
		const bool dense = l->positions == 1;
		const size_t columns = dense ? max(SOFT_COLUMNS, SOFT_IMAGES) : SOFT_POSITIONS;

		p->words = max(p->words, max(l->words, l->in_words));
		if (l->info->type == PBIT_MAXPOOL)
			continue;
		p->sums = max(p->sums, 4 * (dense ? (columns + 16) * l->row
						  : (l->positions + 32) * l->row + SOFT_GROUP));
		p->gemm = max(p->gemm, soft_gemm_scratch(l->info->k_padded / 32, columns));
		if (l->info->type == PBIT_CONV2D)
			p->patch = max(p->patch, (positions + 16) * (l->info->k_padded / 8 + 8));
		if (net->code_input && i == 0) {
			p->codes = (SOFT_IMAGES + 16) *
				   (soft_round_up(l->info->k_padded, 64) + 64) * net->code_bytes;
			p->codes = max(p->codes, 4 * (size_t)l->info->k_padded);
			p->z = max(p->z, SOFT_IMAGES * l->n_padded * 4);
			p->t16 = max(p->t16, SOFT_IMAGES * l->n_padded * 2);
		}
		p->z = max(p->z, l->n_padded * 4);
		p->t16 = max(p->t16, l->n_padded * 2);
	}
	p->bits = 4 * p->words * (SOFT_COLUMNS + 16);
}

int soft_scratch_new(const struct soft_net *net, struct soft_scratch *s)
{
	struct parts p;
	size_t total, wide;
	uint8_t *at;

	measure(net, &p);
	wide = net->code_input && net->code_bytes == 2;
	total = p.codes + p.patch + (1 + wide) * p.sums + p.z + p.t16 + 2 * p.bits + p.gemm +
		16 * 64;
	s->base = aligned_alloc(64, soft_round_up(total, 64));
	if (!s->base)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot load model",
				 "software:", "use fewer threads",
				 "out of memory for %zu bytes of activations", total);
	memset(s->base, 0, total);
	at = s->base;
#define PART(member, bytes)                       \
	do {                                      \
		s->member = (void *)at;           \
		at += soft_round_up((bytes), 64); \
	} while (0)
	PART(codes, p.codes);
	PART(patch, p.patch);
	PART(sums, p.sums);
	s->sums_high = s->sums; /* not used for codes of 8 bits */
	if (wide)
		PART(sums_high, p.sums);
	PART(z, p.z);
	PART(t16, p.t16);
	PART(bits[0], p.bits);
	PART(bits[1], p.bits);
	PART(gemm, p.gemm);
#undef PART
	s->words = p.words;
	return 0;
}

void soft_scratch_free(struct soft_scratch *s)
{
	free(s->base);
	s->base = NULL;
}
