/* SPDX-License-Identifier: Apache-2.0 */
/* qfota-fetch without a server: what its messages are, and which code a result becomes. */
#include "fotad/fetch_codes.h"

#include <check.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_SIZE (sizeof(struct fetch_answer) - FETCH_DATA_MAX)

START_TEST(test_same)
{
	static const struct {
		struct fetch_validator a;
		struct fetch_validator b;
		bool same;
	} pairs[] = {
		{{0}, {0}, true},
		{{.size = 1}, {.size = 1}, true},
		{{.size = 1}, {.size = 2}, false},
		{{.size = 1}, {.modified = 5}, true},
		{{.modified = 5}, {.modified = 6}, false},
		{{.modified = 5}, {.modified = 5}, true},
		{{.etag = "\"a\""}, {.etag = "\"a\""}, true},
		{{.etag = "\"a\""}, {.etag = "\"b\""}, false},
		{{.etag = "\"a\""}, {.size = 2}, true},
		{{.etag = "\"a\"", .size = 1}, {.etag = "\"a\"", .size = 2}, false},
		{{.etag = "\"a\"", .modified = 5}, {.etag = "\"b\"", .modified = 5}, false},
		{{.etag = "\"a\"", .modified = 5}, {.etag = "\"a\"", .modified = 6}, true},
		{{.etag = "W/\"a\"", .modified = 5}, {.etag = "W/\"a\"", .modified = 6}, false},
		{{.etag = "W/\"a\"", .modified = 5}, {.etag = "W/\"a\"", .modified = 5}, true},
		{{.etag = "W/\"a\""}, {.etag = "\"a\""}, false},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		ck_assert_msg(fetch_is_same(&pairs[i].a, &pairs[i].b) == pairs[i].same, "pair %zu", i);
		ck_assert_msg(fetch_is_same(&pairs[i].b, &pairs[i].a) == pairs[i].same, "pair %zu, turned", i);
	}
}
END_TEST

static int sockets[2];
static struct fetch_answer sent;
static struct fetch_answer received;

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	memset(&sent, 0, sizeof(sent));
	memset(&received, 0xff, sizeof(received));
}

static void teardown(void)
{
	close(sockets[0]);
	close(sockets[1]);
}

START_TEST(test_answers_travel)
{
	static const uint32_t lengths[] = {1, 7, FETCH_DATA_MAX};

	ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), -EAGAIN);
	for (uint32_t kind = FETCH_IS_PACKAGE; kind <= FETCH_DONE; kind++) {
		sent.kind = kind;
		sent.length = kind == FETCH_DATA ? 1 : 0;
		ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), 0);
		ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), 1);
		ck_assert_uint_eq(received.kind, kind);
	}
	sent.kind = FETCH_DATA;
	memset(sent.data, 0x5a, sizeof(sent.data));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		sent.length = lengths[i];
		ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), 0);
		ck_assert_int_eq(recv(sockets[0], &received, sizeof(received), MSG_PEEK), HEAD_SIZE + lengths[i]);
		ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), 1);
		ck_assert_uint_eq(received.length, lengths[i]);
		ck_assert_mem_eq(received.data, sent.data, lengths[i]);
	}
	close(sockets[1]);
	ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), 0);
	sockets[1] = dup(sockets[0]);
}
END_TEST

START_TEST(test_answers_that_are_none)
{
	sent.kind = FETCH_DATA;
	ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), -EINVAL);
	sent.length = FETCH_DATA_MAX + 1;
	ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), -EINVAL);
	sent.kind = FETCH_DONE + 1;
	ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), -EINVAL);
}
END_TEST

/* A message of each kind, in every size around the right one. */
START_TEST(test_answers_of_wrong_size)
{
	static const size_t sizes[] = {
		[FETCH_IS_PACKAGE] = HEAD_SIZE + sizeof(struct fetch_manifest), [FETCH_NO_RANGES] = HEAD_SIZE,
		[FETCH_BEGINS] = HEAD_SIZE + sizeof(struct fetch_validator),    [FETCH_DATA] = HEAD_SIZE + 100,
		[FETCH_DONE] = HEAD_SIZE + sizeof(struct fetch_done),
	};
	size_t right = sizes[_i];

	sent.kind = (uint32_t)_i;
	sent.length = 100;
	for (size_t size = 1; size <= right + 8; size++) {
		ck_assert_int_eq(send(sockets[1], &sent, size, 0), (ssize_t)size);
		ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), size == right ? 1 : -EBADMSG);
	}
}
END_TEST

START_TEST(test_answers_too_large)
{
	static uint8_t large[sizeof(struct fetch_answer) + 1];
	uint32_t lengths[] = {0, FETCH_DATA_MAX, FETCH_DATA_MAX + 1, UINT32_MAX};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		sent.kind = FETCH_DATA;
		sent.length = lengths[i];
		memcpy(large, &sent, HEAD_SIZE);
		ck_assert_int_eq(send(sockets[1], large, sizeof(large), 0), sizeof(large));
		ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), -EBADMSG);
	}
}
END_TEST

