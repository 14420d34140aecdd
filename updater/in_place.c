/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/in_place.h"

#include "updater/object.h"
#include "updater/updater.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct in_place {
	struct storage *storage;
	const struct storage_name *name;
	char label[OBJECT_LABEL_SIZE];
	struct patch_units *patch;
	struct patch_units_info info;
	struct storage_units *units;
	struct storage_units_info medium;
	uint8_t *states; /* of each unit: enum patch_unit_state */
	uint8_t *unit;   /* room for one */
	uint64_t old;    /* units that are to be written */
	uint64_t new;    /* those that were: an earlier run has come this far */
};

static int open_units(struct in_place *place, bool look, struct error *error)
{
	const struct patch_units_info *info = &place->info;
	const struct storage_units_options options = {
		.journal = UPDATER_UNIT,
		.length = info->source_size > info->target_size ? info->source_size : info->target_size,
		.unit = info->unit,
		.look = look,
	};

	return storage_units_open(place->storage, place->name, &options, &place->units, &place->medium, error);
}

static int close_units(struct in_place *place, struct error *error)
{
	int err = storage_units_close(place->units, error);

	place->units = NULL;
	return err;
}

static int compare(struct in_place *place, uint64_t size, const struct digest_value *expected, struct error *error)
{
	struct reader io = storage_units_io(place->units);
	char wanted[DIGEST_TEXT_SIZE];
	char found[DIGEST_TEXT_SIZE];
	struct digest_value value;
	int err = storage_digest(&io, size, expected->kind, &value, error);

	if (err < 0) {
		error_prefix(error, "%.180s", place->label);
		return err;
	}
	return digest_equal(&value, expected)
	               ? 0
	               : error_set(error, RESULT_VERIFY, EILSEQ, "%.180s: expected %s, found %s (%llu bytes)",
	                           place->label, digest_format(expected, wanted), digest_format(&value, found),
	                           (unsigned long long)size);
}

int in_place_verify(struct in_place *place, const struct digest_value *digest, struct error *error)
{
	return compare(place, place->info.target_size, digest, error);
}

/* ---- What is there ---- */

static const char *unit_word(const struct in_place *place)
{
	if (place->name->kind == STORAGE_UBI)
		return "LEB";
	return place->name->kind == STORAGE_MTD ? "erase block" : "slice";
}

static int look_at_unit(struct in_place *place, uint64_t number, struct error *error)
{
	struct reader io = storage_units_io(place->units);
	uint64_t start = number * place->info.unit;
	uint64_t left = io.size - start;
	size_t size = left < place->info.unit ? (size_t)left : place->info.unit;
	enum patch_unit_state state = PATCH_UNIT_FOREIGN;
	int err = io.read_at(io.ctx, start, place->unit, size);

	if (err == 0)
		state = patch_units_state(place->patch, number, place->unit, size);
	else if (start >= place->info.source_size)
		state = PATCH_UNIT_OLD; /* whatever is behind the old content: it is needed for nothing */
	if (state == PATCH_UNIT_FOREIGN)
		return error_set(error, RESULT_VERIFY, EILSEQ, "%.180s: %s %llu (of %u bytes) %s%s", place->label,
		                 unit_word(place), (unsigned long long)number, place->info.unit,
		                 err < 0 ? "cannot be read: " : "is neither what it was nor what it shall be",
		                 err < 0 ? strerror(-err) : "");
	place->states[number] = (uint8_t)state;
	place->old += state == PATCH_UNIT_OLD;
	place->new += state == PATCH_UNIT_NEW;
	return 0;
}

/* Open the patch: -ENOTSUP without a word when it is of another kind. */
static int start(struct storage *storage, const struct storage_name *name, const struct content *patch,
                 struct in_place **place, struct error *error)
{
	struct in_place *p = calloc(1, sizeof(*p));
	int err;

	*place = p;
	if (!p)
		return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	p->storage = storage;
	p->name = name;
	(void)object_label(name, p->label);
	err = patch_units_open(patch, &p->patch, &p->info, error);
	if (err < 0 && err != -ENOTSUP)
		error_prefix(error, "%.180s", p->label);
	return err;
}

/* Open the object, for a look. */
static int prepare(struct in_place *place, struct error *error)
{
	int err = open_units(place, true, error);

	if (err < 0)
		return err;
	place->states = calloc((size_t)place->info.count + 1, sizeof(*place->states));
	place->unit = malloc(place->info.unit);
	return place->states && place->unit ? 0 : error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
}

static int look_at_units(struct in_place *place, const struct digest_value *source, struct error *error)
{
	int err = 0;

	for (uint64_t i = 0; i < place->info.count && err == 0; i++)
		err = look_at_unit(place, i, error);
	if (err == 0 && source && place->new == 0 && place->old > 0 &&
	    place->info.source_size > place->info.target_size)
		err = compare(place, place->info.source_size, source, error);
	return err;
}

int in_place_open(struct storage *storage, const struct storage_name *name, const struct content *patch,
                  const struct digest_value *source, struct in_place **place, struct error *error)
{
	struct in_place *p;
	int err = start(storage, name, patch, &p, error);

	*place = NULL;
	if (err == 0)
		err = prepare(p, error);
	if (err == 0)
		err = look_at_units(p, source, error);
	if (err < 0) {
		in_place_close(p);
		return err == -ENOTSUP ? 0 : err;
	}
	*place = p;
	return 1;
}

