/* SPDX-License-Identifier: Apache-2.0 */
/* set_perm, set_metadata and their recursive forms, set_xattr. */
#include "updater/functions.h"

#include "base/bytes.h"
#include <errno.h>
#include <string.h>

/* What to set, by the kind of what is found. Bits of `has` tell which are given. */
struct change {
	struct updater_run *run;
	struct storage_attributes all; /* without mode, except a plain "mode" */
	bool has_dmode, has_fmode;
	bool links; /* the owner counts for links, too */
	uint32_t dmode;
	uint32_t fmode;
	unsigned failures;
	struct error first;
};

/* What is right already is not written again: a rerun costs the flash nothing. */
static void leave_equal(struct storage_attributes *attributes, const struct storage_stat *stat)
{
	if (attributes->has_uid && attributes->uid == stat->uid)
		attributes->has_uid = false;
	if (attributes->has_gid && attributes->gid == stat->gid)
		attributes->has_gid = false;
	/* A change of owner clears the set-id bits, so that the mode must follow it. */
	if (attributes->has_mode && attributes->mode == stat->mode && !attributes->has_uid && !attributes->has_gid)
		attributes->has_mode = false;
}

static void set_one(struct change *change, const char *path, const struct storage_stat *stat)
{
	struct storage_attributes attributes = change->all;
	struct error error;

	/* A link has a label and an owner of its own; the lineage leaves its owner alone. */
	if (stat->type == STORAGE_SYMLINK)
		attributes = (struct storage_attributes){.has_uid = change->links && attributes.has_uid,
		                                         .uid = attributes.uid,
		                                         .has_gid = change->links && attributes.has_gid,
		                                         .gid = attributes.gid,
		                                         .has_selabel = attributes.has_selabel,
		                                         .selabel = attributes.selabel};
	if (stat->type == STORAGE_DIRECTORY && change->has_dmode) {
		attributes.has_mode = true;
		attributes.mode = change->dmode;
	}
	if (stat->type == STORAGE_REGULAR && change->has_fmode) {
		attributes.has_mode = true;
		attributes.mode = change->fmode;
	}
	if (stat->type != STORAGE_REGULAR)
		attributes.has_capabilities = false;
	leave_equal(&attributes, stat);
	if (storage_set_attributes(change->run->storage, path, &attributes, &error) == 0)
		return;
	log_printf(change->run->log, "%s", error.message);
	if (change->failures++ == 0)
		change->first = error;
}

static void missing(struct change *change, const char *path, int err)
{
	struct error error;

	(void)error_set(&error, RESULT_VERIFY, -err, "%.400s: %s", path, strerror(-err));
	log_printf(change->run->log, "%s", error.message);
	if (change->failures++ == 0)
		change->first = error;
}

static int each_path(void *ctx, const char *path, const struct storage_stat *stat)
{
	set_one(ctx, path, stat);
	return 0;
}

static int change_path(struct script_call *call, struct change *change, const char *text, bool recursive)
{
	struct storage_stat stat;
	struct error error;
	char path[STORAGE_PATH_MAX];
	int err = path_from_text(call, text, path);

	if (err < 0)
		return err;
	if (run_skips(change->run, "set attributes of %s", path))
		return 0;
	err = storage_stat_path(change->run->storage, path, &stat);
	if (err < 0) {
		missing(change, path, err);
	} else if (!recursive) {
		set_one(change, path, &stat);
	} else if (storage_walk(change->run->storage, path, each_path, change, &error) < 0) {
		log_printf(change->run->log, "%s", error.message);
		if (change->failures++ == 0)
			change->first = error;
	}
	return 0;
}

static int finish(struct script_call *call, struct script_value *result, const struct change *change)
{
	if (change->failures > 0)
		return script_abort(call, change->first.code ? change->first.code : RESULT_ABNORMAL,
		                    "%s(): some changes failed: %s", script_call_name(call), change->first.message);
	return script_result_text(result, "");
}

/* ---- set_perm(uid, gid, mode, file...), set_perm_recursive(uid, gid, dmode, fmode, dir...) ---- */

static int set_perm(struct script_call *call, struct script_value *result, bool recursive)
{
	struct change change = {.run = run_of(call), .all = {.has_uid = true, .has_gid = true}};
	uint64_t numbers[4] = {0};
	struct arguments paths;
	int count = recursive ? 4 : 3;
	int err = 0;

	for (int i = 0; err == 0 && i < count; i++)
		err = argument_number(call, i, i < 2 ? UINT32_MAX : 07777, &numbers[i]);
	if (err == 0)
		err = arguments_read(call, count, &paths);
	if (err < 0)
		return err;
	change.all.uid = (uint32_t)numbers[0];
	change.all.gid = (uint32_t)numbers[1];
	if (recursive) {
		change.has_dmode = change.has_fmode = true;
		change.dmode = (uint32_t)numbers[2];
		change.fmode = (uint32_t)numbers[3];
	} else {
		change.all.has_mode = true;
		change.all.mode = (uint32_t)numbers[2];
	}
	for (int i = 0; err == 0 && i < paths.count; i++)
		err = change_path(call, &change, paths.text[i], recursive);
	arguments_free(&paths);
	return err < 0 ? err : finish(call, result, &change);
}

