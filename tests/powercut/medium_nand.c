/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <errno.h>
#include <string.h>

struct nand *nand_find(struct medium *medium, const char *name)
{
	for (size_t i = 0; i < medium->nands; i++)
		if (strcmp(medium->nand[i].name, name) == 0)
			return &medium->nand[i];
	return NULL;
}

void medium_add_nand(struct medium *medium, const char *name, uint32_t blocks, uint32_t erase_size, uint32_t page_size)
{
	struct nand *nand = &medium->nand[medium->nands++];
	size_t size = (size_t)blocks * erase_size;

	if (medium->nands > MEDIUM_NANDS)
		medium_die("more than %d NAND partitions", MEDIUM_NANDS);
	nand->name = name;
	nand->info = (struct storage_mtd_info){
		.size = size, .erase_size = erase_size, .page_size = page_size, .has_bad_blocks = true};
	nand->data = medium_allocate(medium, size);
	memset(nand->data, 0xff, size);
	nand->state = medium_allocate(medium, size / page_size);
	nand->reads = medium_allocate(medium, size / page_size);
	nand->block = medium_allocate(medium, blocks * sizeof(*nand->block));
}

void nand_free(struct medium *medium, struct nand *nand)
{
	medium_release(medium, nand->data);
	medium_release(medium, nand->state);
	medium_release(medium, nand->reads);
	medium_release(medium, nand->block);
}

static struct nand *nand_of(struct medium *medium, int handle)
{
	return medium_handle(medium, handle)->nand; /* NULL: not one of NAND */
}

static bool is_writable(struct medium *medium, int handle)
{
	return medium_handle(medium, handle)->mode == STORAGE_WRITE;
}

int nand_mtd_info(void *medium, int handle, struct storage_mtd_info *info)
{
	const struct nand *nand = nand_of(medium, handle);

	if (!nand)
		return -ENOTTY;
	*info = nand->info;
	return 0;
}

int nand_mtd_is_bad(void *medium, int handle, uint64_t offset, bool *bad)
{
	const struct nand *nand = nand_of(medium, handle);

	if (!nand)
		return -ENOTTY;
	if (offset >= nand->info.size)
		return -EINVAL;
	*bad = nand->block[offset / nand->info.erase_size].bad;
	return 0;
}

int nand_mtd_mark_bad(void *medium, int handle, uint64_t offset)
{
	struct nand *nand = nand_of(medium, handle);
	unsigned cut;

	if (!nand || !is_writable(medium, handle))
		return nand ? -EPERM : -ENOTTY;
	if (offset >= nand->info.size)
		return -EINVAL;
	cut = medium_begin(medium, &(struct cut_point){.verb = "markbad", .object = nand->name, .offset = offset});
	nand->block[offset / nand->info.erase_size].bad = true;
	medium_end(medium, cut);
	return 0;
}

int nand_mtd_erase(void *medium, int handle, uint64_t offset)
{
	struct medium *m = medium;
	struct nand *nand = nand_of(m, handle);
	struct nand_block *block;
	size_t first;
	unsigned cut;
	bool worn;

	if (!nand || !is_writable(m, handle))
		return nand ? -EPERM : -ENOTTY;
	if (offset >= nand->info.size || offset % nand->info.erase_size != 0)
		return -EINVAL;
	block = &nand->block[offset / nand->info.erase_size];
	if (block->bad)
		return -EIO;
	cut = medium_begin(m, &(struct cut_point){.verb = "erase",
	                                          .object = nand->name,
	                                          .offset = offset,
	                                          .length = nand->info.erase_size,
	                                          .tears = NAND_ERASE_TEARS});
	first = (size_t)offset / nand->info.page_size;
	worn = block_wears(block);
	block->erases++;
	m->figures.erases++;
	if (cut >= CUT_TORN)
		pages_erase_torn(nand, first, cut - CUT_TORN);
	else if (!worn)
		pages_erase(nand, first);
	medium_end(m, cut);
	return worn ? -EIO : 0;
}