int in_place_check(struct storage *storage, const struct storage_name *name, const struct content *patch,
                   struct error *error)
{
	struct in_place *place;
	uint64_t number = 0;
	int err = start(storage, name, patch, &place, error);

	if (err == 0)
		err = prepare(place, error);
	if (err == 0)
		err = patch_units_next(place->patch, NULL, &number, error);
	/* One that differs tells of them all. */
	if (err > 0)
		err = look_at_unit(place, number, error);
	if (err == 0 && place->old > 0)
		err = in_place_check_room(place, error);
	in_place_close(place);
	return err == -ENOTSUP ? 0 : err;
}

void in_place_close(struct in_place *place)
{
	if (!place)
		return;
	(void)storage_units_close(place->units, NULL); /* only looked at, or failed before */
	patch_units_close(place->patch);
	free(place->states);
	free(place->unit);
	free(place);
}

bool in_place_is_new(const struct in_place *place)
{
	return place->old == 0;
}

uint64_t in_place_size(const struct in_place *place)
{
	return place->info.target_size;
}

/* ---- What units share ---- */

#define SHARE_PATH_SIZE (sizeof(UPDATER_SHARE) + 24)

static const char *share_path(uint64_t border, char path[SHARE_PATH_SIZE])
{
	(void)snprintf(path, SHARE_PATH_SIZE, UPDATER_SHARE ".%llu", (unsigned long long)border);
	return path;
}

static int save_share(void *ctx, uint64_t border, const void *data, size_t length)
{
	const struct in_place *place = ctx;
	char path[SHARE_PATH_SIZE];

	return storage_save(place->storage, share_path(border, path), data, length, 0600, NULL);
}

static int load_share(void *ctx, uint64_t border, void *data, size_t length)
{
	const struct in_place *place = ctx;
	char path[SHARE_PATH_SIZE];
	char *content = NULL;
	size_t size = 0;
	int err = storage_load(place->storage, share_path(border, path), length, &content, &size, NULL);

	if (err == 0 && size != length)
		err = -EILSEQ;
	if (err == 0)
		memcpy(data, content, length);
	free(content);
	return err;
}

static int drop_share(void *ctx, uint64_t border)
{
	const struct in_place *place = ctx;
	char path[SHARE_PATH_SIZE];
	int err = storage_remove(place->storage, share_path(border, path), NULL);

	return err < 0 ? err : 0;
}

/* What an earlier run has kept takes of the room that was there for it. */
static uint64_t kept_before(const struct in_place *place)
{
	uint64_t bytes = 0;

	for (uint64_t border = 0; place->info.kept > 0 && border <= place->info.count; border++) {
		char path[SHARE_PATH_SIZE];
		struct storage_stat stat;

		if (storage_stat_path(place->storage, share_path(border, path), &stat) == 0)
			bytes += stat.size;
	}
	return bytes;
}

int in_place_check_room(struct in_place *place, struct error *error)
{
	uint64_t need = place->medium.scratch + place->info.kept;
	uint64_t bytes;
	int err = need ? storage_free_space(place->storage, UPDATER_UNIT, &bytes, error) : 0;

	if (err < 0 || need == 0)
		return err;
	bytes += kept_before(place);
	if (bytes >= need)
		return 0;
	return error_set(error, RESULT_SPACE, ENOSPC,
	                 "%.180s: not enough free space on /cache: need %llu bytes, have %llu", place->label,
	                 (unsigned long long)need, (unsigned long long)bytes);
}

int in_place_tidy(struct in_place *place, struct error *error)
{
	int err = 0;

	for (uint64_t border = 0; place->info.kept > 0 && err == 0 && border <= place->info.count; border++)
		err = drop_share(place, border);
	return err < 0 ? error_set(error, 0, -err, "%.180s: what was kept in /cache: %s", place->label, strerror(-err))
	               : 0;
}

/* ---- The change ---- */

static int write_units(struct in_place *place, struct error *error)
{
	const struct patch_keep keep = {.save = save_share, .load = load_share, .drop = drop_share, .ctx = place};
	struct reader io = storage_units_io(place->units);
	uint64_t number;
	size_t size;
	int err;

	while ((err = patch_units_next(place->patch, &keep, &number, error)) > 0) {
		if (place->states[number] != PATCH_UNIT_OLD)
			continue;
		err = patch_units_make(place->patch, &io, &keep, place->unit, &size, error);
		if (err < 0)
			break;
		err = storage_units_change(place->units, number, place->unit, size, error);
		if (err < 0)
			return err; /* the object's name is said */
		place->states[number] = PATCH_UNIT_NEW;
		place->old--;
	}
	if (err == 0 && place->old > 0)
		err = error_set(error, RESULT_VERIFY, EINVAL, "the patch does not change all that differs");
	if (err < 0)
		error_prefix(error, "%.180s", place->label);
	return err;
}

int in_place_change(struct in_place *place, const struct digest_value *digest, const struct log *log,
                    struct error *error)
{
	int err = close_units(place, error);

	/* A volume that is open twice is not changed. */
	if (err == 0)
		err = open_units(place, false, error);
	if (err < 0)
		return err;
	log_printf(log, "%s: in place, %llu units of %u bytes to write, %llu written before", place->label,
	           (unsigned long long)place->old, place->info.unit, (unsigned long long)place->new);
	err = write_units(place, error);
	if (err == 0)
		err = in_place_verify(place, digest, error);
	/* What stands in the journal belongs into the object, whatever that is worth as a whole. */
	return err < 0 ? err : close_units(place, error);
}
