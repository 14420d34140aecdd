/* SPDX-License-Identifier: Apache-2.0 */
/* The reference packages. */
#include "misc/misc.h"
#include "package/rollback.h"
#include "tests/powercut/reference.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_PATH "/etc/quectel-project-version"
#define MODEL_ONE    "Project Rev : one\n"
#define MODEL_TWO    "Project Rev : two\n"
#define PROP_ONE     "ro.build.fingerprint=module:1/user\nro.product.device=module\n"
#define PROP_TWO     "ro.build.fingerprint=module:2/user\nro.product.device=module\n"
#define FINGERPRINT  "file_getprop(\"/system/build.prop\", \"ro.build.fingerprint\")"

/* ---- Made by update_gen ---- */

static void make_files(struct reference *r)
{
	struct asset *asset;

	add_module(r, 2, BLOCK_SIZE_OF_NAND);
	(void)add_files(r, "modem", UINT64_C(2) << 20, "/system/firmware");
	(void)add_same(r, "boot", NULL, 20000, 1);
	(void)add_same(r, "rootfs", "/firmware/under-the-mount", 10, 12);
	asset = add_changed(r, "rootfs", "/bin/app", 90000, 91000, 2);
	set_attributes(&asset->old, 0755, 0, 0);
	set_attributes(&asset->new, 0755, 0, 0);
	(void)add_changed(r, "rootfs", "/lib/libx.so", 12000, 9000, 3);
	asset = add_same(r, "rootfs", "/bin/service", 2000, 4);
	set_attributes(&asset->new, 0750, 0, 1000);
	(void)add_directory(r, "rootfs", "/etc/new.d", 0750, 5);
	(void)add_new(r, "rootfs", "/etc/new.d/whole.conf", 3000, 6);
	(void)add_gone(r, "rootfs", "/etc/old.conf", 700, 7);
	(void)add_gone(r, "rootfs", "/share/old/a", 700, 8);
	(void)add_gone(r, "rootfs", "/share/old/b", 600, 9);
	(void)add_link(r, "rootfs", "/bin/sh", "bash", "busybox");
	(void)add_link(r, "rootfs", "/bin/ls", NULL, "busybox");
	(void)add_link(r, "rootfs", "/lib/libx.so.1", "libx.so", "libx.so");
	(void)add_texts(r, "rootfs", VERSION_PATH, MODEL_ONE, MODEL_TWO);
	(void)add_texts(r, "rootfs", PACKAGE_ROLLBACK_PATH, "6\n", "7\n");
	(void)add_changed(r, "modem", "/image/modem.b01", 15000, 15100, 10);
	(void)add_same(r, "modem", "/image/modem.b02", 800, 11);
	bundle_generate(r);
}

static void make_boot(struct reference *r)
{
	add_module(r, 1, LONG_BLOCK);
	(void)add_changed(r, "boot", NULL, 40000, 41000, 20);
	(void)add_texts(r, "rootfs", VERSION_PATH, MODEL_ONE, MODEL_ONE);
	r->backups = 1;
	bundle_generate(r);
}

static void make_everything(struct reference *r)
{
	add_module(r, 4, LONG_BLOCK);
	reference_place(r, "misc")->factory_bad = 1;
	reference_place(r, "boot")->factory_bad = 2;
	(void)add_nand(r, "splash", 4);
	(void)add_volume(r, "modem", 3, false);
	(void)add_changed(r, "rootfs", "/bin/app", 30000, 31000, 30);
	(void)add_changed(r, "rootfs", "/lib/libx.so", 9000, 9500, 31);
	(void)add_new(r, "rootfs", "/etc/whole.conf", 900, 32);
	(void)add_gone(r, "rootfs", "/etc/old.conf", 700, 33);
	(void)add_texts(r, "rootfs", VERSION_PATH, MODEL_ONE, MODEL_TWO);
	(void)add_changed(r, "boot", NULL, 40000, 38000, 34);
	(void)add_changed(r, "modem", NULL, 30000, 31000, 35);
	add_changed(r, "splash", NULL, 18000, 17000, 36)->whole = true;
	r->backups = 2;
	bundle_generate(r);
}

