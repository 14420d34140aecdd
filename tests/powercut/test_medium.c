/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Check gives a fixture no context. */
static struct bench *current;

struct bench *bench_get(void)
{
	return current;
}

static unsigned on_step(void *ctx, const struct cut_point *point)
{
	struct bench *bench = ctx;

	bench->steps++;
	(void)snprintf(bench->verb, sizeof(bench->verb), "%s", point->verb);
	(void)snprintf(bench->object, sizeof(bench->object), "%s", point->object);
	bench->offset = point->offset;
	bench->length = point->length;
	bench->tears = point->tears;
	return bench->decision;
}

static void on_power_off(void *ctx)
{
	longjmp(((struct bench *)ctx)->power_off, 1);
}

void bench_mount(void)
{
	ck_assert_int_eq(medium_ops.mount(current->medium, "ubifs", "volume:usrdata", "/usrdata", "noatime"), 0);
}

void bench_setup(void)
{
	struct medium_events events = {.step = on_step, .power_off = on_power_off};

	current = calloc(1, sizeof(*current));
	ck_assert_ptr_nonnull(current);
	events.ctx = current;
	current->medium = medium_new(&events);
	medium_add_nand(current->medium, "misc", BLOCKS, ERASE_SIZE, PAGE_SIZE);
	medium_add_volume(current->medium, "modem", 4, 4096, false);
	medium_add_volume(current->medium, "firmware", 4, 4096, true);
	medium_add_file_system(current->medium, "usrdata", FILES_SIZE);
	medium_add_root_directory(current->medium, "/usrdata");
	medium_add_root_directory(current->medium, "/tmp");
	medium_add_root_link(current->medium, "/cache", "/usrdata/cache");
	medium_put_file(current->medium, "usrdata", "/cache/factory", "made", 4, 0640);
	bench_mount();
}

void bench_teardown(void)
{
	medium_free(current->medium);
	free(current);
	current = NULL;
}

void bench_crash(enum survival survival, uint64_t seed)
{
	medium_crash(current->medium, survival, seed);
	bench_mount();
}

int open_as(const char *path, enum storage_open_mode mode)
{
	int handle = medium_ops.open(current->medium, path, mode);

	ck_assert_msg(handle >= 0, "%s: %s", path, strerror(-handle));
	return handle;
}

void shut(int handle)
{
	ck_assert_int_eq(medium_ops.close(current->medium, handle), 0);
}

void write_text(const char *path, const char *text)
{
	int handle = open_as(path, STORAGE_CREATE);

	ck_assert_int_eq(medium_ops.write(current->medium, handle, 0, text, strlen(text)), 0);
	shut(handle);
}

void append_text(const char *path, const char *text)
{
	int handle = open_as(path, STORAGE_APPEND);

	ck_assert_int_eq(medium_ops.write(current->medium, handle, 0, text, strlen(text)), 0);
	shut(handle);
}

void sync_file(const char *path)
{
	int handle = open_as(path, STORAGE_WRITE);

	ck_assert_int_eq(medium_ops.sync(current->medium, handle), 0);
	shut(handle);
}

void sync_directory(const char *path)
{
	ck_assert_int_eq(medium_ops.sync_directory(current->medium, path), 0);
}

void put_text(const char *path, const char *text)
{
	write_text(path, text);
	ck_assert_int_eq(medium_ops.sync_all(current->medium), 0);
}

bool has_text(const char *path, const char *text)
{
	char buffer[FILES_SIZE];
	int handle = open_as(path, STORAGE_READ);
	ssize_t n = medium_ops.read(current->medium, handle, 0, buffer, sizeof(buffer));

	shut(handle);
	return n == (ssize_t)strlen(text) && memcmp(buffer, text, (size_t)n) == 0;
}

bool is_missing(const char *path)
{
	struct storage_stat stat;

	return medium_ops.stat(current->medium, path, &stat) == -ENOENT;
}

uint32_t mode_of(const char *path)
{
	struct storage_stat stat;

	ck_assert_int_eq(medium_ops.stat(current->medium, path, &stat), 0);
	return stat.mode;
}

int main(void)
{
	SRunner *runner = srunner_create(suite_nand());
	int failed;

	srunner_add_suite(runner, suite_volume());
	srunner_add_suite(runner, suite_files());
	srunner_add_suite(runner, suite_crash());
	srunner_add_suite(runner, suite_settle());
	srunner_add_suite(runner, suite_storage());
	srunner_add_suite(runner, suite_units());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