int function_set_perm(struct script_call *call, struct script_value *result)
{
	return set_perm(call, result, false);
}

int function_set_perm_recursive(struct script_call *call, struct script_value *result)
{
	return set_perm(call, result, true);
}

/* ---- set_metadata(path, key, value...), set_metadata_recursive ---- */

/* -EINVAL: a bad number. 1: an unknown key. */
static int take_pair(struct change *change, const char *key, const char *value)
{
	struct {
		const char *key;
		bool *has;
		uint32_t *number;
		uint64_t max;
	} numbers[] = {
		{"uid", &change->all.has_uid, &change->all.uid, UINT32_MAX},
		{"gid", &change->all.has_gid, &change->all.gid, UINT32_MAX},
		{"mode", &change->all.has_mode, &change->all.mode, 07777},
		{"dmode", &change->has_dmode, &change->dmode, 07777},
		{"fmode", &change->has_fmode, &change->fmode, 07777},
	};
	uint64_t number;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(key, numbers[i].key) != 0)
			continue;
		if (number_parse(value, numbers[i].max, &number) < 0)
			return -EINVAL;
		*numbers[i].has = true;
		*numbers[i].number = (uint32_t)number;
		return 0;
	}
	if (strcmp(key, "capabilities") == 0) {
		change->all.has_capabilities = true;
		return number_parse(value, UINT64_MAX, &change->all.capabilities);
	}
	if (strcmp(key, "selabel") == 0) {
		change->all.has_selabel = true;
		change->all.selabel = value;
		return 0;
	}
	return 1;
}

static int take_pairs(struct script_call *call, const struct arguments *arguments, struct change *change)
{
	for (int i = 1; i + 1 < arguments->count; i += 2) {
		const char *key = arguments->text[i];
		const char *value = arguments->text[i + 1];
		int err = take_pair(change, key, value);

		if (err < 0)
			return script_abort(call, 0, "%s(): couldn't parse %s value \"%.40s\"", script_call_name(call),
			                    key, value);
		if (err == 1)
			log_printf(change->run->log, "%s(): ignoring unknown key \"%.40s\"", script_call_name(call),
			           key);
	}
	return 0;
}

static int set_metadata(struct script_call *call, struct script_value *result, bool recursive)
{
	/* A call for one link means that link: update_gen's packages carry its owner so. */
	struct change change = {.run = run_of(call), .links = !recursive};
	struct arguments arguments;
	int err = arguments_read(call, 0, &arguments);

	if (err < 0)
		return err;
	err = take_pairs(call, &arguments, &change);
	if (err == 0)
		err = change_path(call, &change, arguments.text[0], recursive);
	arguments_free(&arguments);
	return err < 0 ? err : finish(call, result, &change);
}

int function_set_metadata(struct script_call *call, struct script_value *result)
{
	return set_metadata(call, result, false);
}

int function_set_metadata_recursive(struct script_call *call, struct script_value *result)
{
	return set_metadata(call, result, true);
}

/*
 * ---- set_xattr(path, name, value) ----
 * Ours alone, for packages made with --compat native: the value in hexadecimal, "" removes the attribute.
 */

static int take_hex(const char *text, uint8_t value[STORAGE_XATTR_MAX], size_t *size)
{
	size_t length = strlen(text);

	if (length % 2 != 0 || length / 2 > STORAGE_XATTR_MAX)
		return -EINVAL;
	for (size_t i = 0; i < length / 2; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		value[i] = (uint8_t)(high << 4 | low);
	}
	*size = length / 2;
	return 0;
}

int function_set_xattr(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	uint8_t value[STORAGE_XATTR_MAX];
	struct arguments arguments;
	struct error error;
	char path[STORAGE_PATH_MAX];
	size_t size = 0;
	int err = arguments_read(call, 0, &arguments);

	if (err < 0)
		return err;
	err = path_from_text(call, arguments.text[0], path);
	if (err < 0)
		goto out;
	if (!*arguments.text[1] || take_hex(arguments.text[2], value, &size) < 0) {
		err = script_abort(call, 0, "set_xattr(): %.200s: no name, or no value in hexadecimal", path);
		goto out;
	}
	if (!run_skips(run, "set %s of %s", arguments.text[1], path) &&
	    storage_set_xattr(run->storage, path, arguments.text[1], value, size, &error) < 0)
		err = call_abort(call, &error);
	else
		err = script_result_text(result, "");
out:
	arguments_free(&arguments);
	return err;
}
