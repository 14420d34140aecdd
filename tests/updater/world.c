/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "tests/package/craft.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void log_line(void *ctx, const char *text)
{
	struct world *world = ctx;
	size_t used = strlen(world->log);

	(void)snprintf(world->log + used, sizeof(world->log) - used, "%s\n", text);
}

static void tell_line(void *ctx, const char *line)
{
	struct world *world = ctx;
	size_t used = strlen(world->told);

	ck_assert_uint_le(strlen(line), 1000);
	ck_assert_ptr_null(strchr(line, '\n'));
	(void)snprintf(world->told + used, sizeof(world->told) - used, "%s\n", line);
}

void world_start(struct world *world)
{
	char real[512];

	memset(world, 0, sizeof(*world));
	(void)snprintf(world->root, sizeof(world->root), "%s/updater-test-XXXXXX",
	               access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* in memory: thousands of small runs */
	ck_assert_ptr_nonnull(mkdtemp(world->root));
	ck_assert_int_eq(storage_open_linux(world->root, NULL, NULL, &world->base, NULL), 0);
	world->ops = world_ops;
	ck_assert_int_eq(storage_open_medium(&world->ops, world, NULL, &world->storage, NULL), 0);
	ck_assert_int_eq(mkdir(world_path(world, "/cache", real), 0755), 0);
	ck_assert_int_eq(mkdir(world_path(world, "/system", real), 0755), 0);
	ck_assert_int_eq(mkdir(world_path(world, "/dev", real), 0755), 0);
}

static int remove_each(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void world_end(struct world *world)
{
	storage_close(world->storage);
	storage_close(world->base);
	for (unsigned i = 0; i < world->entry_count; i++)
		free(world->entries[i].data);
	ck_assert_int_eq(nftw(world->root, remove_each, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *world_path(struct world *world, const char *path, char real[512])
{
	(void)snprintf(real, 512, "%s%s", world->root, path);
	return real;
}

void world_put(struct world *world, const char *path, const void *data, size_t size)
{
	char real[512];
	FILE *file;

	world_path(world, path, real);
	for (char *slash = strchr(real + strlen(world->root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert(mkdir(real, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(real, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(real, 0644), 0);
}

void world_put_text(struct world *world, const char *path, const char *text)
{
	world_put(world, path, text, strlen(text));
}

char *world_get(struct world *world, const char *path, size_t *size)
{
	char real[512];
	FILE *file = fopen(world_path(world, path, real), "rb");
	struct stat st;
	char *data;

	if (!file)
		return NULL;
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	*size = (size_t)st.st_size;
	data = malloc(*size + 1);
	ck_assert_ptr_nonnull(data);
	ck_assert_uint_eq(fread(data, 1, *size, file), *size);
	data[*size] = '\0';
	ck_assert_int_eq(fclose(file), 0);
	return data;
}

struct stat world_stat(struct world *world, const char *path)
{
	char real[512];
	struct stat st;

	ck_assert_int_eq(lstat(world_path(world, path, real), &st), 0);
	return st;
}

unsigned world_mode(struct world *world, const char *path)
{
	return world_stat(world, path).st_mode & 07777;
}

bool world_exists(struct world *world, const char *path)
{
	char real[512];
	struct stat st;

	return lstat(world_path(world, path, real), &st) == 0;
}

void world_expect(struct world *world, const char *path, const void *data, size_t size)
{
	size_t found_size;
	char *found = world_get(world, path, &found_size);

	ck_assert_msg(found != NULL, "%s is missing\n%s", path, world->log);
	ck_assert_msg(found_size == size && memcmp(found, data, size) == 0, "%s has other content\n%s", path,
	              world->log);
	free(found);
}

void world_expect_text(struct world *world, const char *path, const char *text)
{
	world_expect(world, path, text, strlen(text));
}

static FILE *snapshot_file; /* nftw() has no context */

static int snapshot_each(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)type;
	(void)ftw;
	if (strstr(path, "/cache/recovery"))
		return 0;
	fprintf(snapshot_file, "%s %lu %o %lu %ld.%09ld\n", path, (unsigned long)st->st_ino, st->st_mode,
	        (unsigned long)st->st_size, (long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	return 0;
}

char *world_snapshot(struct world *world)
{
	char *text = NULL;
	size_t size;

	snapshot_file = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(snapshot_file);
	ck_assert_int_eq(nftw(world->root, snapshot_each, 16, FTW_PHYS), 0);
	ck_assert_int_eq(fclose(snapshot_file), 0);
	return text;
}

void world_add(struct world *world, const char *name, const void *data, size_t size, uint32_t mode)
{
	struct world_entry *entry = &world->entries[world->entry_count++];

	ck_assert_uint_le(world->entry_count, WORLD_ENTRIES);
	(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->data = malloc(size + 1);
	ck_assert_ptr_nonnull(entry->data);
	memcpy(entry->data, data, size);
	entry->size = size;
	entry->mode = mode;
}

void world_add_text(struct world *world, const char *name, const char *text)
{
	world_add(world, name, text, strlen(text), 0100644);
}

enum updater_exit world_run(struct world *world, const char *script)
{
	struct log log = {.line = log_line, .ctx = world};
	struct updater_config config = {
		.storage = world->storage,
		.package_path = "update.zip",
		.tell = tell_line,
		.tell_ctx = world,
		.log = &log,
		.resume = world->runs++ > 0,
		.dry_run = world->dry_run,
		.confined = !world->unconfined,
	};
	struct package_limits limits = package_default_limits();
	enum updater_exit result;
	struct craft zip;

	world->told[0] = world->log[0] = '\0';
	world->error = (struct error){0};
	world->steps = world->opened_for_writing = world->renamed_backups = 0;
	world->read_count = 0;
	memset(world->reads, 0, sizeof(world->reads));
	craft_start(&zip);
	craft_add_text(&zip, "first", "");
	if (script)
		craft_add_text(&zip, PACKAGE_SCRIPT, script);
	for (unsigned i = 0; i < world->entry_count; i++) {
		const struct world_entry *entry = &world->entries[i];

		craft_add(&zip, entry->name, CRAFT_DEFLATED, entry->data, entry->size, entry->mode);
	}
	craft_finish(&zip, NULL, 0);
	ck_assert_msg(package_open(&zip.reader, &limits, &config.package, &world->error) == 0, "%s",
	              world->error.message);
	result = updater_run(&config, &world->error);
	package_close(config.package);
	craft_free(&zip);
	return result;
}

unsigned world_run_with_cuts(struct world *world, const char *script)
{
	unsigned run = 1;

	for (world->cut_at = run; world_run(world, script) != UPDATER_OK; world->cut_at = run)
		run++;
	world->cut_at = 0;
	return run;
}

void world_succeeds(struct world *world, const char *script)
{
	enum updater_exit result = world_run(world, script);

	ck_assert_msg(result == UPDATER_OK, "%d: %s\n%s", result, world->error.message, world->log);
}

void world_aborts(struct world *world, const char *script, const char *cause)
{
	enum updater_exit result = world_run(world, script);

	ck_assert_msg(result == UPDATER_ABORT, "%d: %s\n%s", result, world->error.message, world->log);
	ck_assert_msg(strstr(world->error.message, cause) != NULL, "\"%s\" is not in: %s", cause, world->error.message);
}

void world_yields(struct world *world, const char *script, const char *value)
{
	char line[1024];

	world_succeeds(world, script);
	(void)snprintf(line, sizeof(line), "result was [%s]\n", value);
	ck_assert_msg(strstr(world->log, line) != NULL, "not %s: %s", value, world->log);
}

bool world_told(const struct world *world, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = world->told; (at = strstr(at, line)); at++)
		if ((at == world->told || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}
