/* SPDX-License-Identifier: Apache-2.0 */
/* What each option does to a package, and what it does not do. */
#include "suites.h"

#include "shell.h"

#define MAKE         "$gen a -s v1/targetfiles.zip -t v2/targetfiles.zip "
#define MANUAL       TEST_DATA "/../../gentools/update_gen.1"
#define FAILS(cause) " >out 2>err; test $? = 1 && grep -q '" cause "' err"

/*
 * ARM programs of functions that call each other: SYSTEM/prog, and SYSTEM/prog2 which is SYSTEM/e/prog in version 2,
 * where three instructions more move most of the code.
 */
#define PROGRAMS                                                                                                       \
	SHELL_PYTHON "from zlib import crc32\n"                                                                        \
		     "def program(name, seed, more):\n"                                                                \
		     " start = [64 * f + (4 * more if f > 40 else 0) for f in range(400)]\n"                           \
		     " code = bytes()\n"                                                                               \
		     " for f in range(400):\n"                                                                         \
		     "  for n in range(16):\n"                                                                         \
		     "   r = crc32(bytes([seed, f & 255, f >> 8, n]))\n"                                               \
		     "   call = start[r % 400] - len(code) - 8 >> 2 & 0xffffff | 0xeb000000\n"                         \
		     "   code += (r & 0xfff0f | 0xe0800000 if n % 3 else call).to_bytes(4, 'little')\n"                \
		     "  if f == 40: code += bytes.fromhex('0000a0e1') * more\n"                                        \
		     " open(name, 'wb').write(code)\n"                                                                 \
		     "os.mkdir('d2/SYSTEM/e')\n"                                                                       \
		     "for seed, old, new in (1, 'prog', 'prog'), (2, 'prog2', 'e/prog'):\n"                            \
		     " program('d1/SYSTEM/' + old, seed, 0)\n"                                                         \
		     " program('d2/SYSTEM/' + new, seed, 3)\n\" && "
/* The patches of both in x.zip and y.zip. */
#define COMPARE_PATCHES                                                                                                \
	SHELL_PYTHON "from zipfile import ZipFile\n"                                                                   \
		     "x, y = ({n: z.read(n) for n in z.namelist()} for z in map(ZipFile, ('x.zip', 'y.zip')))\n"       \
		     "assert not any(d.startswith(b'FOTADLT1') for d in x.values())\n"                                 \
		     "both = [(x[n], y[n]) for n in x if x[n].startswith(b'BSDIFF40')]\n"                              \
		     "assert len(both) == 2, x\n"                                                                      \
		     "for old, new in both: assert new.startswith(b'FOTADLT1') and 2 * len(new) < len(old), both\n\""