int nand_mtd_program(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	struct medium *m = medium;
	struct nand *nand = nand_of(m, handle);
	uint32_t page = nand ? nand->info.page_size : 1;
	unsigned cut;
	int err = 0;

	if (!nand || !is_writable(m, handle))
		return nand ? -EBADF : -EINVAL;
	if (offset > nand->info.size || length > nand->info.size - offset || offset % page != 0 || length % page != 0)
		return -EINVAL;
	if (length == 0)
		return 0;
	if (nand->block[offset / nand->info.erase_size].bad)
		return -EIO;
	pages_check_program(nand, (size_t)offset / page, length / page);
	cut = medium_begin(m, &(struct cut_point){.verb = "program",
	                                          .object = nand->name,
	                                          .offset = offset,
	                                          .length = length,
	                                          .tears = NAND_PROGRAM_TEARS});
	if (cut >= CUT_TORN)
		pages_program_torn(nand, (size_t)offset / page, length / page, data, cut - CUT_TORN);
	else
		err = pages_program(nand, (size_t)offset / page, length / page, data);
	m->figures.bytes_written += length;
	medium_end(m, cut);
	return err;
}

int nand_mtd_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	struct medium *m = medium;
	struct nand *nand = nand_of(m, handle);
	uint32_t size = nand ? nand->info.page_size : 1;
	uint8_t *out = buffer;
	int err = 0;

	if (!nand)
		return -ENOTTY;
	if (offset > nand->info.size || length > nand->info.size - offset)
		return -EINVAL;
	m->figures.bytes_read += length;
	for (size_t done = 0; done < length;) {
		uint64_t at = offset + done;
		size_t left = size - (size_t)(at % size);
		size_t n = length - done < left ? length - done : left;

		if (nand->block[at / nand->info.erase_size].bad)
			return -EIO;
		memcpy(out + done, nand->data + at, n);
		if (!page_read(nand, (size_t)(at / size))) {
			err = -EBADMSG;
			for (size_t i = 0; i < n; i++) /* as far from the truth as from an erased page */
				out[done + i] ^= (uint8_t)(0x55 + i % 7);
		}
		done += n;
	}
	return err;
}

/* ---- From outside ---- */

static struct nand *must_find(struct medium *medium, const char *name)
{
	struct nand *nand = nand_find(medium, name);

	if (!nand)
		medium_die("no NAND partition %s", name);
	return nand;
}

void medium_wear_out(struct medium *medium, const char *nand, uint32_t block, unsigned count)
{
	must_find(medium, nand)->block[block].wear = count;
}

void medium_make_bad(struct medium *medium, const char *nand, uint32_t block)
{
	must_find(medium, nand)->block[block].bad = true;
}

bool medium_read_nand_at(struct medium *medium, const char *nand, uint64_t offset, void *data, size_t length)
{
	const struct nand *n = must_find(medium, nand);
	uint32_t size = n->info.page_size;
	bool sound = true;
	size_t done = 0;

	for (uint64_t at = 0; at < n->info.size && done < length; at += size) {
		size_t skip = offset < size ? (size_t)offset : size;
		size_t count = length - done < size - skip ? length - done : size - skip;

		if (n->block[at / n->info.erase_size].bad)
			continue;
		offset -= skip;
		if (count == 0)
			continue;
		memcpy((uint8_t *)data + done, n->data + at + skip, count);
		sound = sound && page_is_sound(n, (size_t)(at / size));
		done += count;
	}
	return sound && done == length;
}

bool medium_read_nand(struct medium *medium, const char *nand, void *data, size_t length)
{
	return medium_read_nand_at(medium, nand, 0, data, length);
}

void medium_write_nand(struct medium *medium, const char *nand, const void *data, size_t length)
{
	struct nand *n = must_find(medium, nand);
	uint32_t size = n->info.page_size;
	size_t done = 0;

	for (uint64_t at = 0; at < n->info.size && done < length; at += size) {
		if (n->block[at / n->info.erase_size].bad)
			continue;
		if (at % n->info.erase_size == 0)
			pages_erase(n, (size_t)at / size);
		pages_fill(n, (size_t)at / size, (const uint8_t *)data + done, length - done);
		done += length - done < size ? length - done : size;
	}
	if (done < length)
		medium_die("%s: %zu bytes do not fit", nand, length);
}
