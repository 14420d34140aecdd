/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_CHANNEL_H
#define REPORT_CHANNEL_H

/*
 * One place where URCs go: a character device of the modem, a tty, a FIFO, a file. Never blocks. Lines wait in a small
 * queue and leave it whole: a partial write goes on where it stopped, and a line is begun anew only on a channel that
 * was hung up meanwhile.
 */
#include "base/log.h"
#include <stdbool.h>
#include <stddef.h>

#define CHANNEL_LINES     16
#define CHANNEL_LINE_SIZE 48 /* "\r\n+QIND: \"FOTA\",\"UPDATING\",100\r\n" and its NUL fit well */

struct channel_line {
	char text[CHANNEL_LINE_SIZE];
	bool progress; /* may be dropped when the queue is full */
};

struct channel {
	const char *path;
	const struct log *log;
	int fd; /* -1: not open, tried again at every flush */
	struct channel_line lines[CHANNEL_LINES];
	unsigned count;
	size_t sent; /* bytes of lines[0] that are gone */
	bool complained;
};

void channel_init(struct channel *channel, const char *path, const struct log *log);
void channel_close(struct channel *channel);

/* Queue a line, framed. When the queue is full the oldest progress line that is not half sent goes. */
void channel_push(struct channel *channel, const char *line, bool progress);

/* Write what the channel takes now. */
void channel_flush(struct channel *channel);

/* Is there someone at the other end who has not got everything? */
bool channel_is_slow(const struct channel *channel);

#endif
