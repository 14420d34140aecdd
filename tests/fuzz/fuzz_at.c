/* SPDX-License-Identifier: Apache-2.0 */
/* What a port sends to fotad, down to the commands. Whatever came before, ATZ and AT are answered with OK. */
#include "fotad/at.h"
#include "fotad/commands.h"
#include "fotad/source.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct module {
	struct link_status status;
	char last[6]; /* bytes of output */
};

static void to_output(void *ctx, const char *data, size_t length)
{
	struct module *module = ctx;

	for (size_t i = 0; i < length; i++) {
		memmove(module->last, module->last + 1, sizeof(module->last) - 1);
		module->last[sizeof(module->last) - 1] = data[i];
	}
}

static bool is_maximum(uint32_t value)
{
	return value == 0 || (value >= 5 && value <= 100);
}

/* What the keeper may rely on, and the log on what is shown of a source. */
static void check_start(const struct link_start *start)
{
	char safe[SOURCE_MAX + 1];
	enum source_kind kind;

	if (source_parse(start->source, &kind, NULL) < 0 || start->mode > 1 || !is_maximum(start->download_max) ||
	    !is_maximum(start->update_max))
		abort();
	(void)source_print_safe(start->source, safe);
	if (kind != SOURCE_PATH && strpbrk(safe, "?# \"\\"))
		abort();
}

static bool run(void *ctx, const struct at_command *command, struct at_reply *reply)
{
	struct module *module = ctx;
	struct commands_request request;
	bool good = commands_run(&module->status, command, reply, &request, NULL);
	char safe[SOURCE_MAX + 1];

	if (command->parameters > 0 && command->parameter[0])
		(void)source_print_safe(command->parameter[0], safe);
	if (!request.wanted)
		return good;
	if (!good)
		abort();
	if (request.kind == LINK_START) {
		check_start(&request.start);
		module->status.state = LINK_DOWNLOADING;
	} else {
		module->status.state = LINK_IDLE;
	}
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct module module = {
		.status = {.last = {.code = 510, .object = "SYSTEM/\"a\"", .reason = "b\r"}, .plain_text = true}};
	struct at_session session = {.run = run, .write = to_output, .ctx = &module};

	at_session_reset(&session);
	at_session_feed(&session, data, size);
	at_session_feed(&session, "\rATZ\rAT\r", 8);
	if (memcmp(module.last, "\r\nOK\r\n", sizeof(module.last)) != 0)
		abort();
	return 0;
}
