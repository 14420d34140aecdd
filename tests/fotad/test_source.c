/* SPDX-License-Identifier: Apache-2.0 */
/* Where a package may come from. */
#include "fotad/source.h"
#include "suites.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	enum source_kind kind;
	const char *safe;
} good[] = {
	{"/usrdata/cache/ufs/update.zip", SOURCE_PATH, "/usrdata/cache/ufs/update.zip"},
	{"/data/ufs/a b..zip", SOURCE_PATH, "/data/ufs/a b..zip"},
	{"/usrdata/user@host?x#y", SOURCE_PATH, "/usrdata/user@host?x#y"},
	{"/.../x", SOURCE_PATH, "/.../x"},
	{"http://h", SOURCE_HTTP, "http://h"},
	{"http://192.168.225.1:8080/u.zip", SOURCE_HTTP, "http://192.168.225.1:8080/u.zip"},
	{"HTTPS://Server.example.com/a/b%20c.zip", SOURCE_HTTPS, "HTTPS://Server.example.com/a/b%20c.zip"},
	{"https://h:65535/x?X-Amz-Expires=3600&X-Amz-Signature=0%2Ff#part", SOURCE_HTTPS, "https://h:65535/x"},
	{"https://h?token=a@b", SOURCE_HTTPS, "https://h"},
	{"https://h/a@b:c", SOURCE_HTTPS, "https://h/a@b:c"},
	{"ftp://user:pass@ftp.example.com:21/update.zip", SOURCE_FTP, "ftp://ftp.example.com:21/update.zip"},
	{"FTP://user@h/f", SOURCE_FTP, "FTP://h/f"},
	{"ftp://u%40x:p%3a%2F@h/f", SOURCE_FTP, "ftp://h/f"},
	{"ftp://:@h/f", SOURCE_FTP, "ftp://h/f"},
	{"http://[::1]:80/x", SOURCE_HTTP, "http://[::1]:80/x"},
	{"http://u:p@[fe80::1]/x", SOURCE_HTTP, "http://[fe80::1]/x"},
	{"http://[1234:5678:9abc:def0:1234:5678:192.168.100.200]/", SOURCE_HTTP,
         "http://[1234:5678:9abc:def0:1234:5678:192.168.100.200]/"},
	{"http://under_score.local./", SOURCE_HTTP, "http://under_score.local./"},
};

static const struct {
	const char *text;
	const char *safe; /* what a log says of it */
} bad[] = {
	{"", ""},
	{"1", "1"},
	{"update.zip", "update.zip"},
	{"usrdata/u.zip", "usrdata/u.zip"},
	{"/", "/"},
	{"/usrdata/", "/usrdata/"},
	{"/usrdata/../etc/passwd", "/usrdata/../etc/passwd"},
	{"/usrdata/..", "/usrdata/.."},
	{"/usrdata/a\nb", "/usrdata/a?b"},
	{"/usrdata/a\x7F", "/usrdata/a?"},
	{"FILE:1000", "FILE:1000"},
	{"file:///etc/passwd", "file:///etc/passwd"},
	{"tftp://h/x", "tftp://h/x"},
	{"sftp://u:p@h/x", "sftp://h/x"},
	{"http:/h/x", "http:/h/x"},
	{"http//u:p@h/x", "h/x"},
	{"http://", "http://"},
	{"http:///x", "http:///x"},
	{"http://:80/x", "http://:80/x"},
	{"http://?x", "http://"},
	{"http://-h/x", "http://-h/x"},
	{"http://.h/x", "http://.h/x"},
	{"http://h:/x", "http://h:/x"},
	{"http://h:0/x", "http://h:0/x"},
	{"http://h:00000/x", "http://h:00000/x"},
	{"http://h:65536/x", "http://h:65536/x"},
	{"http://h:000080/x", "http://h:000080/x"},
	{"http://h:+80/x", "http://h:+80/x"},
	{"http://h:8a/x", "http://h:8a/x"},
	{"http://h:80:81/x", "http://h:80:81/x"},
	{"http://h%41/x", "http://h%41/x"},
	{"http://h\\@evil/x", "http://evil/x"},
	{"http://a@b@c/x", "http://c/x"},
	{"http://u:secret?word@h/x", "http://h/x"},
	{"http://u:secret/word@h/x", "http://h/x"},
	{"http://u:secret word@h/x", "http://h/x"},
	{"http://u[@h/x", "http://h/x"},
	{"http://h/a b", "http://h/a b"},
	{"http://h/a\tb", "http://h/a?b"},
	{"http://h/a\"b", "http://h/a\"b"},
	{"http://h/\xC3\xBC", "http://h/\xC3\xBC"},
	{"http://h/%", "http://h/%"},
	{"http://h/%4", "http://h/%4"},
	{"http://h/%4g?q=1", "http://h/%4g"},
	{"http://u%:p@h/", "http://h/"},
	{"http://[::1/x", "http://[::1/x"},
	{"http://[]/x", "http://[]/x"},
	{"http://[::g]/x", "http://[::g]/x"},
	{"http://[127.0.0.1]/x", "http://[127.0.0.1]/x"},
	{"http://[::1]x/", "http://[::1]x/"},
	{"http://[::1]:/", "http://[::1]:/"},
	{"http://[1234:5678:9abc:def0:1234:5678:192.168.100.2000]/",
         "http://[1234:5678:9abc:def0:1234:5678:192.168.100.2000]/"},
	{"http://::1/x", "http://::1/x"},
};

