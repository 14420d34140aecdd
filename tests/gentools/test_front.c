/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "shell.h"

#define UNPACK SHELL_UNPACK
#define MANUAL TEST_DATA "/../../gentools/update_gen.1"
#define ROOT   "test $(id -u) = 0 || exit 0; "
#define CAPABILITIES                                                                                                   \
	"python3 -c \"import os,struct,sys\n"                                                                          \
	"for t in sys.argv[1].split(','):\n"                                                                           \
	" p,*n=t.split(); c=1<<int(n[0]); i=1 if len(n)>1 else 0\n"                                                    \
	" os.setxattr('d'+p,'security.capability',struct.pack('<5I',0x2000001,c&0xffffffff,i,c>>32,0))\n\" \""
/* Lines of a path and an attribute with its value; where the file system takes none, all is true. */
#define XATTRS                                                                                                         \
	"python3 -c \"import os,sys\n"                                                                                 \
	"for t in sys.argv[1].split(','):\n"                                                                           \
	" p,n,v=t.split()\n"                                                                                           \
	" try: os.setxattr('d'+p,n,v.encode())\n"                                                                      \
	" except OSError: sys.exit(1)\n\" \""
#define PYTHON SHELL_PYTHON

/*
 * What the documents tell to do, in a folder with v1 and v2; $gen is the program behind the script. Each
 * must be true as a shell sees it.
 */
