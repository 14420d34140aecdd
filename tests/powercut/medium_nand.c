/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <errno.h>
#include <string.h>

enum page_state {
	PAGE_ERASED,
	PAGE_PROGRAMMED,
	PAGE_UNREADABLE, /* ECC cannot correct it */
	PAGE_UNSTABLE,   /* every other read of it cannot be corrected */
	PAGE_WEAK,       /* its erase was cut: reads as erased */
	PAGE_FADING,     /* programmed when weak: soon unreadable */
};

#define FADING_READS 2

enum program_tear { PROGRAM_FIRST, PROGRAM_HALF, PROGRAM_LAST, PROGRAM_TEARS };
enum erase_tear { ERASE_UNSTABLE, ERASE_FIRST_HALF, ERASE_WEAK, ERASE_SECOND_HALF, ERASE_TEARS };

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

static void set_page(struct nand *nand, size_t page, enum page_state state)
{
	nand->state[page] = (uint8_t)state;
	nand->reads[page] = 0;
}

/* Pages [first, end) of the partition read as erased. */
static void clear_pages(struct nand *nand, size_t first, size_t end, enum page_state state)
{
	size_t size = nand->info.page_size;

	memset(nand->data + first * size, 0xff, (end - first) * size);
	for (size_t i = first; i < end; i++)
		set_page(nand, i, state);
}

static void erase_torn(struct nand *nand, size_t first, size_t end, unsigned tear)
{
	size_t middle = first + (end - first) / 2;

	switch (tear) {
	case ERASE_UNSTABLE:
		for (size_t i = first; i < end; i++)
			if (nand->state[i] == PAGE_ERASED)
				set_page(nand, i, PAGE_WEAK);
			else if (nand->state[i] == PAGE_PROGRAMMED || nand->state[i] == PAGE_FADING)
				set_page(nand, i, PAGE_UNSTABLE);
		break;
	case ERASE_FIRST_HALF:
		clear_pages(nand, first, middle, PAGE_WEAK);
		break;
	case ERASE_WEAK:
		clear_pages(nand, first, end, PAGE_WEAK);
		break;
	default:
		clear_pages(nand, middle, end, PAGE_WEAK);
	}
}

/* One more erase or program of a block; true when it is worn out. */
static bool wear(struct nand_block *block)
{
	if (block->wear > 1)
		block->wear--;
	else if (block->wear == 1)
		return true;
	return false;
}

/* Whoever sees nothing but erased pages behind one may program there. */
static uint32_t find_fresh(const struct nand *nand, size_t first, uint32_t count)
{
	while (count > 0 &&
	       (nand->state[first + count - 1] == PAGE_ERASED || nand->state[first + count - 1] == PAGE_WEAK))
		count--;
	return count;
}

int nand_mtd_erase(void *medium, int handle, uint64_t offset)
{
	struct medium *m = medium;
	struct nand *nand = nand_of(m, handle);
	uint32_t pages = nand ? nand->info.erase_size / nand->info.page_size : 0;
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
	                                          .tears = ERASE_TEARS});
	first = (size_t)offset / nand->info.page_size;
	worn = wear(block);
	block->erases++;
	m->figures.erases++;
	if (cut >= CUT_TORN)
		erase_torn(nand, first, first + pages, cut - CUT_TORN);
	else if (!worn)
		clear_pages(nand, first, first + pages, PAGE_ERASED);
	block->fresh = find_fresh(nand, first, pages);
	medium_end(m, cut);
	return worn ? -EIO : 0;
}

/* The rules of NAND that no right program breaks, and that no read-back would show broken. */
static void check_program(const struct nand *nand, uint64_t offset, size_t length)
{
	uint32_t per_block = nand->info.erase_size / nand->info.page_size;
	size_t first = (size_t)offset / nand->info.page_size;
	size_t end = first + length / nand->info.page_size;

	for (size_t i = first; i < end; i++) {
		const struct nand_block *block = &nand->block[i / per_block];

		if (block->bad)
			medium_die("%s: program across the bad block of page %zu", nand->name, i);
		if (nand->state[i] != PAGE_ERASED && nand->state[i] != PAGE_WEAK)
			medium_die("%s: program of page %zu, which is not erased", nand->name, i);
		if (i % per_block < block->fresh)
			medium_die("%s: program of page %zu after one behind it", nand->name, i);
	}
}

/* length bytes of a page, the rest stays as it was erased. */
static void program_page(struct nand *nand, size_t page, const uint8_t *data, size_t length, enum page_state state)
{
	uint32_t per_block = nand->info.erase_size / nand->info.page_size;

	memcpy(nand->data + page * nand->info.page_size, data, length);
	set_page(nand, page, state);
	nand->block[page / per_block].fresh = (uint32_t)(page % per_block) + 1;
}

