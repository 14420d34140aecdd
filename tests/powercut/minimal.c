/* SPDX-License-Identifier: Apache-2.0 */
/* Reference packages of an upgrade in two parts. */
#include "tests/powercut/reference.h"

#define VERSION_PATH "/etc/quectel-project-version"
#define VERSION_ONE  "Project Name: TEST\nProject Rev : TESTR01\n"
#define VERSION_TWO  "Project Name: TEST\nProject Rev : TESTR02\n"

/* So small that patches and new files of both kinds are in either package. */
#define MAX_PACKAGE 14000

static void make(struct reference *r)
{
	(void)add_changed(r, "rootfs", "/bin/app", 60000, 61000, 110);
	(void)add_changed(r, "rootfs", "/lib/libx.so", 50000, 49000, 111);
	(void)add_new(r, "rootfs", "/lib/new.so", 7000, 112);
	(void)add_new(r, "rootfs", "/lib/other.so", 3000, 113);
	(void)add_directory(r, "rootfs", "/etc/new.d", 0750, 5);
	(void)add_new(r, "rootfs", "/etc/new.d/whole.conf", 4000, 114);
	(void)add_gone(r, "rootfs", "/etc/old.conf", 700, 115);
	(void)add_link(r, "rootfs", "/bin/ls", NULL, "busybox");
	(void)add_texts(r, "rootfs", VERSION_PATH, VERSION_ONE, VERSION_TWO);
	(void)add_changed(r, "boot", NULL, 40000, 41000, 116);
	r->backups = 1;
	bundle_generate_minimal(r, MAX_PACKAGE);
}

void make_minimal(struct reference *r)
{
	add_module(r, 4, LONG_BLOCK);
	make(r);
}

/* Where the result goes with the flag. */
void make_minimal_small_misc(struct reference *r)
{
	add_module(r, 1, LONG_BLOCK);
	make(r);
}
