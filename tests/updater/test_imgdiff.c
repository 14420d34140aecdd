/* SPDX-License-Identifier: Apache-2.0 */
/* An IMGDIFF2 patch with bonus data through the applypatch command. */
#include "world.h"

#include "tests/patch/craft.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct world w;

static void setup(void)
{
	world_start(&w);
}

static void teardown(void)
{
	world_end(&w);
}

static const struct deflate_params params = {
	.level = 9, .method = 8, .window_bits = -15, .mem_level = 8, .strategy = 0};

static int applypatch(const char *bonus, const struct bytes *old, const struct bytes *new)
{
	char command[1024];
	int status;

	(void)snprintf(command, sizeof(command),
	               "cd %s/work && %s/applypatch %s old new %s %zu %s:patch >/dev/null 2>&1", w.root, PROGRAMS,
	               bonus, sha1_of(new->data, new->size), new->size, sha1_of(old->data, old->size));
	status = system(command); /* NOLINT(cert-env33-c): a test's own command line */
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(test_bonus)
{
	struct bytes bonus = random_bytes(700, 3);
	struct bytes body = text_bytes(3000, 4);
	struct bytes source = bytes_copy(body.data, body.size);
	struct bytes target = edited_copy(&body, 5);
	struct bytes head = bytes_copy("HEAD", 4);
	struct bytes old = bytes_copy("head", 4);
	struct bytes new = bytes_copy("HEAD", 4);
	struct bytes packed, body_patch, patch;
	size_t packed_size;

	packed = deflate_bytes(&body, &params);
	packed_size = packed.size;
	bytes_append(&old, packed.data, packed.size);
	bytes_free(&packed);
	bytes_append(&source, bonus.data, bonus.size);
	bytes_append(&target, bonus.data, bonus.size);
	packed = deflate_bytes(&target, &params);
	bytes_append(&new, packed.data, packed.size);
	body_patch = plain_bsdiff40(&source, &target);
	patch = craft_imgdiff2((struct chunk[]){{.type = IMGDIFF_RAW, .raw = &head},
	                                        {.type = IMGDIFF_DEFLATE,
	                                         .source_start = 4,
	                                         .source_size = packed_size,
	                                         .bsdiff = &body_patch,
	                                         .inflated_source = source.size,
	                                         .inflated_target = target.size,
	                                         .params = params}},
	                       2);
	world_put(&w, "/work/old", old.data, old.size);
	world_put(&w, "/work/patch", patch.data, patch.size);
	world_put(&w, "/work/bonus", bonus.data, bonus.size);
	ck_assert_int_eq(applypatch("", &old, &new), 1);
	ck_assert_int_eq(applypatch("-b none", &old, &new), 1);
	ck_assert(!world_exists(&w, "/work/new"));
	ck_assert_int_eq(applypatch("-b bonus", &old, &new), 0);
	world_expect(&w, "/work/new", new.data, new.size);
	bytes_free(&bonus);
	bytes_free(&body);
	bytes_free(&source);
	bytes_free(&target);
	bytes_free(&head);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&packed);
	bytes_free(&body_patch);
	bytes_free(&patch);
}
END_TEST

Suite *suite_imgdiff(void)
{
	Suite *suite = suite_create("imgdiff");
	TCase *tc = tcase_create("imgdiff");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_bonus);
	suite_add_tcase(suite, tc);
	return suite;
}
