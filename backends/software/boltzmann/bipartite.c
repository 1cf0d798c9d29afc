/* SPDX-License-Identifier: Apache-2.0 */
/* The "bipartite" engine: batches of chains of a machine of two sides. */
#include "bipartite.h"

#include <errno.h>
#include <stdlib.h>
#include "bipartite_pack.h"
#include "blocks.h"
#include "kernels/kernels.h"
#include "sigmoid16.h"

#define LINE	   64u
#define BATCH	   32u		       /* chains at most */
#define WHOLE	   16u		       /* columns that kernels may read and write together */
#define MOST_BYTES (UINT64_C(4) << 30) /* of couplings */
#define NEAR	   1.75e6	       /* bytes of couplings that stay in a cache */
#define SPARSEST   32u		       /* of n^2 entries, one in so many is there at least */
#define LOOK	   (UINT64_C(1) << 25) /* couplings between two looks at the control block */

/* What one thread works with. */
struct bench {
	int32_t *sums, *digit_sums;
	uint8_t *states; /* of the other side, with room for whole columns */
	uint8_t *scratch;
	uint16_t *high; /* [chain of the batch][room] */
};

struct bipartite {
	struct soft_blocks blocks;
	struct soft_sides sides;
	const struct soft_kernels *kernels;
	soft_bipartite_fn *draw_side;
	soft_draw_group_fn *draw;
	const struct soft_update *update; /* under way */
	uint32_t n, replicas, batch, threads;
	double step;
	size_t room;	 /* entries of high for one chain */
	size_t bytes[2]; /* of a chain's state of a side */
	uint16_t *free[2];
	uint8_t *state, *kept; /* side 0 of all chains, then side 1 */
	struct bench *benches;
};

static const struct soft_kernels *kernels_of(enum soft_level level)
{
#ifdef __x86_64__
	if (level >= SOFT_LEVEL_AVX512)
		return soft_kernels_amx.usable() ? &soft_kernels_amx : &soft_kernels_avx512;
	if (level == SOFT_LEVEL_AVX2)
		return &soft_kernels_avx2;
#endif
	(void)level;
	return &soft_kernels_portable;
}

static soft_bipartite_fn *draws_of(enum soft_level level)
{
#ifdef __x86_64__
	if (level >= SOFT_LEVEL_AVX512)
		return soft_bipartite_avx512;
	if (level == SOFT_LEVEL_AVX2)
		return soft_bipartite_avx2;
#endif
	(void)level;
	return soft_bipartite_portable;
}

/* Chains that go together: whole batches for each thread where there are enough. */
static uint32_t batch_of(uint32_t replicas, struct soft_pool *pool)
{
	const uint32_t threads = soft_pool_threads(pool);
	const uint32_t share = replicas / threads + (replicas % threads != 0);

	return share < BATCH ? share : BATCH;
}

/* ns of a sweep of one chain: couplings read once a batch, products, draws. */
static double chain_ns(const uint32_t n[2], uint32_t planes, uint32_t batch, enum soft_level level)
{
	static const double read[] = {0.0, 0.002, 0.0082}, product[] = {0.045, 0.0128, 0.0008};
	static const double draw[] = {1.2, 0.7, 0.45};
	const double entries = 2.0 * n[0] * n[1] * planes;
	const double far = entries > NEAR ? 4.0 : 1.0;

	return entries * (read[level] * far / batch + product[level]) +
	       (double)(n[0] + n[1]) * draw[level];
}

static double bipartite_cost(const struct soft_bm_request *req)
{
	const struct pbit_bm_view *view = req->view;
	uint32_t n[2], planes;

	if (req->order == PBIT_ORDER_SYNCHRONOUS ||
	    view->row[view->n] < (uint64_t)view->n * view->n / SPARSEST ||
	    soft_sides_measure(view, req->order, n, &planes) || !planes)
		return 0.0;
	if (2.0 * n[0] * n[1] * planes > (double)MOST_BYTES)
		return 0.0;
	return chain_ns(n, planes, batch_of(req->replicas, req->pool), req->level) / view->n;
}

static void bipartite_free(void *priv)
{
	struct bipartite *b = priv;

	if (!b)
		return;
	for (uint32_t t = 0; b->benches && t < b->threads; t++) {
		free(b->benches[t].sums);
		free(b->benches[t].digit_sums);
		free(b->benches[t].states);
		free(b->benches[t].scratch);
		free(b->benches[t].high);
	}
	free(b->benches);
	free(b->free[0]);
	free(b->free[1]);
	free(b->state);
	free(b->kept);
	soft_sides_free(&b->sides);
	free(b);
}

