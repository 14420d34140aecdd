/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_BYTES (64u << 20)

void medium_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("medium: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputs("\n", stderr);
	va_end(args);
	abort();
}

/* ---- Memory ---- */

static uint64_t heap_of(void *memory)
{
	return memory ? malloc_usable_size(memory) + sizeof(size_t) : 0;
}

void *medium_grow(struct medium *medium, void *memory, size_t size)
{
	uint64_t before = heap_of(memory);
	void *grown = realloc(memory, size > 0 ? size : 1);

	if (!grown)
		medium_die("no memory for %zu bytes", size);
	medium->figures.allocated += heap_of(grown) - before;
	return grown;
}

void *medium_allocate(struct medium *medium, size_t size)
{
	return memset(medium_grow(medium, NULL, size), 0, size);
}

char *medium_copy_text(struct medium *medium, const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(medium_grow(medium, NULL, size), text, size);
}

void medium_release(struct medium *medium, void *memory)
{
	medium->figures.allocated -= heap_of(memory);
	free(memory);
}

/* ---- Steps ---- */

static _Noreturn void power_off(struct medium *medium)
{
	medium->events.power_off(medium->events.ctx);
	medium_die("it went on without power");
}

unsigned medium_begin(struct medium *medium, const struct cut_point *point)
{
	unsigned decision = CUT_NONE;

	medium->figures.operations++;
	if (medium->events.step)
		decision = medium->events.step(medium->events.ctx, point);
	if (decision >= CUT_TORN + point->tears)
		medium_die("%s %s has no tear %u", point->verb, point->object, decision - CUT_TORN);
	if (decision == CUT_BEFORE)
		power_off(medium);
	return decision;
}

void medium_end(struct medium *medium, unsigned decision)
{
	if (decision != CUT_NONE)
		power_off(medium);
}

/* ---- Handles ---- */

struct handle *medium_handle(struct medium *medium, int handle)
{
	if (handle < 0 || handle >= MEDIUM_HANDLES || medium->handle[handle].kind == HANDLE_CLOSED)
		medium_die("%d is not an open handle", handle);
	return &medium->handle[handle];
}

int medium_new_handle(struct medium *medium, const struct handle *handle, const char *path)
{
	for (int i = 0; i < MEDIUM_HANDLES; i++)
		if (medium->handle[i].kind == HANDLE_CLOSED) {
			medium->handle[i] = *handle;
			medium->handle[i].path = medium_copy_text(medium, path);
			return i;
		}
	return -EMFILE;
}

static int op_open(void *medium, const char *path, enum storage_open_mode mode)
{
	struct medium *m = medium;
	struct handle handle = {.kind = HANDLE_NAND, .mode = mode};
	struct volume *volume;

	if (strncmp(path, "nand:", 5) == 0) {
		handle.nand = nand_find(m, path + 5);
		return handle.nand ? medium_new_handle(m, &handle, path) : -ENOENT;
	}
	if (strncmp(path, "volume:", 7) == 0) {
		volume = volume_find(m, path + 7);
		return volume ? volume_open(m, volume, path, mode) : -ENOENT;
	}
	return files_open(m, path, mode);
}

static int op_close(void *medium, int handle)
{
	struct handle *h = medium_handle(medium, handle);

	if (h->kind == HANDLE_VOLUME) {
		volume_close(h);
	} else if (h->kind == HANDLE_FILE) {
		inode_add_open(h->inode, -1);
		inode_release(h->inode);
	}
	medium_release(medium, h->path);
	memset(h, 0, sizeof(*h));
	return 0;
}

static ssize_t op_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	struct handle *h = medium_handle(medium, handle);

	if (h->kind == HANDLE_FILE)
		return files_read(medium, h, offset, buffer, length);
	return h->kind == HANDLE_VOLUME ? volume_read(medium, h->volume, offset, buffer, length) : -EINVAL;
}

static int op_write(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	struct handle *h = medium_handle(medium, handle);

	return h->kind == HANDLE_FILE ? files_write(medium, h, offset, data, length) : -EINVAL;
}

static int op_size(void *medium, int handle, uint64_t *bytes)
{
	struct handle *h = medium_handle(medium, handle);

	*bytes = h->kind == HANDLE_FILE   ? h->inode->now.size
	         : h->kind == HANDLE_NAND ? h->nand->info.size
	                                  : h->volume->info.used;
	return 0;
}

static int op_sync(void *medium, int handle)
{
	struct handle *h = medium_handle(medium, handle);

	if (h->kind == HANDLE_FILE)
		return files_sync(medium, h);
	return h->kind == HANDLE_VOLUME ? 0 : -EINVAL; /* as fsync(2) of the devices; both write through */
}

static int op_sync_all(void *medium)
{
	struct medium *m = medium;
	unsigned cut = medium_begin(m, &(struct cut_point){.verb = "syncall", .object = "/", .tears = 1});

	for (size_t i = 0; i < m->volumes; i++) {
		struct filesystem *files = m->volume[i].files;

		if (files)
			change_sync_first(files, cut >= CUT_TORN ? files->changes / 2 : files->changes);
	}
	medium_end(m, cut);
	return 0;
}