static const char *const truths[] = {
	"./update_gen.sh a >log 2>err && test -s update.zip && ! test -s err && grep -q '^whole SYSTEM/new' log",
	"./update_gen.sh a >log && $gen a -s v1/targetfiles.zip -t v2/targetfiles.zip -o x.zip >out && cmp x.zip "
	"update.zip",
	"./update_gen.sh ml >log && mv update.zip x.zip && ./update_gen.sh m l >log && cmp x.zip update.zip",
	"./update_gen.sh a --no-verify >log && ! grep -q verified: log",
	"./update_gen.sh >out 2>err; test $? = 2 && test -s err && ! test -s out",
	"./update_gen.sh q >out 2>err; test $? = 2 && test -s err && ! test -s out",
	"touch update.zip; ./update_gen.sh o >out 2>err; test $? = 1 && grep -q 'nothing to do' err && ! test -e "
	"update.zip",
	"mv v2 v3; touch update.zip update-2.zip; ./update_gen.sh a >out 2>err; ! ls | grep '^update.*zip'",
	"mv v2 v3; ./update_gen.sh a >out 2>err; test $? = 1 && grep -q 'no v2/targetfiles.zip' err && ! test -s out",
	"./update_gen.sh --help >out 2>err && grep -q Usage out && ! test -s err",
	"test \"$(./update_gen.sh --version)\" = \"$($gen --version)\"",
	/* Beside itself first, then in PATH. */
	"rm update_gen; PATH=$(dirname $gen):$PATH ./update_gen.sh a >log && test -s update.zip",
	"rm update_gen; ./update_gen.sh a >out 2>err; test $? = 1 && grep -q 'nor in PATH' err",
	"cd v1 && ../update_gen.sh a 2>&1 | grep -q 'no v1/targetfiles.zip in .*/v1'",
	"PATH=$PWD:$PATH && update_gen.sh a >log && test -s update.zip",
	/* The bar: on a terminal, on standard error, unless it is not wanted; the log has nothing of it. */
	"script -qec './update_gen.sh a >log' bar >out && grep -q 'verifying .*%' bar && ! grep -q '%' log",
	"script -qec './update_gen.sh a --quiet >log' bar >out && ! grep -q '%' bar && test -s log",
	"script -qec './update_gen.sh a' bar >out && ! grep -q '%' bar",
	"./update_gen.sh a --jobs 0 2>err >out; test $? = 2 && grep -q 'jobs 0' err",
	"./update_gen.sh a --compat newest 2>err >out; test $? = 2 && grep -q 'compat newest' err",
	"./update_gen.sh a --compat lineage >out && mv update.zip x.zip && ./update_gen.sh a >out && cmp x.zip "
	"update.zip",
	"./update_gen.sh a --jobs 1x 2>err >out; test $? = 2 && grep -q 'jobs 1x' err",
	"SOURCE_DATE_EPOCH=x ./update_gen.sh a 2>err >out; test $? = 2 && grep -q EPOCH=x err",
	"SOURCE_DATE_EPOCH=1700000000 ./update_gen.sh a >out && TZ=UTC0 unzip -l update.zip | grep -q '2023-11-14 "
	"22:13 *system/new'",
	"./update_gen.sh a >out && mv v1 old && mv v2 v1 && mv old v2 && $gen verify update.zip -s v1/targetfiles.zip "
	"-t "
	"v2/targetfiles.zip >out 2>err; test $? = 3 && grep -q '^differs: /system/new' out",
	"echo SYSTEM/new >quectel_noota_filelist.txt; ./update_gen.sh a >log && ! unzip -l update.zip | grep -q "
	"system/new",
	/* All ways between the versions, there and back. */
	"mkdir all && mv v1 v2 all && $gen plan --versions all --jobs 2 >out && grep -q '^chain: v1 -> v2 (1 package,' "
	"out "
	"&& test -s all/results/v1--v2.txt && ! test -e all/results/v2--v1.txt && "
	"$gen plan --versions all --back --from v2 --to v1 --results r >out && grep -q '^chain: v2 -> v1 (1 package,' "
	"out "
	"&& ls r | grep -q 'v2--v1' && $gen plan --versions all --results r --limit 1 l >out 2>err; test $? = 3",
	"$gen plan --versions . --from v3 >out 2>err; test $? = 1 && grep -q v3 err",
	"for n in 1T G 0G -1K 1.5M ''; do $gen plan --versions . --limit \"$n\" >out 2>err; test $? = 2 && "
	"grep -q \"limit $n: not a number of bytes\" err || exit 1; done",
	/* The manual has every option of every usage text. */
	"for u in '' app plan sign encrypt; do $gen $u --help | grep -o '^ *\\(-., \\)\\?--[a-z-]*' | grep -o "
	"'[-][-][a-z-]*' >o "
	"&& test "
	"-s o || exit 1; while read -r o; do sed 's/\\\\-/-/g' " MANUAL
	" | grep -q -e \"$o\\b\" || exit 1; done <o; done",
	/* Unpacked folders are as good as archives, also with a link to one and a slash behind it. */
	UNPACK "./update_gen.sh a >log && ln -s d2 l2 && $gen a -s d1 -t l2/ -o x.zip >out && cmp x.zip update.zip",
	UNPACK
	"mkdir d2/SYSTEM/empty && ln -s /nowhere d2/SYSTEM/link && chmod 4711 d2/SYSTEM/new && mkdir -p d2/SYSTEM/dev "
	"&& "
	"mkfifo d2/SYSTEM/dev/p && $gen a -s d1 -t d2 -o x.zip >out && grep -q '^directory SYSTEM/empty$' out && "
	"grep -q '^link SYSTEM/link$' out && unzip -p x.zip '*script' | grep -q 'system/new.*04711'",
	UNPACK "ln d2/SYSTEM/a d2/SYSTEM/b2 && $gen a -s d1 -t d2 -o x.zip >out && grep -q '^warning: d2: 2 names of 1 "
	       "files with hard' out && "
	       "grep -q '^whole SYSTEM/b2: ' out",
	/* A full temporary folder says nothing about the package. */
	UNPACK "rm d1/SYSTEM/[abcd] && $gen a -s d1 -t d2 -o x.zip >out && (trap '' XFSZ; ulimit -f 100; "
	       "$gen verify x.zip -s d1 2>err >out); test $? = 1 && grep -q 'no room to try it out in ' err",
	/* Only root may give capabilities: new ones, changed ones, those that go, and those of a file that changes. */
	ROOT UNPACK CAPABILITIES
	" 1/SYSTEM/bin/same 5, 1/SYSTEM/a 0, 1/SYSTEM/c 9, 2/SYSTEM/bin/same 40, 2/SYSTEM/new 13, 2/SYSTEM/c 9\" && "
	"$gen a -s d1 -t d2 -o x.zip >out && grep -q '^verified' out && grep -q '^attributes SYSTEM/bin/same' out && "
	"unzip -p x.zip '*script' >s && grep -q '/system/bin/same.*\"capabilities\", 0x10000000000)' s && "
	"grep -q '/system/new.*\"capabilities\", 0x2000)' s && grep -q '/system/a.*\"capabilities\", 0x0)' s && "
	"$gen verify x.zip -s d1 -t d2 >out && cp -a d2 d3 && " CAPABILITIES " 3/SYSTEM/c 8\" && "
	"! $gen verify x.zip -s d1 -t d3 2>err >out && grep -q '^differs: /system/c: has other capabilities than "
	"0x100$' out",
	/* What moves takes its own along, a copy has none. */
	ROOT UNPACK
	"mv d2/SYSTEM/c d2/SYSTEM/m && cp d2/SYSTEM/d d2/SYSTEM/copy && cp d2/SYSTEM/b d2/SYSTEM/copy2 && "
	"rm d2/SYSTEM/a && cp d1/SYSTEM/a d2/SYSTEM/n && " CAPABILITIES
	" 1/SYSTEM/a 7, 1/SYSTEM/c 9, 1/SYSTEM/d 8, 2/SYSTEM/d 8, 2/SYSTEM/n 7, 2/SYSTEM/copy2 6\" && "
	"$gen a -s d1 -t d2 -o x.zip --compat native >out && grep -q '^verified' out && "
	"grep -q '^rename SYSTEM/c -> SYSTEM/m' out && grep -q '^rename SYSTEM/a -> SYSTEM/n$' out && "
	"grep -q '^copy SYSTEM/. -> SYSTEM/copy: ' out && grep -q '^copy SYSTEM/. -> SYSTEM/copy2: ' out && "
	"unzip -p x.zip '*script' >s && grep -q '/system/m.*\"capabilities\", 0x0)' s && "
	"grep -q '/system/n.*\"capabilities\", 0x80)' s && grep -q '/system/copy2.*\"capabilities\", 0x40)' s",
	/* Extended attributes: of what stays, changes, moves, is copied, is new; of folders; those that go. */
	UNPACK "mv d2/SYSTEM/c d2/SYSTEM/m && cp d2/SYSTEM/b d2/SYSTEM/copy && mkdir d2/SYSTEM/dir && " XATTRS
	       "1/SYSTEM/bin/same user.a 1,1/SYSTEM/a user.b 2,1/SYSTEM/a user.gone 3,1/SYSTEM/b user.c 4,"
	       "1/SYSTEM/c user.d 5,2/SYSTEM/bin/same user.a 11,2/SYSTEM/a user.b 2,2/SYSTEM/m user.d 5,"
	       "2/SYSTEM/new user.e 6,2/SYSTEM/dir user.f 7,2/BOOTABLE_IMAGES/boot.img user.g 8\" || exit 0; "
	       "$gen a -s d1 -t d2 -o x.zip --compat native >out && grep -q '^verified' out && "
	       "grep -q '^attributes SYSTEM/bin/same$' out && unzip -p x.zip '*script' >s && "
	       "grep -q '^set_xattr(\"/system/bin/same\", \"user.a\", \"3131\");' s && "
	       "grep -q '^set_xattr(\"/system/a\", \"user.b\", \"32\");' s && "
	       "grep -q '^set_xattr(\"/system/a\", \"user.gone\", \"\");' s && "
	       "grep -q '^set_xattr(\"/system/copy\", \"user.c\", \"\");' s && "
	       "[ $(grep -c '^set_xattr' s) = 8 ] && $gen verify x.zip -s d1 -t d2 --compat native >out && "
	       "cp -a d2 d3 && " XATTRS "3/SYSTEM/m user.d 6,3/SYSTEM/d user.h 9\" && "
	       "! $gen verify x.zip -s d1 -t d3 --compat native 2>err >out && "
	       "grep -q '^differs: /system/m: has another extended attribute user.d$' out && "
	       "grep -q '^differs: /system/d: has no extended attribute user.h$' out && "
	       "! $gen verify x.zip -s d1 -t d1 --compat native 2>err >out && "
	       "grep -q '^differs: /system/bin/same: has another extended attribute user.a$' out",
	UNPACK XATTRS
	"2/SYSTEM/bin/same user.a 1,2/SYSTEM/new user.b 2\" || exit 0; $gen a -s d1 -t d2 -o x.zip >out && "
	"grep -q '^d2: 2 extended attributes are left out: they need --compat native$' out && "
	"! unzip -p x.zip '*script' | grep -q set_xattr && $gen verify x.zip -s d1 -t d2 >out && "
	"rm d2/SYSTEM/new && ! $gen l -s d1 -t d2 -o x.zip 2>err >out; "
	"$gen l -s d1 -t d2 -o x.zip --compat native >out && grep -q '^attributes SYSTEM/bin/same$' out",
	/* An archive tells nothing of them: those of the module stay. */
	UNPACK XATTRS
	"1/SYSTEM/bin/same user.a 1\" || exit 0; $gen a -s d1 -t v2/targetfiles.zip -o x.zip --compat native >out && "
	"! unzip -p x.zip '*script' | grep -q set_xattr",
	UNPACK "python3 -c \"import os; os.setxattr('d2/SYSTEM/new','user.a',b'')\" 2>err || exit 0; "
	       "$gen a -s d1 -t d2 -o x.zip >out && ! $gen a -s d1 -t d2 -o x.zip --compat native 2>err >out && "
	       "grep -q 'd2: SYSTEM/new: extended attribute user.a has 0 bytes' err",
	ROOT UNPACK CAPABILITIES
	" 2/SYSTEM/new 1 1\" && ! $gen a -s d1 -t d2 -o x.zip 2>err && grep -q 'SYSTEM/new: has cap' err",
	UNPACK "mkfifo d2/SYSTEM/p && ! $gen a -s d1 -t d2 -o x.zip 2>err && grep -q 'd2: SYSTEM/p is a device node or "
	       "FIFO, which needs --compat native' err",
	/* FIFOs: a new one, one that stays, that becomes a file or was one, another mode, one that goes. */
	UNPACK "mkfifo d1/SYSTEM/s d2/SYSTEM/s d2/SYSTEM/p d1/SYSTEM/gone d1/SYSTEM/f -m 600 && "
	       "chmod 644 d2/SYSTEM/s "
	       "&& mkdir d2/SYSTEM/deep && "
	       "mkfifo d2/SYSTEM/deep/q -m 640 && rm d2/SYSTEM/b && mkfifo d2/SYSTEM/b && echo f >d2/SYSTEM/f && "
	       "$gen a -s d1 -t d2 -o x.zip --compat native --json j >out && grep -q '^verified' out && "
	       "grep -q '^node SYSTEM/deep/q$' out && grep -q '^attributes SYSTEM/s$' out && "
	       "grep -q '^delete SYSTEM/gone$' out && grep -q '\"node\": {\"objects\": 3,' j && "
	       "unzip -p x.zip '*script' >s && grep -q '^make_node(\"/system/b\", \"p\", 0, 0);$' s && "
	       "grep -q '/system/deep/q.*\"mode\", 0640);' s && "
	       "[ $(grep -c '^make_node' s) = 3 ] && $gen verify x.zip -s d1 -t d2 >out && rm d2/SYSTEM/p && "
	       "! $gen verify x.zip -s d1 -t d2 2>err >out && "
	       "grep -q '^differs: /system/p: a node that should not be there' out",
	/* Devices, which only root may make: another number, another type, from a folder and from an image. */
	ROOT UNPACK "mknod d1/SYSTEM/c1 c 5 1; mknod d1/SYSTEM/c2 c 5 2; mknod d2/SYSTEM/c1 c 5 300; "
		    "mknod d2/SYSTEM/c2 b 5 2; test -b d2/SYSTEM/c2 || exit 0; "
		    "$gen l -s d1 -t d2 -o x.zip --compat native >out && grep -q '^verified' out && "
		    "unzip -p x.zip '*script' >s && grep -q '^make_node(\"/system/c1\", \"c\", 5, 300);$' s && "
		    "grep -q '^make_node(\"/system/c2\", \"b\", 5, 2);$' s && mkdir -p d3/BOOTABLE_IMAGES && "
		    "mksquashfs d2/SYSTEM d3/SYSTEM.squashfs -quiet -no-progress >out && "
		    "$gen verify x.zip l -s d1 -t d3 >out && rm d2/SYSTEM/c1 && mknod d2/SYSTEM/c1 c 5 301 && "
		    "! $gen verify x.zip l -s d1 -t d2 2>err >out && "
		    "grep -q '^differs: /system/c1: is node c 5:300, not c 5:301$' out",
	/* In figures: the schema, the sums, the size; nothing else on standard output. */
	"./update_gen.sh a --json - >out 2>err && ! test -s err && " PYTHON
	"j=json.load(open('out')); k=j['kinds']; o=j['objects']\n"
	"assert j['bytes']==os.path.getsize('update.zip') and j['package']=='update.zip' and j['verified']\n"
	"assert j['source']=={'file':'v1/targetfiles.zip','version':'one'}, j['source']\n"
	"assert j['parts']==['modem','linux','kernel','multifota']\n"
	"assert k['patch']['objects']==4 and k['whole']=={'objects':1,'package_bytes':3}\n"
	"assert sum(x['package_bytes'] for x in o)==sum(x['package_bytes'] for x in k.values())\n"
	"assert o[-1]=={'kind':'whole','path':'SYSTEM/new','old_bytes':0,'new_bytes':3,'package_bytes':3}, o\n\"",
	UNPACK "mv d2/SYSTEM/c d2/SYSTEM/m && $gen a -s d1 -t d2 -o x.zip --json j >log && " PYTHON
	       "o=[x for x in json.load(open('j'))['objects'] if x['kind']=='rename']\n"
	       "assert [(x['from'],x['path']) for x in o]==[('SYSTEM/c','SYSTEM/m')], o\n\"",
	"./update_gen.sh l --json j --no-verify >log && grep -q SYSTEM/new log && " PYTHON
	"j=json.load(open('j')); assert j['parts']==['linux'] and j['left_out']==[] and not j['verified']\n\"",
	"./update_gen.sh m --json j --allow-empty >log && " PYTHON
	"j=json.load(open('j')); assert j['parts']==['modem'] and j['left_out']==['linux']\n\"",
	"./update_gen.sh a --json none/j >log 2>err; test $? = 1 && grep -q 'none/j: cannot write' err",
	/* Whatever the machine is like: number of jobs, folder, temporary folder, umask, time zone, locale. */
	"for at in '' 1700000001; do export SOURCE_DATE_EPOCH=$at; ( ./update_gen.sh a --jobs 1 >log && mkdir -p t && "
	"umask 077 && "
	"TMPDIR=$PWD/t TZ=Asia/Tokyo LC_ALL=POSIX $gen a --jobs 7 -s $PWD/v1/targetfiles.zip -t "
	"$PWD/v2/targetfiles.zip -o $PWD/x.zip >out && cmp update.zip x.zip && grep '^patch ' log >l1 && "
	"grep '^patch ' out >l2 && cmp l1 l2 && [ $(stat -c %a x.zip) = 600 ] ) || exit 1; done",
};

START_TEST(documented_front)
{
	shell_check(truths[_i]);
}
END_TEST

TCase *front_tests(void)
{
	TCase *tests = tcase_create("front");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, documented_front, 0, sizeof(truths) / sizeof(truths[0]));
	return tests;
}