/* Cleared, at the start of a line. */
static void *lines(size_t bytes)
{
	const size_t whole = (bytes / LINE + 1) * LINE;
	void *p = aligned_alloc(LINE, whole);

	if (p)
		memset(p, 0, whole);
	return p;
}

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int make_benches(struct bipartite *b)
{
	const struct soft_side *side = b->sides.side;
	const size_t columns = (b->batch + WHOLE - 1) / WHOLE * WHOLE;
	const size_t sums = columns * BIPARTITE_LANES * max_size(side[0].tiles, side[1].tiles) *
			    sizeof(int32_t);
	const size_t scratch = soft_gemm_scratch(max_size(side[0].chunks, side[1].chunks), columns);

	b->threads = b->blocks.parts > 1 ? soft_pool_threads(b->blocks.pool) : 1;
	b->benches = calloc(b->threads, sizeof(*b->benches));
	if (!b->benches)
		return -ENOMEM;
	for (uint32_t t = 0; t < b->threads; t++) {
		struct bench *bench = &b->benches[t];

		bench->sums = lines(sums);
		bench->digit_sums = lines(b->sides.planes > 1 ? sums : 1);
		bench->states = lines(columns * max_size(b->bytes[0], b->bytes[1]));
		bench->scratch = lines(scratch);
		/* A gather reads one entry more. */
		bench->high = lines((b->batch * b->room + 1) * sizeof(*bench->high));
		if (!bench->sums || !bench->digit_sums || !bench->states || !bench->scratch ||
		    !bench->high)
			return -ENOMEM;
	}
	return 0;
}

static void release_all(struct bipartite *b)
{
	for (unsigned int side = 0; side < 2; side++)
		for (uint32_t p = 0; p < b->sides.side[side].n; p++)
			b->free[side][p / 16] |= (uint16_t)(1u << p % 16);
}

static uint16_t *state_of(const struct bipartite *b, unsigned int side, uint32_t replica)
{
	const size_t first = side ? b->bytes[0] * b->replicas : 0;

	return (uint16_t *)(void *)(b->state + first + replica * b->bytes[side]);
}

static int make_state(struct bipartite *b)
{
	const size_t chains = b->replicas;

	for (unsigned int side = 0; side < 2; side++) {
		b->bytes[side] = (size_t)b->sides.side[side].chunks * 4;
		b->free[side] = lines(b->bytes[side]);
		if (!b->free[side])
			return -ENOMEM;
	}
	if (b->bytes[0] + b->bytes[1] > SIZE_MAX / 2 / chains)
		return -ENOMEM;
	b->blocks.bytes = chains * (b->bytes[0] + b->bytes[1]);
	b->state = lines(b->blocks.bytes);
	b->kept = lines(b->blocks.bytes);
	if (!b->state || !b->kept)
		return -ENOMEM;
	b->blocks.state = b->state;
	b->blocks.copy = b->kept;
	return 0;
}

/* sums = 256 sums + those of the next digit, modulo 2^32. */
static void add_digit(int32_t *sums, const int32_t *digit_sums, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sums[i] = (int32_t)(256u * (uint32_t)sums[i] + (uint32_t)digit_sums[i]);
}

/* Sums of all p-bits of a side in chains first ... first + chains - 1. */
static void products(struct bipartite *b, unsigned int side, uint32_t first, uint32_t chains,
		     const struct bench *bench)
{
	const struct soft_side *to = &b->sides.side[side], *from = &b->sides.side[!side];
	const size_t lds = (size_t)to->tiles * BIPARTITE_LANES;

	/* Another thread may be changing the columns behind the last. */
	memcpy(bench->states, state_of(b, !side, first), chains * b->bytes[!side]);
	/* The highest digit first. */
	for (uint32_t p = b->sides.planes; p-- > 0;) {
		const bool highest = p + 1 == b->sides.planes;
		const struct soft_gemm g = {
			.w = to->w[p],
			.bits = 8,
			.tiles = to->tiles,
			.chunks = from->chunks,
			.x = bench->states,
			.ldx = b->bytes[!side],
			.n = chains,
			.s = highest ? bench->sums : bench->digit_sums,
			.lds = lds,
			.scratch = bench->scratch,
		};

		b->kernels->gemm_bits(&g);
		if (!highest)
			add_digit(bench->sums, bench->digit_sums, chains * lds);
	}
}

static void update_side(struct bipartite *b, unsigned int side, uint32_t first, uint32_t chains,
			const struct bench *bench, const struct soft_chain *chain)
{
	const struct soft_side *to = &b->sides.side[side];

	products(b, side, first, chains, bench);
	for (uint32_t c = 0; c < chains; c++) {
		const struct soft_bipartite_side draws = {
			.chain = &chain[c],
			.tiles = to->tiles,
			.sums = bench->sums + (size_t)c * to->tiles * BIPARTITE_LANES,
			.base = to->base,
			.pbit = to->pbit,
			.high = bench->high + c * b->room,
			.free = b->free[side],
			.state = state_of(b, side, first + c),
			.z_step = soft_sigmoid_step(chain[c].factor),
		};

		b->draw_side(&draws);
	}
}

static void bipartite_part(void *arg, uint32_t thread, size_t part, uint64_t done, uint64_t count,
			   struct soft_stop *stop)
{
	struct bipartite *b = arg;
	const struct bench *bench = &b->benches[thread];
	const uint32_t first = (uint32_t)part * b->batch, left = b->replicas - first;
	const uint32_t chains = left < b->batch ? left : b->batch;
	const uint64_t look =
		LOOK / ((uint64_t)b->sides.side[0].n * b->sides.side[1].n * chains) + 1;
	struct soft_chain chain[BATCH];

