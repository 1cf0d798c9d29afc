/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of a card and what is in them. */
#include <errno.h>
#include <string.h>
#include "pipe.h"

/* Of the buffer on the way, and of an array that lies in host memory. */
#define STAGE_BYTES (256u << 10)
#define ARRAY_BYTES (64u << 10)

int card_link_gone(struct card_link *link, const char *what, const char *why)
{
	link->dead = true;
	return pbit_fail(-ENODEV, PBIT_ERR_GONE, what, link->where,
			 "close this handle; open the device again once it is back", "%s",
			 why ? why : "the device was removed or reset");
}

int card_no_memory(const struct card *card, const char *what)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, card->link->where,
			 "close other programs or use a smaller model", "out of memory");
}

int card_buffer_new(struct card *card, const char *what, uint32_t place, uint64_t bytes,
		    struct card_buffer *buffer)
{
	struct card_link *link = card->link;

	if (link->dead)
		return card_link_gone(link, what, NULL);
	*buffer = (struct card_buffer){0};
	return link->ops->buffer_new(link, what, place, bytes, buffer);
}

void card_buffer_free(struct card *card, struct card_buffer *buffer)
{
	if (buffer->handle)
		card->link->ops->buffer_free(card->link, buffer);
	*buffer = (struct card_buffer){0};
}

/* Bytes of one step, after making sure of the buffer on the way. */
static int stage(struct card *card, const char *what, uint64_t *step)
{
	const struct card_link *link = card->link;
	uint64_t bytes = STAGE_BYTES;

	if (bytes > link->max_host_buffer)
		bytes = link->max_host_buffer;
	*step = bytes / 8 > link->max_work ? 8 * link->max_work : bytes;
	return card->stage.handle
		       ? 0
		       : card_buffer_new(card, what, PBIT_BUFFER_HOST, bytes, &card->stage);
}

static int copy(struct card *card, const char *what, struct pbit_ref from, struct pbit_ref to,
		uint64_t bytes)
{
	const struct pbit_cmd cmd = {
		.op = PBIT_OP_COPY,
		.copy = {.from = from, .to = to, .bytes = bytes},
	};

	return card_run(card, what, &cmd, 1, NULL);
}

int card_upload(struct card *card, const char *what, const struct card_buffer *to, uint64_t at,
		const void *data, uint64_t bytes)
{
	struct card_link *link = card->link;
	const uint8_t *from = data;
	uint64_t step, part;
	int rc;

	if (link->dead)
		return card_link_gone(link, what, NULL);
	if (link->ops->poke)
		return link->ops->poke(link, to, at, data, bytes);
	rc = stage(card, what, &step);
	for (; !rc && bytes; bytes -= part, from += part, at += part) {
		part = bytes < step ? bytes : step;
		memcpy(card->stage.mem, from, part);
		rc = card_flush(link, &card->stage, 0, part);
		if (!rc)
			rc = copy(card, what, card_ref(&card->stage, 0), card_ref(to, at), part);
	}
	return rc;
}

int card_download(struct card *card, const char *what, const struct card_buffer *from, uint64_t at,
		  void *data, uint64_t bytes)
{
	struct card_link *link = card->link;
	uint64_t step, part;
	uint8_t *to = data;
	int rc;

	if (link->dead)
		return card_link_gone(link, what, NULL);
	if (link->ops->peek)
		return link->ops->peek(link, from, at, data, bytes);
	rc = stage(card, what, &step);
	for (; !rc && bytes; bytes -= part, to += part, at += part) {
		part = bytes < step ? bytes : step;
		rc = copy(card, what, card_ref(from, at), card_ref(&card->stage, 0), part);
		if (!rc)
			rc = card_fetch(link, &card->stage, 0, part);
		if (!rc)
			memcpy(to, card->stage.mem, part);
	}
	return rc;
}

int card_array_new(struct card *card, const char *what, uint64_t bytes, struct card_buffer *array)
{
	const bool host = bytes <= ARRAY_BYTES && bytes <= card->link->max_host_buffer;

	return card_buffer_new(card, what, host ? PBIT_BUFFER_HOST : PBIT_BUFFER_DEVICE, bytes,
			       array);
}

int card_array_set(struct card *card, const char *what, const struct card_buffer *array,
		   const void *data, uint64_t bytes)
{
	if (array->place == PBIT_BUFFER_DEVICE)
		return card_upload(card, what, array, 0, data, bytes);
	memcpy(array->mem, data, bytes);
	return card_flush(card->link, array, 0, bytes);
}
