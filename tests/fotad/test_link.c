/* SPDX-License-Identifier: Apache-2.0 */
/* What the two processes say to each other, the other one being hostile. */
#include "fotad/link.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends[2];
static struct link_message message;
static int descriptor;

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void teardown(void)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int receive(void)
{
	return link_receive(ends[1], &message, &descriptor);
}

static void send_raw(const void *data, size_t length, const int *descriptors, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (count) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(ends[0], &header, 0), (int)length);
}

static unsigned count_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(test_every_kind)
{
	static const uint32_t kinds[] = {LINK_STATUS, LINK_TELL, LINK_START, LINK_CANCEL, LINK_REBOOT, LINK_LOST};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct link_message sent;

		memset(&sent, 0, sizeof(sent));
		sent.kind = kinds[i];
		switch (kinds[i]) {
		case LINK_STATUS:
			(void)snprintf(sent.status.revision, sizeof(sent.status.revision), "%s", "R2");
			sent.status.plain_text = true;
			break;
		case LINK_TELL:
			(void)snprintf(sent.line, sizeof(sent.line), "%s", "+QIND: \"FOTA\",\"START\"");
			break;
		case LINK_START:
			memset(sent.start.source, 'x', LINK_SOURCE_MAX);
			sent.start.update_max = 50;
			break;
		default:
			break;
		}
		ck_assert_int_eq(link_send(ends[0], &sent, -1), 0);
		ck_assert_int_eq(receive(), 1);
		ck_assert_mem_eq(&message, &sent, sizeof(sent));
		ck_assert_int_eq(descriptor, -1);
	}
	ck_assert_int_eq(receive(), -EAGAIN);
}
END_TEST

START_TEST(test_descriptor)
{
	struct link_message sent = {.kind = LINK_CHANNEL, .channel = {.index = 3, .type = LINK_PTY}};
	struct stat before;
	struct stat after;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(link_send(ends[0], &sent, file), 0);
	ck_assert_int_eq(receive(), 1);
	ck_assert_uint_eq(message.channel.index, 3);
	ck_assert_uint_eq(message.channel.type, LINK_PTY);
	ck_assert_int_ne(descriptor, file);
	ck_assert_int_eq(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstat(file, &before) | fstat(descriptor, &after), 0);
	ck_assert_uint_eq(before.st_rdev, after.st_rdev);
	(void)close(file);
	(void)close(descriptor);
	ck_assert_int_eq(link_send(ends[0], &sent, -1), -EINVAL);
	sent.kind = LINK_LOST;
	ck_assert_int_eq(link_send(ends[0], &sent, ends[0]), -EINVAL);
	sent.kind = LINK_LOST + 1;
	ck_assert_int_eq(link_send(ends[0], &sent, -1), -EINVAL);
}
END_TEST

START_TEST(test_wrong_sizes)
{
	struct link_message good[LINK_LOST + 1];
	char raw[sizeof(struct link_message) + 8];

	memset(good, 0, sizeof(good));
	memset(raw, 'x', sizeof(raw));
	for (uint32_t kind = 0; kind <= LINK_LOST; kind++) {
		unsigned accepted = 0;

		memcpy(raw, &kind, sizeof(kind));
		for (size_t length = 1; length <= sizeof(raw); length++) {
			int got;

			send_raw(raw, length, NULL, 0);
			got = receive();
			ck_assert(got == 1 || got == -EBADMSG);
			accepted += got == 1;
		}
		ck_assert_uint_eq(accepted, kind == LINK_CHANNEL ? 0 : 1); /* that has no descriptor here */
	}
	for (uint32_t kind = LINK_LOST + 1; kind != LINK_LOST; kind = kind * 2 + 1) {
		memcpy(raw, &kind, sizeof(kind));
		send_raw(raw, sizeof(struct link_message), NULL, 0);
		ck_assert_int_eq(receive(), -EBADMSG);
		if (kind == UINT32_MAX)
			break;
	}
}
END_TEST

