/* SPDX-License-Identifier: Apache-2.0 */
/* The package to its place, then the flag. */
#include "fotad/step.h"

#include "misc/misc.h"
#include "report/report.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHUNK 16384

/* How the package came to its place, and so what takes it back. */
enum moved { IS_THERE, RENAMED, COPIED };

struct arming {
	const struct step_arm *arm;
	struct step_output *output;
	enum moved moved;
};

/* ---- The package ---- */

static int make_parent(const struct step_arm *arm, struct error *error)
{
	char directory[STORAGE_PATH_MAX];
	const char *slash = strrchr(arm->target, '/');

	if (!slash || slash == arm->target)
		return 0;
	if ((size_t)(slash - arm->target) >= sizeof(directory))
		return error_set(error, RESULT_ABNORMAL, ENAMETOOLONG, "%.64s...: too long", arm->target);
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - arm->target), arm->target);
	return storage_make_directories(arm->storage, directory, 0755, error);
}

static int check_room(const struct step_arm *arm, uint64_t need, struct error *error)
{
	uint64_t have;
	int err = storage_free_space(arm->storage, arm->target, &have, error);

	if (err < 0 || have >= need)
		return err;
	return error_set(error, RESULT_TOO_LARGE, ENOSPC, "%.200s: no room for the package: need %llu bytes, have %llu",
	                 arm->target, (unsigned long long)need, (unsigned long long)have);
}

static int copy_content(const struct reader *source, struct storage_writer *writer, struct step_output *output,
                        struct error *error)
{
	uint8_t buffer[CHUNK];

	for (uint64_t offset = 0; offset < source->size;) {
		uint64_t left = source->size - offset;
		size_t length = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		int err = source->read_at(source->ctx, offset, buffer, length);

		if (err < 0)
			return error_set(error, RESULT_ABNORMAL, -err, "reading the package: %s", strerror(-err));
		err = storage_writer_write(writer, buffer, length, error);
		if (err < 0)
			return err;
		offset += length;
		step_percent(output, (unsigned)(offset * 99 / source->size));
	}
	return 0;
}

/* Across file systems. What is compared when it is read back is what was written. */
static int copy(const struct arming *arming, struct error *error)
{
	const struct step_arm *arm = arming->arm;
	struct storage_name source = {.kind = STORAGE_FILE};
	struct storage_name target = {.kind = STORAGE_FILE};
	struct storage_writer *writer = NULL;
	struct storage_reader *file;
	struct reader reader;
	int err;

	(void)snprintf(source.name, sizeof(source.name), "%s", arm->source);
	(void)snprintf(target.name, sizeof(target.name), "%s", arm->target);
	err = storage_reader_open(arm->storage, &source, &file, error);
	if (err < 0)
		return err;
	reader = storage_reader_io(file);
	err = check_room(arm, reader.size, error);
	if (!err)
		err = storage_writer_open(arm->storage, &target, reader.size, NULL, &writer, error);
	if (!err)
		err = copy_content(&reader, writer, arming->output, error);
	if (!err)
		err = storage_writer_commit(writer, NULL, error);
	else if (writer)
		storage_writer_abort(writer);
	storage_reader_close(file);
	return err;
}

static int bring(struct arming *arming, struct error *error)
{
	const struct step_arm *arm = arming->arm;
	int err;

	if (strcmp(arm->source, arm->target) == 0)
		return 0;
	err = make_parent(arm, error);
	if (err < 0)
		return err;
	err = storage_rename(arm->storage, arm->source, arm->target, error);
	if (!err)
		arming->moved = RENAMED;
	if (err != -EXDEV)
		return err;
	err = copy(arming, error);
	if (!err)
		arming->moved = COPIED;
	return err;
}

static int take_back(const struct arming *arming, struct error *error)
{
	const struct step_arm *arm = arming->arm;

	switch (arming->moved) {
	case RENAMED:
		return storage_rename(arm->storage, arm->target, arm->source, error);
	case COPIED:
		return storage_remove(arm->storage, arm->target, error);
	default:
		return 0;
	}
}

