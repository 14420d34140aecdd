/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader message on its partition: raw NAND and a file. */
#include "misc/misc.h"
#include "nand.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT};

static struct misc *open_misc(struct storage *storage)
{
	struct misc *misc;
	struct error error = {0};

	ck_assert_msg(misc_open(storage, "misc", &misc, &error) == 0, "%s", error.message);
	return misc;
}

static bool armed(struct nand *nand)
{
	struct misc *misc = open_misc(nand->storage);
	struct misc_message message;
	bool result;

	ck_assert_int_eq(misc_read_message(misc, &message, NULL), 0);
	result = misc_is_armed(&message);
	if (result)
		ck_assert_str_eq(message.recovery, "recovery\n" MISC_DEFAULT_ARGUMENT "\n");
	misc_close(misc);
	return result;
}

START_TEST(test_fresh)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand->storage);

	ck_assert(!armed(nand));
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert_uint_eq(nand->changes, 0); /* nothing there, nothing to erase */
	misc_close(misc);
	nand_free(nand);
}
END_TEST

START_TEST(test_arm_and_clear)
{
	unsigned blocks = (unsigned)_i;
	struct nand *nand = nand_new(blocks);
	struct misc *misc = open_misc(nand->storage);
	unsigned erases;

	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert(armed(nand));
	ck_assert_str_eq((const char *)nand->data + NAND_PAGE, "boot-recovery"); /* where the bootloader looks */
	erases = nand->erases;
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	/* The same again costs a page; only a message that helps with the journal's erase is written anew. */
	ck_assert_uint_eq(nand->erases, erases + (blocks == 2));
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert(!armed(nand));
	ck_assert_uint_eq(nand->data[NAND_PAGE], 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Page 0 and what follows the message belong to someone else. */
START_TEST(test_neighbours_stay)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand->storage);

	memset(nand->data, 'a', NAND_PAGE);
	memset(nand->data + 9 * NAND_PAGE, 'b', NAND_PAGE);
	memset(nand->data + NAND_PAGE + sizeof(struct misc_message), 'c', 16);
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert(armed(nand));
	for (size_t i = 0; i < NAND_PAGE; i++) {
		ck_assert_uint_eq(nand->data[i], 'a');
		ck_assert_uint_eq(nand->data[9 * NAND_PAGE + i], 'b');
	}
	ck_assert_uint_eq(nand->data[NAND_PAGE + sizeof(struct misc_message) + 15], 'c');
	ck_assert(!nand->programmed[5]); /* blank pages stay blank */
	misc_close(misc);
	nand_free(nand);
}
END_TEST

START_TEST(test_bad_first_block)
{
	struct nand *nand = nand_new(4);
	struct misc *misc;

	nand->bad[0] = true;
	nand->bad[2] = true;
	misc = open_misc(nand->storage);
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	ck_assert(armed(nand));
	ck_assert_str_eq((const char *)nand->data + NAND_BLOCK + NAND_PAGE, "boot-recovery");
	ck_assert(nand->programmed[3 * NAND_PAGES]); /* the journal's first page: second good block */
	misc_close(misc);
	nand_free(nand);
}
END_TEST

START_TEST(test_all_blocks_bad)
{
	struct nand *nand = nand_new(2);
	struct misc *misc;
	struct error error;

	nand->bad[0] = nand->bad[1] = true;
	ck_assert_int_lt(misc_open(nand->storage, "misc", &misc, &error), 0);
	ck_assert_ptr_null(misc);
	ck_assert_int_eq(misc_open(nand->storage, "nosuch", &misc, &error), -ENOENT);
	nand_free(nand);
}
END_TEST

