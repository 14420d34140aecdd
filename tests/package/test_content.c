/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/bytes.h"
#include "craft.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
/* Part of the sanitizer; gcc ships no header for it. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

static struct content find_content(struct package *package, const char *name)
{
	uint32_t index;

	ck_assert_int_eq(package_find(package, name, &index), 0);
	return package_content(package, index);
}

START_TEST(any_offset)
{
	static const uint64_t offsets[] = {0, 1, 4095, 16384, 65537, NOISE_SIZE / 2, NOISE_SIZE - 1, NOISE_SIZE};
	const char *name = _i ? "deflated" : "stored";
	uint8_t *noise = malloc(NOISE_SIZE);
	uint8_t *buffer = malloc(NOISE_SIZE);
	struct package *package;
	struct content content;
	struct stream stream;
	struct craft craft;

	noise_package(&craft, noise);
	package = open_package(&craft.reader);
	content = find_content(package, name);
	ck_assert_uint_eq(content.size, NOISE_SIZE);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		size_t left = (size_t)(NOISE_SIZE - offsets[i]);

		ck_assert_int_eq(content.open(content.ctx, offsets[i], &stream), 0);
		ck_assert_int_eq(stream_read_all(&stream, buffer, left), 0);
		ck_assert_int_eq(memcmp(buffer, noise + offsets[i], left), 0);
		ck_assert_int_eq(stream.read(stream.ctx, buffer, 1), 0);
		ck_assert_int_eq(stream.read(stream.ctx, buffer, 1), 0);
		stream_close(&stream);
	}
	ck_assert_int_eq(content.open(content.ctx, NOISE_SIZE + 1, &stream), -EINVAL);
	package_close(package);
	craft_free(&craft);
	free(noise);
	free(buffer);
}
END_TEST

START_TEST(several_streams_at_once)
{
	static const uint64_t offsets[3] = {0, 70000, 200000};
	const char *name = _i ? "deflated" : "stored";
	uint8_t *noise = malloc(NOISE_SIZE);
	uint8_t buffer[777];
	struct package *package;
	struct content content;
	struct stream streams[3];
	struct craft craft;

	noise_package(&craft, noise);
	package = open_package(&craft.reader);
	content = find_content(package, name);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(content.open(content.ctx, offsets[i], &streams[i]), 0);
	for (size_t at = 0; at + sizeof(buffer) <= 90000; at += sizeof(buffer)) {
		for (size_t i = 0; i < 3; i++) {
			ck_assert_int_eq(stream_read_all(&streams[i], buffer, sizeof(buffer)), 0);
			ck_assert_int_eq(memcmp(buffer, noise + offsets[i] + at, sizeof(buffer)), 0);
		}
	}
	for (size_t i = 0; i < 3; i++)
		stream_close(&streams[i]);
	package_close(package);
	craft_free(&craft);
	free(noise);
}
END_TEST

/* What reading the first entry of the archive to its end yields. */
static int read_first(struct craft *craft, size_t expected_size)
{
	struct package *package = open_package(craft_reader(craft));
	struct content content = package_content(package, 0);
	struct stream stream;
	uint8_t buffer[4096];
	size_t total = 0;
	ssize_t n;
	int err = content.open(content.ctx, 0, &stream);

	if (err == 0) {
		while ((n = stream.read(stream.ctx, buffer, sizeof(buffer))) > 0)
			total += (size_t)n;
		err = (int)n;
		ck_assert_uint_le(total, content.size);
		if (err < 0)
			ck_assert_int_eq(stream.read(stream.ctx, buffer, sizeof(buffer)), err);
		else
			ck_assert_uint_eq(total, expected_size);
		stream_close(&stream);
	}
	package_close(package);
	return err;
}

static void set_both(struct craft *craft, unsigned local_offset, uint32_t value)
{
	put_le32(craft->bytes + craft->local[0] + local_offset, value);
	put_le32(craft->bytes + craft->record[0] + local_offset + 2, value);
}

START_TEST(wrong_crc)
{
	struct craft craft;

	craft_start(&craft);
	craft_add(&craft, "x", _i ? CRAFT_DEFLATED : CRAFT_STORED, "some content", 12, 0);
	craft_finish(&craft, NULL, 0);
	ck_assert_int_eq(read_first(&craft, 12), 0);
	set_both(&craft, 14, 0x12345678);
	ck_assert_int_eq(read_first(&craft, 12), -EBADMSG);
	craft_free(&craft);
}
END_TEST

START_TEST(empty_entry)
{
	struct craft craft;

	craft_start(&craft);
	craft_add(&craft, "x", _i ? CRAFT_DEFLATED : CRAFT_STORED, "", 0, 0);
	craft_finish(&craft, NULL, 0);
	ck_assert_int_eq(read_first(&craft, 0), 0);
	set_both(&craft, 14, 1);
	ck_assert_int_eq(read_first(&craft, 0), -EBADMSG);
	craft_free(&craft);
}
END_TEST

/* Deflated data that are more, or less, than what is declared: never a byte more comes out. */
START_TEST(wrong_size)
{
	static const uint32_t sizes[] = {0, 1, 49999, 50001, 1000000, 0xfffffffe};
	uint8_t *zeros = calloc(1, 50000);
	struct craft craft;

	craft_start(&craft);
	craft_add(&craft, "x", CRAFT_DEFLATED, zeros, 50000, 0);
	craft_finish(&craft, NULL, 0);
	ck_assert_int_eq(read_first(&craft, 50000), 0);
	set_both(&craft, 22, sizes[_i]);
	ck_assert_int_eq(read_first(&craft, sizes[_i]), -EBADMSG);
	craft_free(&craft);
	free(zeros);
}
END_TEST