/* ---- The flag ---- */

struct orders {
	const char *items[2];
	unsigned count;
	char package[STORAGE_PATH_MAX + 32];
	char limit[40];
};

static int make_orders(const struct step_arm *arm, struct orders *orders, struct error *error)
{
	orders->count = 0;
	if (strlen(arm->target) >= STORAGE_PATH_MAX)
		return error_set(error, RESULT_ABNORMAL, ENAMETOOLONG, "%.64s...: too long", arm->target);
	(void)snprintf(orders->package, sizeof(orders->package), "--update_package=%s", arm->target);
	orders->items[orders->count++] = orders->package;
	if (arm->update_max >= REPORT_UPDATING_ALL)
		return 0;
	(void)snprintf(orders->limit, sizeof(orders->limit), "--update_urc_max=%u", arm->update_max);
	orders->items[orders->count++] = orders->limit;
	return 0;
}

/* Will the bootloader and recovery find what was ordered? */
static int read_back(struct misc *misc, const struct orders *orders, struct error *error)
{
	struct misc_message message;
	char text[sizeof(message.recovery)];
	char *arguments[MISC_ARGUMENTS_MAX];
	int err = misc_read_message(misc, &message, error);
	bool same;

	if (err < 0)
		return err;
	same = misc_is_armed(&message) && misc_message_is_sound(misc) &&
	       misc_split_arguments(&message, text, arguments) == orders->count;
	for (unsigned i = 0; same && i < orders->count; i++)
		same = strcmp(arguments[i], orders->items[i]) == 0;
	return same ? 0 : error_set(error, RESULT_ABNORMAL, EIO, "the flag does not read back as it was written");
}

/* misc_request() may have armed though it failed. */
static void withdraw(const struct arming *arming, struct misc *misc, struct error *error)
{
	struct error second;
	char first[ERROR_MESSAGE_SIZE];

	if (misc_withdraw(misc, arming->arm->storage, arming->arm->command_path, &second) == 0)
		return;
	(void)snprintf(first, sizeof(first), "%s", error->message);
	(void)error_set(error, error->code, EIO, "%.230s; and it may be armed: %.230s", first, second.message);
}

static int set_flag(const struct arming *arming, struct error *error)
{
	const struct step_arm *arm = arming->arm;
	struct orders orders;
	struct misc *misc;
	int err = make_orders(arm, &orders, error);

	if (err < 0)
		return err;
	/* Whoever wrote the package, it shall be down before the next boot looks for it. */
	err = storage_sync(arm->storage, error);
	if (!err)
		err = misc_open(arm->storage, arm->misc, &misc, error);
	if (err)
		return err;
	err = misc_request(misc, arm->storage, arm->command_path, orders.items, orders.count, error);
	if (!err)
		err = read_back(misc, &orders, error);
	if (err < 0)
		withdraw(arming, misc, error);
	misc_close(misc);
	return err;
}

int step_arm(const struct step_arm *arm, struct step_output *output, struct error *error)
{
	struct arming arming = {.arm = arm, .output = output};
	struct log log = step_log(output);
	struct error second;
	struct error cause = {0};
	int err = bring(&arming, &cause);

	if (!err) {
		step_object(output, arm->misc);
		err = set_flag(&arming, &cause);
		if (err && take_back(&arming, &second) < 0)
			log_printf(&log, "the package stays at %s: %s", arm->target, second.message);
	} else {
		step_object(output, arm->target);
	}
	if (!err) {
		step_percent(output, 100);
		return 0;
	}
	if (cause.code == RESULT_SPACE)
		cause.code = RESULT_TOO_LARGE; /* no upgrade has begun */
	return error_set(error, cause.code ? cause.code : RESULT_ABNORMAL, -err, "%s", cause.message);
}
