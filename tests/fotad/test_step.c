/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes that do as they should, and others. */
#include "fotad/step.h"
#include "suites.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct step step;
static struct step_message message;

/* The next message, however long it takes. */
static void receive(void)
{
	struct pollfd fd = {.fd = step.fd, .events = POLLIN};

	while (step_receive(&step, &message) == 0)
		(void)poll(&fd, 1, -1); /* step_receive() says whether there is one */
}

static void start(int (*run)(void *ctx, struct step_output *output, struct error *error), int keep_fd, void *ctx)
{
	struct error error;

	ck_assert_int_eq(step_start(&step, 0, keep_fd, run, ctx, &error), 0);
	ck_assert_int_ge(step.fd, 0);
}

/* Is nobody left who has the pipe's other end? */
static void check_all_gone(int fd)
{
	char byte;

	ck_assert_int_eq(read(fd, &byte, 1), 0);
	ck_assert_int_eq(close(fd), 0);
}

static void check_over(void)
{
	ck_assert_int_eq(step.fd, -1);
	ck_assert_int_eq(step_receive(&step, &message), 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left, not even a dead one */
	ck_assert_int_eq(errno, ECHILD);
}

static int fail_with_words(void *ctx, struct step_output *output, struct error *error)
{
	struct log log = step_log(output);

	log_printf(&log, "looking at %s", (const char *)ctx);
	step_finding(output, "a thing");
	step_percent(output, 0);
	step_percent(output, 40);
	step_percent(output, 40);
	step_percent(output, 30);
	step_object(output, "/system/a");
	step_object(output, "/system/b");
	return error_set(error, RESULT_VERIFY, EILSEQ, "it is not what it was");
}

START_TEST(test_messages)
{
	char what[] = "something";

	start(fail_with_words, -1, what);
	receive();
	ck_assert_uint_eq(message.kind, STEP_LOG);
	ck_assert_str_eq(message.text, "looking at something");
	receive();
	ck_assert_uint_eq(message.kind, STEP_FINDING);
	ck_assert_str_eq(message.text, "a thing");
	receive();
	ck_assert_uint_eq(message.kind, STEP_PERCENT);
	ck_assert_int_eq(message.value, 40);
	receive();
	ck_assert_uint_eq(message.kind, STEP_ENDED);
	ck_assert_int_eq(message.value, RESULT_VERIFY);
	ck_assert_str_eq(message.object, "/system/a");
	ck_assert_str_eq(message.text, "it is not what it was");
	check_over();
}
END_TEST

static int succeed(void *ctx, struct step_output *output, struct error *error)
{
	(void)ctx;
	(void)error;
	step_object(output, "/of/no/interest");
	return 0;
}

START_TEST(test_success)
{
	start(succeed, -1, NULL);
	receive();
	ck_assert_uint_eq(message.kind, STEP_ENDED);
	ck_assert_int_eq(message.value, RESULT_OK);
	ck_assert_str_eq(message.object, "");
	ck_assert_str_eq(message.text, "");
	check_over();
}
END_TEST

static int fail_without_code(void *ctx, struct step_output *output, struct error *error)
{
	(void)ctx;
	(void)output;
	return error_set(error, 0, ENOMEM, "no memory");
}

START_TEST(test_failure_without_code)
{
	start(fail_without_code, -1, NULL);
	receive();
	ck_assert_int_eq(message.value, RESULT_ABNORMAL);
	ck_assert_str_eq(message.text, "no memory");
}
END_TEST

static int crash(void *ctx, struct step_output *output, struct error *error)
{
	(void)ctx;
	(void)output;
	(void)error;
	return raise(SIGTERM);
}

static int leave(void *ctx, struct step_output *output, struct error *error)
{
	(void)ctx;
	(void)output;
	(void)error;
	_exit(3);
}

START_TEST(test_crash)
{
	/* What this process ignores and blocks is nothing to the child. */
	sigset_t blocked;

	ck_assert(signal(SIGTERM, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(sigfillset(&blocked), 0);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	start(_i ? leave : crash, -1, NULL);
	receive();
	ck_assert_uint_eq(message.kind, STEP_ENDED);
	ck_assert_int_eq(message.value, RESULT_ABNORMAL);
	ck_assert_str_eq(message.text,
	                 _i ? "the step ended without a word, status 3" : "the step was ended by signal 15");
	check_over();
}
END_TEST

/* With a child of its own that never ends either. */
static int hang(void *ctx, struct step_output *output, struct error *error)
{
	(void)ctx;
	(void)error;
	if (fork() != 0)
		step_percent(output, 1);
	while (pause() < 0)
		; /* until it is killed */
	return 0;
}

START_TEST(test_stop)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	start(hang, ends[1], NULL);
	ck_assert_int_eq(close(ends[1]), 0);
	receive();
	ck_assert_int_eq(message.value, 1);
	ck_assert_int_eq(step_receive(&step, &message), 0);
	step_stop(&step);
	check_all_gone(ends[0]);
	check_over();
	step_stop(&step);
}
END_TEST

/* What a step started does not outlive its end. */
static int leave_child_behind(void *ctx, struct step_output *output, struct error *error)
{
	if (fork() == 0)
		return hang(ctx, output, error);
	return 0;
}

START_TEST(test_no_child_is_left_behind)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	start(leave_child_behind, ends[1], NULL);
	ck_assert_int_eq(close(ends[1]), 0);
	do
		receive();
	while (message.kind != STEP_ENDED);
	check_all_gone(ends[0]);
}
END_TEST

static int hang_alone(void *ctx, struct step_output *output, struct error *error)
{
	(void)ctx;
	(void)error;
	step_percent(output, 1);
	while (pause() < 0)
		; /* until it is killed */
	return 0;
}

/* A keeper that dies takes the step with it. */
START_TEST(test_keeper_dies)
{
	int ends[2];
	pid_t keeper;

	ck_assert_int_eq(pipe(ends), 0);
	keeper = fork();
	if (keeper == 0) {
		start(hang_alone, ends[1], NULL);
		receive();
		_exit(0);
	}
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_int_eq(waitpid(keeper, NULL, 0), keeper);
	check_all_gone(ends[0]);
}
END_TEST

struct garbage {
	struct step_message message;
	size_t size;
};

static int say_garbage(void *ctx, struct step_output *output, struct error *error)
{
	const struct garbage *garbage = ctx;

	ck_assert_int_gt(send(*(int *)output->ctx, &garbage->message, garbage->size, 0), 0);
	return hang(NULL, output, error);
}

START_TEST(test_garbage)
{
	static const struct garbage cases[] = {
		{.message = {.kind = STEP_LOG}, .size = 1},
		{.message = {.kind = STEP_LOG}, .size = sizeof(struct step_message) - 1},
		{.message = {.kind = STEP_ENDED + 1}, .size = sizeof(struct step_message)},
		{.message = {.kind = UINT32_MAX}, .size = sizeof(struct step_message)},
		{.message = {.kind = STEP_PERCENT, .value = 101}, .size = sizeof(struct step_message)},
		{.message = {.kind = STEP_PERCENT, .value = -1}, .size = sizeof(struct step_message)},
		{.message = {.kind = STEP_ENDED, .value = -1}, .size = sizeof(struct step_message)},
		{.message = {.kind = STEP_ENDED, .value = 1000}, .size = sizeof(struct step_message)},
		{.message = {.kind = STEP_LOG},
	         .size = sizeof(struct step_message) + 8}, /* with part of what follows */
	};
	struct garbage garbage = cases[_i];

	start(say_garbage, -1, &garbage);
	receive();
	ck_assert_uint_eq(message.kind, STEP_ENDED);
	ck_assert_int_eq(message.value, RESULT_ABNORMAL);
	ck_assert_str_eq(message.text, "the step said what no step says");
	check_over();
}
END_TEST

static int say_hostile(void *ctx, struct step_output *output, struct error *error)
{
	struct step_message hostile = {.kind = STEP_ENDED, .value = RESULT_PRECHECK};

	(void)ctx;
	memset(hostile.object, 'x', sizeof(hostile.object));
	memset(hostile.text, '\n', sizeof(hostile.text));
	memcpy(hostile.text, "a\r\nOK\x1b[2J\x7f\t", 11);
	output->send(output->ctx, &hostile);
	return hang(NULL, output, error);
}

START_TEST(test_hostile_texts)
{
	start(say_hostile, -1, NULL);
	receive();
	ck_assert_int_eq(message.value, RESULT_PRECHECK);
	ck_assert_uint_eq(strlen(message.object), sizeof(message.object) - 1);
	ck_assert_uint_eq(strlen(message.text), sizeof(message.text) - 1);
	ck_assert_int_eq(strncmp(message.text, "a??OK?[2J???", 12), 0);
	ck_assert_ptr_null(strpbrk(message.text, "\r\n\t\x1b\x7f"));
	check_over();
}
END_TEST

/* ---- What the child has ---- */

static int tell_surroundings(void *ctx, struct step_output *output, struct error *error)
{
	DIR *directory = opendir("/proc/self/fd");
	struct log log = step_log(output);
	int keep_fd = *(const int *)ctx;
	struct dirent *entry;

	while ((entry = readdir(directory))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd > STDERR_FILENO && fd != dirfd(directory) && fd != keep_fd && fd != *(int *)output->ctx)
			return error_set(error, RESULT_ABNORMAL, EBADF, "%d is open", fd);
	}
	(void)closedir(directory);
	if (fcntl(keep_fd, F_GETFD) < 0)
		return error_set(error, RESULT_ABNORMAL, EBADF, "the one to keep is closed");
	if (getpgrp() != getpid())
		return error_set(error, RESULT_ABNORMAL, ECHILD, "no process group of its own");
	log_printf(&log, "uid %u %u", (unsigned)getuid(), (unsigned)geteuid());
	return 0;
}

