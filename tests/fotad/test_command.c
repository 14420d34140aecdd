/* SPDX-License-Identifier: Apache-2.0 */
/* What stands on a command line. */
#include "fotad/at.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "NAME#NUMBER form(parameter)(parameter)", "-" for one that was left out; commands separated by blanks. */
static const char *describe(const char *line, char text[1024])
{
	static const char *const forms[] = {"x", "?", "=?", "="};
	char copy[512];
	char *rest = copy;
	struct at_command command;
	size_t used = 0;
	int found;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	text[0] = '\0';
	while ((found = at_next_command(&rest, &command)) == 1) {
		used += (size_t)snprintf(text + used, 1024 - used, "%s%s#%u%s", used ? " " : "", command.name,
		                         command.number, forms[command.form]);
		for (unsigned i = 0; i < command.parameters; i++)
			used += (size_t)snprintf(text + used, 1024 - used, "(%s)",
			                         command.parameter[i] ? command.parameter[i] : "-");
	}
	ck_assert(found == 0 || found == -EINVAL);
	if (found < 0)
		(void)snprintf(text + used, 1024 - used, "!");
	return text;
}

static const struct {
	const char *line;
	const char *wanted;
} lines[] = {
	{"", ""},
	{"  ", ""},
	{"E0V1", "E#0x V#1x"},
	{"e0 q1", "E#0x Q#1x"},
	{"&F", "&F#0x"},
	{"I;+QGMR", "I#0x +QGMR#0x"},
	{"S3=13", "S#3=(13)"},
	{"S3?", "S#3?"},
	{"+QFOTADL=?", "+QFOTADL#0=?"},
	{"+qfotadl = ?", "+QFOTADL#0=?"},
	{"+QFOTADL?", "+QFOTADL#0?"},
	{"+QFOTADL", "+QFOTADL#0x"},
	{"+CFUN=1,1", "+CFUN#0=(1)(1)"},
	{"+QFOTADL=\"http://a:8080/x.zip\"", "+QFOTADL#0=(http://a:8080/x.zip)"},
	{"+QFOTADL= \"http://h/a,b;c?d=e\" , 0 ,, 50", "+QFOTADL#0=(http://h/a,b;c?d=e)(0)(-)(50)"},
	{"+QFOTADL=\"FTP://user:p\\22w@h/f\"", "+QFOTADL#0=(FTP://user:p\"w@h/f)"},
	{"+QFOTADL=\"a\\b\\zz\\00\"", "+QFOTADL#0=(a\\b\\zz\\00)"},
	/* As a shell leaves the document's example, and as a word processor writes it. */
	{"+QFOTADL=/usrdata/cache/ufs/update.zip", "+QFOTADL#0=(/usrdata/cache/ufs/update.zip)"},
	{"+QFOTADL=\xE2\x80\x9C/usrdata/u.zip\xE2\x80\x9D,1", "+QFOTADL#0=(/usrdata/u.zip)(1)"},
	{"+QFOTADL=\"/usrdata/u.zip  ", "+QFOTADL#0=(/usrdata/u.zip)"},
	{"+QFOTADL=", "+QFOTADL#0=(-)"},
	{"+QFOTADL=\"\"", "+QFOTADL#0=()"},
	{"+A=1;+B?;+C=?", "+A#0=(1) +B#0? +C#0=?"},
	{"+A=1,2,3,4,5,6,7,8", "+A#0=(1)(2)(3)(4)(5)(6)(7)(8)"},
	{"+A=1,2,3,4,5,6,7,8,9", "!"},
	{"+", "!"},
	{"+ABCDEFGHIJKLMN", "+ABCDEFGHIJKLMN#0x"},
	{"+ABCDEFGHIJKLMNO", "!"},
	{"+A?x", "!"},
	{"+A=?x", "!"},
	{"+A?,", "!"},
	{"+A=\"a\"b", "!"},
	{"+A x", "!"},
	{"E99999", "!"},
	{"1", "!"},
	{"&", "!"},
	{"E0\xFF", "E#0x!"},
};

START_TEST(test_lines)
{
	char text[1024];

	ck_assert_str_eq(describe(lines[_i].line, text), lines[_i].wanted);
}
END_TEST

/* Each line, ended at each byte: no memory beyond it is looked at (the sanitizer's matter), and it ends. */
START_TEST(test_cut_lines)
{
	char text[1024];
	char line[512];

	for (size_t length = 0; length <= strlen(lines[_i].line); length++) {
		(void)snprintf(line, sizeof(line), "%.*s", (int)length, lines[_i].line);
		(void)describe(line, text);
	}
}
END_TEST

Suite *suite_command(void)
{
	Suite *suite = suite_create("command");
	TCase *tests = tcase_create("command");

	tcase_add_loop_test(tests, test_lines, 0, (int)(sizeof(lines) / sizeof(lines[0])));
	tcase_add_loop_test(tests, test_cut_lines, 0, (int)(sizeof(lines) / sizeof(lines[0])));
	suite_add_tcase(suite, tests);
	return suite;
}
