/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that are encrypted when they are made, or afterwards. */
#include "suites.h"

#include "harness.h"
#include "tests/package/signing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static char folder[64];

static const char *path_of(const char *name)
{
	static char paths[2][128];
	static unsigned next;
	char *path = paths[next++ % 2];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void setup(void)
{
	static const struct item source[] = {ITEM_END};
	static const struct item target[] = {ITEM_FILE("SYSTEM/new", 0644, "new"), ITEM_END};

	(void)snprintf(folder, sizeof(folder), "/tmp/test_gentools.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_firmware(path_of("source.zip"), source);
	write_firmware(path_of("target.zip"), target);
	ck_assert_int_eq(mkdir(path_of("keys"), 0755), 0);
	signing_write_pair(SIGNING_ED25519, path_of("sign.pem"), path_of("keys/sign.pem"));
	signing_write_crypt_pair(path_of("keys/a.key"), path_of("a.pub"));
	signing_write_crypt_pair(path_of("b.key"), path_of("b.pub"));
}

/* In the folder, with $gen, and $plain for what says whether it is a plain zip. */
static bool is_true(const char *command)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "cd %s && gen=%s && { %s; } >out 2>err", folder, UPDATE_GEN, command);
	return system(text) == 0; /* NOLINT(cert-env33-c): the shell's view is what is tested */
}

static void teardown(void)
{
	ck_assert(is_true("rm -r ../${PWD##*/}"));
}

#define MAKE   "$gen a --source source.zip --target target.zip "
#define VERIFY "$gen verify --source source.zip --target target.zip "

static const char *const truths[] = {
	/* Afterwards: to another file, or in its place; twice it is not the same. */
	MAKE "-o x.zip && $gen encrypt x.zip --to a.pub -o y && head -c 8 y | grep -q QFOTAENC && unzip -tq x.zip",
	MAKE "-o x.zip && cp x.zip y && $gen encrypt x.zip -t a.pub && ! cmp -s x.zip y && head -c 8 x.zip | grep -q "
	     "QFOTAENC && ! test -e x.zip.part",
	MAKE "-o x.zip && $gen encrypt x.zip -t a.pub -o y && $gen encrypt x.zip -t a.pub -o z && ! cmp -s y z",
	/* At once, behind proof and signature: as large as the signed one and the container. */
	MAKE "-o x.zip --sign sign.pem && " MAKE "-o y.zip --sign sign.pem --encrypt a.pub --encrypt b.pub >log && "
	     "grep -q ^verified: log && test $(stat -c %s y.zip) = $(($(stat -c %s x.zip) + 56 + 80 + 16)) && "
	     "! ls | grep part",
	"! " MAKE "-o y.zip --encrypt none && test -s err && ! test -e y.zip",
	"! " MAKE "-o y.zip --encrypt sign.pem && grep -q 'sign.pem: no X25519' err && ! test -e y.zip",
	/* Of two packages both. */
	MAKE "-o y.zip --minimal --max-package 4K --encrypt a.pub >log && grep -q ^verified: log && "
	     "head -c 8 y.zip | grep -q QFOTAENC && head -c 8 y-2.zip | grep -q QFOTAENC && ! ls | grep part",
	/* What a module has room for is what reaches it, whether the package is tried out or not. */
	MAKE "-o x.zip --encrypt a.pub && size=$(stat -c %s x.zip) && " MAKE "-o y.zip --encrypt a.pub --max-package "
	     "$size >log && grep -q \"^needs: package $size \" log && ! " MAKE
	     "-o z.zip --encrypt a.pub --max-package $((size - 1)) && ! test -e z.zip && "
	     "grep -q \"z.zip: package: $size bytes are needed, at most $((size - 1)) are allowed\" err",
	MAKE "-o x.zip --encrypt a.pub && size=$(stat -c %s x.zip) && ! " MAKE
	     "-o z.zip --encrypt a.pub --no-verify --max-package $((size - 1)) && ! test -e z.zip && "
	     "grep -q \"z.zip: package: $size bytes are needed\" err",
	MAKE "-o x.zip && size=$(stat -c %s x.zip) && " MAKE "-o z.zip --no-verify --max-package $size",
	/* Who has a key can prove it as it is, and what it needs is what reaches a module; two packages, too. */
	MAKE "-o x.zip --encrypt a.pub --encrypt b.pub >log && " VERIFY "x.zip --key b.key >log && grep -q ^verified: "
	     "log && grep -q \"package $(stat -c %s x.zip) \" log",
	MAKE "-o x.zip --minimal --max-package 4K --encrypt b.pub >log && " VERIFY "x.zip --key b.key >log && "
	     "grep -q ^verified: log",
	MAKE "-o x.zip --encrypt a.pub >log && ! " VERIFY "x.zip && grep -q 'x.zip: it is encrypted: .*--key' err",
	MAKE "-o x.zip --encrypt a.pub >log && ! " VERIFY "x.zip --key b.key && grep -q 'none of 1 keys here' err",
	MAKE "-o x.zip >log && " VERIFY "x.zip --key b.key && ! " VERIFY
	     "x.zip --key b.pub && grep -q 'b.pub: no whole PRIVATE' err && ! " VERIFY
	     "x.zip --key none && grep -q 'none: No such' err",
	MAKE "-o x.zip --encrypt b.pub >log && printf X | dd of=x.zip bs=1 seek=120 conv=notrunc && ! " VERIFY
	     "x.zip --key b.key && grep -q 'not as it was encrypted' err",
	"! " MAKE "-o x.zip --key b.key; test $? = 0 && grep -q 'for verify' err && ! test -e x.zip",
	MAKE
	"-o x.zip --encrypt a.pub >log && ! $gen sign x.zip --key sign.pem && grep -q 'x.zip: it is encrypted' err "
	"&& ! test -e x.zip.part",
	/* Usage. */
	"$gen encrypt --help | grep -q x25519",
	"$gen encrypt; test $? = 2",
	"$gen encrypt source.zip; test $? = 2",
	"$gen encrypt --to a.pub; test $? = 2",
	"$gen encrypt a b --to a.pub; test $? = 2",
	"$gen encrypt source.zip --unknown; test $? = 2",
	"$gen encrypt none.zip --to a.pub; test $? = 1 && grep -q 'none.zip: No such' err",
	"$gen encrypt source.zip --to keys/a.key; test $? = 1 && grep -q 'a.key: no X25519 public key' err",
	"$gen encrypt source.zip --to a.pub -o y && ! $gen encrypt y --to a.pub && grep -q 'encrypted already' err",
};

START_TEST(test_truths)
{
	ck_assert_msg(is_true(truths[_i]), "not true: %s", truths[_i]);
}
END_TEST

TCase *encrypt_tests(void)
{
	TCase *tests = tcase_create("encrypt");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_truths, 0, sizeof(truths) / sizeof(truths[0]));
	return tests;
}
