// SPDX-License-Identifier: Apache-2.0
/* Maps of the host's memory, in order of their addresses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "dma.h"
#include "wire.h"

int dma_init(struct dma *dma)
{
	int rc = pthread_mutex_init(&dma->lock, NULL);

	return rc ? -rc : -pthread_cond_init(&dma->unpinned, NULL);
}

/* The first map that ends behind an address. */
static size_t first_behind(const struct dma *dma, u64 address)
{
	size_t low = 0, high = dma->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct dma_map *m = dma->map[middle];

		if (m->iova + (m->size - 1) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reach_file(struct dma_map *m, int fd, u64 offset)
{
	const u64 page = (u64)sysconf(_SC_PAGESIZE), skip = offset % page;
	const int protection = (m->read ? PROT_READ : 0) | (m->write ? PROT_WRITE : 0);
	struct stat st;

	if (m->size > SIZE_MAX - skip || offset > INT64_MAX || m->size > INT64_MAX - offset)
		return -EINVAL;
	/* Behind the end of a file there is nothing to reach. */
	if (fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode) && (u64)st.st_size < offset + m->size)
		return -EINVAL;
	m->span = (size_t)(m->size + skip);
	m->base = mmap(NULL, m->span, protection, MAP_SHARED, fd, (off_t)(offset - skip));
	if (m->base == MAP_FAILED)
		return -errno;
	m->at = (u8 *)m->base + skip;
	return 0;
}

static void map_free(struct dma_map *m)
{
	if (m->at)
		munmap(m->base, m->span);
	free(m);
}

static int make_room(struct dma *dma)
{
	const size_t room = dma->room ? 2 * dma->room : 64;
	struct dma_map **map;

	if (dma->n == DMA_MAPS_MAX)
		return -ENOSPC;
	if (dma->n < dma->room)
		return 0;
	map = realloc(dma->map, room * sizeof(*map));
	if (!map)
		return -ENOMEM;
	dma->map = map;
	dma->room = room;
	return 0;
}

static int insert(struct dma *dma, struct dma_map *m)
{
	const size_t i = first_behind(dma, m->iova);
	int rc;

	if (i < dma->n && dma->map[i]->iova <= m->iova + (m->size - 1))
		return -EEXIST;
	rc = make_room(dma);
	if (rc)
		return rc;
	memmove(dma->map + i + 1, dma->map + i, (dma->n - i) * sizeof(*dma->map));
	dma->map[i] = m;
	dma->n++;
	return 0;
}

int dma_map(struct dma *dma, u64 iova, u64 size, u32 flags, int fd, u64 offset)
{
	struct dma_map *m;
	int rc = 0;

	if (!size || size - 1 > ~0ull - iova || flags & ~(WIRE_MAP_READ | WIRE_MAP_WRITE) || !flags)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->iova = iova;
	m->size = size;
	m->read = flags & WIRE_MAP_READ;
	m->write = flags & WIRE_MAP_WRITE;
	if (fd >= 0)
		rc = reach_file(m, fd, offset);
	if (!rc) {
		pthread_mutex_lock(&dma->lock);
		rc = insert(dma, m);
		pthread_mutex_unlock(&dma->lock);
	}
	if (rc)
		map_free(m);
	return rc;
}

/* lock held. Users let go within a poll of the engine; they wait for nothing that we hold up. */
static void take_back(struct dma *dma, size_t first, size_t end)
{
	size_t i;

	atomic_fetch_add(&dma->revoking, 1);
	for (i = first; i < end; i++)
		dma->map[i]->revoked = true;
	/* Only this thread adds and removes maps: indices stay. */
	for (i = first; i < end; i++)
		while (dma->map[i]->pins)
			pthread_cond_wait(&dma->unpinned, &dma->lock);
	for (i = first; i < end; i++)
		map_free(dma->map[i]);
	memmove(dma->map + first, dma->map + end, (dma->n - end) * sizeof(*dma->map));
	dma->n -= end - first;
	atomic_fetch_sub(&dma->revoking, 1);
}

int dma_unmap(struct dma *dma, u64 iova, u64 size, u64 *unmapped)
{
	const u64 last = iova + (size - 1);
	size_t first, end;
	int rc = 0;

	*unmapped = 0;
	if (!size || size - 1 > ~0ull - iova)
		return -EINVAL;
	pthread_mutex_lock(&dma->lock);
	first = first_behind(dma, iova);
	for (end = first; end < dma->n && dma->map[end]->iova <= last; end++) {
		const struct dma_map *m = dma->map[end];

		if (m->iova < iova || m->iova + (m->size - 1) > last)
			rc = -EINVAL;
		*unmapped += m->size;
	}
	if (!rc && end > first)
		take_back(dma, first, end);
	pthread_mutex_unlock(&dma->lock);
	return rc;
}

void dma_unmap_all(struct dma *dma)
{
	pthread_mutex_lock(&dma->lock);
	if (dma->n)
		take_back(dma, 0, dma->n);
	pthread_mutex_unlock(&dma->lock);
}

void dma_set_master(struct dma *dma, bool master)
{
	size_t i;

	pthread_mutex_lock(&dma->lock);
	atomic_store(&dma->master, master);
	for (i = 0; i < dma->n && !master; i++)
		while (dma->map[i]->pins)
			pthread_cond_wait(&dma->unpinned, &dma->lock);
	pthread_mutex_unlock(&dma->lock);
}

void dma_destroy(struct dma *dma)
{
	dma_unmap_all(dma);
	free(dma->map);
	pthread_cond_destroy(&dma->unpinned);
	pthread_mutex_destroy(&dma->lock);
}

struct dma_map *dma_pin(struct dma *dma, u64 address, bool write, u64 *left)
{
	struct dma_map *m = NULL;
	size_t i;

	pthread_mutex_lock(&dma->lock);
	i = first_behind(dma, address);
	if (atomic_load(&dma->master) && i < dma->n && dma->map[i]->iova <= address)
		m = dma->map[i];
	if (m && (m->revoked || !(write ? m->write : m->read)))
		m = NULL;
	if (m) {
		m->pins++;
		*left = m->size - (address - m->iova);
	}
	pthread_mutex_unlock(&dma->lock);
	return m;
}

void dma_unpin(struct dma *dma, struct dma_map *map)
{
	pthread_mutex_lock(&dma->lock);
	if (!--map->pins)
		pthread_cond_broadcast(&dma->unpinned);
	pthread_mutex_unlock(&dma->lock);
}
