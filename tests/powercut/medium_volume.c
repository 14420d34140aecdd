/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <errno.h>
#include <string.h>

enum write_tear { WRITE_NOTHING, WRITE_HALF, WRITE_ALL_BUT_MARKER };

struct volume *volume_find(struct medium *medium, const char *name)
{
	if (strncmp(name, "ubi0:", 5) == 0)
		name += 5;
	for (size_t i = 0; i < medium->volumes; i++)
		if (strcmp(medium->volume[i].name, name) == 0)
			return &medium->volume[i];
	return NULL;
}

static struct volume *add_volume(struct medium *medium, const char *name)
{
	struct volume *volume = &medium->volume[medium->volumes++];

	if (medium->volumes > MEDIUM_VOLUMES)
		medium_die("more than %d volumes", MEDIUM_VOLUMES);
	volume->name = name;
	return volume;
}

void medium_add_volume(struct medium *medium, const char *name, uint32_t lebs, uint32_t leb_size, bool is_static)
{
	struct volume *volume = add_volume(medium, name);

	volume->info.size = (uint64_t)lebs * leb_size;
	volume->info.used = is_static ? 0 : volume->info.size;
	volume->info.leb_size = leb_size;
	volume->info.is_static = is_static;
	volume->data = medium_allocate(medium, (size_t)volume->info.size);
	memset(volume->data, 0xff, (size_t)volume->info.size);
}

#define FILES_LEB_SIZE 126976u /* of a NAND with blocks of 128 KiB and pages of 2 KiB */

void medium_add_file_system(struct medium *medium, const char *volume, uint64_t bytes)
{
	struct volume *v = add_volume(medium, volume);

	v->info.size = bytes;
	v->info.used = bytes;
	v->info.leb_size = FILES_LEB_SIZE;
	v->files = medium_allocate(medium, sizeof(*v->files));
	files_init(medium, v->files, volume, bytes, medium->volumes + 1);
}

bool volume_has_handle(const struct medium *medium, const struct volume *volume, bool writers_only)
{
	for (size_t i = 0; i < MEDIUM_HANDLES; i++)
		if (medium->handle[i].kind == HANDLE_VOLUME && medium->handle[i].volume == volume &&
		    (!writers_only || medium->handle[i].mode != STORAGE_READ))
			return true;
	return false;
}

static bool is_mounted(const struct volume *volume)
{
	return volume->files && volume->files->mounted_on;
}

/* UBI lets one writer in, a mounted UBIFS counting as one, and nobody while an update runs. */
int volume_open(struct medium *medium, struct volume *volume, const char *path, enum storage_open_mode mode)
{
	const struct handle handle = {.kind = HANDLE_VOLUME, .mode = mode, .volume = volume};

	if (volume->updating)
		return -EBUSY;
	if (mode != STORAGE_READ && (is_mounted(volume) || volume_has_handle(medium, volume, true)))
		return -EBUSY;
	return medium_new_handle(medium, &handle, path);
}

void volume_close(struct handle *handle)
{
	if (handle->mode != STORAGE_READ)
		handle->volume->updating = false; /* the marker stays if bytes are missing */
}

ssize_t volume_read(struct medium *medium, const struct volume *volume, uint64_t offset, void *buffer, size_t length)
{
	if (volume->info.interrupted)
		return volume->updating ? -EBUSY : -EBADF;
	if (!volume->data)
		return -EOPNOTSUPP; /* how UBIFS lays its nodes out is not modelled */
	if (offset >= volume->info.used)
		return 0;
	if (length > volume->info.used - offset)
		length = (size_t)(volume->info.used - offset);
	memcpy(buffer, volume->data + offset, length);
	medium->figures.bytes_read += length;
	return (ssize_t)length;
}

int volume_ubi_info(void *medium, int handle, struct storage_ubi_info *info)
{
	const struct handle *h = medium_handle(medium, handle);

	if (h->kind != HANDLE_VOLUME)
		return -ENODEV;
	*info = h->volume->info;
	return 0;
}

static bool has_other_handle(const struct medium *medium, const struct handle *handle)
{
	for (size_t i = 0; i < MEDIUM_HANDLES; i++)
		if (medium->handle[i].kind == HANDLE_VOLUME && medium->handle[i].volume == handle->volume &&
		    &medium->handle[i] != handle)
			return true;
	return false;
}

