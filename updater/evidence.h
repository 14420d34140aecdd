/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_EVIDENCE_H
#define UPDATER_EVIDENCE_H

/*
 * What an object shows without being read whole: of a file its inode, size and time of modification, of a partition or
 * volume samples of its first `size` bytes. Private to updater/.
 */
#include "base/digest.h"
#include "storage/storage.h"

/*
 * A digest over the evidence. *read grows by the bytes read. Fails when the object cannot be read, is no regular file
 * of this size, or has fewer bytes.
 */
int evidence_take(struct storage *storage, const struct storage_name *name, uint64_t size,
                  struct digest_value *evidence, uint64_t *read);

#endif
