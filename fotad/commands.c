/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/commands.h"

#include "fotad/source.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call {
	const struct link_status *status;
	const struct at_command *command;
	struct at_reply *reply;
	struct commands_request *request;
	const struct log *log;
};

/* Text that may stand between quotes on one line. */
static const char *quotable(const char *text, char *safe, size_t size)
{
	(void)snprintf(safe, size, "%s", text);
	for (char *c = safe; *c; c++)
		if (*c == '"')
			*c = '\'';
		else if ((unsigned char)*c < ' ' || *c == '\x7F')
			*c = '?';
	return safe;
}

/* The parameter as a number of at most three digits; one that was left out has a default. */
static bool take_number(const struct call *call, unsigned index, uint32_t fallback, uint32_t *value)
{
	const char *text = index < call->command->parameters ? call->command->parameter[index] : NULL;

	*value = fallback;
	if (!text)
		return true;
	if (*text == '\0' || strlen(text) > 3 || strspn(text, "0123456789") != strlen(text))
		return false;
	*value = (uint32_t)strtoul(text, NULL, 10);
	return true;
}

static bool has_text(const struct call *call, unsigned index, const char *wanted)
{
	const char *text = index < call->command->parameters ? call->command->parameter[index] : NULL;

	return text && strcasecmp(text, wanted) == 0;
}

static void request(const struct call *call, enum link_kind kind)
{
	call->request->kind = kind;
	call->request->wanted = true;
}

/* ---- What the module runs ---- */

static const char *revision(const struct call *call, char *safe, size_t size)
{
	return quotable(call->status->revision[0] ? call->status->revision : "unknown", safe, size);
}

static bool identify(const struct call *call)
{
	char text[sizeof(call->status->revision)];

	if (call->command->form != AT_EXECUTE || call->command->number != 0)
		return false;
	if (call->status->project[0])
		at_say(call->reply, "%s", quotable(call->status->project, text, sizeof(text)));
	at_say(call->reply, "Revision: %s", revision(call, text, sizeof(text)));
	return true;
}

static bool print_revision(const struct call *call)
{
	char text[sizeof(call->status->revision)];

	if (call->command->form == AT_WRITE)
		return false;
	if (call->command->form != AT_TEST)
		at_say(call->reply, "%s", revision(call, text, sizeof(text)));
	return true;
}

/* ---- The upgrade ---- */

static bool print_state(const struct call *call)
{
	static const char *const names[] = {
		[LINK_IDLE] = "IDLE",     [LINK_DOWNLOADING] = "DOWNLOADING", [LINK_CHECKING] = "CHECKING",
		[LINK_ARMING] = "ARMING", [LINK_REBOOTING] = "REBOOTING",
	};
	const struct link_status *status = call->status;

	if (status->state >= sizeof(names) / sizeof(names[0]))
		return false;
	at_say(call->reply, "+QFOTADL: \"%s\",%u,%d", names[status->state], status->percent, status->last.code);
	return true;
}

/* Lines at most: none, or as many as are of use. */
static bool take_maximum(const struct call *call, unsigned index, uint32_t *value)
{
	return take_number(call, index, 100, value) && (*value == 0 || (*value >= 5 && *value <= 100));
}

static bool may_start_from(const struct call *call, const char *source)
{
	struct error error = {.message = ""};
	enum source_kind kind = SOURCE_PATH;

	if (source_parse(source, &kind, &error) == 0 && !call->status->plain_text &&
	    (kind == SOURCE_HTTP || kind == SOURCE_FTP))
		(void)snprintf(error.message, sizeof(error.message),
		               "plain http and ftp are not allowed here, see plain_text in the configuration");
	if (error.message[0]) {
		char safe[SOURCE_MAX + 1];

		log_printf(call->log, "AT+QFOTADL refused: %s: %s", source_print_safe(source, safe), error.message);
		return false;
	}
	return true;
}

static bool start(const struct call *call)
{
	struct link_start *wanted = &call->request->start;
	const char *source = call->command->parameter[0];

	if (call->command->parameters > 4 || !source || !take_number(call, 1, 0, &wanted->mode) || wanted->mode > 1 ||
	    !take_maximum(call, 2, &wanted->download_max) || !take_maximum(call, 3, &wanted->update_max))
		return false;
	if (call->status->state != LINK_IDLE || !may_start_from(call, source))
		return false;
	(void)snprintf(wanted->source, sizeof(wanted->source), "%s", source);
	request(call, LINK_START);
	return true;
}

static bool upgrade(const struct call *call)
{
	switch (call->command->form) {
	case AT_TEST:
		at_say(call->reply, "+QFOTADL: <url>,(0,1),(0,5-100),(0,5-100)");
		return true;
	case AT_READ:
		return print_state(call);
	case AT_WRITE:
		return start(call);
	default:
		return false;
	}
}

