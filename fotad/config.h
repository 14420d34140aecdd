/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_CONFIG_H
#define FOTAD_CONFIG_H

/* qfotad's settings: lines "key = value", '#' begins a comment. Every key is described in fotad/qfotad.conf. */
#include "base/error.h"
#include "fotad/link.h"
#include <stdbool.h>

#define CONFIG_DEFAULT_PATH "/etc/qfotad.conf"
#define CONFIG_GROUPS_MAX   8

struct config {
	char *channels[LINK_CHANNELS_MAX]; /* "/dev/smd7", "pty:LINK", "unix:PATH" */
	unsigned channel_count;

	char *user;                         /* whom front, qfota-fetch and package test become */
	unsigned groups[CONFIG_GROUPS_MAX]; /* more groups of qfota-fetch */
	unsigned group_count;

	bool plain_text;
	bool tls_verify;
	char *ca_file;
	char *certificate; /* of the module, for servers that ask for one; NULL: none */
	char *key;
	char *interface;          /* NULL: as the routes say */
	unsigned connect_timeout; /* seconds */
	unsigned stall_timeout;   /* seconds */
	unsigned min_speed;       /* bytes per second */
	unsigned retries;         /* in a row, without a byte of progress */
	unsigned retry_delay;     /* seconds before the first; each one doubles it */
	bool resume;              /* go on by itself with a download that a restart cut short */

	bool require_version; /* a package without quectel-project-version is refused */
	bool repeat_end;      /* say END once more at the first start behind an upgrade */
	char *reboot_command;

	char *package_keys; /* directory */
	char *updater;      /* programs */
	char *fetch;
	char *fstab; /* NULL: the default places */
	char *misc;  /* partition */
	char *version_file;
	char *run_directory;
};

/* All defaults; with channels none, see config_complete(). -ENOMEM only. */
int config_init(struct config *config, struct error *error);

/* Settings from a file on top of what is there; a mistake is -EINVAL with path, line and what was wrong. */
int config_load(struct config *config, const char *path, struct error *error);

/* One "key = value" line, as config_load() takes it. Blank lines and comments change nothing. */
int config_set_line(struct config *config, const char *line, struct error *error);

/* These channels and no others. */
int config_set_channels(struct config *config, const char *const *channels, unsigned count, struct error *error);

/* What depends on several settings: the default channels when none is named. */
int config_complete(struct config *config, struct error *error);

void config_free(struct config *config);

#endif
