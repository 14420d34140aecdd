/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/backup.h"

#include "base/bytes.h"
#include "updater/updater.h"
#include <errno.h>
#include <string.h>

#define VERSION    1
#define AT_VERSION 8
#define AT_KIND    12
#define AT_LENGTH  16
#define AT_DIGEST  24
#define AT_LABEL   56
#define AT_CHECK   480
#define CHUNK      16384
#define OVERHEAD   (65536u + BACKUP_HEADER_SIZE) /* bytes; the file system has needs of its own for one more file */

static const uint8_t magic[8] = {'F', 'O', 'T', 'A', 'S', 'A', 'V', 'E'};
static const struct storage_name backup_name = {.kind = STORAGE_FILE, .name = UPDATER_BACKUP};

static void header_check(const uint8_t header[BACKUP_HEADER_SIZE], struct digest_value *value)
{
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	digest_add(&digest, header, AT_CHECK);
	digest_finish(&digest, value);
}

static void header_make(uint8_t header[BACKUP_HEADER_SIZE], const char *label, uint64_t length,
                        const struct digest_value *digest)
{
	struct digest_value check;

	memset(header, 0, BACKUP_HEADER_SIZE);
	memcpy(header, magic, sizeof(magic));
	put_le32(header + AT_VERSION, VERSION);
	put_le32(header + AT_KIND, (uint32_t)digest->kind);
	put_le64(header + AT_LENGTH, length);
	memcpy(header + AT_DIGEST, digest->bytes, digest_size(digest->kind));
	/* A label that is too long stays unknown: such a backup is only ever used by its content. */
	if (strlen(label) < BACKUP_LABEL_SIZE)
		(void)stpcpy((char *)header + AT_LABEL, label);
	header_check(header, &check);
	memcpy(header + AT_CHECK, check.bytes, DIGEST_MAX_SIZE);
}

static int backup_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const struct backup *backup = ctx;

	if (offset > backup->io.size || length > backup->io.size - offset)
		return -EINVAL;
	return backup->whole.read_at(backup->whole.ctx, backup->start + offset, buffer, length);
}

/* 0 when there is a sound header, 1 when there is none at all. */
static int read_header(struct backup *backup, struct error *error)
{
	uint8_t header[BACKUP_HEADER_SIZE];
	struct digest_value check;
	int err;

	if (backup->whole.size < sizeof(header))
		return 1;
	err = backup->whole.read_at(backup->whole.ctx, 0, header, sizeof(header));
	if (err < 0)
		return error_set(error, RESULT_VERIFY, -err, "%s: %s", UPDATER_BACKUP, strerror(-err));
	if (memcmp(header, magic, sizeof(magic)) != 0)
		return 1;
	header_check(header, &check);
	if (memcmp(check.bytes, header + AT_CHECK, DIGEST_MAX_SIZE) != 0 || get_le32(header + AT_VERSION) != VERSION ||
	    get_le32(header + AT_KIND) > DIGEST_SHA256 ||
	    get_le64(header + AT_LENGTH) != backup->whole.size - BACKUP_HEADER_SIZE)
		return error_set(error, RESULT_VERIFY, EILSEQ, "%s: damaged backup", UPDATER_BACKUP);
	backup->start = BACKUP_HEADER_SIZE;
	backup->digest.kind = (enum digest_kind)get_le32(header + AT_KIND);
	memcpy(backup->digest.bytes, header + AT_DIGEST, DIGEST_MAX_SIZE);
	memcpy(backup->label, header + AT_LABEL, BACKUP_LABEL_SIZE);
	backup->label[BACKUP_LABEL_SIZE - 1] = '\0';
	return 0;
}

int backup_open(struct storage *storage, struct backup *backup, struct error *error)
{
	int err;

	memset(backup, 0, sizeof(*backup));
	err = storage_reader_open(storage, &backup_name, &backup->file, error);
	if (err < 0) {
		backup->file = NULL;
		return err;
	}
	backup->whole = storage_reader_io(backup->file);
	err = read_header(backup, error);
	if (err < 0) {
		backup_close(backup);
		return err;
	}
	backup->io =
		(struct reader){.read_at = backup_read_at, .ctx = backup, .size = backup->whole.size - backup->start};
	return 0;
}

