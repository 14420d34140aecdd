/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every function that the realistic script calls; each says "t" once all its arguments were evaluated. */
static int run_any(struct script_call *call, struct script_value *result)
{
	unsigned *calls = script_context(call);

	++*calls;
	for (int i = 0; i < script_argument_count(call); i++) {
		struct script_value value;
		int rc = script_argument(call, i, &value);

		if (rc < 0)
			return rc;
		script_value_clear(&value);
	}
	return script_result_text(result, "t");
}

static int run_getprop(struct script_call *call, struct script_value *result)
{
	unsigned *calls = script_context(call);
	char *key;
	int rc = script_argument_text(call, script_argument_count(call) - 1, &key);

	++*calls;
	if (rc < 0)
		return rc;
	if (strcmp(key, "ro.build.fingerprint") == 0)
		rc = script_result_text(result, "quec/ag35/ag35:5.1/LMY48Y/42:user/release-keys");
	else
		rc = script_result_text(result, strstr(key, "date") ? "1442999999" : "ag35");
	free(key);
	return rc;
}

static const struct script_function updater_list[] = {
	{"mount", 4, 5, SCRIPT_ANY_COUNT, run_any},
	{"unmount", 1, 1, SCRIPT_ANY_COUNT, run_any},
	{"getprop", 1, 1, SCRIPT_ANY_COUNT, run_getprop},
	{"file_getprop", 2, 2, SCRIPT_ANY_COUNT, run_getprop},
	{"ui_print", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_any},
	{"show_progress", 2, 2, SCRIPT_ANY_COUNT, run_any},
	{"set_progress", 1, 1, SCRIPT_ANY_COUNT, run_any},
	{"apply_patch", 6, SCRIPT_NO_LIMIT, SCRIPT_EVEN_COUNT, run_any},
	{"apply_patch_check", 1, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_any},
	{"apply_patch_space", 1, 1, SCRIPT_ANY_COUNT, run_any},
	{"package_extract_file", 1, 2, SCRIPT_ANY_COUNT, run_any},
	{"package_extract_dir", 2, 2, SCRIPT_ANY_COUNT, run_any},
	{"delete", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_any},
	{"rename", 2, 2, SCRIPT_ANY_COUNT, run_any},
	{"symlink", 1, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_any},
	{"set_perm_recursive", 5, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_any},
	{"set_metadata", 3, SCRIPT_NO_LIMIT, SCRIPT_ODD_COUNT, run_any},
	{"set_metadata_recursive", 3, SCRIPT_NO_LIMIT, SCRIPT_ODD_COUNT, run_any},
	{"run_program", 1, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_any},
	{"read_file", 1, 1, SCRIPT_ANY_COUNT, run_any},
	{"sha1_check", 1, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_any},
};

static char text[16384];
static size_t text_length;

static void load_text(void)
{
	FILE *file = fopen(TEST_DATA "/realistic.edify", "r");

	ck_assert_ptr_nonnull(file);
	text_length = fread(text, 1, sizeof(text), file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_uint_lt(text_length, sizeof(text));
}

struct check {
	unsigned findings;
	unsigned line, column; /* of the last one */
	bool in_order;
};

static void note_finding(void *ctx, const struct script_finding *finding)
{
	struct check *check = ctx;

	check->in_order = check->in_order && (finding->line > check->line ||
	                                      (finding->line == check->line && finding->column >= check->column));
	check->findings++;
	check->line = finding->line;
	check->column = finding->column;
	ck_assert_uint_gt(strlen(finding->message), 0);
}

/* Parses a heap copy without final NUL, so that a read beyond the end is seen, and runs what parses. */
static unsigned try_text(const char *bytes, size_t length, bool *parsed)
{
	const struct script_functions functions = {updater_list, sizeof(updater_list) / sizeof(updater_list[0])};
	struct check check = {.in_order = true};
	unsigned calls = 0;
	const struct script_environment environment = {.ctx = &calls};
	struct error error = {0};
	struct script_value value;
	struct script *script;
	char *copy = malloc(length ? length : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	*parsed = script_parse(copy, length, &functions, note_finding, &check, &script, &error) == 0;
	free(copy);
	ck_assert(*parsed == (check.findings == 0));
	ck_assert(check.in_order);
	if (!*parsed) {
		ck_assert_int_eq(error.code, RESULT_FORMAT);
		return 0;
	}
	if (script_run(script, &environment, &value, NULL, &error) == 0)
		script_value_clear(&value);
	script_free(script);
	return calls;
}

START_TEST(the_whole_script)
{
	bool parsed;

	ck_assert_uint_eq(try_text(text, text_length, &parsed), 39);
	ck_assert(parsed);
}
END_TEST

START_TEST(with_crlf)
{
	static char crlf[2 * sizeof(text)];
	size_t length = 0;
	bool parsed;

	for (size_t i = 0; i < text_length; i++) {
		if (text[i] == '\n')
			crlf[length++] = '\r';
		crlf[length++] = text[i];
	}
	ck_assert_uint_eq(try_text(crlf, length, &parsed), 39);
	ck_assert(parsed);
}
END_TEST

START_TEST(truncated_at_every_byte)
{
	unsigned good = 0, bad = 0;

	for (size_t length = 0; length < text_length; length++) {
		bool parsed;

		(void)try_text(text, length, &parsed); /* how much of it runs is checked by the whole script */
		*(parsed ? &good : &bad) += 1;
	}
	ck_assert_uint_gt(good, 30); /* whole statements are scripts */
	ck_assert_uint_gt(bad, good);
}
END_TEST

START_TEST(bits_flipped)
{
	unsigned good = 0, bad = 0;

	for (size_t i = 0; i < text_length; i++) {
		bool parsed;
		char before = text[i];

		text[i] = (char)(before ^ 1 << (i % 8));
		(void)try_text(text, text_length, &parsed); /* any result is right that does not crash */
		text[i] = before;
		*(parsed ? &good : &bad) += 1;
	}
	ck_assert_uint_gt(good, 0); /* in names, hashes, comments */
	ck_assert_uint_gt(bad, 0);
}
END_TEST

START_TEST(bytes_replaced)
{
	static const char with[] = "\0\"\\();,!&|+=#\r\n\xff-";
	bool parsed;

	for (size_t k = 0; k + 1 < sizeof(with); k++) {
		for (size_t i = k; i < text_length; i += 31) {
			char before = text[i];

			text[i] = with[k];
			(void)try_text(text, text_length, &parsed); /* as above */
			text[i] = before;
		}
	}
}
END_TEST

START_TEST(every_byte_beside_every_mark)
{
	static const char marks[] = "\0\"\\();,!&|+=# \nax0";
	bool parsed;

	for (int c = 0; c < 256; c++) {
		for (size_t k = 0; k < sizeof(marks); k++) {
			const char three[3] = {marks[k], (char)c, marks[k]};

			(void)try_text(three, 1, &parsed); /* as above */
			(void)try_text(three, 2, &parsed);
			(void)try_text(three + 1, 2, &parsed);
			(void)try_text(three, 3, &parsed);
		}
	}
}
END_TEST

Suite *suite_hostile(void)
{
	Suite *suite = suite_create("script hostile texts");
	TCase *tests = tcase_create("hostile texts");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, load_text, NULL);
	tcase_add_test(tests, the_whole_script);
	tcase_add_test(tests, with_crlf);
	tcase_add_test(tests, truncated_at_every_byte);
	tcase_add_test(tests, bits_flipped);
	tcase_add_test(tests, bytes_replaced);
	tcase_add_test(tests, every_byte_beside_every_mark);
	suite_add_tcase(suite, tests);
	return suite;
}
