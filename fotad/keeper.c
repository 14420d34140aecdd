/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/keeper.h"

#include "fotad/front.h"
#include "fotad/job.h"
#include "fotad/opening.h"
#include "fotad/privileges.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS     1000 /* between two tries to open a channel or to start the front */
#define TELL_WAIT_MS 1000 /* for a front that is slow to take a line */

enum { POLL_SIGNALS, POLL_FRONT, POLL_FETCHER, POLL_STEP, POLLS };

struct keeper {
	const struct keeper_config *config;
	struct job job;
	struct link_status told; /* to the front, last */
	int signals;
	int link; /* to the front; -1: none runs */
	pid_t front;
	bool closed[LINK_CHANNELS_MAX];     /* the front wants it */
	bool complained[LINK_CHANNELS_MAX]; /* about it, since it was open last */
	uint64_t again_ms;                  /* when what did not work is tried again */
	pid_t rebooter;
	bool ended;
};

static uint64_t now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: this clock exists */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const struct log *log_of(const struct keeper *keeper)
{
	return keeper->config->log;
}

/* ---- The front ---- */

static void run_front(uid_t uid, gid_t gid, int link)
{
	struct log log = log_to_stderr();
	struct error error = {0};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(link, STDERR_FILENO + 1) < 0)
		_exit(1);
	closefrom(STDERR_FILENO + 2);
	if (privileges_drop(uid, gid, NULL, 0, &error) < 0 || privileges_limit(&error) < 0) {
		log_printf(&log, "front: %s", error.message);
		_exit(1);
	}
	_exit(front_run(STDERR_FILENO + 1, &log) < 0);
}

static int start_front(struct keeper *keeper, struct error *error)
{
	const char *user = keeper->config->config->user;
	int ends[2];
	uid_t uid;
	gid_t gid;

	if (privileges_find_user(user, &uid, &gid) < 0)
		return error_set(error, 0, ENOENT, "%s: there is no such user", user);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(error, 0, errno, "socket: %s", strerror(errno));
	keeper->front = fork();
	if (keeper->front == 0)
		run_front(uid, gid, ends[1]);
	(void)close(ends[1]); /* the child has its own */
	keeper->link = ends[0];
	if (keeper->front < 0)
		return error_set(error, 0, errno, "fork: %s", strerror(errno));
	for (unsigned i = 0; i < keeper->config->config->channel_count; i++)
		keeper->closed[i] = true;
	keeper->told.state = UINT32_MAX; /* it knows nothing yet */
	return 0;
}

static void lose_front(struct keeper *keeper)
{
	if (keeper->link >= 0)
		(void)close(keeper->link); /* what it did not read is lost with it */
	keeper->link = -1;
	if (keeper->front > 0) {
		(void)kill(keeper->front, SIGKILL);
		while (waitpid(keeper->front, NULL, 0) < 0 && errno == EINTR)
			;
	}
	keeper->front = 0;
}

/* ---- To the front ---- */

static void tell_front(struct keeper *keeper, const struct link_message *message, int descriptor)
{
	struct pollfd poll_link = {.fd = keeper->link, .events = POLLOUT};
	int err = link_send(keeper->link, message, descriptor);

	if (err == -EAGAIN && poll(&poll_link, 1, TELL_WAIT_MS) == 1)
		err = link_send(keeper->link, message, descriptor);
	if (err < 0)
		log_printf(log_of(keeper), "front: %s; a message is lost", strerror(-err));
}

static void tell_status(struct keeper *keeper)
{
	struct link_message message = {.kind = LINK_STATUS};

	job_status(&keeper->job, &message.status);
	if (keeper->link < 0 || memcmp(&message.status, &keeper->told, sizeof(keeper->told)) == 0)
		return;
	keeper->told = message.status;
	tell_front(keeper, &message, -1);
}

