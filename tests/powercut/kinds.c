/* SPDX-License-Identifier: Apache-2.0 */
/* Reference packages that are no difference between two firmwares, and of objects that only our updaters make. */
#include "tests/powercut/reference.h"

#include <string.h>

/* What is known of the module when a full package is made: nothing. It has other files, and other types of objects. */
void make_full(struct reference *r)
{
	struct asset *asset;

	add_module(r, 2, BLOCK_SIZE_OF_NAND);
	(void)add_files(r, "modem", UINT64_C(1) << 20, "/system/firmware");
	r->native = true;
	r->full = true;
	add_changed(r, "boot", NULL, 20000, 20500, 130)->whole = true;
	(void)add_same(r, "rootfs", "/firmware/under-the-mount", 10, 131);
	(void)add_changed(r, "rootfs", "/bin/app", 9000, 9100, 132);
	asset = add_same(r, "rootfs", "/bin/service", 2000, 133);
	asset->old.xattr = "security.capability";
	asset->old.value = "of another version";
	set_attributes(&asset->new, 0750, 0, 1000);
	(void)add_gone(r, "rootfs", "/share/old/a", 700, 134);
	(void)add_link(r, "rootfs", "/bin/sh", "bash", "busybox");
	add_shapes(r, "rootfs", "/etc/wrong", SHAPE_DIRECTORY, SHAPE_FILE, "right\n")->gap = true;
	(void)add_gone(r, "rootfs", "/etc/wrong/inside", 700, 135);
	add_shapes(r, "rootfs", "/etc/conf.d", SHAPE_FILE, SHAPE_DIRECTORY, "wrong\n")->gap = true;
	(void)add_new(r, "rootfs", "/etc/conf.d/inside", 900, 136);
	add_shapes(r, "rootfs", "/lib", SHAPE_LINK, SHAPE_DIRECTORY, "usr/lib")->gap = true;
	asset = add_shapes(r, "rootfs", "/etc/fifo", SHAPE_NODE, SHAPE_NONE, "");
	set_node(&asset->old, 'p', 0, 0);
	(void)add_changed(r, "modem", "/image/modem.b01", 5000, 5100, 137);
	(void)add_gone(r, "modem", "/image/modem.b09", 800, 138);
	bundle_generate(r);
}

/* The same for updaters of the whole lineage: all of both file systems goes before anything comes. */
void make_formatted(struct reference *r)
{
	add_module(r, 4, LONG_BLOCK);
	(void)add_files(r, "modem", UINT64_C(1) << 20, "/system/firmware");
	r->full = true;
	add_changed(r, "boot", NULL, 20000, 20500, 160)->whole = true;
	(void)add_changed(r, "rootfs", "/bin/app", 9000, 9100, 161);
	(void)add_gone(r, "rootfs", "/share/old/a", 700, 162);
	(void)add_link(r, "rootfs", "/bin/sh", "bash", "busybox");
	(void)add_shapes(r, "rootfs", "/etc/wrong", SHAPE_DIRECTORY, SHAPE_FILE, "right\n");
	(void)add_gone(r, "rootfs", "/etc/wrong/inside", 700, 163);
	(void)add_shapes(r, "rootfs", "/dev", SHAPE_NONE, SHAPE_DIRECTORY, "");
	(void)add_shapes(r, "rootfs", "/firmware", SHAPE_NONE, SHAPE_DIRECTORY, "");
	(void)add_changed(r, "modem", "/image/modem.b01", 5000, 5100, 164);
	(void)add_gone(r, "modem", "/image/modem.b09", 800, 165);
	for (unsigned i = 0; i < r->asset_count; i++)
		r->assets[i].gap =
			strcmp(r->assets[i].place, "rootfs") == 0 || strcmp(r->assets[i].place, "modem") == 0;
	bundle_generate(r);
}

