// SPDX-License-Identifier: Apache-2.0
/* Requests of a vfio-user client. Nothing here waits for the client: it may hold a lock until we answer. */
#include <errno.h>
#include <jansson.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "server.h"

/* What an answer is made of. */
struct answer {
	const void *data;
	u32 size;
	int fd;
};

/* Copies the fixed part of a body. */
static int take(const struct conn_message *m, void *to, size_t size)
{
	if (m->size < size)
		return -EINVAL;
	memcpy(to, m->body, size);
	return 0;
}

static void client_limits(struct server *s, const char *text, size_t size)
{
	json_t *root = json_loadb(text, strnlen(text, size), 0, NULL);
	json_t *max = json_object_get(json_object_get(root, "capabilities"), "max_data_xfer_size");

	if (json_is_integer(max) && json_integer_value(max) >= 4096 &&
	    json_integer_value(max) < (json_int_t)WIRE_DATA_MAX)
		atomic_store(&s->conn.data_max, (u32)json_integer_value(max) & ~7u);
	json_decref(root);
}

static int do_version(struct server *s, const struct conn_message *m, struct answer *a)
{
	static const char text[] = "{\"capabilities\":{\"max_msg_fds\":16,"
				   "\"max_data_xfer_size\":1048576,\"max_dma_maps\":65535,"
				   "\"pgsizes\":4096}}";
	struct wire_version v;
	u8 *out = s->buffer;

	if (take(m, &v, sizeof(v)) || v.major)
		return -EINVAL;
	client_limits(s, (const char *)m->body + sizeof(v), m->size - sizeof(v));
	v.minor = 0;
	memcpy(out, &v, sizeof(v));
	memcpy(out + sizeof(v), text, sizeof(text));
	s->negotiated = true;
	*a = (struct answer){out, sizeof(v) + sizeof(text), -1};
	return 0;
}

static int do_map(struct server *s, const struct conn_message *m)
{
	struct wire_dma_map map;

	if (take(m, &map, sizeof(map)) || m->n_fds > 1)
		return -EINVAL;
	return dma_map(&s->card->dma, map.iova, map.size, map.flags, m->n_fds ? m->fd[0] : -1,
		       map.offset);
}

static int do_unmap(struct server *s, const struct conn_message *m, struct answer *a)
{
	struct wire_dma_unmap unmap;
	u64 unmapped = 0;
	int rc = 0;

	if (take(m, &unmap, sizeof(unmap)) || unmap.flags & ~WIRE_UNMAP_ALL)
		return -EINVAL;
	if (unmap.flags & WIRE_UNMAP_ALL) {
		dma_unmap_all(&s->card->dma);
	} else {
		rc = dma_unmap(&s->card->dma, unmap.iova, unmap.size, &unmapped);
		unmap.size = unmapped;
	}
	memcpy(s->buffer, &unmap, sizeof(unmap));
	*a = (struct answer){s->buffer, sizeof(unmap), -1};
	return rc;
}

static int do_info(struct server *s, const struct conn_message *m, struct answer *a)
{
	struct vfio_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};
	/* The first version of the struct, which all know. */
	const u32 size = 16;

	if (m->size < size)
		return -EINVAL;
	info.argsz = size;
	memcpy(s->buffer, &info, size);
	*a = (struct answer){s->buffer, size, -1};
	return 0;
}