/* So little room that no new version fits beside its old one. */
static void make_low_space(struct reference *r)
{
	add_module(r, 4, LONG_BLOCK);
	(void)add_same(r, "boot", NULL, 20000, 40);
	(void)add_changed(r, "rootfs", "/bin/app", 50000, 51000, 41);
	(void)add_changed(r, "rootfs", "/lib/libx.so", 40000, 40500, 42);
	(void)add_texts(r, "rootfs", VERSION_PATH, MODEL_ONE, MODEL_TWO);
	make_scarce(r);
	r->backups = 3; /* the version's file, too: what is left is less than the updater's reserve */
	bundle_generate(r);
}

/* What fotad leaves: the package under a name of its own, beside what earlier downloads left. */
static void make_resumed_download(struct reference *r)
{
	add_module(r, 4, LONG_BLOCK);
	r->package_path = "/usrdata/cache/fota/update.zip";
	r->named = true;
	(void)add_same(r, "usrdata", "/cache/fota/update.zip.part", 5000, 50);
	(void)add_same(r, "usrdata", "/cache/fota/ipth_package.bin", 4000, 51);
	(void)add_changed(r, "rootfs", "/bin/app", 20000, 21000, 52);
	(void)add_changed(r, "boot", NULL, 20000, 20500, 53);
	(void)add_texts(r, "rootfs", VERSION_PATH, MODEL_ONE, MODEL_TWO);
	r->backups = 1;
	bundle_generate(r);
}

/* ---- Scripts ---- */

static void make_modem(struct reference *r)
{
	struct asset *modem, *service;
	struct scripted s;

	add_module(r, 4, LONG_BLOCK);
	(void)add_volume(r, "modem", 8, true);
	(void)add_same(r, "boot", NULL, 20000, 60);
	modem = add_changed(r, "modem", NULL, 80000, 81000, 61);
	service = add_same(r, "rootfs", "/bin/service", 2000, 62);
	set_attributes(&service->new, 0750, 0, 1000);
	r->backups = 1;
	scripted_begin(&s, r);
	scripted_check(&s, modem, "assert(", ");");
	scripted_add(&s, "apply_patch_space(%zu) || abort(\"Not enough free space\");\n", modem->new.size);
	scripted_patch(&s, modem, " || abort(\"modem\");");
	/* No unmounting, which would sync. */
	scripted_add(&s, MOUNT_SYSTEM "set_metadata(\"/system/bin/service\", \"gid\", 1000, \"mode\", 0750);\n");
	scripted_end(&s);
}

static void make_tiny(struct reference *r)
{
	const struct asset *boot;
	const struct asset *file;
	struct scripted s;

	add_module(r, 4, BLOCK_SIZE_OF_NAND);
	reference_place(r, "boot")->blocks = 4;
	file = add_changed(r, "rootfs", "/bin/app", 600, 650, 70);
	boot = add_changed(r, "boot", NULL, 20000, 20500, 71);
	r->backups = 1;
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM);
	scripted_patch(&s, file, " || abort(\"app\");");
	scripted_patch(&s, boot, " || abort(\"boot\");");
	scripted_end(&s);
}

/* ---- As the lineage's generators write (spec/lineage.md 1.4) ---- */