/* Texts without an end get one. */
START_TEST(test_texts_end)
{
	memset(&sent, 'x', sizeof(sent));
	sent.kind = FETCH_DONE;
	ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), 0);
	ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), 1);
	ck_assert_uint_eq(strlen(received.done.reason), sizeof(received.done.reason) - 1);
	sent.kind = FETCH_BEGINS;
	ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), 0);
	ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), 1);
	ck_assert_uint_eq(strlen(received.file.etag), FETCH_TAG_SIZE - 1);
	sent.kind = FETCH_IS_PACKAGE;
	ck_assert_int_eq(fetch_send_answer(sockets[1], &sent), 0);
	ck_assert_int_eq(fetch_receive_answer(sockets[0], &received), 1);
	ck_assert_uint_eq(strlen(received.manifest.file.etag), FETCH_TAG_SIZE - 1);
	ck_assert_uint_eq(strlen(received.manifest.version), FETCH_VERSION_SIZE - 1);
}
END_TEST

START_TEST(test_requests)
{
	struct fetch_request request;
	struct fetch_request got;

	memset(&request, 'x', sizeof(request));
	request.kind = FETCH_BODY;
	request.offset = 77;
	ck_assert_int_eq(fetch_send_request(sockets[0], &request), 0);
	ck_assert_int_eq(fetch_receive_request(sockets[1], &got), 1);
	ck_assert_uint_eq(got.offset, 77);
	ck_assert_uint_eq(strlen(got.url), FETCH_URL_SIZE - 1);
	ck_assert_uint_eq(strlen(got.have.etag), FETCH_TAG_SIZE - 1);
	request.kind = FETCH_BODY + 1;
	ck_assert_int_eq(fetch_send_request(sockets[0], &request), 0);
	ck_assert_int_eq(fetch_receive_request(sockets[1], &got), -EBADMSG);
	ck_assert_int_eq(send(sockets[0], &request, sizeof(request) - 1, 0), sizeof(request) - 1);
	ck_assert_int_eq(fetch_receive_request(sockets[1], &got), -EBADMSG);
	close(sockets[0]);
	ck_assert_int_eq(fetch_receive_request(sockets[1], &got), 0);
	ck_assert_int_eq(fetch_send_answer(sockets[1], &(struct fetch_answer){.kind = FETCH_NO_RANGES}), -EPIPE);
	sockets[0] = dup(sockets[1]);
}
END_TEST

/* The keeper does not wait for one who does not read. */
START_TEST(test_requests_do_not_block)
{
	struct fetch_request request = {.kind = FETCH_BODY};
	int err = 0;

	for (unsigned i = 0; i < 100000 && err == 0; i++)
		err = fetch_send_request(sockets[0], &request);
	ck_assert_int_eq(err, -EAGAIN);
}
END_TEST

/* What the documents and the issue name; the rest of the tables is held by the bounds below. */
static const struct {
	int result;
	int http;
	int ftp;
	enum fetch_advice advice;
} results[] = {
	{CURLE_COULDNT_RESOLVE_HOST, 714, 604, FETCH_RETRY}, {CURLE_COULDNT_CONNECT, 716, 605, FETCH_RETRY},
	{CURLE_OPERATION_TIMEDOUT, 702, 609, FETCH_RETRY},   {CURLE_PEER_FAILED_VERIFICATION, 707, 605, FETCH_GIVE_UP},
	{CURLE_SSL_CONNECT_ERROR, 707, 605, FETCH_RETRY},    {CURLE_SEND_ERROR, 718, 606, FETCH_RETRY},
	{CURLE_RECV_ERROR, 717, 606, FETCH_RETRY},           {CURLE_PARTIAL_FILE, 719, 607, FETCH_RETRY},
	{CURLE_GOT_NOTHING, 719, 606, FETCH_RETRY},          {CURLE_URL_MALFORMAT, 711, 610, FETCH_GIVE_UP},
	{CURLE_OUT_OF_MEMORY, 729, 601, FETCH_RETRY},        {CURLE_FAILED_INIT, 701, 601, FETCH_RETRY},
};

START_TEST(test_results)
{
	struct fetch_done done;

	memset(&done, 0xff, sizeof(done));
	fetch_code_curl(FETCH_HTTP, results[_i].result, "of its own", &done);
	ck_assert_int_eq(done.code, results[_i].http);
	ck_assert_uint_eq(done.advice, results[_i].advice);
	ck_assert_uint_eq(done.retry_after, 0);
	fetch_code_curl(FETCH_FTP, results[_i].result, NULL, &done);
	ck_assert_int_eq(done.code, results[_i].ftp);
	ck_assert_uint_eq(done.advice, results[_i].advice);
}
END_TEST

