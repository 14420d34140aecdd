/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "gentools/encrypt.h"
#include "gentools/minimal.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two large ones that go into the first package, and what must not be stored. */
static const struct item source[] = {
	ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 30000, 1),
	ITEM_STREAM("SYSTEM/patched", 40000, 1, 1),
	ITEM_LINK("SYSTEM/was-link", "bin/same"),
	ITEM_FILE("SYSTEM/etc/quectel-project-version", 0644, "Project Rev : one\n"),
	ITEM_END,
};

static const struct item target[] = {
	ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 30000, 2),
	ITEM_STREAM("SYSTEM/patched", 40000, 2, 1),
	ITEM_STREAM("SYSTEM/new", 20000, 0, 2),
	ITEM_STREAM("SYSTEM/was-link", 9000, 0, 3),
	ITEM_STREAM("SYSTEM/firmware/new", 8000, 0, 4),
	ITEM_FILE("SYSTEM/etc/quectel-project-version", 0644, "Project Rev : two\n"),
	ITEM_END,
};

#define ALL_SIZE 38000 /* of one package with all of it, about: noise that zip cannot make smaller */

struct scene {
	char folder[64];
	char paths[4][128]; /* source, target, update.zip, update-2.zip */
	char *log;
	size_t log_size;
	struct error error;
};

static void scene_open(struct scene *scene)
{
	static const char *const names[] = {"source.zip", "target.zip", "update.zip", "update-2.zip"};

	memset(scene, 0, sizeof(*scene));
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/minimal-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scene->folder));
	for (int i = 0; i < 4; i++)
		(void)snprintf(scene->paths[i], sizeof(scene->paths[i]), "%s/%s", scene->folder, names[i]);
	write_firmware(scene->paths[0], source);
	write_firmware(scene->paths[1], target);
}

static void scene_close(struct scene *scene)
{
	for (int i = 0; i < 4; i++)
		(void)unlink(scene->paths[i]);     /* need not be there */
	ck_assert_int_eq(rmdir(scene->folder), 0); /* nothing else is left behind */
	free(scene->log);
}

static void take_line(void *ctx, const char *text)
{
	(void)fprintf(ctx, "%s\n", text);
}

static int generate_for(struct scene *scene, uint64_t limit, const struct recipients *recipients)
{
	struct gen_options options = {.source = scene->paths[0],
	                              .target = scene->paths[1],
	                              .output = scene->paths[2],
	                              .parts = GEN_ALL,
	                              .minimal = true,
	                              .recipients = recipients,
	                              .limits = {.package = limit}};
	FILE *out;
	struct log log;
	int err;

	free(scene->log);
	out = open_memstream(&scene->log, &scene->log_size);
	log = (struct log){.line = take_line, .ctx = out};
	err = gen_make_package(&options, &log, &scene->error);
	ck_assert_int_eq(fclose(out), 0);
	return err;
}

static int generate(struct scene *scene, uint64_t limit)
{
	return generate_for(scene, limit, NULL);
}

static int verify(struct scene *scene)
{
	struct gen_options options = {
		.source = scene->paths[0], .target = scene->paths[1], .output = scene->paths[2], .parts = GEN_ALL};
	struct log silent = {0};

	return gen_verify_package(&options, &silent, &scene->error);
}

/* A whole file; the caller frees it. */
static char *load(const char *path, size_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	char *bytes;

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	bytes = malloc(*size + 1);
	ck_assert_int_eq(read(fd, bytes, *size), (ssize_t)*size);
	bytes[*size] = '\0';
	ck_assert_int_eq(close(fd), 0);
	return bytes;
}

/* A text of the package; NULL when it has none. The caller frees it. */
static char *text_of(const char *path, const char *entry)
{
	struct package_limits limits = package_default_limits();
	struct memory_block block = {0};
	struct package *package;
	struct reader reader;
	char *bytes = load(path, &block.size);
	char *text = NULL;
	size_t size;

	block.data = bytes;
	reader = reader_from_memory(&block);
	ck_assert_int_eq(package_open(&reader, &limits, &package, NULL), 0);
	if (package_load(package, entry, 1 << 20, &text, &size, NULL) < 0)
		text = NULL;
	package_close(package);
	free(bytes);
	return text;
}

