/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int code_of(int err)
{
	switch (-err) {
	case ENOSPC:
	case EDQUOT:
		return RESULT_SPACE;
	case EBADMSG:
	case EUCLEAN:
		return RESULT_VERIFY;
	default:
		return 0;
	}
}

int storage_fail(struct error *error, int err, const char *format, ...)
{
	struct error context;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(context.message, sizeof(context.message), format, args);
	va_end(args);
	return error_set(error, code_of(err), -err, "%s: %s", context.message, strerror(-err));
}

struct storage *storage_create(const struct storage_ops *ops, void *medium, const struct log *log)
{
	struct storage *storage = calloc(1, sizeof(*storage));

	if (!storage)
		return NULL;
	storage->ops = ops;
	storage->medium = medium;
	if (log)
		storage->log = *log;
	return storage;
}

int storage_open_medium(const struct storage_ops *ops, void *medium, const struct log *log, struct storage **storage,
                        struct error *error)
{
	struct storage *s = storage_create(ops, medium, log);
	int err;

	if (!s)
		return storage_fail(error, -ENOMEM, "storage");
	err = storage_load_fstab(s, NULL, error);
	if (err < 0) {
		storage_close(s);
		return err;
	}
	*storage = s;
	return 0;
}

void storage_close(struct storage *storage)
{
	if (!storage)
		return;
	fstab_free(&storage->fstab);
	if (storage->close_medium)
		storage->close_medium(storage->medium);
	free(storage);
}

int storage_sync(struct storage *storage, struct error *error)
{
	int err = storage->ops->sync_all(storage->medium);

	return err < 0 ? storage_fail(error, err, "sync") : 0;
}