START_TEST(test_results_in_bounds)
{
	static const char secret[] = "user:password@host/?token";
	struct fetch_done done;

	for (int result = 1; result < CURL_LAST; result++) {
		fetch_code_curl(FETCH_HTTP, result, NULL, &done);
		ck_assert_int_ge(done.code, 701);
		ck_assert_int_le(done.code, 730);
		ck_assert_str_ne(done.reason, "");
		fetch_code_curl(FETCH_FTP, result, NULL, &done);
		ck_assert_int_ge(done.code, 601);
		ck_assert_int_le(done.code, 629);
	}
	/* Of these libcurl's text quotes the URL, or what a server made of it. */
	fetch_code_curl(FETCH_HTTP, CURLE_URL_MALFORMAT, secret, &done);
	ck_assert_ptr_null(strstr(done.reason, "password"));
	fetch_code_curl(FETCH_HTTP, CURLE_UNSUPPORTED_PROTOCOL, secret, &done);
	ck_assert_ptr_null(strstr(done.reason, "password"));
	fetch_code_curl(FETCH_HTTP, CURLE_COULDNT_RESOLVE_HOST, secret, &done);
	ck_assert_ptr_null(strstr(done.reason, "password"));
	fetch_code_curl(FETCH_HTTP, CURLE_PEER_FAILED_VERIFICATION, "has\texpired\n", &done);
	ck_assert_str_eq(done.reason, "server's certificate refused: has?expired?");
}
END_TEST

START_TEST(test_statuses)
{
	static const struct {
		long status;
		int code;
		enum fetch_advice advice;
	} statuses[] = {
		{202, 703, FETCH_RETRY},   {204, 723, FETCH_GIVE_UP}, {302, 723, FETCH_GIVE_UP},
		{400, 723, FETCH_GIVE_UP}, {401, 723, FETCH_GIVE_UP}, {403, 711, FETCH_GIVE_UP},
		{404, 723, FETCH_GIVE_UP}, {408, 703, FETCH_RETRY},   {410, 711, FETCH_GIVE_UP},
		{416, 723, FETCH_GIVE_UP}, {425, 703, FETCH_RETRY},   {429, 703, FETCH_RETRY},
		{500, 703, FETCH_RETRY},   {502, 703, FETCH_RETRY},   {503, 703, FETCH_RETRY},
		{504, 703, FETCH_RETRY},   {507, 723, FETCH_RETRY},
	};
	struct fetch_done done;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		fetch_code_http(statuses[i].status, &done);
		ck_assert_int_eq(done.code, statuses[i].code);
		ck_assert_uint_eq(done.advice, statuses[i].advice);
	}
}
END_TEST

/* 614 to 629, in this order. */
START_TEST(test_replies)
{
	static const long replies[] = {421, 425, 426, 450, 451, 452, 500, 501, 502, 503, 504, 530, 532, 550, 551, 552};
	struct fetch_done done;

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		fetch_code_ftp(replies[i], &done);
		ck_assert_int_eq(done.code, 614 + (int)i);
		ck_assert_uint_eq(done.advice, replies[i] < 500 ? FETCH_RETRY : FETCH_GIVE_UP);
	}
	fetch_code_ftp(499, &done);
	ck_assert_int_eq(done.code, 601);
	ck_assert(fetch_code_is_reply(CURLE_REMOTE_FILE_NOT_FOUND, 550));
	ck_assert(fetch_code_is_reply(CURLE_OPERATION_TIMEDOUT, 421));
	ck_assert(!fetch_code_is_reply(CURLE_OPERATION_TIMEDOUT, 500));
	ck_assert(!fetch_code_is_reply(CURLE_REMOTE_FILE_NOT_FOUND, 0));
}
END_TEST

START_TEST(test_package)
{
	struct fetch_done done;
	char reason[600];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	memset(&done, 0xff, sizeof(done));
	fetch_code_package(reason, &done);
	ck_assert_int_eq(done.code, 505);
	ck_assert_uint_eq(done.advice, FETCH_GIVE_UP);
	ck_assert_uint_eq(strlen(done.reason), sizeof(done.reason) - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fetch");
	TCase *messages = tcase_create("messages");
	TCase *codes = tcase_create("codes");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(messages, setup, teardown);
	tcase_add_test(messages, test_same);
	tcase_add_test(messages, test_answers_travel);
	tcase_add_test(messages, test_answers_that_are_none);
	tcase_add_loop_test(messages, test_answers_of_wrong_size, FETCH_IS_PACKAGE, FETCH_DONE + 1);
	tcase_add_test(messages, test_answers_too_large);
	tcase_add_test(messages, test_texts_end);
	tcase_add_test(messages, test_requests);
	tcase_add_test(messages, test_requests_do_not_block);
	tcase_add_loop_test(codes, test_results, 0, (int)(sizeof(results) / sizeof(results[0])));
	tcase_add_test(codes, test_results_in_bounds);
	tcase_add_test(codes, test_statuses);
	tcase_add_test(codes, test_replies);
	tcase_add_test(codes, test_package);
	suite_add_tcase(suite, messages);
	suite_add_tcase(suite, codes);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
