/* SPDX-License-Identifier: Apache-2.0 */
/* The attempt journal: counting that survives power cuts, garbage and its own end. */
#include "nand.h"
#include "suites.h"

#include <errno.h>
#include <string.h>

static struct misc *open_misc(const struct nand *nand)
{
	struct misc *misc;

	ck_assert_int_eq(misc_open(nand->storage, "misc", &misc, NULL), 0);
	return misc;
}

static struct misc_attempts attempts(const struct nand *nand)
{
	struct misc *misc = open_misc(nand);
	struct misc_attempts result;

	ck_assert_int_eq(misc_attempts_read(misc, 0, &result, NULL), 0);
	misc_close(misc);
	return result;
}

static int arm(struct misc *misc)
{
	static const char *const standard[] = {MISC_DEFAULT_ARGUMENT};

	return misc_arm(misc, standard, 1, NULL);
}

static bool is_armed(struct misc *misc)
{
	struct misc_message message;

	ck_assert_int_eq(misc_read_message(misc, &message, NULL), 0);
	return misc_is_armed(&message);
}

START_TEST(test_counting)
{
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand);
	struct misc_attempts now;

	ck_assert(!attempts(nand).pending);
	ck_assert_int_eq(arm(misc), 0);
	ck_assert_uint_eq(attempts(nand).begun, 0);
	ck_assert(attempts(nand).pending);
	for (unsigned i = 1; i <= 5; i++) {
		ck_assert_int_eq(begin_attempt(misc, 0, 10), 0);
		now = attempts(nand);
		ck_assert_uint_eq(now.begun, i);
		ck_assert_uint_eq(now.failed, i - 1);
		ck_assert(now.running && now.pending && !now.ended);
		ck_assert_int_eq(misc_attempt_failed(misc, 509 + (int)i, "no luck", NULL), 0);
		now = attempts(nand);
		ck_assert_uint_eq(now.begun, i);
		ck_assert_uint_eq(now.failed, i);
		ck_assert_int_eq(now.last_code, 509 + (int)i);
		ck_assert_str_eq(now.cause, "no luck");
		ck_assert(!now.running && now.pending);
	}
	ck_assert_int_eq(misc_upgrade_ended(misc, 0, "", NULL), 0);
	now = attempts(nand);
	ck_assert(now.ended && now.pending);
	ck_assert_int_eq(now.last_code, 0);
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	now = attempts(nand);
	ck_assert(!now.ended && !now.pending && !now.closed);
	ck_assert_uint_eq(now.begun, 0);
	ck_assert(!is_armed(misc));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Power cuts in a row without progress are told from those in between which the upgrade got on. */
START_TEST(test_stalling)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	struct misc_attempts now;

	for (unsigned percent = 0; percent < 100; percent += 10)
		ck_assert_int_eq(begin_attempt(misc, 0, percent), 0);
	now = attempts(nand);
	ck_assert_uint_eq(now.stalled, 0);
	ck_assert_uint_eq(misc_attempts_stalled(&now, 90), 1);
	ck_assert_uint_eq(misc_attempts_stalled(&now, 91), 0);
	for (unsigned i = 1; i <= 150; i++) {
		ck_assert_int_eq(begin_attempt(misc, 0, 90), 0); /* no further */
		ck_assert_uint_eq(attempts(nand).stalled, i);
	}
	ck_assert_uint_eq(attempts(nand).failed, 0);
	ck_assert_int_eq(misc_attempt_failed(misc, 510, "", NULL), 0);
	ck_assert_int_eq(begin_attempt(misc, 0, 90), 0); /* the last one was not cut short */
	now = attempts(nand);
	ck_assert_uint_eq(now.stalled, 0);
	ck_assert_uint_eq(now.failed, 1);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* A journal is about one upgrade: of another one it has no attempts, and begins to count anew. */
