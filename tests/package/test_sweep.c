/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed package with one bit changed, whichever, or cut short, wherever. The code tells where the damage is:
 *
 *   signed content, comment length, the footer's sizes   522
 *   the footer's FF FF, and every truncation              520: it does not look signed any more
 *   the CMS                                               521 where it then names another key or algorithm, else 522
 */
#include "base/bytes.h"
#include "sealed.h"
#include "suites.h"

#include <string.h>

#define CONTENT 1500 /* bytes of the largest entry */

static struct sealed sealed;
static uint64_t signed_size;

static void setup(void)
{
	uint8_t noise[CONTENT];

	sealed_open(&sealed);
	craft_noise(noise, sizeof(noise));
	craft_free(&sealed.craft);
	craft_start(&sealed.craft);
	craft_add_text(&sealed.craft, PACKAGE_SCRIPT, "ui_print(\"x\");");
	craft_add_text(&sealed.craft, PACKAGE_ROLLBACK_INDEX, "7\n");
	craft_add(&sealed.craft, "system/a", CRAFT_STORED, noise, sizeof(noise), 0100644);
	craft_add(&sealed.craft, "system/b", CRAFT_DEFLATED, noise, 200, 0100644);
	craft_finish(&sealed.craft, NULL, 0);
	sealed_make(&sealed, SIGNING_ED25519);
	ck_assert_int_eq(package_signed_size(craft_reader(&sealed.craft), &signed_size, &sealed.error), 0);
}

static void teardown(void)
{
	sealed_close(&sealed);
}

/* 0: one of two, see above. */
static int expected_code(size_t at)
{
	size_t footer = sealed.craft.size - PACKAGE_SIGNATURE_FOOTER;

	if (at < signed_size + 2)
		return RESULT_TAMPERED;
	if (at < footer)
		return 0;
	return at == footer + 2 || at == footer + 3 ? RESULT_UNSIGNED : RESULT_TAMPERED;
}

START_TEST(test_every_bit)
{
	unsigned untrusted = 0;
	unsigned tampered = 0;

	ck_assert_uint_ge(sealed.craft.size, 2048);
	for (size_t at = 0; at < sealed.craft.size; at++) {
		int expected = expected_code(at);

		for (unsigned bit = 0; bit < 8; bit++) {
			int code;

			sealed.craft.bytes[at] ^= (uint8_t)(1u << bit);
			code = sealed_judge(&sealed);
			sealed.craft.bytes[at] ^= (uint8_t)(1u << bit);
			if (expected == 0) {
				untrusted += code == RESULT_UNTRUSTED;
				tampered += code == RESULT_TAMPERED;
				ck_assert(code == RESULT_UNTRUSTED || code == RESULT_TAMPERED);
			} else {
				ck_assert_msg(code == expected, "bit %u of byte %zu: %d, not %d", bit, at, code,
				              expected);
			}
		}
	}
	/* The key's name alone has 160 bits, the signature 512. */
	ck_assert_uint_ge(untrusted, 160);
	ck_assert_uint_ge(tampered, 512);
	ck_assert_int_eq(sealed_judge(&sealed), 0);
}
END_TEST

START_TEST(test_every_truncation)
{
	size_t whole = sealed.craft.size;

	for (size_t size = 0; size < whole; size++) {
		/* Two bytes of noise may happen to be those of a footer. */
		bool claims = size >= 28 && get_le16(sealed.craft.bytes + size - 4) == 0xffff;
		int code;

		sealed.craft.size = size;
		code = sealed_judge(&sealed);
		ck_assert_msg(code == (claims ? RESULT_TAMPERED : RESULT_UNSIGNED), "%zu bytes: %d", size, code);
	}
	sealed.craft.size = whole;
	ck_assert_int_eq(sealed_judge(&sealed), 0);
}
END_TEST

TCase *sweep_tests(void)
{
	TCase *tests = tcase_create("sweep");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_every_bit);
	tcase_add_test(tests, test_every_truncation);
	return tests;
}
