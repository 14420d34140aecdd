/* SPDX-License-Identifier: Apache-2.0 */
/* FETCH_BODY: the package, from where the last try ended when it is still the same one. */
#include "fotad/fetch_run.h"

#include <errno.h>
#include <string.h>

struct body {
	const struct fetch_request *request;
	int socket;
	struct fetch_validator file; /* what an FTP server says before; zero for the others */
	uint64_t offset;             /* asked for */
	uint64_t left;               /* bytes that may still come; FETCH_NOWHERE: unknown */
	bool other;                  /* the answer does not continue what is there */
	bool changed;                /* between what the server said before and its content */
	int lost;                    /* negative errno: nobody listens any more */
	struct fetch_answer answer;  /* being sent */
};

int fetch_send_done(int socket, const struct fetch_done *done)
{
	struct fetch_answer answer = {.kind = FETCH_DONE};

	answer.done = *done;
	return fetch_send_answer(socket, &answer);
}

static int send_begins(struct body *body, const struct fetch_validator *file, uint64_t offset)
{
	body->left = file->size > 0 ? file->size - offset : FETCH_NOWHERE;
	memset(&body->answer, 0, sizeof(body->answer));
	body->answer.kind = FETCH_BEGINS;
	body->answer.offset = offset;
	body->answer.file = *file;
	body->lost = fetch_send_answer(body->socket, &body->answer);
	return body->lost;
}

/* A server that continues a file may say less of it than the one that began it. */
static void add_known(struct fetch_validator *file, const struct fetch_validator *known)
{
	if (file->size == 0)
		file->size = known->size;
	if (file->modified == 0)
		file->modified = known->modified;
	if (file->etag[0] == '\0')
		memcpy(file->etag, known->etag, sizeof(file->etag));
}

static int on_begin(void *ctx, const struct fetch_reply *reply)
{
	struct body *body = ctx;
	struct fetch_validator file = reply->file;

	body->changed = !fetch_is_same(&body->file, &file);
	add_known(&file, &body->file);
	if (reply->partial) {
		body->other = reply->first != body->offset || !fetch_is_same(&file, &body->request->have);
		add_known(&file, &body->request->have);
		body->other = body->other || (file.size > 0 && file.size <= reply->first);
	}
	if (body->changed || body->other)
		return -ECANCELED;
	return send_begins(body, &file, reply->partial ? reply->first : 0);
}

static int on_data(void *ctx, const uint8_t *data, size_t length)
{
	struct body *body = ctx;

	if (body->left != FETCH_NOWHERE) {
		body->changed = length > body->left;
		if (body->changed)
			return -ECANCELED;
		body->left -= length;
	}
	body->answer.kind = FETCH_DATA;
	while (length > 0 && body->lost == 0) {
		size_t n = length < FETCH_DATA_MAX ? length : FETCH_DATA_MAX;

		body->answer.length = (uint32_t)n;
		memcpy(body->answer.data, data, n);
		body->lost = fetch_send_answer(body->socket, &body->answer);
		data += n;
		length -= n;
	}
	return body->lost;
}

static int on_size(void *ctx, const struct fetch_reply *reply)
{
	struct body *body = ctx;

	body->file = reply->file;
	return 0;
}

/* An FTP server tells what it has only when it is asked for that alone. */
static int ask_size(struct fetch_session *session, struct body *body, struct fetch_done *done)
{
	struct fetch_transfer transfer = {
		.url = body->request->url, .extent = FETCH_SIZE, .begin = on_size, .ctx = body};

	return fetch_transfer(session, &transfer, done);
}

static int transfer_body(struct fetch_session *session, struct body *body, struct fetch_done *done)
{
	struct fetch_transfer transfer = {
		.url = body->request->url, .begin = on_begin, .data = on_data, .ctx = body, .first = body->offset};

	body->other = false;
	if (body->offset > 0) {
		transfer.extent = FETCH_FROM;
		transfer.have = &body->request->have;
	}
	return fetch_transfer(session, &transfer, done);
}

int fetch_body(struct fetch_session *session, const struct fetch_request *request, int socket)
{
	enum fetch_family family = fetch_family_of(request->url);
	const struct fetch_validator *have = &request->have;
	struct body body = {.request = request, .socket = socket, .left = FETCH_NOWHERE};
	struct fetch_done done = {0};
	int err = 0;

	/* What cannot be told from another file is not continued. */
	if (have->size > 0 || have->modified != 0 || have->etag[0] != '\0')
		body.offset = request->offset;
	if (family == FETCH_FTP)
		err = ask_size(session, &body, &done);
	if (err == 0)
		err = transfer_body(session, &body, &done);
	if (body.offset > 0 && (err == -ERANGE || body.other)) {
		body.offset = 0;
		err = transfer_body(session, &body, &done);
	}
	if (body.lost < 0)
		return body.lost;
	if (err == -EIO && body.left == 0) /* all is here: how an FTP server ends does not matter */
		err = 0;
	if (err == -ECANCELED)
		fetch_code_trouble(family, FETCH_TROUBLE_CHANGED, &done);
	else if (err == 0 && body.left != FETCH_NOWHERE && body.left > 0) /* a part shorter than what was asked for */
		fetch_code_curl(family, CURLE_PARTIAL_FILE, NULL, &done);
	else if (err == 0)
		memset(&done, 0, sizeof(done));
	return fetch_send_done(socket, &done);
}
