/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_VERIFY_H
#define GENTOOLS_VERIFY_H

/*
 * Proof that a package turns the source into the target: the updater's own code installs it on a model of a module that
 * runs the source (gentools/model.h), and all that is then on the model is compared with what should be there.
 */
#include "base/log.h"
#include "gentools/gentools.h"
#include "gentools/needs.h"
#include "gentools/tree.h"

struct verify_inputs {
	const char *package; /* path */
	const char *name;    /* what messages call it */
	const char *next;    /* path of the package that it names as the next one; NULL: beside it */
	const struct tree *source;
	const struct tree *target; /* NULL: only that the package installs on the source */
	unsigned parts;            /* of enum gen_part, or-ed: what of the target is to arrive; the rest stays */
	bool hard_links;           /* names of one file of the target must be so */
	const struct gen_progress *progress;
	const struct package_crypt_keys *keys; /* package/crypt.h; NULL: the package is not encrypted */
	const struct recipients *recipients;   /* whom it will be encrypted for when it is proved; NULL: nobody */
	struct gen_limits limits;              /* that the package's needs must keep */
};

/*
 * A package that another one follows (package_next()) is installed together with that.
 *
 * One line to the log per difference, and one for the result; then what the package needs, which goes to *needs, too,
 * unless it is NULL. -EILSEQ when there are differences, with the first one in the error, -EFBIG when a need exceeds
 * its limit. The trees must not change meanwhile.
 */
int verify_package(const struct verify_inputs *inputs, const struct log *log, struct needs *needs, struct error *error);

struct model; /* gentools/model.h */

/* Only the installation of inputs->package, which no other one follows. -ECANCELED when it fails. */
int verify_install(struct model *model, const struct verify_inputs *inputs, struct error *error);

#endif
