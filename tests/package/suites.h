/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACKAGE_SUITES_H
#define TESTS_PACKAGE_SUITES_H

#include <check.h>

TCase *open_tests(void);      /* structures: what is refused at open */
TCase *name_tests(void);      /* names: the same */
TCase *content_tests(void);   /* what entries yield */
TCase *verify_tests(void);    /* what package_test() finds */
TCase *signature_tests(void); /* who signed it, and is it still that? */
TCase *key_tests(void);       /* whose signature counts */
TCase *next_tests(void);      /* which package follows */
TCase *rollback_tests(void);  /* which package may follow which system */
TCase *crypt_tests(void);     /* encrypted packages */
TCase *crypt_format_tests(void);
TCase *sweep_tests(void); /* every bit of a signed package */

#endif
