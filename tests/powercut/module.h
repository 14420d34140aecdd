/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_MODULE_H
#define TESTS_POWERCUT_MODULE_H

/*
 * One virtual module: media with the old firmware and the package on them, a bootloader, the real recovery and updater,
 * and as much of the normal system as arming and resuming an upgrade take. It boots until it rests in its normal
 * system. Power may be lost at any durable operation, of whatever program.
 */
#include "misc/misc.h"
#include "recovery/recovery.h"
#include "tests/powercut/medium.h"
#include "tests/powercut/reference.h"
#include "tests/powercut/urc.h"

#include <setjmp.h>

/*
 * ABL leaves the bootloader message alone. LK replaces the command by the status "OKAY" before it starts recovery: it
 * erases the message's block and writes its first two pages; the rest of the block is lost.
 */
enum loader { LOADER_ABL, LOADER_LK, LOADERS };

const char *loader_name(enum loader loader);

enum system { SYSTEM_LOADER, SYSTEM_NORMAL, SYSTEM_RECOVERY };

/* Bytes of heap that recovery and updater together may take at any time, and of everything in /cache/recovery. */
#define HEAP_BOUND        ((UINT64_C(12) << 20) + (UINT64_C(2) << 20))
#define LOGS_BOUND        (6 * (UINT64_C(256) << 10) + 65536)
#define SMALL_FILES_BOUND UINT64_C(4096) /* status, percentage ... */

/* What one cut may cost beside the rewriting of the largest partition: blocks of misc. */
#define ERASES_PER_CUT 12u

struct module {
	const struct reference *reference;
	enum loader loader;
	struct medium *medium;
	const struct log *log; /* of recovery and of each boot, or NULL */

	/* Who decides about cuts; enum cut_decision. survival and seed belong to the one that is decided. */
	unsigned (*decide)(void *ctx, const struct cut_point *point);
	void *decide_ctx;
	enum survival survival;
	uint64_t seed;
	jmp_buf power;

	/* This boot. */
	enum system system;
	int channel;        /* what recovery's URCs go to; -1: none */
	size_t said;        /* bytes in it at the last operation */
	uint64_t heap_base; /* bytes when this boot began */
	bool taken;         /* LK took the command, and no software of ours has armed again */
	bool erases_flag;   /* recovery said END and erases the message */
	bool unchecked;     /* misc was changed since the message was looked at */

	/* All boots. */
	unsigned operation; /* the number of the last one begun, from 1 */
	unsigned boots;
	unsigned cuts;
	unsigned recoveries; /* boots of recovery */
	unsigned runs;       /* of the updater */
	unsigned failures_of_runs;
	unsigned clearings; /* boots of recovery that left the message erased behind an END */
	unsigned backups;
	bool asked;     /* the upgrade was armed, as far as who armed it knows */
	bool resting;   /* in the normal system */
	bool lk_window; /* power went while no message was armed because LK had taken it */
	bool beyond_help;
	struct urc urc;
	uint64_t clock_ms;
	uint64_t heap_peak;
	uint64_t scratch_peak;
	uint64_t bytes_read; /* by the last run of the updater, from the system's file systems */

	/* What an upgrade without cuts takes; UINT64_MAX when that is not known yet. */
	uint64_t planned_erases;

	unsigned violations;
	char violation[1024]; /* the first few, separated by "; " */
};

struct module *module_new(const struct reference *reference, enum loader loader);
void module_free(struct module *module);

/* Boot until it rests or is lost, then look at all of it. decide and decide_ctx are set before. */
void module_run(struct module *module);

/* Something that must be true is not. */
void module_violate(struct module *module, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bootloader message of the first good block; false when it cannot be read. */
bool module_read_message(struct module *module, struct misc_message *message);

uint32_t module_misc_blocks(const struct module *module);

/* Bytes of heap in use beside the model's own. */
uint64_t module_heap(struct module *module);

/* Note how much recovery has said up to now. */
void module_listen(struct module *module);

/* ---- What must be true, when (checks.c, rest.c) ---- */

void check_operation(struct module *module, const struct cut_point *point); /* before it happens */
void check_crash(struct module *module);                                    /* behind medium_crash() */
void check_recovery(struct module *module);                                 /* a boot of recovery ran to its end */
void check_rest(struct module *module);

/* Is the asset exactly this version, durably? Without its attributes when content is all that counts. */
bool asset_is(struct module *module, const struct asset *asset, const struct version *version, bool content_only);

/* All of them, with their attributes: as they were, or as the package makes them. */
void check_assets(struct module *module, bool upgraded);

/* Does the status file durably say how the upgrade ended? */
bool status_is_final(struct module *module);

/* Whatever release the link leads to, all of it is durably there (release.c). */
void check_release(struct module *module);
void check_hard_links(struct module *module, bool upgraded); /* which names are of one file */

/* The device node or FIFO that a version is. */
struct storage_stat version_node(const struct version *version);

/* Half old, half new, or unreadable. */
bool asset_is_third(struct module *module, const struct asset *asset);

/* Of one that is changed in place: is each unit old or new? (units.c) */
void check_units(struct module *module, const struct asset *asset);

/* Does the normal system start only with this? */
bool asset_is_boot(const struct asset *asset);

#endif
