/* SPDX-License-Identifier: Apache-2.0 */
/* 510 and 550: the updater's dry run over the system as recovery will see it. */
#include "fotad/step.h"

#include "fotad/view.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_SIZE     1024 /* the updater keeps to 1000; a longer line comes in pieces */
#define ARGUMENTS_MAX 12
#define EXIT_NO_START 127 /* as shells have it; the reason is on standard error */

/* Exit codes of an updater, whoever built it: spec/lineage.md 2.6. */
enum { EXIT_OK = 0, EXIT_PACKAGE = 3, EXIT_NO_SCRIPT = 4, EXIT_READ_SCRIPT = 5, EXIT_PARSE = 6, EXIT_ABORT = 7 };

struct rehearsal {
	const struct step_rehearse *config;
	struct step_output *output;
	struct log log;

	/* The part of the script that runs, shares of the whole: spec/lineage.md 2.6. */
	double start;
	double length;

	int code; /* of "log error:"; 0: none */
	char cause[ERROR_MESSAGE_SIZE];
	char last[LINE_SIZE]; /* line of its standard output */
};

/* ---- What the updater says ---- */

/* The text behind a line's beginning, or NULL. */
static const char *behind(const char *line, const char *beginning)
{
	size_t length = strlen(beginning);

	return strncmp(line, beginning, length) == 0 ? line + length : NULL;
}

static double fraction(const char *text)
{
	double value = strtod(text, NULL);

	return value > 0 ? (value < 1 ? value : 1) : 0; /* NaN is 0 */
}

static void show(struct rehearsal *rehearsal, double done)
{
	double share = rehearsal->start + rehearsal->length * done;

	step_percent(rehearsal->output, share < 1 ? (unsigned)(share * 100) : 100);
}

static void take_protocol(struct rehearsal *rehearsal, const char *line)
{
	const char *value;

	if ((value = behind(line, "progress "))) {
		rehearsal->start += rehearsal->length;
		rehearsal->length = fraction(value);
		show(rehearsal, 0);
	} else if ((value = behind(line, "set_progress "))) {
		show(rehearsal, fraction(value));
	} else if ((value = behind(line, "log object: "))) {
		step_object(rehearsal->output, value);
	} else if ((value = behind(line, "log mismatch: "))) {
		log_printf(&rehearsal->log, "%s", value);
	} else if ((value = behind(line, "log error: "))) {
		rehearsal->code = (int)strtol(value, NULL, 10);
	} else if ((value = behind(line, "log cause: "))) {
		(void)snprintf(rehearsal->cause, sizeof(rehearsal->cause), "%s", value);
	}
}

static void take_output(struct rehearsal *rehearsal, const char *line)
{
	(void)snprintf(rehearsal->last, sizeof(rehearsal->last), "%s", line);
}

/* ---- Its two pipes, cut into lines ---- */

struct lines {
	int fd; /* -1: at its end */
	void (*take)(struct rehearsal *rehearsal, const char *line);
	size_t used;
	char line[LINE_SIZE];
};

static void deliver(struct lines *lines, struct rehearsal *rehearsal)
{
	lines->line[lines->used] = '\0';
	lines->used = 0;
	lines->take(rehearsal, lines->line);
}

static void read_some(struct lines *lines, struct rehearsal *rehearsal)
{
	char bytes[LINE_SIZE];
	ssize_t n = read(lines->fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return;
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] != '\n')
			lines->line[lines->used++] = bytes[i];
		if (bytes[i] == '\n' || lines->used == LINE_SIZE - 1)
			deliver(lines, rehearsal);
	}
	if (n > 0)
		return;
	if (lines->used)
		deliver(lines, rehearsal); /* the last words of one that died */
	(void)close(lines->fd);            /* a pipe's read end has nothing to lose */
	lines->fd = -1;
}

static void read_all(struct lines lines[2], struct rehearsal *rehearsal)
{
	while (lines[0].fd >= 0 || lines[1].fd >= 0) {
		struct pollfd fds[2] = {{.fd = lines[0].fd, .events = POLLIN}, {.fd = lines[1].fd, .events = POLLIN}};

		if (poll(fds, 2, -1) < 0)
			continue; /* a signal: nothing else can fail here */
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				read_some(&lines[i], rehearsal);
	}
}

/* ---- The updater ---- */

static int enter(const struct step_rehearse *config, struct error *error)
{
	const struct view view = {.directory = config->view, .package = config->package, .fstab = config->fstab};

	return config->root ? 0 : view_enter(&view, error);
}