static const char *const truths[] = {
	/* A device or a folder is not replaced by a package, whichever command makes it. */
	"mkdir at; ln -s /dev/null null; " MAKE "-o at" FAILS("at: is a folder") " && ! test -s out && rmdir at",
	"ln -s /dev/null null; " MAKE "-o null" FAILS("null: is no file") " && test -c null && test -L null",
	MAKE "-o x.zip >out && openssl genpkey -algorithm ed25519 -out key && ln -s /dev/null null && "
	     "$gen sign x.zip -k key -o null" FAILS("null: is no file") " && test -c null",
	MAKE "-o x.zip >out && openssl genpkey -algorithm x25519 | openssl pkey -pubout -out key && "
	     "ln -s /dev/null null && $gen encrypt x.zip -t key -o null" FAILS("null: is no file") " && test -c null",
	"ln -s /dev/null null; $gen app v1 --to /usrdata/app -o null" FAILS("null: is no file") " && test -c null",
	/* A version is a targetfiles.zip, its folder, or the folder that either lies in; never is it overwritten. */
	MAKE "-o x.zip >out && $gen a -s v1/ -t v2 -o y.zip >out && cmp x.zip y.zip && "
	     "grep -q 'installed on v1/targetfiles.zip it yields v2/targetfiles.zip' out && $gen verify y.zip -s v1 -t "
	     "v2 >out",
	MAKE
	"-o x.zip >out && unzip -qd v2/targetfiles v2/targetfiles.zip && mkdir v1/upgrade && mv v1/targetfiles.zip "
	"v1/upgrade && rm v2/targetfiles.zip && $gen a -s v1 -t v2 -o y.zip >out && cmp x.zip y.zip && "
	"grep -q 'on v1/upgrade/targetfiles.zip it yields v2/targetfiles;' out",
	"cp v1/targetfiles.zip old; $gen a -s v1 -t v2 -o v1/targetfiles.zip" FAILS(
		"is an input") " && "
			       "cmp old v1/targetfiles.zip",
	"mkdir v3; $gen a -s v1 -t v3 -o y.zip" FAILS("v3: not a targetfiles.zip"),
	"mkdir -p v3/targetfiles && unzip -qd v3/targetfiles v2/targetfiles.zip && (cd v3 && zip -qry0 targetfiles.zip "
	"targetfiles) && $gen a -s v1 -t v3 -o y.zip" FAILS("lie in targetfiles, not at its root: pack it in that"),
	"./update_gen.sh a >out && mv update.zip x.zip && unzip -qd v2/targetfiles v2/targetfiles.zip && "
	"rm v2/targetfiles.zip && ./update_gen.sh a >out && cmp x.zip update.zip",
	/* A package that only this project's updaters take has no SHA-1, one for all of them nothing else. */
	MAKE "-o x.zip --compat native --minimal --max-package 6K >out && for z in x x-2; do unzip -p $z.zip "
	     "META-INF/*/updater-script 'store/0' >text 2>err; ! grep -Ew '[0-9a-f]{40}' text && "
	     "grep -Ewq '[0-9a-f]{64}' text || exit 1; done; grep -q 'sha1_check(read_file' text",
	MAKE "-o x.zip --minimal --max-package 6K >out && for z in x x-2; do unzip -p $z.zip META-INF/*/updater-script "
	     "'store/0' >text 2>err; ! grep -Ew '[0-9a-f]{64}' text && grep -Ewq '[0-9a-f]{40}' text || exit 1; done",
	/* Patches that know of ARM code, for updaters that know of them. */
	SHELL_UNPACK "rm d?/SYSTEM/[abcd]; " PROGRAMS
		     "$gen a -s d1 -t d2 -o x.zip >out && $gen a -s d1 -t d2 -o y.zip --compat native >out && "
		     "grep -q '^verified' out && grep -q '^rename SYSTEM/prog2 -> SYSTEM/e/prog: ' out && "
		     "$gen verify y.zip -s d1 -t d2 --compat native >out && " COMPARE_PATCHES,
	/* What the lists change. */
	"echo SYSTEM/a >l; " MAKE "-o x.zip --fullota l >out && grep -q '^whole SYSTEM/a: ' out && "
	"grep -q '^patch SYSTEM/b: ' out",
	"echo SYSTEM/a >l; " MAKE "-o x.zip --noota l >out && grep -q '^noota SYSTEM/a: changed in the target' out && "
	"! unzip -p x.zip '*script' | grep system/a",
	"echo '/new 640 7 8' >l; " MAKE "-o x.zip --chmod l >out && unzip -p x.zip '*script' | "
	"grep -q '/system/new\", \"uid\", 7, \"gid\", 8, \"mode\", 0640'",
	SHELL_UNPACK
	"for v in 1 2; do mkdir -p d$v/MULTIFOTA; echo $v >d$v/MULTIFOTA/x.mbn; done; echo x.mbn part >l; "
	"$gen a -s d1 -t d2 -o x.zip --multifota l >out && unzip -p x.zip '*script' | grep -q 'MTD:part:' && "
	"$gen a -s d1 -t d2 -o x.zip >out && unzip -p x.zip '*script' | grep -q 'MTD:x:'",
	/* Limits, each of which is said with what is needed. */
	MAKE "-o x.zip --max-package 1G >out && grep -q '^needs: package' out",
	MAKE "-o x.zip --max-package 1K" FAILS("package: [0-9]* bytes are needed, at most 1024") " && ! test -e x.zip",
	/* What is compressed as a whole is not looked into in place; a copy is better there, if there is room. */
	SHELL_UNPACK SHELL_PYTHON
	"import zlib\n"
	"for v in '12': open('d' + v + '/BOOTABLE_IMAGES/boot.img', 'wb').write(zlib.compress(v.encode() + "
	"b''.join(b'%d ' "
	"% (i * i * 7919 + int(v) * (i % 500 == 0)) for i in range(30000)), 9))\n\" && "
	"$gen a -s d1 -t d2 -o x.zip --compat native --erase-block 4K >out && grep -q 'boot.img: .*, patch [0-9]*$' "
	"out && "
	"$gen a -s d1 -t d2 -o y.zip --compat native --erase-block 4K --max-scratch 64K >out && "
	"grep -q 'boot.img: .*, in place$' out && test $(wc -c <y.zip) -gt $((2 * $(wc -c <x.zip)))",
	/* Of two packages the second one checks with the patch that the first has stored. */
	SHELL_UNPACK "seq 9000 >d1/BOOTABLE_IMAGES/boot.img; seq 2 9001 >d2/BOOTABLE_IMAGES/boot.img; "
		     "$gen a -s d1 -t d2 -o x.zip --compat native --erase-block 8K --minimal --max-package 20K >out && "
		     "for i in x x-2; do unzip -p $i.zip META-INF/com/google/android/updater-script | "
		     "sed -n '/^assert(apply_patch_check(.MTD:boot/,/;/p' >$i; done; "
		     "grep -q read_file.*/system/.fota-store/ x-2 && ! grep -q _file x && grep -q MTD:boot x",
	SHELL_UNPACK "echo 2 >d2/BOOTABLE_IMAGES/boot.img; $gen a -s d1 -t d2 -o x.zip --max-scratch 1" FAILS(
		"in /cache beside the package: [0-9]* bytes") " && ! test -e x.zip",
	/* User files: where they go, whose they are, who made them. */
	"mkdir u && echo x >u/x && openssl genpkey -algorithm ed25519 -out k && $gen app u --to /usrdata/at/here -o "
	"a.zip "
	"--owner 5:6 >out && unzip -p a.zip '*script' >s && grep -q '/usrdata/at/here.releases/.*/x\", \"uid\", 5, "
	"\"gid\", 6' s && $gen app u --to /usrdata/at/here -o b.zip --owner 5:6 --sign k >out && ! cmp -s a.zip b.zip "
	"&& "
	"$gen sign a.zip -k k && cmp a.zip b.zip",
	/* The manual's packages, word by word, of a folder whose archive still has what was deleted. */
	"unzip -qd v2/targetfiles v2/targetfiles.zip && rm v2/targetfiles/SYSTEM/a && export PATH=$(dirname "
	"$gen):$PATH && "
	"sed -n '/^[.]nf$/,/^[.]fi$/p' " MANUAL " | grep -v -e '^[.]' -e DIR | sed 's/\\\\-/-/g' >commands && "
	"test $(wc -l <commands) -ge 5 && sh -e ./commands >out && grep -q '^delete SYSTEM/a$' log && test -s "
	"update.zip",
	/* Neither does a package take that of a list or of the key. */
	"echo /new >l; " MAKE "-o l --noota l" FAILS("l: is an input") " && test $(cat l) = /new",
	"mkdir l; n=l/quectel_noota_filelist.txt; echo /new >$n; " MAKE
	"-o $n --lists l" FAILS("is an input") " && test $(cat $n) = /new",
	"openssl genpkey -algorithm ed25519 -out k && cp k old && " MAKE
	"-o k --sign k" FAILS("k: is an input") " && cmp k old",
	/* A log that is lost is a failure, although the package is there. */
	"$gen a -s v1 -t v2 -o x.zip 2>err >/dev/full; test $? = 1 && grep -q 'standard output: cannot be' err && "
	"test -s x.zip && mkdir all && mv v1 v2 all && $gen plan --versions all --jobs 2 2>err >/dev/full; "
	"test $? = 1 && grep -q 'plan: standard output: cannot be' err",
	/* The figures take nobody's place either. */
	MAKE "-o x.zip --json x.zip" FAILS("x.zip: is the package") " && ! test -e x.zip",
	"cp v1/targetfiles.zip old; " MAKE
	"-o x.zip --json v1/targetfiles.zip" FAILS("is an input") " && "
								  "cmp old v1/targetfiles.zip",
};

START_TEST(options)
{
	shell_check(truths[_i]);
}
END_TEST

TCase *option_tests(void)
{
	TCase *tests = tcase_create("options");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, options, 0, sizeof(truths) / sizeof(truths[0]));
	return tests;
}
