/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SCRIPT_HARNESS_H
#define TESTS_SCRIPT_HARNESS_H

/* One script through parser and run, with functions that show what the language does with them. */
#include "script/script.h"

#include <check.h>

#define SOFT_CODE 510
#define FAIL_CODE 511

/*
 * The functions, beside the builtins:
 * soft([text[, message]])  soft failure "soft failed" of code 510, result text or ""
 * trace(x...)              notes its arguments, returns the last
 * blob()                   a blob
 * kind(x)                  "text" or "blob"
 * fail([x])                aborts "fail: no reason", code 511
 * messy()                  the same with a result left behind
 * deaf(x)                  "t", whatever became of x
 * nothing()                success without a result
 * broken()                 -EIO without an abort
 * late(x)                  soft failure "late failed" made before x is evaluated
 * backwards(x...)          its arguments joined, from the last to the first
 * beyond(x)                asks for an argument that is not there
 * even(...) odd(...) two(a,b) one_or_more(...) up_to_one(...)   counts only
 */
struct script_functions harness_functions(void);

struct outcome {
	/* of the parser */
	int parsed;
	char findings[4096]; /* "line:column: message\n" each */
	unsigned finding_count;
	/* of the run, if there was one */
	int rc;
	bool blob;       /* the value is one */
	bool marked;     /* the value still carries a soft failure: never */
	char text[1024]; /* the value */
	struct script_place where;
	struct error error; /* of parser or run */
	/* of the functions */
	char trace[1024];
	char output[256];
	unsigned slept;
	int blobs; /* made and not released yet */
};

/* Parse, and run if that worked. All is released again; outcome.blobs tells whether all blobs were. */
struct outcome harness_run(const char *text, size_t length);
struct outcome harness_run_text(const char *text);

/* The tests. */
Suite *suite_values(void);
Suite *suite_findings(void);
Suite *suite_aborts(void);
Suite *suite_soft(void);
Suite *suite_limits(void);
Suite *suite_hostile(void);
Suite *suite_memory(void);

#endif
