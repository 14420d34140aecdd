/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void remark(void *ctx, const char *text)
{
	struct fixture *fixture = ctx;
	size_t used = strlen(fixture->remarks);

	(void)snprintf(fixture->remarks + used, sizeof(fixture->remarks) - used, "%s\n", text);
}

void fixture_open(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->medium = fake_medium_new();
	fixture->log = (struct log){.line = remark, .ctx = fixture};
	ck_assert_int_eq(
		storage_open_medium(&fake_ops, fixture->medium, &fixture->log, &fixture->storage, &fixture->error), 0);
}

void fixture_close(struct fixture *fixture)
{
	ck_assert_int_eq(fake_open_handles(fixture->medium), 0);
	storage_close(fixture->storage);
	fake_medium_free(fixture->medium);
}

struct storage_name named(enum storage_kind kind, const char *text)
{
	struct storage_name name = {.kind = kind};

	(void)snprintf(name.name, sizeof(name.name), "%s", text);
	return name;
}

void fill(uint8_t *data, size_t length, unsigned seed)
{
	uint32_t state = seed * 2654435761u + 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525u + 1013904223u;
		data[i] = (uint8_t)(state >> 24);
	}
}

struct digest_value digest_of(const void *data, size_t length, enum digest_kind kind)
{
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, kind);
	digest_add(&digest, data, length);
	digest_finish(&digest, &value);
	return value;
}

int replace(struct storage *storage, const struct storage_name *name, const uint8_t *data, size_t length, uint64_t size,
            size_t piece, const struct digest_value *expected, struct error *error)
{
	struct storage_writer *writer;
	int err = storage_writer_open(storage, name, size, NULL, &writer, error);

	if (err < 0)
		return err;
	for (size_t at = 0; at < length && err == 0; at += piece)
		err = storage_writer_write(writer, data + at, length - at < piece ? length - at : piece, error);
	if (err < 0) {
		storage_writer_abort(writer);
		return err;
	}
	return storage_writer_commit(writer, expected, error);
}

void assert_content(struct storage *storage, const struct storage_name *name, const uint8_t *data, size_t length)
{
	struct storage_reader *reader;
	struct error error;
	struct reader io;
	uint8_t *found = malloc(length + 1);

	ck_assert_ptr_nonnull(found);
	ck_assert_msg(storage_reader_open(storage, name, &reader, &error) == 0, "%s", error.message);
	io = storage_reader_io(reader);
	ck_assert_uint_ge(io.size, length);
	ck_assert_int_eq(io.read_at(io.ctx, 0, found, length), 0);
	ck_assert_mem_eq(found, data, length);
	storage_reader_close(reader);
	free(found);
}

void assert_order(const struct fake_medium *medium, const char *const *lines)
{
	const char *at = medium->log;

	for (; *lines; lines++) {
		const char *found = strstr(at, *lines);

		ck_assert_msg(found != NULL, "no \"%s\" in order; the calls were:\n%s", *lines, medium->log);
		at = found + strlen(*lines);
	}
}
