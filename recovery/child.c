/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_SIZE       4096 /* the updater keeps to 1000; a longer line loses its end */
#define ARGUMENTS_MAX   12
#define POLL_MS         200
#define READS_AFTER_END 64 /* what a grandchild goes on writing is not waited for */
#define EXIT_NO_EXEC    127

/* One pipe, cut into lines. */
struct line_reader {
	int fd; /* -1: at its end */
	char line[LINE_SIZE];
	size_t used;
	bool cut; /* the line was too long, its rest is skipped */
	void (*deliver)(void *ctx, char *text);
	void *ctx;
};

static void deliver(struct line_reader *reader)
{
	reader->line[reader->used] = '\0';
	reader->deliver(reader->ctx, reader->line);
	reader->used = 0;
}

static void add_byte(struct line_reader *reader, char byte)
{
	if (byte == '\n') {
		if (!reader->cut)
			deliver(reader);
		reader->cut = false;
	} else if (!reader->cut) {
		if (byte == '\0')
			byte = ' ';
		reader->line[reader->used++] = byte;
		if (reader->used == LINE_SIZE - 1) {
			deliver(reader);
			reader->cut = true;
		}
	}
}

static void reader_close(struct line_reader *reader)
{
	if (reader->fd >= 0)
		(void)close(reader->fd); /* a pipe's read end has nothing to lose */
	reader->fd = -1;
}

/* Reads what is there; false when nothing was. */
static bool read_some(struct line_reader *reader)
{
	char bytes[1024];
	ssize_t n;

	if (reader->fd < 0)
		return false;
	n = read(reader->fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		if (reader->used)
			deliver(reader); /* the last words of a child that died */
		reader_close(reader);
		return false;
	}
	for (ssize_t i = 0; i < n; i++)
		add_byte(reader, bytes[i]);
	return true;
}

/* What the updater prints goes the way of what it wants shown: into the log. */
struct printed {
	void (*line)(void *ctx, char *text);
	void *ctx;
};

static void deliver_printed(void *ctx, char *text)
{
	const struct printed *printed = ctx;
	char line[LINE_SIZE + 16];

	(void)snprintf(line, sizeof(line), "ui_print %s", text);
	printed->line(printed->ctx, line);
}

/* In the child. Only what is safe between fork and exec. */
static void become(char *const argv[], int protocol, int output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0); /* fails only when it is so already */
	(void)signal(SIGPIPE, SIG_DFL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
	    dup2(output, STDERR_FILENO) >= 0 && fcntl(protocol, F_SETFD, 0) == 0 && chdir("/") == 0)
		(void)execv(argv[0], argv);
	(void)dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_NO_EXEC);
}

static bool make_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static pid_t start(const struct child_config *config, const char *package, bool retry, int protocol, int output)
{
	const char *argv[ARGUMENTS_MAX];
	char path[STORAGE_PATH_MAX];
	char number[16];
	size_t count = 0;
	pid_t pid;

	(void)snprintf(number, sizeof(number), "%d", protocol);
	argv[count++] = config->program;
	if (config->root) {
		argv[count++] = "--root";
		argv[count++] = config->root;
	}
	if (config->fstab) {
		argv[count++] = "--fstab";
		argv[count++] = config->fstab;
	}
	/* Not to others' updaters, which know no encrypted packages, unless there are keys. */
	if (config->keys && access(config->keys, F_OK) == 0) {
		argv[count++] = "--keys";
		argv[count++] = config->keys;
	}
	/* The updater takes a package's path for one of this system. */
	(void)snprintf(path, sizeof(path), "%s%s", config->root ? config->root : "", package);
	argv[count++] = "3";
	argv[count++] = number;
	argv[count++] = path;
	if (retry)
		argv[count++] = "retry";
	argv[count] = NULL;
	pid = fork();
	if (pid == 0)
		become((char *const *)argv, protocol, output);
	return pid;
}

static void watch(pid_t pid, struct line_reader readers[2], void (*tick)(void *ctx), void *ctx,
                  struct recovery_child *child)
{
	int status = 0;
	pid_t ended = 0;

	while (ended == 0) {
		struct pollfd fds[2] = {{.fd = readers[0].fd, .events = POLLIN},
		                        {.fd = readers[1].fd, .events = POLLIN}};

		(void)poll(fds, 2, POLL_MS); /* the reads below tell what there is */
		for (int i = 0; i < 2; i++)
			(void)read_some(&readers[i]);
		tick(ctx);
		ended = waitpid(pid, &status, WNOHANG);
		if (ended < 0 && errno == EINTR)
			ended = 0;
	}
	for (int i = 0; i < 2; i++) {
		for (int reads = 0; reads < READS_AFTER_END && read_some(&readers[i]); reads++)
			;
		if (readers[i].used)
			deliver(&readers[i]);
	}
	child->exited = ended > 0 && WIFEXITED(status);
	child->status = child->exited ? WEXITSTATUS(status) : WTERMSIG(status);
}

int child_run(void *ctx, const char *package, bool retry, void (*line)(void *line_ctx, char *text),
              void (*tick)(void *line_ctx), void *line_ctx, struct recovery_child *child, struct error *error)
{
	const struct child_config *config = ctx;
	int protocol[2] = {-1, -1};
	int output[2] = {-1, -1};
	struct printed printed = {.line = line, .ctx = line_ctx};
	struct line_reader readers[2];
	pid_t pid = -1;
	int err = 0;

	if (make_pipe(protocol) && make_pipe(output))
		pid = start(config, package, retry, protocol[1], output[1]);
	if (pid < 0)
		err = error_set(error, RESULT_ABNORMAL, errno, "%s: cannot be started: %s", config->program,
		                strerror(errno));
	for (int i = 0; i < 2; i++) {
		int write_end = i ? output[1] : protocol[1];

		readers[i] = (struct line_reader){.fd = i ? output[0] : protocol[0]};
		if (write_end >= 0)
			(void)close(write_end); /* the child has its own */
	}
	readers[0].deliver = line;
	readers[0].ctx = line_ctx;
	readers[1].deliver = deliver_printed;
	readers[1].ctx = &printed;
	if (!err)
		watch(pid, readers, tick, line_ctx, child);
	for (int i = 0; i < 2; i++)
		reader_close(&readers[i]);
	return err;
}
