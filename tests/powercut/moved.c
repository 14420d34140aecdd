/* SPDX-License-Identifier: Apache-2.0 */
/* Reference packages of files that are elsewhere in the new version. */
#include "tests/powercut/reference.h"

#define VERSION_PATH "/etc/quectel-project-version"
#define MODEL_ONE    "Project Rev : one\n"
#define MODEL_TWO    "Project Rev : two\n"

/* Files that move, edited or not, copies of what changes, and of what moves: as update_gen has them for our updaters.
 */
void make_moved_files(struct reference *r)
{
	const struct asset *asset;

	add_module(r, 4, LONG_BLOCK);
	r->native = true;
	(void)add_same(r, "boot", NULL, 20000, 110);
	(void)add_directory(r, "rootfs", "/lib/two", 0755, 111);
	(void)add_moved(r, "rootfs", "/lib/one/a.ko", "/lib/two/a.ko", 20000, 20500, 112);
	asset = add_moved(r, "rootfs", "/lib/one/b.ko", "/lib/two/b.ko", 9000, 9000, 113);
	(void)add_copied(r, asset->origin, "/lib/two/b-like.ko", 9100, 114);
	asset = add_changed(r, "rootfs", "/bin/app", 12000, 12500, 115);
	(void)add_copied(r, asset, "/bin/new/app-like", 11000, 116);
	(void)add_texts(r, "rootfs", VERSION_PATH, MODEL_ONE, MODEL_TWO);
	bundle_generate(r);
	if (r->package_size > 9000)
		reference_die("files that move came whole");
}

/* In so little room that what moves leaves for the backup, too; the package is for updaters of the whole lineage. */
void make_moved_low_space(struct reference *r)
{
	add_module(r, 4, LONG_BLOCK);
	(void)add_same(r, "boot", NULL, 20000, 120);
	(void)add_moved(r, "rootfs", "/lib/x.so.1", "/lib/x.so.2", 50000, 51000, 121);
	(void)add_moved(r, "rootfs", "/lib/y.so.1", "/lib/y.so.2", 40000, 40500, 122);
	(void)add_texts(r, "rootfs", VERSION_PATH, MODEL_ONE, MODEL_TWO);
	make_scarce(r);
	r->backups = 3;
	bundle_generate(r);
	if (r->package_size > 40000)
		reference_die("files that move came whole");
}
