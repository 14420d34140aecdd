/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 1024

enum kind { TEXT, PATH, NUMBER, SWITCH, CHANNEL, GROUP };

struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *initial; /* NULL: none */
	unsigned min, max;   /* of NUMBER */
};

#define KEY(kind, field, initial)                                                                                      \
	{                                                                                                              \
#field, kind, offsetof(struct config, field), initial, 0, 0                                            \
	}
#define COUNT(field, initial, min, max)                                                                                \
	{                                                                                                              \
#field, NUMBER, offsetof(struct config, field), initial, min, max                                      \
	}

static const struct key keys[] = {
	{"channel", CHANNEL, 0, NULL, 0, 0},
	KEY(TEXT, user, "nobody"),
	{"group", GROUP, 0, NULL, 0, 0},
	KEY(SWITCH, plain_text, "no"),
	KEY(SWITCH, tls_verify, "yes"),
	KEY(PATH, ca_file, "/etc/ssl/certs/ca-certificates.crt"),
	KEY(PATH, certificate, NULL),
	KEY(PATH, key, NULL),
	KEY(TEXT, interface, NULL),
	COUNT(connect_timeout, "15", 1, 600),
	COUNT(stall_timeout, "30", 1, 600),
	COUNT(min_speed, "64", 1, 1000000),
	COUNT(retries, "5", 0, 1000),
	COUNT(retry_delay, "2", 0, 3600),
	KEY(SWITCH, resume, "yes"),
	KEY(SWITCH, require_version, "no"),
	KEY(SWITCH, repeat_end, "no"),
	KEY(TEXT, reboot_command, "reboot"),
	KEY(PATH, package_keys, "/etc/fota/keys"),
	KEY(PATH, updater, "/sbin/updater"),
	KEY(PATH, fetch, "/usr/bin/qfota-fetch"),
	KEY(PATH, fstab, NULL),
	KEY(TEXT, misc, "misc"),
	KEY(PATH, version_file, "/etc/quectel-project-version"),
	KEY(PATH, run_directory, "/run/qfotad"),
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static int keep_text(char **field, const char *value, struct error *error)
{
	char *copy = strdup(value);

	if (!copy)
		return error_set(error, 0, ENOMEM, "out of memory");
	free(*field);
	*field = copy;
	return 0;
}

static int parse_number(const char *value, unsigned long min, unsigned long max, unsigned *number)
{
	char *end;
	unsigned long parsed;

	errno = 0;
	parsed = strtoul(value, &end, 10);
	if (errno || end == value || *end || *value < '0' || *value > '9' || parsed < min || parsed > max)
		return -EINVAL;
	*number = (unsigned)parsed;
	return 0;
}

static int add_channel(struct config *config, const char *value, struct error *error)
{
	const char *path = value;

	if (strncmp(value, "pty:", 4) == 0)
		path += 4;
	else if (strncmp(value, "unix:", 5) == 0)
		path += 5;
	if (*path != '/')
		return error_set(error, 0, EINVAL, "channel: \"%s\" is no device, pty:LINK or unix:PATH", value);
	if (config->channel_count == LINK_CHANNELS_MAX)
		return error_set(error, 0, EINVAL, "channel: more than %d", LINK_CHANNELS_MAX);
	config->channels[config->channel_count] = NULL;
	return keep_text(&config->channels[config->channel_count++], value, error);
}

static int add_group(struct config *config, const char *value, struct error *error)
{
	if (config->group_count == CONFIG_GROUPS_MAX ||
	    parse_number(value, 1, 65535, &config->groups[config->group_count]) < 0)
		return error_set(error, 0, EINVAL, "group: \"%s\" is no number from 1 to 65535, or one too many",
		                 value);
	config->group_count++;
	return 0;
}

static int set_switch(bool *field, const struct key *key, const char *value, struct error *error)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return error_set(error, 0, EINVAL, "%s: \"%s\" is neither yes nor no", key->name, value);
	*field = value[0] == 'y';
	return 0;
}

static int set_key(struct config *config, const struct key *key, const char *value, struct error *error)
{
	void *field = (char *)config + key->offset;

	switch (key->kind) {
	case CHANNEL:
		return add_channel(config, value, error);
	case GROUP:
		return add_group(config, value, error);
	case SWITCH:
		return set_switch(field, key, value, error);
	case NUMBER:
		if (parse_number(value, key->min, key->max, field) < 0)
			return error_set(error, 0, EINVAL, "%s: \"%s\" is no number from %u to %u", key->name, value,
			                 key->min, key->max);
		return 0;
	case PATH:
		if (*value != '/')
			return error_set(error, 0, EINVAL, "%s: \"%s\" is no absolute path", key->name, value);
		break;
	case TEXT:
		if (!*value)
			return error_set(error, 0, EINVAL, "%s: has no value", key->name);
		break;
	}
	return keep_text(field, value, error);
}

int config_init(struct config *config, struct error *error)
{
	int err = 0;

	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < KEYS && err == 0; i++)
		if (keys[i].initial)
			err = set_key(config, &keys[i], keys[i].initial, error);
	return err;
}

/* Blanks at both ends go. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

int config_set_line(struct config *config, const char *line, struct error *error)
{
	char copy[LINE_SIZE];
	char *name;
	char *value;

	if (strlen(line) >= sizeof(copy))
		return error_set(error, 0, EINVAL, "a line of more than %d bytes", LINE_SIZE - 1);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	name = trim(copy);
	if (*name == '\0' || *name == '#')
		return 0;
	value = strchr(name, '=');
	if (!value)
		return error_set(error, 0, EINVAL, "\"%s\" is not \"key = value\"", name);
	*value++ = '\0';
	name = trim(name);
	value = trim(value);
	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i].name, name) == 0)
			return set_key(config, &keys[i], value, error);
	return error_set(error, 0, EINVAL, "there is no key \"%s\"", name);
}

int config_load(struct config *config, const char *path, struct error *error)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	int err = 0;

	if (!file)
		return error_set(error, 0, errno, "%s: %s", path, strerror(errno));
	while (err == 0 && getline(&line, &size, file) >= 0) {
		number++;
		err = config_set_line(config, line, error);
	}
	if (err < 0)
		error_prefix(error, "%s, line %u", path, number);
	else if (ferror(file))
		err = error_set(error, 0, EIO, "%s: cannot be read", path);
	free(line);
	(void)fclose(file); /* it was only read */
	return err;
}

static void free_channels(struct config *config)
{
	while (config->channel_count > 0)
		free(config->channels[--config->channel_count]);
}

int config_set_channels(struct config *config, const char *const *channels, unsigned count, struct error *error)
{
	int err = 0;

	free_channels(config);
	for (unsigned i = 0; i < count && err == 0; i++)
		err = add_channel(config, channels[i], error);
	return err;
}

int config_complete(struct config *config, struct error *error)
{
	int err = 0;

	if (config->channel_count == 0) {
		err = add_channel(config, "/dev/smd7", error);
		if (err == 0)
			err = add_channel(config, "/dev/smd11", error);
	}
	if (err == 0 && !config->certificate != !config->key)
		err = error_set(error, 0, EINVAL, "certificate and key belong together: one of them is missing");
	return err;
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].kind == TEXT || keys[i].kind == PATH)
			free(*(char **)((char *)config + keys[i].offset));
	free_channels(config);
	memset(config, 0, sizeof(*config));
}
