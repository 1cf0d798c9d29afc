/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two kinds of random numbers. The small generator is xorshift64* (Vigna: An experimental
 * exploration of Marsaglia's xorshift generators, scrambled; ACM TOMS 42, 2016), whose upper bits
 * are used; its start is the seed through a mixer, so that seeds 1, 2, 3 have nothing in common.
 *
 * PORT 3c: hardware has its own source; keep only how its seed is set, if it has one.
 */
#include "random.h"

#include <errno.h>

/* The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable generators, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void random_start(struct random *r, bool contract, uint64_t seed)
{
	*r = (struct random){.contract = contract, .seed = seed};
	r->state = mix(seed);
	if (!r->state)
		r->state = 1;
	r->stream.domain = PBIT_DOMAIN_BOLTZMANN;
}

uint32_t random_draw(struct random *r, uint32_t i)
{
	const struct pbit_stream *s = &r->stream;

	if (r->contract && s->domain == PBIT_DOMAIN_LAYER)
		return pbit_draw_layer(r->seed, (uint32_t)s->layer, s->chain, s->sweep,
				       s->first_pbit + i);
	if (r->contract)
		return pbit_draw_boltzmann(r->seed, s->chain, s->sweep, s->first_pbit + i);
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)(r->state * 0x2545f4914f6cdd1du >> 40);
}

void random_next_sweep(struct random *r)
{
	r->stream.sweep++;
}

int random_seek(struct random *r, const struct pbit_stream *stream)
{
	static const char what[] = "cannot name the random bits";

	if (!r->contract)
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what,
				 "template:", "open it with generator=contract",
				 "its generator gives one number after the other");
	if (stream->domain == PBIT_DOMAIN_LAYER
		    ? stream->layer > UINT32_MAX
		    : stream->domain != PBIT_DOMAIN_BOLTZMANN || stream->layer != 0)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "template:", NULL,
				 "domain %u, layer %llu is not in the contract", stream->domain,
				 (unsigned long long)stream->layer);
	r->stream = *stream;
	return 0;
}
