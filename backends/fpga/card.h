/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A p-bit card, whatever the way to it: the operations of a backend, with struct card as their priv.
 */
#ifndef PBIT_FPGA_CARD_H
#define PBIT_FPGA_CARD_H

#include "link.h"

struct card_machine;

struct card {
	struct card_link *link;
	struct card_machine *machine; /* programmed, or NULL */
	struct card_buffer stage;     /* host buffer on the way to device memory */
	struct pbit_cmd *cmds;	      /* max_commands of them */
};

/* Takes the link over, also on failure. */
int card_new(struct card_link *link, const char *uri, struct card **card);
void card_close(void *priv);
int card_get_caps(void *priv, struct pbit_caps *caps);

int card_program(void *priv, const struct pbit_bm_view *view, uint32_t order, uint64_t seed);
int card_program_replicas(void *priv, const struct pbit_bm_view *view,
			  const struct pbit_program_opts *opts);
int card_clamp(void *priv, const uint64_t *mask, const uint64_t *value);
int card_clamp_each(void *priv, const uint64_t *mask, const uint64_t *values);
int card_set_state(void *priv, const uint64_t *state);
int card_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl);
int card_update_each(void *priv, const double *beta, uint64_t sweeps, struct pbit_ctl *ctl);
int card_read(void *priv, uint64_t *state);
int card_seek(void *priv, const struct pbit_stream *stream);
int card_rebias(void *priv, const struct pbit_bm_view *view);

int card_net_load(void *priv, const struct pbit_model *model, uint32_t first, uint32_t n,
		  void **net);
void card_net_unload(void *priv, void *net);
int card_net_run(void *priv, void *net, const struct pbit_layers_req *req, struct pbit_ctl *ctl);

/* All of a table but scan and open. */
#define CARD_OPS                                                                           \
	.close = card_close, .get_caps = card_get_caps, .program = card_program,           \
	.clamp = card_clamp, .set_state = card_set_state, .update = card_update,           \
	.read = card_read, .net_load = card_net_load, .net_unload = card_net_unload,       \
	.net_run = card_net_run, .program_replicas = card_program_replicas,                \
	.clamp_each = card_clamp_each, .update_each = card_update_each, .seek = card_seek, \
	.rebias = card_rebias

/* rom.c: -EPROTO for a feature ROM that nothing could be done with. */
int card_rom_check(const struct pbit_card_rom *rom, bool crc, const char *where);

/* io.c: buffers, and what is in them. */
int card_buffer_new(struct card *card, const char *what, uint32_t place, uint64_t bytes,
		    struct card_buffer *buffer);
void card_buffer_free(struct card *card, struct card_buffer *buffer);
int card_upload(struct card *card, const char *what, const struct card_buffer *to, uint64_t at,
		const void *data, uint64_t bytes);
int card_download(struct card *card, const char *what, const struct card_buffer *from, uint64_t at,
		  void *data, uint64_t bytes);
int card_no_memory(const struct card *card, const char *what);

/* A small array that is often written lies in host memory, a large one in the device's. */
int card_array_new(struct card *card, const char *what, uint64_t bytes, struct card_buffer *array);
int card_array_set(struct card *card, const char *what, const struct card_buffer *array,
		   const void *data, uint64_t bytes);

static inline struct pbit_ref card_ref(const struct card_buffer *buffer, uint64_t offset)
{
	return (struct pbit_ref){.handle = buffer->handle, .offset = offset};
}

static inline uint64_t card_round_up(uint64_t x, uint64_t to)
{
	return (x + to - 1) / to * to;
}

#endif