static void tell_line(void *ctx, const char *line)
{
	struct keeper *keeper = ctx;
	struct link_message message = {.kind = LINK_TELL};

	(void)snprintf(message.line, sizeof(message.line), "%s", line);
	if (keeper->link < 0)
		return;
	tell_status(keeper); /* whoever hears the line and asks shall not be told how things stood before it */
	tell_front(keeper, &message, -1);
}

static void open_channel(struct keeper *keeper, unsigned index)
{
	struct link_message message = {.kind = LINK_CHANNEL};
	enum link_channel_type type;
	struct error error;
	int fd = opening_open(keeper->config->config->channels[index], &type, &error);

	if (fd < 0) {
		if (!keeper->complained[index])
			log_printf(log_of(keeper), "%s; will be tried again", error.message);
		keeper->complained[index] = true;
		return;
	}
	message.channel.index = index;
	message.channel.type = type;
	tell_front(keeper, &message, fd);
	(void)close(fd); /* the front has it */
	keeper->closed[index] = false;
	keeper->complained[index] = false;
}

/*
 * Until it is clear what the last reboot left, nobody is heard: what is written to a device meanwhile waits there, and
 * is not refused.
 */
static bool is_channel_wanted(const struct keeper *keeper, unsigned index)
{
	return keeper->closed[index] && keeper->job.phase != JOB_BOOT;
}

static bool is_broken(const struct keeper *keeper)
{
	bool broken = keeper->link < 0;

	for (unsigned i = 0; i < keeper->config->config->channel_count; i++)
		broken = broken || is_channel_wanted(keeper, i);
	return broken;
}

/* What is missing: the front, and its channels. What cannot be had now is tried again once a second. */
static void mend(struct keeper *keeper, uint64_t now)
{
	struct error error;

	if (now < keeper->again_ms)
		return;
	if (keeper->link < 0 && start_front(keeper, &error) < 0) {
		log_printf(log_of(keeper), "front: %s", error.message);
		lose_front(keeper);
	}
	tell_status(keeper); /* before anybody can ask */
	for (unsigned i = 0; i < keeper->config->config->channel_count && keeper->link >= 0; i++)
		if (is_channel_wanted(keeper, i))
			open_channel(keeper, i);
	if (is_broken(keeper))
		keeper->again_ms = now + AGAIN_MS;
}

/* ---- Rebooting ---- */

