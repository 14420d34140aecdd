/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "patch/patch.h"
#include "script/script.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct item base[] = {
	ITEM_DIR("BOOTABLE_IMAGES"),
	ITEM_FILE("BOOTABLE_IMAGES/boot.img", 0644, "kernel"),
	ITEM_DIR("MULTIFOTA"),
	ITEM_DIR("SYSTEM"),
	ITEM_DIR("SYSTEM/bin"),
	ITEM_FILE("SYSTEM/bin/same", 0755, "the same program"),
	ITEM_DIR("SYSTEM/dev"),
	ITEM_DIR("SYSTEM/etc"),
	ITEM_FILE("SYSTEM/etc/quectel-project-version", 0644, "Project Rev : one\n"),
	ITEM_DIR("SYSTEM/firmware"),
	ITEM_LINK("SYSTEM/lib", "usr/lib"),
	ITEM_END,
};

uint8_t *item_content(const struct item *item, size_t *size)
{
	uint32_t state = 1 + 0x9e3779b9u * item->stream;
	uint8_t *bytes;

	*size = item->text ? strlen(item->text) : item->noise;
	bytes = malloc(*size + 1);
	ck_assert_ptr_nonnull(bytes);
	if (item->text) {
		memcpy(bytes, item->text, *size);
		return bytes;
	}
	for (size_t i = 0; i < *size; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 24);
	}
	if (item->seed)
		bytes[item->seed] ^= 0xff;
	return bytes;
}

static void write_item(struct archive *archive, const struct item *item)
{
	struct archive_entry *entry = archive_entry_new();
	size_t size;
	uint8_t *bytes = item_content(item, &size);

	archive_entry_set_pathname(entry, item->path);
	archive_entry_set_filetype(entry, item->type);
	archive_entry_set_perm(entry, item->mode);
	archive_entry_set_uid(entry, item->uid);
	archive_entry_set_gid(entry, item->gid);
	if (item->type == S_IFLNK)
		archive_entry_set_symlink(entry, item->text);
	archive_entry_set_size(entry, item->type == S_IFREG ? (la_int64_t)size : 0);
	ck_assert_int_eq(archive_write_header(archive, entry), ARCHIVE_OK);
	if (item->type == S_IFREG)
		ck_assert_int_eq(archive_write_data(archive, bytes, size), (la_ssize_t)size);
	archive_entry_free(entry);
	free(bytes);
}

static bool listed(const struct item *items, const char *path)
{
	for (; items->path; items++)
		if (strcmp(items->path, path) == 0)
			return true;
	return false;
}

void write_firmware(const char *path, const struct item *items)
{
	struct archive *archive = archive_write_new();

	ck_assert_int_eq(archive_write_set_format_zip(archive), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_open_filename(archive, path), ARCHIVE_OK);
	for (const struct item *item = base; item->path; item++)
		if (!listed(items, item->path))
			write_item(archive, item);
	for (const struct item *item = items; item->path; item++)
		if (item->type)
			write_item(archive, item);
	ck_assert_int_eq(archive_write_close(archive), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_free(archive), ARCHIVE_OK);
}

static void record(FILE *out, const char *name, struct script_call *call)
{
	(void)fprintf(out, "%s(", name);
	for (int i = 0; i < script_argument_count(call); i++) {
		char *text;

		ck_assert_int_eq(script_argument_text(call, i, &text), 0);
		(void)fprintf(out, "%s%s", i ? "," : "", text);
		free(text);
	}
	(void)fputs(")\n", out);
}

