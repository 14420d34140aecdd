/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/fetch.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#define HEAD_SIZE offsetof(struct fetch_answer, manifest)

bool fetch_is_same(const struct fetch_validator *a, const struct fetch_validator *b)
{
	if (a->size != 0 && b->size != 0 && a->size != b->size)
		return false;
	if (a->etag[0] != '\0' && b->etag[0] != '\0') {
		if (strcmp(a->etag, b->etag) != 0)
			return false;
		if (a->etag[0] == '"') /* not a weak one, which says "as good as" */
			return true;
	}
	return a->modified == 0 || b->modified == 0 || a->modified == b->modified;
}

static int send_message(int fd, const void *message, size_t length, int flags)
{
	ssize_t n;

	do
		n = send(fd, message, length, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
	return 0;
}

/* The message's length, longer than `size` when it did not fit; 0 at the end. */
static ssize_t receive_message(int fd, void *message, size_t size, int flags)
{
	ssize_t n;

	do
		n = recv(fd, message, size, flags | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	return n;
}

int fetch_send_request(int fd, const struct fetch_request *request)
{
	return send_message(fd, request, sizeof(*request), MSG_DONTWAIT);
}

int fetch_receive_request(int fd, struct fetch_request *request)
{
	ssize_t n = receive_message(fd, request, sizeof(*request), 0);

	if (n <= 0)
		return (int)n;
	if (n != sizeof(*request) || request->kind > FETCH_BODY)
		return -EBADMSG;
	request->url[FETCH_URL_SIZE - 1] = '\0';
	request->have.etag[FETCH_TAG_SIZE - 1] = '\0';
	return 1;
}

/* What an answer of this kind takes on the way; 0: there is none. */
static size_t answer_size(const struct fetch_answer *answer)
{
	switch (answer->kind) {
	case FETCH_IS_PACKAGE:
		return HEAD_SIZE + sizeof(answer->manifest);
	case FETCH_NO_RANGES:
		return HEAD_SIZE;
	case FETCH_BEGINS:
		return HEAD_SIZE + sizeof(answer->file);
	case FETCH_DATA:
		return answer->length > 0 && answer->length <= FETCH_DATA_MAX ? HEAD_SIZE + answer->length : 0;
	case FETCH_DONE:
		return HEAD_SIZE + sizeof(answer->done);
	default:
		return 0;
	}
}

int fetch_send_answer(int fd, const struct fetch_answer *answer)
{
	size_t size = answer_size(answer);

	return size == 0 ? -EINVAL : send_message(fd, answer, size, 0);
}

int fetch_receive_answer(int fd, struct fetch_answer *answer)
{
	ssize_t n = receive_message(fd, answer, sizeof(*answer), MSG_DONTWAIT);

	if (n <= 0)
		return (int)n;
	if ((size_t)n < HEAD_SIZE || (size_t)n != answer_size(answer))
		return -EBADMSG;
	if (answer->kind == FETCH_IS_PACKAGE) {
		answer->manifest.file.etag[FETCH_TAG_SIZE - 1] = '\0';
		answer->manifest.version[FETCH_VERSION_SIZE - 1] = '\0';
	} else if (answer->kind == FETCH_BEGINS) {
		answer->file.etag[FETCH_TAG_SIZE - 1] = '\0';
	} else if (answer->kind == FETCH_DONE) {
		answer->done.reason[sizeof(answer->done.reason) - 1] = '\0';
	}
	return 1;
}