/* Garbage in the block: not armed, and arming works over it. */
START_TEST(test_garbage)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand->storage);

	for (size_t i = 0; i < sizeof(nand->data); i++)
		nand->data[i] = (uint8_t)(i * 131 + i / 251 + 7);
	memset(nand->programmed, 1, sizeof(nand->programmed));
	ck_assert(!armed(nand));
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert(armed(nand));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* A page of the block that ECC gives up on neither blocks reading nor arming, and its neighbours are kept. */
START_TEST(test_torn_pages)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand->storage);

	memset(nand->data + 4 * NAND_PAGE, 'k', NAND_PAGE);
	nand->programmed[1] = nand->torn[1] = true;
	nand->programmed[3] = nand->torn[3] = true;
	ck_assert(!armed(nand));
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert(armed(nand));
	ck_assert_uint_eq(nand->data[4 * NAND_PAGE + 77], 'k');
	misc_close(misc);
	nand_free(nand);
}
END_TEST

START_TEST(test_flash_errors)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand->storage);
	struct error error = {0};

	nand->fail_erase = 1; /* one is passed over */
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert(armed(nand));
	nand->fail_program = 1;
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert(!armed(nand));
	for (int i = 0; i < NAND_BLOCKS; i++)
		nand->worn[i] = true;
	ck_assert_int_lt(misc_arm(misc, standard, 1, &error), 0); /* has a name */
	ck_assert_ptr_nonnull(strstr(error.message, "misc"));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/*
 * A block that went bad is marked, and the bootloader finds the message in the next good one; the journal keeps what it
 * knows. _i: the blocks that are worn, a bit each.
 */
START_TEST(test_worn_blocks)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand->storage);
	struct misc_attempts attempts;
	unsigned first = 0;

	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert_int_eq(begin_attempt(misc, 3, 40), 0);
	for (unsigned i = 0; i < NAND_BLOCKS; i++)
		nand->worn[i] = (unsigned)_i >> i & 1;
	ck_assert_int_eq(misc_upgrade_ended(misc, 510, "why", NULL), 0);
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert(!armed(nand));
	ck_assert_int_eq(misc_attempts_read(misc, 0, &attempts, NULL), 0);
	ck_assert(!attempts.pending && !attempts.closed);
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	misc_close(misc);
	misc = open_misc(nand->storage);
	ck_assert_int_eq(misc_attempts_read(misc, 0, &attempts, NULL), 0);
	ck_assert(attempts.pending);
	ck_assert(armed(nand));
	while (nand->bad[first])
		first++;
	ck_assert_str_eq((const char *)nand->data + first * NAND_BLOCK + NAND_PAGE, "boot-recovery");
	for (unsigned i = 0; i < NAND_BLOCKS; i++)
		ck_assert(!nand->bad[i] || nand->worn[i]);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* The last block fails while the flag is armed in it: without it the bootloader finds no flag, and the module lives. */
START_TEST(test_last_block_worn)
{
	struct nand *nand = nand_new(1);
	struct misc *misc = open_misc(nand->storage);

	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	nand->worn[0] = true;
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert(nand->bad[0]);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Power goes at every change of leaving the flag's block: the upgrade stays armed, or comes back. */
START_TEST(test_cut_leaving_block)
{
	bool cut = true;

	for (unsigned at = 1; cut; at++) {
		static const struct misc_message taken = {.status = "OKAY"};
		struct nand *nand = nand_new(4);
		struct misc *misc = open_misc(nand->storage);
		bool again;

		ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
		nand->worn[0] = true;
		nand->changes = 0;
		nand->cut_at = at;
		cut = misc_write_message(misc, &taken, NULL) < 0 || nand->changes >= at;
		misc_close(misc);
		nand->cut_at = 0;
		misc = open_misc(nand->storage);
		ck_assert_int_eq(misc_resume(misc, nand->storage, "/command", &again, NULL), 0);
		ck_assert(armed(nand));
		misc_close(misc);
		nand_free(nand);
		ck_assert_uint_lt(at, 100);
	}
}
END_TEST

/* Power goes at every change of arming: then it is armed with exactly the arguments, or not armed at all. */
START_TEST(test_cut_arming)
{
	unsigned blocks = (unsigned)_i;
	struct nand *start = nand_new(blocks);
	struct misc *misc = open_misc(start->storage);
	bool done = false;

	memset(start->data, 'p', NAND_PAGE);
	start->programmed[0] = true;
	ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
	misc_close(misc);
	for (unsigned cut = 1; !done; cut++) {
		struct nand *nand = nand_copy(start);

		nand->cut_at = cut;
		misc = open_misc(nand->storage);
		done = misc_arm(misc, standard, 1, NULL) == 0 && nand->changes < cut;
		misc_close(misc);
		nand->cut_at = 0;
		ck_assert_int_eq(armed(nand) || !done, 1);
		misc = open_misc(nand->storage);
		ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
		ck_assert(armed(nand));
		misc_close(misc);
		nand_free(nand);
		ck_assert_uint_lt(cut, 50);
	}
	nand_free(start);
}
END_TEST

/* ---- On a file that stands for the partition ---- */

static struct storage *file_storage(const char *root, size_t size)
{
	char path[256];
	struct storage *storage;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/dev", root);
	ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof(path), "%s/dev/misc", root);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(storage_open_linux(root, NULL, NULL, &storage, NULL), 0);
	return storage;
}

