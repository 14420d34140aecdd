/* SPDX-License-Identifier: Apache-2.0 */
/* The delta command, as a shell sees it. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>

#define MANUAL TEST_DATA "/../../gentools/delta.1"

/* Fails with this in standard error, and leaves neither NEW nor a part of it. */
#define FAILS(words) " 2>err >out; test $? = 1 && grep -q '" words "' err && ! ls x x.part 2>/dev/null"
#define WRONG_USAGE  " 2>err >out; test $? = 2 && test -s err && ! test -s out"
#define JSON(truth)                                                                                                    \
	" --json | python3 -c \"import json,os,sys; told=json.load(sys.stdin); size=os.path.getsize; "                 \
	"sys.exit(not (" truth "))\""
#define MADE "$delta make old new p && "
/* A bit of the last record's body. */
#define FLIP "python3 -c \"data = bytearray(open('p', 'rb').read()); data[-20] ^= 4; open('p', 'wb').write(data)\" && "
#define LEBS "$delta make old new p --leb 4096 && "

/*
 * In a folder with old and new, which differ here and there; other, which is as large as old; an empty file; a folder.
 * Each must be true.
 */
static const char *const truths[] = {
	MADE "$delta apply old p x && cmp x new && test $(wc -c <p) -lt $(wc -c <old)",
	LEBS "$delta apply old p x && cmp x new && test $(wc -c <p) -lt $(wc -c <new)",
	/* Source and target grow and shrink down to nothing. */
	"$delta make empty new p && $delta apply empty p x && cmp x new",
	"$delta make empty new p --leb 4096 && $delta apply empty p x && cmp x new",
	"$delta make old empty p && $delta apply old p x && cmp x empty",
	"$delta make old empty p --leb 4096 && $delta apply old p x && cmp x empty",
	"$delta make new old p --leb 4096 && $delta apply new p x && cmp x old",
	/* The result may take the place of what it is made of. */
	MADE "$delta apply old p old && cmp old new",
	/* What a patch says of itself. */
	MADE "$delta info p >out && grep -q \"^source .* $(sha256sum <old | cut -d' ' -f1)$\" out && "
	     "grep -q \"^target .* $(sha256sum <new | cut -d' ' -f1)$\" out && ! grep -q 'in place' out",
	LEBS "$delta info p | grep -q '^in place .* units of 4096 bytes'",
	MADE "$delta info p" JSON("told['source'] == size('old') and told['target'] == size('new') and "
                                  "told['patch'] == size('p') and told['in_place'] is False and told['memory'] > 0"),
	LEBS "$delta info p" JSON("told['in_place'] is True and told['unit'] == 4096 and "
                                  "0 < told['changed'] == told['frames'] <= size('new') // 4096 + 1"),
	MADE "$delta info p 2>err >/dev/full; test $? = 1 && grep -q 'cannot be written' err",
	/* A limit of memory is kept, or there is no patch. */
	"$delta make old new x --max-memory 1" FAILS("bytes of memory at least, and 1 are allowed"),
	"$delta make old new p --max-memory 200K && $delta info p" JSON(
		"told['memory'] <= 200 << 10") " && $delta apply old p x && cmp x new",
	/* Another old file, which only the digests can tell. */
	MADE "$delta apply other p x" FAILS("OLD is not what the patch was made of"),
	LEBS "$delta apply other p x" FAILS("unit [0-9]* comes out wrong"),
	MADE "$delta apply empty p x" FAILS("delta: "),
	LEBS "$delta apply empty p x" FAILS("old content: 0 bytes, and the patch is for"),
	/* Damaged patches: cut at any record's end or within one, a bit flipped. */
	MADE "for n in 0 7 8 60 $(($(wc -c <p) - 1)); do head -c $n p >cut; $delta apply old cut x" FAILS(
		"delta: patch: ") " || exit 1; $delta info cut" FAILS("delta: patch: ") " || exit 1; done",
	LEBS
	"for n in 60 $(($(wc -c <p) / 2)) $(($(wc -c <p) - 1)); do head -c $n p >cut; $delta apply old cut x" FAILS(
		"delta: patch: ") " || exit 1; done",
	MADE FLIP "$delta apply old p x" FAILS("a record is damaged"),
	LEBS FLIP "$delta apply old p x" FAILS("a record is damaged"),
	MADE FLIP "$delta info p" FAILS("a record is damaged"),
	"$delta apply old other x" FAILS("neither BSDIFF40"),
	"printf BSDIFF40%024d 0 >b; $delta apply old b x" FAILS("delta: patch: "),
	/* What is not there, or is no file. */
	"$delta make none new x" FAILS("none: No such file"),
	"$delta make old none x" FAILS("none: No such file"),
	"$delta make folder new x" FAILS("folder: Is a directory"),
	"$delta make old folder x" FAILS("folder: Is a directory"),
	"$delta make old new none/x" FAILS("none/x.part: No such file"),
	"$delta make old new folder" FAILS("folder: is a folder"),
	MADE "$delta apply none p x" FAILS("none: No such file"),
	MADE "$delta apply folder p x" FAILS("folder: Is a directory"),
	MADE "$delta apply old p folder" FAILS("folder: is a folder"),
	"$delta apply old none x" FAILS("none: No such file"),
	"$delta apply old folder x" FAILS("folder: Is a directory"),
	"$delta info none" FAILS("none: No such file"),
	"$delta info folder" FAILS("folder: Is a directory"),
	/* Who has the name keeps it when nothing comes of the new one. */
	"echo mine >kept; $delta make old new kept --max-memory 1 2>err; test $? = 1 && test $(cat kept) = mine",
	MADE "echo mine >kept; $delta apply other p kept 2>err; test $? = 1 && test $(cat kept) = mine",
	LEBS "echo mine >kept; $delta apply other p kept 2>err; test $? = 1 && test $(cat kept) = mine",
	MADE FLIP "echo mine >kept; $delta apply old p kept 2>err; test $? = 1 && test $(cat kept) = mine",
	/* The command line. */
	"$delta" WRONG_USAGE,
	"$delta make" WRONG_USAGE,
	"$delta make old new" WRONG_USAGE,
	"$delta make old new x y" WRONG_USAGE " && ! test -e x",
	MADE "$delta apply old p" WRONG_USAGE,
	MADE "$delta info p p" WRONG_USAGE,
	"$delta info" WRONG_USAGE,
	"$delta mend old new x" WRONG_USAGE,
	"$delta make old new x --unknown" WRONG_USAGE,
	"$delta make old new x --json" WRONG_USAGE " && ! test -e x",
	MADE "$delta apply old p x --leb 4096" WRONG_USAGE " && ! test -e x",
	MADE "$delta info p --max-memory 1M" WRONG_USAGE,
	"$delta make old new x --leb 0" WRONG_USAGE,
	"$delta make old new x --leb 5G" WRONG_USAGE,
	"$delta make old new x --max-memory lots" WRONG_USAGE,
	"$delta --help >out 2>err && grep -q '^Usage: delta make' out && ! test -s err",
	"$delta --version >out && grep -q '^delta [0-9]' out",
	/* The manual has every option, and no other. */
	"$delta --help | grep -o -e '--[a-z-]*' | sort -u >known && sed 's/\\\\-/-/g' " MANUAL
	" | grep -o -e '--[a-z-]*' | sort -u | diff known -",
};

static void run(const char *commands, const char *told)
{
	ck_assert_msg(system(commands) == 0, "not true: %s", told); /* NOLINT(cert-env33-c): it is a shell script */
}

START_TEST(truth)
{
	char folder[] = "/tmp/test_delta.XXXXXX";
	char text[2048];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(text, sizeof(text),
	               "cd %s && delta='%s' && seq 20000 >old && sed 's/99$/new/; s/777/7/' old >new && "
	               "tr 0-9 1-90 <old >other && : >empty && mkdir folder && { %s; }",
	               folder, DELTA, truths[_i]);
	run(text, truths[_i]);
	(void)snprintf(text, sizeof(text), "rm -r %s", folder);
	run(text, text);
}
END_TEST

TCase *delta_command_tests(void)
{
	TCase *tests = tcase_create("delta command");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, truth, 0, sizeof(truths) / sizeof(truths[0]));
	return tests;
}