START_TEST(test_surroundings)
{
	char expected[64];
	struct error error;
	int fds[3];

	for (int i = 0; i < 3; i++) {
		fds[i] = open("/dev/null", O_RDONLY);
		ck_assert_int_ge(fds[i], 0);
	}
	ck_assert_int_eq(step_start(&step, 65534, fds[1], tell_surroundings, &fds[1], &error), 0);
	receive();
	ck_assert_str_ne(message.text, "");
	(void)snprintf(expected, sizeof(expected), "uid %u %u", geteuid() ? geteuid() : 65534,
	               geteuid() ? geteuid() : 65534);
	ck_assert_str_eq(message.text, expected);
	receive();
	ck_assert_uint_eq(message.kind, STEP_ENDED);
	ck_assert_str_eq(message.text, "");
	ck_assert_int_eq(message.value, RESULT_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(close(fds[i]), 0);
}
END_TEST

Suite *suite_step(void)
{
	Suite *suite = suite_create("step");
	TCase *tests = tcase_create("step");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_messages);
	tcase_add_test(tests, test_success);
	tcase_add_test(tests, test_failure_without_code);
	tcase_add_loop_test(tests, test_crash, 0, 2);
	tcase_add_test(tests, test_stop);
	tcase_add_test(tests, test_no_child_is_left_behind);
	tcase_add_test(tests, test_keeper_dies);
	tcase_add_loop_test(tests, test_garbage, 0, 9);
	tcase_add_test(tests, test_hostile_texts);
	tcase_add_test(tests, test_surroundings);
	suite_add_tcase(suite, tests);
	return suite;
}
