/* SPDX-License-Identifier: Apache-2.0 */
/* The journal by itself: what it vouches for, what makes it forget, and what damage to it can do. */
#include "world.h"

#include "tests/package/craft.h"
#include "updater/journal.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PART_SIZE 200000
#define UNSEEN    70000 /* an offset in a partition that no sample covers */

static struct world w;
static struct craft zip;
static struct package *package;
static char log_text[4096];
static const struct storage_name file = {.kind = STORAGE_FILE, .name = "/system/app"};
static const struct storage_name part = {.kind = STORAGE_MTD, .name = "part"};
static const struct storage_name other_part = {.kind = STORAGE_MTD, .name = "other"};
static struct digest_value content[2]; /* what contents are called here: the journal reads none */

static void log_line(void *ctx, const char *text)
{
	size_t used = strlen(log_text);

	(void)ctx;
	(void)snprintf(log_text + used, sizeof(log_text) - used, "%s\n", text);
}

static const struct log journal_log = {.line = log_line};

static void put_part(const char *path, char fill, char unseen)
{
	char *image = malloc(PART_SIZE);

	ck_assert_ptr_nonnull(image);
	memset(image, fill, PART_SIZE);
	image[UNSEEN] = unseen;
	world_put(&w, path, image, PART_SIZE);
	free(image);
}

static void setup(void)
{
	world_start(&w);
	craft_sample(&zip);
	package = open_package(&zip.reader);
	world_put_text(&w, "/system/app", "content");
	put_part("/dev/part", 'x', 'x');
	put_part("/dev/other", 'x', 'x');
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(digest_parse(&content[i], sha1_of(&i, sizeof(i))), 0);
	log_text[0] = '\0';
}

static void teardown(void)
{
	package_close(package);
	craft_free(&zip);
	world_end(&w);
}

static struct journal *open_journal(bool resume)
{
	struct journal *journal = journal_open(w.storage, package, resume, &journal_log);

	ck_assert_ptr_nonnull(journal);
	return journal;
}

static bool vouches(struct journal *journal, const struct storage_name *name, unsigned i)
{
	const struct digest_value *wanted = &content[i];
	uint64_t size;

	return journal_vouches(journal, name, &wanted, 1, &size);
}

/* The file with content 0, both partitions with content 1. */
static struct journal *record_all(void)
{
	struct journal *journal = open_journal(false);

	journal_begin(journal);
	journal_record(journal, &file, &content[0], strlen("content"));
	journal_record(journal, &part, &content[1], PART_SIZE);
	journal_record(journal, &other_part, &content[1], PART_SIZE);
	return journal;
}

static struct journal *reopen(struct journal *journal)
{
	journal_close(journal);
	return open_journal(true);
}

START_TEST(test_vouches)
{
	const struct digest_value *both[] = {&content[1], &content[0]};
	const struct storage_name relative = {.kind = STORAGE_FILE, .name = "system/app"};
	const struct storage_name as_volume = {.kind = STORAGE_UBI, .name = "part"};
	const struct storage_name as_file = {.kind = STORAGE_FILE, .name = "part"};
	struct journal *journal = record_all();
	uint64_t size = 0;

	for (unsigned again = 0; again < 2; again++) {
		ck_assert(vouches(journal, &file, 0));
		ck_assert(vouches(journal, &relative, 0));
		ck_assert(!vouches(journal, &file, 1));
		ck_assert(vouches(journal, &part, 1));
		ck_assert(!vouches(journal, &part, 0));
		ck_assert(!vouches(journal, &as_file, 1));
		ck_assert(journal_vouches(journal, &file, both, 2, &size));
		ck_assert_uint_eq(size, strlen("content"));
		ck_assert(journal_vouches(journal, &part, both, 2, &size));
		ck_assert_uint_eq(size, PART_SIZE);
		ck_assert(!journal_vouches(journal, &part, both, 0, &size));
		journal = reopen(journal);
	}
	/* The type in front of a name says only where to look first. */
	journal_begin_write(journal, &as_volume);
	ck_assert(!vouches(journal, &part, 1));
	journal_close(journal);
}
END_TEST

