/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MISC_MISC_H
#define MISC_MISC_H

/*
 * The misc partition: the bootloader message that chooses what boots next, and the attempt journal.
 *
 * Bootloader message (AOSP's struct of 4.x to 6.x, spec/lineage.md 2.4): on raw NAND it lies at page 1 of the first
 * good erase block, on block devices and files at offset 0. Fields are NUL-terminated text; a field whose first byte is
 * 0x00 or 0xFF (fresh NAND) is empty. Everything read from misc is untrusted.
 *
 * Journal: what is armed, with its arguments, and what became of it. One page per record, appended, so that counting
 * never erases the flag's block, and so that the one is always whole while the other is rewritten. On NAND it has the
 * second and the third good erase block, in a partition of two blocks the second one, in a partition of one block the
 * pages behind page 3 of the first; on block devices and files a ring of 1 KiB records from offset 4096. Every record
 * holds the whole state, so that one which does not check is simply not there. Its layout is in misc/record.c, how it
 * is erased in misc/journal.c.
 */
#include "base/error.h"
#include "storage/storage.h"
#include <stdbool.h>
#include <stdint.h>

#define MISC_BOOT_RECOVERY "boot-recovery"
#define MISC_ARGUMENTS_MAX 100
#define MISC_CAUSE_SIZE    192

/* What arms an upgrade when nobody names a package. */
#define MISC_DEFAULT_PACKAGE  "/usrdata/cache/fota/ipth_package.bin"
#define MISC_DEFAULT_ARGUMENT "--update_package=" MISC_DEFAULT_PACKAGE

struct misc_message {
	char command[32];
	char status[32];
	char recovery[768]; /* "recovery\n", then one argument per line */
	char stage[32];
	uint8_t reserved[224];
};
_Static_assert(sizeof(struct misc_message) == 1088, "the bootloader reads this struct");

struct misc;

/* partition: its name, usually "misc". The storage must outlive it. */
int misc_open(struct storage *storage, const char *partition, struct misc **misc, struct error *error);
void misc_close(struct misc *misc);

/*
 * The message as it lies there, every field made NUL-terminated, 0xFF-filled fields made empty. A page that ECC cannot
 * correct (a write that power cut short) is an empty message.
 */
int misc_read_message(struct misc *misc, struct misc_message *message, struct error *error);

/* Does it read the same each time? One that power cut short while it was written may boot recovery or not, as it comes.
 */
bool misc_message_is_sound(struct misc *misc);

/*
 * Replace the message and read it back; everything else in its erase block (page 0, what follows, the journal if it
 * lies there) is kept. When the message is there already, soundly, nothing is written. On NAND power lost between erase
 * and program loses the message: misc_resume() is what brings it back.
 */
int misc_write_message(struct misc *misc, const struct misc_message *message, struct error *error);

/* Is command "boot-recovery"? */
bool misc_is_armed(const struct misc_message *message);

/*
 * Was it armed, and the older LK has taken the command to start recovery (spec/lineage.md 2.4)? Then it has left status
 * "OKAY" and the arguments, and recovery has not come as far as to arm it again.
 */
bool misc_is_taken(const struct misc_message *message);

/* A message that boots recovery with these arguments. -E2BIG when they do not fit in 768 bytes, -EINVAL for a newline.
 */
int misc_make_message(const char *const *arguments, unsigned count, struct misc_message *message, struct error *error);

/*
 * The arguments of a message: pointers into `text` (a copy of message->recovery of the same size), at most
 * MISC_ARGUMENTS_MAX. 0 when the field does not start with the line "recovery".
 */
unsigned misc_split_arguments(const struct misc_message *message, char text[768], char *arguments[MISC_ARGUMENTS_MAX]);

/*
 * Arm a new upgrade: the journal says so, then the message does (the other way round when the journal must be erased
 * first). When it fails or power goes before it returns, the upgrade may be armed or not.
 */
int misc_arm(struct misc *misc, const char *const *arguments, unsigned count, struct error *error);

