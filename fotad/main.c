/* SPDX-License-Identifier: Apache-2.0 */
/* The qfotad program: options, settings, what must be there, and then the keeper. */
#include "fotad/config.h"
#include "fotad/keeper.h"
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_USAGE  2
#define SETS_MAX    64

static const char usage[] =
	"Usage: qfotad [OPTION]...\n"
	"\n"
	"The AT+QFOTADL handler of a module's normal system: hears AT commands on its channels, fetches the package,\n"
	"checks it against the running system, arms the upgrade in the misc partition and reboots into recovery. Runs\n"
	"in the foreground until SIGTERM; its log goes to standard error and to " KEEPER_LOG_DIRECTORY "/log.\n"
	"\n"
	"  --config FILE      settings (default: " CONFIG_DEFAULT_PATH ", if it is there)\n"
	"  --set KEY=VALUE    one setting, as a line of the file; may be repeated, counts more than the file\n"
	"  --channel CHANNEL  hear commands there, and not where the file says: a device, pty:LINK or unix:PATH;\n"
	"                     may be repeated (default: /dev/smd7 and /dev/smd11)\n"
	"  --root DIR         the module's file tree lies in DIR, the partition NAME is the file DIR/dev/NAME\n"
	"  --check-config     only read the settings, and tell what is wrong with them\n"
	"  --help             this text\n"
	"  --version          the version\n"
	"\n"
	"Commands: AT+QFOTADL=\"<url or path>\"[,<mode>[,<download_max>[,<update_max>]]], AT+QFOTADL?, AT+QFOTASTOP,\n"
	"AT+QFOTALOG?, ATI, AT+QGMR, AT+CFUN=1,1. See qfotad(8).\n"
	"Exit: 0 ended by a signal, 1 failed, 2 wrong usage or settings.\n";

struct options {
	const char *config;
	const char *root;
	const char *channels[LINK_CHANNELS_MAX];
	unsigned channel_count;
	const char *sets[SETS_MAX];
	unsigned set_count;
	bool check;
};

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},  {"set", required_argument, NULL, 's'},
		{"channel", required_argument, NULL, 'C'}, {"root", required_argument, NULL, 'r'},
		{"check-config", no_argument, NULL, 'k'},  {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == 'c') {
			options->config = optarg;
		} else if (option == 's' && options->set_count < SETS_MAX) {
			options->sets[options->set_count++] = optarg;
		} else if (option == 'C' && options->channel_count < LINK_CHANNELS_MAX) {
			options->channels[options->channel_count++] = optarg;
		} else if (option == 'r') {
			options->root = optarg;
		} else if (option == 'k') {
			options->check = true;
		} else if (option == 'h') {
			(void)fputs(usage, stdout);
			return 0;
		} else if (option == 'v') {
			(void)puts("qfotad " FOTA_VERSION);
			return 0;
		} else {
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}

static int load_settings(struct config *config, const struct options *options, struct error *error)
{
	int err = config_init(config, error);

	if (err == 0 && (options->config || access(CONFIG_DEFAULT_PATH, F_OK) == 0))
		err = config_load(config, options->config ? options->config : CONFIG_DEFAULT_PATH, error);
	for (unsigned i = 0; err == 0 && i < options->set_count; i++)
		err = config_set_line(config, options->sets[i], error);
	if (err == 0 && options->channel_count)
		err = config_set_channels(config, options->channels, options->channel_count, error);
	return err < 0 ? err : config_complete(config, error);
}

/* The folder of the running program, and the lock that only one of them holds. It is held until the process ends. */
static int take_run_directory(const char *path, struct error *error)
{
	char name[4096];
	int fd;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return error_set(error, 0, errno, "%s: %s", path, strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/view", path);
	if (mkdir(name, 0700) < 0 && errno != EEXIST)
		return error_set(error, 0, errno, "%s: %s", name, strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(error, 0, errno, "%s: %s", name,
		                 errno == EWOULDBLOCK ? "another qfotad is running" : strerror(errno));
	return 0;
}

static int run(const struct config *config, const struct options *options, struct error *error)
{
	struct keeper_config keeper = {.config = config, .root = options->root};
	struct log console = log_to_stderr();
	struct report_log *kept = NULL;
	struct log log;
	int err = take_run_directory(config->run_directory, error);

	if (err == 0)
		err = storage_open_linux(options->root, config->fstab, &console, &keeper.storage, error);
	if (err < 0)
		return err;
	err = report_log_open(keeper.storage, KEEPER_LOG_DIRECTORY, false, &console, &kept, error);
	if (err == 0) {
		log = report_log_io(kept);
		keeper.log = &log;
		err = keeper_run(&keeper, error);
		report_log_close(kept);
	}
	storage_close(keeper.storage);
	return err;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	int status = parse_options(argc, argv, &options);
	struct config config = {0};
	struct error error;

	if (status >= 0)
		return status;
	status = 0;
	(void)signal(SIGPIPE, SIG_IGN);
	if (load_settings(&config, &options, &error) < 0) {
		(void)fprintf(stderr, "qfotad: %s\n", error.message);
		status = EXIT_USAGE;
	} else if (!options.check && run(&config, &options, &error) < 0) {
		(void)fprintf(stderr, "qfotad: %s\n", error.message);
		status = EXIT_FAILED;
	}
	config_free(&config);
	return status;
}