static int do_region_info(struct server *s, const struct conn_message *m, struct answer *a)
{
	struct vfio_region_info info;

	if (take(m, &info, sizeof(info)) || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.size = region_size(s, info.index);
	info.flags = info.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	info.cap_offset = 0;
	info.offset = 0;
	*a = (struct answer){s->buffer, sizeof(info), -1};
	if (info.index == PBIT_BAR_MEMORY) {
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
		a->fd = s->card->memory_fd;
	}
	memcpy(s->buffer, &info, sizeof(info));
	return 0;
}

static u32 vectors(const struct server *s, u32 index)
{
	if (index == VFIO_PCI_MSIX_IRQ_INDEX)
		return 1 + s->card->plan.queues;
	return index == VFIO_PCI_MSI_IRQ_INDEX;
}

static int do_irq_info(struct server *s, const struct conn_message *m, struct answer *a)
{
	struct vfio_irq_info info;

	if (take(m, &info, sizeof(info)) || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = vectors(s, info.index);
	info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE : 0;
	memcpy(s->buffer, &info, sizeof(info));
	*a = (struct answer){s->buffer, sizeof(info), -1};
	return 0;
}

/* The eventfds of vectors; without any, they are let go. */
static void assign(struct server *s, struct conn_message *m, const struct vfio_irq_set *set)
{
	const bool msix = set->index == VFIO_PCI_MSIX_IRQ_INDEX;
	u32 i;

	pthread_mutex_lock(&s->card->lock);
	for (i = 0; i < set->count; i++) {
		irq_assign(s->card, msix, set->start + i, m->n_fds ? m->fd[i] : -1);
		if (m->n_fds)
			m->fd[i] = -1;
	}
	pthread_mutex_unlock(&s->card->lock);
}

static int do_set_irqs(struct server *s, struct conn_message *m)
{
	const u32 off = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
	const u32 on = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	struct vfio_irq_set set;
	u32 n;

	if (take(m, &set, sizeof(set)) || set.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	n = vectors(s, set.index);
	if (set.flags == off && !set.count) {
		set.start = 0;
		set.count = n;
		if (m->n_fds)
			return -EINVAL;
		assign(s, m, &set);
		return 0;
	}
	if (set.flags != on || set.start > n || set.count > n - set.start ||
	    (m->n_fds && m->n_fds != set.count))
		return -EINVAL;
	assign(s, m, &set);
	return 0;
}

static int do_read(struct server *s, const struct conn_message *m, struct answer *a)
{
	struct wire_region_access r;
	u8 *out = s->buffer;
	int rc;

	if (take(m, &r, sizeof(r)) || r.count > WIRE_DATA_MAX)
		return -EINVAL;
	rc = region_read(s, r.region, r.offset, out + sizeof(r), r.count);
	memcpy(out, &r, sizeof(r));
	*a = (struct answer){out, (u32)sizeof(r) + r.count, -1};
	return rc;
}

static int do_write(struct server *s, const struct conn_message *m, struct answer *a)
{
	struct wire_region_access w;

	if (take(m, &w, sizeof(w)) || w.count > m->size - sizeof(w))
		return -EINVAL;
	*a = (struct answer){s->buffer, sizeof(w), -1};
	return region_write(s, w.region, w.offset, m->body + sizeof(w), w.count);
}

static int dispatch(struct server *s, struct conn_message *m, struct answer *a)
{
	if (!s->negotiated && m->header.command != WIRE_VERSION)
		return -EINVAL;
	switch (m->header.command) {
	case WIRE_VERSION:
		return s->negotiated ? -EINVAL : do_version(s, m, a);
	case WIRE_DMA_MAP:
		return do_map(s, m);
	case WIRE_DMA_UNMAP:
		return do_unmap(s, m, a);
	case WIRE_DEVICE_INFO:
		return do_info(s, m, a);
	case WIRE_REGION_INFO:
		return do_region_info(s, m, a);
	case WIRE_IRQ_INFO:
		return do_irq_info(s, m, a);
	case WIRE_SET_IRQS:
		return do_set_irqs(s, m);
	case WIRE_REGION_READ:
		return do_read(s, m, a);
	case WIRE_REGION_WRITE:
		return do_write(s, m, a);
	case WIRE_DEVICE_RESET:
		config_reset(&s->config);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int reply(struct server *s, const struct wire_header *asked, int rc, const struct answer *a)
{
	struct wire_header h = {.id = asked->id, .command = asked->command, .flags = WIRE_REPLY};

	if (asked->flags & WIRE_NO_REPLY)
		return 0;
	if (!rc)
		return conn_send(&s->conn, &h, a->data, a->size, NULL, 0, a->fd);
	h.flags |= WIRE_ERROR;
	h.error = (u32)-rc;
	return conn_send(&s->conn, &h, NULL, 0, NULL, 0, -1);
}

int server_step(struct server *s)
{
	struct answer a = {.fd = -1};
	struct conn_message m;
	int rc = conn_receive(&s->conn, s->buffer, &m);

	if (rc)
		goto close;
	if ((m.header.flags & WIRE_TYPE) == WIRE_REPLY) {
		conn_answer(&s->conn, &m);
		goto close;
	}
	if (m.header.flags & WIRE_TYPE) {
		rc = -EPROTO;
		goto close;
	}
	rc = dispatch(s, &m, &a);
	rc = reply(s, &m.header, rc, &a);
close:
	conn_close_fds(&m);
	return rc;
}

int server_open(struct server *s, struct card *card, int fd)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->card = card;
	s->buffer = malloc(WIRE_BODY_MAX);
	if (!s->buffer)
		return -ENOMEM;
	rc = conn_init(&s->conn, fd);
	if (!rc)
		rc = vcard_reset(card, true);
	if (rc) {
		conn_destroy(&s->conn);
		free(s->buffer);
		return rc;
	}
	config_init(&s->config, card);
	atomic_store(&card->conn, &s->conn);
	return 0;
}

void server_close(struct server *s)
{
	struct card *card = s->card;

	conn_hang_up(&s->conn);
	dma_set_master(&card->dma, false);
	(void)vcard_reset(card, false);
	dma_unmap_all(&card->dma);
	pthread_mutex_lock(&card->lock);
	irq_forget(&card->irq);
	pthread_mutex_unlock(&card->lock);
	atomic_store(&card->conn, NULL);
	conn_destroy(&s->conn);
	free(s->buffer);
}
