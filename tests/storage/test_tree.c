/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct visits {
	char text[1024];
	const char *stop;
};

static int note(void *ctx, const char *path, const struct storage_stat *stat)
{
	struct visits *visits = ctx;
	size_t used = strlen(visits->text);

	(void)snprintf(visits->text + used, sizeof(visits->text) - used, "%s%s\n", path,
	               stat->type == STORAGE_DIRECTORY ? "/" : "");
	return visits->stop && strcmp(visits->stop, path) == 0 ? 42 : 0;
}

static void add_tree(struct fixture *f)
{
	fixture_open(f);
	ck_assert_ptr_nonnull(fake_add_file(f->medium, "/t/a", "x", 1));
	ck_assert_ptr_nonnull(fake_add_file(f->medium, "/t/b/c", "x", 1));
	ck_assert_ptr_nonnull(fake_add_file(f->medium, "/outside/precious", "x", 1));
	ck_assert_int_eq(fake_ops.symlink(f->medium, "/outside", "/t/b/out"), 0);
	ck_assert_int_eq(fake_ops.mkdir(f->medium, "/t/empty", 0755), 0);
	fake_clear_log(f->medium);
}

START_TEST(walk)
{
	struct visits visits = {.text = ""};
	struct fixture f;

	add_tree(&f);
	ck_assert_int_eq(storage_walk(f.storage, "/t", note, &visits, &f.error), 0);
	ck_assert_str_eq(visits.text, "/t/a\n/t/b/c\n/t/b/out\n/t/b/\n/t/empty/\n/t/\n");
	visits = (struct visits){.stop = "/t/b/out"};
	ck_assert_int_eq(storage_walk(f.storage, "t/", note, &visits, &f.error), 42);
	ck_assert_str_eq(visits.text, "/t/a\n/t/b/c\n/t/b/out\n");
	visits = (struct visits){.text = ""};
	ck_assert_int_eq(storage_walk(f.storage, "/t/b/out", note, &visits, &f.error), 0);
	ck_assert_str_eq(visits.text, "/t/b/out\n");
	visits = (struct visits){.stop = "/"};
	ck_assert_int_eq(storage_walk(f.storage, "/", note, &visits, &f.error), 42);
	ck_assert_int_eq(storage_walk(f.storage, "/nowhere", note, &visits, &f.error), -ENOENT);
	fixture_close(&f);
}
END_TEST

START_TEST(remove_tree)
{
	struct fixture f;

	add_tree(&f);
	ck_assert_int_eq(storage_remove_tree(f.storage, "/t", &f.error), 0);
	ck_assert_str_eq(f.medium->log, "unlink /t/a\nunlink /t/b/c\nunlink /t/b/out\nrmdir /t/b\nrmdir /t/empty\n"
	                                "rmdir /t\nsyncdir /\n");
	ck_assert_ptr_nonnull(fake_find(f.medium, "/outside/precious"));
	ck_assert_int_eq(storage_remove_tree(f.storage, "/t", &f.error), 1);
	ck_assert_int_eq(storage_remove_tree(f.storage, "/outside/precious", &f.error), 0);
	ck_assert_int_eq(storage_remove_tree(f.storage, "/", &f.error), -EINVAL);
	ck_assert_int_eq(storage_remove_tree(f.storage, "//./", &f.error), -EINVAL);
	ck_assert_int_eq(storage_remove_tree(f.storage, "/t/..", &f.error), -EINVAL);
	fixture_close(&f);
}
END_TEST

START_TEST(removal_fails)
{
	struct fixture f;

	add_tree(&f);
	fake_rule(f.medium, "unlink /t/b/c", 0, 1, -EIO);
	ck_assert_int_eq(storage_remove_tree(f.storage, "/t", &f.error), -EIO);
	ck_assert_ptr_nonnull(strstr(f.error.message, "/t/b/c"));
	ck_assert_ptr_nonnull(fake_find(f.medium, "/t/b/c"));
	fixture_close(&f);
}
END_TEST

START_TEST(too_deep)
{
	struct visits visits = {.text = ""};
	char path[256] = "";
	struct fixture f;

	fixture_open(&f);
	for (int i = 0; i < 120; i++) {
		(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
		ck_assert_int_eq(fake_ops.mkdir(f.medium, path, 0755), 0);
	}
	ck_assert_int_eq(storage_walk(f.storage, "/d", note, &visits, &f.error), 0);
	for (int i = 120; i < 127; i++) {
		(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
		ck_assert_int_eq(fake_ops.mkdir(f.medium, path, 0755), 0);
	}
	/* With "/" above them these are 128 levels, and one more is too many. */
	visits = (struct visits){.stop = path};
	ck_assert_int_eq(storage_walk(f.storage, "/", note, &visits, &f.error), 42);
	fixture_close(&f);
}
END_TEST

Suite *suite_tree(void)
{
	Suite *suite = suite_create("storage tree");
	TCase *tests = tcase_create("tree");

	tcase_add_test(tests, walk);
	tcase_add_test(tests, remove_tree);
	tcase_add_test(tests, removal_fails);
	tcase_add_test(tests, too_deep);
	suite_add_tcase(suite, tests);
	return suite;
}
