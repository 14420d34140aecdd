/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_SOURCE_H
#define FOTAD_SOURCE_H

/*
 * Where a package may come from: the <url> of AT+QFOTADL (spec/requirements.md 3.2), a path of the module or a URL
 * after RFC 3986. What is let through means the same to every reader of URLs: one '@' at most, no blanks, control
 * characters, quotes or backslashes.
 */
#include "base/error.h"

#define SOURCE_MAX 255 /* bytes */

enum source_kind { SOURCE_PATH, SOURCE_HTTP, SOURCE_HTTPS, SOURCE_FTP };

/* 0, or -EINVAL with the reason, which never quotes the source: it may hold a password. */
int source_parse(const char *text, enum source_kind *kind, struct error *error);

/* The source for logs, be it good or bad: without user, password, query and fragment, and on one line. Returns safe. */
const char *source_print_safe(const char *text, char safe[SOURCE_MAX + 1]);

#endif
