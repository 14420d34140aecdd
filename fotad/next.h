/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_NEXT_H
#define FOTAD_NEXT_H

/*
 * An upgrade of two packages: recovery has installed the first and left the name of the second, which is to be had
 * where the first one came from. That is kept here, from before a package is armed until nothing follows it.
 */
#include "base/error.h"
#include "fotad/link.h"
#include "storage/storage.h"
#include <stdbool.h>

#define NEXT_PATH        "/usrdata/cache/fota/next_package" /* recovery's */
#define NEXT_SOURCE_PATH "/usrdata/cache/fota/ipth_source.txt"

/* Before arming: what was asked for, and whether it is already the package that recovery asked for. Durable. */
int next_remember(struct storage *storage, const struct link_start *request, struct error *error);

/* Is there a package to be brought? */
bool next_waits(struct storage *storage);

struct next {
	struct link_start request; /* as the first package was asked for, but for the source: "" when it is not known */
	bool was_arming;           /* power went when this very request was about to be armed */
};

/*
 * 1: a package is waited for; 0: none is. Negative, with RESULT_PRECHECK, when nobody can tell where it is to be had,
 * or it is the first one.
 */
int next_find(struct storage *storage, struct next *next, struct error *error);

/* It is armed, or not wanted any more. */
int next_forget(struct storage *storage, struct error *error);

/* Where the first package came from is of no use any more either. */
int next_forget_source(struct storage *storage, struct error *error);

/*
 * The source of a package that lies beside another one: name in the same folder of the module, or of the server, where
 * the query stays away: it was made for the first one. -ENAMETOOLONG, -EINVAL.
 */
int next_resolve(const char *source, const char *name, char resolved[LINK_SOURCE_MAX + 1]);

#endif