static void check_text(const char *path, const char *entry, const char *wanted)
{
	char *text = text_of(path, entry);

	if (wanted)
		ck_assert_str_eq(text, wanted);
	else
		ck_assert_ptr_null(text);
	free(text);
}

START_TEST(makes_two)
{
	struct scene scene;
	struct stat sizes[2];
	char *first;
	char *second;

	scene_open(&scene);
	ck_assert_msg(generate(&scene, ALL_SIZE * 6 / 10) == 0, "%s", scene.error.message);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(stat(scene.paths[2 + i], &sizes[i]), 0);
		ck_assert_int_le(sizes[i].st_size, ALL_SIZE * 6 / 10);
	}
	ck_assert_ptr_nonnull(strstr(scene.log, "verified: "));
	ck_assert_ptr_nonnull(strstr(scene.log, "part 1: "));
	check_text(scene.paths[2], PACKAGE_NEXT, "update-2.zip\n");
	check_text(scene.paths[2], PACKAGE_PROJECT_VERSION, "Project Rev : one\n");
	check_text(scene.paths[2], PACKAGE_TARGET_VERSION, NULL);
	check_text(scene.paths[3], PACKAGE_NEXT, NULL);
	check_text(scene.paths[3], PACKAGE_PROJECT_VERSION, "Project Rev : one\n");
	check_text(scene.paths[3], PACKAGE_TARGET_VERSION, "Project Rev : two\n");

	first = text_of(scene.paths[2], PACKAGE_SCRIPT);
	second = text_of(scene.paths[3], PACKAGE_SCRIPT);
	/* The first one looks, and changes nothing that is there. */
	ck_assert_ptr_nonnull(strstr(first, "apply_patch_check(\"/system/patched\""));
	ck_assert_ptr_nonnull(strstr(first, "package_extract_dir(\"store\", \"/system/.fota-store\")"));
	ck_assert_ptr_null(strstr(first, "apply_patch("));
	ck_assert_ptr_null(strstr(first, "package_extract_dir(\"system\""));
	ck_assert_ptr_nonnull(strstr(second, "rename(\"/system/.fota-store/"));
	ck_assert_ptr_nonnull(strstr(second, "delete_recursive(\"/system/.fota-store\");"));
	free(first);
	free(second);
	scene_close(&scene);
}
END_TEST

/* All of it fits: but not what a script that starts anew would lose, or cannot bring to its place. */
START_TEST(stores_what_may_be)
{
	struct scene scene;
	char *second;

	scene_open(&scene);
	ck_assert_msg(generate(&scene, UINT64_C(10) * ALL_SIZE) == 0, "%s", scene.error.message);
	second = text_of(scene.paths[3], PACKAGE_SCRIPT);
	ck_assert_ptr_nonnull(strstr(second, "\"/system/new\");"));
	ck_assert_ptr_null(strstr(second, "\"/system/was-link\");\nrename"));
	check_text(scene.paths[3], "system/new", NULL);
	free(second);
	second = text_of(scene.paths[3], "system/was-link");
	ck_assert_ptr_nonnull(second);
	free(second);
	second = text_of(scene.paths[3], "system/firmware/new");
	ck_assert_ptr_nonnull(second);
	free(second);
	scene_close(&scene);
}
END_TEST

START_TEST(same_bytes)
{
	struct scene scenes[2];

	for (int i = 0; i < 2; i++) {
		scene_open(&scenes[i]);
		ck_assert_int_eq(generate(&scenes[i], ALL_SIZE * 6 / 10), 0);
	}
	for (int i = 2; i < 4; i++) {
		size_t sizes[2];
		char *a = load(scenes[0].paths[i], &sizes[0]);
		char *b = load(scenes[1].paths[i], &sizes[1]);

		ck_assert_uint_eq(sizes[0], sizes[1]);
		ck_assert_mem_eq(a, b, sizes[0]);
		free(a);
		free(b);
	}
	scene_close(&scenes[0]);
	scene_close(&scenes[1]);
}
END_TEST

