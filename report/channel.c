/* SPDX-License-Identifier: Apache-2.0 */
#include "report/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void channel_init(struct channel *channel, const char *path, const struct log *log)
{
	*channel = (struct channel){.path = path, .log = log, .fd = -1};
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		(void)close(channel->fd); /* nothing durable is behind it */
	channel->fd = -1;
	channel->sent = 0; /* whoever opens the other end next gets the line from its start */
}

static void drop(struct channel *channel, unsigned index)
{
	channel->count--;
	memmove(&channel->lines[index], &channel->lines[index + 1],
	        (channel->count - index) * sizeof(channel->lines[0]));
}

static bool make_room(struct channel *channel)
{
	for (unsigned i = channel->sent ? 1 : 0; i < channel->count; i++) {
		if (channel->lines[i].progress) {
			drop(channel, i);
			return true;
		}
	}
	return false;
}

void channel_push(struct channel *channel, const char *line, bool progress)
{
	struct channel_line *next;

	if (channel->count == CHANNEL_LINES && !make_room(channel))
		return; /* sixteen STARTs and ENDs wait: nobody ever listened */
	next = &channel->lines[channel->count++];
	(void)snprintf(next->text, sizeof(next->text), "\r\n%s\r\n", line);
	next->progress = progress;
}

static bool ensure_open(struct channel *channel)
{
	if (channel->fd >= 0)
		return true;
	channel->fd = open(channel->path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (channel->fd < 0 && !channel->complained) {
		log_printf(channel->log, "%s: %s; will be tried again", channel->path, strerror(errno));
		channel->complained = true;
	}
	return channel->fd >= 0;
}

static void hang_up(struct channel *channel, int err)
{
	if (!channel->complained)
		log_printf(channel->log, "%s: %s; will be opened again", channel->path, strerror(err));
	channel->complained = true; /* once, until something gets through again */
	channel_close(channel);
}

void channel_flush(struct channel *channel)
{
	if (channel->count == 0 || !ensure_open(channel))
		return;
	while (channel->count) {
		const char *text = channel->lines[0].text;
		ssize_t n = write(channel->fd, text + channel->sent, strlen(text) - channel->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			hang_up(channel, errno);
		if (n <= 0)
			return;
		channel->complained = false;
		channel->sent += (size_t)n;
		if (text[channel->sent] != '\0')
			continue;
		channel->sent = 0;
		drop(channel, 0);
	}
}

bool channel_is_slow(const struct channel *channel)
{
	return channel->fd >= 0 && channel->count > 0;
}