static bool stop(const struct call *call)
{
	uint32_t state = call->status->state;

	if (call->command->form == AT_TEST)
		return true;
	if (call->command->form != AT_EXECUTE ||
	    (state != LINK_DOWNLOADING && state != LINK_CHECKING && !(state == LINK_IDLE && call->status->waits)))
		return false;
	request(call, LINK_CANCEL);
	return true;
}

static bool print_last(const struct call *call)
{
	const struct link_result *last = &call->status->last;
	char object[sizeof(last->object)];
	char reason[sizeof(last->reason)];
	int room;

	if (call->command->form == AT_TEST)
		return true;
	if (call->command->form != AT_READ)
		return false;
	(void)quotable(last->object, object, sizeof(object));
	(void)quotable(last->reason, reason, sizeof(reason));
	/* The line is bounded; cut the reason rather than its closing quote. */
	room = AT_REPLY_MAX - (int)strlen("+QFOTALOG: -2147483648,\"\",\"\"") - (int)strlen(object);
	at_say(call->reply, "+QFOTALOG: %d,\"%s\",\"%.*s\"", last->code, object, room, reason);
	return true;
}

/* ---- What hosts send by habit ---- */

static bool function_level(const struct call *call)
{
	uint32_t level;
	uint32_t reset;

	switch (call->command->form) {
	case AT_TEST:
		at_say(call->reply, "+CFUN: (1),(0,1)");
		return true;
	case AT_READ:
		at_say(call->reply, "+CFUN: 1");
		return true;
	case AT_WRITE:
		break;
	default:
		return false;
	}
	if (call->command->parameters > 2 || !take_number(call, 0, 0, &level) || level != 1 ||
	    !take_number(call, 1, 0, &reset) || reset > 1)
		return false;
	if (reset)
		request(call, LINK_REBOOT);
	return true;
}

/* X tells which results a call may have, &C and &D what two wires of a modem cable mean: there is nothing of it here.
 */
static bool accept_up_to(const struct call *call, unsigned highest)
{
	return call->command->form == AT_EXECUTE && call->command->number <= highest;
}

static bool accept_call_results(const struct call *call)
{
	return accept_up_to(call, 4);
}

static bool accept_carrier(const struct call *call)
{
	return accept_up_to(call, 1);
}

static bool accept_terminal_ready(const struct call *call)
{
	return accept_up_to(call, 2);
}

/* Never answers a call; CR, LF and backspace are what they are. */
static bool s_register(const struct call *call)
{
	static const struct {
		unsigned number;
		uint32_t value;
	} registers[] = {{0, 0}, {3, '\r'}, {4, '\n'}, {5, '\b'}};
	uint32_t value;

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (registers[i].number != call->command->number)
			continue;
		if (call->command->form == AT_READ)
			at_say(call->reply, "%03u", registers[i].value);
		return call->command->form == AT_READ ||
		       (call->command->form == AT_WRITE && call->command->parameters == 1 &&
		        take_number(call, 0, 256, &value) && value == registers[i].value);
	}
	return false;
}

/* +CME ERROR is for errors of equipment and network; ours are all of syntax, for which every level has ERROR. */
static bool accept_error_level(const struct call *call)
{
	uint32_t level;

	return call->command->form == AT_WRITE && call->command->parameters == 1 && take_number(call, 0, 3, &level) &&
	       level <= 2;
}

/* All URCs to all ports: that is how it is, and nothing else can be had. */
static bool accept_indications(const struct call *call)
{
	return call->command->form == AT_WRITE && has_text(call, 0, "all") && has_text(call, 1, "1");
}

static bool accept_urc_port(const struct call *call)
{
	return call->command->form == AT_WRITE && has_text(call, 0, "urcport") && has_text(call, 1, "all");
}

bool commands_run(const struct link_status *status, const struct at_command *command, struct at_reply *reply,
                  struct commands_request *request, const struct log *log)
{
	static const struct {
		const char *name;
		bool (*run)(const struct call *call);
	} commands[] = {
		{"I", identify},
		{"+GMR", print_revision},
		{"+CGMR", print_revision},
		{"+QGMR", print_revision},
		{"+QFOTADL", upgrade},
		{"+QFOTASTOP", stop},
		{"+QFOTALOG", print_last},
		{"+CFUN", function_level},
		{"X", accept_call_results},
		{"&C", accept_carrier},
		{"&D", accept_terminal_ready},
		{"S", s_register},
		{"+CMEE", accept_error_level},
		{"+QINDCFG", accept_indications},
		{"+QURCCFG", accept_urc_port},
	};
	struct call call = {status, command, reply, request, log};

	*request = (struct commands_request){.wanted = false};
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, command->name) == 0)
			return commands[i].run(&call);
	return false;
}
