/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_PRIVILEGES_H
#define FOTAD_PRIVILEGES_H

/* How a process of qfotad that reads what strangers send becomes harmless. */
#include "base/error.h"
#include <stddef.h>
#include <sys/types.h>

/*
 * A user by name or number, from /etc/passwd and nowhere else: a static program has no other way to ask. A number that
 * is not listed there is its own group. -ENOENT when there is no such user.
 */
int privileges_find_user(const char *name, uid_t *uid, gid_t *gid);

/*
 * Become that user for good, with these groups besides: no set-user-ID program helps back (no_new_privs), and no other
 * process of the user may look inside. Proves that the way back is closed. Does nothing unless this process is root;
 * root is no user to become: -EINVAL.
 */
int privileges_drop(uid_t uid, gid_t gid, const gid_t *groups, size_t group_count, struct error *error);

/*
 * For a process that needs what it has and nothing more: from here on it starts no other process, writes no byte to a
 * regular file (where its log may be one, too) and leaves no core.
 */
int privileges_limit(struct error *error);

#endif
