/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/apply.h"

#include <errno.h>
#include <stdlib.h>

/* The digests that count: those given, then those of the name's content pairs. NULL: out of memory. */
static const struct digest_value **candidates(const struct storage_name *name, const struct digest_value *digests,
                                              unsigned count, unsigned *total)
{
	const struct digest_value **list =
		calloc((size_t)count + name->content_count + 1, sizeof(struct digest_value *));

	if (!list)
		return NULL;
	for (unsigned i = 0; i < count; i++)
		list[i] = &digests[i];
	for (unsigned i = 0; i < name->content_count; i++)
		list[count + i] = &name->content[i].digest;
	*total = count + name->content_count;
	return list;
}

static bool live_matches(const struct object *object, const struct digest_value *const *list, unsigned total)
{
	uint64_t size;

	for (unsigned i = 0; i < total; i++)
		if (object_matches(object, list[i], &size))
			return true;
	return false;
}

static bool backup_matches(struct storage *storage, const struct digest_value *const *list, unsigned total)
{
	struct backup backup;
	bool found = false;

	if (total == 0 || backup_open(storage, &backup, NULL) < 0)
		return false;
	for (unsigned i = 0; i < total && !found; i++) {
		struct digest_value value;

		if (i > 0 && list[i]->kind == list[i - 1]->kind)
			continue;
		if (backup_digest(&backup, list[i]->kind, &value, NULL) < 0)
			break;
		for (unsigned k = 0; k < total; k++)
			found |= digest_equal(&value, list[k]);
	}
	backup_close(&backup);
	return found;
}

static int check_open_object(struct storage *storage, const struct object *object,
                             const struct digest_value *const *list, unsigned total, const struct log *log,
                             bool *from_backup, struct error *error)
{
	char label[OBJECT_LABEL_SIZE];

	/* A plain path without digests asks whether the file can be read. */
	if (total == 0 && object->name.kind == STORAGE_FILE && object->status == 0)
		return 0;
	if (live_matches(object, list, total))
		return 0;
	if (backup_matches(storage, list, total)) {
		log_printf(log, "%s: the backup matches", object_label(&object->name, label));
		*from_backup = true;
		return 0;
	}
	return object_mismatch(object, list, total, error);
}

int check_object(struct storage *storage, const char *name, const struct digest_value *digests, unsigned count,
                 struct journal *journal, const struct log *log, bool *from_backup, struct error *error)
{
	struct object *object = calloc(1, sizeof(*object));
	const struct digest_value **list = NULL;
	struct storage_name parsed;
	unsigned kinds = 1U << DIGEST_SHA1;
	unsigned total = 0;
	uint64_t size;
	int err = storage_name_parse(name, &parsed, error);

	if (err < 0)
		goto out;
	list = candidates(&parsed, digests, count, &total);
	if (!object || !list) {
		err = error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
		goto out;
	}
	*from_backup = false;
	if (journal_vouches(journal, &parsed, list, total, &size))
		goto out;
	for (unsigned i = 0; i < total; i++)
		kinds |= object_kind_bit(list[i]);
	err = object_open(storage, name, 0, kinds, object, error);
	journal_count(journal, object->bytes_read);
	if (err == 0)
		err = check_open_object(storage, object, list, total, log, from_backup, error);
	object_close(object);
out:
	free(list);
	free(object);
	return err;
}

int check_in_place(struct storage *storage, const char *name, const struct content *patches, unsigned count,
                   struct error *error)
{
	struct storage_name *object = malloc(sizeof(*object));
	int err;

	if (!object)
		return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	err = storage_name_parse(name, object, error);
	for (unsigned i = 0; i < count && err == 0 && !storage_is_atomic(object); i++) {
		err = in_place_check(storage, object, &patches[i], error);
		if (err == -EILSEQ)
			err = 0;
	}
	free(object);
	return err;
}

int updater_check_part_way(struct storage *storage, const char *name, const struct content *patches, unsigned count,
                           const struct log *log, struct error *error)
{
	struct storage_name *object = malloc(sizeof(*object));
	struct in_place *place = NULL;
	char label[OBJECT_LABEL_SIZE];
	int err;

	if (!object)
		return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	err = storage_name_parse(name, object, error);
	if (err == 0 && count == 0)
		err = error_set(error, RESULT_VERIFY, EILSEQ, "%.180s: no patch", name);
	for (unsigned i = 0; i < count && err <= 0 && err != -ENOMEM; i++) {
		err = in_place_open(storage, object, &patches[i], NULL, &place, error);
		if (err == 0)
			err = error_set(error, RESULT_VERIFY, EILSEQ, "%.180s: the patch is none in place", name);
	}
	if (place)
		log_printf(log, "%s: every unit of it is old or new", object_label(object, label));
	in_place_close(place);
	free(object);
	return err < 0 ? err : 0;
}

int updater_check(struct storage *storage, const char *name, const struct digest_value *digests, unsigned count,
                  const struct log *log, struct error *error)
{
	bool from_backup;

	return check_object(storage, name, digests, count, NULL, log, &from_backup, error);
}
