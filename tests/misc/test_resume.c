/* SPDX-License-Identifier: Apache-2.0 */
/* An upgrade whose message was lost, and the normal system that brings it back. */
#include "nand.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND_PATH "/cache/recovery/command"
#define ARGUMENTS    "recovery\n" MISC_DEFAULT_ARGUMENT "\n"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT};

static struct misc *open_misc(struct storage *storage)
{
	struct misc *misc;

	ck_assert_int_eq(misc_open(storage, "misc", &misc, NULL), 0);
	return misc;
}

static struct misc_message read_message(struct misc *misc)
{
	struct misc_message message;

	ck_assert_int_eq(misc_read_message(misc, &message, NULL), 0);
	return message;
}

static bool resume(struct storage *storage)
{
	struct misc *misc = open_misc(storage);
	bool armed;

	ck_assert_int_eq(misc_resume(misc, storage, COMMAND_PATH, &armed, NULL), 0);
	misc_close(misc);
	return armed;
}

static bool is_armed(struct storage *storage)
{
	struct misc *misc = open_misc(storage);
	struct misc_message message = read_message(misc);

	misc_close(misc);
	return misc_is_armed(&message);
}

/* Power went between erase and program of the message's block. */
static void lose_message(struct nand *nand)
{
	memset(nand->data, 0xFF, NAND_BLOCK);
	memset(nand->programmed, 0, NAND_PAGES * sizeof(nand->programmed[0]));
}

/* How far an upgrade is. */
enum stage { ARMED, BEGUN, FAILED, ENDED, STAGES };

static void bring_to(struct misc *misc, enum stage stage)
{
	struct misc_message armed;

	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	armed = read_message(misc);
	if (stage >= BEGUN)
		ck_assert_int_eq(misc_attempt_begin(misc, &armed, 5, 0, NULL), 0);
	if (stage >= FAILED)
		ck_assert_int_eq(misc_attempt_failed(misc, 510, "", NULL), 0);
	if (stage >= ENDED)
		ck_assert_int_eq(misc_upgrade_ended(misc, 510, "", NULL), 0);
}

START_TEST(test_lost_message)
{
	for (enum stage stage = ARMED; stage < STAGES; stage++) {
		struct nand *nand = nand_new((unsigned)_i);
		struct misc *misc = open_misc(nand->storage);
		struct misc_attempts before;
		struct misc_attempts after;

		bring_to(misc, stage);
		ck_assert_int_eq(misc_attempts_read(misc, 0, &before, NULL), 0);
		ck_assert(!resume(nand->storage)); /* nothing is lost yet */
		lose_message(nand);
		ck_assert(resume(nand->storage));
		ck_assert_str_eq(read_message(misc).recovery, ARGUMENTS);
		ck_assert(is_armed(nand->storage));
		ck_assert_int_eq(misc_attempts_read(misc, 0, &after, NULL), 0);
		ck_assert_mem_eq(&after, &before, sizeof(after));
		misc_close(misc);
		nand_free(nand);
	}
}
END_TEST

/* The page reads well at one time and not at another: it was there for us, but not for the bootloader. */
START_TEST(test_unsound_message)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand->storage);

	bring_to(misc, BEGUN);
	nand->torn[1] = true;
	ck_assert(!is_armed(nand->storage));
	ck_assert(resume(nand->storage));
	ck_assert(!nand->torn[1]);
	ck_assert(is_armed(nand->storage));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* The same with nothing pending: the bootloader must not read an order there some day. */