static void remove_root(const char *root)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/dev/misc", root);
	ck_assert_int_eq(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/dev", root);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(root), 0);
}

START_TEST(test_file)
{
	char root[] = "/tmp/misc-test-XXXXXX";
	struct storage *storage;
	struct misc *misc;
	struct misc_message message;
	struct misc_attempts attempts;

	ck_assert_ptr_nonnull(mkdtemp(root));
	storage = file_storage(root, 65536);
	misc = open_misc(storage);
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	for (unsigned i = 1; i <= 200; i++) { /* several times around the ring */
		ck_assert_int_eq(begin_attempt(misc, 0, 0), 0);
		misc_close(misc);
		misc = open_misc(storage);
		ck_assert_int_eq(misc_attempts_read(misc, 0, &attempts, NULL), 0);
		ck_assert_uint_eq(attempts.begun, i);
	}
	ck_assert_int_eq(misc_read_message(misc, &message, NULL), 0);
	ck_assert(misc_is_armed(&message));
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	ck_assert_int_eq(misc_read_message(misc, &message, NULL), 0);
	ck_assert(!misc_is_armed(&message));
	ck_assert_int_eq(misc_attempts_read(misc, 0, &attempts, NULL), 0);
	ck_assert_uint_eq(attempts.begun, 0);
	misc_close(misc);
	storage_close(storage);
	remove_root(root);
}
END_TEST

/* A partition for the message alone: it arms and clears, but does not count. */
START_TEST(test_small_file)
{
	char root[] = "/tmp/misc-test-XXXXXX";
	struct storage *storage;
	struct misc *misc;

	ck_assert_ptr_nonnull(mkdtemp(root));
	storage = file_storage(root, sizeof(struct misc_message));
	misc = open_misc(storage);
	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	ck_assert_int_eq(begin_attempt(misc, 0, 0), -ENOSPC);
	ck_assert_int_eq(misc_clear(misc, NULL), 0);
	misc_close(misc);
	storage_close(storage);
	storage = file_storage(root, sizeof(struct misc_message) - 1);
	ck_assert_int_eq(misc_open(storage, "misc", &misc, NULL), -EINVAL);
	storage_close(storage);
	remove_root(root);
}
END_TEST

TCase *partition_tests(void)
{
	TCase *tests = tcase_create("partition");

	tcase_add_test(tests, test_fresh);
	tcase_add_loop_test(tests, test_arm_and_clear, 1, 4);
	tcase_add_test(tests, test_neighbours_stay);
	tcase_add_test(tests, test_bad_first_block);
	tcase_add_test(tests, test_all_blocks_bad);
	tcase_add_test(tests, test_garbage);
	tcase_add_test(tests, test_torn_pages);
	tcase_add_test(tests, test_flash_errors);
	tcase_add_loop_test(tests, test_worn_blocks, 0, 4);
	tcase_add_test(tests, test_last_block_worn);
	tcase_add_test(tests, test_cut_leaving_block);
	tcase_add_loop_test(tests, test_cut_arming, 1, 3);
	tcase_add_test(tests, test_file);
	tcase_add_test(tests, test_small_file);
	return tests;
}
