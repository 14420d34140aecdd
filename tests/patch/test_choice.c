/* SPDX-License-Identifier: Apache-2.0 */
/* What the maker of native patches decides by size. */
#include "patch/patch.h"
#include "tests/patch/program.h"
#include "tests/patch/suites.h"
#include "tests/patch/support.h"

/* Bytes of the models in a patch for a program of which this function has grown. */
static uint64_t models_of(uint32_t grown, bool is_elf)
{
	struct program old = {.address = 0x80208000};
	struct program new = {.address = 0x80208000, .grown = grown, .more = 3};
	struct patch_native_options options = {.digests = false};
	struct patch_native_info info;
	struct bytes patch = bytes_new(0);
	struct sink sink = bytes_sink(&patch);
	struct memory_block block;
	struct reader reader;
	struct content content;
	struct error error = {.message = ""};

	program_build(&old, is_elf);
	program_build(&new, is_elf);
	ck_assert_msg(patch_make_native(old.bytes.data, old.bytes.size, new.bytes.data, new.bytes.size, &options, &sink,
	                                &error) == 0,
	              "%s", error.message);
	block = (struct memory_block){.data = patch.data, .size = patch.size};
	reader = reader_from_memory(&block);
	content = content_from_reader(&reader);
	ck_assert_msg(patch_native_describe(&content, &info, &error) == 0, "%s", error.message);
	bytes_free(&patch);
	bytes_free(&old.bytes);
	bytes_free(&new.bytes);
	return info.models;
}

/* Behind the last function only the table of all of them moves, and hardly anything points there. */
START_TEST(a_model_that_saves_nothing_is_left_out)
{
	ck_assert_uint_eq(models_of(PROGRAM_FUNCTIONS - 1, _i == 1), 0);
	ck_assert_uint_gt(models_of(PROGRAM_FUNCTIONS / 2, _i == 1), 0);
}
END_TEST

Suite *suite_choice(void)
{
	Suite *suite = suite_create("choice");
	TCase *tcase = tcase_create("choice");

	tcase_add_loop_test(tcase, a_model_that_saves_nothing_is_left_out, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
