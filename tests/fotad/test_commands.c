/* SPDX-License-Identifier: Apache-2.0 */
/* What each command answers and asks of the keeper. */
#include "fotad/commands.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

static struct link_status status;
static struct at_session session;
static char output[4096];
static char requests[512]; /* "start SOURCE MODE MAX MAX;", "cancel;", "reboot;" */
static char logged[1024];

static void to_output(void *ctx, const char *data, size_t length)
{
	(void)ctx;
	ck_assert_uint_lt(strlen(output) + length, sizeof(output));
	strncat(output, data, length);
}

static void to_log(void *ctx, const char *text)
{
	(void)ctx;
	(void)snprintf(logged, sizeof(logged), "%s", text);
}

static bool run(void *ctx, const struct at_command *command, struct at_reply *reply)
{
	const struct log log = {.line = to_log};
	struct commands_request request;
	size_t used = strlen(requests);
	bool good = commands_run(&status, command, reply, &request, &log);

	(void)ctx;
	ck_assert(good || !request.wanted);
	if (!request.wanted)
		return good;
	if (request.kind == LINK_START)
		(void)snprintf(requests + used, sizeof(requests) - used, "start %s %u %u %u;", request.start.source,
		               request.start.mode, request.start.download_max, request.start.update_max);
	else
		(void)snprintf(requests + used, sizeof(requests) - used,
		               request.kind == LINK_CANCEL ? "cancel;" : "reboot;");
	return good;
}

static void setup(void)
{
	status = (struct link_status){
		.percent = 7,
		.last = {.code = -1},
		.project = "RG520NEUDA",
		.revision = "RG520NEUDAR03A05M8G",
		.plain_text = true,
	};
	session = (struct at_session){.run = run, .write = to_output};
	at_session_reset(&session);
	session.echo = false;
	requests[0] = '\0';
	logged[0] = '\0';
}

/* The answer with its frames taken away: "line|line|OK". */
static const char *answer(const char *line)
{
	static char text[sizeof(output)];
	size_t used = 0;
	char *rest = output;
	char *piece;

	output[0] = '\0';
	requests[0] = '\0';
	logged[0] = '\0';
	text[0] = '\0';
	at_session_feed(&session, line, strlen(line));
	at_session_feed(&session, "\r", 1);
	while ((piece = strsep(&rest, "\r\n")))
		if (*piece)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? "|" : "", piece);
	return text;
}

