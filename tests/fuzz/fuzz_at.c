/* SPDX-License-Identifier: Apache-2.0 */
/* What a port sends to fotad. Whatever came before, ATZ and AT are answered with OK. */
#include "fotad/at.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct output {
	char last[6]; /* bytes */
	size_t length;
};

static void to_output(void *ctx, const char *data, size_t length)
{
	struct output *output = ctx;

	for (size_t i = 0; i < length; i++) {
		memmove(output->last, output->last + 1, sizeof(output->last) - 1);
		output->last[sizeof(output->last) - 1] = data[i];
	}
	output->length += length;
}

static bool run(void *ctx, const struct at_command *command, struct at_reply *reply)
{
	(void)ctx;
	for (unsigned i = 0; i < command->parameters; i++)
		if (command->parameter[i])
			at_say(reply, "%s: %s", command->name, command->parameter[i]);
	return command->form != AT_TEST;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct output output = {.length = 0};
	struct at_session session = {.run = run, .write = to_output, .ctx = &output};

	at_session_reset(&session);
	at_session_feed(&session, data, size);
	at_session_feed(&session, "\rATZ\rAT\r", 8);
	if (memcmp(output.last, "\r\nOK\r\n", sizeof(output.last)) != 0)
		abort();
	return 0;
}
