/* SPDX-License-Identifier: Apache-2.0 */
/* Images that packages change in place. Every package is tried out by the generator itself, on a model of a module. */
#include "suites.h"

#include "gentools/model.h"
#include "gentools/verify.h"
#include "harness.h"
#include "patch/patch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEB   ((size_t)4096)
#define BLOCK ((size_t)8192)
#define SIZE  50000u

static const struct item source[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", SIZE, 1),
                                     ITEM_NOISE("MULTIFOTA/modem.img", SIZE, 3), ITEM_END};
static const struct item target[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", SIZE, 30000),
                                     ITEM_NOISE("MULTIFOTA/modem.img", SIZE + 3000, 20000), ITEM_END};

static const char *const no_lists[GEN_LISTS];
static const char *const volume_list[GEN_LISTS] = {[GEN_MULTIFOTA] = "modem.img UBI:modem\n"};
static const struct gen_options native = {.native = true, .units = {.leb = LEB, .erase_block = BLOCK}};

static void start(struct run *run, const char *const *lists, const struct gen_options *options)
{
	run_start_with(run, "a", source, target, lists, options);
	ck_assert_msg(run->result == 0, "%s", run->error.message);
}

/* The number in the log behind these words. */
static unsigned long long figure(const struct run *run, const char *words)
{
	const char *at = strstr(run->log, words);

	ck_assert_msg(at != NULL, "\"%s\" is not in: %s", words, run->log);
	return strtoull(at + strlen(words), NULL, 10);
}

/* The call that starts like this has so many arguments, of which the last one is an entry of the package. */
static void describe_patch(const struct run *run, const char *call, unsigned arguments, struct patch_native_info *info)
{
	long at = find_call(run, call);
	const char *entry;
	unsigned count = 1;
	struct content patch;
	char name[32];
	uint32_t index;

	ck_assert_msg(at >= 0, "no %s in: %s", call, run->calls);
	entry = run->calls + at + strlen(call);
	for (; *entry != '\n' && count < arguments; entry++)
		count += *entry == ',';
	ck_assert_uint_eq(count, arguments);
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(entry, ",)"), entry);
	ck_assert_msg(package_find(run->package, name, &index) == 0, "no entry %s", name);
	patch = package_content(run->package, index);
	ck_assert_int_eq(patch_native_describe(&patch, info, NULL), 0);
}

static void expect_in_place(const struct run *run, const char *name, uint32_t unit)
{
	struct patch_native_info checked, applied;
	char call[64];

	(void)snprintf(call, sizeof(call), "apply_patch_check(%s:", name);
	describe_patch(run, call, 4, &checked);
	(void)snprintf(call, sizeof(call), "apply_patch(%s:", name);
	describe_patch(run, call, 6, &applied);
	ck_assert(applied.in_place && checked.in_place);
	ck_assert_uint_eq(applied.unit, unit);
	ck_assert_uint_eq(checked.target_size, applied.target_size);
	/* The script has these. */
	ck_assert(!applied.has_digests);
}

START_TEST(volumes_and_partitions)
{
	struct run run;

	start(&run, volume_list, &native);
	expect_in_place(&run, "MTD:boot", BLOCK);
	expect_in_place(&run, "UBI:modem", LEB);
	ck_assert_int_eq(find_call(&run, "apply_patch_space("), -1);
	ck_assert_ptr_nonnull(strstr(run.log, "flash: LEBs of 4096 bytes, erase blocks of 8192 "));
	ck_assert_ptr_nonnull(strstr(run.log, "boot.img: 50000 -> 50000 bytes, patch "));
	ck_assert_ptr_nonnull(strstr(run.log, ", in place\n"));
	/* One erase block that is being written, and the next one that takes its place. */
	ck_assert_uint_lt(figure(&run, "in /cache "), 2 * BLOCK + 1000);
	run_end(&run);
}
END_TEST

