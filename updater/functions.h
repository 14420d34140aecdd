/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_FUNCTIONS_H
#define UPDATER_FUNCTIONS_H

/* What the functions of the language share while a script runs. Private to updater/. */
#include "updater/blob.h"
#include "updater/journal.h"
#include "updater/object.h"
#include "updater/rehearsal.h"
#include "updater/updater.h"

/* The context of a running script. */
struct updater_run {
	const struct updater_config *config;
	struct storage *storage;
	const struct log *log;
	struct error last_failure;                /* code 0: none; the cause behind a following abort() or assert() */
	char backup_needed_by[OBJECT_LABEL_SIZE]; /* "": by nobody, as far as this run knows */
	struct rehearsal rehearsal;
	struct journal *journal; /* NULL: none, as in a dry run */
};

static inline struct updater_run *run_of(const struct script_call *call)
{
	return script_context(call);
}

/*
 * Before each change to the module. False in a real run, whose journal is begun by now. Else the change is told to the
 * log, and true: the caller shall not make it.
 */
bool run_skips(struct updater_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Keep what went wrong for the report of the abort that may follow. */
void run_remember(struct updater_run *run, const struct error *error);

/* One line of the pipe protocol, cut to UPDATER_LINE_MAX. */
#define UPDATER_LINE_MAX 1000
void run_tell(const struct updater_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A dry run goes on behind a mismatch, which is kept, logged and told once for each object. */
void run_mismatch(struct updater_run *run, const char *object, const struct error *error);

/* Text that may have several lines, as "ui_print" lines. */
void run_tell_text(const struct updater_run *run, const char *text);

/* The change failed: the result is text, marked as a soft failure, the error its cause. */
int call_fail(struct script_call *call, struct script_value *result, const char *text, const struct error *error);
int call_abort(struct script_call *call, const struct error *error);

/* The texts of all arguments from `first` on. On failure nothing is held. */
struct arguments {
	char **text;
	int count;
};
int arguments_read(struct script_call *call, int first, struct arguments *arguments);
void arguments_free(struct arguments *arguments);

/* A path as a script gives it, relative ones being relative to "/". Aborts when it is empty or too long. */
int path_from_text(struct script_call *call, const char *text, char path[STORAGE_PATH_MAX]);
int argument_path(struct script_call *call, int i, char path[STORAGE_PATH_MAX]);

/* arguments_read(), of paths alone: such paths are what `paths` holds. */
int arguments_read_paths(struct script_call *call, int first, struct arguments *paths);

/* A whole number in decimal, octal (0755) or hex (0x1ed), at most max; -EINVAL. */
int number_parse(const char *text, uint64_t max, uint64_t *value);
int argument_number(struct script_call *call, int i, uint64_t max, uint64_t *value);

/* A decimal number of bytes; "0644" is 644. */
int size_parse(const char *text, uint64_t *value);

/* A SHA-1 or SHA-256 in hex; -EINVAL. MD5 is a digest of packages, not of what a module shall run. */
int digest_from_text(const char *text, struct digest_value *digest);

/* What an object is called, whatever the content pairs behind its name. A bad name is left as it is. */
const char *label_from_text(const char *name, char label[OBJECT_LABEL_SIZE]);

int function_apply_patch(struct script_call *call, struct script_value *result);
int function_apply_patch_check(struct script_call *call, struct script_value *result);
int function_apply_patch_space(struct script_call *call, struct script_value *result);
int function_delete(struct script_call *call, struct script_value *result);
int function_delete_recursive(struct script_call *call, struct script_value *result);
int function_enable_reboot(struct script_call *call, struct script_value *result);
int function_file_getprop(struct script_call *call, struct script_value *result);
int function_format(struct script_call *call, struct script_value *result);
int function_get_stage(struct script_call *call, struct script_value *result);
int function_getprop(struct script_call *call, struct script_value *result);
int function_hard_link(struct script_call *call, struct script_value *result);
int function_is_directory(struct script_call *call, struct script_value *result);
int function_is_mounted(struct script_call *call, struct script_value *result);
int function_keep_only(struct script_call *call, struct script_value *result);
int function_make_node(struct script_call *call, struct script_value *result);
int function_mount(struct script_call *call, struct script_value *result);
int function_package_extract_dir(struct script_call *call, struct script_value *result);
int function_package_extract_file(struct script_call *call, struct script_value *result);
int function_read_file(struct script_call *call, struct script_value *result);
int function_reboot_now(struct script_call *call, struct script_value *result);
int function_rename(struct script_call *call, struct script_value *result);
int function_retouch_binaries(struct script_call *call, struct script_value *result);
int function_run_program(struct script_call *call, struct script_value *result);
int function_separate(struct script_call *call, struct script_value *result);
int function_set_metadata(struct script_call *call, struct script_value *result);
int function_set_metadata_recursive(struct script_call *call, struct script_value *result);
int function_set_perm(struct script_call *call, struct script_value *result);
int function_set_perm_recursive(struct script_call *call, struct script_value *result);
int function_set_progress(struct script_call *call, struct script_value *result);
int function_set_stage(struct script_call *call, struct script_value *result);
int function_set_xattr(struct script_call *call, struct script_value *result);
int function_sha1_check(struct script_call *call, struct script_value *result);
int function_show_progress(struct script_call *call, struct script_value *result);
int function_symlink(struct script_call *call, struct script_value *result);
int function_sync(struct script_call *call, struct script_value *result);
int function_tune2fs(struct script_call *call, struct script_value *result);
int function_ui_print(struct script_call *call, struct script_value *result);
int function_unmount(struct script_call *call, struct script_value *result);
int function_wipe_block_device(struct script_call *call, struct script_value *result);
int function_wipe_cache(struct script_call *call, struct script_value *result);
int function_write_raw_image(struct script_call *call, struct script_value *result);

#endif