/* Functions that succeed and tell that they were called. */
#define RECORDED(function)                                                                                             \
	static int run_##function(struct script_call *call, struct script_value *result)                               \
	{                                                                                                              \
		record(script_context(call), #function, call);                                                         \
		return script_result_text(result, "t");                                                                \
	}
RECORDED(apply_patch)
RECORDED(apply_patch_check)
RECORDED(apply_patch_space)
RECORDED(delete)
RECORDED(delete_recursive)
RECORDED(format)
RECORDED(keep_only)
RECORDED(mount)
RECORDED(package_extract_dir)
RECORDED(rename)
RECORDED(set_metadata)
RECORDED(set_progress)
RECORDED(show_progress)
RECORDED(symlink)
RECORDED(ui_print)
RECORDED(unmount)
RECORDED(write_raw_image)

/* As the value of an argument: the entry's name. */
static int run_package_extract_file(struct script_call *call, struct script_value *result)
{
	char *name;
	int err;

	if (script_argument_count(call) == 2) {
		record(script_context(call), "package_extract_file", call);
		return script_result_text(result, "t");
	}
	err = script_argument_text(call, 0, &name);
	if (err < 0)
		return err;
	err = script_result_text(result, name);
	free(name);
	return err;
}

#define FUNCTION(function, least, most)                                                                                \
	{                                                                                                              \
#function, least, most, SCRIPT_ANY_COUNT, run_##function                                               \
	}
static const struct script_function functions[] = {
	FUNCTION(apply_patch, 6, 6),
	FUNCTION(apply_patch_check, 2, 4),
	FUNCTION(apply_patch_space, 1, 1),
	FUNCTION(delete, 1, 50),
	FUNCTION(delete_recursive, 1, 50),
	FUNCTION(format, 5, 5),
	FUNCTION(keep_only, 2, 2),
	FUNCTION(mount, 4, 4),
	FUNCTION(package_extract_dir, 2, 2),
	FUNCTION(package_extract_file, 1, 2),
	FUNCTION(rename, 2, 2),
	FUNCTION(set_metadata, 5, 9),
	FUNCTION(set_progress, 1, 1),
	FUNCTION(show_progress, 2, 2),
	FUNCTION(symlink, 2, 2),
	FUNCTION(ui_print, 1, 1),
	FUNCTION(unmount, 1, 1),
	FUNCTION(write_raw_image, 2, 2),
};

static void run_script(struct run *run)
{
	struct script_functions list = {functions, sizeof(functions) / sizeof(functions[0])};
	struct script_environment environment = {0};
	struct script_value value;
	struct script *script;
	size_t length;
	size_t size;
	char *text;

	ck_assert_int_eq(package_load(run->package, PACKAGE_SCRIPT, 1 << 20, &text, &length, &run->error), 0);
	ck_assert_msg(script_parse(text, length, &list, NULL, NULL, &script, &run->error) == 0, "%s\n%s",
	              run->error.message, text);
	environment.ctx = open_memstream(&run->calls, &size);
	ck_assert_msg(script_run(script, &environment, &value, NULL, &run->error) == 0, "%s\n%s", run->error.message,
	              text);
	ck_assert_int_eq(fclose(environment.ctx), 0);
	ck_assert_str_ne(value.text, "");
	script_value_clear(&value);
	script_free(script);
	run->script = text;
}

static void add_line(void *ctx, const char *text)
{
	(void)fprintf(ctx, "%s\n", text);
}

static void load_package(struct run *run, const char *path)
{
	struct package_limits limits = package_default_limits();
	FILE *file = fopen(path, "rb");
	struct stat st;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	run->bytes = malloc((size_t)st.st_size + 1);
	ck_assert_uint_eq(fread(run->bytes, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	ck_assert_int_eq(fclose(file), 0);
	run->block = (struct memory_block){.data = run->bytes, .size = (size_t)st.st_size};
	run->reader = reader_from_memory(&run->block);
	ck_assert_msg(package_open(&run->reader, &limits, &run->package, &run->error) == 0, "%s", run->error.message);
	ck_assert_msg(package_test(run->package, NULL, NULL, &run->error) == 0, "%s", run->error.message);
}

void run_start(struct run *run, const char *parts, const struct item *source, const struct item *target)
{
	static const char *const none[GEN_LISTS];

	run_start_listed(run, parts, source, target, none);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

void run_start_listed(struct run *run, const char *parts, const struct item *source, const struct item *target,
                      const char *const lists[GEN_LISTS])
{
	static const struct gen_options none;

	run_start_with(run, parts, source, target, lists, &none);
}

void run_start_with(struct run *run, const char *parts, const struct item *source, const struct item *target,
                    const char *const lists[GEN_LISTS], const struct gen_options *more)
{
	struct gen_options options = *more;
	char list_paths[GEN_LISTS][96];
	char paths[3][96];
	struct log log = {.line = add_line};
	size_t size;

	*run = (struct run){.folder = "/tmp/test_gentools.XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(run->folder));
	(void)snprintf(paths[0], sizeof(paths[0]), "%s/source.zip", run->folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/target.zip", run->folder);
	(void)snprintf(paths[2], sizeof(paths[2]), "%s/update.zip", run->folder);
	write_firmware(paths[0], source);
	write_firmware(paths[1], target);
	ck_assert_int_eq(gen_parse_parts(parts, &options.parts), 0);
	options.source = paths[0];
	options.target = paths[1];
	options.output = paths[2];
	for (unsigned i = 0; i < GEN_LISTS; i++) {
		if (!lists[i])
			continue;
		(void)snprintf(list_paths[i], sizeof(list_paths[i]), "%s/list%u", run->folder, i);
		write_text(list_paths[i], lists[i]);
		options.lists[i] = list_paths[i];
	}
	log.ctx = open_memstream(&run->log, &size);
	run->result = gen_make_package(&options, &log, &run->error);
	ck_assert_int_eq(fclose(log.ctx), 0);
	ck_assert_int_eq(access(paths[2], F_OK), run->result == 0 ? 0 : -1);
	if (run->result == 0) {
		load_package(run, paths[2]);
		run_script(run);
	}
}

void run_end(struct run *run)
{
	static const char *const names[] = {"source.zip", "target.zip", "update.zip", "list0",
	                                    "list1",      "list2",      "list3"};
	char path[96];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", run->folder, names[i]);
		ck_assert(unlink(path) == 0 || errno == ENOENT);
	}
	ck_assert_int_eq(rmdir(run->folder), 0); /* nothing else was left there */
	package_close(run->package);
	free(run->bytes);
	free(run->script);
	free(run->calls);
	free(run->log);
}

long find_call(const struct run *run, const char *start)
{
	for (const char *line = run->calls; line && *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, start, strlen(start)) == 0)
			return line - run->calls;
	return -1;
}

bool has_call(const struct run *run, const char *line)
{
	char whole[512];

	(void)snprintf(whole, sizeof(whole), "%s\n", line);
	return find_call(run, whole) >= 0;
}

bool has_entry(const struct run *run, const char *name)
{
	uint32_t index;

	return package_find(run->package, name, &index) == 0;
}

struct produced {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
};

static int keep_bytes(void *ctx, const void *data, size_t length)
{
	struct produced *produced = ctx;

	ck_assert_uint_le(length, produced->capacity - produced->size);
	memcpy(produced->bytes + produced->size, data, length);
	produced->size += length;
	return 0;
}

/* The last argument of the call that patches the place; the caller frees it. */
static char *patch_entry(const struct run *run, const char *place)
{
	char start[256];
	const char *end;
	long at;

	(void)snprintf(start, sizeof(start), "apply_patch(%s", place);
	at = find_call(run, start);
	ck_assert_msg(at >= 0, "no call %s", start);
	end = strstr(run->calls + at, ")\n");
	ck_assert_ptr_nonnull(end);
	while (end[-1] != ',')
		end--;
	return strndup(end, strcspn(end, ")"));
}

void check_patch(const struct run *run, const char *place, const struct item *old, const struct item *new)
{
	char *entry = patch_entry(run, place);
	struct memory_block block;
	struct reader reader;
	struct content patch;
	struct produced produced = {0};
	struct sink sink = {.write = keep_bytes, .ctx = &produced};
	struct error error = {0};
	size_t old_size;
	uint8_t *from = item_content(old, &old_size);
	uint8_t *to = item_content(new, &produced.capacity);
	uint32_t index;

	produced.bytes = malloc(produced.capacity + 1);
	block = (struct memory_block){.data = from, .size = old_size};
	reader = reader_from_memory(&block);
	ck_assert_msg(package_find(run->package, entry, &index) == 0, "no entry %s", entry);
	patch = package_content(run->package, index);
	ck_assert_msg(patch_apply(&reader, &patch, NULL, produced.capacity, &sink, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(produced.size, produced.capacity);
	ck_assert_int_eq(memcmp(produced.bytes, to, produced.size), 0);
	free(entry);
	free(produced.bytes);
	free(from);
	free(to);
}