START_TEST(volume_takes_no_room)
{
	static const struct item boot[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", SIZE, 1),
	                                   ITEM_NOISE("MULTIFOTA/modem.img", SIZE, 20000), ITEM_END};
	struct run run;

	run_start_with(&run, "a", source, boot, volume_list, &native);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	expect_in_place(&run, "UBI:modem", LEB);
	/* The journal of what is done. */
	ck_assert_uint_lt(figure(&run, "in /cache "), LEB);
	/* What differs is written, and nothing else: two bytes, in two LEBs. */
	ck_assert_uint_lt(figure(&run, "costs: "), 3 * LEB);
	run_end(&run);
}
END_TEST

/* Where one of them is not known it is as ever, with a copy of the old image. */
START_TEST(unknown_units)
{
	struct gen_options options = native;
	struct run run;

	options.units.erase_block = 0;
	start(&run, volume_list, &options);
	expect_in_place(&run, "UBI:modem", LEB);
	check_patch(&run, "MTD:boot:", &source[0], &target[0]);
	ck_assert(has_call(&run, "apply_patch_space(50000)"));
	ck_assert_uint_gt(figure(&run, "in /cache "), SIZE);
	run_end(&run);
	options.units = (struct gen_units){.erase_block = BLOCK};
	start(&run, volume_list, &options);
	expect_in_place(&run, "MTD:boot", BLOCK);
	check_patch(&run, "UBI:modem:", &source[1], &target[1]);
	ck_assert(has_call(&run, "apply_patch_space(53000)"));
	run_end(&run);
}
END_TEST

START_TEST(lineage_has_none)
{
	struct gen_options options = native;
	struct run run;

	options.native = false;
	start(&run, no_lists, &options);
	check_patch(&run, "MTD:boot:", &source[0], &target[0]);
	ck_assert(has_call(&run, "apply_patch_space(53000)"));
	ck_assert_ptr_null(strstr(run.log, "flash: "));
	run_end(&run);
	run_start_with(&run, "a", source, target, volume_list, &options);
	ck_assert_int_eq(run.result, -EINVAL);
	ck_assert_str_eq(run.error.message, "MULTIFOTA/modem.img: a UBI volume, UBI:modem, needs --compat native");
	run_end(&run);
}
END_TEST

START_TEST(whole_volume)
{
	static const char *const lists[GEN_LISTS] = {
		[GEN_FULLOTA] = "MULTIFOTA/modem.img\n", [GEN_MULTIFOTA] = "modem.img UBI:modem\n"};
	struct run run;

	start(&run, lists, &native);
	ck_assert(has_call(&run, "write_raw_image(images/modem.img,UBI:modem)"));
	expect_in_place(&run, "MTD:boot", BLOCK);
	run_end(&run);
}
END_TEST

/* One pair of images for places with other units is two patches; for places with the same, one. */
START_TEST(patches_that_are_shared)
{
	static const char *const lists[GEN_LISTS] = {[GEN_MULTIFOTA] = "a.img UBI:one\nb.img UBI:two\nc.img three\n"};
	static const struct item old[] = {ITEM_NOISE("MULTIFOTA/a.img", SIZE, 1),
	                                  ITEM_NOISE("MULTIFOTA/b.img", SIZE, 1),
	                                  ITEM_NOISE("MULTIFOTA/c.img", SIZE, 1), ITEM_END};
	static const struct item new[] = {ITEM_NOISE("MULTIFOTA/a.img", SIZE, 2),
	                                  ITEM_NOISE("MULTIFOTA/b.img", SIZE, 2),
	                                  ITEM_NOISE("MULTIFOTA/c.img", SIZE, 2), ITEM_END};
	struct run run;

	run_start_with(&run, "a", old, new, lists, &native);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	expect_in_place(&run, "UBI:one", LEB);
	expect_in_place(&run, "UBI:two", LEB);
	expect_in_place(&run, "MTD:three", BLOCK);
	ck_assert(has_entry(&run, "0") && has_entry(&run, "1") && !has_entry(&run, "2"));
	run_end(&run);
}
END_TEST