START_TEST(test_nothing_before_the_beginning)
{
	struct journal *journal = open_journal(false);

	journal_record(journal, &file, &content[0], strlen("content"));
	ck_assert(!vouches(journal, &file, 0));
	journal = reopen(journal);
	ck_assert(!world_exists(&w, UPDATER_JOURNAL));
	journal_begin(journal);
	ck_assert(world_exists(&w, UPDATER_JOURNAL));
	ck_assert(!vouches(journal, &file, 0));
	journal_close(journal);
	journal_close(open_journal(false));
	ck_assert(!world_exists(&w, UPDATER_JOURNAL));
}
END_TEST

START_TEST(test_other_package)
{
	struct journal *journal;

	journal_close(record_all());
	package_close(package);
	zip.bytes[zip.record[0] + 16] ^= 1; /* CRC-32 of its first entry, in the directory ... */
	zip.bytes[zip.local[0] + 14] ^= 1;  /* ... and in front of the data */
	package = open_package(&zip.reader);
	journal = open_journal(true);
	ck_assert(!vouches(journal, &file, 0));
	ck_assert(!vouches(journal, &part, 1));
	journal_begin(journal);
	journal_record(journal, &part, &content[0], PART_SIZE);
	journal = reopen(journal);
	ck_assert(vouches(journal, &part, 0));
	ck_assert(!vouches(journal, &file, 0));
	journal_close(journal);
}
END_TEST

/* ---- Evidence ---- */

static void set_modified(const struct timespec *time)
{
	const struct timespec times[2] = {*time, *time};
	char real[512];

	ck_assert_int_eq(utimensat(AT_FDCWD, world_path(&w, file.name, real), times, 0), 0);
}

START_TEST(test_evidence_of_files)
{
	struct journal *journal = record_all();
	struct stat before;
	char real[512];

	ck_assert_int_eq(stat(world_path(&w, file.name, real), &before), 0);
	ck_assert_int_eq(chmod(real, 0700), 0);
	ck_assert(vouches(journal, &file, 0));
	/* Written in place, as no function of ours does it. */
	world_put_text(&w, file.name, "CONTENT");
	ck_assert(!vouches(journal, &file, 0));
	set_modified(&before.st_mtim);
	ck_assert(vouches(journal, &file, 0)); /* that is all the evidence there is */
	world_put_text(&w, file.name, "CONTENT!");
	set_modified(&before.st_mtim);
	ck_assert(!vouches(journal, &file, 0));
	world_put_text(&w, "/system/new", "content");
	ck_assert_int_eq(storage_rename(w.storage, "/system/new", file.name, NULL), 0);
	set_modified(&before.st_mtim);
	ck_assert(!vouches(journal, &file, 0));
	ck_assert_int_eq(storage_remove(w.storage, file.name, NULL), 0);
	ck_assert(!vouches(journal, &file, 0));
	world_put_text(&w, "/system/new", "content");
	ck_assert_int_eq(storage_make_symlink(w.storage, "new", file.name, NULL), 0);
	journal_record(journal, &file, &content[1], strlen("content"));
	ck_assert(!vouches(journal, &file, 1));
	journal_close(journal);
}
END_TEST

START_TEST(test_evidence_of_partitions)
{
	static const int seen[] = {0, 4095, 131072, 135167, PART_SIZE - 4096, PART_SIZE - 1};
	struct journal *journal = record_all();
	char *image;
	size_t size;

	image = world_get(&w, "/dev/part", &size);
	for (unsigned i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		image[seen[i]] ^= 1;
		world_put(&w, "/dev/part", image, size);
		ck_assert(!vouches(journal, &part, 1));
		image[seen[i]] ^= 1;
		world_put(&w, "/dev/part", image, size);
		ck_assert(vouches(journal, &part, 1));
	}
	world_put(&w, "/dev/part", image, size - 1);
	ck_assert(!vouches(journal, &part, 1));
	free(image);
	journal_close(journal);
}
END_TEST

