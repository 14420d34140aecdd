/* SPDX-License-Identifier: Apache-2.0 */
/* Files that have several names: what packages do about them, and that verify notices. */
#include "suites.h"

#include "shell.h"

#define PYTHON SHELL_PYTHON
#define SAME   "rm -r d2 && cp -a d1 d2 && cd d2/SYSTEM && "
/* d1 and d2 are alike, what follows changes d2/SYSTEM; with LINKED a and l are of one file in both. */
#define ALIKE  SHELL_UNPACK SAME
#define LINKED SHELL_UNPACK "ln d1/SYSTEM/a d1/SYSTEM/l && " SAME
#define MAKE   " && cd ../.. && $gen l -s d1 -t d2 -o x.zip >out"
#define SCRIPT " && grep -q '^verified' out && unzip -p x.zip '*script' | tr '\\n' ' ' | sed 's/,  */, /g' >s"
#define NATIVE MAKE " --compat native" SCRIPT " && ! grep -q warning: out && "
#define OLD    MAKE SCRIPT " && ! grep -q 'hard_link\\|separate' s && "
#define VERIFY "$gen verify x.zip l -s d1 --compat native "

static const char *const truths[] = {
	/* New names, one in a new folder; what they are of stays. */
	ALIKE "mkdir -m 700 n && ln a l && ln a n/l" NATIVE
	      "grep -q ' hard_link(\"/system/a\", \"/system/l\", \"/system/n/l\"); ' s && ! grep -q 'apply_patch(' s "
	      "&& grep -q ' assert(apply_patch_check(\"/system/a\", \"[0-9a-f]\\{64\\}\")); ' s && "
	      "! unzip -l x.zip | grep -q l$ && grep -q '^hard link SYSTEM/n/l: of SYSTEM/a$' out && "
	      "cp -a d2 d3 && rm d3/SYSTEM/l && cp -p d3/SYSTEM/a d3/SYSTEM/l && " VERIFY "-t d2 >out && "
	      "! " VERIFY
	      "-t d3 2>err >out && grep -q '^differs: /system/l: a name of the same file as /system/a$' out && "
	      "$gen l -s d1 -t d3 -o x.zip --compat native >out && ! " VERIFY "-t d2 2>err >out && "
	      "grep -q '^differs: /system/l: no name of the same file as /system/a$' out",
	ALIKE "ln a l" OLD "grep -q '^warning: d2: 2 names of 1 files with hard links' out && "
	      "grep -q '^whole SYSTEM/l: ' out",
	LINKED "true" MAKE " --compat native 2>err; test $? = 1 && grep -q 'nothing to do' err",
	LINKED "true" MAKE " 2>err; test $? = 1 && grep -q 'nothing to do' err",
	/* The content changes, the mode changes: for all of them. */
	LINKED "echo more >>l" NATIVE "[ $(grep -c '^patch ' out) = 1 ] && "
	       "grep -q 'apply_patch(\"/system/a\".* hard_link(\"/system/a\", \"/system/l\"); ' s",
	LINKED "echo more >>l" OLD "grep -q '^patch SYSTEM/l: .* the patch of SYSTEM/a$' out",
	LINKED "chmod 700 l" NATIVE
	       "grep -q 'set_metadata(\"/system/a\".* hard_link(\"/system/a\", \"/system/l\"); ' s",
	LINKED "chmod 700 l" OLD "[ $(grep -c '^attributes ' out) = 2 ] && ! grep -q ' delete(' s",
	/* A name leaves the file: with another content, another mode, or nothing else. */
	LINKED "cp l x && mv x l && echo more >>l" NATIVE "! grep -q 'hard_link\\|separate' s && "
	       "[ $(grep -c '^patch ' out) = 1 ]",
	LINKED "cp -p l x && mv x l && chmod 700 l" NATIVE
	       "grep -q ' separate(\"/system/a\", \"/system/l\"); set_metadata(\"/system/l\".*0700' s && "
	       "! grep -q hard_link s",
	LINKED
	"cp -p l x && mv x l && chmod 700 l" OLD
	"grep -q ' delete(\"/system/l\"); ' s && grep -q '^whole SYSTEM/l: ' out && ! grep -q '^[a-z]* SYSTEM/a' out",
	LINKED "cp -p l x && mv x l" NATIVE "grep -q ' separate(\"/system/a\", \"/system/l\"); ' s",
	LINKED "cp -p l x && mv x l" OLD "grep -q ' delete(\"/system/l\"); ' s && grep -q '^whole SYSTEM/l: ' out",
	/* It goes to another file: a link to what stays. */
	LINKED "ln -f b l" NATIVE "grep -q ' hard_link(\"/system/b\", \"/system/l\"); ' s && ! grep -q separate s",
	/* A symbolic link, a folder, and the other way round. */
	LINKED "rm l && ln -s a l && ln b d2 && rm c && ln b c" NATIVE
	       "grep -q ' hard_link(\"/system/b\", \"/system/c\", \"/system/d2\"); ' s",
	LINKED "rm l && mkdir l && rm -r bin && ln b bin" NATIVE
	       "grep -q ' hard_link(\"/system/b\", \"/system/bin\"); ' s",
	/* One moves, all move: a rename takes one, and nothing is in the package. */
	LINKED "mv l m" NATIVE "grep -q ' delete(\"/system/l\"); .*hard_link(\"/system/a\", \"/system/m\"); ' s && "
	       "! grep -q rename s",
	LINKED "mkdir -m 755 n && mv a l n" NATIVE "grep -q ' hard_link(\"/system/n/a\", \"/system/n/l\"); ' s && "
	       "[ $(grep -c '^rename ' out) = 1 ] && ! grep -q '^whole\\|^copy' out",
	/* Only one of two that become files of their own is what the old one was. */
	LINKED "mkdir -m 755 n && mv a n && cp -p n/a n/l && rm l && chmod 700 n/l" OLD
	       "[ $(grep -c '^rename ' out) = 1 ] && [ $(grep -c '^whole ' out) = 1 ]",
	/* The version's file changes last, and so do its names. */
	SHELL_UNPACK "cd d1/SYSTEM/etc && ln quectel-project-version v && cd ../../.. && " SAME
		     "echo Project Rev : two >etc/v && echo x >>b && ln b l" NATIVE
		     "grep -q ' hard_link(\"/system/b\".*apply_patch(\"/system/etc/quec.* "
		     "hard_link(\"/system/etc/quec.*\", \"/system/etc/v\"' s",
	/* An archive does not tell: what is alike stays as it is, what is not must not be one. */
	LINKED
	"cd .. && zip -qry0 ../z.zip . && cd .. && ! $gen l -s d1 -t z.zip -o x.zip --compat native 2>err >out && "
	"grep -q 'nothing to do' err && chmod 700 d2/SYSTEM/l && cd d2 && rm ../z.zip && "
	"zip -qry0 ../z.zip . && cd .. && $gen l -s d1 -t z.zip -o x.zip --compat native >out && "
	"! unzip -p x.zip '*script' | grep separate && cp -p d2/SYSTEM/l k && mv k d2/SYSTEM/l && "
	"chmod 750 d2/SYSTEM/l && cd d2 && rm ../z.zip && zip -qry0 ../z.zip . && cd .. && "
	"$gen l -s d1 -t z.zip -o x.zip --compat native >out && unzip -p x.zip '*script' | grep '^separate(' >s",
	ALIKE "ln a l && cd .. && zip -qry0 ../z.zip . && cd .. && ! $gen l -s z.zip -t d2 -o x.zip 2>err >out && "
	      "$gen l -s z.zip -t d2 -o x.zip --compat native >out && unzip -p x.zip '*script' | grep '^hard_link(' >s",
	/* What a list gives another mode is a file of its own; what it keeps stays a name of what it was. */
	LINKED "echo more >>a && cd ../.. && echo SYSTEM/l 600 0 0 >c && "
	       "$gen l -s d1 -t d2 -o x.zip --compat native --chmod c >out && "
	       "grep -q '^SYSTEM/l: a file of its own, not a name of SYSTEM/a' out && "
	       "[ $(grep -c '^patch ' out) = 2 ] && ! unzip -p x.zip '*script' | grep hard_link",
	LINKED
	"chmod 700 a && cd ../.. && echo SYSTEM/l >c && $gen l -s d1 -t d2 -o x.zip --compat native --noota c >out && "
	"unzip -p x.zip '*script' | tr '\\n' ' ' | grep -q 'separate(\"/system/l\", *\"/system/a\");'",
	/* Updaters that write into what is there must find nothing there. */
	LINKED "cd ../.. && echo SYSTEM/l >c && $gen l -s d1 -t d2 -o x.zip --fullota c >out && "
	       "unzip -p x.zip '*script' | grep -q '^delete(\"/system/l\");'",
	/* Names elsewhere: outside, of another volume, of an image. */
	ALIKE "mkdir -p firmware ../../d1/SYSTEM/firmware && ln a ../../a && ln b firmware/b && "
	      "cp -p b ../../d1/SYSTEM/firmware/b && ln c ../BOOTABLE_IMAGES/c" MAKE
	      " --compat native 2>err; test $? = 1 && grep -q 'nothing to do' err && ! grep -q hard out",
	/* Of an image the same. */
	LINKED "ln -f a b && cd ../.. && mkdir -p d3/BOOTABLE_IMAGES && mksquashfs d2/SYSTEM d3/SYSTEM.squashfs -quiet "
	       "-no-progress >out && $gen l -s d1 -t d3 -o x.zip --compat native >out && "
	       "unzip -p x.zip '*script' | grep -q '^hard_link(\"/system/a\",$' && " VERIFY "-t d2 >out",
	/* A package for any version, of which the module may have files in common. */
	ALIKE "ln a l && cp -p a e && cp -p a f && chmod 600 f && rm etc/* && echo x >etc/x && cd ../.. && "
	      "$gen l --full -t d2 -o x.zip --compat native >out && grep -q '^verified' out && "
	      "unzip -p x.zip '*script' | tr '\\n' ' ' | sed 's/,  */, /g' >s && "
	      "grep -q ' separate(\"/system/a\", \"/system/e\", \"/system/f\"); ' s && "
	      "grep -q ' hard_link(\"/system/a\", \"/system/l\"); ' s && ! unzip -l x.zip | grep -q system/l$",
	LINKED "cd ../.. && $gen a --full -s d1 -t d2 -o x.zip --compat native >out && grep -q '^verified' out",
	/* In two parts. */
	LINKED "cp ../../update_gen.sh l && ln l m && cd ../.. && $gen l -s d1 -t d2 -o x.zip "
	       "--compat native --minimal --max-package 20K >out && grep -q '^verified' out && "
	       "unzip -p x-2.zip '*script' | grep -q '^hard_link('",
	/* In figures. */
	LINKED "ln a m" MAKE " --compat native --json j && " PYTHON
	       "j=json.load(open('j')); assert j['hard_links']=={'files':1,'names':3,'carried':True}, j\n"
	       "assert [x['path'] for x in j['objects'] if x['kind']=='hard link']==['SYSTEM/m']\n\"",
	/* User files. */
	"mkdir -p m/usrdata m/cache app/d && echo x >app/a && ln app/a app/d/b && cp -p app/a app/c && "
	"own=$(id -u):$(id -g) && $gen app app --to /usrdata/app -o x.zip --owner $own >out && "
	"! unzip -l x.zip | grep -q d/b$ && ${gen%/*}/updater --root m 3 1 x.zip >out && "
	"${gen%/*}/updater --root m 3 1 x.zip >out && diff -r app m/usrdata/app && cd m/usrdata/app && "
	"test a -ef d/b && ! test a -ef c && cd ../../.. && rm app/d/b && cp -p app/a app/d/b && "
	"$gen app app --to /usrdata/app -o y.zip --owner $own >out && ${gen%/*}/updater --root m 3 1 y.zip >out && "
	"cd m/usrdata/app && ! test a -ef d/b",
};

START_TEST(names_of_one_file)
{
	shell_check(truths[_i]);
}
END_TEST

TCase *hardlink_tests(void)
{
	TCase *tests = tcase_create("hardlinks");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, names_of_one_file, 0, sizeof(truths) / sizeof(truths[0]));
	return tests;
}