/* What lies where the module has this image. */
static void add_image(struct model *model, const char *path, const struct item *item, uint32_t leb)
{
	struct model_node *node;
	size_t size;
	uint8_t *content = item_content(item, &size);

	ck_assert_int_eq(model_add(model, path, OBJECT_FILE, &node), 0);
	ck_assert_int_eq(body_write(&model->store, &node->inode->body, 0, content, size), 0);
	node->inode->body.size = 8 * BLOCK;
	node->inode->volume = leb > 0;
	node->inode->leb = leb;
	free(content);
}

static int install(const struct run *run, uint32_t leb, uint64_t *written, struct error *error)
{
	const struct gen_progress progress = {0};
	char path[96];
	const struct verify_inputs inputs = {.package = path, .name = "the package", .progress = &progress};
	struct model_node *cache;
	struct model model;
	int err;

	(void)snprintf(path, sizeof(path), "%s/update.zip", run->folder);
	ck_assert_int_eq(model_open(&model), 0);
	ck_assert_int_eq(model_add(&model, "cache", OBJECT_DIRECTORY, &cache), 0);
	add_image(&model, "dev/boot", &source[0], 0);
	add_image(&model, "ubi/modem", &source[1], leb);
	err = verify_install(&model, &inputs, error);
	*written = model.accounts[MODEL_PARTITIONS].written;
	model_free(&model);
	return err;
}

/* boot comes first, but nothing is changed before all is known to be possible. */
START_TEST(refused_before_any_change)
{
	uint64_t written;
	struct run run;

	start(&run, volume_list, &native);
	ck_assert_int_eq(install(&run, 2 * LEB, &written, &run.error), -ECANCELED);
	ck_assert_msg(strstr(run.error.message, "UBI:modem: LEBs of 8192 bytes, not of 4096"), "%s", run.error.message);
	ck_assert_uint_eq(written, 0);
	ck_assert_msg(install(&run, LEB, &written, &run.error) == 0, "%s", run.error.message);
	ck_assert_uint_ge(written, BLOCK + LEB);
	run_end(&run);
}
END_TEST

/* The model has what verify is told, too. */
START_TEST(other_flash)
{
	struct gen_options options = native;
	const struct log silent = {0};
	char paths[4][96];
	struct run run;

	start(&run, volume_list, &native);
	(void)snprintf(paths[0], sizeof(paths[0]), "%s/source.zip", run.folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/target.zip", run.folder);
	(void)snprintf(paths[2], sizeof(paths[2]), "%s/update.zip", run.folder);
	(void)snprintf(paths[3], sizeof(paths[3]), "%s/list%d", run.folder, GEN_MULTIFOTA);
	options.parts = GEN_ALL;
	options.source = paths[0];
	options.target = paths[1];
	options.output = paths[2];
	options.lists[GEN_MULTIFOTA] = paths[3];
	ck_assert_msg(gen_verify_package(&options, &silent, &run.error) == 0, "%s", run.error.message);
	options.units.leb = 2 * LEB;
	ck_assert_int_eq(gen_verify_package(&options, &silent, &run.error), -ECANCELED);
	ck_assert_msg(strstr(run.error.message, "UBI:modem: LEBs of 8192 bytes, not of 4096"), "%s", run.error.message);
	run_end(&run);
}
END_TEST

TCase *unit_tests(void)
{
	TCase *tests = tcase_create("units");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, volumes_and_partitions);
	tcase_add_test(tests, volume_takes_no_room);
	tcase_add_test(tests, unknown_units);
	tcase_add_test(tests, lineage_has_none);
	tcase_add_test(tests, whole_volume);
	tcase_add_test(tests, patches_that_are_shared);
	tcase_add_test(tests, refused_before_any_change);
	tcase_add_test(tests, other_flash);
	return tests;
}