/* ---- Names ---- */

static int op_find(void *medium, enum storage_kind kind, const char *name, struct storage_location *location)
{
	const struct nand *nand = kind == STORAGE_MTD ? nand_find(medium, name) : NULL;
	const struct volume *volume = kind == STORAGE_BLOCK ? NULL : volume_find(medium, name);
	struct place place;
	int n;
	int err;

	if (*name == '/') {
		err = place_find_existing(medium, name, true, &place);
		if (err < 0 || place.inode->type != STORAGE_REGULAR)
			return err < 0 ? err : -ENODEV;
		location->kind = STORAGE_BLOCK;
		n = snprintf(location->path, sizeof(location->path), "%s", name);
	} else if (nand) {
		location->kind = STORAGE_MTD;
		n = snprintf(location->path, sizeof(location->path), "nand:%s", nand->name);
	} else if (volume) {
		location->kind = STORAGE_UBI;
		n = snprintf(location->path, sizeof(location->path), "volume:%s", volume->name);
	} else {
		return -ENOENT;
	}
	return n < 0 || (size_t)n >= sizeof(location->path) ? -ENAMETOOLONG : 0;
}

/* ---- The medium ---- */

struct medium *medium_new(const struct medium_events *events)
{
	struct medium *medium = calloc(1, sizeof(*medium));

	if (!medium)
		medium_die("no memory");
	medium->figures.allocated = heap_of(medium);
	medium->events = *events;
	medium->root.is_volatile = true;
	files_init(medium, &medium->root, "/", ROOT_BYTES, 1);
	return medium;
}

struct medium_events *medium_events(struct medium *medium)
{
	return &medium->events;
}

static void restore(struct filesystem *files)
{
	files->used = 0;
	inode_restore(files->root);
}

void medium_crash(struct medium *medium, enum survival survival, uint64_t seed)
{
	for (int i = 0; i < MEDIUM_HANDLES; i++)
		if (medium->handle[i].kind != HANDLE_CLOSED)
			(void)op_close(medium, i); /* never fails */
	change_settle(&medium->root, SURVIVAL_NOTHING, &seed);
	for (size_t i = 0; i < medium->volumes; i++)
		if (medium->volume[i].files) {
			mount_forget(medium->volume[i].files);
			change_settle(medium->volume[i].files, survival, &seed);
			restore(medium->volume[i].files);
		}
	restore(&medium->root);
}

void medium_reboot(struct medium *medium)
{
	medium_crash(medium, SURVIVAL_EVERYTHING, 0);
}

void medium_free(struct medium *medium)
{
	medium_crash(medium, SURVIVAL_NOTHING, 0);
	for (size_t i = 0; i < medium->nands; i++)
		nand_free(medium, &medium->nand[i]);
	for (size_t i = 0; i < medium->volumes; i++) {
		if (medium->volume[i].files)
			files_free(medium->volume[i].files);
		medium_release(medium, medium->volume[i].files);
		medium_release(medium, medium->volume[i].data);
	}
	files_free(&medium->root);
	free(medium);
}

struct medium_figures medium_figures(const struct medium *medium)
{
	struct medium_figures figures = medium->figures;

	for (size_t i = 0; i < medium->nands; i++) {
		const struct nand *nand = &medium->nand[i];

		for (uint64_t at = 0; at < nand->info.size; at += nand->info.erase_size) {
			uint64_t erases = nand->block[at / nand->info.erase_size].erases;

			if (erases > figures.block_erases)
				figures.block_erases = erases;
		}
	}
	return figures;
}

const struct storage_ops medium_ops = {
	.stat = files_stat,
	.read_link = names_read_link,
	.list = names_list,
	.free_space = files_free_space,
	.is_mounted = mount_is_mounted,
	.find = op_find,
	.open = op_open,
	.close = op_close,
	.read = op_read,
	.write = op_write,
	.size = op_size,
	.sync = op_sync,
	.rename = names_rename,
	.unlink = names_unlink,
	.mkdir = names_mkdir,
	.rmdir = names_rmdir,
	.symlink = names_symlink,
	.link = names_link,
	.mknod = names_mknod,
	.set_owner = files_set_owner,
	.set_mode = files_set_mode,
	.set_xattr = files_set_xattr,
	.get_xattr = files_get_xattr,
	.sync_directory = names_sync_directory,
	.sync_all = op_sync_all,
	.mount = mount_mount,
	.unmount = mount_unmount,
	.mtd_info = nand_mtd_info,
	.mtd_is_bad = nand_mtd_is_bad,
	.mtd_mark_bad = nand_mtd_mark_bad,
	.mtd_erase = nand_mtd_erase,
	.mtd_program = nand_mtd_program,
	.mtd_read = nand_mtd_read,
	.ubi_info = volume_ubi_info,
	.ubi_update = volume_ubi_update,
	.ubi_write = volume_ubi_write,
	.ubi_change = volume_ubi_change,
};
