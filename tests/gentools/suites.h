/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GENTOOLS_SUITES_H
#define TESTS_GENTOOLS_SUITES_H

#include <check.h>

TCase *app_tests(void);           /* update_gen app */
TCase *change_tests(void);        /* what the package does about each difference */
TCase *chain_tests(void);         /* update_gen plan */
TCase *delta_tests(void);         /* which format a patch has */
TCase *delta_command_tests(void); /* delta make, apply, info */
TCase *encrypt_tests(void);       /* who can read it */
TCase *front_tests(void);         /* update_gen.sh */
TCase *full_tests(void);          /* packages for any version */
TCase *hardlink_tests(void);      /* files of several names */
TCase *image_tests(void);         /* SYSTEM as images of file systems */
TCase *damaged_image_tests(void);
TCase *input_tests(void);    /* wrong inputs, determinism */
TCase *list_tests(void);     /* what the lists' lines mean */
TCase *listed_tests(void);   /* what the lists do to a package */
TCase *minimal_tests(void);  /* upgrades of two packages */
TCase *needs_tests(void);    /* what it asks of a module, and limits for that */
TCase *move_tests(void);     /* new files made of old ones */
TCase *option_tests(void);   /* what each option does */
TCase *program_tests(void);  /* update_gen's command line */
TCase *rollback_tests(void); /* which index it carries */
TCase *sign_tests(void);     /* whose it is */
TCase *unit_tests(void);     /* images changed in place */
TCase *verify_tests(void);   /* packages tried out on a model of the module */
TCase *volume_tests(void);   /* squashfs images changed as a whole */

#endif
