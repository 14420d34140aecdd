/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

/*
 * The edify language of updater-script files: bytes to syntax tree to value. Pure: no file, device or clock; no global
 * state. Language and builtins: AOSP's edify as described in spec/lineage.md 1.1 and 1.2.
 *
 * What is better than there: every error carries line:column and the token; a script's unknown functions and wrong
 * argument counts are all found before anything runs; CRLF and a comment at the end of the file are accepted; the
 * length of a script costs no stack; a failure that nobody looked at ends the script (script_soft_failure).
 */
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct script;         /* a parsed script */
struct script_call;    /* one running call of a function */
struct script_failure; /* what a soft failure has to say */

/*
 * Bounds. Depth counts calls, parentheses and ifs inside each other, and is all that parsing and running take stack
 * for: less than 1 KiB for each level, and what the functions take. Everything else costs heap, at most some 50 bytes
 * for each byte of text. Beyond a bound the parser tells a finding.
 */
#define SCRIPT_MAX_DEPTH    256
#define SCRIPT_MAX_LENGTH   8388608 /* bytes of text */
#define SCRIPT_MAX_FINDINGS 1000    /* of one parse */

/* What a blob is, only the functions that make and take it know. */
struct script_blob {
	void (*release)(struct script_blob *blob); /* ends the blob, once */
};

/*
 * The result of an expression. Text is owned by the value, NUL-terminated, never NULL for SCRIPT_TEXT; a blob is owned
 * by the value too. False is the empty text; everything else, "0" and "false" included, is true.
 */
struct script_value {
	enum { SCRIPT_TEXT, SCRIPT_BLOB } type;
	char *text;
	struct script_blob *blob;
	/* NULL, or a soft failure that nobody looked at yet, owned: see script_soft_failure() */
	struct script_failure *failure;
};

enum script_parity { SCRIPT_ANY_COUNT, SCRIPT_EVEN_COUNT, SCRIPT_ODD_COUNT };

#define SCRIPT_NO_LIMIT (-1)

/*
 * A function of the language. run() gets a zeroed *result; it fills it and returns 0, or returns a negative errno
 * value, after script_abort() or handed on from another function of this header. What is in *result then is ended by
 * the caller. Whatever run() returns, the script ends once an argument or the call itself has aborted. A function asks
 * for its arguments one by one (script_argument), so that it may leave some of them unevaluated.
 */
struct script_function {
	const char *name; /* not that of a builtin: builtins cannot be replaced */
	int min_arguments;
	int max_arguments; /* or SCRIPT_NO_LIMIT */
	enum script_parity parity;
	int (*run)(struct script_call *call, struct script_value *result);
};

/* The functions a script may call, in any order. The builtins are always there and need not be listed. */
struct script_functions {
	const struct script_function *list;
	size_t count;
};

/* One finding of the parser. */
struct script_finding {
	unsigned line;   /* from 1 */
	unsigned column; /* from 1, in bytes */
	const char *message;
};

/*
 * Parse length bytes of text. All syntax errors, unknown functions and wrong argument counts are told to report() in
 * the order of the text (report may be NULL). Returns 0 and a script that script_free() ends, or -EINVAL when there was
 * any finding (*error: the first one, "line:column: ...", code RESULT_FORMAT), or -ENOMEM. The functions (NULL: only
 * the builtins) must outlive the script; the text need not.
 */
int script_parse(const char *text, size_t length, const struct script_functions *functions,
                 void (*report)(void *ctx, const struct script_finding *finding), void *ctx, struct script **script,
                 struct error *error);
void script_free(struct script *script);

/* Where an abort happened: at the name of the call that aborted or failed softly. */
struct script_place {
	unsigned line;   /* from 1 */
	unsigned column; /* from 1, in bytes */
};

struct script_environment {
	void *ctx;                                   /* for script_context() and the two below */
	void (*output)(void *ctx, const char *text); /* for the builtin stdout(); NULL: dropped */
	void (*sleep)(void *ctx, unsigned seconds);  /* for the builtin sleep(); NULL: no wait */
};

/*
 * Run a parsed script with the given context for its functions. On success fills *result with the script's value,
 * which script_value_clear() ends. On abort returns a negative errno value and the message in *error, as the lineage
 * words it ("assert failed: ...", "called abort()", the argument of abort()); error->code is what script_abort() was
 * given, 0 for an abort by the script itself. Control characters of the message are blanks there. The place is in
 * *where if that is not NULL. Out of memory: -ENOMEM, told in the same way. The first abort counts.
 *
 * A script whose value, or any discarded statement value, still carries a soft failure is aborted, at the call that
 * failed. The value may be a blob.
 */
int script_run(const struct script *script, const struct script_environment *environment, struct script_value *result,
               struct script_place *where, struct error *error);

/* For functions while they run. */

void *script_context(const struct script_call *call);
const char *script_call_name(const struct script_call *call); /* of the function, for messages */
int script_argument_count(const struct script_call *call);

/* Whether the script tries something else when the result is false: an operand of || is next, and not abort(). */
bool script_call_is_tried(const struct script_call *call);

/*
 * Evaluate argument number i (from 0). The caller ends the value. Fails when the evaluation aborted (value is zeroed
 * then): pass it on. An argument evaluated twice has its effects twice.
 */
int script_argument(struct script_call *call, int i, struct script_value *value);

/*
 * The same, for an argument that must be text; the caller frees it. A blob aborts with
 * "NAME(): expecting text, argument I is a blob" (I from 1).
 */
int script_argument_text(struct script_call *call, int i, char **text);

/* Source text of argument i as the script has it (for assert's message), not NUL-terminated. */
const char *script_argument_source(struct script_call *call, int i, size_t *length);

/* Results. All of them overwrite *result without ending what was there. -ENOMEM may be passed on without an abort. */
int script_result_text(struct script_value *result, const char *text);         /* copies */
int script_result_take(struct script_value *result, char *text);               /* takes; NULL is -ENOMEM */
int script_result_blob(struct script_value *result, struct script_blob *blob); /* takes the blob */

/*
 * The call failed softly: its result is text (usually ""), marked as a failure. The mark follows the value where the
 * value becomes that of a larger expression: last of a sequence, operand that && or || returns, branch of an if, the
 * false condition of an if without else. It is dropped when the script looks at the value: !, ==, !=, +, an operand of
 * || or && after which the next one is evaluated, any other condition, an argument of a function. If instead the value
 * is thrown away, the script aborts with the message given here (code: enum result_code). Only calls that change the
 * system do this; checks return a plain "".
 */
int script_soft_failure(struct script_call *call, struct script_value *result, const char *text, int code,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Abort the script. Returns a negative errno value to pass on. */
int script_abort(struct script_call *call, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Ends what the value owns and zeroes it. A zeroed value may be cleared. */
void script_value_clear(struct script_value *value);

/* The builtins, for listings. */
struct script_functions script_builtins(void);

#endif