static void program_torn(struct nand *nand, size_t first, size_t count, const uint8_t *data, unsigned tear)
{
	size_t size = nand->info.page_size;
	size_t whole = tear == PROGRAM_FIRST ? 0 : tear == PROGRAM_HALF ? count / 2 : count - 1;

	for (size_t i = 0; i < whole; i++)
		program_page(nand, first + i, data + i * size, size,
		             nand->state[first + i] == PAGE_WEAK ? PAGE_FADING : PAGE_PROGRAMMED);
	if (tear == PROGRAM_LAST)
		program_page(nand, first + whole, data + whole * size, size, PAGE_UNSTABLE);
	else if (tear == PROGRAM_HALF && count == 1)
		program_page(nand, first, data, size / 2, PAGE_UNSTABLE);
	else
		program_page(nand, first + whole, data + whole * size, size / 2, PAGE_UNREADABLE);
}

/* -EIO at the first block that is worn out. */
static int program_pages(struct nand *nand, size_t first, size_t count, const uint8_t *data)
{
	uint32_t per_block = nand->info.erase_size / nand->info.page_size;
	size_t size = nand->info.page_size;

	for (size_t i = 0; i < count; i++) {
		size_t page = first + i;

		if ((i == 0 || page % per_block == 0) && wear(&nand->block[page / per_block])) {
			program_page(nand, page, data + i * size, size / 2, PAGE_UNREADABLE);
			return -EIO;
		}
		program_page(nand, page, data + i * size, size,
		             nand->state[page] == PAGE_WEAK ? PAGE_FADING : PAGE_PROGRAMMED);
	}
	return 0;
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
	check_program(nand, offset, length);
	cut = medium_begin(m, &(struct cut_point){.verb = "program",
	                                          .object = nand->name,
	                                          .offset = offset,
	                                          .length = length,
	                                          .tears = PROGRAM_TEARS});
	if (cut >= CUT_TORN)
		program_torn(nand, (size_t)offset / page, length / page, data, cut - CUT_TORN);
	else
		err = program_pages(nand, (size_t)offset / page, length / page, data);
	m->figures.bytes_written += length;
	medium_end(m, cut);
	return err;
}

/* Whether this read of a page can be corrected. */
static bool read_page(struct nand *nand, size_t page)
{
	uint8_t before = nand->reads[page];

	if (before < UINT8_MAX - 1)
		nand->reads[page]++;
	else
		nand->reads[page] = (uint8_t)(before % 2 == 0 ? UINT8_MAX : UINT8_MAX - 1);
	switch (nand->state[page]) {
	case PAGE_UNREADABLE:
		return false;
	case PAGE_UNSTABLE:
		return before % 2 == 0;
	case PAGE_FADING:
		return before < FADING_READS;
	default:
		return true;
	}
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
		if (!read_page(nand, (size_t)(at / size))) {
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

static bool is_sound(const struct nand *nand, size_t page)
{
	return nand->state[page] == PAGE_ERASED || nand->state[page] == PAGE_PROGRAMMED ||
	       nand->state[page] == PAGE_WEAK;
}

bool medium_read_nand(struct medium *medium, const char *nand, void *data, size_t length)
{
	const struct nand *n = must_find(medium, nand);
	uint32_t size = n->info.erase_size;
	bool sound = true;
	size_t done = 0;

	for (uint64_t at = 0; at < n->info.size && done < length; at += size) {
		size_t count = length - done < size ? length - done : size;

		if (n->block[at / size].bad)
			continue;
		memcpy((uint8_t *)data + done, n->data + at, count);
		for (uint64_t page = at; page < at + count; page += n->info.page_size)
			sound = sound && is_sound(n, (size_t)(page / n->info.page_size));
		done += count;
	}
	return sound && done == length;
}

void medium_write_nand(struct medium *medium, const char *nand, const void *data, size_t length)
{
	struct nand *n = must_find(medium, nand);
	uint32_t size = n->info.page_size;
	uint32_t per_block = n->info.erase_size / size;
	size_t done = 0;

	for (size_t page = 0; page < n->info.size / size && done < length; page++) {
		size_t count = length - done < size ? length - done : size;

		if (n->block[page / per_block].bad)
			continue;
		if (page % per_block == 0) {
			clear_pages(n, page, page + per_block, PAGE_ERASED);
			n->block[page / per_block].fresh = 0;
		}
		program_page(n, page, (const uint8_t *)data + done, count, PAGE_PROGRAMMED);
		done += count;
	}
	if (done < length)
		medium_die("%s: %zu bytes do not fit", nand, length);
}
