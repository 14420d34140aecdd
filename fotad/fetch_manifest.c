/* SPDX-License-Identifier: Apache-2.0 */
/* FETCH_MANIFEST: a package's directory and its version, without the package. */
#include "fotad/fetch_run.h"
#include "package/crypt.h"
#include "package/package.h"
#include "package/rollback.h"
#include "package/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_SIZE     (22 + UINT16_MAX) /* how far from its end a zip archive's end record can begin */
#define DIRECTORY_MAX (4u << 20)        /* bytes; of a package for this class of module there are less than a tenth */
#define CONTENT_MAX   (256u << 10)      /* bytes; what may be read for the version */
#define WINDOW_SIZE   16384
#define WINDOW_LEAST  4096

/*
 * A package on a server. What has been read is the end of the file, from `tail_start` on; the package's directory lies
 * there, and when its first byte is asked for, all up to what is there already comes at once. Behind the directory
 * single entries are read through a small window.
 */
struct remote {
	struct fetch_session *session;
	const char *url;
	struct fetch_validator file;
	uint8_t *tail;
	uint64_t tail_start;
	bool directory_read;
	uint64_t content_read; /* bytes, through the window */
	uint8_t window[WINDOW_SIZE];
	uint64_t window_start;
	size_t window_length;
	bool no_ranges;
	bool failed;
	struct fetch_done done; /* why, when failed */
};

/* Bytes on their way. */
struct span {
	struct remote *remote;
	uint8_t *into;
	uint64_t first; /* FETCH_NOWHERE: the end of the file, of which `length` bytes at most are wanted */
	size_t length;
	size_t got;
};

static int on_size(void *ctx, const struct fetch_reply *reply)
{
	struct span *span = ctx;

	span->remote->file = reply->file;
	return 0;
}

/* The end of a file whose size is learned with it. */
static int begin_tail(struct span *span, const struct fetch_reply *reply)
{
	if (!reply->partial || reply->first == FETCH_NOWHERE || reply->file.size == 0 || reply->length > span->length ||
	    reply->first + reply->length != reply->file.size) {
		span->remote->no_ranges = true;
		return -ECANCELED;
	}
	span->remote->file = reply->file;
	span->first = reply->first;
	span->length = (size_t)reply->length;
	return 0;
}

static int on_begin(void *ctx, const struct fetch_reply *reply)
{
	struct span *span = ctx;

	if (span->first == FETCH_NOWHERE)
		return begin_tail(span, reply);
	if (reply->partial && reply->first == span->first && reply->length == span->length &&
	    fetch_is_same(&reply->file, &span->remote->file))
		return 0;
	return -ECANCELED;
}

static int on_data(void *ctx, const uint8_t *data, size_t length)
{
	struct span *span = ctx;

	if (length > span->length - span->got)
		return -ECANCELED;
	memcpy(span->into + span->got, data, length);
	span->got += length;
	return 0;
}

static int remote_fail(struct remote *remote, int err)
{
	remote->failed = true;
	return err;
}

static int fetch_span(struct span *span, enum fetch_extent extent)
{
	struct remote *remote = span->remote;
	struct fetch_transfer transfer = {
		.url = remote->url,
		.extent = extent,
		.first = span->first,
		.length = span->length,
		.begin = extent == FETCH_SIZE ? on_size : on_begin,
		.data = on_data,
		.ctx = span,
	};
	int err = fetch_transfer(remote->session, &transfer, &remote->done);

	if (err == 0)
		return 0;
	if (remote->no_ranges)
		return -ERANGE;
	if (err == -ECANCELED)
		fetch_code_trouble(fetch_family_of(remote->url), FETCH_TROUBLE_CHANGED, &remote->done);
	return remote_fail(remote, err);
}

static int out_of_memory(struct remote *remote)
{
	fetch_code_trouble(fetch_family_of(remote->url), FETCH_TROUBLE_MEMORY, &remote->done);
	return remote_fail(remote, -ENOMEM);
}

static int refuse(struct remote *remote, const char *reason)
{
	fetch_code_package(reason, &remote->done);
	return remote_fail(remote, -EBADMSG);
}

/* -ERANGE when the server gives whole files only. */
static int read_tail(struct remote *remote)
{
	struct span span = {.remote = remote, .first = FETCH_NOWHERE, .length = TAIL_SIZE};
	enum fetch_extent extent = FETCH_LAST;
	int err;

	remote->tail = malloc(TAIL_SIZE);
	if (!remote->tail)
		return out_of_memory(remote);
	span.into = remote->tail;
	if (fetch_family_of(remote->url) == FETCH_FTP) {
		err = fetch_span(&span, FETCH_SIZE);
		if (err < 0)
			return err;
		if (remote->file.size == 0)
			return -ERANGE;
		extent = FETCH_SPAN;
		if (remote->file.size < TAIL_SIZE)
			span.length = (size_t)remote->file.size;
		span.first = remote->file.size - span.length;
	}
	err = fetch_span(&span, extent);
	remote->tail_start = span.first;
	return err;
}

