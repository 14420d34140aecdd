/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_APP_H
#define GENTOOLS_APP_H

/*
 * Packages of user files (spec/requirements.md L 86-90), for any firmware version. A folder's content is a release: it
 * goes to PATH.releases/DIGEST, is checked there, and then PATH becomes a symbolic link to it at once; older releases
 * go last. So PATH is the old release or the new one, whenever the power fails. What it starts with must be no
 * directory: a link, or nothing.
 */
#include "base/error.h"
#include "base/log.h"
#include <stdbool.h>
#include <stdint.h>

struct app_options {
	const char *folder;
	const char *path;     /* on the module: absolute, at least two names */
	const char *output;   /* replaced when there is a whole new package that was tried out */
	const char *sign;     /* private key's file, or NULL */
	const char *rollback; /* index that the package carries, a number; NULL: none, which counts as 0 */
	const int64_t *time;  /* of all entries, or NULL (gentools/output.h) */
	bool has_owner;       /* of all objects: */
	uint32_t uid;
	uint32_t gid;
};

/* -EINVAL for a folder or path that cannot be; -ECANCELED and -EILSEQ as of gen_make_package(). */
int app_make_package(const struct app_options *options, const struct log *log, struct error *error);

#endif
