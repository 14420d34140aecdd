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

enum program_tear { PROGRAM_FIRST, PROGRAM_HALF, PROGRAM_LAST, PROGRAM_LAST_LATE };
enum erase_tear { ERASE_UNSTABLE, ERASE_FIRST_HALF, ERASE_WEAK, ERASE_SECOND_HALF };

static uint32_t pages_per_block(const struct nand *nand)
{
	return nand->info.erase_size / nand->info.page_size;
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

/* Whoever sees nothing but erased pages behind one may program there. */
static uint32_t find_fresh(const struct nand *nand, size_t first)
{
	uint32_t count = pages_per_block(nand);

	while (count > 0 &&
	       (nand->state[first + count - 1] == PAGE_ERASED || nand->state[first + count - 1] == PAGE_WEAK))
		count--;
	return count;
}

void pages_erase(struct nand *nand, size_t first)
{
	clear_pages(nand, first, first + pages_per_block(nand), PAGE_ERASED);
	nand->block[first / pages_per_block(nand)].fresh = 0;
}

void pages_erase_torn(struct nand *nand, size_t first, unsigned tear)
{
	struct nand_block *block = &nand->block[first / pages_per_block(nand)];
	size_t end = first + pages_per_block(nand);
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
	block->fresh = find_fresh(nand, first);
}

bool block_wears(struct nand_block *block)
{
	if (block->wear > 1)
		block->wear--;
	else if (block->wear == 1)
		return true;
	return false;
}

void pages_check_program(const struct nand *nand, size_t first, size_t count)
{
	uint32_t per_block = pages_per_block(nand);

	for (size_t i = first; i < first + count; i++) {
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
static void set_programmed(struct nand *nand, size_t page, const uint8_t *data, size_t length, enum page_state state)
{
	uint32_t per_block = pages_per_block(nand);

	memcpy(nand->data + page * nand->info.page_size, data, length);
	set_page(nand, page, state);
	nand->block[page / per_block].fresh = (uint32_t)(page % per_block) + 1;
}

static void program_whole(struct nand *nand, size_t page, const uint8_t *data)
{
	set_programmed(nand, page, data, nand->info.page_size,
	               nand->state[page] == PAGE_WEAK ? PAGE_FADING : PAGE_PROGRAMMED);
}

void pages_program_torn(struct nand *nand, size_t first, size_t count, const uint8_t *data, unsigned tear)
{
	size_t size = nand->info.page_size;
	size_t whole = tear == PROGRAM_FIRST ? 0 : tear == PROGRAM_HALF ? count / 2 : count - 1;

	for (size_t i = 0; i < whole; i++)
		program_whole(nand, first + i, data + i * size);
	if (tear >= PROGRAM_LAST)
		set_programmed(nand, first + whole, data + whole * size, size, PAGE_UNSTABLE);
	else if (tear == PROGRAM_HALF && count == 1)
		set_programmed(nand, first, data, size / 2, PAGE_UNSTABLE);
	else
		set_programmed(nand, first + whole, data + whole * size, size / 2, PAGE_UNREADABLE);
	if (tear == PROGRAM_LAST_LATE)
		nand->reads[first + whole]++; /* already the first read of it fails */
}

int pages_program(struct nand *nand, size_t first, size_t count, const uint8_t *data)
{
	uint32_t per_block = pages_per_block(nand);
	size_t size = nand->info.page_size;

	for (size_t i = 0; i < count; i++) {
		size_t page = first + i;

		if ((i == 0 || page % per_block == 0) && block_wears(&nand->block[page / per_block])) {
			set_programmed(nand, page, data + i * size, size / 2, PAGE_UNREADABLE);
			return -EIO;
		}
		program_whole(nand, page, data + i * size);
	}
	return 0;
}

void pages_fill(struct nand *nand, size_t page, const uint8_t *data, size_t length)
{
	size_t size = nand->info.page_size;

	set_programmed(nand, page, data, length < size ? length : size, PAGE_PROGRAMMED);
}

bool page_read(struct nand *nand, size_t page)
{
	uint8_t reads = nand->reads[page]++;

	if (nand->state[page] == PAGE_FADING && reads == FADING_READS)
		set_page(nand, page, PAGE_UNREADABLE);
	if (nand->state[page] == PAGE_UNSTABLE)
		return reads % 2 == 0;
	return nand->state[page] != PAGE_UNREADABLE;
}

bool page_is_sound(const struct nand *nand, size_t page)
{
	return nand->state[page] == PAGE_ERASED || nand->state[page] == PAGE_PROGRAMMED ||
	       nand->state[page] == PAGE_WEAK;
}