static const struct {
	const char *line;
	const char *wanted;
	const char *requests;
} talks[] = {
	{"AT", "OK", ""},
	{"ATI", "RG520NEUDA|Revision: RG520NEUDAR03A05M8G|OK", ""},
	{"ati0", "RG520NEUDA|Revision: RG520NEUDAR03A05M8G|OK", ""},
	{"ATI9", "ERROR", ""},
	{"AT+QGMR", "RG520NEUDAR03A05M8G|OK", ""},
	{"AT+QGMR?", "RG520NEUDAR03A05M8G|OK", ""},
	{"AT+GMR", "RG520NEUDAR03A05M8G|OK", ""},
	{"AT+CGMR", "RG520NEUDAR03A05M8G|OK", ""},
	{"AT+CGMR=?", "OK", ""},
	{"AT+GMR=1", "ERROR", ""},

	{"AT+QFOTADL=?", "+QFOTADL: <url>,(0,1),(0,5-100),(0,5-100)|OK", ""},
	{"AT+QFOTADL?", "+QFOTADL: \"IDLE\",7,-1|OK", ""},
	{"AT+QFOTADL", "ERROR", ""},
	{"AT+QFOTADL=\"/usrdata/cache/ufs/update.zip\"", "OK", "start /usrdata/cache/ufs/update.zip 0 100 100;"},
	{"AT+QFOTADL=\"http://h/u.zip\",1", "OK", "start http://h/u.zip 1 100 100;"},
	{"AT+QFOTADL=\"https://h/u.zip\",0,5,0", "OK", "start https://h/u.zip 0 5 0;"},
	{"AT+QFOTADL=\"FTP://u:p@h:21/u.zip\",,,50", "OK", "start FTP://u:p@h:21/u.zip 0 100 50;"},
	{" at+qfotadl = http://h/u.zip , 1 , 100 , 100 ", "OK", "start http://h/u.zip 1 100 100;"},
	{"AT+QFOTADL=\"/usrdata/u.zip", "OK", "start /usrdata/u.zip 0 100 100;"},
	{"AT+QFOTADL=\"/usrdata/u.zip\",\"1\"", "OK", "start /usrdata/u.zip 1 100 100;"},
	{"AT+QFOTADL=", "ERROR", ""},
	{"AT+QFOTADL=\"\"", "ERROR", ""},
	{"AT+QFOTADL=,1", "ERROR", ""},
	{"AT+QFOTADL=1", "ERROR", ""},
	{"AT+QFOTADL=\"FILE:100\"", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",2", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",-1", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",\"\"", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",x", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",0x1", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",0,4", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",0,101", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",0,5,1", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",0,5,4294967301", "ERROR", ""},
	{"AT+QFOTADL=\"/u\",0,5,5,5", "ERROR", ""},
	{"AT+QFOTADL=\"/u\\0D\"", "ERROR", ""},
	{"AT+QFOTADL=\"http://h/\xC3\xBC\"", "ERROR", ""},

	{"AT+QFOTASTOP", "ERROR", ""},
	{"AT+QFOTASTOP=?", "OK", ""},
	{"AT+QFOTASTOP?", "ERROR", ""},
	{"AT+QFOTALOG?", "+QFOTALOG: -1,\"\",\"\"|OK", ""},
	{"AT+QFOTALOG=?", "OK", ""},
	{"AT+QFOTALOG", "ERROR", ""},

	{"AT+CFUN?", "+CFUN: 1|OK", ""},
	{"AT+CFUN=?", "+CFUN: (1),(0,1)|OK", ""},
	{"AT+CFUN=1", "OK", ""},
	{"AT+CFUN=1,0", "OK", ""},
	{"AT+CFUN=1,1", "OK", "reboot;"},
	{"AT+CFUN=0", "ERROR", ""},
	{"AT+CFUN=", "ERROR", ""},
	{"AT+CFUN", "ERROR", ""},
	{"AT+CFUN=1,2", "ERROR", ""},
	{"AT+CFUN=1,1,1", "ERROR", ""},

	{"ATE0V1Q0X4&C1&D2S0=0;+CMEE=1", "OK", ""},
	{"ATX5", "ERROR", ""},
	{"AT&C2", "ERROR", ""},
	{"AT&D3", "ERROR", ""},
	{"ATS0=1", "ERROR", ""},
	{"ATS3=13;S4=10;S5=8", "OK", ""},
	{"ATS3?", "013|OK", ""},
	{"ATS3=", "ERROR", ""},
	{"ATS3", "ERROR", ""},
	{"ATS6=2", "ERROR", ""},
	{"AT+CMEE=3", "ERROR", ""},
	{"AT+CMEE=", "ERROR", ""},
	{"AT+QINDCFG=\"all\",1", "OK", ""},
	{"AT+QINDCFG=\"all\",0", "ERROR", ""},
	{"AT+QINDCFG=\"csq\",1", "ERROR", ""},
	{"AT+QURCCFG=\"urcport\",\"all\"", "OK", ""},
	{"AT+QURCCFG=\"urcport\",\"usbat\"", "ERROR", ""},
	{"AT+QPOWD", "ERROR", ""},
	{"ATD123", "ERROR", ""},
};

START_TEST(test_talk)
{
	ck_assert_str_eq(answer(talks[_i].line), talks[_i].wanted);
	ck_assert_str_eq(requests, talks[_i].requests);
}
END_TEST

