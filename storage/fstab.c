/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FSTAB_MAX_SIZE 65536u

static const char *const default_places[] = {"/res/recovery.fstab", "/etc/recovery.fstab"};

static void entry_free(struct fstab_entry *entry)
{
	free(entry->mount_point);
	free(entry->type);
	free(entry->device);
	free(entry->options);
}

void fstab_free(struct fstab *fstab)
{
	for (size_t i = 0; i < fstab->count; i++)
		entry_free(&fstab->entry[i]);
	free(fstab->entry);
	memset(fstab, 0, sizeof(*fstab));
}

/* The next word of *text in a fresh string, NULL at the end of the line. -ENOMEM or 0. */
static int next_word(const char **text, char **word)
{
	const char *start = *text + strspn(*text, " \t\r");
	size_t length = strcspn(start, " \t\r\n");

	*text = start + length;
	*word = NULL;
	if (length == 0)
		return 0;
	*word = strndup(start, length);
	return *word ? 0 : -ENOMEM;
}

static int parse_line(const char *line, struct fstab_entry *entry)
{
	int err;

	memset(entry, 0, sizeof(*entry));
	if ((err = next_word(&line, &entry->mount_point)) < 0 || (err = next_word(&line, &entry->type)) < 0 ||
	    (err = next_word(&line, &entry->device)) < 0 || (err = next_word(&line, &entry->options)) < 0)
		return err;
	/* Not mount options: AOSP's second device, and the room it leaves at a partition's end. */
	if (entry->options && (*entry->options == '/' || strncmp(entry->options, "length=", 7) == 0)) {
		free(entry->options);
		entry->options = NULL;
	}
	return 0;
}

int fstab_parse(const char *text, struct fstab *fstab)
{
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		struct fstab_entry entry;
		struct fstab_entry *grown;
		int err = parse_line(line, &entry);

		if (err == 0 && (!entry.mount_point || !entry.device || *entry.mount_point != '/')) {
			entry_free(&entry); /* a comment, an empty line or nonsense */
			continue;
		}
		grown = err < 0 ? NULL : realloc(fstab->entry, (fstab->count + 1) * sizeof(*grown));
		if (!grown) {
			entry_free(&entry);
			return -ENOMEM;
		}
		fstab->entry = grown;
		fstab->entry[fstab->count++] = entry;
	}
	return 0;
}

const struct fstab_entry *fstab_find_mount_point(const struct fstab *fstab, const char *point)
{
	for (size_t i = 0; i < fstab->count; i++)
		if (strcmp(fstab->entry[i].mount_point, point) == 0)
			return &fstab->entry[i];
	return NULL;
}

bool fstab_is_volume(const struct fstab_entry *entry)
{
	return strcmp(entry->type, "ubifs") == 0 || strcmp(entry->type, "ubi") == 0;
}

const struct fstab_entry *fstab_find_name(const struct fstab *fstab, const char *name, bool volume)
{
	for (size_t i = 0; i < fstab->count; i++)
		if (strcmp(fstab->entry[i].mount_point + 1, name) == 0 &&
		    (!volume || fstab_is_volume(&fstab->entry[i])))
			return &fstab->entry[i];
	for (size_t i = 0; i < fstab->count; i++)
		if (strcmp(fstab->entry[i].device, name) == 0 && (!volume || fstab_is_volume(&fstab->entry[i])))
			return &fstab->entry[i];
	return NULL;
}

const struct fstab_entry *fstab_find_path(const struct fstab *fstab, const char *path)
{
	const struct fstab_entry *best = NULL;
	size_t best_length = 1; /* "/" is always mounted */

	for (size_t i = 0; i < fstab->count; i++) {
		size_t length = strlen(fstab->entry[i].mount_point);

		if (length > best_length && strncmp(fstab->entry[i].mount_point, path, length) == 0 &&
		    (path[length] == '/' || path[length] == '\0')) {
			best = &fstab->entry[i];
			best_length = length;
		}
	}
	return best;
}

int storage_load_fstab(struct storage *storage, const char *path, struct error *error)
{
	size_t count = path ? 1 : sizeof(default_places) / sizeof(default_places[0]);

	for (size_t i = 0; i < count; i++) {
		const char *place = path ? path : default_places[i];
		size_t size;
		char *text;
		struct storage_stat stat;
		char real[STORAGE_PATH_MAX];
		int err = path_make(real, place, error);

		if (err == 0 && (path_resolve(storage, real, real) < 0 || storage_stat_path(storage, real, &stat) < 0))
			continue;
		if (err == 0)
			err = storage_load(storage, real, FSTAB_MAX_SIZE, &text, &size, error);
		if (err != 0)
			return err;
		err = fstab_parse(text, &storage->fstab);
		free(text);
		return err < 0 ? storage_fail(error, err, "%s", place) : 0;
	}
	return 0;
}
