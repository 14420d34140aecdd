/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/bytes.h"
#include "gentools/image_crc.h"
#include "gentools/tree_xattr.h"
#include "images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Objects of SYSTEM are the same. */
static void compare(const struct tree *tree, const struct tree *reference)
{
	size_t compared = 0;

	for (size_t i = 0; i < reference->count; i++) {
		const struct object *a = &reference->objects[i];
		const struct object *b = tree_find(tree, a->path);

		if (!path_in(a->path, "SYSTEM") || strcmp(a->path, "SYSTEM/firmware") == 0)
			continue;
		compared++;
		ck_assert_msg(b != NULL, "no %s", a->path);
		ck_assert_msg(a->type == b->type && a->uid == b->uid && a->gid == b->gid &&
		                      (a->mode == b->mode || strcmp(a->path, "SYSTEM") == 0),
		              "%s: other type, owner or mode %o, not %o", a->path, b->mode, a->mode);
		ck_assert_pstr_eq(a->link, b->link);
		ck_assert_msg(object_same_node(a, b), "%s: another node", a->path);
		ck_assert_msg(a->capabilities == b->capabilities, "%s: other capabilities", a->path);
		ck_assert_int_eq(a->has_capabilities, b->has_capabilities);
		ck_assert_int_eq(a->has_names, b->has_names);
		ck_assert_msg(a->file == b->file, "%s: another file", a->path);
		ck_assert_uint_eq(a->data.size, b->data.size);
		if (a->type == OBJECT_FILE)
			ck_assert_msg(digest_equal(&a->digest, &b->digest), "%s: other content", a->path);
	}
	for (size_t i = 0; i < tree->count; i++)
		compared -= path_in(tree->objects[i].path, "SYSTEM") &&
		            strcmp(tree->objects[i].path, "SYSTEM/firmware") != 0;
	ck_assert_uint_eq(compared, 0);
}

static const char *const cases[] = {"ubifs", "ubifs.zip", "img", "ubi", "volumes", "apart",
                                    "gzip",  "lzo",       "lz4", "xz",  "zstd",    "lzma"};

START_TEST(images_are_what_was_packed)
{
	char name[64];
	struct tree reference;
	struct tree tree;
	struct error error;

	(void)snprintf(name, sizeof(name), "images/%s", cases[_i]);
	ck_assert_int_eq(images_read_tree(&reference, "tree", &error), 0);
	ck_assert_msg(images_read_tree(&tree, name, &error) == 0, "%s", error.message);
	compare(&tree, &reference);
	ck_assert_uint_gt(reference.count, 700);
	ck_assert_uint_eq(tree.hard_links, 2);
	ck_assert_uint_eq(tree.linked_files, 1);
	ck_assert_ptr_nonnull(strstr(tree.notes, ": SYSTEM is "));
	tree_free(&tree);
	tree_free(&reference);
}
END_TEST