START_TEST(test_unsound_rest)
{
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand->storage);

	bring_to(misc, ENDED);
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	memcpy(nand->data + NAND_PAGE, MISC_BOOT_RECOVERY, sizeof(MISC_BOOT_RECOVERY));
	nand->torn[1] = true;
	ck_assert(!resume(nand->storage));
	ck_assert(!nand->torn[1]);
	ck_assert(!is_armed(nand->storage));
	ck_assert_uint_eq(nand->data[NAND_PAGE], 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* LK took the command, and power went before recovery armed it again; whoever armed it knew no journal. */
START_TEST(test_taken_message)
{
	static const struct misc_message taken = {.status = "OKAY", .recovery = ARGUMENTS};
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand->storage);
	struct misc_attempts attempts;

	ck_assert_int_eq(misc_write_message(misc, &taken, NULL), 0);
	ck_assert(misc_is_taken(&taken));
	ck_assert(resume(nand->storage));
	ck_assert(is_armed(nand->storage));
	ck_assert_str_eq(read_message(misc).recovery, ARGUMENTS);
	ck_assert_int_eq(misc_attempts_read(misc, 0, &attempts, NULL), 0);
	ck_assert(attempts.pending);
	ck_assert(!resume(nand->storage));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Nothing is armed, and what else a message says is not ours to change. */
START_TEST(test_nothing_pending)
{
	static const struct misc_message other = {.command = "update-radio", .status = "OKAY"};
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand->storage);
	unsigned changes;

	bring_to(misc, ENDED);
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert_int_eq(misc_write_message(misc, &other, NULL), 0);
	changes = nand->changes;
	ck_assert(!resume(nand->storage));
	ck_assert_uint_eq(nand->changes, changes);
	ck_assert_str_eq(read_message(misc).command, "update-radio");
	misc_close(misc);
	nand_free(nand);
}
END_TEST

typedef int (*change)(struct misc *misc);

static int change_arm(struct misc *misc)
{
	return misc_arm(misc, standard, 1, NULL);
}

static int change_clear(struct misc *misc)
{
	return misc_clear(misc, NULL);
}

static int change_rearm(struct misc *misc)
{
	struct misc_message armed;

	ck_assert_int_eq(misc_make_message(standard, 1, &armed, NULL), 0);
	return misc_rearm(misc, &armed, NULL);
}

/* Power goes at the cut-th change; the normal system starts. Returns false when the change was done before. */
static bool cut_and_resume(struct nand *nand, change what, unsigned cut)
{
	struct misc *misc = open_misc(nand->storage);
	bool done;

	nand->changes = 0;
	nand->cut_at = cut;
	done = what(misc) == 0 && nand->changes < cut;
	misc_close(misc);
	nand->cut_at = 0;
	(void)resume(nand->storage);
	return !done;
}

/* The older bootloader took the command; recovery arms again: whatever is cut, the upgrade goes on. */
START_TEST(test_cut_rearming)
{
	static const struct misc_message taken = {.status = "OKAY", .recovery = ARGUMENTS};
	bool cut = true;

	for (unsigned at = 1; cut; at++) {
		struct nand *nand = nand_new(4);
		struct misc *misc = open_misc(nand->storage);

		bring_to(misc, (enum stage)_i);
		ck_assert_int_eq(misc_write_message(misc, &taken, NULL), 0);
		cut = cut_and_resume(nand, change_rearm, at);
		ck_assert(is_armed(nand->storage));
		misc_close(misc);
		nand_free(nand);
		ck_assert_uint_lt(at, 50);
	}
}
END_TEST

/* Arming again while an upgrade is armed never loses both. */
START_TEST(test_cut_arming_again)
{
	bool cut = true;

	for (unsigned at = 1; cut; at++) {
		struct nand *nand = nand_new((unsigned)_i);
		struct misc *misc = open_misc(nand->storage);

		for (unsigned records = 0; records < at % NAND_PAGES; records++)
			ck_assert_int_eq(begin_attempt(misc, 0, 0), 0); /* the journal is at its end in some rounds */
		bring_to(misc, BEGUN);
		cut = cut_and_resume(nand, change_arm, at);
		ck_assert(is_armed(nand->storage));
		misc_close(misc);
		nand_free(nand);
		ck_assert_uint_lt(at, 200);
	}
}
END_TEST

/* Clearing that was cut short ends in the next boot, and never begins the upgrade again once the message is gone. */
START_TEST(test_cut_clearing)
{
	bool cut = true;

	for (unsigned at = 1; cut; at++) {
		struct nand *nand = nand_new((unsigned)_i);
		struct misc *misc = open_misc(nand->storage);
		struct misc_attempts attempts;

		bring_to(misc, ENDED);
		cut = cut_and_resume(nand, change_clear, at);
		if (is_armed(nand->storage)) {
			ck_assert_int_eq(misc_attempts_read(misc, 0, &attempts, NULL), 0);
			ck_assert(attempts.ended || attempts.closed);
			ck_assert_int_eq(misc_clear(misc, NULL), 0);
		}
		ck_assert(!is_armed(nand->storage));
		ck_assert(!resume(nand->storage));
		ck_assert_int_eq(misc_attempts_read(misc, 0, &attempts, NULL), 0);
		ck_assert(!attempts.pending && !attempts.closed);
		misc_close(misc);
		nand_free(nand);
		ck_assert_uint_lt(at, 50);
	}
}
END_TEST

