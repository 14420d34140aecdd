/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery program: what the recovery image starts at every boot. */
#include "misc/misc.h"
#include "recovery/child.h"
#include "recovery/recovery.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_USAGE  2
#define EXIT_IDLE   3

static const char usage[] =
	"Usage: recovery [OPTION]... [ARGUMENT]...\n"
	"\n"
	"One boot of the recovery system: applies the upgrade that the misc partition or /cache/recovery/command asks\n"
	"for. Without options it behaves as in the recovery image.\n"
	"\n"
	"  --root DIR         keep to the module's file tree below DIR\n"
	"  --fstab FILE       the recovery.fstab\n"
	"  --channel DEVICE   send +QIND URCs there; may be repeated (default: /dev/smd7 and /dev/smd11)\n"
	"  --updater PROGRAM  instead of /sbin/updater\n"
	"  --keys DIR         take only packages that one of the keys in DIR/*.pem signed, when there are any, and\n"
	"                     encrypted ones that one in DIR/*.key opens (default: /res/keys)\n"
	"  --misc NAME        the bootloader message's partition, instead of misc\n"
	"  --reboot           reboot when that is due, instead of exiting with 0\n"
	"  --help             this text\n"
	"  --version          the version\n"
	"\n"
	"Arguments as a bootloader message or the command file have them; given here they go before both:\n"
	"  --update_package=PATH  the package (\"CACHE:x\" is /cache/x)\n"
	"  --update_urc_max=N     at most N UPDATING lines, evenly spread (0: none, 100: no limit)\n"
	"  --send_intent=TEXT     write TEXT to /cache/recovery/intent in the end\n"
	"  --just_exit            only erase the bootloader message\n"
	"  --locale= --reason= --stages= --show_text     accepted, no effect\n"
	"  --wipe_data --wipe_cache --shutdown_after     not supported, said in the log\n"
	"\n"
	"Exit: 0 reboot now, 1 failed to start, 2 wrong usage, 3 nothing to do.\n";

struct options {
	const char *root;
	const char *fstab;
	const char *updater;
	const char *misc;
	const char *keys;
	const char *channels[REPORT_CHANNELS_MAX];
	unsigned channel_count;
	bool reboot;
};

/* ---- Options: ours are taken out, the rest of argv is recovery's arguments ---- */

/*
 * Is argv[*at] this option? "--name VALUE" or "--name=VALUE", stepping over what was used; *value stays NULL when it is
 * missing.
 */
static bool is_option(char *const argv[], int argc, int *at, const char *name, const char **value)
{
	size_t length = strlen(name);
	const char *argument = argv[*at];

	if (strncmp(argument, name, length) != 0 || (argument[length] != '\0' && argument[length] != '='))
		return false;
	if (argument[length] == '=')
		*value = argument + length + 1;
	else
		*value = *at + 1 < argc ? argv[++*at] : NULL;
	return true;
}

/* Where the option's value belongs, or NULL when argv[*at] is no option with a value of ours. */
static const char **take_option(struct options *options, char *const argv[], int argc, int *at, const char **value)
{
	if (is_option(argv, argc, at, "--root", value))
		return &options->root;
	if (is_option(argv, argc, at, "--fstab", value))
		return &options->fstab;
	if (is_option(argv, argc, at, "--updater", value))
		return &options->updater;
	if (is_option(argv, argc, at, "--misc", value))
		return &options->misc;
	if (is_option(argv, argc, at, "--keys", value))
		return &options->keys;
	if (options->channel_count < REPORT_CHANNELS_MAX && is_option(argv, argc, at, "--channel", value))
		return &options->channels[options->channel_count++];
	return NULL;
}

/* False: wrong usage. */
static bool parse_options(struct options *options, int *argc, char *argv[])
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		const char *value = NULL;
		const char **option = take_option(options, argv, *argc, &i, &value);

		if (option && !value)
			return false;
		if (option)
			*option = value;
		else if (strcmp(argv[i], "--reboot") == 0)
			options->reboot = true;
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	argv[kept] = NULL;
	if (options->channel_count == 0) {
		options->channels[options->channel_count++] = "/dev/smd7";
		options->channels[options->channel_count++] = "/dev/smd11";
	}
	return true;
}

/* ---- Running ---- */

static uint64_t monotone_ms(void *ctx)
{
	struct timespec now;

	(void)ctx;
	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int run(const struct options *options, const struct log *log, int argc, char *argv[],
               enum recovery_outcome *outcome, struct error *error)
{
	struct report_config report_config = {.channels = options->channels,
	                                      .channel_count = options->channel_count,
	                                      .percent_path = "/usrdata/cache/fota/ipth_percent.txt"};
	struct child_config child = {
		.program = options->updater, .root = options->root, .fstab = options->fstab, .keys = options->keys};
	struct recovery_config config = {.log = log,
	                                 .misc_partition = options->misc,
	                                 .cache = "/cache",
	                                 .status_path = "/usrdata/cache/fota/ipth_config_dfs.txt",
	                                 .package_path = MISC_DEFAULT_PACKAGE,
	                                 .next_path = "/usrdata/cache/fota/next_package",
	                                 .keys = options->keys,
	                                 .run_updater = child_run,
	                                 .run_updater_ctx = &child,
	                                 .now_ms = monotone_ms};
	int err = storage_open_linux(options->root, options->fstab, log, &config.storage, error);

	if (err)
		return err;
	err = report_open(config.storage, &report_config, log, &config.report, error);
	if (!err)
		*outcome = recovery_run(&config, argc, argv);
	if (!err && storage_sync(config.storage, error))
		log_printf(log, "%s", error->message); /* only the live log was left to write */
	report_close(config.report);
	storage_close(config.storage);
	return err;
}

/*
 * A kernel without a console starts init, and init recovery, with nothing open. The first devices to be opened would
 * then be standard output and error, and the log would be written into the misc partition.
 */
static void keep_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd); /* nothing was written to it */
}

int main(int argc, char *argv[])
{
	struct options options = {.updater = "/sbin/updater", .misc = "misc", .keys = "/res/keys"};
	struct log log = log_to_stderr();
	enum recovery_outcome outcome = RECOVERY_REBOOT;
	struct error error;

	keep_standard_descriptors();
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("recovery " FOTA_VERSION);
		return 0;
	}
	if (!parse_options(&options, &argc, argv)) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* a channel that hangs up is no reason to die */
	(void)signal(SIGCHLD, SIG_DFL); /* ignored, as some inits leave it, it would hide how the updater ended */
	if (run(&options, &log, argc, argv, &outcome, &error)) {
		(void)fprintf(stderr, "recovery: %s\n", error.message);
		return EXIT_FAILED;
	}
	if (outcome == RECOVERY_IDLE)
		return EXIT_IDLE;
	if (options.reboot) {
		(void)reboot(RB_AUTOBOOT); /* returns only when it failed */
		perror("recovery: reboot");
		return EXIT_FAILED;
	}
	return 0;
}
