/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/link.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the kernel may hand over in the place of one: control messages are padded. */
#define DESCRIPTORS_MAX 4

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

#define SIZE_WITH(member) (offsetof(struct link_message, member) + sizeof(((struct link_message *)NULL)->member))

/* How many bytes a message of this kind has; 0: there is no such kind. */
static size_t size_of(uint32_t kind)
{
	switch (kind) {
	case LINK_STATUS:
		return SIZE_WITH(status);
	case LINK_TELL:
		return SIZE_WITH(line);
	case LINK_CHANNEL:
	case LINK_LOST:
		return SIZE_WITH(channel);
	case LINK_START:
		return SIZE_WITH(start);
	case LINK_CANCEL:
	case LINK_REBOOT:
		return offsetof(struct link_message, status);
	default:
		return 0;
	}
}

int link_send(int fd, const struct link_message *message, int descriptor)
{
	struct iovec part = {.iov_base = (void *)message, .iov_len = size_of(message->kind)};
	union control control = {.bytes = {0}};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	if (part.iov_len == 0 || (message->kind == LINK_CHANNEL) != (descriptor >= 0))
		return -EINVAL;
	if (descriptor >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(descriptor));
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
	}
	do
		n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static unsigned take_descriptors(struct msghdr *header, int found[DESCRIPTORS_MAX])
{
	unsigned count = 0;

	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
		const unsigned char *data = CMSG_DATA(at);

		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t used = CMSG_LEN(0); used + sizeof(int) <= at->cmsg_len; used += sizeof(int)) {
			if (count == DESCRIPTORS_MAX)
				break;
			memcpy(&found[count++], data, sizeof(int));
			data += sizeof(int);
		}
	}
	return count;
}

static void end_texts(struct link_message *message)
{
	struct link_status *status = &message->status;

	switch (message->kind) {
	case LINK_STATUS:
		status->last.object[sizeof(status->last.object) - 1] = '\0';
		status->last.reason[sizeof(status->last.reason) - 1] = '\0';
		status->project[sizeof(status->project) - 1] = '\0';
		status->revision[sizeof(status->revision) - 1] = '\0';
		break;
	case LINK_TELL:
		message->line[sizeof(message->line) - 1] = '\0';
		break;
	case LINK_START:
		message->start.source[sizeof(message->start.source) - 1] = '\0';
		break;
	default:
		break;
	}
}

int link_receive(int fd, struct link_message *message, int *descriptor)
{
	struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
	union control control;
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int found[DESCRIPTORS_MAX];
	unsigned count;
	ssize_t n;

	*descriptor = -1;
	memset(message, 0, sizeof(*message));
	do
		n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	count = take_descriptors(&header, found);
	if (n > 0 && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && (size_t)n == size_of(message->kind) &&
	    count == (message->kind == LINK_CHANNEL)) {
		if (count == 1)
			*descriptor = found[0];
		end_texts(message);
		return 1;
	}
	for (unsigned i = 0; i < count; i++)
		(void)close(found[i]); /* nothing of ours is behind it */
	return n > 0 ? -EBADMSG : 0;
}
