/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_PLAN_H
#define GENTOOLS_PLAN_H

/* What has to happen to turn the source into the target, object by object. */
#include "base/log.h"
#include "gentools/tree.h"
#include "package/package.h"

/* The file with the version's name. */
#define PLAN_VERSION_FILE "SYSTEM/etc/" PACKAGE_PROJECT_VERSION

enum step_kind {
	STEP_DELETE,      /* a file or link that is gone, or becomes the other of the two */
	STEP_DELETE_TREE, /* a directory that is gone; what was or becomes one and changes its type */
	STEP_PATCH,       /* a file */
	STEP_RENAME,    /* a new file that an old one becomes, which is gone; patched in its new place if it differs */
	STEP_COPY,      /* a new file that a patch makes of an old one */
	STEP_WHOLE,     /* a new file */
	STEP_DIRECTORY, /* a new one */
	STEP_LINK,      /* a new one, or with another target */
	STEP_NODE,      /* a new device node or FIFO, or with another number */
	STEP_HARD_LINK, /* a name of the file of another name */
	STEP_METADATA,  /* only mode, owner or attributes differ, or it must leave another file */
	STEP_RAW_PATCH, /* a partition's image */
	STEP_RAW_WHOLE, /* a partition's image that the source does not know */
};

struct step {
	enum step_kind kind;
	const char *path;         /* as in the trees */
	bool late;                /* among the files, only when all others are done */
	bool makes_way;           /* of DELETE, DELETE_TREE: for something of another type */
	bool moot;                /* left out by plan_drop_moot() */
	const struct object *old; /* NULL when new; of RENAME, COPY: the one at another path */
	const struct object *new; /* NULL when deleted */
	char *device;             /* path on the device, or the partition's name */
	char *from;               /* of RENAME, COPY: the old path on the device; NULL otherwise */
	uint32_t unit;            /* of RAW_PATCH: it is changed in place, so many bytes at a time; 0: by a copy */
	char *entry;              /* of patches, WHOLE, DIRECTORY, RAW_WHOLE: name in the package */
	struct extent data;       /* of patches, WHOLE, RAW_WHOLE: what that entry holds */
	char *stored;             /* where an earlier package has stored the data; NULL: they are in the package */
	struct digest_value stored_digest; /* of those data, of the objects' kind */
	bool ready;                        /* the data are known; deltas_make()'s */
	struct step *same;                 /* the first step with the same patch; NULL: this one */
	struct step *next_same;            /* the next one of them */
};

/* A file system of the module of which only what the target has stays. */
struct plan_clearing {
	const char *path;      /* of its root, as in the trees */
	const char *directory; /* where it is mounted */
	const char *volume;
	const char *entry;  /* the package's, as keep_only() takes it (updater/functions_keep.c); NULL: format it */
	struct extent data; /* of that */
};

#define PLAN_CLEARINGS 2

struct plan {
	struct step *steps; /* in the order of the trees' paths */
	size_t count;
	size_t capacity;
	struct spool spool;    /* of the script */
	struct spool *patches; /* of the patches */
	size_t patch_spools;
	const struct tree *source;
	const struct tree *target;
	bool full;    /* nothing is known of what the module has */
	bool formats; /* its clearings are made by formatting */
	struct plan_clearing clearings[PLAN_CLEARINGS];
	size_t clearing_count;
	bool has_store; /* an earlier package has made one, if only for what steps have stored there */
};

/*
 * Compare the trees, as far as the parts (enum gen_part) go; the patches are made by deltas_make(). Ends with
 * plan_free(), also after a failure. The trees must outlive the plan, and the plan stay where it is.
 */
int plan_make(struct plan *plan, const struct tree *source, const struct tree *target, unsigned parts,
              const struct log *log, struct error *error);
void plan_free(struct plan *plan);

/*
 * Make a step for a new file one that takes an old file of another path, STEP_RENAME or STEP_COPY. Its patch, if it is
 * one, is not made yet.
 */
int plan_take_old(struct step *step, enum step_kind kind, const struct object *old, struct error *error);

/* What is alike in the source and alike in the target has one patch. No step may move any more. */
int plan_share_patches(struct plan *plan, struct error *error);

/*
 * When they are made: those of the same bytes become one, too, since many files change in the same way. Names their
 * entries, shortly, for they are told three times: of the others there is no entry.
 */
int plan_name_patches(struct plan *plan, struct error *error);

/* The step behind this one, or the first for NULL; those with the same patch stand together. NULL: no more. */
const struct step *plan_next(const struct plan *plan, const struct step *step);

/* Steps that are moot leave the plan: all others may move. */
void plan_drop_moot(struct plan *plan);

/* A fingerprint of the version: if an update is cut short, these must still show the old one. */
bool plan_is_late(const char *path);

/* Room for patches: so many spools, not open yet. -ENOMEM. */
int plan_add_spools(struct plan *plan, size_t count);

/* Which part (enum gen_part) a path of the trees belongs to; 0: it stays as it is, whatever is upgraded. */
unsigned plan_part_of(const char *path);

/* Whether a path of the trees is that of a partition's image. */
bool plan_is_image(const char *path);

bool step_is_image(const struct step *step);
bool step_is_deletion(const struct step *step);
bool step_is_patch(const struct step *step); /* something in the package that makes new content of old */

/* The kind's name in the log. */
const char *step_kind_name(enum step_kind kind);

/* A line about the step. */
void step_log(const struct step *step, const struct log *log);

/* Bytes of work of a step, for progress. */
uint64_t step_work(const struct step *step);

#endif
