/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RECOVERY_MODULE_MEDIUM_H
#define TESTS_RECOVERY_MODULE_MEDIUM_H

/* What is below the storage of a module's recovery: storage's own Linux medium, with its durable steps noted. */
#include "module.h"

#define EXIT_CUT 42 /* status of the process whose step power took */

extern const struct storage_ops module_ops; /* over a struct module */

/* A step of another kind: what was done, and where; more may be "". */
void module_note_step(struct module *module, const char *verb, const char *path, const char *more);

/* The host's end of the channels; valid until the next call. */
const char *module_channel_path(const struct module *module);

#endif
