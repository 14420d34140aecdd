/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/next.h"

#include "fotad/keys.h"
#include "fotad/source.h"
#include "package/package.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_FILE_MAX 2048

/* ---- Where it is to be had ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
}

/* The folder that a URL or path leads to, with its slash: so many bytes of the source. */
static size_t folder_length(const char *source, enum source_kind kind)
{
	const char *start = kind == SOURCE_PATH ? source : strstr(source, "://") + 3;
	size_t length = kind == SOURCE_PATH ? strlen(start) : strcspn(start, "?#");
	const char *slash = memrchr(start, '/', length);

	return slash ? (size_t)(slash - source) + 1 : (size_t)(start - source) + length;
}

int next_resolve(const char *source, const char *name, char resolved[LINK_SOURCE_MAX + 1])
{
	enum source_kind kind;
	size_t used;
	int err = source_parse(source, &kind, NULL);

	if (err < 0)
		return err;
	used = folder_length(source, kind);
	memcpy(resolved, source, used);
	if (resolved[used - 1] != '/')
		resolved[used++] = '/'; /* there is room: nothing but the folder is taken over */
	for (; *name; name++) {
		bool plain = kind == SOURCE_PATH || is_unreserved(*name);

		if (used + (plain ? 1 : 3) > LINK_SOURCE_MAX)
			return -ENAMETOOLONG;
		if (plain)
			resolved[used++] = *name;
		else
			used += (size_t)snprintf(resolved + used, 4, "%%%02X", (unsigned)(unsigned char)*name);
	}
	resolved[used] = '\0';
	return 0;
}

/* ---- What is kept ---- */

/* 1, 0: none; -EINVAL: what is there is no name. */
static int load_name(struct storage *storage, char name[PACKAGE_NEXT_SIZE])
{
	char *text;
	size_t size;
	int err = storage_load(storage, NEXT_PATH, PACKAGE_NEXT_SIZE, &text, &size, NULL);

	if (err < 0)
		return err == -ENOENT ? 0 : -EINVAL;
	err = package_parse_next(text, size, name);
	free(text);
	return err < 0 ? err : 1;
}

int next_remember(struct storage *storage, const struct link_start *request, struct error *error)
{
	char name[PACKAGE_NEXT_SIZE];
	char text[SOURCE_FILE_MAX];
	int length = snprintf(text, sizeof(text),
	                      "source %s\nmode %" PRIu32 "\ndownload_max %" PRIu32 "\nupdate_max %" PRIu32 "\n",
	                      request->source, request->mode, request->download_max, request->update_max);

	if (load_name(storage, name) == 1)
		length += snprintf(text + length, sizeof(text) - (size_t)length, "is %s\n", name);
	/* It may hold a password. */
	return storage_save(storage, NEXT_SOURCE_PATH, text, (size_t)length, 0600, error);
}

bool next_waits(struct storage *storage)
{
	char name[PACKAGE_NEXT_SIZE];

	return load_name(storage, name) != 0;
}

static void load_request(struct storage *storage, struct link_start *request, char is[PACKAGE_NEXT_SIZE])
{
	char *text;
	size_t size;
	uint64_t mode = 0;
	uint64_t download_max = 0;
	uint64_t update_max = 0;

	memset(request, 0, sizeof(*request));
	is[0] = '\0';
	if (storage_load(storage, NEXT_SOURCE_PATH, SOURCE_FILE_MAX, &text, &size, NULL) < 0)
		return;
	if (keys_text(text, "source", request->source, sizeof(request->source)) &&
	    keys_number(text, "mode", 1, &mode) && keys_number(text, "download_max", 100, &download_max) &&
	    keys_number(text, "update_max", 100, &update_max)) {
		request->mode = (uint32_t)mode;
		request->download_max = (uint32_t)download_max;
		request->update_max = (uint32_t)update_max;
		(void)keys_text(text, "is", is, PACKAGE_NEXT_SIZE);
	} else {
		request->source[0] = '\0';
	}
	free(text);
}

int next_find(struct storage *storage, struct next *next, struct error *error)
{
	char name[PACKAGE_NEXT_SIZE];
	char is[PACKAGE_NEXT_SIZE];
	struct link_start first;
	int found = load_name(storage, name);

	memset(next, 0, sizeof(*next));
	if (found == 0)
		return 0;
	if (found < 0)
		return error_set(error, RESULT_PRECHECK, EINVAL, NEXT_PATH ": not the name of a package");
	load_request(storage, &first, is);
	next->request = first;
	next->was_arming = strcmp(is, name) == 0;
	if (!first.source[0] || next->was_arming)
		return 1;
	if (next_resolve(first.source, name, next->request.source) < 0)
		return error_set(error, RESULT_PRECHECK, ENAMETOOLONG,
		                 "%.255s: beside the first package, that is a source of more than %d bytes", name,
		                 LINK_SOURCE_MAX);
	/* It would be installed over and over. */
	if (strcmp(first.source, next->request.source) == 0)
		return error_set(error, RESULT_PRECHECK, ELOOP, "%.255s: a package that names itself as the next one",
		                 name);
	return 1;
}

int next_forget(struct storage *storage, struct error *error)
{
	int err = storage_remove(storage, NEXT_PATH, error);

	return err < 0 ? err : 0;
}

int next_forget_source(struct storage *storage, struct error *error)
{
	int err = storage_remove(storage, NEXT_SOURCE_PATH, error);

	return err < 0 ? err : 0;
}
