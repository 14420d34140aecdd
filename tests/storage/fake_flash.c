/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/fake_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size, int fill)
{
	void *memory = malloc(size);

	if (!memory)
		abort();
	return memset(memory, fill, size);
}

struct fake_nand *fake_add_nand(struct fake_medium *medium, const char *name, uint32_t blocks, uint32_t erase_size,
                                uint32_t page_size)
{
	struct fake_nand *nand = &medium->nand[medium->nands++];
	size_t pages = (size_t)blocks * erase_size / page_size;

	(void)snprintf(nand->name, sizeof(nand->name), "%s", name);
	nand->info = (struct storage_mtd_info){.size = (uint64_t)blocks * erase_size,
	                                       .erase_size = erase_size,
	                                       .page_size = page_size,
	                                       .has_bad_blocks = true};
	nand->data = allocate((size_t)nand->info.size, 0xff);
	nand->programmed = allocate(pages, 0);
	nand->unreadable = allocate(pages, 0);
	nand->bad = allocate(blocks, 0);
	return nand;
}

struct fake_volume *fake_add_volume(struct fake_medium *medium, const char *name, uint32_t lebs, uint32_t leb_size,
                                    bool is_static)
{
	struct fake_volume *volume = &medium->volume[medium->volumes++];

	(void)snprintf(volume->name, sizeof(volume->name), "%s", name);
	volume->info.size = (uint64_t)lebs * leb_size;
	volume->info.used = is_static ? 0 : volume->info.size;
	volume->info.leb_size = leb_size;
	volume->info.is_static = is_static;
	volume->data = allocate((size_t)volume->info.size, 0xff);
	return volume;
}

int fake_open_flash(struct fake_medium *medium, const char *path, enum storage_open_mode mode)
{
	for (int i = 0; strncmp(path, "nand:", 5) == 0 && i < medium->nands; i++)
		if (strcmp(medium->nand[i].name, path + 5) == 0)
			return fake_handle_new(medium, FAKE_NAND, i, mode);
	for (int i = 0; strncmp(path, "volume:", 7) == 0 && i < medium->volumes; i++)
		if (strcmp(medium->volume[i].name, path + 7) == 0)
			return fake_handle_new(medium, FAKE_VOLUME, i, mode);
	return -ENOENT;
}

static struct fake_nand *nand_of(struct fake_medium *m, int handle)
{
	struct fake_handle *h = fake_handle_of(m, handle);

	if (h->kind != FAKE_NAND)
		abort();
	return &m->nand[h->index];
}

int fake_mtd_info(void *medium, int handle, struct storage_mtd_info *info)
{
	*info = nand_of(medium, handle)->info;
	return 0;
}

int fake_mtd_is_bad(void *medium, int handle, uint64_t offset, bool *bad)
{
	struct fake_nand *nand = nand_of(medium, handle);

	if (offset >= nand->info.size)
		return -EINVAL;
	*bad = nand->bad[offset / nand->info.erase_size];
	return 0;
}

int fake_mtd_mark_bad(void *medium, int handle, uint64_t offset)
{
	struct fake_nand *nand = nand_of(medium, handle);
	int err = fake_call(medium, "markbad %s 0x%llx", nand->name, (unsigned long long)offset);

	if (err < 0)
		return err;
	nand->bad[offset / nand->info.erase_size] = true;
	return 0;
}

int fake_mtd_erase(void *medium, int handle, uint64_t offset)
{
	struct fake_nand *nand = nand_of(medium, handle);
	uint32_t pages = nand->info.erase_size / nand->info.page_size;
	int err = fake_call(medium, "erase %s 0x%llx", nand->name, (unsigned long long)offset);

	if (err < 0)
		return err;
	if (offset >= nand->info.size || offset % nand->info.erase_size != 0)
		return -EINVAL;
	if (nand->bad[offset / nand->info.erase_size])
		return -EIO;
	memset(nand->data + offset, 0xff, nand->info.erase_size);
	memset(nand->programmed + offset / nand->info.page_size, 0, pages);
	memset(nand->unreadable + offset / nand->info.page_size, 0, pages);
	return 0;
}

