/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_REGZIP_H
#define PATCH_REGZIP_H

/*
 * A sink that deflates into another sink, as it is written to, the way GNU gzip does (1.2.4 to 1.13, regular files and
 * full pipes, without --rsyncable), whose output zlib gives with no settings: Linux's build makes its images with
 * `gzip -n -f -9`. It differs from zlib in where blocks end, in how many codes wait for that, and in what it compares
 * at the end of the data.
 */
#include "patch/codec.h"

struct regzip;

/* level: 1 to 9. The sink fills the error itself. */
int regzip_open(struct regzip **regzip, unsigned level, const struct sink *sink, struct error *error);

struct sink regzip_sink(struct regzip *regzip);

int regzip_finish(struct regzip *regzip); /* write out the end of the deflated data */

void regzip_close(struct regzip *regzip); /* tolerates NULL */

uint64_t regzip_memory(void); /* bytes of heap */

#endif