static void reboot_module(void *ctx)
{
	struct keeper *keeper = ctx;
	const char *command = keeper->config->config->reboot_command;
	struct error error;
	sigset_t none;

	if (storage_sync(keeper->config->storage, &error) < 0)
		log_printf(log_of(keeper), "%s", error.message); /* what counts was durable before */
	log_printf(log_of(keeper), "reboot: %s", command);
	keeper->rebooter = fork();
	if (keeper->rebooter != 0)
		return;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* A command that failed must not leave an armed module running for ever. */
static void check_rebooter(struct keeper *keeper)
{
	int status;

	if (keeper->rebooter <= 0 || waitpid(keeper->rebooter, &status, WNOHANG) != keeper->rebooter)
		return;
	keeper->rebooter = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	log_printf(log_of(keeper), "the reboot command failed (status %x)", (unsigned)status);
	if (keeper->config->root)
		return;
	sync();
	(void)reboot(RB_AUTOBOOT); /* returns only when it failed, and then nothing is left to try */
}

/* ---- From the front ---- */

static void take_message(struct keeper *keeper, const struct link_message *message)
{
	switch (message->kind) {
	case LINK_START:
		if (job_start(&keeper->job, &message->start) < 0)
			log_printf(log_of(keeper), "AT+QFOTADL: another upgrade is under way");
		break;
	case LINK_CANCEL:
		if (job_cancel(&keeper->job) < 0)
			log_printf(log_of(keeper), "AT+QFOTASTOP: there is nothing that can be stopped");
		break;
	case LINK_REBOOT:
		/* An upgrade that is being armed ends with a reboot anyway. */
		if (keeper->job.phase != JOB_ARM && keeper->job.phase != JOB_REBOOT)
			reboot_module(keeper);
		break;
	case LINK_LOST:
		if (message->channel.index < keeper->config->config->channel_count)
			keeper->closed[message->channel.index] = true;
		break;
	default:
		log_printf(log_of(keeper), "front: message %u", message->kind);
	}
	keeper->told.state = UINT32_MAX; /* it may have thought ahead */
}

static void receive_messages(struct keeper *keeper)
{
	struct link_message message;
	int descriptor;
	int got;

	while ((got = link_receive(keeper->link, &message, &descriptor)) == 1) {
		if (descriptor >= 0)
			(void)close(descriptor); /* the front has none to give */
		take_message(keeper, &message);
	}
	if (got == -EAGAIN)
		return;
	log_printf(log_of(keeper), "front: %s; it is started again", got == 0 ? "it died" : strerror(-got));
	lose_front(keeper);
	keeper->again_ms = now_ms() + AGAIN_MS;
}

/* ---- The loop ---- */

static void take_signal(struct keeper *keeper)
{
	struct signalfd_siginfo info;

	if (read(keeper->signals, &info, sizeof(info)) == (ssize_t)sizeof(info) && info.ssi_signo != SIGCHLD)
		keeper->ended = true;
	check_rebooter(keeper);
}

static int time_left(const struct keeper *keeper, uint64_t now)
{
	uint64_t wake = keeper->job.wake_ms;

	if (is_broken(keeper) && keeper->again_ms < wake)
		wake = keeper->again_ms;
	if (wake == JOB_NEVER)
		return -1;
	return wake > now ? (int)(wake - now) : 0;
}

static int run_once(struct keeper *keeper)
{
	struct pollfd fds[POLLS];
	uint64_t now = now_ms();

	mend(keeper, now);
	tell_status(keeper);
	fds[POLL_SIGNALS] = (struct pollfd){.fd = keeper->signals, .events = POLLIN};
	fds[POLL_FRONT] = (struct pollfd){.fd = keeper->link, .events = POLLIN};
	job_descriptors(&keeper->job, &fds[POLL_FETCHER]);
	if (poll(fds, POLLS, time_left(keeper, now)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[POLL_SIGNALS].revents)
		take_signal(keeper);
	if (fds[POLL_FRONT].revents)
		receive_messages(keeper);
	job_handle(&keeper->job, now_ms());
	return 0;
}

static int catch_signals(struct error *error)
{
	static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t set;
	int fd = -1;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		(void)sigaddset(&set, caught[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_set(error, 0, errno, "signals: %s", strerror(errno)) : fd;
}

int keeper_run(const struct keeper_config *config, struct error *error)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	bool opened = false;
	int err;

	if (!keeper)
		return error_set(error, 0, ENOMEM, "out of memory");
	keeper->config = config;
	keeper->link = -1;
	keeper->job = (struct job){.config = config->config,
	                           .root = config->root,
	                           .storage = config->storage,
	                           .log = config->log,
	                           .tell = tell_line,
	                           .reboot = reboot_module,
	                           .ctx = keeper};
	keeper->signals = catch_signals(error);
	err = keeper->signals < 0 ? keeper->signals : 0;
	if (err == 0) {
		opened = true;
		err = job_open(&keeper->job, error);
	}
	while (err == 0 && !keeper->ended) {
		err = run_once(keeper);
		if (err < 0)
			(void)error_set(error, 0, -err, "poll: %s", strerror(-err));
	}
	if (opened)
		job_close(&keeper->job);
	lose_front(keeper);
	for (unsigned i = 0; i < config->config->channel_count; i++)
		opening_remove(config->config->channels[i]);
	if (keeper->signals >= 0)
		(void)close(keeper->signals);
	free(keeper);
	return err;
}
