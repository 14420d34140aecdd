/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_VOLUMES_H
#define GENTOOLS_VOLUMES_H

/*
 * A squashfs is never changed file by file: on a module it lies on a UBI volume as it was made. Where SYSTEM or
 * SYSTEM/firmware of both versions is such an image, and what its volume is like is known, the volume is upgraded as a
 * whole, in place if it is a dynamic one. The image is an object of the tree then, and its files are none.
 */
#include "base/io.h"
#include "base/log.h"
#include "gentools/gentools.h"
#include "gentools/lists.h"
#include "gentools/tree.h"

/* Objects of these paths are volumes' images: of SYSTEM, and of SYSTEM/firmware. */
#define VOLUMES_FOLDER   "VOLUMES"
#define VOLUMES_SYSTEM   VOLUMES_FOLDER "/SYSTEM"
#define VOLUMES_FIRMWARE VOLUMES_FOLDER "/NON-HLOS"

/* What is known of a volume whose image was unpacked. */
struct volume {
	const char *name;
	uint32_t leb;   /* bytes; 0: not known */
	bool is_static; /* which has no LEBs that can be changed */
};

/* Keep the image beside what was unpacked of it to SYSTEM, or to SYSTEM/firmware. */
int volumes_add(struct tree *tree, const char *folder, const struct volume *volume, const struct reader *image,
                struct error *error);

/*
 * Choose between those images and their files. The target may be NULL; the lists (NULL for none) have not been applied.
 * An error names the line of a list that is for a file of a volume.
 */
int volumes_settle(struct tree *source, struct tree *target, const struct gen_options *options,
                   const struct lists *lists, const struct log *log, struct error *error);

/* A file of SYSTEM that tells something about the version, be it in a volume's image; NULL when there is none. */
const struct object *volumes_find_file(const struct tree *tree, const char *path);

#endif
