/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_VIEW_H
#define FOTAD_VIEW_H

/*
 * The running system as recovery will see it, in a mount namespace of its own: nothing that runs sees any of it, and
 * the kernel takes it all down with the last process in it.
 *
 *   /system    the root file system, read-only, without what is mounted over its folders
 *   /usrdata   read-only; /cache leads to /usrdata/cache
 *   others of the fstab, where their volume is mounted now: read-only, because a UBI volume that is mounted for writing
 *              cannot be mounted once more for reading. What is not mounted is left to the updater, as in recovery.
 *   /dev /proc /sys /tmp /res/recovery.fstab, and VIEW_PACKAGE
 *   /bin /lib /lib64 /usr   lead into /system, for an updater that is linked dynamically
 */
#include "base/error.h"

#define VIEW_PACKAGE "/ipth_package.bin"

struct view {
	const char *directory; /* absolute; empty, to be mounted over */
	const char *package;   /* absolute; shown as VIEW_PACKAGE */
	const char *fstab;     /* recovery.fstab, or NULL for the default places */
};

/*
 * Move this process, which has one thread and is there for this alone, into the view; its root is there afterwards. A
 * process in which this failed is good for nothing but to end. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT.
 */
int view_enter(const struct view *view, struct error *error);

#endif
