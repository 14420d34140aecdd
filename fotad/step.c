/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/step.h"

#include "fotad/privileges.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CODE_MAX 999 /* the URC's codes have three digits */

/* ---- In the child ---- */

static void send_line(void *ctx, const char *text)
{
	struct step_output *output = ctx;
	struct step_message message = {.kind = STEP_LOG};

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	output->send(output->ctx, &message);
}

struct log step_log(struct step_output *output)
{
	return (struct log){.line = send_line, .ctx = output};
}

void step_percent(struct step_output *output, unsigned percent)
{
	struct step_message message = {.kind = STEP_PERCENT, .value = percent > 100 ? 100 : (int32_t)percent};

	if (message.value <= output->percent)
		return;
	output->percent = message.value;
	output->send(output->ctx, &message);
}

void step_finding(struct step_output *output, const char *text)
{
	struct step_message message = {.kind = STEP_FINDING};

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	output->send(output->ctx, &message);
}

void step_object(struct step_output *output, const char *object)
{
	if (!output->object[0])
		(void)snprintf(output->object, sizeof(output->object), "%s", object);
}

static void send_to_keeper(void *ctx, const struct step_message *message)
{
	const int *fd = ctx;

	/* A keeper that is gone has nobody to tell, and takes this process with it. */
	while (send(*fd, message, sizeof(*message), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static bool close_others(int fd, int keep_fd)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!directory)
		return false;
	while ((entry = readdir(directory))) {
		int other = (int)strtol(entry->d_name, NULL, 10); /* "." is 0, which stays open */

		if (other > STDERR_FILENO && other != fd && other != keep_fd && other != dirfd(directory))
			(void)close(other); /* the keeper has its own */
	}
	(void)closedir(directory); /* only read: nothing to lose */
	return true;
}

static void reset_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none); /* none of these can fail: the signals exist */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL); /* but for the two that have nothing else */
}

static int become(uid_t user, struct error *error)
{
	char name[16];
	gid_t group;
	int err;

	(void)snprintf(name, sizeof(name), "%u", (unsigned)user);
	err = privileges_find_user(name, &user, &group);
	if (err < 0)
		return error_set(error, RESULT_ABNORMAL, -err, "user %s: %s", name, strerror(-err));
	return privileges_drop(user, group, NULL, 0, error);
}

/* Alone, without more privileges than it needs, and gone when the keeper is. */
static int settle(pid_t keeper, uid_t user, int fd, int keep_fd, struct error *error)
{
	int err = 0;

	(void)setpgid(0, 0); /* the keeper does it too, whoever is first */
	reset_signals();
	if (!close_others(fd, keep_fd))
		return error_set(error, RESULT_ABNORMAL, errno, "/proc/self/fd: %s", strerror(errno));
	if (user != 0 && geteuid() == 0)
		err = become(user, error);
	/* Not before: a change of user takes it back. */
	if (!err && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		err = error_set(error, RESULT_ABNORMAL, errno, "PR_SET_PDEATHSIG: %s", strerror(errno));
	if (!err && getppid() != keeper)
		_exit(EXIT_FAILURE);
	return err;
}

static void send_end(struct step_output *output, int err, const struct error *error)
{
	struct step_message message = {.kind = STEP_ENDED};

	if (err) {
		message.value = error->code ? error->code : RESULT_ABNORMAL;
		(void)snprintf(message.text, sizeof(message.text), "%s", error->message);
		memcpy(message.object, output->object, sizeof(message.object));
	}
	output->send(output->ctx, &message);
}

/* ---- In the keeper ---- */

int step_start(struct step *step, uid_t user, int keep_fd,
               int (*run)(void *ctx, struct step_output *output, struct error *error), void *ctx, struct error *error)
{
	pid_t keeper = getpid();
	int ends[2];
	int err;

	*step = (struct step){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(error, RESULT_ABNORMAL, errno, "socketpair: %s", strerror(errno));
	step->pid = fork();
	if (step->pid == 0) {
		struct step_output output = {.send = send_to_keeper, .ctx = &ends[1]};
		struct error cause = {0};

		err = settle(keeper, user, ends[1], keep_fd, &cause);
		if (!err)
			err = run(ctx, &output, &cause);
		send_end(&output, err, &cause);
		_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	err = step->pid < 0 ? error_set(error, RESULT_ABNORMAL, errno, "fork: %s", strerror(errno)) : 0;
	(void)close(ends[1]); /* the child has its own */
	if (err) {
		(void)close(ends[0]); /* nothing was sent */
		return err;
	}
	(void)setpgid(step->pid, step->pid); /* fails when the child has done so, or is over */
	step->fd = ends[0];
	return 0;
}

static int end_child(struct step *step)
{
	int status = 0;

	(void)kill(-step->pid, SIGKILL); /* itself and what it started; nobody may be left */
	while (waitpid(step->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)close(step->fd); /* read to its end, or not wanted any more */
	*step = (struct step){.fd = -1};
	return status;
}

void step_stop(struct step *step)
{
	if (step->fd >= 0)
		(void)end_child(step); /* how it ended is our doing */
}

/* STEP_ENDED in the name of a child that does not say so itself. */
static int end_badly(struct step *step, bool nonsense, struct step_message *message)
{
	int status = end_child(step);

	*message = (struct step_message){.kind = STEP_ENDED, .value = RESULT_ABNORMAL};
	if (nonsense)
		(void)snprintf(message->text, sizeof(message->text), "the step said what no step says");
	else if (WIFSIGNALED(status))
		(void)snprintf(message->text, sizeof(message->text), "the step was ended by signal %d",
		               WTERMSIG(status));
	else
		(void)snprintf(message->text, sizeof(message->text), "the step ended without a word, status %d",
		               WEXITSTATUS(status));
	return 1;
}

static void clean(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static bool is_sound(const struct step_message *message)
{
	switch (message->kind) {
	case STEP_LOG:
	case STEP_FINDING:
		return true;
	case STEP_PERCENT:
		return message->value >= 0 && message->value <= 100;
	case STEP_ENDED:
		return message->value >= 0 && message->value <= CODE_MAX;
	default:
		return false;
	}
}

int step_receive(struct step *step, struct step_message *message)
{
	ssize_t n;

	if (step->fd < 0)
		return 0;
	n = recv(step->fd, message, sizeof(*message), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return end_badly(step, false, message);
	if ((size_t)n != sizeof(*message) || !is_sound(message))
		return end_badly(step, true, message);
	clean(message->object, sizeof(message->object));
	clean(message->text, sizeof(message->text));
	if (message->kind == STEP_ENDED)
		(void)end_child(step); /* its word counts */
	return 1;
}