START_TEST(test_unterminated)
{
	char raw[sizeof(struct link_message)];
	uint32_t kind = LINK_STATUS;

	memset(raw, 'x', sizeof(raw));
	memcpy(raw, &kind, sizeof(kind));
	send_raw(raw, offsetof(struct link_message, status) + sizeof(struct link_status), NULL, 0);
	ck_assert_int_eq(receive(), 1);
	ck_assert_uint_eq(strlen(message.status.project), sizeof(message.status.project) - 1);
	ck_assert_uint_eq(strlen(message.status.revision), sizeof(message.status.revision) - 1);
	ck_assert_uint_eq(strlen(message.status.last.object), sizeof(message.status.last.object) - 1);
	ck_assert_uint_eq(strlen(message.status.last.reason), sizeof(message.status.last.reason) - 1);

	kind = LINK_TELL;
	memcpy(raw, &kind, sizeof(kind));
	send_raw(raw, offsetof(struct link_message, line) + sizeof(message.line), NULL, 0);
	ck_assert_int_eq(receive(), 1);
	ck_assert_uint_eq(strlen(message.line), sizeof(message.line) - 1);

	kind = LINK_START;
	memcpy(raw, &kind, sizeof(kind));
	send_raw(raw, offsetof(struct link_message, start) + sizeof(struct link_start), NULL, 0);
	ck_assert_int_eq(receive(), 1);
	ck_assert_uint_eq(strlen(message.start.source), LINK_SOURCE_MAX);
}
END_TEST

/* Descriptors where none belongs, or several: none stays open. */
START_TEST(test_unwanted_descriptors)
{
	struct link_message sent = {.kind = LINK_CHANNEL};
	size_t with_channel = offsetof(struct link_message, channel) + sizeof(sent.channel);
	int many[] = {ends[0], ends[0], ends[0], ends[0], ends[0], ends[0], ends[0], ends[0]};
	unsigned before = count_descriptors();

	for (size_t count = 2; count <= 8; count++) {
		send_raw(&sent, with_channel, many, count);
		ck_assert_int_eq(receive(), -EBADMSG);
		ck_assert_int_eq(descriptor, -1);
	}
	sent.kind = LINK_CANCEL;
	send_raw(&sent, offsetof(struct link_message, status), many, 1);
	ck_assert_int_eq(receive(), -EBADMSG);
	send_raw("x", 1, many, 1);
	ck_assert_int_eq(receive(), -EBADMSG);
	ck_assert_uint_eq(count_descriptors(), before);
}
END_TEST

START_TEST(test_full_and_gone)
{
	struct link_message sent = {.kind = LINK_CANCEL};
	unsigned count = 0;
	unsigned got = 0;
	int err;

	while ((err = link_send(ends[0], &sent, -1)) == 0)
		count++;
	ck_assert_int_eq(err, -EAGAIN);
	while (receive() == 1)
		got++;
	ck_assert_uint_eq(got, count);
	(void)close(ends[0]);
	ck_assert_int_eq(receive(), 0);
	ck_assert_int_eq(link_send(ends[1], &sent, -1), -EPIPE);
}
END_TEST

/* The other side ends with something of ours unread. */
START_TEST(test_reset)
{
	struct link_message sent = {.kind = LINK_CANCEL};

	ck_assert_int_eq(link_send(ends[1], &sent, -1), 0);
	(void)close(ends[0]);
	ck_assert_int_eq(receive(), 0);
}
END_TEST

Suite *suite_link(void)
{
	Suite *suite = suite_create("link");
	TCase *tests = tcase_create("link");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_every_kind);
	tcase_add_test(tests, test_descriptor);
	tcase_add_test(tests, test_wrong_sizes);
	tcase_add_test(tests, test_unterminated);
	tcase_add_test(tests, test_unwanted_descriptors);
	tcase_add_test(tests, test_full_and_gone);
	tcase_add_test(tests, test_reset);
	suite_add_tcase(suite, tests);
	return suite;
}
