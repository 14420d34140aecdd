/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/*
 * Result codes of an upgrade: the <err> of +QIND: "FOTA","END",<err>.
 * Source: the application note's tables 3 and section 3.6 (spec/requirements.md 3.4).
 */
enum result_code {
	RESULT_OK = 0,
	RESULT_UNPACK = 501,    /* package cannot be decompressed, or no room for it */
	RESULT_ABNORMAL = 502,  /* the upgrade process ended abnormally */
	RESULT_DIGEST = 503,    /* MD5 of the package's content differs */
	RESULT_FORMAT = 504,    /* not an upgrade package; it is deleted */
	RESULT_PRECHECK = 505,  /* refused before the switch to recovery */
	RESULT_VERIFY = 510,    /* an object is neither source nor target, or the result is wrong */
	RESULT_SPACE = 511,     /* out of space during the upgrade */
	RESULT_UNSIGNED = 520,  /* the package must be signed and is not */
	RESULT_UNTRUSTED = 521, /* signed, but by no key that is trusted */
	RESULT_TAMPERED = 522,  /* the signature does not match the package */
	RESULT_ROLLBACK = 523,  /* the package leads to an older version than the one that runs */
	RESULT_SEALED = 524,    /* the package is encrypted, and no key here opens it */
	RESULT_FORGED = 525,    /* an encrypted package is not as it was encrypted */
	RESULT_TOO_LARGE = 550, /* package too large for the user data volume */
};

/*
 * Why something failed, for whoever must report it. A function that takes a `struct error *` returns 0 or a negative
 * errno value and fills the error exactly when it fails; the pointer may be NULL when nobody wants to know.
 */
#define ERROR_MESSAGE_SIZE 512

struct error {
	int code;                         /* enum result_code, 0 when the failing room has no opinion */
	char message[ERROR_MESSAGE_SIZE]; /* one line without newline: the path, the cause, expected and found values */
};

/* Fill *error (unless NULL) and return -err, so that a failure is one statement. err is a positive errno value. */
int error_set(struct error *error, int code, int err, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Put "context: " in front of a message that is already there. Returns nothing: the failure keeps its code. */
void error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
