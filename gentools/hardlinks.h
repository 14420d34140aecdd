/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_HARDLINKS_H
#define GENTOOLS_HARDLINKS_H

/*
 * Names of one file. Names of symbolic links and nodes are objects of their own, however many an inode has of them.
 * What no package touches (other volumes, names outside of the tree) counts for nothing.
 */
#include "base/log.h"
#include "gentools/tree.h"

/*
 * Number the files that have several names, by where they were read. apart: the tree is a module's, where hard links do
 * not lead from one part (enum gen_part) into another. -ENOMEM.
 */
int hardlinks_number(struct tree *tree, bool apart);

/*
 * Behind lists_apply(): what stays on the module goes on being names of the source's files, and what the lists have
 * given another mode or owner becomes a file of its own. Numbers of both trees differ then. -ENOMEM.
 */
int hardlinks_settle(const struct tree *source, struct tree *target, const struct log *log, struct error *error);

/* What a plan between the trees has to mind. */
struct hardlinks_options {
	unsigned parts; /* of enum gen_part, or-ed */
	bool native;    /* the updater has hard_link() and separate() */
	bool full;      /* nothing is known of the module; source is not looked at */
};

/*
 * Mark in the target which names follow another one (object.first), and which must leave a file that others keep
 * (object.apart_from, or object.anew where the updater knows only files that were written anew); in the source which
 * names no rename may take, for others have the file too (object.held). The trees' objects must not move any more.
 * -ENOMEM.
 */
int hardlinks_plan(struct tree *source, struct tree *target, const struct hardlinks_options *options,
                   struct error *error);

/* Whether two files of a tree may be one on a module: they are, or nobody knows and it makes no difference. */
bool hardlinks_may_share(const struct object *a, const struct object *b);

#endif
