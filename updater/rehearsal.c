/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/rehearsal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rehearsal_entry {
	struct rehearsal_entry *next;
	char *from;
	char *to; /* of a mount: NULL */
};

static int push(struct rehearsal_entry **list, const char *from, const char *to)
{
	struct rehearsal_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->from = strdup(from);
	entry->to = to ? strdup(to) : NULL;
	if (!entry->from || (to && !entry->to)) {
		free(entry->from);
		free(entry->to);
		free(entry);
		return -ENOMEM;
	}
	entry->next = *list;
	*list = entry;
	return 0;
}

static void pop(struct rehearsal_entry **at)
{
	struct rehearsal_entry *entry = *at;

	*at = entry->next;
	free(entry->from);
	free(entry->to);
	free(entry);
}

bool rehearsal_has_mismatch(const struct rehearsal *rehearsal, const char *object)
{
	for (const struct rehearsal_entry *entry = rehearsal->mismatched; entry; entry = entry->next)
		if (strcmp(entry->from, object) == 0)
			return true;
	return false;
}

bool rehearsal_mismatch(struct rehearsal *rehearsal, const struct log *log, const char *object,
                        const struct error *error)
{
	if (rehearsal_has_mismatch(rehearsal, object))
		return false;
	(void)push(&rehearsal->mismatched, object, NULL); /* out of memory: it may be told twice */
	if (rehearsal->mismatches++ == 0)
		rehearsal->first = *error;
	log_printf(log, "%s", error->message);
	return true;
}

void rehearsal_skip(struct rehearsal *rehearsal, const struct log *log, const char *change)
{
	log_printf(log, "dry run, not done: %s", change);
	rehearsal->changed = true;
}

int rehearsal_rename(struct rehearsal *rehearsal, const char *from, const char *to)
{
	return push(&rehearsal->renames, rehearsal_path(rehearsal, from), to);
}

/* Paths without their first slash mean the same. */
static const char *relative(const char *path)
{
	return *path == '/' ? path + 1 : path;
}

const char *rehearsal_path(const struct rehearsal *rehearsal, const char *path)
{
	for (const struct rehearsal_entry *entry = rehearsal->renames; entry; entry = entry->next)
		if (strcmp(relative(entry->to), relative(path)) == 0)
			return entry->from;
	return path;
}

/* ---- Room ---- */

/* Of the path or its nearest parent that is there. */
static uint64_t device_of(struct storage *storage, const char *path)
{
	struct storage_stat stat = {0};
	char at[STORAGE_PATH_MAX];
	char *slash = at;

	(void)snprintf(at, sizeof(at), "%s", path);
	while (storage_stat_path(storage, *at ? at : "/", &stat) < 0 && slash && *at) {
		slash = strrchr(at, '/');
		*(slash ? slash : at) = '\0';
	}
	return stat.device;
}

static unsigned find_growth(const struct rehearsal *rehearsal, uint64_t device)
{
	unsigned i = 0;

	while (i < rehearsal->growth_count && rehearsal->growth[i].device != device)
		i++;
	return i;
}

int64_t rehearsal_growth(const struct rehearsal *rehearsal, struct storage *storage, const char *path)
{
	unsigned i = find_growth(rehearsal, device_of(storage, path));

	return i < rehearsal->growth_count ? rehearsal->growth[i].bytes : 0;
}

void rehearsal_resize(struct rehearsal *rehearsal, struct storage *storage, const char *path, uint64_t size)
{
	uint64_t device = device_of(storage, path);
	unsigned i = find_growth(rehearsal, device);
	struct storage_stat stat;
	/* What has another name as well takes its room as before. */
	bool frees = storage_stat_path(storage, path, &stat) == 0 && stat.type == STORAGE_REGULAR && stat.links <= 1;

	if (i == REHEARSAL_FILE_SYSTEMS)
		return;
	if (i == rehearsal->growth_count)
		rehearsal->growth[rehearsal->growth_count++] = (struct rehearsal_growth){.device = device};
	frees = frees && !rehearsal->growth[i].emptied;
	rehearsal->growth[i].bytes += (int64_t)size - (frees ? (int64_t)stat.size : 0);
}

struct removal {
	struct rehearsal *rehearsal;
	struct storage *storage;
};

