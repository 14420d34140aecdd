/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, int code, int err, const char *format, ...)
{
	va_list args;

	if (error) {
		error->code = code;
		va_start(args, format);
		(void)vsnprintf(error->message, sizeof(error->message), format, args);
		va_end(args);
	}
	return -err;
}

void error_prefix(struct error *error, const char *format, ...)
{
	char context[ERROR_MESSAGE_SIZE / 2];
	char cause[ERROR_MESSAGE_SIZE];
	va_list args;

	if (!error)
		return;
	va_start(args, format);
	(void)vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	(void)snprintf(cause, sizeof(cause), "%s", error->message);
	(void)snprintf(error->message, sizeof(error->message), "%s: %.*s", context,
	               ERROR_MESSAGE_SIZE - (int)sizeof(context) - 3, cause);
}