int volume_ubi_update(void *medium, int handle, uint64_t bytes)
{
	const struct handle *h = medium_handle(medium, handle);
	struct volume *volume = h->volume;
	unsigned cut;

	if (h->kind != HANDLE_VOLUME)
		return -ENOTTY;
	if (h->mode == STORAGE_READ)
		return -EPERM;
	if (bytes > volume->info.size)
		return -EINVAL;
	if (volume->updating || is_mounted(volume) || has_other_handle(medium, h))
		return -EBUSY;
	if (volume->files && bytes > 0)
		return -EOPNOTSUPP;
	cut = medium_begin(medium, &(struct cut_point){.verb = "update", .object = volume->name, .length = bytes});
	if (volume->files)
		files_format(volume->files);
	else
		memset(volume->data, 0xff, (size_t)volume->info.size);
	volume->announced = bytes;
	volume->received = 0;
	volume->updating = bytes > 0;
	volume->info.interrupted = bytes > 0;
	if (volume->info.is_static)
		volume->info.used = 0;
	medium_end(medium, cut);
	return 0;
}

static void receive(struct volume *volume, const void *data, size_t length)
{
	memcpy(volume->data + volume->received, data, length);
	volume->received += length;
}

static void finish_update(struct volume *volume)
{
	volume->updating = false;
	volume->info.interrupted = false;
	if (volume->info.is_static)
		volume->info.used = volume->announced;
}

int volume_ubi_write(void *medium, int handle, const void *data, size_t length)
{
	const struct handle *h = medium_handle(medium, handle);
	struct volume *volume = h->volume;
	struct cut_point point = {.verb = "ubiwrite", .length = length};
	bool is_last;
	unsigned cut;

	if (h->kind != HANDLE_VOLUME || h->mode == STORAGE_READ)
		return -EBADF;
	if (length == 0)
		return 0;
	if (!volume->updating)
		return -EPERM;
	if (length > volume->announced - volume->received)
		return -ENOSPC;
	is_last = length == volume->announced - volume->received;
	point.object = volume->name;
	point.offset = volume->received;
	point.tears = is_last ? WRITE_ALL_BUT_MARKER + 1 : WRITE_HALF + 1;
	cut = medium_begin(medium, &point);
	if (cut == CUT_TORN + WRITE_HALF)
		receive(volume, data, length / 2);
	else if (cut != CUT_TORN + WRITE_NOTHING)
		receive(volume, data, length);
	if (is_last && cut < CUT_TORN)
		finish_update(volume);
	((struct medium *)medium)->figures.bytes_written += length;
	medium_end(medium, cut);
	return 0;
}

/* The new content is written elsewhere, and takes the LEB's place by one record with a checksum: no tear. */
int volume_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length)
{
	const struct handle *h = medium_handle(medium, handle);
	struct volume *volume = h->volume;
	struct cut_point point = {.verb = "change", .length = length};
	uint8_t *at;
	unsigned cut;

	if (h->kind != HANDLE_VOLUME)
		return -ENOTTY;
	if (h->mode == STORAGE_READ || volume->info.is_static)
		return -EROFS;
	if (leb >= volume->info.size / volume->info.leb_size || length > volume->info.leb_size)
		return -EINVAL;
	if (volume->updating || is_mounted(volume) || has_other_handle(medium, h))
		return -EBUSY;
	if (!volume->data)
		return -EOPNOTSUPP;
	point.object = volume->name;
	point.offset = (uint64_t)leb * volume->info.leb_size;
	at = volume->data + point.offset;
	cut = medium_begin(medium, &point);
	memset(at, 0xff, volume->info.leb_size);
	memcpy(at, data, length);
	((struct medium *)medium)->figures.bytes_written += length;
	medium_end(medium, cut);
	return 0;
}

/* ---- From outside ---- */

static struct volume *must_find(struct medium *medium, const char *name)
{
	struct volume *volume = volume_find(medium, name);

	if (!volume || !volume->data)
		medium_die("no raw volume %s", name);
	return volume;
}

bool medium_read_volume(struct medium *medium, const char *volume, void *data, size_t length)
{
	const struct volume *v = must_find(medium, volume);

	if (v->info.interrupted || length > v->info.used)
		return false;
	memcpy(data, v->data, length);
	return true;
}

void medium_write_volume(struct medium *medium, const char *volume, const void *data, size_t length)
{
	struct volume *v = must_find(medium, volume);

	if (length > v->info.size)
		medium_die("%s: %zu bytes do not fit", volume, length);
	memset(v->data, 0xff, (size_t)v->info.size);
	memcpy(v->data, data, length);
	v->announced = length;
	finish_update(v);
}
