/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MAIN_ENCRYPT_H
#define GENTOOLS_MAIN_ENCRYPT_H

/* "update_gen encrypt"; argv[0] is that word. Returns the exit status. */
int main_encrypt(int argc, char **argv);

/* For struct main_option.take; the ctx is a struct recipients, which gets one more. */
int main_take_recipient(void *recipients, const char *name, const char *value);

#endif
