/* SPDX-License-Identifier: Apache-2.0 */
/* Squashfs images, whose volumes are upgraded as a whole. */
#include "suites.h"

#include "shell.h"

/* SYSTEM of both versions as i1/SYSTEM.squashfs and i2/SYSTEM.squashfs; the boot images differ, too. */
#define IMAGES                                                                                                         \
	SHELL_UNPACK "for v in 1 2; do mkdir i$v; cp -r d$v/BOOTABLE_IMAGES i$v; seq $v 9000 "                         \
		     ">i$v/BOOTABLE_IMAGES/boot.img; "                                                                 \
		     "echo 7 >d$v/SYSTEM/etc/quectel-rollback-index; seq $v 4000 >d$v/SYSTEM/etc/seq; "                \
		     "mksquashfs d$v/SYSTEM i$v/SYSTEM.squashfs -quiet -no-progress -noappend -mkfs-time 0; done; "
/* The same in a UBI volume: FILE, its type and name. */
#define UBI                                                                                                            \
	"ubi() { printf \"[v]\\nmode=ubi\\nimage=$1/SYSTEM.squashfs\\nvol_id=0\\nvol_size=256KiB\\nvol_type=$2\\n"     \
	"vol_name=$3\\n\" >ini && ubinize -o $1/SYSTEM.ubi -p 16384 -m 512 ini && rm $1/SYSTEM.squashfs; }; "
#define GEN "$gen a -s i1 -t i2 -o x.zip --compat native "
/* What the script of x.zip does is in the file s. */
#define SCRIPT "unzip -p x.zip META-INF/com/google/android/updater-script >s && "
#define IN_PLACE                                                                                                       \
	"grep -q '^patch image VOLUMES/SYSTEM: .*, in place$' out && " SCRIPT "! grep -q mount s && "                  \
	"grep -A9 '^assert(apply_patch_check(.UBI:rootfs:' s | grep -q package_extract_file && "                       \
	"grep -q '^assert(apply_patch(.UBI:rootfs:' s"
#define AS_FILES     SCRIPT "! grep -q UBI:rootfs s && grep -q '^mount(.*/system' s && grep -q '/system/etc/seq' s"
#define FAILS(cause) " >out 2>err; test $? = 1 && grep -q '" cause "' err && ! test -e x.zip"