/* ---- The command file, where the journal cannot know ---- */

static struct storage *directory_storage(char *root, size_t misc_size)
{
	static const char blank[8192];
	struct storage *storage;

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(storage_open_linux(root, NULL, NULL, &storage, NULL), 0);
	ck_assert_int_eq(storage_save(storage, "/dev/misc", blank, misc_size, 0644, NULL), 0);
	return storage;
}

static void remove_directory(const char *root)
{
	struct storage *storage;

	ck_assert_int_eq(storage_open_linux(NULL, NULL, NULL, &storage, NULL), 0);
	ck_assert_int_eq(storage_remove_tree(storage, root, NULL), 0);
	storage_close(storage);
}

START_TEST(test_command_file)
{
	static const char text[] = MISC_DEFAULT_ARGUMENT "\r\n\n--send_intent=x\n";
	char root[] = "/tmp/misc-resume-XXXXXX";
	struct storage *storage = directory_storage(root, _i ? 8192 : 2048); /* with and without a journal */
	struct misc *misc = open_misc(storage);

	ck_assert(!resume(storage));
	ck_assert_int_eq(storage_save(storage, COMMAND_PATH, text, strlen(text), 0600, NULL), 0);
	ck_assert(resume(storage));
	ck_assert_str_eq(read_message(misc).recovery, ARGUMENTS "--send_intent=x\n");
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	/* A journal that says that nothing is armed is believed. */
	ck_assert_int_eq(resume(storage), _i == 0);
	misc_close(misc);
	storage_close(storage);
	remove_directory(root);
}
END_TEST

/* Where misc cannot bring the message back by itself, the file is there before it, and goes before it. */
START_TEST(test_request)
{
	char root[] = "/tmp/misc-resume-XXXXXX";
	struct storage *storage = directory_storage(root, _i ? 8192 : 2048); /* with and without a journal */
	struct misc *misc = open_misc(storage);
	char *text = NULL;
	size_t size;

	ck_assert_int_eq(misc_request(misc, storage, COMMAND_PATH, NULL, 0, NULL), 0);
	ck_assert(is_armed(storage));
	if (_i == 0) {
		ck_assert_int_eq(storage_load(storage, COMMAND_PATH, 1000, &text, &size, NULL), 0);
		ck_assert_str_eq(text, MISC_DEFAULT_ARGUMENT "\n");
		free(text);
	}
	ck_assert_int_eq(misc_withdraw(misc, storage, COMMAND_PATH, NULL), 0);
	ck_assert(!is_armed(storage));
	ck_assert_int_eq(storage_load(storage, COMMAND_PATH, 1000, &text, &size, NULL), -ENOENT);
	ck_assert(!resume(storage));
	misc_close(misc);
	storage_close(storage);
	remove_directory(root);
}
END_TEST

TCase *resume_tests(void)
{
	TCase *tests = tcase_create("resume");

	tcase_add_loop_test(tests, test_lost_message, 2, 4);
	tcase_add_test(tests, test_unsound_message);
	tcase_add_loop_test(tests, test_unsound_rest, 1, 5);
	tcase_add_loop_test(tests, test_taken_message, 1, 5);
	tcase_add_loop_test(tests, test_nothing_pending, 2, 4);
	tcase_add_loop_test(tests, test_cut_rearming, 0, STAGES);
	tcase_add_loop_test(tests, test_cut_arming_again, 2, 4);
	tcase_add_loop_test(tests, test_cut_clearing, 2, 4);
	tcase_add_loop_test(tests, test_command_file, 0, 2);
	tcase_add_loop_test(tests, test_request, 0, 2);
	return tests;
}
