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
