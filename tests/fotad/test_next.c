/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/next.h"
#include "scene.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *source;
	const char *name;
	const char *resolved;
} places[] = {
	{"/usrdata/cache/ufs/update.zip", "update-2.zip", "/usrdata/cache/ufs/update-2.zip"},
	{"/usrdata/a?b/x.zip", "%2.zip", "/usrdata/a?b/%2.zip"},
	{"https://h/files/update.zip", "update-2.zip", "https://h/files/update-2.zip"},
	{"https://h/files/update.zip?token=a/b#c", "update-2.zip", "https://h/files/update-2.zip"},
	{"HTTP://u:p@h:8080/update.zip", "x", "HTTP://u:p@h:8080/x"},
	{"https://h", "x.zip", "https://h/x.zip"},
	{"https://h?get=/a/b", "x.zip", "https://h/x.zip"},
	{"ftp://h/a/b", "a+b?c%.zip", "ftp://h/a/a%2Bb%3Fc%25.zip"},
};

START_TEST(resolved)
{
	char text[LINK_SOURCE_MAX + 1];

	ck_assert_int_eq(next_resolve(places[_i].source, places[_i].name, text), 0);
	ck_assert_str_eq(text, places[_i].resolved);
}
END_TEST

START_TEST(too_long)
{
	char source[LINK_SOURCE_MAX + 1];
	char text[LINK_SOURCE_MAX + 1];

	memset(source, 'a', sizeof(source));
	(void)snprintf(source, sizeof(source), "/%0*d", LINK_SOURCE_MAX - 3, 0);
	source[LINK_SOURCE_MAX - 2] = '/';
	source[LINK_SOURCE_MAX - 1] = 'x';
	source[LINK_SOURCE_MAX] = '\0';
	ck_assert_int_eq(next_resolve(source, "y", text), 0);
	ck_assert_uint_eq(strlen(text), LINK_SOURCE_MAX);
	ck_assert_int_eq(next_resolve(source, "yy", text), -ENAMETOOLONG);
	ck_assert_int_eq(next_resolve("gopher://h/x", "y", text), -EINVAL);
	(void)snprintf(source, sizeof(source), "https://%0246d", 0); /* no '/' behind the host */
	ck_assert_int_eq(next_resolve(source, "%", text), -ENAMETOOLONG);
}
END_TEST

/* ---- What is kept ---- */

static const struct link_start first = {
	.source = "https://u:secret@h/update.zip", .mode = 1, .download_max = 5, .update_max = 10};

static struct scene scene;
static struct storage *storage;

static void setup(void)
{
	scene_open(&scene);
	ck_assert_int_eq(storage_open_linux(scene.root, NULL, NULL, &storage, NULL), 0);
}

static void teardown(void)
{
	storage_close(storage);
	scene_close(&scene);
}

START_TEST(found)
{
	struct next next;
	struct error error;

	ck_assert(!next_waits(storage));
	ck_assert_int_eq(next_find(storage, &next, &error), 0);
	ck_assert_int_eq(next_remember(storage, &first, &error), 0);
	ck_assert_int_eq(next_find(storage, &next, &error), 0);

	scene_put_text(&scene, NEXT_PATH, "update-2.zip\n");
	ck_assert(next_waits(storage));
	ck_assert_int_eq(next_find(storage, &next, &error), 1);
	ck_assert_str_eq(next.request.source, "https://u:secret@h/update-2.zip");
	ck_assert_uint_eq(next.request.mode, 1);
	ck_assert_uint_eq(next.request.download_max, 5);
	ck_assert_uint_eq(next.request.update_max, 10);
	ck_assert(!next.was_arming);

	ck_assert_int_eq(next_forget(storage, &error), 0);
	ck_assert_int_eq(next_forget(storage, &error), 0);
	ck_assert_int_eq(next_find(storage, &next, &error), 0);
	ck_assert_int_eq(next_forget_source(storage, &error), 0);
	ck_assert(!scene_has(&scene, NEXT_SOURCE_PATH));
}
END_TEST

/* Power went when the second one was about to be armed: it is that one, not one beside it. */
START_TEST(found_in_arming)
{
	struct link_start second = first;
	struct error error;
	struct next next;

	(void)snprintf(second.source, sizeof(second.source), "/usrdata/other/name.zip");
	scene_put_text(&scene, NEXT_PATH, "update-2.zip\n");
	ck_assert_int_eq(next_remember(storage, &second, &error), 0);
	ck_assert_int_eq(next_find(storage, &next, &error), 1);
	ck_assert(next.was_arming);
	ck_assert_str_eq(next.request.source, second.source);
	/* It was armed; what is asked for then is beside it. */
	ck_assert_int_eq(next_forget(storage, &error), 0);
	ck_assert_int_eq(next_remember(storage, &second, &error), 0);
	scene_put_text(&scene, NEXT_PATH, "update-2.zip\n");
	ck_assert_int_eq(next_find(storage, &next, &error), 1);
	ck_assert(!next.was_arming);
	ck_assert_str_eq(next.request.source, "/usrdata/other/update-2.zip");
}
END_TEST

START_TEST(names_itself)
{
	struct error error;
	struct next next;

	ck_assert_int_eq(next_remember(storage, &first, &error), 0);
	scene_put_text(&scene, NEXT_PATH, "update.zip\n");
	ck_assert_int_lt(next_find(storage, &next, &error), 0);
	ck_assert_int_eq(error.code, RESULT_PRECHECK);
}
END_TEST

/* Armed by other means, or by an older program. */
START_TEST(found_without_source)
{
	static const char *const texts[] = {NULL, "", "source \n", "source https://h/x\nmode 7\n", "mode 0\n"};
	struct error error;
	struct next next;

	scene_put_text(&scene, NEXT_PATH, "update-2.zip\n");
	if (texts[_i])
		scene_put_text(&scene, NEXT_SOURCE_PATH, texts[_i]);
	ck_assert_int_eq(next_find(storage, &next, &error), 1);
	ck_assert_str_eq(next.request.source, "");
}
END_TEST

START_TEST(wrong_name)
{
	static const char *const texts[] = {"", "\n", "../x", "a b", "a\nb\n"};
	struct error error;
	struct next next;

	scene_put_text(&scene, NEXT_PATH, texts[_i]);
	ck_assert(next_waits(storage));
	ck_assert_int_lt(next_find(storage, &next, &error), 0);
	ck_assert_int_eq(error.code, RESULT_PRECHECK);
}
END_TEST

Suite *suite_next(void)
{
	Suite *suite = suite_create("next");
	TCase *tests = tcase_create("next");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, resolved, 0, sizeof(places) / sizeof(places[0]));
	tcase_add_test(tests, too_long);
	tcase_add_test(tests, found);
	tcase_add_test(tests, found_in_arming);
	tcase_add_test(tests, names_itself);
	tcase_add_loop_test(tests, found_without_source, 0, 5);
	tcase_add_loop_test(tests, wrong_name, 0, 5);
	suite_add_tcase(suite, tests);
	return suite;
}