/* A write that was cut may have left just the samples as they were recorded. */
START_TEST(test_partition_is_forgotten_before_its_change)
{
	const struct storage_name device = {.kind = STORAGE_BLOCK, .name = "/dev/other"};
	struct journal *journal = record_all();

	put_part("/dev/part", 'x', 'y');
	ck_assert(vouches(journal, &part, 1));
	journal_begin_write(journal, &part);
	w.cut_at = w.steps; /* forgotten durably, whatever happens now */
	journal = reopen(journal);
	w.cut_at = 0;
	ck_assert(!vouches(journal, &part, 1));
	ck_assert(vouches(journal, &other_part, 1));
	ck_assert(vouches(journal, &file, 0));
	/* A device may be any of the partitions. */
	journal_record(journal, &part, &content[1], PART_SIZE);
	journal_begin_write(journal, &device);
	journal = reopen(journal);
	ck_assert(!vouches(journal, &part, 1));
	ck_assert(!vouches(journal, &other_part, 1));
	ck_assert(vouches(journal, &file, 0));
	journal_record(journal, &device, &content[1], PART_SIZE);
	ck_assert(!vouches(journal, &device, 1));
	journal_record(journal, &part, &content[1], PART_SIZE);
	journal_forget_partitions(journal);
	journal = reopen(journal);
	ck_assert(!vouches(journal, &part, 1));
	journal_close(journal);
}
END_TEST

START_TEST(test_interrupted_write)
{
	struct journal *journal = record_all();

	ck_assert(!journal_is_interrupted(journal, &part));
	journal_begin_write(journal, &part);
	journal_begin_write(journal, &file);
	ck_assert(journal_is_interrupted(journal, &part));
	journal = reopen(journal);
	ck_assert(journal_is_interrupted(journal, &part));
	ck_assert(!journal_is_interrupted(journal, &other_part));
	ck_assert(!journal_is_interrupted(journal, &file));
	journal_record(journal, &part, &content[1], PART_SIZE);
	ck_assert(!journal_is_interrupted(journal, &part));
	ck_assert(vouches(journal, &part, 1));
	journal = reopen(journal);
	ck_assert(!journal_is_interrupted(journal, &part));
	ck_assert(vouches(journal, &part, 1));
	journal_close(journal);
}
END_TEST

/* What it cannot take back it must not go on saying. */
START_TEST(test_full_while_forgetting)
{
	struct journal *journal = record_all();

	w.full_journal = true;
	put_part("/dev/part", 'x', 'y');
	journal_begin_write(journal, &part);
	w.full_journal = false;
	journal = reopen(journal);
	ck_assert(!vouches(journal, &part, 1));
	journal_close(journal);
}
END_TEST

/* ---- Damage ---- */

static void expect_no_wrong_word(const char *text, size_t size)
{
	struct journal *journal;

	world_put(&w, UPDATER_JOURNAL, text, size);
	journal = open_journal(true);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_msg(!vouches(journal, &file, i), "%s", text);
		ck_assert_msg(!vouches(journal, &part, i), "%s", text);
	}
	(void)vouches(journal, &other_part, 1);
	ck_assert(!vouches(journal, &other_part, 0));
	journal_close(journal);
}

/* A file whose content is another one by now, a partition whose change was begun, and one that is untouched. */
static char *small_journal(size_t *size)
{
	struct journal *journal = record_all();

	journal_begin_write(journal, &part);
	journal_close(journal);
	world_put_text(&w, file.name, "CONTENT");
	return world_get(&w, UPDATER_JOURNAL, size);
}

START_TEST(test_flipped_bits)
{
	size_t size;
	char *text = small_journal(&size);

	put_part("/dev/part", 'x', 'y'); /* the samples still hold */
	for (size_t i = 0; i < size * 8; i++) {
		text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
		expect_no_wrong_word(text, size);
		text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
	}
	free(text);
}
END_TEST

START_TEST(test_torn_journal)
{
	size_t size;
	char *text = small_journal(&size);

	put_part("/dev/part", 'z', 'z');
	for (size_t left = 0; left < size; left++) {
		expect_no_wrong_word(text, left);
		/* What is recorded behind the torn line counts. */
		struct journal *journal = open_journal(true);
		journal_begin(journal);
		journal_record(journal, &file, &content[1], strlen("CONTENT"));
		journal_record(journal, &part, &content[0], PART_SIZE);
		journal = reopen(journal);
		ck_assert(vouches(journal, &file, 1));
		ck_assert(vouches(journal, &part, 0));
		journal_close(journal);
	}
	free(text);
}
END_TEST

