/* SPDX-License-Identifier: Apache-2.0 */
/* What each option does to a package, and what it does not do. */
#include "suites.h"

#include "shell.h"

#define MAKE         "$gen a -s v1/targetfiles.zip -t v2/targetfiles.zip "
#define FAILS(cause) " >out 2>err; test $? = 1 && grep -q '" cause "' err"

static const char *const truths[] = {
	/* A device or a folder is not replaced by a package, whichever command makes it. */
	"mkdir at; ln -s /dev/null null; " MAKE "-o at" FAILS("at: is a folder") " && ! test -s out && rmdir at",
	"ln -s /dev/null null; " MAKE "-o null" FAILS("null: is no file") " && test -c null && test -L null",
	MAKE "-o x.zip >out && openssl genpkey -algorithm ed25519 -out key && ln -s /dev/null null && "
	     "$gen sign x.zip -k key -o null" FAILS("null: is no file") " && test -c null",
	MAKE "-o x.zip >out && openssl genpkey -algorithm x25519 | openssl pkey -pubout -out key && "
	     "ln -s /dev/null null && $gen encrypt x.zip -t key -o null" FAILS("null: is no file") " && test -c null",
	"ln -s /dev/null null; $gen app v1 --to /usrdata/app -o null" FAILS("null: is no file") " && test -c null",
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
