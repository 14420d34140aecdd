/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_BOOT_H
#define TESTS_POWERCUT_BOOT_H

/* What runs on a virtual module: bootloader, recovery, normal system. All of it reaches the media by storage_ops. */
#include "tests/powercut/module.h"

#define STATUS_PATH  "/usrdata/cache/fota/ipth_config_dfs.txt"
#define NEXT_PATH    "/usrdata/cache/fota/next_package"
#define SECOND_PATH  "/usrdata/second.zip" /* where a server would be */
#define COMMAND_PATH "/cache/recovery/command"

/* The bootloader's choice. */
enum system boot_select(struct module *module);

/* The normal system where someone has put a package and asks for its upgrade. */
void boot_arm(struct module *module);

/*
 * Any other start of the normal system: resume an upgrade whose message is gone, else bring the second package that
 * recovery asks for, as fotad does, else rest.
 */
void boot_resume(struct module *module);

void boot_recovery(struct module *module);

#endif
