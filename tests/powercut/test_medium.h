/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_TEST_MEDIUM_H
#define TESTS_POWERCUT_TEST_MEDIUM_H

#include "tests/powercut/medium.h"

#include <check.h>
#include <setjmp.h>

/*
 * A small module: NAND "misc" of 4 blocks with 8 pages of 512 bytes, volumes "modem" (dynamic) and "firmware" (static)
 * of 4 LEBs of 4096 bytes, the file system "usrdata" of 64 KiB at /usrdata, and the link /cache to /usrdata/cache.
 */
struct bench {
	struct medium *medium;
	unsigned decision; /* for every step from now on */
	unsigned steps;
	char verb[16]; /* of the last step */
	char object[64];
	uint64_t offset;
	uint64_t length;
	unsigned tears;
	jmp_buf power_off;
};

#define ERASE_SIZE  ((size_t)4096)
#define PAGE_SIZE   ((size_t)512)
#define BLOCKS      4u
#define VOLUME_SIZE ((size_t)4 * 4096)
#define FILES_SIZE  ((size_t)64 * 1024)

void bench_setup(void); /* checked fixture: makes *bench */
void bench_teardown(void);
struct bench *bench_get(void);
void bench_mount(void);                                  /* /usrdata, after a crash */
void bench_crash(enum survival survival, uint64_t seed); /* and mount again */

/* Run one operation that is cut as decided: the statement does not come to its end. */
#define CUT(how, statement)                                                                                            \
	do {                                                                                                           \
		bench_get()->decision = (how);                                                                         \
		if (setjmp(bench_get()->power_off) == 0) {                                                             \
			(void)(statement);                                                                             \
			ck_abort_msg("was not cut");                                                                   \
		}                                                                                                      \
		bench_get()->decision = CUT_NONE;                                                                      \
	} while (0)

int open_as(const char *path, enum storage_open_mode mode); /* of the module; must work */
void shut(int handle);
void write_text(const char *path, const char *text); /* created, nothing synced */
void append_text(const char *path, const char *text);
void sync_file(const char *path);
void sync_directory(const char *path);
void put_text(const char *path, const char *text); /* written and synced in every way */
bool has_text(const char *path, const char *text); /* a file that programs see */
bool is_missing(const char *path);
uint32_t mode_of(const char *path);

Suite *suite_nand(void);
Suite *suite_volume(void);
Suite *suite_files(void);
Suite *suite_crash(void);
Suite *suite_settle(void);
Suite *suite_storage(void);
Suite *suite_units(void);

#endif
