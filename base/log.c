/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_printf(const struct log *log, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!log || !log->line)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log->line(log->ctx, text);
}

static void file_line(void *ctx, const char *text)
{
	FILE *file = ctx;

	/* A log that cannot be written is no reason to stop an upgrade. */
	(void)fprintf(file, "%s\n", text);
	(void)fflush(file);
}

struct log log_to_stdout(void)
{
	return (struct log){.line = file_line, .ctx = stdout};
}

struct log log_to_stderr(void)
{
	return (struct log){.line = file_line, .ctx = stderr};
}
