/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/bytes.h"
#include "craft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(reads_the_sample)
{
	struct package_limits limits = package_default_limits();
	struct package_entry entry;
	struct package *package;
	struct craft craft;
	uint32_t index;

	craft_sample(&craft);
	ck_assert_int_eq(package_open(&craft.reader, &limits, &package, NULL), 0);
	ck_assert_uint_eq(package_count(package), 4);
	ck_assert_uint_eq(package_largest_entry(package), 54);
	ck_assert_uint_eq(package_unpacked_size(package), 64);
	ck_assert_int_eq(package_find(package, "d", &index), 0);
	ck_assert_uint_eq(index, 1);
	ck_assert_int_eq(package_entry(package, 1, &entry, NULL), 0);
	ck_assert_str_eq(entry.name, "d");
	ck_assert_int_eq(entry.type, PACKAGE_DIRECTORY);
	ck_assert_int_eq(package_entry(package, 2, &entry, NULL), 0);
	ck_assert_int_eq(entry.type, PACKAGE_FILE);
	ck_assert_uint_eq(entry.mode, 0755);
	ck_assert_uint_eq(entry.size, 54);
	ck_assert_uint_lt(entry.packed_size, 54);
	ck_assert_int_eq(package_entry(package, 3, &entry, NULL), 0);
	ck_assert_int_eq(entry.type, PACKAGE_SYMLINK);
	ck_assert_int_eq(package_entry(package, 4, &entry, NULL), -EINVAL);
	ck_assert_int_eq(package_find(package, "d/", &index), -ENOENT);
	ck_assert_int_eq(package_find(package, "b", &index), -ENOENT);
	ck_assert_int_eq(package_find(package, "", &index), -ENOENT);
	check_content(package, "a", "stored", 6);
	check_content(package, "d/l", "../a", 4);
	package_close(package);
	craft_free(&craft);
}
END_TEST

/* One field of the sample at a time; entry 0 is the stored "a", 1 the directory "d/", 2 the deflated "d/b". */
static const struct {
	enum { LOCAL, RECORD, END } where;
	unsigned entry;
	unsigned offset;
	unsigned width;
	uint32_t value;
} pokes[] = {
	{RECORD, 0, 0, 1, 'Q'},             /* signature */
	{RECORD, 0, 8, 2, 0x0001},          /* encrypted */
	{RECORD, 0, 8, 2, 0x0040},          /* strongly encrypted */
	{RECORD, 0, 8, 2, 0x2000},          /* masked headers */
	{RECORD, 0, 8, 2, 0x0020},          /* patch data */
	{RECORD, 0, 10, 2, 12},             /* bzip2 */
	{RECORD, 0, 10, 2, 99},             /* AES */
	{RECORD, 0, 10, 2, 8},              /* not what the local header says */
	{RECORD, 0, 16, 4, 0},              /* CRC unlike the local one */
	{RECORD, 0, 20, 4, 5},              /* packed size unlike the size */
	{RECORD, 0, 20, 4, 0xffffffff},     /* zip64 */
	{RECORD, 0, 24, 4, 0xffffffff},     /* zip64 */
	{RECORD, 0, 42, 4, 0xffffffff},     /* zip64 */
	{RECORD, 2, 20, 4, 0x7fffffff},     /* beyond the end */
	{RECORD, 2, 24, 4, 55},             /* size unlike the local one */
	{RECORD, 0, 28, 2, 0},              /* no name */
	{RECORD, 0, 28, 2, 0xffff},         /* name beyond the directory */
	{RECORD, 3, 30, 2, 4},              /* extra field beyond the directory */
	{RECORD, 3, 32, 2, 4},              /* comment beyond the directory */
	{RECORD, 0, 34, 2, 1},              /* disk */
	{RECORD, 0, 38, 4, 0060644u << 16}, /* block device */
	{RECORD, 0, 38, 4, 0010644u << 16}, /* FIFO */
	{RECORD, 0, 38, 4, 0040755u << 16}, /* directory without a slash */
	{RECORD, 1, 38, 4, 0100644u << 16}, /* file with a slash */
	{RECORD, 0, 42, 4, 1},              /* no local header there */
	{RECORD, 2, 42, 4, 0},              /* somebody else's local header */
	{LOCAL, 0, 0, 1, 'Q'},
	{LOCAL, 0, 6, 2, 0x0001},
	{LOCAL, 0, 8, 2, 8},
	{LOCAL, 0, 14, 4, 0},
	{LOCAL, 0, 18, 4, 7},
	{LOCAL, 0, 22, 4, 7},
	{LOCAL, 0, 26, 2, 2},
	{LOCAL, 0, 28, 2, 0xffff},
	{LOCAL, 0, 30, 1, 'b'},
	{LOCAL, 1, 31, 1, 'x'},
	{END, 0, 0, 1, 'Q'},
	{END, 0, 4, 2, 1},
	{END, 0, 6, 2, 1},
	{END, 0, 8, 2, 3},
	{END, 0, 8, 4, 0x00030003}, /* a record too few */
	{END, 0, 8, 4, 0x00050005}, /* and too many */
	{END, 0, 8, 4, 0},          /* none */
	{END, 0, 12, 4, 1},
	{END, 0, 12, 4, 0xffffffff},
	{END, 0, 16, 4, 1},
	{END, 0, 16, 4, 0xffffffff},
	{END, 0, 20, 2, 1},
};