	for (uint64_t i = 0; i < count; i++) {
		if (i % look == look - 1 && soft_stop_now(stop))
			return;
		for (uint32_t c = 0; c < chains; c++) {
			chain[c] = soft_chain_at(b->update, done + i, first + c);
			soft_chain_draws(&chain[c], b->draw, b->n, bench->high + c * b->room);
		}
		update_side(b, 0, first, chains, bench, chain);
		update_side(b, 1, first, chains, bench, chain);
	}
}

static int bipartite_make(const struct soft_bm_request *req, void **priv)
{
	struct bipartite *b = calloc(1, sizeof(*b));
	int rc = -ENOMEM;
	uint32_t n[2];

	if (!b)
		return rc;
	b->n = req->view->n;
	b->replicas = req->replicas;
	b->batch = batch_of(req->replicas, req->pool);
	b->step = req->view->step;
	b->room = soft_chain_room(b->n);
	b->kernels = kernels_of(req->level);
	b->draw_side = draws_of(req->level);
	b->draw = soft_draw_group_pick(req->level);
	rc = soft_sides_make(req->view, req->order, &b->sides);
	if (rc)
		goto fail;
	n[0] = b->sides.side[0].n;
	n[1] = b->sides.side[1].n;
	b->blocks.pool = req->pool;
	b->blocks.parts = (b->replicas + (size_t)b->batch - 1) / b->batch;
	b->blocks.sweep_ns = chain_ns(n, b->sides.planes, b->batch, req->level) * req->replicas;
	b->blocks.part = bipartite_part;
	b->blocks.arg = b;
	rc = make_state(b);
	if (!rc)
		rc = make_benches(b);
	if (rc)
		goto fail;
	release_all(b);
	*priv = b;
	return 0;
fail:
	bipartite_free(b);
	return rc;
}

static bool is_set(const uint16_t *bits, uint32_t place)
{
	return bits[place / 16] >> place % 16 & 1;
}

static void set_to(uint16_t *bits, uint32_t place, bool up)
{
	const unsigned int bit = 1u << place % 16;

	bits[place / 16] = (uint16_t)(up ? bits[place / 16] | bit : bits[place / 16] & ~bit);
}

static void bipartite_clamp(void *priv, const uint64_t *mask, const uint64_t *values, bool each)
{
	struct bipartite *b = priv;

	release_all(b);
	for (uint32_t i = 0; mask && i < b->n; i++) {
		const unsigned int side = b->sides.which[i];
		const uint32_t place = b->sides.place[i];

		if (!soft_bit(mask, i))
			continue;
		set_to(b->free[side], place, false);
		for (uint32_t r = 0; r < b->replicas; r++)
			set_to(state_of(b, side, r), place,
			       soft_bit(values + (each ? r * soft_words(b->n) : 0), i));
	}
}

static void bipartite_set_state(void *priv, const uint64_t *state)
{
	struct bipartite *b = priv;

	for (uint32_t i = 0; i < b->n; i++) {
		const unsigned int side = b->sides.which[i];
		const uint32_t place = b->sides.place[i];

		for (uint32_t r = 0; is_set(b->free[side], place) && r < b->replicas; r++)
			set_to(state_of(b, side, r), place,
			       soft_bit(state + r * soft_words(b->n), i));
	}
}

static void bipartite_read(void *priv, uint64_t *state)
{
	struct bipartite *b = priv;
	const size_t words = soft_words(b->n);

	memset(state, 0, words * b->replicas * sizeof(*state));
	for (uint32_t r = 0; r < b->replicas; r++)
		for (uint32_t i = 0; i < b->n; i++) {
			const uint16_t *bits = state_of(b, b->sides.which[i], r);

			state[r * words + i / 64] |= (uint64_t)is_set(bits, b->sides.place[i])
						     << i % 64;
		}
}

static void bipartite_rebias(void *priv, const struct pbit_bm_view *view)
{
	struct bipartite *b = priv;

	soft_sides_base(view, &b->sides);
}

static int bipartite_update(void *priv, const double *beta, bool each,
			    const struct soft_bm_position *at, uint64_t sweeps,
			    struct pbit_ctl *ctl, uint64_t *done)
{
	struct bipartite *b = priv;
	const struct soft_update update = {.at = at, .beta = beta, .each = each, .step = b->step};

	b->update = &update;
	return soft_blocks_run(&b->blocks, sweeps, ctl, done);
}

const struct soft_bm_engine soft_engine_bipartite = {
	.name = "bipartite",
	.cost = bipartite_cost,
	.make = bipartite_make,
	.free = bipartite_free,
	.clamp = bipartite_clamp,
	.set_state = bipartite_set_state,
	.read = bipartite_read,
	.rebias = bipartite_rebias,
	.update = bipartite_update,
};