/*
 * For the normal system: misc_arm(), and where misc cannot bring a lost message back by itself, in a partition of one
 * block, the arguments in the file at command_path ("/cache/recovery/command") before it. See misc_resume().
 */
int misc_request(struct misc *misc, struct storage *storage, const char *command_path, const char *const *arguments,
                 unsigned count, struct error *error);

/* That file: one argument per line, durable. */
int misc_save_command_file(struct storage *storage, const char *path, const char *const *arguments, unsigned count,
                           struct error *error);

/* The same for misc_clear(): the file goes first. */
int misc_withdraw(struct misc *misc, struct storage *storage, const char *command_path, struct error *error);

/*
 * For recovery: make sure that this message is armed, soundly. A journal that knows of no pending upgrade learns of
 * this one first; one that does keeps its attempts.
 */
int misc_rearm(struct misc *misc, const struct misc_message *message, struct error *error);

/* The upgrade is over and told: the journal says so, the message is zeroed and read back, nothing is armed. */
int misc_clear(struct misc *misc, struct error *error);

/*
 * For the normal system, at each of its starts: an upgrade that was armed and is not over, but whose message is gone
 * (power went while its block was rewritten, or behind a bootloader that takes the command), is armed again, with the
 * arguments that the journal keeps, else those of a message that was taken, else those of the file at command_path
 * ("/cache/recovery/command"). What an upgrade that is over left in the journal is removed. *armed: the message now
 * boots recovery, so reboot.
 */
int misc_resume(struct misc *misc, struct storage *storage, const char *command_path, bool *armed, struct error *error);

/* ---- Attempts of the upgrade that is armed ---- */

struct misc_attempts {
	unsigned begun;              /* in all */
	unsigned failed;             /* attempts that came to an end of their own, and failed */
	unsigned stalled;            /* power cuts in a row, before the last attempt, without any progress in between */
	unsigned progress;           /* percentage the upgrade had reached when the last attempt began */
	int last_code;               /* enum result_code of the last failure; 0: none, or success when `ended` */
	bool running;                /* the last one has no recorded end: power was cut, or it runs now */
	bool pending;                /* armed, and its end is not told yet */
	bool ended;                  /* with last_code; what remains is to say so and to clear the message */
	bool closed;                 /* all was said; what remains is to clear the message */
	char cause[MISC_CAUSE_SIZE]; /* of last_code */
};

/*
 * upgrade: what the caller knows the upgrade by, a fingerprint of its package; 0: not known, whichever it is. A journal
 * that is about another upgrade has no attempts of this one: power may have gone between the two steps of misc_clear(),
 * and a tool that knows no journal may have armed since.
 */
int misc_attempts_read(struct misc *misc, uint32_t upgrade, struct misc_attempts *attempts, struct error *error);

/* Power cuts in a row without progress, now that the upgrade has reached `progress` percent. */
unsigned misc_attempts_stalled(const struct misc_attempts *attempts, unsigned progress);

/* The message that the pending upgrade was armed with. -ENOENT, without a message in *error, when there is none. */
int misc_recall(struct misc *misc, struct misc_message *message, struct error *error);

/*
 * Durable when they return. -ENOSPC when the partition has no room for a record. begin counts from one when the
 * journal is about another upgrade; with upgrade 0 it stays with the one it is about. armed: the message that is armed
 * now, whose arguments the journal keeps.
 */
int misc_attempt_begin(struct misc *misc, const struct misc_message *armed, uint32_t upgrade, unsigned progress,
                       struct error *error);
int misc_attempt_failed(struct misc *misc, int code, const char *cause, struct error *error);
int misc_upgrade_ended(struct misc *misc, int code, const char *cause, struct error *error); /* 0: success */

/*
 * Is what misc_upgrade_ended() wrote still there when power goes while the message is erased? Not where both share an
 * erase block, or where there is no journal.
 */
bool misc_keeps_result(const struct misc *misc);

#endif