START_TEST(wrong_packed_size)
{
	struct craft craft;
	uint32_t packed;

	craft_start(&craft);
	craft_add(&craft, "x", CRAFT_DEFLATED, "abcabcabcabcabcabc", 18, 0);
	packed = get_le32(craft.bytes + 18);
	craft_add_text(&craft, "y", "");
	craft_finish(&craft, NULL, 0);
	set_both(&craft, 18, packed - 1);
	ck_assert_int_eq(read_first(&craft, 18), -EBADMSG);
	craft_free(&craft);
}
END_TEST

START_TEST(loads_whole_entries)
{
	struct error error = {0};
	struct package *package;
	struct craft craft;
	size_t size;
	char *data;

	craft_sample(&craft);
	package = open_package(&craft.reader);
	ck_assert_int_eq(package_load(package, "d/l", 4, &data, &size, &error), 0);
	ck_assert_uint_eq(size, 4);
	ck_assert_str_eq(data, "../a");
	free(data);
	ck_assert_int_eq(package_load(package, "d/l", 3, &data, &size, &error), -EFBIG);
	ck_assert_int_eq(package_load(package, "none", 3, &data, &size, &error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.message, "none"));
	craft.bytes[craft.data[3]] = 'X';
	ck_assert_int_eq(package_load(package, "d/l", 4, &data, &size, &error), -EBADMSG);
	ck_assert_int_eq(error.code, RESULT_UNPACK);
	package_close(package);
	craft_free(&craft);
}
END_TEST

/* Counts reads, to show that one entry costs the same in a large archive as in a small one. */
struct counting_reader {
	struct reader inner;
	unsigned reads;
};

static int counting_read(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct counting_reader *counting = ctx;

	counting->reads++;
	return counting->inner.read_at(counting->inner.ctx, offset, buffer, length);
}

static size_t allocated(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	return 0;
#endif
}

static int archive_text(struct archive *archive, const char *name, const char *text)
{
	struct archive_entry *entry = archive_entry_new();
	size_t length = strlen(text);
	int err;

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0640);
	archive_entry_set_size(entry, (la_int64_t)length);
	err = archive_write_header(archive, entry);
	if (err == ARCHIVE_OK && archive_write_data(archive, text, length) != (la_ssize_t)length)
		err = ARCHIVE_FATAL;
	archive_entry_free(entry);
	return err;
}

#define MANY 10000

/* Written by libarchive, half of it deflated. */
static size_t write_many(uint8_t *buffer, size_t size)
{
	struct archive *archive = archive_write_new();
	size_t used = 0;
	char name[64];

	ck_assert_int_eq(archive_write_set_format_zip(archive), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_set_bytes_in_last_block(archive, 1), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_open_memory(archive, buffer, size, &used), ARCHIVE_OK);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_int_eq(i % 2 ? archive_write_zip_set_compression_deflate(archive)
		                       : archive_write_zip_set_compression_store(archive),
		                 ARCHIVE_OK);
		(void)snprintf(name, sizeof(name), "dir%u/file number %u", i % 7, i);
		ck_assert_int_eq(archive_text(archive, name, name), ARCHIVE_OK);
	}
	ck_assert_int_eq(archive_write_close(archive), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_free(archive), ARCHIVE_OK);
	return used;
}

START_TEST(ten_thousand_entries)
{
	uint8_t *bytes = malloc(4 << 20);
	struct memory_block block = {.data = bytes};
	struct counting_reader counting = {0};
	struct reader reader = {.read_at = counting_read, .ctx = &counting};
	struct package *package;
	unsigned most_reads = 0;
	size_t before;
	char name[64];

	block.size = write_many(bytes, 4 << 20);
	counting.inner = reader_from_memory(&block);
	reader.size = block.size;
	before = allocated();
	package = open_package(&reader);
	ck_assert_uint_eq(package_count(package), MANY);
	ck_assert_uint_le(allocated() - before, MANY * 40 + 1000);
	for (unsigned k = 0; k < MANY; k++) {
		unsigned i = (unsigned)((uint64_t)k * 7919 % MANY); /* a prime: every entry, out of order */

		(void)snprintf(name, sizeof(name), "dir%u/file number %u", i % 7, i);
		counting.reads = 0;
		check_content(package, name, name, strlen(name));
		if (counting.reads > most_reads)
			most_reads = counting.reads;
	}
	ck_assert_uint_le(most_reads, 20);
	ck_assert_uint_le(allocated() - before, MANY * 40 + 1000);
	package_close(package);
	free(bytes);
}
END_TEST

TCase *content_tests(void)
{
	TCase *tests = tcase_create("content");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, any_offset, 0, 2);
	tcase_add_loop_test(tests, several_streams_at_once, 0, 2);
	tcase_add_loop_test(tests, wrong_crc, 0, 2);
	tcase_add_loop_test(tests, empty_entry, 0, 2);
	tcase_add_loop_test(tests, wrong_size, 0, 6);
	tcase_add_test(tests, wrong_packed_size);
	tcase_add_test(tests, loads_whole_entries);
	tcase_add_test(tests, ten_thousand_entries);
	return tests;
}