/* What the flash has that an image is for. */
static void check_units(const char *name, uint32_t leb, uint32_t erase_block)
{
	struct tree tree;
	struct error error;

	ck_assert_msg(images_read_tree(&tree, name, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(tree.units.leb, leb);
	ck_assert_uint_eq(tree.units.erase_block, erase_block);
	tree_free(&tree);
}

START_TEST(flash_is_told)
{
	check_units("images/ubi", 15872, 16384);
	check_units("images/volumes", 126976, 131072);
	check_units("images/apart", 129024, 131072);
	check_units("images/gzip", 0, 0);
	/* Two images contradict each other. */
	images_shell("mkdir -p $F/case/BOOTABLE_IMAGES && cp $F/small.ubi $F/case/SYSTEM.ubi && "
	             "cp $F/images/apart/NON-HLOS.ubi $F/case");
	check_units("case", 0, 0);
	images_shell("rm -r $F/case");
}
END_TEST

START_TEST(what_is_not_used_is_told)
{
	struct tree tree;
	struct error error;

	ck_assert_int_eq(images_read_tree(&tree, "images/volumes", &error), 0);
	ck_assert_ptr_nonnull(strstr(tree.notes, "SYSTEM.ubi: volume usrfs is not used\n"));
	tree_free(&tree);
	/* A tree counts, whatever lies beside it. */
	images_shell("cp -r $F/images/ubifs $F/case && mkdir $F/case/SYSTEM && touch $F/case/SYSTEM/file "
	             "$F/case/system.img");
	ck_assert_int_eq(images_read_tree(&tree, "case", &error), 0);
	ck_assert_ptr_nonnull(strstr(tree.notes, " is not used, SYSTEM is there without it"));
	ck_assert_ptr_null(tree_find(&tree, "SYSTEM/etc"));
	tree_free(&tree);
	images_shell("rm -r $F/case");
}
END_TEST

static const struct {
	const char *command;
	const char *cause;
} bad_inputs[] = {
	{":", "SYSTEM.ubi: volume rootfs: UBIFS: made for logical erase blocks of 126976"},
	{"echo text > SYSTEM.ubi", "SYSTEM.ubi: neither UBI"},
	{": > SYSTEM.ubi", "SYSTEM.ubi: neither UBI"},
	{"cp ../images/ubi/System.UBI SYSTEM.img", "are both for SYSTEM"},
	{"cp ../images/apart/NON-HLOS.ubi SYSTEM.ubi", "2 volumes, none of them rootfs or system"},
	{"truncate -s -1 SYSTEM.ubi", "cut short"},
	{"truncate -s 20000 SYSTEM.ubi", "no second erase block"},
	{"truncate -s 50 SYSTEM.ubi", "damaged header"},
};

START_TEST(refuses_bad_images)
{
	struct tree tree;
	struct error error;

	char command[256];

	(void)snprintf(command, sizeof(command), "cp -r $F/images/misfit $F/case && cd $F/case && %s",
	               bad_inputs[_i].command);
	images_shell(command);
	ck_assert_int_eq(images_read_tree(&tree, "case", &error), -EINVAL);
	ck_assert_msg(strstr(error.message, bad_inputs[_i].cause) != NULL, "%s", error.message);
	tree_free(&tree);
	images_shell("rm -r $F/case");
}
END_TEST

/* 1 << 12: what make_images gives the program. */
START_TEST(attributes)
{
	struct image_bytes bytes = images_read(_i ? "attribute.squashfs" : "attribute.ubifs");
	struct tree tree;
	struct error error;
	size_t found = 0;

	if (_i && geteuid() != 0) {
		free(bytes.data); /* nobody else can give a file one */
		return;
	}

	ck_assert_msg(images_unpack(&tree, bytes.data, bytes.size, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(tree.count, 2);
	for (size_t i = 0; i < tree.count; i++)
		found += strcmp(tree.objects[i].path, "SYSTEM/ping") == 0 && tree.objects[i].capabilities == 1 << 12;
	ck_assert_uint_eq(found, 1);
	tree_free(&tree);
	if (_i) {
		free(bytes.data);
		return;
	}
	/* One that also is inherited, which no script can set. */
	for (unsigned i = 0;; i++) {
		uint8_t *inode = images_find_node(&bytes, 0, i);

		if (get_le32(inode + 112) != 20)
			continue;
		inode[160 + 8] = 1;
		break;
	}
	images_check_cause(&bytes, "no script can set");
}
END_TEST

/* Whether the object has this attribute. */
static bool has_xattr(const struct object *object, const char *name, const void *value, size_t size)
{
	const struct object_xattr *xattr = object_find_xattr(object, name);

	return object->has_xattrs && xattr && xattr->size == size && memcmp(xattr->value, value, size) == 0;
}

START_TEST(xattrs_of_squashfs)
{
	struct image_bytes bytes = images_read("attribute.squashfs");
	struct tree tree;
	struct error error;

	ck_assert_msg(images_unpack(&tree, bytes.data, bytes.size, &error) == 0, "%s", error.message);
	/* None at all: the file system of this machine takes none. */
	for (size_t i = 0; i < tree.count && tree.objects[0].xattr_count > 0; i++) {
		const struct object *object = &tree.objects[i];
		const char *text = strcmp(object->path, "SYSTEM") == 0 ? "of" : "of/ping";

		ck_assert_uint_eq(object->xattr_count, 2);
		ck_assert(has_xattr(object, "user.a", "\0", 1) && has_xattr(object, "user.b", text, strlen(text)));
		ck_assert_str_eq(object->xattrs[0].name, "user.a");
	}
	tree_free(&tree);
	free(bytes.data);
}
END_TEST

/* The capability under another name of that length. */
START_TEST(xattrs_of_ubifs)
{
	struct image_bytes bytes = images_read("attribute.ubifs");
	uint8_t *entry = images_find_node(&bytes, 3, 0);
	struct tree tree;
	struct error error;
	size_t found = 0;

	memcpy(entry + 56, "security.other_name", 19);
	images_repair(&bytes);
	ck_assert_msg(images_unpack(&tree, bytes.data, bytes.size, &error) == 0, "%s", error.message);
	for (size_t i = 0; i < tree.count; i++)
		found += has_xattr(&tree.objects[i], "security.other_name",
		                   "\1\0\0\2\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	ck_assert_uint_eq(found, 1);
	ck_assert_uint_eq(tree_drop_xattrs(&tree), 1);
	tree_free(&tree);
	entry[56] = '\0';
	images_check_cause(&bytes, "an attribute without a proper name");
}
END_TEST

static void put_be32(uint8_t *p, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Of small.ubi: its erase blocks, and where the volume's header and the data are in them. */
enum { BLOCK = 16384, HEADER = 256, DATA = 512 };

/* A second erase block with the content of another; its number in the sequence is 9. */
static uint8_t *add_copy(struct image_bytes *bytes, size_t of)
{
	uint8_t *data = realloc(bytes->data, bytes->size + BLOCK);
	uint8_t *copy;

	ck_assert_ptr_nonnull(data);
	bytes->data = data;
	copy = data + bytes->size;
	bytes->size += BLOCK;
	memcpy(copy, data + of * BLOCK, BLOCK);
	copy[HEADER + 47] = 9;
	put_be32(copy + HEADER + 60, image_crc(copy + HEADER, 60));
	return copy;
}

/* Of headers also what does not matter here is looked after. */
START_TEST(damaged_header)
{
	static const size_t places[] = {15, BLOCK + 15, 3 * BLOCK + HEADER + 47};
	struct image_bytes bytes = images_read("small.ubi");
	uint32_t expected = images_fingerprint(&bytes);

	bytes.data[places[_i]] ^= 1;
	ck_assert(images_refused(&bytes, bytes.size, expected));
	free(bytes.data);
}
END_TEST

/* The newest of several blocks counts, but not a copy that broke off. */
START_TEST(blocks_that_are_there_twice)
{
	enum { FIRST = 2 }; /* behind the volume table's two blocks */
	struct image_bytes bytes = images_read("small.ubi");
	uint32_t expected = images_fingerprint(&bytes);
	uint8_t *copy;

	(void)add_copy(&bytes, FIRST);
	memset(bytes.data + (size_t)FIRST * BLOCK + DATA, 0, BLOCK - DATA);
	ck_assert_uint_eq(images_fingerprint(&bytes), expected);
	free(bytes.data);

	bytes = images_read("small.ubi");
	copy = add_copy(&bytes, FIRST);
	memset(copy + DATA, 0, BLOCK - DATA);
	ck_assert(images_refused(&bytes, bytes.size, expected));
	copy[HEADER + 6] = 1;
	put_be32(copy + HEADER + 20, BLOCK - DATA);
	put_be32(copy + HEADER + 60, image_crc(copy + HEADER, 60));
	ck_assert_uint_eq(images_fingerprint(&bytes), expected);
	free(bytes.data);
}
END_TEST

TCase *image_tests(void)
{
	TCase *tests = tcase_create("images");

	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, images_start, images_end);
	tcase_add_loop_test(tests, images_are_what_was_packed, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tests, flash_is_told);
	tcase_add_test(tests, what_is_not_used_is_told);
	tcase_add_loop_test(tests, refuses_bad_images, 0, sizeof(bad_inputs) / sizeof(bad_inputs[0]));
	tcase_add_loop_test(tests, attributes, 0, 2);
	tcase_add_test(tests, xattrs_of_squashfs);
	tcase_add_test(tests, xattrs_of_ubifs);
	tcase_add_loop_test(tests, damaged_header, 0, 3);
	tcase_add_test(tests, blocks_that_are_there_twice);
	return tests;
}
