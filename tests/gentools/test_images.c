/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/bytes.h"
#include "gentools/image_crc.h"
#include "gentools/image_ubi.h"
#include "gentools/image_ubifs.h"
#include "gentools/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_gentools.XXXXXX"; /* of make_images */

/* Bytes of a file, to be changed. */
struct bytes {
	uint8_t *data;
	size_t size;
};

/* $F is the folder. */
static void shell(const char *script)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "F=%s; %s", folder, script);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): paths of our own making */
}

static void start(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	shell(TEST_DATA "/make_images $F");
}

static void end(void)
{
	shell("rm -rf $F");
}

static int read_named(struct tree *tree, const char *name, struct error *error)
{
	static char path[128]; /* the tree keeps it */

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return tree_read(tree, path, error);
}

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
		ck_assert_msg(a->capabilities == b->capabilities, "%s: other capabilities", a->path);
		ck_assert_int_eq(a->has_capabilities, b->has_capabilities);
		ck_assert_uint_eq(a->data.size, b->data.size);
		if (a->type == OBJECT_FILE)
			ck_assert_msg(digest_equal(&a->sha1, &b->sha1), "%s: other content", a->path);
	}
	for (size_t i = 0; i < tree->count; i++)
		compared -= path_in(tree->objects[i].path, "SYSTEM") &&
		            strcmp(tree->objects[i].path, "SYSTEM/firmware") != 0;
	ck_assert_uint_eq(compared, 0);
}

static const char *const cases[] = {"ubifs", "img", "ubi", "volumes", "apart"};

START_TEST(images_are_what_was_packed)
{
	char name[64];
	struct tree reference;
	struct tree tree;
	struct error error;

	(void)snprintf(name, sizeof(name), "images/%s", cases[_i]);
	ck_assert_int_eq(read_named(&reference, "tree", &error), 0);
	ck_assert_msg(read_named(&tree, name, &error) == 0, "%s", error.message);
	compare(&tree, &reference);
	ck_assert_uint_gt(reference.count, 700);
	ck_assert_uint_eq(tree.hard_links, 2);
	ck_assert_ptr_nonnull(strstr(tree.notes, ": SYSTEM is "));
	tree_free(&tree);
	tree_free(&reference);
}
END_TEST

START_TEST(what_is_not_used_is_told)
{
	struct tree tree;
	struct error error;

	ck_assert_int_eq(read_named(&tree, "images/volumes", &error), 0);
	ck_assert_ptr_nonnull(strstr(tree.notes, "SYSTEM.ubi: volume usrfs is not used\n"));
	tree_free(&tree);
	/* A tree counts, whatever lies beside it. */
	shell("cp -r $F/images/ubifs $F/case && mkdir $F/case/SYSTEM && touch $F/case/SYSTEM/file $F/case/system.img");
	ck_assert_int_eq(read_named(&tree, "case", &error), 0);
	ck_assert_ptr_nonnull(strstr(tree.notes, " is not used, SYSTEM is there without it"));
	ck_assert_ptr_null(tree_find(&tree, "SYSTEM/etc"));
	tree_free(&tree);
	shell("rm -r $F/case");
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
	shell(command);
	ck_assert_int_eq(read_named(&tree, "case", &error), -EINVAL);
	ck_assert_msg(strstr(error.message, bad_inputs[_i].cause) != NULL, "%s", error.message);
	tree_free(&tree);
	shell("rm -r $F/case");
}
END_TEST