static void add_lineage_module(struct reference *r)
{
	struct asset *asset;

	add_module(r, 4, BLOCK_SIZE_OF_NAND);
	(void)add_changed(r, "rootfs", "/bin/app", 6000, 6100, 80);
	(void)add_changed(r, "boot", NULL, 30000, 31000, 81);
	(void)add_texts(r, "rootfs", "/build.prop", PROP_ONE, PROP_TWO);
	(void)add_gone(r, "rootfs", "/etc/removed.conf", 500, 82);
	asset = add_texts(r, "rootfs", "/etc/replaced.conf", "old\n", "new\n");
	asset->gap = true;
	asset = add_link(r, "rootfs", "/bin/ls", "toolbox", "busybox");
	asset->gap = true;
	(void)add_changed(r, "rootfs", "/lib/old name.so", 4000, 4100, 83);
	(void)add_new(r, "rootfs", "/lib/new name.so", 1, 83);
}

/* One version becomes the other under its old name and moves then. */
static void make_moved(struct reference *r)
{
	struct asset *from = reference_asset(r, "rootfs", "/lib/old name.so");
	struct asset *to = reference_asset(r, "rootfs", "/lib/new name.so");

	free(to->new.data);
	to->new = from->new;
	from->via = from->new;
	from->new = (struct version){0};
	from->via.data = malloc(to->new.size + 1);
	if (!from->via.data)
		reference_die("no memory");
	memcpy(from->via.data, to->new.data, to->new.size);
}

static void add_patches(struct scripted *s, const struct asset *moved, const char *after)
{
	struct reference *r = s->reference;
	char text[DIGEST_TEXT_SIZE];

	scripted_patch(s, reference_asset(r, "rootfs", "/bin/app"), after);
	scripted_add(s, "set_progress(0.4);\n");
	scripted_patch(s, reference_asset(r, "boot", NULL), after);
	scripted_add(s, "sha1_check(read_file(\"system/lib/new name.so\"), %s) || ", version_sha1(&moved->new, text));
	scripted_patch(s, moved, after);
	scripted_add(s, "rename(\"system/lib/old name.so\", \"system/lib/new name.so\");\n"
	                "delete(\"/system/bin/ls\");\n"
	                "package_extract_dir(\"system\", \"/system\");\n"
	                "symlink(\"busybox\",\n        \"/system/bin/ls\");\n");
	bundle_add(s->bundle, "system/etc/replaced.conf", "new\n", 4);
}

/* AOSP 5.1: results of apply_patch thrown away. */
static void make_lineage_bare(struct reference *r)
{
	const struct asset *moved;
	struct scripted s;
	char text[DIGEST_TEXT_SIZE];

	add_lineage_module(r);
	moved = reference_asset(r, "rootfs", "/lib/old name.so");
	r->backups = 1;
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM FINGERPRINT " == \"module:1/user\" ||\n    " FINGERPRINT
	                                          " == \"module:2/user\" ||\n    abort(\"wrong fingerprint\");\n"
	                                          "ui_print(\"Verifying current system...\");\n"
	                                          "show_progress(0.100000, 0);\n");
	scripted_check(&s, reference_asset(r, "rootfs", "/bin/app"), "",
	               " ||\n    abort(\"\\\"/system/bin/app\\\" has unexpected contents.\");");
	scripted_add(&s, "sha1_check(read_file(\"system/lib/new name.so\"), %s) || ", version_sha1(&moved->new, text));
	scripted_check(&s, moved, "", " || abort(\"unexpected contents\");");
	scripted_check(&s, reference_asset(r, "boot", NULL), "", " || abort(\"boot has unexpected contents\");");
	scripted_check(&s, reference_asset(r, "rootfs", "/build.prop"), "", " || abort(\"unexpected contents\");");
	scripted_add(&s,
	             "apply_patch_space(31000) || abort(\"Not enough free space on /system to apply patches.\");\n\n"
	             "# ---- start making changes here ----\n\nui_print(\"Removing unneeded files...\");\n"
	             "delete(\"/system/etc/replaced.conf\",\n       \"/system/etc/removed.conf\");\n"
	             "show_progress(0.800000, 0);\n");
	add_patches(&s, moved, ";");
	scripted_add(&s, "ui_print(\"Patching remaining system files...\");\n");
	scripted_patch(&s, reference_asset(r, "rootfs", "/build.prop"), ";");
	scripted_add(&s, "set_metadata(\"/system/build.prop\", \"uid\", 0, \"gid\", 0, \"mode\", 0644);\n"
	                 "unmount(\"/system\");\n");
	scripted_end(&s);
	make_moved(r);
}

