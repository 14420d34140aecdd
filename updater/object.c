/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHUNK        16384
#define MANY_DIGESTS 4 /* more of them would only push the found one out of the message */

/* The marks stay sorted and without doubles; more sizes than OBJECT_MARKS cannot come. */
static void add_mark(struct object *object, uint64_t size)
{
	unsigned i = object->mark_count;

	if (size > object->io.size)
		return;
	for (unsigned k = 0; k < object->mark_count; k++)
		if (object->marks[k].size == size)
			return;
	for (; i > 0 && object->marks[i - 1].size > size; i--)
		object->marks[i] = object->marks[i - 1];
	object->marks[i] = (struct object_mark){.size = size};
	object->mark_count++;
}

static void add_marks(struct object *object, uint64_t target_size)
{
	if (object->name.kind == STORAGE_FILE || object->name.content_count == 0)
		add_mark(object, object->io.size);
	if (object->name.kind == STORAGE_FILE)
		return;
	for (unsigned i = 0; i < object->name.content_count; i++)
		add_mark(object, object->name.content[i].size);
	if (target_size > 0)
		add_mark(object, target_size);
}

static void finish_mark(struct object_mark *mark, const struct digest running[DIGEST_SHA256 + 1], unsigned kinds)
{
	for (unsigned kind = 0; kind <= DIGEST_SHA256; kind++) {
		struct digest branch = running[kind];

		if (kinds & 1U << kind)
			digest_finish(&branch, &mark->values[kind]);
	}
}

static int read_marks(struct object *object)
{
	struct digest running[DIGEST_SHA256 + 1];
	uint8_t buffer[CHUNK];
	uint64_t offset = 0;

	for (unsigned kind = 0; kind <= DIGEST_SHA256; kind++)
		digest_start(&running[kind], (enum digest_kind)kind);
	for (unsigned i = 0; i < object->mark_count; i++) {
		while (offset < object->marks[i].size) {
			uint64_t left = object->marks[i].size - offset;
			size_t length = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
			int err = object->io.read_at(object->io.ctx, offset, buffer, length);

			if (err < 0) {
				/* What was read before the bad place may still be what is wanted. */
				object->mark_count = i;
				return err;
			}
			for (unsigned kind = 0; kind <= DIGEST_SHA256; kind++)
				if (object->kinds & 1U << kind)
					digest_add(&running[kind], buffer, length);
			offset += length;
			object->bytes_read = offset;
		}
		finish_mark(&object->marks[i], running, object->kinds);
	}
	return 0;
}

int object_open(struct storage *storage, const char *text, uint64_t target_size, unsigned kinds, struct object *object,
                struct error *error)
{
	int err;

	memset(object, 0, sizeof(*object));
	object->kinds = kinds;
	err = storage_name_parse(text, &object->name, error);
	if (err < 0)
		return err;
	object->status = storage_reader_open(storage, &object->name, &object->file, &object->error);
	if (object->status < 0) {
		object->file = NULL;
		return 0;
	}
	object->io = storage_reader_io(object->file);
	add_marks(object, target_size);
	object->status = read_marks(object);
	if (object->status < 0)
		(void)error_set(&object->error, 0, -object->status, "%s", strerror(-object->status));
	return 0;
}

void object_close(struct object *object)
{
	if (object->file)
		storage_reader_close(object->file);
	object->file = NULL;
}

bool object_matches(const struct object *object, const struct digest_value *digest, uint64_t *size)
{
	if (!(object->kinds & object_kind_bit(digest)))
		return false;
	for (unsigned i = 0; i < object->mark_count; i++) {
		if (digest_equal(&object->marks[i].values[digest->kind], digest)) {
			*size = object->marks[i].size;
			return true;
		}
	}
	return false;
}

int object_mismatch(const struct object *object, const struct digest_value *const *expected, unsigned count,
                    struct error *error)
{
	char list[MANY_DIGESTS * (DIGEST_TEXT_SIZE + 4) + 1] = "a readable content";
	char found[DIGEST_TEXT_SIZE + 64];
	char label[OBJECT_LABEL_SIZE];
	char hex[DIGEST_TEXT_SIZE];
	size_t used = 0;

	for (unsigned i = 0; i < count && i < MANY_DIGESTS; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? " or " : "",
		                         digest_format(expected[i], hex));
	if (object->mark_count > 0) {
		const struct object_mark *last = &object->marks[object->mark_count - 1];
		enum digest_kind kind = count > 0 ? expected[0]->kind : DIGEST_SHA1;

		(void)snprintf(found, sizeof(found), "%s (%llu bytes)", digest_format(&last->values[kind], hex),
		               (unsigned long long)last->size);
	} else if (object->status == -ENOENT) {
		(void)snprintf(found, sizeof(found), "missing");
	} else {
		(void)snprintf(found, sizeof(found), "unreadable (%.90s)", object->error.message);
	}
	return error_set(error, RESULT_VERIFY, object->status == -ENOENT ? ENOENT : EILSEQ,
	                 "%.180s: expected %s, found %s", object_label(&object->name, label), list, found);
}

const char *object_label(const struct storage_name *name, char label[OBJECT_LABEL_SIZE])
{
	static const char *const prefixes[] = {
		[STORAGE_FILE] = "", [STORAGE_MTD] = "MTD:", [STORAGE_UBI] = "UBI:", [STORAGE_BLOCK] = "EMMC:"};

	(void)snprintf(label, OBJECT_LABEL_SIZE, "%s%s", prefixes[name->kind], name->name);
	return label;
}

int object_make_parents(struct storage *storage, const char *path, struct error *error)
{
	char parent[STORAGE_PATH_MAX];
	struct storage_stat stat;
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) : 0;

	if (length == 0)
		return 0;
	(void)snprintf(parent, sizeof(parent), "%.*s", length, path);
	if (storage_stat_path(storage, parent, &stat) == 0)
		return 0;
	return storage_make_directories(storage, parent, 0700, error);
}
