/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_IN_PLACE_H
#define UPDATER_IN_PLACE_H

/*
 * A partition or volume that a patch changes where it lies, one LEB or erase block after the other (patch/patch.h, "In
 * place"; storage/storage.h, "Objects changed in place"). There is no backup: each unit is old or new at any time, and
 * what is there tells how far an earlier run has come. Private to updater/.
 */
#include "patch/patch.h"
#include "storage/storage.h"

struct in_place;

/*
 * Look at each of the object's units, which nothing changes yet. 1: they are all what the patch knows, be it old or
 * new. 0: the patch is not of this kind. -EILSEQ and RESULT_VERIFY, naming the unit: one is neither old nor new. Other
 * errors: the object cannot be changed so (storage_units_open()), or the patch is broken. source: the digest of the old
 * content, or NULL; needed where that is longer than the new one, for its end is no unit of the patch's. name and patch
 * must outlive *place.
 */
int in_place_open(struct storage *storage, const struct storage_name *name, const struct content *patch,
                  const struct digest_value *source, struct in_place **place, struct error *error);
void in_place_close(struct in_place *place); /* NULL is nothing */

/*
 * Whether the object, which is known to be wholly old or wholly new, can be changed by the patch: that its units are
 * the patch's, and that there is room for what the change takes. 0, too, for a patch of another kind. Errors as above.
 */
int in_place_check(struct storage *storage, const struct storage_name *name, const struct content *patch,
                   struct error *error);

/* Is there no unit left that is old? */
bool in_place_is_new(const struct in_place *place);
uint64_t in_place_size(const struct in_place *place); /* of the target, bytes */

/* Has the target's part of the object, as it is on the medium now, this digest? -EILSEQ and RESULT_VERIFY when not. */
int in_place_verify(struct in_place *place, const struct digest_value *digest, struct error *error);

/* Room for the copy of the unit that is being written, where the medium needs one. RESULT_SPACE. */
int in_place_check_room(struct in_place *place, struct error *error);

/* Remove what an earlier run kept, of an object that is new. */
int in_place_tidy(struct in_place *place, struct error *error);

/* Write the units that are still old, and see that the object has this digest then. Once only. */
int in_place_change(struct in_place *place, const struct digest_value *digest, const struct log *log,
                    struct error *error);

#endif
