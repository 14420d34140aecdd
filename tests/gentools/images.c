/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include "base/bytes.h"
#include "gentools/image_crc.h"
#include "gentools/image_squashfs.h"
#include "gentools/image_ubi.h"
#include "gentools/image_ubifs.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER "/tmp/test_gentools.XXXXXX"

static char folder[] = FOLDER; /* of make_images */

/* $F is the folder. */
void images_shell(const char *script)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "F=%s; %s", folder, script);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): paths of our own making */
}

void images_start(void)
{
	memcpy(folder, FOLDER, sizeof(folder));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	images_shell(TEST_DATA "/make_images $F");
}

void images_end(void)
{
	images_shell("rm -rf $F");
}

int images_read_tree(struct tree *tree, const char *name, struct error *error)
{
	static char path[128]; /* the tree keeps it */

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return tree_read(tree, path, DIGEST_SHA1, error);
}

struct image_bytes images_read(const char *name)
{
	struct image_bytes bytes;
	struct stat st;
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rbe");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	bytes.size = (size_t)st.st_size;
	bytes.data = malloc(bytes.size);
	ck_assert_ptr_nonnull(bytes.data);
	ck_assert_uint_eq(fread(bytes.data, 1, bytes.size, file), bytes.size);
	ck_assert_int_eq(fclose(file), 0);
	return bytes;
}

int images_unpack(struct tree *tree, const uint8_t *data, size_t size, struct error *error)
{
	struct image_place place = {.tree = tree, .folder = "SYSTEM", .room = 1 << 20};
	struct memory_block block = {.data = data, .size = size};
	struct reader reader = reader_from_memory(&block);
	struct ubi ubi = {0};
	uint8_t magic[4];
	int err = 0;

	*tree = (struct tree){.name = "test", .spool = {.fd = -1}, .digests = DIGEST_SHA1};
	ck_assert_int_eq(spool_open(&tree->spool), 0);
	if (size >= 4 && memcmp(data, UBI_MAGIC, 4) == 0) {
		err = ubi_open(&ubi, data, size, error);
		if (err == 0 && ubi.volume_count == 0)
			err = error_set(error, 0, EINVAL, "no volume");
		if (err == 0)
			reader = ubi_volume_reader(&ubi.volumes[0]);
	}
	if (err == 0 && reader.size >= 4 && reader.read_at(reader.ctx, 0, magic, 4) == 0 &&
	    memcmp(magic, SQUASHFS_MAGIC, 4) == 0)
		err = image_unpack_squashfs(&reader, &place, error);
	else if (err == 0)
		err = image_unpack_ubifs(&reader, 0, &place, error);
	ubi_close(&ubi);
	return err;
}

/* All that a tree says, as one digest, whatever the order of its objects. */
static uint32_t fingerprint(const struct tree *tree)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < tree->count; i++) {
		const struct object *object = &tree->objects[i];
		char text[1024];
		char hex[DIGEST_TEXT_SIZE] = "";
		int n;

		if (object->type == OBJECT_FILE)
			digest_format(&object->digest, hex);
		n = snprintf(text, sizeof(text), "%s %d %o %lld %lld %llx %s %s", object->path, (int)object->type,
		             object->mode, (long long)object->uid, (long long)object->gid,
		             (unsigned long long)object->capabilities, object->link ? object->link : "", hex);
		sum += image_crc((const uint8_t *)text, (size_t)n);
	}
	return sum;
}

uint32_t images_fingerprint(const struct image_bytes *bytes)
{
	struct tree tree;
	struct error error;
	uint32_t result;

	ck_assert_msg(images_unpack(&tree, bytes->data, bytes->size, &error) == 0, "%s", error.message);
	result = fingerprint(&tree);
	tree_free(&tree);
	return result;
}

bool images_refused(const struct image_bytes *bytes, size_t size, uint32_t expected)
{
	struct tree tree;
	struct error error = {.message = ""};
	int err = images_unpack(&tree, bytes->data, size, &error);

	if (err < 0)
		ck_assert_msg(error.message[0] != '\0', "no cause");
	else
		ck_assert_uint_eq(fingerprint(&tree), expected);
	tree_free(&tree);
	return err < 0;
}

void images_repair(struct image_bytes *bytes)
{
	for (size_t at = 0; at + 24 <= bytes->size; at += 8) {
		uint8_t *node = bytes->data + at;
		uint32_t length = get_le32(node + 16);

		if (get_le32(node) == UBIFS_MAGIC && length >= 24 && length <= bytes->size - at)
			put_le32(node + 4, image_crc(node + 8, length - 8));
	}
}

uint8_t *images_find_node(const struct image_bytes *bytes, unsigned type, unsigned skip)
{
	for (size_t at = 0; at + 24 <= bytes->size; at += 8)
		if (get_le32(bytes->data + at) == UBIFS_MAGIC && bytes->data[at + 20] == type && skip-- == 0)
			return bytes->data + at;
	ck_abort_msg("no node of type %u", type);
}

void images_check_cause(struct image_bytes *bytes, const char *cause)
{
	struct tree tree;
	struct error error = {.message = "nothing"};

	images_repair(bytes);
	ck_assert_int_eq(images_unpack(&tree, bytes->data, bytes->size, &error), -EINVAL);
	ck_assert_msg(strstr(error.message, cause) != NULL, "%s", error.message);
	tree_free(&tree);
	free(bytes->data);
}
