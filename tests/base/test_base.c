/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(error_carries_code_and_message)
{
	struct error error = {0};

	ck_assert_int_eq(error_set(&error, RESULT_VERIFY, EILSEQ, "%s: found %d", "/system/a", 7), -EILSEQ);
	ck_assert_int_eq(error.code, RESULT_VERIFY);
	ck_assert_str_eq(error.message, "/system/a: found 7");
	error_prefix(&error, "object %d", 3);
	ck_assert_str_eq(error.message, "object 3: /system/a: found 7");
	ck_assert_int_eq(error.code, RESULT_VERIFY);
	ck_assert_int_eq(error_set(NULL, 0, EIO, "nobody listens"), -EIO);
	error_prefix(NULL, "nobody listens");
}
END_TEST

START_TEST(error_long_text_is_cut_not_overrun)
{
	struct error error;
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)error_set(&error, 0, EIO, "%s", text);
	ck_assert_uint_eq(strlen(error.message), sizeof(error.message) - 1);
	error_prefix(&error, "%s", text);
	ck_assert_uint_lt(strlen(error.message), sizeof(error.message));
}
END_TEST

/* Digests of "abc", from the standards' own examples (RFC 1321, FIPS 180-4). */
static const struct {
	enum digest_kind kind;
	const char *text;
} abc_digests[] = {
	{DIGEST_MD5, "900150983cd24fb0d6963f7d28e17f72"},
	{DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
	{DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
};

START_TEST(digest_known_values)
{
	struct digest digest;
	struct digest_value value, parsed;
	char text[DIGEST_TEXT_SIZE];

	digest_start(&digest, abc_digests[_i].kind);
	digest_add(&digest, "a", 1);
	digest_add(&digest, "bc", 2);
	digest_finish(&digest, &value);
	ck_assert_str_eq(digest_format(&value, text), abc_digests[_i].text);
	ck_assert_int_eq(digest_parse(&parsed, abc_digests[_i].text), 0);
	ck_assert(digest_equal(&value, &parsed));
	parsed.bytes[digest_size(parsed.kind) - 1] ^= 1;
	ck_assert(!digest_equal(&value, &parsed));
}
END_TEST

START_TEST(digest_parse_refuses)
{
	static const char *const bad[] = {
		"",
		"a9993e",
		"a9993e364706816aba3e25717850c26c9cd0d89g",
		"a9993e364706816aba3e25717850c26c9cd0d89d0",
		" 9993e364706816aba3e25717850c26c9cd0d89d",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad00",
	};
	struct digest_value value;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(digest_parse(&value, bad[i]), -EINVAL);
	ck_assert_int_eq(digest_parse(&value, "A9993E364706816ABA3E25717850C26C9CD0D89D"), 0);
	ck_assert_uint_eq(value.bytes[0], 0xa9);
}
END_TEST

START_TEST(bytes_round_trip)
{
	uint8_t b[9] = {0};

	put_le64(b + 1, 0x0123456789abcdefULL);
	ck_assert_uint_eq(b[1], 0xef);
	ck_assert_uint_eq(b[8], 0x01);
	ck_assert_uint_eq(get_le64(b + 1), 0x0123456789abcdefULL);
	ck_assert_uint_eq(get_le32(b + 1), 0x89abcdefU);
	ck_assert_uint_eq(get_le16(b + 1), 0xcdefU);
	put_le64(b, UINT64_MAX);
	ck_assert_uint_eq(get_le64(b), UINT64_MAX);
}
END_TEST

START_TEST(content_streams_are_independent)
{
	struct memory_block block = {"0123456789", 10};
	struct reader reader = reader_from_memory(&block);
	struct content content = content_from_reader(&reader);
	struct stream a, b;
	char text[11] = {0};

	ck_assert_uint_eq(content.size, 10);
	ck_assert_int_eq(content.open(content.ctx, 0, &a), 0);
	ck_assert_int_eq(content.open(content.ctx, 7, &b), 0);
	ck_assert_int_eq(stream_read_all(&a, text, 4), 0);
	ck_assert_str_eq(text, "0123");
	ck_assert_int_eq(stream_read_all(&b, text, 3), 0);
	ck_assert_int_eq(memcmp(text, "789", 3), 0);
	ck_assert_int_eq((int)b.read(b.ctx, text, 1), 0);
	ck_assert_int_eq(stream_read_all(&a, text, 7), -EPIPE);
	stream_close(&a);
	stream_close(&b);
	stream_close(&b);
	ck_assert_int_eq(content.open(content.ctx, 11, &a), -EINVAL);
	ck_assert_int_eq(reader.read_at(reader.ctx, 8, text, 3), -EINVAL);
	ck_assert_int_eq(reader.read_at(reader.ctx, UINT64_MAX, text, 3), -EINVAL);
}
END_TEST

static void keep_line(void *ctx, const char *text)
{
	(void)snprintf(ctx, 1100, "%s", text);
}

START_TEST(log_goes_where_told)
{
	char line[1100] = "";
	struct log log = {keep_line, line};
	char text[2048];

	log_printf(&log, "%d of %s", 3, "five");
	ck_assert_str_eq(line, "3 of five");
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_printf(&log, "%s", text);
	ck_assert_uint_eq(strlen(line), 1023);
	log_printf(NULL, "nobody listens");
}
END_TEST

START_TEST(reader_of_a_file)
{
	FILE *file = tmpfile();
	char text[8] = "";
	struct reader reader;
	int fd;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("0123456789", file), 0);
	ck_assert_int_eq(fflush(file), 0);
	fd = fileno(file);
	reader = reader_from_file(&fd, 10);
	ck_assert_uint_eq(reader.size, 10);
	ck_assert_int_eq(reader.read_at(reader.ctx, 3, text, 7), 0);
	ck_assert_str_eq(text, "3456789");
	/* Shorter than it was: an error, not less. */
	ck_assert_int_eq(reader.read_at(reader.ctx, 4, text, 7), -EIO);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(reader.read_at(reader.ctx, 0, text, 1), -EBADF);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *tests = tcase_create("base");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, error_carries_code_and_message);
	tcase_add_test(tests, error_long_text_is_cut_not_overrun);
	tcase_add_loop_test(tests, digest_known_values, 0, sizeof(abc_digests) / sizeof(abc_digests[0]));
	tcase_add_test(tests, digest_parse_refuses);
	tcase_add_test(tests, bytes_round_trip);
	tcase_add_test(tests, content_streams_are_independent);
	tcase_add_test(tests, log_goes_where_told);
	tcase_add_test(tests, reader_of_a_file);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