void backup_close(struct backup *backup)
{
	if (backup->file)
		storage_reader_close(backup->file);
	backup->file = NULL;
}

bool backup_is_of(const struct backup *backup, const char *label)
{
	return backup->label[0] && strcmp(backup->label, label) == 0;
}

int backup_digest(const struct backup *backup, enum digest_kind kind, struct digest_value *value, struct error *error)
{
	return storage_digest(&backup->io, backup->io.size, kind, value, error);
}

int backup_space(struct storage *storage, uint64_t *bytes, struct error *error)
{
	struct storage_stat stat;
	int err = storage_free_space(storage, UPDATER_BACKUP, bytes, error);

	if (err < 0)
		return err;
	if (storage_stat_path(storage, UPDATER_BACKUP, &stat) == 0 && stat.type == STORAGE_REGULAR)
		*bytes += stat.size;
	*bytes -= *bytes < OVERHEAD ? *bytes : OVERHEAD;
	return 0;
}

int backup_check_room(struct storage *storage, uint64_t length, struct error *error)
{
	uint64_t available;
	int err = backup_space(storage, &available, error);

	if (err < 0 || available >= length)
		return err;
	return error_set(error, RESULT_SPACE, ENOSPC,
	                 "not enough free space on /cache: need %llu bytes for the backup, have %llu",
	                 (unsigned long long)length, (unsigned long long)available);
}

/* A backup that nobody needs gives way when there is no room for two. */
static int make_room(struct storage *storage, uint64_t length, struct error *error)
{
	uint64_t free_bytes;
	int err = backup_check_room(storage, length, error);

	if (err < 0)
		return err;
	err = storage_free_space(storage, UPDATER_BACKUP, &free_bytes, error);
	if (err < 0 || free_bytes >= length + OVERHEAD)
		return err;
	return backup_remove(storage, error);
}

static int copy_content(struct storage_writer *writer, const struct reader *source, const struct digest_value *digest,
                        struct error *error)
{
	struct digest running;
	struct digest_value value;
	uint8_t buffer[CHUNK];

	digest_start(&running, digest->kind);
	for (uint64_t offset = 0; offset < source->size;) {
		uint64_t left = source->size - offset;
		size_t length = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		int err = source->read_at(source->ctx, offset, buffer, length);

		if (err < 0)
			return error_set(error, RESULT_VERIFY, -err, "reading the source: %s", strerror(-err));
		digest_add(&running, buffer, length);
		err = storage_writer_write(writer, buffer, length, error);
		if (err < 0)
			return err;
		offset += length;
	}
	digest_finish(&running, &value);
	if (!digest_equal(&value, digest))
		return error_set(error, RESULT_VERIFY, EILSEQ, "the source changed while it was read");
	return 0;
}

int backup_make(struct storage *storage, const char *label, const char *like, const struct reader *source,
                const struct digest_value *digest, struct error *error)
{
	uint8_t header[BACKUP_HEADER_SIZE];
	struct storage_writer *writer;
	int err;

	err = make_room(storage, source->size, error);
	if (err < 0)
		goto fail;
	err = storage_writer_open(storage, &backup_name, source->size + BACKUP_HEADER_SIZE, like, &writer, error);
	if (err < 0)
		goto fail;
	header_make(header, label, source->size, digest);
	err = storage_writer_write(writer, header, sizeof(header), error);
	if (err == 0)
		err = copy_content(writer, source, digest, error);
	if (err < 0) {
		storage_writer_abort(writer);
		goto fail;
	}
	err = storage_writer_commit(writer, NULL, error);
	if (err == 0)
		return 0;
fail:
	error_prefix(error, "failed to back up source file");
	return err;
}

int backup_remove(struct storage *storage, struct error *error)
{
	int err = storage_remove(storage, UPDATER_BACKUP, error);

	return err < 0 ? err : 0;
}
