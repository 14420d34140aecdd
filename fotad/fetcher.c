/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/fetcher.h"

#include "fotad/privileges.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 24
#define EXIT_NO_EXEC  127

void fetcher_init(struct fetcher *fetcher)
{
	*fetcher = (struct fetcher){.fd = -1};
}

/* The program's arguments; numbers point into `numbers`. */
static void make_arguments(const struct config *config, char numbers[3][16], const char *argv[ARGUMENTS_MAX])
{
	size_t count = 0;

	(void)snprintf(numbers[0], sizeof(numbers[0]), "%u", config->connect_timeout);
	(void)snprintf(numbers[1], sizeof(numbers[1]), "%u", config->stall_timeout);
	(void)snprintf(numbers[2], sizeof(numbers[2]), "%u", config->min_speed);
	argv[count++] = config->fetch;
	argv[count++] = "--ca";
	argv[count++] = config->ca_file;
	argv[count++] = "--connect-timeout";
	argv[count++] = numbers[0];
	argv[count++] = "--stall";
	argv[count++] = numbers[1];
	argv[count++] = "--min-speed";
	argv[count++] = numbers[2];
	if (config->certificate) {
		argv[count++] = "--certificate";
		argv[count++] = config->certificate;
		argv[count++] = "--key";
		argv[count++] = config->key;
	}
	if (config->interface) {
		argv[count++] = "--interface";
		argv[count++] = config->interface;
	}
	if (config->plain_text)
		argv[count++] = "--plain-text";
	if (!config->tls_verify)
		argv[count++] = "--insecure";
	argv[count] = NULL;
}

/* In the child. Signals are as the keeper has them: blocked ones would stay blocked. */
static void become(const struct config *config, uid_t uid, gid_t gid, int socket, const char *const argv[])
{
	struct error error = {0};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(socket, STDIN_FILENO) < 0)
		(void)error_set(&error, 0, errno, "%s", strerror(errno));
	else if (privileges_drop(uid, gid, config->groups, config->group_count, &error) == 0)
		(void)execv(argv[0], (char *const *)argv);
	(void)dprintf(STDERR_FILENO, "%s: %s\n", argv[0], error.message[0] ? error.message : strerror(errno));
	_exit(EXIT_NO_EXEC);
}

int fetcher_start(struct fetcher *fetcher, const struct config *config, struct error *error)
{
	const char *argv[ARGUMENTS_MAX];
	char numbers[3][16];
	int ends[2];
	uid_t uid;
	gid_t gid;

	if (fetcher->pid)
		return 0;
	if (privileges_find_user(config->user, &uid, &gid) < 0)
		return error_set(error, RESULT_ABNORMAL, ENOENT, "%s: there is no such user", config->user);
	make_arguments(config, numbers, argv);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(error, RESULT_ABNORMAL, errno, "socket: %s", strerror(errno));
	fetcher->pid = fork();
	if (fetcher->pid == 0)
		become(config, uid, gid, ends[1], argv);
	(void)close(ends[1]); /* the child has its own */
	if (fetcher->pid < 0) {
		int err = errno;

		(void)close(ends[0]);
		fetcher_init(fetcher);
		return error_set(error, RESULT_ABNORMAL, err, "fork: %s", strerror(err));
	}
	fetcher->fd = ends[0];
	return 0;
}

int fetcher_ask(struct fetcher *fetcher, const struct fetch_request *request, struct error *error)
{
	int err = fetch_send_request(fetcher->fd, request);

	if (err < 0)
		return error_set(error, RESULT_ABNORMAL, -err, "qfota-fetch: %s", strerror(-err));
	return 0;
}

int fetcher_receive(struct fetcher *fetcher, struct fetch_answer *answer)
{
	int got = fetch_receive_answer(fetcher->fd, answer);

	if (got == -EAGAIN)
		return 0;
	return got == 0 ? -EPIPE : got;
}

void fetcher_stop(struct fetcher *fetcher)
{
	if (!fetcher->pid)
		return;
	(void)kill(fetcher->pid, SIGKILL); /* it holds nothing that could be lost */
	while (waitpid(fetcher->pid, NULL, 0) < 0 && errno == EINTR)
		;
	(void)close(fetcher->fd);
	fetcher_init(fetcher);
}
