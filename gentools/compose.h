/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_COMPOSE_H
#define GENTOOLS_COMPOSE_H

/* The updater-script of a plan: edify that updaters of the whole lineage run (spec/lineage.md 1.3, 1.4). */
#include "gentools/plan.h"

#include <stdio.h>

/* When the script asks for a step's entry, the first ones first; among steps of one turn in the plan's order. */
enum compose_turn { COMPOSE_COPIES, COMPOSE_PATCHES, COMPOSE_FILES, COMPOSE_LATE, COMPOSE_IMAGES, COMPOSE_OTHERS };

enum compose_turn compose_turn(const struct step *step);

/*
 * The pieces of which that consists: mounts, what must be true before anything changes, without the room that changes
 * take, what upgrades that were given up have left, what goes of a module of which nothing is known, and unmounting.
 * What is stored on the root file system needs its mount, too. has_patches: the patches are where the plan has them,
 * and what is changed in place may have been changed in part.
 */
void compose_begin(const struct plan *plan, bool system, FILE *out);
void compose_checks(const struct plan *plan, bool has_patches, FILE *out);
void compose_leftovers(const struct plan *plan, FILE *out);
void compose_clearings(const struct plan *plan, FILE *out);
void compose_end(const struct plan *plan, bool system, FILE *out);

/* Whether all of it was written, only the stream knows: ferror(). */
void compose_script(const struct plan *plan, FILE *out);

/*
 * Before anything changes, that what gets further names and has no step is as it must be. Between content and
 * attributes, files of their own for names that must leave a file; behind both, names of files.
 * late: those that are, or follow, a fingerprint of the version, and none else.
 */
void compose_link_checks(const struct plan *plan, FILE *out);
void compose_separations(const struct plan *plan, FILE *out);
void compose_hard_links(const struct plan *plan, bool late, FILE *out);

/* The name of an image's partition or volume, with size and digest of its contents: of the new, and maybe of the old.
 */
void compose_partition(FILE *out, const struct step *step, bool with_old);

/* Owner, mode and attributes of a step's new object. */
void compose_metadata(const struct plan *plan, const struct step *step, FILE *out);

/* Text as in a quoted string of the language, without and with its quotes. */
void compose_escaped(FILE *out, const char *text);
void compose_quoted(FILE *out, const char *text);
/* The quoted text between two pieces of code. */
void compose_call(FILE *out, const char *before, const char *text, const char *after);

#endif