static struct bytes read_bytes(const char *name)
{
	struct bytes bytes;
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

/* Unpack a UBIFS, or the first volume of UBI, to SYSTEM of a tree. */
static int unpack(struct tree *tree, const uint8_t *data, size_t size, struct error *error)
{
	struct image_place place = {.tree = tree, .folder = "SYSTEM", .room = 1 << 20};
	struct memory_block block = {.data = data, .size = size};
	struct reader reader = reader_from_memory(&block);
	struct ubi ubi = {0};
	int err = 0;

	*tree = (struct tree){.name = "test", .spool = {.fd = -1}};
	ck_assert_int_eq(spool_open(&tree->spool), 0);
	if (size >= 4 && memcmp(data, UBI_MAGIC, 4) == 0) {
		err = ubi_open(&ubi, data, size, error);
		if (err == 0 && ubi.volume_count == 0)
			err = error_set(error, 0, EINVAL, "no volume");
		if (err == 0)
			reader = ubi_volume_reader(&ubi.volumes[0]);
	}
	if (err == 0)
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
			digest_format(&object->sha1, hex);
		n = snprintf(text, sizeof(text), "%s %d %o %lld %lld %llx %s %s", object->path, (int)object->type,
		             object->mode, (long long)object->uid, (long long)object->gid,
		             (unsigned long long)object->capabilities, object->link ? object->link : "", hex);
		sum += image_crc((const uint8_t *)text, (size_t)n);
	}
	return sum;
}

/* One that is unpacked; for its fingerprint. */
static uint32_t unpacked(const struct bytes *bytes)
{
	struct tree tree;
	struct error error;
	uint32_t result;

	ck_assert_msg(unpack(&tree, bytes->data, bytes->size, &error) == 0, "%s", error.message);
	result = fingerprint(&tree);
	tree_free(&tree);
	return result;
}

/* Whether it is refused; if it is not, it must say what it is to say. */
static bool is_refused(const struct bytes *bytes, size_t size, uint32_t expected)
{
	struct tree tree;
	struct error error = {.message = ""};
	int err = unpack(&tree, bytes->data, size, &error);

	if (err < 0)
		ck_assert_msg(error.message[0] != '\0', "no cause");
	else
		ck_assert_uint_eq(fingerprint(&tree), expected);
	tree_free(&tree);
	return err < 0;
}

static const char *const small_images[] = {"small.ubifs", "small.ubi"};

/* Every bit that counts is guarded by a checksum. */
START_TEST(flipped_bits)
{
	struct bytes bytes = read_bytes(small_images[_i]);
	uint32_t expected = unpacked(&bytes);
	size_t refused = 0;

	for (size_t at = 0; at < bytes.size; at += at % 15872 < 1024 ? 5 : 251) {
		uint8_t bit = (uint8_t)(1u << at % 8);

		bytes.data[at] ^= bit;
		refused += is_refused(&bytes, bytes.size, expected);
		bytes.data[at] ^= bit;
	}
	ck_assert_uint_gt(refused, 100);
	free(bytes.data);
}
END_TEST

START_TEST(cut_anywhere)
{
	struct bytes bytes = read_bytes(small_images[_i]);
	uint32_t expected = unpacked(&bytes);
	size_t refused = 0;

	for (size_t size = 0; size < bytes.size; size += 1009) {
		/* So that a sanitizer sees what is read behind the end. */
		struct bytes cut = {.data = malloc(size ? size : 1), .size = size};

		ck_assert_ptr_nonnull(cut.data);
		memcpy(cut.data, bytes.data, size);
		refused += is_refused(&cut, size, expected);
		free(cut.data);
	}
	ck_assert_uint_gt(refused, 100);
	free(bytes.data);
}
END_TEST

/* Give every node of a UBIFS the checksum of what it says. */
static void repair(struct bytes *bytes)
{
	for (size_t at = 0; at + 24 <= bytes->size; at += 8) {
		uint8_t *node = bytes->data + at;
		uint32_t length = get_le32(node + 16);

		if (get_le32(node) == UBIFS_MAGIC && length >= 24 && length <= bytes->size - at)
			put_le32(node + 4, image_crc(node + 8, length - 8));
	}
}

