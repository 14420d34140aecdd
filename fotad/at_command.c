/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/at.h"

#include "base/bytes.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *skip_blanks(char *text)
{
	return text + strspn(text, " \t");
}

/* Length of the quotation mark that begins here: typed, or as it comes out of a document (UTF-8); 0: none does. */
static size_t quote_length(const char *text)
{
	static const char *const marks[] = {"\"", "\xE2\x80\x9C", "\xE2\x80\x9D"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strncmp(text, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	return 0;
}

/* V.250 5.4.2.2: a backslash and two hexadecimal digits stand for a byte. */
static char unescape(char **text)
{
	char *at = *text;

	if (at[0] == '\\' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0 && (at[1] != '0' || at[2] != '0')) {
		*text = at + 3;
		return (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
	}
	*text = at + 1;
	return *at;
}

static void cut_blanks(char *start, char *end)
{
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
}

/* The string in quotes; *text moves behind the closing one. */
static char *take_quoted(char **text)
{
	char *from = *text + quote_length(*text);
	char *start = from;
	char *to = from;

	while (*from && quote_length(from) == 0)
		*to++ = unescape(&from);
	*text = from + quote_length(from);
	if (*from == '\0')
		cut_blanks(start, to);
	else
		*to = '\0';
	return start;
}

/* What ends the command or the parameter: '\0', ';' or ','. Nothing else may stand there. */
static int take_end(char **text, char *end)
{
	*text = skip_blanks(*text);
	*end = **text;
	if (*end != '\0' && *end != ';' && *end != ',')
		return -EINVAL;
	*text += *end != '\0';
	return 0;
}

static int take_parameters(char **text, struct at_command *command)
{
	char end = ',';

	while (end == ',') {
		char *start = skip_blanks(*text);
		int err;

		if (command->parameters == AT_PARAMETERS_MAX)
			return -EINVAL;
		*text = start;
		if (quote_length(start) > 0) {
			command->parameter[command->parameters++] = take_quoted(text);
			err = take_end(text, &end);
		} else {
			*text += strcspn(start, ",;");
			err = take_end(text, &end);
			if (err == 0)
				cut_blanks(start, *text - (end != '\0'));
			command->parameter[command->parameters++] = *start ? start : NULL;
		}
		if (err < 0)
			return err;
	}
	return 0;
}

/* "?", "=?", "=...", or nothing. */
static int take_form(char **text, struct at_command *command)
{
	char end;
	int err;

	*text = skip_blanks(*text);
	if (**text == '?') {
		command->form = AT_READ;
		(*text)++;
	} else if (**text == '=') {
		char *value = skip_blanks(*text + 1);

		if (*value != '?') {
			command->form = AT_WRITE;
			(*text)++;
			return take_parameters(text, command);
		}
		command->form = AT_TEST;
		*text = value + 1;
	}
	err = take_end(text, &end);
	return err == 0 && end == ',' ? -EINVAL : err;
}

static int take_extended(char **text, struct at_command *command)
{
	size_t length = 0;

	do {
		if (length == AT_NAME_MAX)
			return -EINVAL;
		command->name[length++] = (char)toupper((unsigned char)*(*text)++);
	} while (isalnum((unsigned char)**text));
	return length > 1 ? take_form(text, command) : -EINVAL;
}

/* A letter, or '&' and a letter, and a number. Others follow without a sign between them. */
static int take_basic(char **text, struct at_command *command)
{
	size_t length = 0;

	if (**text == '&')
		command->name[length++] = *(*text)++;
	if (!isalpha((unsigned char)**text))
		return -EINVAL;
	command->name[length] = (char)toupper((unsigned char)*(*text)++);
	if (strspn(*text, "0123456789") > 4)
		return -EINVAL;
	command->number = (unsigned)strtoul(isdigit((unsigned char)**text) ? *text : "0", NULL, 10);
	*text += strspn(*text, "0123456789");
	return **text == '=' || **text == '?' ? take_form(text, command) : 0;
}

int at_next_command(char **rest, struct at_command *command)
{
	int err;

	memset(command, 0, sizeof(*command));
	*rest = skip_blanks(*rest);
	while (**rest == ';')
		*rest = skip_blanks(*rest + 1);
	if (**rest == '\0')
		return 0;
	err = strchr("+*^$", **rest) ? take_extended(rest, command) : take_basic(rest, command);
	return err < 0 ? err : 1;
}