START_TEST(test_good)
{
	char safe[SOURCE_MAX + 1];
	enum source_kind kind;
	struct error error = {.message = ""};

	ck_assert_msg(source_parse(good[_i].text, &kind, &error) == 0, "%s: %s", good[_i].text, error.message);
	ck_assert_int_eq((int)kind, (int)good[_i].kind);
	ck_assert_str_eq(source_print_safe(good[_i].text, safe), good[_i].safe);
}
END_TEST

START_TEST(test_bad)
{
	char safe[SOURCE_MAX + 1];
	enum source_kind kind;
	struct error error = {.message = ""};

	ck_assert_msg(source_parse(bad[_i].text, &kind, &error) == -EINVAL, "%s", bad[_i].text);
	ck_assert_str_ne(error.message, "");
	ck_assert_ptr_null(strstr(error.message, "secret"));
	ck_assert_str_eq(source_print_safe(bad[_i].text, safe), bad[_i].safe);
}
END_TEST

/* Each source, ended at each byte, has the kind of the whole one if it is good, and shows no password. */
START_TEST(test_cut)
{
	for (size_t length = 0; length < strlen(good[_i].text); length++) {
		char text[SOURCE_MAX + 1];
		char safe[SOURCE_MAX + 1];
		enum source_kind kind;

		(void)snprintf(text, sizeof(text), "%.*s", (int)length, good[_i].text);
		if (source_parse(text, &kind, NULL) == 0)
			ck_assert_int_eq((int)kind, (int)good[_i].kind);
		(void)source_print_safe(text, safe);
		ck_assert_uint_le(strlen(safe), length);
	}
}
END_TEST

START_TEST(test_lengths)
{
	static const char *const starts[] = {"/", "http://h/", "http://", "http://u:p@", "http://["};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		for (size_t length = 200; length < 600; length++) {
			char text[601];
			char safe[SOURCE_MAX + 1];
			enum source_kind kind;
			size_t host = length - strlen(starts[i]);
			bool fits = length <= SOURCE_MAX && (i < 2 || (i < 4 && host <= 253));

			memset(text, 'a', length);
			text[length] = '\0';
			memcpy(text, starts[i], strlen(starts[i]));
			ck_assert_int_eq(source_parse(text, &kind, NULL), fits ? 0 : -EINVAL);
			ck_assert_uint_le(strlen(source_print_safe(text, safe)), SOURCE_MAX);
		}
	}
}
END_TEST

Suite *suite_source(void)
{
	Suite *suite = suite_create("source");
	TCase *tests = tcase_create("source");

	tcase_add_loop_test(tests, test_good, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(tests, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_loop_test(tests, test_cut, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_test(tests, test_lengths);
	suite_add_tcase(suite, tests);
	return suite;
}