/* In the child; `program` is open, for it is not to be found any more once the root is another one. */
static void become(const struct step_rehearse *config, int program, int protocol, int output)
{
	static char *const environment[] = {"PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL};
	const char *argv[ARGUMENTS_MAX];
	char number[16];
	size_t count = 0;
	struct error error = {0};
	int keys = config->keys ? open(config->keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	(void)snprintf(number, sizeof(number), "%d", protocol);
	argv[count++] = config->updater;
	if (config->root) {
		argv[count++] = "--root";
		argv[count++] = config->root;
	}
	if (config->root && config->fstab) {
		argv[count++] = "--fstab";
		argv[count++] = config->fstab;
	}
	/* The view may not show them: they become the working directory. */
	if (keys >= 0) {
		argv[count++] = "--keys";
		argv[count++] = ".";
	}
	argv[count++] = "--dry-run";
	argv[count++] = "3";
	argv[count++] = number;
	argv[count++] = config->root ? config->package : VIEW_PACKAGE;
	argv[count] = NULL;
	if (dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 && fcntl(protocol, F_SETFD, 0) == 0 &&
	    fcntl(program, F_SETFD, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && enter(config, &error) == 0 &&
	    (keys < 0 || fchdir(keys) == 0))
		(void)fexecve(program, (char *const *)argv, environment);
	(void)dprintf(STDERR_FILENO, "%s\n", error.message[0] ? error.message : strerror(errno));
	_exit(EXIT_NO_START);
}

static int cannot_start(const struct step_rehearse *config, struct error *error)
{
	return error_set(error, RESULT_ABNORMAL, errno, "%s: cannot be started: %s", config->updater, strerror(errno));
}

/* Start it, listen to it until it is silent for good, and learn how it ended. */
static int run(struct rehearsal *rehearsal, int program, int *status, struct error *error)
{
	struct lines lines[2] = {{.take = take_protocol}, {.take = take_output}};
	int protocol[2];
	int output[2];
	pid_t pid;
	int err = 0;

	if (pipe2(protocol, O_CLOEXEC) < 0)
		return cannot_start(rehearsal->config, error);
	if (pipe2(output, O_CLOEXEC) < 0) {
		err = cannot_start(rehearsal->config, error);
		(void)close(protocol[0]); /* nothing was written */
		(void)close(protocol[1]);
		return err;
	}
	pid = fork();
	if (pid == 0)
		become(rehearsal->config, program, protocol[1], output[1]);
	if (pid < 0)
		err = cannot_start(rehearsal->config, error);
	(void)close(protocol[1]); /* the child has its own */
	(void)close(output[1]);
	lines[0].fd = protocol[0];
	lines[1].fd = output[0];
	read_all(lines, rehearsal);
	while (pid > 0 && waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* ---- What it comes to ---- */

/* Its codes are those of an upgrade that runs; none does yet. */
static int code_before_upgrade(int code)
{
	switch (code) {
	case 0:
	case RESULT_VERIFY:
		return RESULT_VERIFY;
	case RESULT_SPACE:
	case RESULT_TOO_LARGE:
		return RESULT_TOO_LARGE;
	case RESULT_UNPACK:
	case RESULT_DIGEST:
	case RESULT_FORMAT:
		return RESULT_PRECHECK;
	default:
		return RESULT_ABNORMAL;
	}
}

static int judge(const struct rehearsal *rehearsal, int status, struct error *error)
{
	const char *cause = rehearsal->cause[0] ? rehearsal->cause : rehearsal->last;

	if (!WIFEXITED(status))
		return error_set(error, RESULT_ABNORMAL, ECHILD, "the updater was ended by signal %d",
		                 WTERMSIG(status));
	switch (WEXITSTATUS(status)) {
	case EXIT_OK:
		return 0;
	case EXIT_ABORT:
		return error_set(error, code_before_upgrade(rehearsal->code), ECHILD, "%s", cause);
	case EXIT_PACKAGE:
	case EXIT_NO_SCRIPT:
	case EXIT_READ_SCRIPT:
	case EXIT_PARSE:
		return error_set(error, RESULT_PRECHECK, ECHILD, "%s", cause);
	default:
		return error_set(error, RESULT_ABNORMAL, ECHILD, "the updater ended with status %d: %s",
		                 WEXITSTATUS(status), cause);
	}
}

int step_rehearse(const struct step_rehearse *rehearse, struct step_output *output, struct error *error)
{
	struct rehearsal *rehearsal = calloc(1, sizeof(*rehearsal));
	int program = open(rehearse->updater, O_RDONLY | O_CLOEXEC);
	int status = 0;
	int err;

	if (!rehearsal || program < 0) {
		err = cannot_start(rehearse, error);
		goto out;
	}
	rehearsal->config = rehearse;
	rehearsal->output = output;
	rehearsal->log = step_log(output);
	err = run(rehearsal, program, &status, error);
	if (!err)
		err = judge(rehearsal, status, error);
	if (!err)
		step_percent(output, 100);
out:
	if (program >= 0)
		(void)close(program); /* only read: nothing to lose */
	free(rehearsal);
	return err;
}
