/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/config.h"
#include "scene.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

START_TEST(defaults)
{
	struct config config;
	struct error error;

	ck_assert_int_eq(config_init(&config, &error), 0);
	ck_assert_int_eq(config_complete(&config, &error), 0);
	ck_assert_uint_eq(config.channel_count, 2);
	ck_assert_str_eq(config.channels[0], "/dev/smd7");
	ck_assert_str_eq(config.channels[1], "/dev/smd11");
	ck_assert(!config.plain_text);
	ck_assert(config.tls_verify);
	ck_assert_ptr_null(config.certificate);
	ck_assert_uint_eq(config.retries, 5);
	config_free(&config);
}
END_TEST

static const struct {
	const char *line;
	const char *complaint; /* NULL: it is good */
} lines[] = {
	{"", NULL},
	{"   # only a remark", NULL},
	{"plain_text = yes", NULL},
	{"  plain_text=no\r\n", NULL},
	{"retries = 0", NULL},
	{"group = 3003", NULL},
	{"channel = pty:/run/at", NULL},
	{"channel = unix:/run/socket", NULL},
	{"ca_file = /etc/with = sign", NULL},
	{"plain_text", "not \"key = value\""},
	{"plain_text = maybe", "neither yes nor no"},
	{"retries = -1", "no number from 0 to 1000"},
	{"retries = 1001", "no number from 0 to 1000"},
	{"retries = 99999999999999999999", "no number"},
	{"retries = 5x", "no number"},
	{"retries =", "no number"},
	{"channel = smd7", "no device"},
	{"channel = pty:at", "no device"},
	{"group = 0", "no number"},
	{"ca_file = cert.pem", "no absolute path"},
	{"user =", "has no value"},
	{"colour = blue", "no key \"colour\""},
	{"= x", "no key \"\""},
};

START_TEST(one_line)
{
	struct config config;
	struct error error;
	int err;

	ck_assert_int_eq(config_init(&config, &error), 0);
	err = config_set_line(&config, lines[_i].line, &error);
	if (lines[_i].complaint) {
		ck_assert_int_eq(err, -EINVAL);
		ck_assert_msg(strstr(error.message, lines[_i].complaint), "%s: %s", lines[_i].line, error.message);
	} else {
		ck_assert_msg(err == 0, "%s: %s", lines[_i].line, error.message);
	}
	config_free(&config);
}
END_TEST

START_TEST(limits)
{
	char line[2000];
	struct config config;
	struct error error;

	ck_assert_int_eq(config_init(&config, &error), 0);
	for (int i = 0; i < LINK_CHANNELS_MAX; i++)
		ck_assert_int_eq(config_set_line(&config, "channel = /dev/smd8", &error), 0);
	ck_assert_int_eq(config_set_line(&config, "channel = /dev/smd8", &error), -EINVAL);
	for (int i = 0; i < CONFIG_GROUPS_MAX; i++)
		ck_assert_int_eq(config_set_line(&config, "group = 7", &error), 0);
	ck_assert_int_eq(config_set_line(&config, "group = 7", &error), -EINVAL);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	ck_assert_int_eq(config_set_line(&config, line, &error), -EINVAL);
	ck_assert_int_eq(config_complete(&config, &error), 0);
	ck_assert_uint_eq(config.channel_count, LINK_CHANNELS_MAX);
	config_free(&config);
}
END_TEST

START_TEST(files)
{
	struct scene scene;
	struct config config;
	struct error error;
	const char *path;

	scene_open(&scene);
	ck_assert_int_eq(config_init(&config, &error), 0);
	path = scene_put_text(&scene, "conf", "# ours\nuser = daemon\nkey = /k\n\nstall_timeout = 7");
	ck_assert_int_eq(config_load(&config, path, &error), 0);
	ck_assert_str_eq(config.user, "daemon");
	ck_assert_uint_eq(config.stall_timeout, 7);
	ck_assert_int_eq(config_complete(&config, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "certificate and key"));
	path = scene_put_text(&scene, "conf", "user = daemon\nretries = many\n");
	ck_assert_int_eq(config_load(&config, path, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, path));
	ck_assert_ptr_nonnull(strstr(error.message, "line 2"));
	ck_assert_int_eq(config_load(&config, "/nonexistent/conf", &error), -ENOENT);
	config_free(&config);
	scene_close(&scene);
}
END_TEST

/* What the shipped file shows as the default is the default, and every key is in it. */
START_TEST(shipped_file)
{
	FILE *file = fopen(TEST_DATA "/../../fotad/qfotad.conf", "r");
	struct config shown;
	struct error error;
	char line[300];
	unsigned keys = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(config_init(&shown, &error), 0);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] != '#' || line[1] == ' ' || line[1] == '\n')
			continue;
		ck_assert_msg(config_set_line(&shown, line + 1, &error) == 0, "%s", error.message);
		keys++;
	}
	(void)fclose(file); /* only read */
	ck_assert_uint_eq(keys, 26);
	ck_assert_str_eq(shown.user, "nobody");
	ck_assert_uint_eq(shown.connect_timeout, 15);
	ck_assert_uint_eq(shown.stall_timeout, 30);
	ck_assert_uint_eq(shown.min_speed, 64);
	ck_assert_uint_eq(shown.retries, 5);
	ck_assert_uint_eq(shown.retry_delay, 2);
	ck_assert(shown.resume && shown.tls_verify);
	ck_assert(!shown.plain_text && !shown.require_version && !shown.repeat_end);
	ck_assert_str_eq(shown.updater, "/sbin/updater");
	ck_assert_str_eq(shown.fetch, "/usr/bin/qfota-fetch");
	config_free(&shown);
}
END_TEST

Suite *suite_config(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	tcase_add_test(tests, defaults);
	tcase_add_loop_test(tests, one_line, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tests, limits);
	tcase_add_test(tests, files);
	tcase_add_test(tests, shipped_file);
	suite_add_tcase(suite, tests);
	return suite;
}