/* What an attacker would write: whatever it is, it ends, and nothing is read that is not there. */
START_TEST(lies_with_good_checksums)
{
	enum { ROUNDS = 1500 };
	struct bytes good = read_bytes("small.ubifs");
	struct bytes bad = {.data = malloc(good.size), .size = good.size};
	uint32_t state = 1;
	size_t refused = 0;

	ck_assert_ptr_nonnull(bad.data);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct tree tree;
		struct error error;
		size_t nodes = 0;
		size_t chosen;

		memcpy(bad.data, good.data, good.size);
		for (size_t at = 0; at + 24 <= bad.size; at += 8)
			nodes += get_le32(bad.data + at) == UBIFS_MAGIC;
		ck_assert_uint_gt(nodes, 0);
		state = state * 1664525u + 1013904223u;
		chosen = (state >> 8) % nodes;
		for (size_t at = 0; at + 256 <= bad.size; at += 8) {
			if (get_le32(bad.data + at) != UBIFS_MAGIC || chosen-- != 0)
				continue;
			state = state * 1664525u + 1013904223u;
			bad.data[at + 16 + (state >> 8) % 170] = round % 3 ? (uint8_t)(state >> 24) : 0xff;
		}
		repair(&bad);
		refused += unpack(&tree, bad.data, bad.size, &error) < 0;
		tree_free(&tree);
	}
	ck_assert_uint_gt(refused, ROUNDS / 10);
	free(bad.data);
	free(good.data);
}
END_TEST

static uint8_t *find_node(const struct bytes *bytes, unsigned type, unsigned skip)
{
	for (size_t at = 0; at + 24 <= bytes->size; at += 8)
		if (get_le32(bytes->data + at) == UBIFS_MAGIC && bytes->data[at + 20] == type && skip-- == 0)
			return bytes->data + at;
	ck_abort_msg("no node of type %u", type);
}

static void check_cause(struct bytes *bytes, const char *cause)
{
	struct tree tree;
	struct error error = {.message = "nothing"};

	repair(bytes);
	ck_assert_int_eq(unpack(&tree, bytes->data, bytes->size, &error), -EINVAL);
	ck_assert_msg(strstr(error.message, cause) != NULL, "%s", error.message);
	tree_free(&tree);
	free(bytes->data);
}

START_TEST(file_system_in_use)
{
	struct bytes bytes = read_bytes("small.ubifs");
	uint8_t *log;

	/* One of the masters is newer; */
	find_node(&bytes, 7, 0)[60] ^= 1;
	check_cause(&bytes, "while it was mounted");
	/* both say that it is mounted; */
	bytes = read_bytes("small.ubifs");
	find_node(&bytes, 7, 0)[40] |= 1;
	find_node(&bytes, 7, 1)[40] |= 1;
	check_cause(&bytes, "while it was mounted");
	/* the journal, behind the commit's start, refers to a block. */
	bytes = read_bytes("small.ubifs");
	log = find_node(&bytes, 10, 0);
	put_le32(log + 256, UBIFS_MAGIC);
	put_le32(log + 256 + 16, 64);
	log[256 + 20] = 8;
	check_cause(&bytes, "a journal that is not empty");
	bytes = read_bytes("small.ubifs");
	log = find_node(&bytes, 10, 0);
	log[32 + 20] = 8;
	check_cause(&bytes, "a journal that is not empty");
}
END_TEST

START_TEST(what_cannot_be_read)
{
	struct bytes bytes = read_bytes("small.ubifs");

	find_node(&bytes, 6, 0)[28] |= 0x10;
	check_cause(&bytes, "encrypted or signed");
	bytes = read_bytes("small.ubifs");
	find_node(&bytes, 6, 0)[124] = 1;
	check_cause(&bytes, "another version");
	/* Compressed by something else. */
	bytes = read_bytes("small.ubifs");
	find_node(&bytes, 1, 0)[44] = 9;
	check_cause(&bytes, "cannot be unpacked");
	/* A sparse file that no flash could hold. */
	bytes = read_bytes("small.ubifs");
	for (unsigned i = 0; i < 8; i++) {
		uint8_t *inode = find_node(&bytes, 0, i);

		if (get_le64(inode + 48) == 50000) {
			inode[48 + 5] = 1;
			break;
		}
	}
	{
		struct tree tree;
		struct error error;

		repair(&bytes);
		ck_assert_int_eq(unpack(&tree, bytes.data, bytes.size, &error), -EFBIG);
		tree_free(&tree);
		free(bytes.data);
	}
}
END_TEST

