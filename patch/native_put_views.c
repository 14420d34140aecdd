/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native_write.h"

/* Decoded parts of the old image that are kept: a few of a squashfs's blocks. */
#define CACHE (512u << 10)

static int append(void *ctx, const void *data, size_t length)
{
	return buffer_append(ctx, data, length, NULL);
}

static int put_plain(struct buffer *plain, const struct native_writer *w)
{
	struct buffer old = {0};
	struct sink old_sink = {.write = append, .ctx = &old};
	struct sink sink = {.write = append, .ctx = plain};
	int err = view_save(&w->old_view.view, &old_sink, w->error);

	if (err == 0)
		err = native_put_number(plain, CACHE, w->error);
	if (err == 0)
		err = native_put_number(plain, old.size, w->error);
	if (err == 0)
		err = buffer_append(plain, old.data, old.size, w->error);
	buffer_free(&old);
	return err == 0 ? view_save(&w->new_view.view, &sink, w->error) : err;
}

int native_put_views(struct native_writer *w)
{
	struct buffer plain = {0};
	int err = put_plain(&plain, w);

	if (err == 0)
		err = native_put_packed(&w->records, NATIVE_VIEWS_RECORD, &plain, w->error);
	buffer_free(&plain);
	return err;
}
