/* SPDX-License-Identifier: Apache-2.0 */
/* Functions about files that have several names. Ours alone, for packages made with --compat native. */
#include "updater/functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- hard_link(first, name...): every name becomes one of the first one's file ---- */

static int link_name(struct updater_run *run, const char *first, const char *path, struct error *error)
{
	int err;

	if (run_skips(run, "make %s a name of %s", path, first))
		return 0;
	err = object_make_parents(run->storage, path, error);
	return err < 0 ? err : storage_make_hard_link(run->storage, first, path, error);
}

int function_hard_link(struct script_call *call, struct script_value *result)
{
	char first[STORAGE_PATH_MAX];
	struct arguments names;
	struct error error;
	int err = argument_path(call, 0, first);

	if (err == 0)
		err = arguments_read_paths(call, 1, &names);
	if (err < 0)
		return err;
	for (int i = 0; err == 0 && i < names.count; i++)
		err = link_name(run_of(call), first, names.text[i], &error);
	arguments_free(&names);
	return err < 0 ? call_abort(call, &error) : script_result_text(result, "");
}

/*
 * ---- separate(name...) ----
 * No two of the names are of one file afterwards: where two are, the later one becomes a copy, with mode, owner and
 * what storage's writers copy of extended attributes.
 */

static int copy_content(const struct reader *from, struct storage_writer *writer, struct error *error)
{
	uint8_t buffer[16384];
	size_t length;
	int err = 0;

	for (uint64_t offset = 0; err == 0 && offset < from->size; offset += length) {
		uint64_t left = from->size - offset;

		length = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		err = from->read_at(from->ctx, offset, buffer, length);
		if (err < 0)
			return error_set(error, RESULT_VERIFY, -err, "reading its content: %s", strerror(-err));
		err = storage_writer_write(writer, buffer, length, error);
	}
	return err;
}

static int copy_file(struct storage *storage, const char *path, struct error *error)
{
	struct storage_name name;
	struct storage_reader *file;
	struct storage_writer *writer;
	struct reader io;
	int err = storage_name_parse(path, &name, error);

	if (err == 0)
		err = storage_reader_open(storage, &name, &file, error);
	if (err != 0)
		return err;
	io = storage_reader_io(file);
	err = storage_writer_open(storage, &name, io.size, path, &writer, error);
	if (err < 0)
		goto out;
	err = copy_content(&io, writer, error);
	if (err < 0)
		storage_writer_abort(writer);
	else
		err = storage_writer_commit(writer, NULL, error);
out:
	storage_reader_close(file);
	return err;
}

static int rehearse_copy(struct updater_run *run, const char *path, uint64_t size)
{
	struct storage_name name;
	struct error error;
	int err = storage_name_parse(path, &name, &error);

	if (err < 0)
		return err;
	if (rehearsal_check_room(&run->rehearsal, run->storage, &name, size, &error) < 0)
		run_mismatch(run, path, &error);
	rehearsal_resize(&run->rehearsal, run->storage, path, size);
	return 0;
}

/* stats: of the names before. What earlier statements of a dry run did not make is no file yet, and no mismatch. */
static int separate_name(struct updater_run *run, const char *path, struct storage_stat *stats, int index,
                         struct error *error)
{
	struct storage_stat *stat = &stats[index];
	bool shared = false;
	int err = storage_stat_path(run->storage, path, stat);

	if (run->rehearsal.on && (err < 0 || stat->type != STORAGE_REGULAR)) {
		*stat = (struct storage_stat){.type = STORAGE_OTHER};
		return 0;
	}
	if (err == 0 && stat->type != STORAGE_REGULAR)
		err = -EINVAL;
	if (err < 0)
		return error_set(error, RESULT_VERIFY, -err, "%.400s: %s", path, strerror(-err));
	for (int i = 0; i < index && !shared; i++)
		shared = stats[i].type == STORAGE_REGULAR && storage_same_file(&stats[i], stat);
	if (!shared)
		return 0;
	if (run_skips(run, "make %s a file of its own", path))
		return rehearse_copy(run, path, stat->size);
	err = copy_file(run->storage, path, error);
	if (err == 0 && storage_stat_path(run->storage, path, stat) < 0)
		err = error_set(error, RESULT_VERIFY, EIO, "%.400s: gone", path);
	if (err < 0)
		error_prefix(error, "%.180s", path);
	return err;
}

int function_separate(struct script_call *call, struct script_value *result)
{
	struct storage_stat *stats = NULL;
	struct arguments names;
	struct error error;
	int err = arguments_read_paths(call, 0, &names);

	if (err < 0)
		return err;
	stats = calloc((size_t)names.count, sizeof(*stats));
	if (!stats) {
		(void)error_set(&error, RESULT_ABNORMAL, ENOMEM, "out of memory");
		arguments_free(&names);
		return call_abort(call, &error);
	}
	for (int i = 0; err == 0 && i < names.count; i++)
		err = separate_name(run_of(call), names.text[i], stats, i, &error);
	free(stats);
	arguments_free(&names);
	return err < 0 ? call_abort(call, &error) : script_result_text(result, "");
}
