/* SPDX-License-Identifier: Apache-2.0 */
/* /cache/recovery/command, and the same bytes as lines of the updater's pipe. */
#include "recovery/arguments.h"
#include "recovery/pipe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_command_file(char *text)
{
	struct arguments arguments = {.source = ARGUMENTS_COMMAND};
	struct request request;

	arguments.count = arguments_split(text, arguments.items, NULL);
	for (unsigned i = 0; i < arguments.count; i++) {
		size_t length = strlen(arguments.items[i]);

		if (length == 0 || length > COMMAND_LINE_MAX)
			abort();
	}
	request_parse(&request, &arguments, "/cache", NULL);
	if (request.upgrade != (request.package[0] != '\0'))
		abort();
}

static void as_pipe_lines(char *text)
{
	struct pipe_state state = {0};
	uint64_t now = 0;
	double last = 0;
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		double fraction;

		pipe_line(&state, line, now, NULL);
		now += 700;
		fraction = pipe_fraction(&state, now);
		if (!(fraction >= last && fraction <= 1.000001))
			abort();
		last = fraction;
		if (state.code < 0 || state.code > 999)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	as_command_file(text);
	memcpy(text, data, size);
	as_pipe_lines(text);
	free(text);
	return 0;
}
