/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/download.h"
#include "scene.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK ((uint64_t)DOWNLOAD_BLOCK)
#define SIZE  (3 * (size_t)DOWNLOAD_BLOCK + 1000)

static const struct link_start request = {.source = "https://host/update.zip?sig=1", .mode = 1, .update_max = 10};
static const struct fetch_validator file = {.size = SIZE, .modified = 1700000000, .etag = "\"abc\""};

struct bench {
	struct scene scene;
	struct storage *storage;
	struct download download;
	struct error error;
	uint8_t *content;
};

static void bench_open(struct bench *bench)
{
	scene_open(&bench->scene);
	ck_assert_int_eq(storage_open_linux(bench->scene.root, NULL, NULL, &bench->storage, &bench->error), 0);
	download_init(&bench->download, bench->storage);
	bench->content = malloc(SIZE);
	ck_assert_ptr_nonnull(bench->content);
	for (size_t i = 0; i < SIZE; i++)
		bench->content[i] = (uint8_t)(i * 2654435761U >> 13);
}

static void bench_close(struct bench *bench)
{
	free(bench->content);
	download_close(&bench->download);
	storage_close(bench->storage);
	scene_close(&bench->scene);
}

/* The program ends, or power goes, and it starts again. */
static int restart(struct bench *bench)
{
	download_close(&bench->download);
	download_init(&bench->download, bench->storage);
	return download_load(&bench->download, &bench->error);
}

static void write_part(struct bench *bench, uint64_t from, uint64_t to, size_t step)
{
	for (uint64_t at = from; at < to; at += step)
		ck_assert_int_eq(download_write(&bench->download, bench->content + at,
		                                to - at < step ? (size_t)(to - at) : step, &bench->error),
		                 0);
}

static void begin(struct bench *bench)
{
	ck_assert_int_eq(download_begin(&bench->download, &request, &bench->error), 0);
	ck_assert_int_eq(download_continue(&bench->download, 0, &file, &bench->error), 0);
}

static void assert_whole(struct bench *bench)
{
	size_t size;
	char *found = scene_get(&bench->scene, DOWNLOAD_PATH, &size);

	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(size, SIZE);
	ck_assert(memcmp(found, bench->content, SIZE) == 0);
	free(found);
}

START_TEST(whole)
{
	struct bench bench;

	bench_open(&bench);
	begin(&bench);
	write_part(&bench, 0, SIZE, 16384);
	ck_assert_uint_eq(download_size(&bench.download), SIZE);
	ck_assert_int_eq(download_finish(&bench.download, &bench.error), 0);
	assert_whole(&bench);
	ck_assert_int_eq(restart(&bench), 1);
	ck_assert(bench.download.complete);
	ck_assert_uint_eq(download_size(&bench.download), SIZE);
	ck_assert_str_eq(bench.download.request.source, request.source);
	ck_assert_uint_eq(bench.download.request.mode, 1);
	ck_assert_uint_eq(bench.download.request.update_max, 10);
	ck_assert_str_eq(bench.download.file.etag, file.etag);
	ck_assert_int_eq(bench.download.file.modified, file.modified);
	ck_assert_int_eq(download_forget(&bench.download, &bench.error), 0);
	ck_assert(!scene_has(&bench.scene, DOWNLOAD_PATH));
	ck_assert(!scene_has(&bench.scene, DOWNLOAD_STATE));
	ck_assert_int_eq(restart(&bench), 0);
	bench_close(&bench);
}
END_TEST

/* After a restart at any byte the rest is fetched from a place that is sound, and the result is the file. */
START_TEST(restarted_anywhere)
{
	static const uint64_t cuts[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 999};
	struct bench bench;
	uint64_t cut = cuts[_i];
	uint64_t from;

	bench_open(&bench);
	begin(&bench);
	write_part(&bench, 0, cut, 1000);
	ck_assert_int_eq(restart(&bench), 1);
	ck_assert(!bench.download.complete);
	from = download_size(&bench.download);
	ck_assert_uint_le(from, cut);
	ck_assert_uint_eq(from % BLOCK, 0);
	if (cut >= 2 * BLOCK)
		ck_assert_uint_eq(from, (cut / BLOCK - 1) * BLOCK);
	/* The block that was being written when power went may hold anything. */
	if (scene_has(&bench.scene, DOWNLOAD_PATH)) {
		FILE *disk = fopen(scene_path(&bench.scene, DOWNLOAD_PATH), "r+");

		ck_assert_ptr_nonnull(disk);
		ck_assert_int_eq(fseek(disk, (long)from, SEEK_SET), 0);
		ck_assert_int_ge(fputs("torn", disk), 0);
		ck_assert_int_eq(fclose(disk), 0);
	}
	ck_assert_int_eq(download_continue(&bench.download, from, &file, &bench.error), 0);
	write_part(&bench, from, SIZE, 4096);
	ck_assert_int_eq(download_finish(&bench.download, &bench.error), 0);
	assert_whole(&bench);
	bench_close(&bench);
}
END_TEST

