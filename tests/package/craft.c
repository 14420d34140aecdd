/* SPDX-License-Identifier: Apache-2.0 */
#include "craft.h"

#include "base/bytes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static uint8_t *grow(struct craft *craft, size_t size)
{
	uint8_t *bytes = realloc(craft->bytes, craft->size + size);

	ck_assert_ptr_nonnull(bytes);
	craft->bytes = bytes;
	craft->size += size;
	memset(bytes + craft->size - size, 0, size);
	return bytes + craft->size - size;
}

static void append(struct craft *craft, const void *data, size_t size)
{
	if (size > 0)
		memcpy(grow(craft, size), data, size);
}

static size_t append_deflated(struct craft *craft, const void *data, size_t size)
{
	z_stream z = {0};
	size_t bound;
	uint8_t *out;

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	bound = deflateBound(&z, size);
	out = grow(craft, bound);
	z.next_in = (z_const Bytef *)data;
	z.avail_in = (uInt)size;
	z.next_out = out;
	z.avail_out = (uInt)bound;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	craft->size -= bound - z.total_out;
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
	return z.total_out;
}

void craft_start(struct craft *craft)
{
	memset(craft, 0, sizeof(*craft));
}

/* The records' heads wait behind the local headers' values until the directory is written. */
void craft_add(struct craft *craft, const char *name, enum craft_method method, const void *data, size_t size,
               uint32_t mode)
{
	unsigned i = craft->count++;
	size_t packed = size;
	uint8_t *head;

	ck_assert_uint_lt(i, CRAFT_ENTRIES);
	craft->local[i] = craft->size;
	craft->record[i] = mode;
	grow(craft, 30);
	append(craft, name, strlen(name));
	craft->data[i] = craft->size;
	if (method == CRAFT_DEFLATED)
		packed = append_deflated(craft, data, size);
	else
		append(craft, data, size);
	head = craft->bytes + craft->local[i];
	put_le32(head, 0x04034b50);
	put_le16(head + 4, 20);
	put_le16(head + 8, (uint16_t)method);
	put_le32(head + 14, (uint32_t)crc32(0, data, (uInt)size));
	put_le32(head + 18, (uint32_t)packed);
	put_le32(head + 22, (uint32_t)size);
	put_le16(head + 26, (uint16_t)strlen(name));
}

void craft_add_text(struct craft *craft, const char *name, const char *text)
{
	craft_add(craft, name, CRAFT_STORED, text, strlen(text), 0100644);
}

static void add_record(struct craft *craft, unsigned i)
{
	uint32_t mode = (uint32_t)craft->record[i];
	uint16_t name_length = get_le16(craft->bytes + craft->local[i] + 26);
	uint8_t *record;

	craft->record[i] = craft->size;
	record = grow(craft, 46u + name_length);
	put_le32(record, 0x02014b50);
	put_le16(record + 4, mode ? 3 << 8 | 20 : 20);
	memcpy(record + 6, craft->bytes + craft->local[i] + 4, 26);
	put_le32(record + 38, mode << 16);
	put_le32(record + 42, (uint32_t)craft->local[i]);
	memcpy(record + 46, craft->bytes + craft->local[i] + 30, name_length);
}

void craft_finish(struct craft *craft, const void *comment, size_t comment_size)
{
	size_t start = craft->size;
	uint8_t *end;

	for (unsigned i = 0; i < craft->count; i++)
		add_record(craft, i);
	craft->end = craft->size;
	end = grow(craft, 22);
	put_le32(end, 0x06054b50);
	put_le16(end + 8, (uint16_t)craft->count);
	put_le16(end + 10, (uint16_t)craft->count);
	put_le32(end + 12, (uint32_t)(craft->end - start));
	put_le32(end + 16, (uint32_t)start);
	put_le16(end + 20, (uint16_t)comment_size);
	append(craft, comment, comment_size);
	(void)craft_reader(craft);
}

void craft_free(struct craft *craft)
{
	free(craft->bytes);
}

const struct reader *craft_reader(struct craft *craft)
{
	craft->block = (struct memory_block){.data = craft->bytes, .size = craft->size};
	craft->reader = reader_from_memory(&craft->block);
	return &craft->reader;
}

void craft_sample(struct craft *craft)
{
	static const char text[] = "deflate deflate deflate deflate deflate me, deflate me";

	craft_start(craft);
	craft_add_text(craft, "a", "stored");
	craft_add(craft, "d/", CRAFT_STORED, "", 0, 040755);
	craft_add(craft, "d/b", CRAFT_DEFLATED, text, sizeof(text) - 1, 0100755);
	craft_add(craft, "d/l", CRAFT_STORED, "../a", 4, 0120777);
	craft_finish(craft, NULL, 0);
}

void craft_noise(uint8_t *bytes, size_t size)
{
	uint32_t state = 1;

	for (size_t i = 0; i < size; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 29); /* 3 bits of 8 */
	}
}

void check_content(struct package *package, const char *name, const void *expected, size_t size)
{
	struct error error = {0};
	size_t found = 0;
	char *data = NULL;

	ck_assert_msg(package_load(package, name, size, &data, &found, &error) == 0, "%s: %s", name, error.message);
	ck_assert_uint_eq(found, size);
	ck_assert_int_eq(memcmp(data, expected, size), 0);
	free(data);
}

void check_refused(const struct reader *reader, int code)
{
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct error error = {0};

	ck_assert_int_lt(package_open(reader, &limits, &package, &error), 0);
	ck_assert_msg(error.code == code, "code %d: %s", error.code, error.message);
	ck_assert_str_ne(error.message, "");
	ck_assert_ptr_null(strchr(error.message, '\n'));
}

void check_accepted(const struct reader *reader)
{
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct error error = {0};

	ck_assert_msg(package_open(reader, &limits, &package, &error) == 0, "%s", error.message);
	ck_assert_msg(package_test(package, NULL, NULL, &error) == 0, "%s", error.message);
	package_close(package);
}

struct package *open_package(const struct reader *reader)
{
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct error error = {0};

	ck_assert_msg(package_open(reader, &limits, &package, &error) == 0, "%s", error.message);
	return package;
}

void noise_package(struct craft *craft, uint8_t noise[NOISE_SIZE])
{
	craft_noise(noise, NOISE_SIZE);
	craft_start(craft);
	craft_add(craft, "stored", CRAFT_STORED, noise, NOISE_SIZE, 0);
	craft_add(craft, "deflated", CRAFT_DEFLATED, noise, NOISE_SIZE, 0);
	craft_finish(craft, NULL, 0);
}
