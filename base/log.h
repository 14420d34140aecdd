/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Where a room's remarks go: whoever runs the room decides. A NULL log, or one without a line function, is silent. */
struct log {
	void (*line)(void *ctx, const char *text); /* one line, no newline */
	void *ctx;
};

void log_printf(const struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A log that writes "text\n" to standard output or standard error. */
struct log log_to_stdout(void);
struct log log_to_stderr(void);

#endif