START_TEST(another_content)
{
	static const struct fetch_validator other = {.size = 5, .etag = "\"new\nline\""};
	struct bench bench;
	size_t size;
	char *found;

	bench_open(&bench);
	begin(&bench);
	write_part(&bench, 0, 2 * BLOCK, 4096);
	ck_assert_int_eq(download_continue(&bench.download, 17, &other, &bench.error), -EINVAL);
	ck_assert_int_eq(download_continue(&bench.download, 0, &other, &bench.error), 0);
	ck_assert_uint_eq(download_size(&bench.download), 0);
	ck_assert(!scene_has(&bench.scene, DOWNLOAD_PATH));
	ck_assert_int_eq(download_write(&bench.download, "hello", 5, &bench.error), 0);
	ck_assert_int_eq(download_finish(&bench.download, &bench.error), 0);
	found = scene_get(&bench.scene, DOWNLOAD_PATH, &size);
	ck_assert_str_eq(found, "hello");
	free(found);
	ck_assert_int_eq(restart(&bench), 1);
	ck_assert_str_eq(bench.download.file.etag, "\"new line\"");
	bench_close(&bench);
}
END_TEST

/* Power went when the package had its place already, but was not armed. */
START_TEST(in_its_place)
{
	struct bench bench;

	bench_open(&bench);
	begin(&bench);
	write_part(&bench, 0, SIZE, 65536);
	ck_assert_int_eq(download_finish(&bench.download, &bench.error), 0);
	ck_assert_int_eq(storage_rename(bench.storage, DOWNLOAD_PATH, DOWNLOAD_PACKAGE, &bench.error), 0);
	ck_assert_int_eq(restart(&bench), 1);
	ck_assert_uint_eq(download_size(&bench.download), SIZE);
	ck_assert(!scene_has(&bench.scene, DOWNLOAD_PACKAGE));
	assert_whole(&bench);
	/* Another package there is none of ours. */
	ck_assert_int_eq(storage_remove(bench.storage, DOWNLOAD_PATH, &bench.error), 0);
	scene_put_text(&bench.scene, DOWNLOAD_PACKAGE, "someone's");
	ck_assert_int_eq(restart(&bench), 0);
	ck_assert(scene_has(&bench.scene, DOWNLOAD_PACKAGE));
	ck_assert(!scene_has(&bench.scene, DOWNLOAD_STATE));
	bench_close(&bench);
}
END_TEST

START_TEST(starts_and_end)
{
	struct bench bench;

	bench_open(&bench);
	begin(&bench);
	write_part(&bench, 0, 2 * BLOCK, 4096);
	for (unsigned start = 1; start <= 3; start++) {
		ck_assert_int_eq(restart(&bench), 1);
		ck_assert_uint_eq(bench.download.starts, start - 1);
		ck_assert_int_eq(download_count_start(&bench.download, &bench.error), 0);
	}
	/* Progress makes them count from 0. */
	ck_assert_int_eq(download_continue(&bench.download, BLOCK, &file, &bench.error), 0);
	write_part(&bench, BLOCK, 3 * BLOCK, 4096);
	ck_assert_int_eq(download_end(&bench.download, &bench.error), 0);
	ck_assert_int_eq(restart(&bench), 1);
	ck_assert_uint_eq(bench.download.starts, 0);
	ck_assert(bench.download.ended);
	bench_close(&bench);
}
END_TEST

/* A state file that is cut off or nonsense: what is there is removed, and nothing is begun. */
START_TEST(truncated_state)
{
	struct bench bench;
	size_t size;
	char *state;

	bench_open(&bench);
	begin(&bench);
	state = scene_get(&bench.scene, DOWNLOAD_STATE, &size);
	for (size_t length = 0; length < size; length++) {
		scene_put(&bench.scene, DOWNLOAD_STATE, state, length);
		scene_put_text(&bench.scene, DOWNLOAD_PATH, "left");
		ck_assert_msg(restart(&bench) == 0, "%zu bytes of the state are believed", length);
		ck_assert(!scene_has(&bench.scene, DOWNLOAD_PATH));
		ck_assert(!scene_has(&bench.scene, DOWNLOAD_STATE));
	}
	state[10] = '\0';
	scene_put(&bench.scene, DOWNLOAD_STATE, state, size);
	ck_assert_int_eq(restart(&bench), 0);
	free(state);
	scene_put_text(&bench.scene, DOWNLOAD_PATH, "of nobody");
	ck_assert_int_eq(restart(&bench), 0);
	ck_assert(!scene_has(&bench.scene, DOWNLOAD_PATH));
	bench_close(&bench);
}
END_TEST

Suite *suite_download(void)
{
	Suite *suite = suite_create("download");
	TCase *tests = tcase_create("download");

	tcase_add_test(tests, whole);
	tcase_add_loop_test(tests, restarted_anywhere, 0, 7);
	tcase_add_test(tests, another_content);
	tcase_add_test(tests, in_its_place);
	tcase_add_test(tests, starts_and_end);
	tcase_add_test(tests, truncated_state);
	suite_add_tcase(suite, tests);
	return suite;
}