static const char *const truths[] = {
	/* As a whole and in place, and nothing is mounted for it; verify is told the same. */
	IMAGES GEN
	"--leb 4096 >out && " IN_PLACE " && $gen verify x.zip -s i1 -t i2 --compat native --leb 4096 >out && "
	"$gen verify x.zip -s i1 --compat native --leb 4K >out && "
	"! $gen verify x.zip -s i1 -t i2 --compat native --leb 8192 >out 2>err && grep -q 'LEBs of 8192 bytes' err",
	/* What the version is called is in the image. */
	IMAGES GEN "--leb 4096 --json j >out && unzip -p x.zip quectel-project-version | cmp - "
		   "d1/SYSTEM/etc/quectel-project-version && "
		   "unzip -p x.zip quectel-rollback-index | grep -qx 7 && grep -q '\"source\".*\"version\": \"' j",
	/* Not without knowing its LEBs, nor for the lineage's updaters, nor where no version is known. */
	IMAGES GEN ">out && " AS_FILES,
	IMAGES "$gen a -s i1 -t i2 -o x.zip --leb 4096 >out && " AS_FILES,
	IMAGES GEN "--leb 4096 --full >out && " SCRIPT "! grep -q UBI:rootfs s",
	/* An image with UBI tells all: LEBs, erase blocks, the volume's name. */
	IMAGES UBI
	"for v in 1 2; do ubi i$v dynamic rootfs; done; " GEN ">out && " IN_PLACE
	" && grep -q 'LEBs of 15360 bytes, erase blocks of 16384' out && grep -q 'boot.img: .*, in place$' out",
	IMAGES UBI "for v in 1 2; do ubi i$v dynamic system; done; " GEN ">out && " SCRIPT
		   "grep -q '^assert(apply_patch(.UBI:system:' s",
	IMAGES UBI "ubi i1 dynamic system; ubi i2 dynamic rootfs; " GEN ">out && " AS_FILES,
	IMAGES UBI "ubi i1 dynamic rootfs; ubi i2 static rootfs; " GEN ">out && " AS_FILES,
	IMAGES UBI "ubi i1 dynamic 'root fs'; ubi i2 dynamic 'root fs'; " GEN ">out && " AS_FILES,
	/* A static volume is written anew, from a copy. */
	IMAGES UBI "for v in 1 2; do ubi i$v static rootfs; done; " GEN ">out && " SCRIPT
		   "grep -q '^patch image VOLUMES/SYSTEM: .*, patch [0-9]*$' out && grep -q "
		   "'^assert(apply_patch(.UBI:rootfs:' s && "
		   "grep -q '^apply_patch_space(' s && ! grep -q mount s",
	/* One that differs in nothing stays. */
	IMAGES "cp i1/SYSTEM.squashfs i2; " GEN "--leb 4096 >out && " SCRIPT "! grep -q UBI:rootfs s",
	IMAGES "$gen o -s i1 -t i2 -o x.zip --compat native --leb 4096 >out && " SCRIPT "! grep -q UBI:rootfs s && "
	       "grep -q 'warning.*linux' out",
	/* The modem's file system is changed file by file beside it, where it is mounted. */
	IMAGES
	"for v in 1 2; do mkdir m; seq $v 3000 >m/image; "
	"mkfs.ubifs -r m -o i$v/NON-HLOS.ubifs -m 512 -e 15360 -c 90 "
	"&& rm -r m; done; " GEN "--leb 4096 >out && " SCRIPT
	"grep -q '^assert(apply_patch(./system/firmware/image' s && grep -q '^assert(apply_patch(.UBI:rootfs:' s && "
	"test $(grep -c '^mount(' s) = 1 && test $(grep -c '^unmount(' s) = 1 && ! grep -q '\"/system\")' s && ! grep "
	"-q fota-store s",
	/* And the other way round. */
	IMAGES "for v in 1 2; do mkdir m; seq $v 3000 >m/image; "
	       "mksquashfs m i$v/NON-HLOS.sqsh -quiet -no-progress "
	       "-noappend; rm -r m "
	       "i$v/SYSTEM.squashfs d$v/SYSTEM/firmware; cp -r d$v/SYSTEM i$v; done; " GEN "--leb 4096 >out && " SCRIPT
	       "grep -q '^assert(apply_patch(.UBI:modem:' s && grep -q '^assert(apply_patch(./system/etc/seq' s && "
	       "test $(grep -c '^mount(' s) = 1 && grep -q '^mount(.*/system.)' s",
	/* No file of it can be treated in another way, and there is no place for a store. */
	IMAGES "echo /etc/seq >l; " GEN "--leb 4096 --noota l" FAILS("^update_gen: l:1: SYSTEM/etc/seq: of a volume"),
	IMAGES "echo /etc/*.x >l; " GEN "--leb 4096 --fullota l" FAILS("^update_gen: l:1: SYSTEM/etc/.*: of a volume"),
	IMAGES "echo / >l; " GEN "--leb 4096 --chmod l" FAILS("^update_gen: l:1: SYSTEM: of a volume"),
	IMAGES "echo /etc/seq >l; " GEN "--noota l >out",
	IMAGES GEN
	"--leb 4096 --minimal --max-package 1M" FAILS("minimal stores on the root file system, and volume rootfs"),
};

START_TEST(volumes)
{
	shell_check(truths[_i]);
}
END_TEST

TCase *volume_tests(void)
{
	TCase *tests = tcase_create("volumes");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, volumes, 0, sizeof(truths) / sizeof(truths[0]));
	return tests;
}