/* Neither is left when they do not do; the error tells by how much. */
START_TEST(too_small)
{
	static const struct {
		uint64_t limit;
		const char *reason;
	} limits[] = {{ALL_SIZE / 3, "more than --max-package"}, {300, "without anything in it"}};
	struct scene scene;

	scene_open(&scene);
	ck_assert_int_eq(generate(&scene, limits[_i].limit), -EFBIG);
	ck_assert_msg(strstr(scene.error.message, limits[_i].reason), "%s", scene.error.message);
	ck_assert_int_ne(access(scene.paths[2], F_OK), 0);
	ck_assert_int_ne(access(scene.paths[3], F_OK), 0);
	scene_close(&scene);
}
END_TEST

/* Also when they are encrypted, for as many as can be, which makes them larger by 56 + 64 * 40 bytes and the chunks'
 * tags. */
START_TEST(keeps_the_limit_encrypted)
{
	struct recipients recipients = {.count = ENCRYPT_RECIPIENTS_MAX};
	struct scene scene;
	struct stat plain;
	struct stat encrypted;

	for (unsigned i = 0; i < recipients.count; i++)
		memset(recipients.keys[i], (int)i + 9, sizeof(recipients.keys[i]));
	scene_open(&scene);
	ck_assert_int_eq(generate(&scene, ALL_SIZE * 6 / 10), 0);
	ck_assert_int_eq(stat(scene.paths[2], &plain), 0);
	ck_assert_int_eq(generate_for(&scene, (uint64_t)plain.st_size, &recipients), -EFBIG);
	ck_assert_int_eq(generate_for(&scene, (uint64_t)plain.st_size + 3000, &recipients), 0);
	ck_assert_int_eq(stat(scene.paths[2], &encrypted), 0);
	ck_assert_int_gt(encrypted.st_size, plain.st_size + 2000);
	ck_assert_int_le(encrypted.st_size, plain.st_size + 3000);
	scene_close(&scene);
}
END_TEST

START_TEST(verifies_the_pair)
{
	struct scene scene;
	char other[160];

	scene_open(&scene);
	ck_assert_int_eq(generate(&scene, ALL_SIZE * 6 / 10), 0);
	ck_assert_msg(verify(&scene) == 0, "%s", scene.error.message);
	(void)snprintf(other, sizeof(other), "%s/other", scene.folder);
	ck_assert_int_eq(rename(scene.paths[3], other), 0);
	ck_assert_int_lt(verify(&scene), 0);
	ck_assert_msg(strstr(scene.error.message, "update-2.zip"), "%s", scene.error.message);
	/* The second one alone asks for what the first one brings. */
	ck_assert_int_eq(rename(other, scene.paths[2]), 0);
	ck_assert_int_eq(verify(&scene), -ECANCELED);
	scene_close(&scene);
}
END_TEST

static const struct {
	const char *first;
	const char *second; /* NULL: refused */
} names[] = {
	{"update.zip", "update-2.zip"},
	{"a.b/c.d/x.y.zip", "a.b/c.d/x.y-2.zip"},
	{"./out", "./out-2"},
	{"/tmp/a b/x", "/tmp/a b/x-2"},
	{"a b.zip", NULL},
	{".hidden", NULL},
	{"\xc3\xa4.zip", NULL},
};

START_TEST(names_the_second)
{
	struct error error;
	char *second;
	int err = minimal_second_name(names[_i].first, &second, &error);

	if (names[_i].second) {
		ck_assert_int_eq(err, 0);
		ck_assert_str_eq(second, names[_i].second);
	} else {
		ck_assert_int_eq(err, -EINVAL);
	}
	free(second);
}
END_TEST

TCase *minimal_tests(void)
{
	TCase *tcase = tcase_create("minimal");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, makes_two);
	tcase_add_test(tcase, stores_what_may_be);
	tcase_add_test(tcase, same_bytes);
	tcase_add_loop_test(tcase, too_small, 0, 2);
	tcase_add_test(tcase, keeps_the_limit_encrypted);
	tcase_add_test(tcase, verifies_the_pair);
	tcase_add_loop_test(tcase, names_the_second, 0, sizeof(names) / sizeof(names[0]));
	return tcase;
}