/* Qualcomm LE: everything in assert(). */
static void make_lineage_assert(struct reference *r)
{
	const struct asset *moved;
	struct scripted s;
	char text[DIGEST_TEXT_SIZE];

	add_lineage_module(r);
	moved = reference_asset(r, "rootfs", "/lib/old name.so");
	r->backups = 1;
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM "assert(" FINGERPRINT " == \"module:1/user\" ||\n       " FINGERPRINT
	                              " == \"module:2/user\");\nui_print(\"Verifying current system...\");\n");
	scripted_check(&s, reference_asset(r, "rootfs", "/bin/app"), "assert(", ");");
	scripted_add(&s, "assert(sha1_check(read_file(\"system/lib/new name.so\"), %s) ||\n       ",
	             version_sha1(&moved->new, text));
	scripted_check(&s, moved, "", ");");
	scripted_check(&s, reference_asset(r, "boot", NULL), "assert(", ");");
	scripted_check(&s, reference_asset(r, "rootfs", "/build.prop"), "assert(", ");");
	scripted_add(&s, "assert(apply_patch_space(31000));\n\n# ---- start making changes here ----\n\n"
	                 "delete(\"/system/etc/replaced.conf\",\n       \"/system/etc/removed.conf\");\n"
	                 "show_progress(0.800000, 0);\n");
	add_patches(&s, moved, ";");
	scripted_patch(&s, reference_asset(r, "rootfs", "/build.prop"), ";");
	scripted_add(&s,
	             "set_perm(0, 0, 0644, \"/system/build.prop\");\nunmount(\"/system\");\n" MOUNT_SYSTEM
	             "assert(sha1_check(read_file(\"system/bin/app\"), %s));\nunmount(\"/system\");\n",
	             version_sha1(&reference_asset(r, "rootfs", "/bin/app")->new, text));
	scripted_end(&s);
	make_moved(r);
}

/* ---- Packages that must fail ---- */

enum { FIRST, SECOND, THIRD, FOURTH, FIFTH, OBJECTS };

static void add_five(struct reference *r, struct asset *five[OBJECTS])
{
	five[FIRST] = add_changed(r, "rootfs", "/bin/first", 5000, 5100, 90);
	five[SECOND] = add_changed(r, "boot", NULL, 20000, 20500, 91);
	five[THIRD] = add_changed(r, "rootfs", "/bin/third", 3000, 2900, 92);
	five[FOURTH] = add_changed(r, "rootfs", "/bin/fourth", 3000, 3100, 93);
	five[FIFTH] = add_changed(r, "rootfs", "/bin/fifth", 3000, 3100, 94);
	r->end_code = RESULT_VERIFY;
	r->blamed = "/system/bin/fourth";
	five[FOURTH]->stays = true;
	five[FIFTH]->stays = true;
}

/* What the module has is not what the package was made for. */
static void make_foreign(struct asset *asset)
{
	for (size_t i = 0; i < asset->old.size; i += 7)
		asset->old.data[i] ^= 0x11;
}

static void make_bad_bare(struct reference *r)
{
	struct asset *five[OBJECTS];
	struct scripted s;

	add_module(r, 4, BLOCK_SIZE_OF_NAND);
	add_five(r, five);
	r->backups = 1;
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM);
	for (int i = 0; i < OBJECTS; i++)
		scripted_patch(&s, five[i], ";");
	scripted_end(&s);
	make_foreign(five[FOURTH]);
}

