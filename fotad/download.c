/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/download.h"

#include "fotad/keys.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_MAX 2048

void download_init(struct download *download, struct storage *storage)
{
	memset(download, 0, sizeof(*download));
	download->storage = storage;
}

/* ---- The state file: "key value" lines ---- */

static int save_state(const struct download *download, struct error *error)
{
	const struct link_start *request = &download->request;
	const struct fetch_validator *file = &download->file;
	char text[STATE_MAX];
	int length = snprintf(text, sizeof(text),
	                      "source %s\nmode %u\ndownload_max %u\nupdate_max %u\nsize %" PRIu64 "\nmodified %" PRId64
	                      "\netag %s\nstarts %u\ncomplete %d\nended %d\n",
	                      request->source, request->mode, request->download_max, request->update_max, file->size,
	                      file->modified, file->etag, download->starts, download->complete, download->ended);

	/* It may hold a password. */
	return storage_save(download->storage, DOWNLOAD_STATE, text, (size_t)length, 0600, error);
}

static bool parse_state(struct download *download, const char *text)
{
	struct link_start *request = &download->request;
	struct fetch_validator *file = &download->file;
	uint64_t mode;
	uint64_t download_max;
	uint64_t update_max;
	uint64_t modified;
	uint64_t starts;
	uint64_t complete;
	uint64_t ended;

	if (!keys_text(text, "source", request->source, sizeof(request->source)) ||
	    !keys_text(text, "etag", file->etag, sizeof(file->etag)) || !keys_number(text, "mode", 1, &mode) ||
	    !keys_number(text, "download_max", 100, &download_max) ||
	    !keys_number(text, "update_max", 100, &update_max) || !keys_number(text, "size", UINT64_MAX, &file->size) ||
	    !keys_number(text, "modified", INT64_MAX, &modified) ||
	    !keys_number(text, "starts", UINT32_MAX - 1, &starts) || !keys_number(text, "complete", 1, &complete) ||
	    !keys_number(text, "ended", 1, &ended))
		return false;
	request->mode = (uint32_t)mode;
	request->download_max = (uint32_t)download_max;
	request->update_max = (uint32_t)update_max;
	file->modified = (int64_t)modified;
	download->starts = (unsigned)starts;
	download->complete = complete == 1;
	download->ended = ended == 1;
	return true;
}

/* What was finished is there as a whole; power may have gone when it had its place as a package, but was not armed. */
static bool take_finished(struct download *download)
{
	struct storage_stat stat;

	if (storage_stat_path(download->storage, DOWNLOAD_PATH, &stat) < 0 &&
	    (storage_stat_path(download->storage, DOWNLOAD_PACKAGE, &stat) < 0 || stat.size != download->file.size ||
	     storage_rename(download->storage, DOWNLOAD_PACKAGE, DOWNLOAD_PATH, NULL) < 0))
		return false;
	download->durable = stat.size;
	return stat.type == STORAGE_REGULAR && stat.size == download->file.size;
}

/* Of a file found again all is sound but its last block, whole or not. */
static bool take_bytes(struct download *download)
{
	struct storage_stat stat;
	int err;

	if (download->complete)
		return take_finished(download);
	err = storage_stat_path(download->storage, DOWNLOAD_PATH, &stat);
	if (err == 0 && stat.type != STORAGE_REGULAR)
		return false;
	download->durable = 0;
	if (err == 0 && stat.size > DOWNLOAD_BLOCK)
		download->durable = (stat.size - 1) / DOWNLOAD_BLOCK * DOWNLOAD_BLOCK;
	return err == 0 || err == -ENOENT;
}

int download_load(struct download *download, struct error *error)
{
	char *text = NULL;
	size_t size;
	bool usable;
	int err = storage_load(download->storage, DOWNLOAD_STATE, STATE_MAX, &text, &size, NULL);

	usable = err == 0 && strlen(text) == size && parse_state(download, text) && take_bytes(download);
	free(text);
	if (usable)
		return 1;
	err = download_forget(download, error);
	return err < 0 ? err : 0;
}

int download_begin(struct download *download, const struct link_start *request, struct error *error)
{
	int err = download_forget(download, error);

	if (err < 0)
		return err;
	download->request = *request;
	return save_state(download, error);
}

int download_continue(struct download *download, uint64_t offset, const struct fetch_validator *file,
                      struct error *error)
{
	if (offset != 0 && offset != download_size(download))
		return error_set(error, 0, EINVAL, "download: %" PRIu64 " bytes are there, not %" PRIu64,
		                 download_size(download), offset);
	if (!download->block) {
		download->block = malloc(DOWNLOAD_BLOCK);
		if (!download->block)
			return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	}
	if (offset == 0) {
		download->durable = 0;
		download->filled = 0;
	}
	if (offset != 0 && memcmp(&download->file, file, sizeof(*file)) == 0)
		return 0;
	download->file = *file;
	keys_clean(download->file.etag);
	if (offset == 0 && storage_remove(download->storage, DOWNLOAD_PATH, error) < 0)
		return -EIO;
	return save_state(download, error);
}

static int write_block(struct download *download, struct error *error)
{
	bool first_progress = download->starts > 0;
	int err = storage_write_durable(download->storage, DOWNLOAD_PATH, download->durable, download->block,
	                                download->filled, error);

	if (err == -ENOSPC && error)
		error->code = RESULT_TOO_LARGE;
	if (err < 0)
		return err;
	download->durable += download->filled;
	download->filled = 0;
	download->starts = 0;
	return first_progress ? save_state(download, error) : 0;
}

int download_write(struct download *download, const void *data, size_t length, struct error *error)
{
	const uint8_t *from = data;
	int err = 0;

	while (length > 0 && err == 0) {
		size_t part = DOWNLOAD_BLOCK - download->filled;

		if (part > length)
			part = length;
		memcpy(download->block + download->filled, from, part);
		download->filled += (uint32_t)part;
		from += part;
		length -= part;
		if (download->filled == DOWNLOAD_BLOCK)
			err = write_block(download, error);
	}
	return err;
}

int download_finish(struct download *download, struct error *error)
{
	int err = download->filled > 0 || download->durable == 0 ? write_block(download, error) : 0;

	if (err < 0)
		return err;
	free(download->block);
	download->block = NULL;
	download->complete = true;
	download->file.size = download->durable;
	return save_state(download, error);
}

int download_count_start(struct download *download, struct error *error)
{
	download->starts++;
	return save_state(download, error);
}

int download_end(struct download *download, struct error *error)
{
	download->ended = true;
	return save_state(download, error);
}

uint64_t download_size(const struct download *download)
{
	return download->durable + download->filled;
}

int download_forget(struct download *download, struct error *error)
{
	/* The state first: bytes that nothing speaks of are removed at the next start. */
	int err = storage_remove(download->storage, DOWNLOAD_STATE, error);

	if (err >= 0)
		err = storage_remove(download->storage, DOWNLOAD_PATH, error);
	download_close(download);
	download_init(download, download->storage);
	return err < 0 ? err : 0;
}

void download_close(struct download *download)
{
	free(download->block);
	download->block = NULL;
	download->filled = 0;
}