START_TEST(test_another_upgrade)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	struct misc_attempts now;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(begin_attempt(misc, i == 2 ? 0 : 7, 50), 0); /* 0: whichever it is */
	ck_assert_int_eq(misc_attempt_failed(misc, 510, "", NULL), 0);
	ck_assert_int_eq(misc_attempts_read(misc, 7, &now, NULL), 0);
	ck_assert_uint_eq(now.begun, 4);
	ck_assert_int_eq(now.last_code, 510);
	ck_assert_int_eq(misc_attempts_read(misc, 8, &now, NULL), 0);
	ck_assert_uint_eq(now.begun, 0);
	ck_assert_int_eq(now.last_code, 0);
	ck_assert_uint_eq(attempts(nand).begun, 4); /* looking changes nothing */
	ck_assert_int_eq(misc_upgrade_ended(misc, 0, "", NULL), 0);
	ck_assert_int_eq(misc_attempts_read(misc, 7, &now, NULL), 0);
	ck_assert(now.ended);
	ck_assert_int_eq(misc_attempts_read(misc, 8, &now, NULL), 0);
	ck_assert(!now.ended);
	ck_assert_int_eq(begin_attempt(misc, 8, 0), 0);
	ck_assert_uint_eq(attempts(nand).begun, 1);
	ck_assert_uint_eq(attempts(nand).progress, 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* What was armed comes back out of the journal until its end was told. */
START_TEST(test_recall)
{
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand);
	struct misc_message message;

	ck_assert_int_eq(misc_recall(misc, &message, NULL), -ENOENT);
	ck_assert_int_eq(arm(misc), 0);
	ck_assert_int_eq(misc_recall(misc, &message, NULL), 0);
	ck_assert(misc_is_armed(&message));
	ck_assert_str_eq(message.recovery, "recovery\n" MISC_DEFAULT_ARGUMENT "\n");
	ck_assert_int_eq(begin_attempt(misc, 3, 0), 0);
	ck_assert_int_eq(misc_recall(misc, &message, NULL), 0);
	ck_assert_str_eq(message.recovery, "recovery\n--reason=x\n");
	ck_assert_int_eq(misc_upgrade_ended(misc, 510, "", NULL), 0);
	ck_assert_int_eq(misc_recall(misc, &message, NULL), 0);
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert_int_eq(misc_recall(misc, &message, NULL), -ENOENT);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* More records than the journal has room for: the count goes on, and how the upgrade ends still finds room. */
START_TEST(test_full)
{
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand);

	ck_assert_int_eq(arm(misc), 0);
	for (unsigned i = 1; i <= 3 * NAND_PAGES; i++) {
		ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
		ck_assert_uint_eq(attempts(nand).begun, i);
		if (i % NAND_PAGES)
			continue;
		for (int times = 0; times < 2; times++)
			ck_assert_int_eq(misc_upgrade_ended(misc, 510, "", NULL), 0);
		ck_assert(attempts(nand).ended);
	}
	ck_assert(is_armed(misc));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* In the flag's own block it is never erased while an upgrade is armed: attempts behind its end are not counted. */
START_TEST(test_full_beside_flag)
{
	struct nand *nand = nand_new(1);
	struct misc *misc = open_misc(nand);
	unsigned begun = 0;
	unsigned erases;

	ck_assert_int_eq(arm(misc), 0);
	erases = nand->erases;
	while (begin_attempt(misc, 0, 0) == 0)
		ck_assert_uint_lt(++begun, NAND_PAGES);
	ck_assert_uint_gt(begun, NAND_PAGES / 2);
	ck_assert_uint_eq(attempts(nand).begun, begun);
	ck_assert_uint_eq(nand->erases, erases);
	ck_assert(is_armed(misc));
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert_int_eq(arm(misc), 0);
	ck_assert_uint_eq(attempts(nand).begun, 0);
	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Upgrade after upgrade: erased rarely, and never while an upgrade runs. */
START_TEST(test_wear)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	unsigned total = 0;

	for (int upgrade = 0; upgrade < 100; upgrade++) {
		unsigned before;

		ck_assert_int_eq(arm(misc), 0);
		before = nand->erases;
		ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
		total += nand->erases - before;
		ck_assert_int_eq(misc_upgrade_ended(misc, 0, "", NULL), 0);
		ck_assert_int_eq(misc_clear(misc, NULL), 0);
	}
	ck_assert_uint_le(total, 2 * 100 / 5); /* five records each: the journal's block and the flag's, now and then */
	ck_assert_uint_le(nand->erases, 200 + 2 * 100 / 5);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Power goes during a count: it is counted or not, never more, never less than before, and counting goes on. */
START_TEST(test_cut_counting)
{
	struct nand *start = nand_new((unsigned)_i);
	struct misc *misc = open_misc(start);

	ck_assert_int_eq(arm(misc), 0);
	ck_assert_int_eq(begin_attempt(misc, 0, 7), 0);
	ck_assert_int_eq(misc_attempt_failed(misc, 511, "", NULL), 0);
	misc_close(misc);
	for (unsigned cut = 1; cut <= 3; cut++) {
		struct nand *nand = nand_copy(start);
		int err;

		nand->changes = 0;
		nand->cut_at = cut;
		misc = open_misc(nand);
		err = begin_attempt(misc, 0, 7);
		misc_close(misc);
		nand->cut_at = 0;
		ck_assert_uint_eq(attempts(nand).begun, cut == 1 ? 1 : 2);
		ck_assert_int_eq(err == 0, cut > 1);
		ck_assert_int_eq(attempts(nand).last_code, 511);
		misc = open_misc(nand);
		ck_assert_int_eq(begin_attempt(misc, 0, 7), 0);
		ck_assert_uint_eq(attempts(nand).begun, cut == 1 ? 2 : 3);
		misc_close(misc);
		nand_free(nand);
	}
	nand_free(start);
}
END_TEST

/* The only block: while the journal is erased the message says what counts, and old records that come back do not. */
START_TEST(test_old_records_come_back)
{
	struct nand *nand = nand_new(2);
	struct misc *misc = open_misc(nand);
	static struct nand old;
	unsigned erases;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(arm(misc), 0);
		ck_assert_int_eq(misc_upgrade_ended(misc, 502, "", NULL), 0);
		ck_assert_int_eq(misc_clear(misc, NULL), 0);
	}
	memcpy(old.data, nand->data, sizeof(old.data));
	erases = nand->erases;
	ck_assert_int_eq(arm(misc), 0);
	ck_assert_uint_eq(nand->erases, erases + 1);
	for (int i = 0; nand->erases == erases + 1; i++)
		ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	ck_assert_uint_eq(nand->erases, erases + 2); /* the flag stays as it is */
	/* The erase left the first pages as they were, and the power went before anything else was written. */
	memcpy(nand->data + NAND_BLOCK, old.data + NAND_BLOCK, NAND_BLOCK / 4);
	memset(nand->data + NAND_BLOCK + NAND_BLOCK / 4, 0xFF, NAND_BLOCK - NAND_BLOCK / 4);
	ck_assert(!attempts(nand).ended);
	ck_assert_uint_eq(attempts(nand).begun, 0);
	erases = nand->erases;
	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	ck_assert_uint_gt(nand->erases, erases); /* nor is a page of such a block trusted */
	ck_assert_uint_eq(attempts(nand).begun, 1);
	ck_assert(is_armed(misc));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Two blocks: whatever becomes of the erase and of the first record behind it, nothing is lost, and the flag stays. */
START_TEST(test_count_outlives_erase)
{
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand);
	unsigned erases;

	ck_assert_int_eq(arm(misc), 0);
	erases = nand->erases;
	for (unsigned begun = 0; nand->erases < erases + 3; begun++) {
		for (unsigned cut = 1; cut <= 2; cut++) {
			struct nand *torn = nand_copy(nand);
			struct misc *other = open_misc(torn);
			unsigned found;

			torn->cut_at = cut;
			(void)begin_attempt(other, 0, 0);
			torn->cut_at = 0;
			misc_close(other);
			found = attempts(torn).begun;
			ck_assert(found == begun || found == begun + 1);
			ck_assert_mem_eq(torn->data, nand->data, NAND_BLOCK);
			other = open_misc(torn);
			ck_assert_int_eq(begin_attempt(other, 0, 0), 0);
			ck_assert_uint_eq(attempts(torn).begun, found + 1);
			misc_close(other);
			nand_free(torn);
		}
		ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
		ck_assert_uint_eq(attempts(nand).begun, begun + 1);
	}
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* A block of the journal that fails is marked bad, and the newest record is never in it. */
START_TEST(test_journal_block_fails)
{
	struct nand *nand = nand_new(5);
	struct misc *misc = open_misc(nand);
	unsigned begun = 0;

	ck_assert_int_eq(arm(misc), 0);
	for (unsigned worn = 1; worn <= 2; worn++) {
		nand->worn[worn] = true;
		for (unsigned i = 0; i < 3 * NAND_PAGES; i++) {
			ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
			ck_assert_uint_eq(attempts(nand).begun, ++begun);
		}
		ck_assert(nand->bad[worn]);
		ck_assert(is_armed(misc));
	}
	misc_close(misc);
	nand_free(nand);
}
END_TEST

START_TEST(test_worn_pages)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);

	nand->fail_program = 3; /* three pages that take nothing are passed over */
	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	ck_assert_uint_eq(attempts(nand).begun, 1);
	nand->fail_program = 1000;
	ck_assert_int_lt(begin_attempt(misc, 0, 0), 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Every single flipped bit of a record makes it not there, every truncation too; the one before it counts. */
START_TEST(test_flipped_bits)
{
	enum { LENGTH = 1008 };
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	uint8_t *record = nand->data + NAND_BLOCK + NAND_PAGE;

	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	ck_assert_uint_eq(attempts(nand).begun, 2);
	for (unsigned bit = 0; bit < LENGTH * 8; bit++) {
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_uint_eq(attempts(nand).begun, 1);
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned length = 0; length < LENGTH; length++) {
		uint8_t saved[LENGTH];

		memcpy(saved, record, sizeof(saved));
		memset(record + length, 0xFF, sizeof(saved) - length);
		ck_assert_uint_eq(attempts(nand).begun, 1);
		memcpy(record, saved, sizeof(saved));
	}
	misc_close(misc);
	nand_free(nand);
}
END_TEST

START_TEST(test_garbage)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);

	for (size_t i = 0; i < NAND_BLOCK; i++)
		nand->data[NAND_BLOCK + i] = (uint8_t)(i * 37 + i / 13);
	memset(nand->programmed, 1, sizeof(nand->programmed));
	ck_assert_uint_eq(attempts(nand).begun, 0);
	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	ck_assert_uint_eq(attempts(nand).begun, 1);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

TCase *journal_tests(void)
{
	TCase *tests = tcase_create("journal");

	tcase_add_loop_test(tests, test_counting, 1, 4);
	tcase_add_test(tests, test_stalling);
	tcase_add_test(tests, test_another_upgrade);
	tcase_add_loop_test(tests, test_recall, 1, 3);
	tcase_add_loop_test(tests, test_full, 2, 4);
	tcase_add_test(tests, test_full_beside_flag);
	tcase_add_test(tests, test_wear);
	tcase_add_loop_test(tests, test_cut_counting, 1, 4);
	tcase_add_test(tests, test_old_records_come_back);
	tcase_add_loop_test(tests, test_count_outlives_erase, 3, 5);
	tcase_add_test(tests, test_journal_block_fails);
	tcase_add_test(tests, test_worn_pages);
	tcase_add_test(tests, test_flipped_bits);
	tcase_add_test(tests, test_garbage);
	return tests;
}