static int remove_each(void *ctx, const char *path, const struct storage_stat *stat)
{
	const struct removal *removal = ctx;

	if (stat->type == STORAGE_REGULAR)
		rehearsal_resize(removal->rehearsal, removal->storage, path, 0);
	return 0;
}

void rehearsal_remove(struct rehearsal *rehearsal, struct storage *storage, const char *path)
{
	struct removal removal = {.rehearsal = rehearsal, .storage = storage};

	/* What cannot be walked frees nothing: the room is reckoned too small then, not too large. */
	(void)storage_walk(storage, path, remove_each, &removal, NULL);
}

uint64_t rehearsal_room(uint64_t free_bytes, int64_t growth)
{
	if (growth <= 0)
		return free_bytes + (uint64_t)-growth;
	return free_bytes > (uint64_t)growth ? free_bytes - (uint64_t)growth : 0;
}

int rehearsal_check_room(const struct rehearsal *rehearsal, struct storage *storage, const struct storage_name *target,
                         uint64_t size, struct error *error)
{
	uint64_t bytes;
	int err;

	if (storage_is_atomic(target)) {
		err = storage_free_space(storage, target->name, &bytes, error);
		if (err == 0)
			bytes = rehearsal_room(bytes, rehearsal_growth(rehearsal, storage, target->name));
	} else {
		err = storage_capacity(storage, target, &bytes, error);
	}
	if (err < 0 || bytes >= size)
		return err;
	return error_set(error, RESULT_SPACE, ENOSPC, "%.180s: not enough space: need %llu bytes, have %llu",
	                 target->name, (unsigned long long)size, (unsigned long long)bytes);
}

void rehearsal_format(struct rehearsal *rehearsal, struct storage *storage, const char *fs_type, const char *location,
                      const char *mount_point)
{
	uint64_t device;
	unsigned i;

	/* Of what cannot be mounted nothing is known: the room is reckoned too small then, not too large. */
	if (rehearsal_mount(rehearsal, storage, fs_type, location, mount_point, NULL, NULL) < 0)
		return;
	rehearsal_remove(rehearsal, storage, mount_point);
	device = device_of(storage, mount_point);
	i = find_growth(rehearsal, device);
	if (i < rehearsal->growth_count)
		rehearsal->growth[i].emptied = true;
}

/* ---- Mounts ---- */

int rehearsal_mount(struct rehearsal *rehearsal, struct storage *storage, const char *fs_type, const char *location,
                    const char *mount_point, const char *options, struct error *error)
{
	struct storage_stat stat;
	char read_only[512];
	bool mounted;
	int err = storage_is_mounted(storage, mount_point, &mounted, error);

	if (err < 0 || mounted)
		return err;
	/* storage_mount() would make the directory. */
	err = storage_stat_path(storage, mount_point, &stat);
	if (err < 0)
		return error_set(error, RESULT_VERIFY, -err, "%.400s: %s", mount_point, strerror(-err));
	(void)snprintf(read_only, sizeof(read_only), "ro%s%s", options ? "," : "", options ? options : "");
	err = storage_mount(storage, fs_type, location, mount_point, read_only, error);
	if (err < 0)
		return err;
	err = push(&rehearsal->mounts, mount_point, NULL);
	return err < 0 ? error_set(error, RESULT_ABNORMAL, -err, "%s: %s", mount_point, strerror(-err)) : 0;
}

int rehearsal_unmount(struct rehearsal *rehearsal, struct storage *storage, const char *mount_point,
                      struct error *error)
{
	for (struct rehearsal_entry **at = &rehearsal->mounts; *at; at = &(*at)->next) {
		if (strcmp((*at)->from, mount_point) != 0)
			continue;
		pop(at);
		return storage_unmount(storage, mount_point, error);
	}
	return 0;
}

void rehearsal_end(struct rehearsal *rehearsal, struct storage *storage, const struct log *log)
{
	struct error error;

	while (rehearsal->mounts) {
		if (storage_unmount(storage, rehearsal->mounts->from, &error) < 0)
			log_printf(log, "%s", error.message);
		pop(&rehearsal->mounts);
	}
	while (rehearsal->renames)
		pop(&rehearsal->renames);
	while (rehearsal->mismatched)
		pop(&rehearsal->mismatched);
}
