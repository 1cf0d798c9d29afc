/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check of the flattened device tree under a model that makes every later step with libfdt safe
 * and linear in its size. libfdt has a check of its own, which is made too, last: release 1.6, which
 * systems have, follows some hostile trees into a NULL pointer or without end.
 */
#include <errno.h>
#include <string.h>
#include <libfdt.h>
#include "model.h"

static bool block_inside(uint64_t offset, uint64_t size, uint64_t total)
{
	return offset >= sizeof(struct fdt_header) && offset + size <= total;
}

/*
 * Names are bounded before libfdt looks at them: it searches the end of a property's name anew for
 * every property, which a hostile block of names would make quadratic.
 */
static int check_names(const struct pbit__origin *origin, const char *names, size_t size)
{
	size_t start = 0;

	while (start < size) {
		size_t left = size - start;
		size_t reach = left < PBIT__MAX_NAME + 1 ? left : PBIT__MAX_NAME + 1;
		const char *end = memchr(names + start, 0, reach);

		if (!end)
			return pbit__model_fail(origin, -EINVAL, NULL, NULL,
						"a property name in the strings block has no end "
						"within %u bytes",
						PBIT__MAX_NAME);
		start = (size_t)(end - names) + 1;
	}
	return 0;
}

static int check_header(const struct pbit__origin *origin, const void *blob, size_t size)
{
	uint64_t total;

	if (size < sizeof(struct fdt_header))
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"%zu bytes, expected at least a header of %zu", size,
					sizeof(struct fdt_header));
	if (fdt_magic(blob) != FDT_MAGIC)
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"not a flattened device tree: begins with %08x, expected "
					"%08x",
					fdt_magic(blob), FDT_MAGIC);
	if (fdt_version(blob) < 17 || fdt_last_comp_version(blob) > 17)
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"flattened device tree of version %u (readable from %u), "
					"expected 17",
					fdt_version(blob), fdt_last_comp_version(blob));
	total = fdt_totalsize(blob);
	if (total > size)
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"truncated: %zu bytes, its header says %llu", size,
					(unsigned long long)total);
	/* libfdt 1.6 takes the length of INT_MAX for an error and then follows a NULL pointer. */
	if (total >= INT_MAX)
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"a tree of %llu bytes, expected at most %d",
					(unsigned long long)total, INT_MAX - 1);
	if (!block_inside(fdt_off_dt_struct(blob), fdt_size_dt_struct(blob), total) ||
	    !block_inside(fdt_off_dt_strings(blob), fdt_size_dt_strings(blob), total) ||
	    !block_inside(fdt_off_mem_rsvmap(blob), sizeof(struct fdt_reserve_entry), total))
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"a block named in its header lies outside the %llu bytes "
					"of the tree",
					(unsigned long long)total);
	if (fdt_off_dt_struct(blob) % 4 || fdt_off_mem_rsvmap(blob) % 8)
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"a block named in its header is not aligned");
	return 0;
}

/* A walk through the structure block. */
struct structure {
	const struct pbit__origin *origin;
	const unsigned char *data;
	uint64_t size;
	uint64_t n_names; /* bytes of the strings block */
	uint64_t offset;
	uint64_t depth;
	bool after_node; /* of the current node, a subnode has ended */
};

static int fail_structure(const struct structure *walk, uint64_t offset, const char *why)
{
	return pbit__model_fail(walk->origin, -EINVAL, NULL, NULL,
				"damaged at byte %llu of the structure block: %s",
				(unsigned long long)offset, why);
}

/* Passes over `size` bytes and what rounds them up to a cell. */
static bool pass(struct structure *walk, uint64_t size)
{
	uint64_t end = (walk->offset + size + 3) / 4 * 4;

	if (end > walk->size)
		return false;
	walk->offset = end;
	return true;
}

static int check_node(struct structure *walk)
{
	const unsigned char *name = walk->data + walk->offset;
	const unsigned char *end = memchr(name, 0, (size_t)(walk->size - walk->offset));

	if (!end || !pass(walk, (uint64_t)(end - name) + 1))
		return fail_structure(walk, walk->offset, "a node's name has no end");
	walk->depth++;
	walk->after_node = false;
	return 0;
}

static int check_property(struct structure *walk)
{
	const unsigned char *cells = walk->data + walk->offset;
	uint64_t at = walk->offset;

	if (!walk->depth || walk->after_node)
		return fail_structure(walk, at, "a property outside or at the end of its node");
	if (!pass(walk, 8))
		return fail_structure(walk, at, "a property without its length");
	if (!pass(walk, fdt32_ld((const fdt32_t *)(const void *)cells)))
		return fail_structure(walk, at, "a property longer than the block");
	if (fdt32_ld((const fdt32_t *)(const void *)(cells + 4)) >= walk->n_names)
		return fail_structure(walk, at, "a property whose name is outside the strings");
	return 0;
}

static int check_tag(struct structure *walk, uint32_t tag)
{
	switch (tag) {
	case FDT_BEGIN_NODE:
		return check_node(walk);
	case FDT_PROP:
		return check_property(walk);
	case FDT_END_NODE:
		if (!walk->depth)
			return fail_structure(walk, walk->offset, "an end without a node");
		walk->depth--;
		walk->after_node = true;
		return 0;
	case FDT_NOP:
		return 0;
	default:
		return fail_structure(walk, walk->offset, "an unknown tag");
	}
}

/*
 * Lengths are checked here first: libfdt 1.6 adds them without a look at overflow, and a property of
 * 2^32 - 12 bytes leads it round for ever.
 */
static int check_structure(const struct pbit__origin *origin, const void *blob)
{
	struct structure walk = {
		.origin = origin,
		.data = (const unsigned char *)blob + fdt_off_dt_struct(blob),
		.size = fdt_size_dt_struct(blob),
		.n_names = fdt_size_dt_strings(blob),
	};

	for (;;) {
		const unsigned char *cell = walk.data + walk.offset;
		uint32_t tag;
		int err;

		if (!pass(&walk, 4))
			return fail_structure(&walk, walk.offset, "no end");
		tag = fdt32_ld((const fdt32_t *)(const void *)cell);
		if (tag == FDT_END)
			break;
		err = check_tag(&walk, tag);
		if (err)
			return err;
	}
	return walk.depth ? fail_structure(&walk, walk.offset, "a node without an end") : 0;
}

int pbit__tree_check(const struct pbit__origin *origin, const void *blob, size_t size)
{
	int err = check_header(origin, blob, size);

	if (err)
		return err;
	err = check_names(origin, (const char *)blob + fdt_off_dt_strings(blob),
			  fdt_size_dt_strings(blob));
	if (!err)
		err = check_structure(origin, blob);
	if (err)
		return err;
	err = fdt_check_full(blob, size);
	if (err)
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"damaged flattened device tree: %s", fdt_strerror(err));
	return 0;
}
