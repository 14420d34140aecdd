/* SPDX-License-Identifier: Apache-2.0 */
/* qfota-fetch: answers the requests of qfotad on its standard input until that ends. */
#include "fotad/fetch_run.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_CA "/etc/ssl/certs/ca-certificates.crt"

static const char usage[] =
	"usage: qfota-fetch [OPTION]...\n"
	"Fetches packages for qfotad, which starts it with a SOCK_SEQPACKET socket as its standard input.\n"
	"  --ca PATH                   certificates that servers are verified with: a file, or a directory as\n"
	"                              c_rehash makes it, which takes less memory (default " DEFAULT_CA ")\n"
	"  --certificate FILE, --key FILE  what this client shows to servers\n"
	"  --insecure                  do not verify servers\n"
	"  --plain-text                http and ftp too, not only https\n"
	"  --interface NAME            network interface to use\n"
	"  --connect-timeout SECONDS   until a server is connected (default 15)\n"
	"  --stall SECONDS             that a server may be slower than the minimum, or say nothing (default 30)\n"
	"  --min-speed BYTES           of content in a second (default 64)\n"
	"Exit status: 0 when the requests ended, 1 failure, 2 usage.\n";

/* 1 to 999999, or -1. */
static long parse_count(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return end == text || *end != '\0' || value < 1 || value > 999999 ? -1 : value;
}

static const struct option options[] = {
	{"ca", required_argument, NULL, 'a'},        {"certificate", required_argument, NULL, 'c'},
	{"key", required_argument, NULL, 'k'},       {"insecure", no_argument, NULL, 'i'},
	{"plain-text", no_argument, NULL, 'p'},      {"interface", required_argument, NULL, 'n'},
	{"stall", required_argument, NULL, 's'},     {"connect-timeout", required_argument, NULL, 't'},
	{"min-speed", required_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0},
};

static bool set_count(long *count, const char *name)
{
	*count = parse_count(optarg);
	if (*count < 0)
		fprintf(stderr, "qfota-fetch: --%s %s: not a number from 1 to 999999\n", name, optarg);
	return *count >= 0;
}

/* One option: -1 when it is done with, else an exit status. */
static int take_option(int option, struct fetch_options *fetch)
{
	switch (option) {
	case 'a':
		fetch->ca = optarg;
		return -1;
	case 'c':
		fetch->certificate = optarg;
		return -1;
	case 'k':
		fetch->key = optarg;
		return -1;
	case 'n':
		fetch->interface = optarg;
		return -1;
	case 'i':
		fetch->insecure = true;
		return -1;
	case 'p':
		fetch->plain_text = true;
		return -1;
	case 't':
		return set_count(&fetch->connect_timeout, "connect-timeout") ? -1 : 2;
	case 's':
		return set_count(&fetch->stall, "stall") ? -1 : 2;
	case 'm':
		return set_count(&fetch->min_speed, "min-speed") ? -1 : 2;
	case 'h':
		fputs(usage, stdout);
		return 0;
	case 'v':
		puts("qfota-fetch " FOTA_VERSION);
		return 0;
	default:
		fputs(usage, stderr);
		return 2;
	}
}

static int parse_options(int argc, char **argv, struct fetch_options *fetch)
{
	int status = -1;

	for (int option; status < 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
		status = take_option(option, fetch);
	if (status < 0 && optind < argc) {
		fputs(usage, stderr);
		status = 2;
	}
	return status;
}

static int serve(struct fetch_session *session)
{
	struct fetch_request request;
	int err;

	while ((err = fetch_receive_request(STDIN_FILENO, &request)) > 0) {
		if (request.kind == FETCH_MANIFEST)
			err = fetch_manifest(session, request.url, STDIN_FILENO);
		else
			err = fetch_body(session, &request, STDIN_FILENO);
		if (err < 0)
			break;
	}
	return err == -EPIPE ? 0 : err; /* nobody wants to know any more */
}

/* The parent's end must not leave us behind, nor a write to a server that is gone end us. */
static bool prepare(void)
{
	/* Where libcurl resolves names in a thread, that would have a heap of its own; if it gets one, that costs only
	 * memory. */
	(void)mallopt(M_ARENA_MAX, 1);
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

int main(int argc, char **argv)
{
	struct fetch_options fetch = {.ca = DEFAULT_CA, .connect_timeout = 15, .stall = 30, .min_speed = 64};
	struct fetch_session session;
	int status = parse_options(argc, argv, &fetch);
	int type = 0;
	socklen_t size = sizeof(type);
	int err;

	if (status >= 0)
		return status;
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET) {
		fputs("qfota-fetch: standard input is not the socket of qfotad, which starts this program\n", stderr);
		return 2;
	}
	if (!prepare() || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fputs("qfota-fetch: cannot start\n", stderr);
		return 1;
	}
	err = fetch_session_open(&session, &fetch);
	if (err == 0) {
		err = serve(&session);
		fetch_session_close(&session);
	}
	curl_global_cleanup();
	if (err < 0)
		fprintf(stderr, "qfota-fetch: %s\n", strerror(-err));
	return err < 0 ? 1 : 0;
}