static void poke(struct craft *craft, int number)
{
	uint8_t *at = craft->bytes + pokes[number].offset;

	if (pokes[number].where == LOCAL)
		at += craft->local[pokes[number].entry];
	else
		at += pokes[number].where == RECORD ? craft->record[pokes[number].entry] : craft->end;
	for (unsigned i = 0; i < pokes[number].width; i++)
		at[i] = (uint8_t)(pokes[number].value >> 8 * i);
}

START_TEST(refuses_broken_fields)
{
	struct craft craft;

	craft_sample(&craft);
	poke(&craft, _i);
	check_refused(&craft.reader, RESULT_FORMAT);
	craft_free(&craft);
}
END_TEST

/* An extra field of 4 bytes, taken from the data's first ones. */
static void make_extra(struct craft *craft, const char *data)
{
	craft_start(craft);
	craft_add(craft, "x", CRAFT_STORED, data, 8, 0);
	put_le16(craft->bytes + craft->local[0] + 28, 4);
	put_le32(craft->bytes + craft->local[0] + 18, 4);
	put_le32(craft->bytes + craft->local[0] + 22, 4);
	put_le32(craft->bytes + craft->local[0] + 14, 0x2144df1c); /* CRC of four zeros */
	craft_finish(craft, NULL, 0);
	put_le16(craft->bytes + craft->record[0] + 30, 0);
}

START_TEST(extra_fields)
{
	static const struct {
		char data[9];
		bool accepted;
	} cases[] = {
		{"\xfe\xca\0\0\0\0\0\0", true},   /* zipalign-like, empty */
		{"\x01\0\0\0\0\0\0\0", false},    /* zip64 */
		{"\xfe\xca\x01\0\0\0\0\0", false} /* longer than there is */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct craft craft;

		make_extra(&craft, cases[i].data);
		if (cases[i].accepted)
			check_accepted(&craft.reader);
		else
			check_refused(&craft.reader, RESULT_FORMAT);
		craft_free(&craft);
	}
}
END_TEST

START_TEST(refuses_overlaps)
{
	struct craft craft;

	/* Both entries name the same data: the second record is the first one's, under a name of its own. */
	craft_start(&craft);
	craft_add_text(&craft, "a", "0123456789");
	craft_add_text(&craft, "b", "0123456789");
	craft_finish(&craft, NULL, 0);
	put_le32(craft.bytes + craft.record[1] + 42, 0);
	craft.bytes[craft.record[1] + 46] = 'a';
	check_refused(&craft.reader, RESULT_FORMAT);
	craft_free(&craft);

	/* The second entry's whole local header and data lie inside the first one's data. */
	craft_start(&craft);
	craft_add_text(&craft, "a", "");
	craft_add_text(&craft, "b", "0123456789");
	put_le32(craft.bytes + craft.local[0] + 18, 41);
	put_le32(craft.bytes + craft.local[0] + 22, 41);
	craft_finish(&craft, NULL, 0);
	check_refused(&craft.reader, RESULT_FORMAT);
	craft_free(&craft);
}
END_TEST

