/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RECOVERY_MODULE_H
#define TESTS_RECOVERY_MODULE_H

/*
 * A module in a directory: misc as a file, one URC channel as a file, an updater that does as it is told. Every durable
 * step of a boot is noted, and any can be the one at which power goes.
 */
#include "misc/misc.h"
#include "recovery/recovery.h"
#include <check.h>

#define STEPS_MAX    2048
#define STATUS_PATH  "/usrdata/cache/fota/ipth_config_dfs.txt"
#define PERCENT_PATH "/usrdata/cache/fota/ipth_percent.txt"
#define PACKAGE_PATH MISC_DEFAULT_PACKAGE
#define COMMAND_PATH "/cache/recovery/command"
#define NEXT_PATH    "/usrdata/cache/fota/next_package"
#define EFFECT_PATH  "/system/effect"

#define START       "+QIND: \"FOTA\",\"START\"\n"
#define UPDATING(n) "+QIND: \"FOTA\",\"UPDATING\"," #n "\n"
#define END(code)   "+QIND: \"FOTA\",\"END\"," #code "\n"

struct step {
	char text[160];       /* "write /dev/misc 0", "rename /a /b" */
	size_t channel_bytes; /* what the channel had got before it */
};

struct module {
	char root[64];
	int root_fd;
	struct step steps[STEPS_MAX]; /* of the last boot */
	unsigned step_count;
	unsigned cut_at;         /* power goes instead of this step, counted from 1; 0: never */
	char handles[256][128];  /* paths of open files */
	uint64_t now;            /* ms */
	uint64_t ms_per_line;    /* that pass with each line of the updater */
	bool no_misc;            /* the partition is not there */
	const char *no_open;     /* opening this file fails; NULL: none */
	const char *full_beside; /* as long as this path exists there is no room for any other file; NULL: there is */

	char keys[96]; /* directory of keys; "": none is looked for */

	/* With an fstab that has /system: its content is in /system_volume, and in /system while it is mounted. */
	bool system_mounted;
	int mount_error; /* negative: it does not mount, or unmount */
	int unmount_error;

	/* The updater of the next boots. */
	const char *const *lines; /* what it says, NULL-terminated */
	struct recovery_child end;
	int start_error; /* negative: it cannot be started */
	bool no_effect;  /* it leaves nothing behind */
	unsigned runs;
	bool retry; /* was it told so? */
	char package[256];
	bool armed_when_run;
	bool command_when_run;
};

struct module *module_new(void);
struct module *module_new_sized(size_t misc_size); /* of the misc partition; 2048 has no room for a journal */

/* One that only takes signed packages: files of private keys, one of them to the key it has, and its package's path. */
struct module_keys {
	char trusted[128];
	char foreign[128];
	char package[128];
};
struct module *module_new_trusting(struct module_keys *keys);

void module_free(struct module *module);

/* One boot of recovery, with arguments after "recovery", NULL-terminated, or NULL. */
enum recovery_outcome module_boot(struct module *module, const char *const *arguments);

/* A boot in which power goes at the step; false when it came to its end before that. */
bool module_boot_cut(struct module *module, unsigned step);

/* Boots until it is no longer armed, which must not take long. */
void module_boot_to_the_end(struct module *module);

/* What a package is: a script, and an md5.txt that is right, wrong, or not there (NULL). */
void module_put_package(struct module *module, const char *path, const char *script, const char *md5_list);
void module_put_part(struct module *module, const char *path, const char *script, const char *next);
void module_put_indexed(struct module *module, const char *path, const char *script, const char *index);
void module_put(struct module *module, const char *path, const char *text);

/* Text of a file, "" when there is none; valid until the next call. */
const char *module_text(struct module *module, const char *path);
const char *module_status(struct module *module); /* the first line of the status file */
bool module_has(struct module *module, const char *path);

/* The URC lines told so far, without their frames. */
const char *module_urcs(struct module *module);

void module_arm(struct module *module, const char *const *arguments);
void module_set_message(struct module *module, const struct misc_message *message);
struct misc_message module_message(struct module *module);
struct misc_attempts module_attempts(struct module *module);
bool module_is_armed(struct module *module);

/* Index of the last step of the last boot with this text; fails the test when there is none. */
unsigned module_step(const struct module *module, const char *text);

/* A storage context on the module's files that notes nothing. The caller closes it. */
struct storage *module_storage(struct module *module);

#endif