static int extend_tail(struct remote *remote, uint64_t start)
{
	struct span span = {.remote = remote, .first = start, .length = (size_t)(remote->tail_start - start)};
	size_t tail_length = (size_t)(remote->file.size - remote->tail_start);
	int err;

	if (remote->tail_start - start > DIRECTORY_MAX)
		return refuse(remote, "the package's directory is too large");
	span.into = malloc(span.length + tail_length);
	if (!span.into)
		return out_of_memory(remote);
	err = fetch_span(&span, FETCH_SPAN);
	if (err < 0) {
		free(span.into);
		return err;
	}
	memcpy(span.into + span.length, remote->tail, tail_length);
	free(remote->tail);
	remote->tail = span.into;
	remote->tail_start = start;
	return 0;
}

static int move_window(struct remote *remote, uint64_t start, size_t length)
{
	struct span span = {.remote = remote, .into = remote->window, .first = start, .length = length};
	int err;

	if (length < WINDOW_LEAST)
		span.length =
			remote->file.size - start < WINDOW_LEAST ? (size_t)(remote->file.size - start) : WINDOW_LEAST;
	remote->content_read += span.length;
	if (length > WINDOW_SIZE || remote->content_read > CONTENT_MAX)
		return refuse(remote, "what the package says of its versions is too large");
	remote->window_length = 0;
	err = fetch_span(&span, FETCH_SPAN);
	if (err == 0) {
		remote->window_start = start;
		remote->window_length = span.length;
	}
	return err;
}

/* For the package, which asks for no byte beyond the size. */
static int remote_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct remote *remote = ctx;
	int err = 0;

	if (offset < remote->tail_start && !remote->directory_read)
		err = extend_tail(remote, offset);
	if (err == 0 && offset >= remote->tail_start) {
		memcpy(buffer, remote->tail + (offset - remote->tail_start), length);
		return 0;
	}
	if (err == 0 &&
	    (offset < remote->window_start || offset + length > remote->window_start + remote->window_length))
		err = move_window(remote, offset, length);
	if (err == 0)
		memcpy(buffer, remote->window + (offset - remote->window_start), length);
	return err;
}

static int read_version(struct package *package, struct fetch_manifest *manifest, struct error *error)
{
	char *version = NULL;
	size_t size = 0;
	int err = package_load(package, PACKAGE_PROJECT_VERSION, FETCH_VERSION_SIZE - 1, &version, &size, error);

	if (err == -ENOENT)
		return 0;
	if (err == 0) {
		manifest->has_version = 1;
		memcpy(manifest->version, version, size);
		free(version);
	}
	return err;
}

/* What it says lies in what is encrypted: it can be read only when all of it is there. */
static bool is_encrypted(struct remote *remote)
{
	char magic[16];

	if (remote->file.size < sizeof(magic))
		return false;
	remote->directory_read = true; /* or all in front of the end would come at once */
	return remote_read_at(remote, 0, magic, sizeof(magic)) == 0 && package_is_encrypted(magic, sizeof(magic));
}

/* -ERANGE when only the whole package will tell. */
static int read_manifest(struct remote *remote, struct fetch_manifest *manifest)
{
	struct reader reader = {.read_at = remote_read_at, .ctx = remote, .size = remote->file.size};
	struct package_limits limits = package_default_limits();
	struct package *package = NULL;
	struct error error = {0};
	int err;

	err = package_open_directory(&reader, &limits, &package, &error);
	if (err == 0) {
		remote->directory_read = true;
		manifest->file = remote->file;
		manifest->largest = package_largest_entry(package);
		manifest->unpacked = package_unpacked_size(package);
		manifest->is_signed = package_claims_signature(&reader);
		err = read_version(package, manifest, &error);
		if (err == 0)
			err = package_read_rollback(package, &manifest->rollback, &error);
		package_close(package);
	}
	if (err == 0 || remote->failed)
		return err;
	if (!package && err != -ENOMEM && is_encrypted(remote))
		return -ERANGE;
	if (remote->failed)
		return err;
	return err == -ENOMEM ? out_of_memory(remote) : refuse(remote, error.message);
}

int fetch_manifest(struct fetch_session *session, const char *url, int socket)
{
	struct remote remote = {.session = session, .url = url};
	struct fetch_answer answer = {0};
	int lost = 0;
	int err = read_tail(&remote);

	if (err == 0) {
		answer.kind = FETCH_IS_PACKAGE;
		err = read_manifest(&remote, &answer.manifest);
	}
	if (err == -ERANGE) {
		answer.kind = FETCH_NO_RANGES;
		err = 0;
	}
	free(remote.tail);
	if (err == 0) {
		memset(&remote.done, 0, sizeof(remote.done));
		lost = fetch_send_answer(socket, &answer);
	}
	return lost < 0 ? lost : fetch_send_done(socket, &remote.done);
}