static void make_bad_assert(struct reference *r)
{
	struct asset *five[OBJECTS];
	struct scripted s;

	add_module(r, 1, LONG_BLOCK);
	add_five(r, five);
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM);
	for (int i = 0; i < OBJECTS; i++)
		scripted_check(&s, five[i], "assert(", ");");
	for (int i = 0; i < OBJECTS; i++)
		scripted_patch(&s, five[i], ";");
	scripted_end(&s);
	make_foreign(five[FOURTH]);
	for (int i = 0; i < OBJECTS; i++)
		five[i]->stays = true;
}

/* A partition whose patch yields something else than the script says: not one block of it may be erased. */
static void make_bad_patch(struct reference *r)
{
	const struct asset *file;
	struct asset *boot;
	struct scripted s;

	add_module(r, 2, BLOCK_SIZE_OF_NAND);
	file = add_changed(r, "rootfs", "/bin/app", 5000, 5100, 96);
	boot = add_changed(r, "boot", NULL, 20000, 20500, 97);
	r->end_code = RESULT_VERIFY;
	r->blamed = "boot";
	boot->stays = true;
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM);
	scripted_patch(&s, file, ";");
	scripted_entry(&s, boot);
	boot->new.data[0] ^= 1;
	scripted_apply(&s, boot, ";");
	scripted_end(&s);
}

/* ---- The list ---- */

static const struct recipe {
	const char *name;
	const char *summary;
	void (*make)(struct reference *reference);
} recipes[] = {
	{"files", "files of two volumes, links, directories, attributes; misc of 2 blocks", make_files},
	{"boot", "the kernel's partition, through the backup; misc of 1 block", make_boot},
	{"modem", "a static UBI volume, through the backup, and a file's attributes", make_modem},
	{"everything", "files, kernel, a dynamic volume, an image written whole; bad blocks", make_everything},
	{"low-space", "files that leave for the backup for want of room", make_low_space},
	{"moved", "files that move, edited or not, and copies", make_moved_files},
	{"moved-low-space", "the same for want of room", make_moved_low_space},
	{"resumed-download", "a package of another name, beside remnants of downloads", make_resumed_download},
	{"lineage-bare", "a script as AOSP's generator writes it", make_lineage_bare},
	{"lineage-assert", "a script as Qualcomm's generator writes it", make_lineage_assert},
	{"bad-bare", "the fourth object is foreign, nothing was checked before", make_bad_bare},
	{"bad-assert", "the fourth object is foreign, and checked before; misc of 1 block", make_bad_assert},
	{"bad-patch", "the kernel's patch yields something else; misc of 2 blocks, too", make_bad_patch},
	{"minimal", "an upgrade of two packages", make_minimal},
	{"minimal-misc", "the same; misc of 1 block", make_minimal_small_misc},
	{"full", "a full package on a module with other files; misc of 2 blocks", make_full},
	{"formatted", "the same for updaters of the whole lineage: it formats", make_formatted},
	{"app", "a release of user files, beside an older one and remnants", make_app},
	{"nodes", "device nodes, extended attributes, a copy", make_nodes},
	{"hard-links", "files of several names: new ones, changed, and names that leave", make_hard_links},
	{"in-place", "the kernel and a full dynamic volume, one erase block or LEB after the other", make_in_place},
	{"tiny", "one small file and a small partition: for pairs of cuts", make_tiny},
};
enum { RECIPES = sizeof(recipes) / sizeof(recipes[0]) };

const char *reference_name(unsigned index)
{
	return index < RECIPES ? recipes[index].name : NULL;
}

const char *reference_summary(unsigned index)
{
	return recipes[index].summary;
}

int reference_find(const char *name)
{
	for (int i = 0; i < RECIPES; i++)
		if (strcmp(recipes[i].name, name) == 0)
			return i;
	return -1;
}

struct reference *reference_make(unsigned index)
{
	struct reference *reference = reference_new(recipes[index].name);

	recipes[index].make(reference);
	return reference;
}
