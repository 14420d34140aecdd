/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_STORAGE_HARNESS_H
#define TESTS_STORAGE_HARNESS_H

#include "tests/storage/fake_medium.h"

#include <check.h>

Suite *suite_name(void);
Suite *suite_texts(void);
Suite *suite_writer(void);
Suite *suite_mtd(void);
Suite *suite_ubi(void);
Suite *suite_raw(void);
Suite *suite_units(void);
Suite *suite_units_mtd(void);
Suite *suite_files(void);
Suite *suite_attributes(void);
Suite *suite_tree(void);
Suite *suite_mount(void);
Suite *suite_root(void);

/* A storage over a fresh fake medium; its log goes to remarks. */
struct fixture {
	struct fake_medium *medium;
	struct storage *storage;
	struct error error;
	char remarks[4096];
	struct log log;
};
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture); /* fails when a handle is still open */

struct storage_name named(enum storage_kind kind, const char *text);
void fill(uint8_t *data, size_t length, unsigned seed); /* bytes that repeat nowhere near */
struct digest_value digest_of(const void *data, size_t length, enum digest_kind kind);

/* Write data to name in pieces of `piece` bytes, announce `size`, commit. The first error, or commit's result. */
int replace(struct storage *storage, const struct storage_name *name, const uint8_t *data, size_t length, uint64_t size,
            size_t piece, const struct digest_value *expected, struct error *error);

/* The whole of name must read back as data. */
void assert_content(struct storage *storage, const struct storage_name *name, const uint8_t *data, size_t length);

/* These lines must be in the medium's log in this order (others may lie between); the list ends with NULL. */
void assert_order(const struct fake_medium *medium, const char *const *lines);

#endif