int fake_mtd_program(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	struct fake_nand *nand = nand_of(medium, handle);
	uint32_t page = nand->info.page_size;
	int result = fake_call(medium, "program %s 0x%llx", nand->name, (unsigned long long)offset);

	if (result < 0)
		return result;
	if (offset > nand->info.size || length > nand->info.size - offset || offset % page != 0 || length % page != 0)
		return -EINVAL;
	for (size_t i = 0; i < length; i += page) {
		if (nand->programmed[(offset + i) / page])
			abort(); /* twice without an erase: the data would be ANDed, and the ECC void */
		nand->programmed[(offset + i) / page] = true;
	}
	memcpy(nand->data + offset, data, length);
	if (result == FAKE_CORRUPT)
		nand->data[offset] ^= 1;
	return 0;
}

int fake_mtd_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	struct fake_nand *nand = nand_of(medium, handle);
	uint32_t page = nand->info.page_size;
	int err = fake_call(medium, "mtdread %s 0x%llx", nand->name, (unsigned long long)offset);

	if (err < 0)
		return err;
	if (offset > nand->info.size || length > nand->info.size - offset)
		return -EINVAL;
	memcpy(buffer, nand->data + offset, length);
	for (uint64_t at = offset - offset % page; at < offset + length; at += page)
		if (nand->unreadable[at / page])
			return -EBADMSG;
	return 0;
}

static struct fake_volume *volume_of(struct fake_medium *m, int handle)
{
	struct fake_handle *h = fake_handle_of(m, handle);

	if (h->kind != FAKE_VOLUME)
		abort();
	return &m->volume[h->index];
}

int fake_ubi_info(void *medium, int handle, struct storage_ubi_info *info)
{
	*info = volume_of(medium, handle)->info;
	return 0;
}

static int count_handles(const struct fake_medium *m, int index)
{
	int count = 0;

	for (size_t i = 0; i < sizeof(m->handle) / sizeof(m->handle[0]); i++)
		count += m->handle[i].kind == FAKE_VOLUME && m->handle[i].index == index;
	return count;
}

int fake_ubi_update(void *medium, int handle, uint64_t bytes)
{
	struct fake_volume *volume = volume_of(medium, handle);
	int err = fake_call(medium, "update %s %llu", volume->name, (unsigned long long)bytes);

	if (err < 0)
		return err;
	if (bytes > volume->info.size)
		return -EINVAL;
	if (volume->updating || count_handles(medium, fake_handle_of(medium, handle)->index) > 1)
		return -EBUSY;
	memset(volume->data, 0xff, (size_t)volume->info.size);
	volume->announced = bytes;
	volume->received = 0;
	volume->updating = bytes > 0;
	volume->info.interrupted = bytes > 0;
	if (volume->info.is_static)
		volume->info.used = 0;
	return 0;
}

int fake_ubi_write(void *medium, int handle, const void *data, size_t length)
{
	struct fake_volume *volume = volume_of(medium, handle);
	int result = fake_call(medium, "ubiwrite %s %zu", volume->name, length);

	if (result < 0)
		return result;
	if (!volume->updating)
		return -EPERM;
	if (length > volume->announced - volume->received)
		return -ENOSPC;
	memcpy(volume->data + volume->received, data, length);
	if (result == FAKE_CORRUPT)
		volume->data[volume->received] ^= 1;
	volume->received += length;
	if (volume->received == volume->announced) {
		volume->updating = false;
		volume->info.interrupted = false;
		if (volume->info.is_static)
			volume->info.used = volume->announced;
	}
	return 0;
}

int fake_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length)
{
	struct fake_handle *h = fake_handle_of(medium, handle);
	struct fake_volume *volume = volume_of(medium, handle);
	uint8_t *at = volume->data + (size_t)leb * volume->info.leb_size;
	int result = fake_call(medium, "change %s %u %zu", volume->name, leb, length);

	if (result < 0)
		return result;
	if (volume->info.is_static || h->mode == STORAGE_READ)
		return -EROFS;
	if (length > volume->info.leb_size || leb >= volume->info.size / volume->info.leb_size)
		return -EINVAL;
	if (count_handles(medium, h->index) > 1)
		return -EBUSY;
	memset(at, 0xff, volume->info.leb_size);
	memcpy(at, data, length);
	if (result == FAKE_CORRUPT)
		*at ^= 1;
	return 0;
}

ssize_t fake_read_volume(struct fake_medium *medium, int index, uint64_t offset, void *buffer, size_t length)
{
	struct fake_volume *volume = &medium->volume[index];

	if (volume->info.interrupted)
		return volume->updating ? -EBUSY : -EBADF;
	if (offset >= volume->info.used)
		return 0;
	if (length > volume->info.used - offset)
		length = (size_t)(volume->info.used - offset);
	memcpy(buffer, volume->data + offset, length);
	return (ssize_t)length;
}