START_TEST(test_foreign_content)
{
	static const char junk[5 << 20] = "J";
	char long_line[5000];
	struct journal *journal;

	memset(long_line, 'F', sizeof(long_line));
	for (size_t size = 0; size < sizeof(long_line); size += 37)
		expect_no_wrong_word(long_line, size);
	world_put(&w, UPDATER_JOURNAL, junk, sizeof(junk));
	log_text[0] = '\0';
	journal = open_journal(true);
	ck_assert_ptr_nonnull(strstr(log_text, "too large"));
	journal_begin(journal);
	journal_record(journal, &file, &content[0], strlen("content"));
	journal_close(journal);
	world_expect(&w, UPDATER_JOURNAL, junk, sizeof(junk));
	ck_assert_int_eq(storage_remove(w.storage, UPDATER_JOURNAL, NULL), 0);
	ck_assert_int_eq(storage_make_directories(w.storage, UPDATER_JOURNAL, 0755, NULL), 0);
	for (int resume = 0; resume < 2; resume++) {
		journal = open_journal(resume);
		journal_begin(journal);
		journal_record(journal, &file, &content[0], strlen("content"));
		ck_assert(!vouches(journal, &file, 0));
		journal_close(journal);
	}
}
END_TEST

/* Many names of one file: "//" and "/." lead nowhere. */
static struct storage_name alias(unsigned i)
{
	struct storage_name name = {.kind = STORAGE_FILE, .name = "/system"};
	char *at = name.name + strlen(name.name);

	for (unsigned bit = 0; bit < 15; bit++)
		at = stpcpy(at, i >> bit & 1 ? "/." : "//");
	(void)stpcpy(at, "/app");
	return name;
}

/* More objects than fit are just not on record. */
START_TEST(test_many_objects)
{
	struct journal *journal = record_all();
	struct storage_name name;
	struct storage_stat stat;

	for (unsigned i = 0; i < 16400; i++) {
		name = alias(i);
		journal_record(journal, &name, &content[0], strlen("content"));
	}
	journal = reopen(journal);
	ck_assert(!vouches(journal, &name, 0));
	name = alias(10000);
	ck_assert(vouches(journal, &name, 0));
	ck_assert(vouches(journal, &part, 1));
	journal_close(journal);
	ck_assert_int_eq(storage_stat_path(w.storage, UPDATER_JOURNAL, &stat), 0);
	ck_assert_uint_lt(stat.size, 1400000);
}
END_TEST

/* Recording for ever ends; what would have to be taken back then is not there any more. */
START_TEST(test_file_does_not_grow_for_ever)
{
	struct journal *journal = record_all();
	struct storage_stat stat;

	for (unsigned i = 0; i < 60000; i++)
		journal_record(journal, &file, &content[i % 2], strlen("content"));
	ck_assert_int_eq(storage_stat_path(w.storage, UPDATER_JOURNAL, &stat), 0);
	ck_assert_uint_le(stat.size, 4 << 20);
	ck_assert_uint_gt(stat.size, 3 << 20);
	journal_begin_write(journal, &part);
	journal = reopen(journal);
	ck_assert(!vouches(journal, &part, 1));
	journal_close(journal);
}
END_TEST

START_TEST(test_null)
{
	const struct digest_value *wanted = &content[0];
	uint64_t size;

	journal_begin(NULL);
	journal_record(NULL, &file, &content[0], 7);
	journal_begin_write(NULL, &part);
	journal_forget_partitions(NULL);
	journal_count(NULL, 1);
	ck_assert(!journal_vouches(NULL, &file, &wanted, 1, &size));
	journal_close(NULL);
}
END_TEST

Suite *suite_journal(void)
{
	Suite *suite = suite_create("journal");
	TCase *tc = tcase_create("journal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_vouches);
	tcase_add_test(tc, test_nothing_before_the_beginning);
	tcase_add_test(tc, test_other_package);
	tcase_add_test(tc, test_evidence_of_files);
	tcase_add_test(tc, test_evidence_of_partitions);
	tcase_add_test(tc, test_partition_is_forgotten_before_its_change);
	tcase_add_test(tc, test_interrupted_write);
	tcase_add_test(tc, test_full_while_forgetting);
	tcase_add_test(tc, test_flipped_bits);
	tcase_add_test(tc, test_torn_journal);
	tcase_add_test(tc, test_foreign_content);
	tcase_add_test(tc, test_many_objects);
	tcase_add_test(tc, test_file_does_not_grow_for_ever);
	tcase_add_test(tc, test_null);
	suite_add_tcase(suite, tc);
	return suite;
}