/* The root as an entry of a folder of its own. */
START_TEST(folder_in_itself)
{
	struct bytes bytes = read_bytes("small.ubifs");

	for (unsigned i = 0;; i++) {
		uint8_t *entry = find_node(&bytes, 2, i);

		if (strcmp((const char *)entry + 56, "empty") != 0)
			continue;
		put_le64(entry + 40, 1);
		break;
	}
	check_cause(&bytes, "has two names");
}
END_TEST

/* 1 << 12: what make_images gives the program. */
START_TEST(attributes)
{
	struct bytes bytes = read_bytes("attribute.ubifs");
	struct tree tree;
	struct error error;
	size_t found = 0;

	ck_assert_msg(unpack(&tree, bytes.data, bytes.size, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(tree.count, 2);
	for (size_t i = 0; i < tree.count; i++)
		found += strcmp(tree.objects[i].path, "SYSTEM/ping") == 0 && tree.objects[i].capabilities == 1 << 12;
	ck_assert_uint_eq(found, 1);
	tree_free(&tree);
	/* One that also is inherited, which no script can set. */
	for (unsigned i = 0;; i++) {
		uint8_t *inode = find_node(&bytes, 0, i);

		if (get_le32(inode + 112) != 20)
			continue;
		inode[160 + 8] = 1;
		break;
	}
	check_cause(&bytes, "no script can set");
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
static uint8_t *add_copy(struct bytes *bytes, size_t of)
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

/* The newest of several blocks counts, but not a copy that broke off. */
START_TEST(blocks_that_are_there_twice)
{
	enum { FIRST = 2 }; /* behind the volume table's two blocks */
	struct bytes bytes = read_bytes("small.ubi");
	uint32_t expected = unpacked(&bytes);
	uint8_t *copy;

	(void)add_copy(&bytes, FIRST);
	memset(bytes.data + (size_t)FIRST * BLOCK + DATA, 0, BLOCK - DATA);
	ck_assert_uint_eq(unpacked(&bytes), expected);
	free(bytes.data);

	bytes = read_bytes("small.ubi");
	copy = add_copy(&bytes, FIRST);
	memset(copy + DATA, 0, BLOCK - DATA);
	ck_assert(is_refused(&bytes, bytes.size, expected));
	copy[HEADER + 6] = 1;
	put_be32(copy + HEADER + 20, BLOCK - DATA);
	put_be32(copy + HEADER + 60, image_crc(copy + HEADER, 60));
	ck_assert_uint_eq(unpacked(&bytes), expected);
	free(bytes.data);
}
END_TEST

TCase *image_tests(void)
{
	TCase *tests = tcase_create("images");

	tcase_set_timeout(tests, 120);
	tcase_add_unchecked_fixture(tests, start, end);
	tcase_add_loop_test(tests, images_are_what_was_packed, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tests, what_is_not_used_is_told);
	tcase_add_loop_test(tests, refuses_bad_images, 0, sizeof(bad_inputs) / sizeof(bad_inputs[0]));
	tcase_add_loop_test(tests, flipped_bits, 0, sizeof(small_images) / sizeof(small_images[0]));
	tcase_add_loop_test(tests, cut_anywhere, 0, sizeof(small_images) / sizeof(small_images[0]));
	tcase_add_test(tests, lies_with_good_checksums);
	tcase_add_test(tests, file_system_in_use);
	tcase_add_test(tests, what_cannot_be_read);
	tcase_add_test(tests, folder_in_itself);
	tcase_add_test(tests, attributes);
	tcase_add_test(tests, blocks_that_are_there_twice);
	return tests;
}
