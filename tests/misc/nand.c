/* SPDX-License-Identifier: Apache-2.0 */
#include "nand.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int nand_find(void *medium, enum storage_kind kind, const char *name, struct storage_location *location)
{
	(void)medium;
	(void)kind;
	if (strcmp(name, "misc") != 0)
		return -ENOENT;
	location->kind = STORAGE_MTD;
	memcpy(location->path, "/dev/mtd0", sizeof("/dev/mtd0"));
	return 0;
}

/* No file system: the fstab is looked for and not found. */
static int nand_stat(void *medium, const char *path, struct storage_stat *stat)
{
	(void)medium;
	(void)path;
	(void)stat;
	return -ENOENT;
}

static int nand_open(void *medium, const char *path, enum storage_open_mode mode)
{
	(void)medium;
	(void)mode;
	return strcmp(path, "/dev/mtd0") == 0 ? 1 : -ENOENT;
}

static int nand_close(void *medium, int handle)
{
	(void)medium;
	(void)handle;
	return 0;
}

static int nand_info(void *medium, int handle, struct storage_mtd_info *info)
{
	const struct nand *nand = medium;

	(void)handle;
	*info = (struct storage_mtd_info){.size = (uint64_t)nand->blocks * NAND_BLOCK,
	                                  .erase_size = NAND_BLOCK,
	                                  .page_size = NAND_PAGE,
	                                  .has_bad_blocks = true};
	return 0;
}

static int nand_is_bad(void *medium, int handle, uint64_t offset, bool *bad)
{
	const struct nand *nand = medium;

	(void)handle;
	*bad = nand->bad[offset / NAND_BLOCK];
	return 0;
}

/* 1: do it, 0: power goes in the middle of it, else an error. */
static int power(struct nand *nand)
{
	nand->changes++;
	if (nand->cut_at == 0 || nand->changes < nand->cut_at)
		return 1;
	return nand->changes == nand->cut_at ? 0 : -EIO;
}

static int nand_mark_bad(void *medium, int handle, uint64_t offset)
{
	struct nand *nand = medium;
	int state = power(nand);

	(void)handle;
	if (state < 0)
		return state;
	nand->bad[offset / NAND_BLOCK] = true;
	return state == 1 ? 0 : -EIO;
}

static int nand_erase(void *medium, int handle, uint64_t offset)
{
	struct nand *nand = medium;
	uint64_t page = offset / NAND_PAGE;
	int state = power(nand);

	(void)handle;
	ck_assert_uint_eq(offset % NAND_BLOCK, 0);
	ck_assert(!nand->bad[offset / NAND_BLOCK]);
	if (state < 0)
		return state;
	nand->erases++;
	if (nand->worn[offset / NAND_BLOCK])
		return -EIO;
	if (nand->fail_erase) {
		nand->fail_erase--;
		return -EIO;
	}
	memset(nand->data + offset, 0xFF, NAND_BLOCK);
	memset(nand->programmed + page, 0, NAND_PAGES * sizeof(bool));
	memset(nand->torn + page, 0, NAND_PAGES * sizeof(bool));
	if (state == 1)
		return 0;
	memset(nand->torn + page, 1, NAND_PAGES * sizeof(bool)); /* half erased: nothing in it reads */
	return -EIO;
}

static int nand_program(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	struct nand *nand = medium;

	(void)handle;
	ck_assert_uint_eq(offset % NAND_PAGE, 0);
	ck_assert_uint_eq(length % NAND_PAGE, 0);
	ck_assert(!nand->bad[offset / NAND_BLOCK]);
	for (size_t at = 0; at < length; at += NAND_PAGE) {
		uint64_t page = (offset + at) / NAND_PAGE;
		int state = power(nand);

		if (state < 0)
			return state;
		for (uint64_t later = page; later / NAND_PAGES == page / NAND_PAGES; later++)
			ck_assert_msg(!nand->programmed[later], "page %u after or over page %u", (unsigned)page,
			              (unsigned)later);
		nand->programmed[page] = true;
		if (nand->worn[page / NAND_PAGES])
			return -EIO;
		if (nand->fail_program) {
			nand->fail_program--;
			return -EIO;
		}
		memcpy(nand->data + offset + at, (const uint8_t *)data + at, NAND_PAGE);
		nand->torn[page] = state == 0;
		if (state == 0)
			return -EIO;
	}
	return 0;
}

static int nand_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	const struct nand *nand = medium;

	(void)handle;
	memcpy(buffer, nand->data + offset, length);
	for (uint64_t page = offset / NAND_PAGE; page <= (offset + length - 1) / NAND_PAGE; page++) {
		if (nand->torn[page])
			return -EBADMSG;
	}
	return 0;
}

/* There are no files. */
static int nand_unlink(void *medium, const char *path)
{
	(void)medium;
	(void)path;
	return -ENOENT;
}

static const struct storage_ops nand_ops = {
	.stat = nand_stat,
	.unlink = nand_unlink,
	.find = nand_find,
	.open = nand_open,
	.close = nand_close,
	.mtd_info = nand_info,
	.mtd_is_bad = nand_is_bad,
	.mtd_mark_bad = nand_mark_bad,
	.mtd_erase = nand_erase,
	.mtd_program = nand_program,
	.mtd_read = nand_read,
};

struct nand *nand_new(unsigned blocks)
{
	struct nand *nand = calloc(1, sizeof(*nand));

	ck_assert_ptr_nonnull(nand);
	nand->blocks = blocks;
	memset(nand->data, 0xFF, sizeof(nand->data));
	ck_assert_int_eq(storage_open_medium(&nand_ops, nand, NULL, &nand->storage, NULL), 0);
	return nand;
}

struct nand *nand_copy(const struct nand *nand)
{
	struct nand *copy = nand_new(nand->blocks);
	struct storage *storage = copy->storage;

	*copy = *nand;
	copy->storage = storage;
	copy->changes = 0;
	copy->erases = 0;
	copy->cut_at = 0;
	return copy;
}

void nand_free(struct nand *nand)
{
	storage_close(nand->storage);
	free(nand);
}