START_TEST(comments)
{
	/* What a signed package has behind its end record: a signature and the footer (spec/lineage.md 2.5). */
	static const uint8_t signature[] = {0x30, 0x82, 1, 2, 3, 4, 5, 6, 12, 0, 0xff, 0xff, 14, 0};
	static uint8_t longest[UINT16_MAX];
	static const uint8_t second_end[] = {'P', 'K', 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	const struct {
		const uint8_t *bytes;
		size_t size;
		bool accepted;
	} cases[] = {
		{signature, sizeof(signature), true},
		{longest, sizeof(longest), true},
		{second_end, sizeof(second_end), false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct craft craft;

		craft_start(&craft);
		craft_add_text(&craft, "a", "PK\5\6 inside of an entry is nothing special");
		craft_finish(&craft, cases[i].bytes, cases[i].size);
		if (cases[i].accepted)
			check_accepted(&craft.reader);
		else
			check_refused(&craft.reader, RESULT_FORMAT);
		craft_free(&craft);
	}
}
END_TEST

START_TEST(prefix_and_suffix)
{
	struct craft craft;

	/* Something before the first entry, offsets corrected. */
	craft_start(&craft);
	craft_add_text(&craft, "a", "prefix");
	craft_add_text(&craft, "b", "data");
	craft_finish(&craft, NULL, 0);
	memmove(craft.bytes + craft.record[0], craft.bytes + craft.record[1], craft.size - craft.record[1]);
	craft.size -= craft.record[1] - craft.record[0];
	craft.end -= craft.record[1] - craft.record[0];
	put_le32(craft.bytes + craft.end + 8, 0x00010001);
	put_le32(craft.bytes + craft.end + 12, (uint32_t)(craft.end - craft.record[0]));
	check_refused(craft_reader(&craft), RESULT_FORMAT);
	craft_free(&craft);

	/* Anything behind the end record, even a single byte. */
	craft_sample(&craft);
	craft.bytes = realloc(craft.bytes, craft.size + 1);
	ck_assert_ptr_nonnull(craft.bytes);
	craft.bytes[craft.size++] = 0;
	check_refused(craft_reader(&craft), RESULT_FORMAT);
	craft_free(&craft);
}
END_TEST

START_TEST(not_a_zip)
{
	static const char text[] = "#!/bin/sh\nexit 0\n";
	struct memory_block block = {.data = text, .size = 0};
	struct reader reader = reader_from_memory(&block);

	check_refused(&reader, RESULT_FORMAT);
	block.size = sizeof(text);
	reader = reader_from_memory(&block);
	check_refused(&reader, RESULT_FORMAT);
}
END_TEST

START_TEST(obeys_limits)
{
	struct package_limits limits = {.max_entries = 4, .max_unpacked = 64};
	struct package *package = NULL;
	struct error error = {0};
	struct craft craft;

	craft_sample(&craft);
	ck_assert_int_eq(package_open(&craft.reader, &limits, &package, &error), 0);
	package_close(package);
	limits.max_unpacked--;
	ck_assert_int_eq(package_open(&craft.reader, &limits, &package, &error), -EFBIG);
	ck_assert_int_eq(error.code, RESULT_UNPACK);
	limits = (struct package_limits){.max_entries = 3, .max_unpacked = 64};
	ck_assert_int_eq(package_open(&craft.reader, &limits, &package, &error), -EFBIG);
	ck_assert_int_eq(error.code, RESULT_UNPACK);
	craft_free(&craft);
}
END_TEST

/* A declared size that only a lie or a bomb has stops the package before a byte is unpacked. */
START_TEST(declared_bomb)
{
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct error error = {0};
	struct craft craft;

	craft_start(&craft);
	for (unsigned i = 0; i < 2; i++) {
		craft_add(&craft, i ? "b" : "a", CRAFT_DEFLATED, "x", 1, 0);
		put_le32(craft.bytes + craft.local[i] + 22, 0xf0000000);
	}
	craft_finish(&craft, NULL, 0);
	ck_assert_int_eq(package_open(&craft.reader, &limits, &package, &error), -EFBIG);
	ck_assert_int_eq(error.code, RESULT_UNPACK);
	craft_free(&craft);
}
END_TEST

static int failing_read(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	(void)ctx;
	(void)offset;
	(void)buffer;
	(void)length;
	return -EIO;
}

/* A medium that cannot be read does not make the package a wrong one, which would be deleted. */
START_TEST(read_error)
{
	struct reader reader = {.read_at = failing_read, .size = 1000};

	check_refused(&reader, RESULT_UNPACK);
}
END_TEST

/* A reader that knows how far to the front it was asked to go. */
struct watched {
	const struct reader *reader;
	uint64_t lowest;
};

static int watched_read(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct watched *watched = ctx;

	if (offset < watched->lowest)
		watched->lowest = offset;
	return watched->reader->read_at(watched->reader->ctx, offset, buffer, length);
}

START_TEST(directory_only)
{
	static uint8_t noise[NOISE_SIZE];
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct watched watched;
	struct craft craft;
	struct reader reader;
	size_t tail = 22 + UINT16_MAX; /* where an end record may be */

	noise_package(&craft, noise);
	watched = (struct watched){.reader = &craft.reader, .lowest = craft.size};
	reader = (struct reader){.read_at = watched_read, .ctx = &watched, .size = craft.size};
	ck_assert_int_eq(package_open_directory(&reader, &limits, &package, NULL), 0);
	ck_assert_uint_eq(watched.lowest, craft.size - tail);
	ck_assert_uint_eq(package_unpacked_size(package), 2 * (uint64_t)NOISE_SIZE);
	check_content(package, "stored", noise, NOISE_SIZE);
	check_content(package, "deflated", noise, NOISE_SIZE);
	ck_assert_uint_lt(watched.lowest, craft.size - tail);
	package_close(package);
	craft_free(&craft);
}
END_TEST

/* Of the broken fields, those that the directory alone shows, and those of local headers, which come out at the entry.
 */
START_TEST(directory_only_broken_fields)
{
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct error error = {0};
	struct stream stream;
	struct content content;
	struct craft craft;
	int err;

	craft_sample(&craft);
	poke(&craft, _i);
	err = package_open_directory(&craft.reader, &limits, &package, &error);
	if (err == 0) {
		ck_assert_int_ne(pokes[_i].where, END);
		content = package_content(package, pokes[_i].entry);
		ck_assert_int_eq(content.open(content.ctx, 0, &stream), -EBADMSG);
		package_close(package);
	} else {
		ck_assert_int_ne(pokes[_i].where, LOCAL);
		ck_assert_int_eq(error.code, RESULT_FORMAT);
	}
	craft_free(&craft);
}
END_TEST

START_TEST(directory_only_overlaps)
{
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct error error = {0};
	struct craft craft;

	/* The second entry begins inside the first one's data. */
	craft_sample(&craft);
	put_le32(craft.bytes + craft.record[1] + 42, (uint32_t)craft.data[0] + 1);
	ck_assert_int_eq(package_open_directory(&craft.reader, &limits, &package, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "overlap"));
	craft_free(&craft);

	/* The last one ends inside the directory, by its packed size alone. */
	craft_sample(&craft);
	put_le32(craft.bytes + craft.record[3] + 42, (uint32_t)craft.record[0] - 30);
	ck_assert_int_eq(package_open_directory(&craft.reader, &limits, &package, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "reaches into"));
	craft_free(&craft);
}
END_TEST

START_TEST(truncated_anywhere)
{
	struct craft craft;
	size_t size;

	craft_sample(&craft);
	size = craft.size;
	for (craft.size = 0; craft.size < size; craft.size++)
		check_refused(craft_reader(&craft), RESULT_FORMAT);
	craft_free(&craft);
}
END_TEST

TCase *open_tests(void)
{
	TCase *tests = tcase_create("open");

	tcase_add_test(tests, reads_the_sample);
	tcase_add_loop_test(tests, refuses_broken_fields, 0, sizeof(pokes) / sizeof(pokes[0]));
	tcase_add_test(tests, extra_fields);
	tcase_add_test(tests, refuses_overlaps);
	tcase_add_test(tests, comments);
	tcase_add_test(tests, prefix_and_suffix);
	tcase_add_test(tests, not_a_zip);
	tcase_add_test(tests, obeys_limits);
	tcase_add_test(tests, declared_bomb);
	tcase_add_test(tests, read_error);
	tcase_add_test(tests, directory_only);
	tcase_add_loop_test(tests, directory_only_broken_fields, 0, sizeof(pokes) / sizeof(pokes[0]));
	tcase_add_test(tests, directory_only_overlaps);
	tcase_add_test(tests, truncated_anywhere);
	return tests;
}
