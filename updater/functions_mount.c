/* SPDX-License-Identifier: Apache-2.0 */
/* Functions around file systems and devices. */
#include "updater/functions.h"

#include "updater/extract.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- mount(fs_type, partition_type, location, mount_point[, options]) ---- */

enum { FS_TYPE, PARTITION_TYPE, LOCATION };

static int none_empty(struct script_call *call, const struct arguments *arguments, int count)
{
	static const char *const names[] = {"fs_type", "partition_type", "location", "mount_point"};

	for (int i = 0; i < count && i < 4; i++)
		if (!arguments->text[i][0])
			return script_abort(call, 0, "%s argument to %s() can't be empty", names[i],
			                    script_call_name(call));
	return 0;
}

static int mount_volume(struct updater_run *run, const struct arguments *arguments, const char *mount_point,
                        struct error *error)
{
	const char *fs_type = arguments->text[FS_TYPE];
	const char *location = arguments->text[LOCATION];
	const char *options = arguments->count > 4 && arguments->text[4][0] ? arguments->text[4] : NULL;

	if (run->rehearsal.on)
		return rehearsal_mount(&run->rehearsal, run->storage, fs_type, location, mount_point, options, error);
	return storage_mount(run->storage, fs_type, location, mount_point, options, error);
}

int function_mount(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	char mount_point[STORAGE_PATH_MAX];
	struct arguments arguments;
	struct error error;
	int err = arguments_read(call, 0, &arguments);

	if (err < 0)
		return err;
	err = none_empty(call, &arguments, 4);
	if (err == 0)
		err = path_from_text(call, arguments.text[3], mount_point);
	if (err < 0)
		goto out;
	if (mount_volume(run, &arguments, mount_point, &error) < 0)
		err = call_fail(call, result, "", &error);
	else
		err = script_result_text(result, arguments.text[3]);
out:
	arguments_free(&arguments);
	return err;
}

static int mount_state(struct script_call *call, char mount_point[STORAGE_PATH_MAX], bool *mounted)
{
	struct error error;
	int err = argument_path(call, 0, mount_point);

	if (err == 0 && storage_is_mounted(run_of(call)->storage, mount_point, mounted, &error) < 0)
		err = call_abort(call, &error);
	return err;
}

int function_is_mounted(struct script_call *call, struct script_value *result)
{
	char mount_point[STORAGE_PATH_MAX];
	bool mounted = false;
	int err = mount_state(call, mount_point, &mounted);

	return err < 0 ? err : script_result_text(result, mounted ? mount_point : "");
}

int function_unmount(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	char mount_point[STORAGE_PATH_MAX];
	struct error error;
	bool mounted = false;
	int err = mount_state(call, mount_point, &mounted);

	if (err < 0)
		return err;
	if (!mounted) {
		log_printf(run->log, "unmount(): %s is not mounted", mount_point);
		return script_result_text(result, "");
	}
	if (run->rehearsal.on)
		err = rehearsal_unmount(&run->rehearsal, run->storage, mount_point, &error);
	else
		err = storage_unmount(run->storage, mount_point, &error);
	/* As in the lineage not a failure: scripts unmount last of all, and what is written is synced at the end. */
	if (err < 0)
		log_printf(run->log, "unmount(): %s", error.message);
	return script_result_text(result, mount_point);
}

/*
 * ---- sync() ----
 * Ours alone: all that was done up to now is durable before anything else is. Contents, names and links are anyway when
 * their function returns; owners, modes and attributes are not.
 */
int function_sync(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct error error;

	if (!run->rehearsal.on && storage_sync(run->storage, &error) < 0)
		return call_abort(call, &error);
	return script_result_text(result, "t");
}

/* ---- format(fs_type, partition_type, location, size[, mount_point]) ---- */

/* An empty volume or erased partition is a new file system for these; the others need a program that makes one. */
static int format_name(const struct arguments *arguments, struct storage_name *name, struct error *error)
{
	const char *fs_type = arguments->text[FS_TYPE];
	const char *type = arguments->text[PARTITION_TYPE];
	char text[STORAGE_PATH_MAX];
	bool ubi = strcasecmp(type, "UBI") == 0 || strcmp(fs_type, "ubifs") == 0;
	bool mtd = strcasecmp(type, "MTD") == 0;

	if (!ubi && !mtd)
		return error_set(error, RESULT_ABNORMAL, ENOTSUP,
		                 "cannot make file system %.40s on partition type %.40s", fs_type, type);
	(void)snprintf(text, sizeof(text), "%s:%s", ubi ? "UBI" : "MTD", arguments->text[LOCATION]);
	return storage_name_parse(text, name, error);
}

static int format_volume(struct updater_run *run, const struct arguments *arguments, const char *mount_point,
                         struct error *error)
{
	struct storage_name name;
	int err = format_name(arguments, &name, error);

	if (err < 0)
		return err;
	if (run_skips(run, "format %s", name.name)) {
		if (*mount_point)
			rehearsal_format(&run->rehearsal, run->storage, arguments->text[FS_TYPE],
			                 arguments->text[LOCATION], mount_point);
		return 0;
	}
	journal_begin_write(run->journal, &name);
	return storage_erase(run->storage, &name, error);
}

int function_format(struct script_call *call, struct script_value *result)
{
	char mount_point[STORAGE_PATH_MAX] = "";
	struct arguments arguments;
	struct error error;
	int err = arguments_read(call, 0, &arguments);

	if (err < 0)
		return err;
	err = none_empty(call, &arguments, 3);
	if (err == 0 && arguments.count > 4 && *arguments.text[4])
		err = path_from_text(call, arguments.text[4], mount_point);
	if (err < 0)
		goto out;
	err = format_volume(run_of(call), &arguments, mount_point, &error);
	err = err < 0 ? call_fail(call, result, "", &error) : script_result_text(result, arguments.text[LOCATION]);
out:
	arguments_free(&arguments);
	return err;
}

/* ext4 images of single-slot NAND modules do not exist; the function is known so that its script gets a clear answer.
 */
int function_tune2fs(struct script_call *call, struct script_value *result)
{
	struct error error;

	(void)error_set(&error, RESULT_ABNORMAL, ENOTSUP,
	                "not supported: this class of modules has no ext file systems");
	return call_fail(call, result, "", &error);
}

/* ---- wipe_block_device(device, length) ---- */

static int write_zeros(struct storage *storage, const struct storage_name *name, uint64_t length, struct error *error)
{
	static const uint8_t zeros[4096];
	struct storage_writer *writer;
	int err = storage_writer_open(storage, name, length, NULL, &writer, error);

	if (err < 0)
		return err;
	for (uint64_t left = length; left > 0;) {
		size_t chunk = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		err = storage_writer_write(writer, zeros, chunk, error);
		if (err < 0) {
			storage_writer_abort(writer);
			return err;
		}
		left -= chunk;
	}
	return storage_writer_commit(writer, NULL, error);
}

int function_wipe_block_device(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct storage_name name;
	struct error error;
	uint64_t length = 0;
	char *device;
	int err = argument_number(call, 1, UINT64_MAX, &length);

	if (err < 0)
		return err;
	err = script_argument_text(call, 0, &device);
	if (err < 0)
		return err;
	err = extract_partition_name(device, &name, &error);
	if (err == 0 && !run_skips(run, "wipe %s", name.name)) {
		journal_begin_write(run->journal, &name);
		err = write_zeros(run->storage, &name, length, &error);
	}
	free(device);
	return err < 0 ? call_fail(call, result, "", &error) : script_result_text(result, "t");
}
