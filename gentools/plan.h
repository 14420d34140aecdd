/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_PLAN_H
#define GENTOOLS_PLAN_H

/* What has to happen to turn the source into the target, object by object. */
#include "base/log.h"
#include "gentools/tree.h"

enum step_kind {
	STEP_DELETE,      /* a file or link that is gone, or becomes the other of the two */
	STEP_DELETE_TREE, /* a directory that is gone; what was or becomes one and changes its type */
	STEP_PATCH,       /* a file */
	STEP_WHOLE,       /* a new file */
	STEP_DIRECTORY,   /* a new one */
	STEP_LINK,        /* a new one, or with another target */
	STEP_METADATA,    /* only mode or owner differ */
	STEP_RAW_PATCH,   /* a partition's image */
	STEP_RAW_WHOLE,   /* a partition's image that the source does not know */
};

struct step {
	enum step_kind kind;
	const char *path;         /* as in the trees */
	bool late;                /* among the files, only when all others are done */
	const struct object *old; /* NULL when new */
	const struct object *new; /* NULL when deleted */
	char *device;             /* path on the device, or the partition's name */
	char *entry;              /* of PATCH, WHOLE, DIRECTORY, RAW_*: name in the package */
	struct extent data;       /* of PATCH, WHOLE, RAW_*: what that entry holds */
	bool ready;               /* the data are known; deltas_make()'s */
};

struct plan {
	struct step *steps; /* in the order of the trees' paths */
	size_t count;
	size_t capacity;
	struct spool spool;    /* of the script */
	struct spool *patches; /* of the patches */
	size_t patch_spools;
	const struct tree *target;
};

/*
 * Compare the trees, as far as the parts (enum gen_part) go; the patches are made by deltas_make(). Ends with
 * plan_free(), also after a failure. The trees must outlive the plan, and the plan stay where it is.
 */
int plan_make(struct plan *plan, const struct tree *source, const struct tree *target, unsigned parts,
              const struct log *log, struct error *error);
void plan_free(struct plan *plan);

/* Room for patches: so many spools, not open yet. -ENOMEM. */
int plan_add_spools(struct plan *plan, size_t count);

/* Which part (enum gen_part) a path of the trees belongs to; 0: it stays as it is, whatever is upgraded. */
unsigned plan_part_of(const char *path);

/* Whether a path of the trees is that of a partition's image. */
bool plan_is_image(const char *path);

bool step_is_image(const struct step *step);
bool step_is_patch(const struct step *step);

/* The kind's name in the log. */
const char *step_kind_name(enum step_kind kind);

/* A line about the step. */
void step_log(const struct step *step, const struct log *log);

/* Bytes of work of a step, for progress. */
uint64_t step_work(const struct step *step);

#endif