/* A release that came halfway in some earlier upgrade, beside the one in use and a remnant of another. */
void make_app(struct reference *r)
{
	add_module(r, 4, LONG_BLOCK);
	r->release = add_link(r, "usrdata", "/tool", "tool.releases/older", "");
	(void)add_gone(r, "usrdata", "/tool.releases/older/bin/tool", 3000, 140);
	(void)add_gone(r, "usrdata", "/tool.releases/older/lib/libtool.so", 2000, 141);
	(void)add_gone(r, "usrdata", "/tool.releases/half/bin/tool", 900, 142);
	(void)add_shapes(r, "usrdata", "/tool.releases/" NEW_RELEASE "/bin", SHAPE_DIRECTORY, SHAPE_DIRECTORY, "");
	set_attributes(&add_changed(r, "usrdata", "/tool.releases/" NEW_RELEASE "/bin/tool", 3000, 3000, 143)->new,
	               0755, 0, 0);
	(void)add_link(r, "usrdata", "/tool.releases/" NEW_RELEASE "/bin/t", NULL, "tool");
	(void)add_directory(r, "usrdata", "/tool.releases/" NEW_RELEASE "/lib", 0750, 0);
	(void)add_new(r, "usrdata", "/tool.releases/" NEW_RELEASE "/lib/libtool.so", 5000, 144);
	bundle_generate_app(r, "/usrdata/tool");
}

static void add_nodes(struct reference *r)
{
	struct asset *asset = add_shapes(r, "rootfs", "/etc/console", SHAPE_NONE, SHAPE_NODE, "");

	set_node(&asset->new, 'c', 5, 1);
	set_attributes(&asset->new, 0620, 0, 5);
	asset = add_shapes(r, "rootfs", "/etc/null", SHAPE_NODE, SHAPE_NODE, "");
	set_node(&asset->old, 'c', 1, 5);
	set_node(&asset->new, 'c', 1, 3);
	set_attributes(&asset->new, 0666, 0, 0);
	asset = add_shapes(r, "rootfs", "/etc/fifo", SHAPE_FILE, SHAPE_NODE, "not one\n");
	set_node(&asset->new, 'p', 0, 0);
	set_attributes(&asset->new, 0600, 0, 0);
}

static struct asset *set_xattrs(struct asset *asset, const char *old, const char *new)
{
	asset->old.xattr = old ? "user.class" : NULL;
	asset->old.value = old;
	asset->new.xattr = new ? "user.class" : NULL;
	asset->new.value = new;
	return asset;
}

/* As update_gen --compat native writes it for images that have such objects; it reads none of a zip archive. */
void make_nodes(struct reference *r)
{
	const struct asset *app;
	const struct asset *copy;
	struct scripted s;

	add_module(r, 4, LONG_BLOCK);
	r->native = true;
	add_nodes(r);
	app = set_xattrs(add_changed(r, "rootfs", "/bin/app", 6000, 6100, 150), "one", "one");
	copy = set_xattrs(add_copied(r, app, "/bin/app-like", 6200, 151), NULL, "two");
	(void)set_xattrs(add_same(r, "rootfs", "/bin/given", 900, 152), NULL, "a");
	(void)set_xattrs(add_same(r, "rootfs", "/bin/changed", 900, 153), "a", "b");
	(void)set_xattrs(add_same(r, "rootfs", "/bin/taken", 900, 154), "a", NULL);
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM);
	scripted_check(&s, app, "assert(", ");");
	scripted_copy(&s, app, copy, " || abort(\"copy\");");
	scripted_patch(&s, app, " || abort(\"app\");");
	scripted_add(&s, "make_node(\"/system/etc/console\", \"c\", 5, 1);\n"
	                 "make_node(\"/system/etc/fifo\", \"p\", 0, 0);\n"
	                 "make_node(\"/system/etc/null\", \"c\", 1, 3);\n"
	                 "set_xattr(\"/system/bin/app\", \"user.class\", \"6f6e65\");\n"
	                 "set_xattr(\"/system/bin/app-like\", \"user.class\", \"74776f\");\n"
	                 "set_xattr(\"/system/bin/changed\", \"user.class\", \"62\");\n"
	                 "set_xattr(\"/system/bin/given\", \"user.class\", \"61\");\n"
	                 "set_xattr(\"/system/bin/taken\", \"user.class\", \"\");\n"
	                 "set_metadata(\"/system/etc/console\", \"uid\", 0, \"gid\", 5, \"mode\", 0620);\n"
	                 "set_metadata(\"/system/etc/fifo\", \"uid\", 0, \"gid\", 0, \"mode\", 0600);\n"
	                 "set_metadata(\"/system/etc/null\", \"uid\", 0, \"gid\", 0, \"mode\", 0666);\n"
	                 "unmount(\"/system\");\n");
	scripted_end(&s);
}