START_TEST(test_states)
{
	static const struct {
		const char *name;
		enum link_state state;
		bool may_stop;
	} states[] = {{"DOWNLOADING", LINK_DOWNLOADING, true},
	              {"CHECKING", LINK_CHECKING, true},
	              {"ARMING", LINK_ARMING, false},
	              {"REBOOTING", LINK_REBOOTING, false}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		char wanted[64];

		status.state = states[i].state;
		status.percent = 42;
		status.last.code = 505;
		(void)snprintf(wanted, sizeof(wanted), "+QFOTADL: \"%s\",42,505|OK", states[i].name);
		ck_assert_str_eq(answer("AT+QFOTADL?"), wanted);
		ck_assert_str_eq(answer("AT+QFOTADL=\"/u\""), "ERROR");
		ck_assert_str_eq(requests, "");
		ck_assert_str_eq(answer("AT+QFOTASTOP"), states[i].may_stop ? "OK" : "ERROR");
		ck_assert_str_eq(requests, states[i].may_stop ? "cancel;" : "");
	}
	status.state = LINK_IDLE;
	status.waits = 1;
	ck_assert_str_eq(answer("AT+QFOTASTOP"), "OK");
	ck_assert_str_eq(requests, "cancel;");
	ck_assert_str_eq(answer("AT+QFOTADL=\"/u\""), "OK");
	status.state = LINK_REBOOTING + 1;
	ck_assert_str_eq(answer("AT+QFOTADL?"), "ERROR");
}
END_TEST

START_TEST(test_plain_text)
{
	status.plain_text = false;
	ck_assert_str_eq(answer("AT+QFOTADL=\"http://user:secret@h/u.zip?key\""), "ERROR");
	ck_assert_ptr_nonnull(strstr(logged, "http://h/u.zip: plain http"));
	ck_assert_ptr_null(strstr(logged, "secret"));
	ck_assert_str_eq(answer("AT+QFOTADL=\"ftp://h/u.zip\""), "ERROR");
	ck_assert_str_eq(answer("AT+QFOTADL=\"https://h/u.zip\""), "OK");
	ck_assert_str_eq(logged, "");
	ck_assert_str_eq(answer("AT+QFOTADL=\"/usrdata/u.zip\""), "OK");
}
END_TEST

START_TEST(test_longest_source)
{
	char line[512];

	for (int length = 254; length <= 256; length++) {
		(void)snprintf(line, sizeof(line), "AT+QFOTADL=\"/%0*d\"", length - 1, 0);
		ck_assert_str_eq(answer(line), length <= LINK_SOURCE_MAX ? "OK" : "ERROR");
	}
}
END_TEST

/* Whatever the texts hold, the answer stays one line with its quotes in pairs. */
START_TEST(test_last_result)
{
	const char *line;

	status.last.code = 510;
	(void)snprintf(status.last.object, sizeof(status.last.object), "%s", "SYSTEM/etc/\"x\"\n");
	(void)snprintf(status.last.reason, sizeof(status.last.reason), "%s", "expected \"a\"\r\nfound b");
	ck_assert_str_eq(answer("AT+QFOTALOG?"), "+QFOTALOG: 510,\"SYSTEM/etc/'x'?\",\"expected 'a'??found b\"|OK");
	memset(status.last.object, 'o', sizeof(status.last.object) - 1);
	memset(status.last.reason, 'r', sizeof(status.last.reason) - 1);
	line = answer("AT+QFOTALOG?");
	ck_assert_ptr_nonnull(strstr(line, "rr\"|OK"));
}
END_TEST

START_TEST(test_no_version)
{
	status.project[0] = '\0';
	status.revision[0] = '\0';
	ck_assert_str_eq(answer("ATI"), "Revision: unknown|OK");
	(void)snprintf(status.revision, sizeof(status.revision), "%s", "a\rOK");
	ck_assert_str_eq(answer("AT+QGMR"), "a?OK|OK");
}
END_TEST

Suite *suite_commands(void)
{
	Suite *suite = suite_create("commands");
	TCase *tests = tcase_create("commands");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, test_talk, 0, (int)(sizeof(talks) / sizeof(talks[0])));
	tcase_add_test(tests, test_states);
	tcase_add_test(tests, test_plain_text);
	tcase_add_test(tests, test_longest_source);
	tcase_add_test(tests, test_last_result);
	tcase_add_test(tests, test_no_version);
	suite_add_tcase(suite, tests);
	return suite;
}
