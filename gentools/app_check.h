/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_APP_CHECK_H
#define GENTOOLS_APP_CHECK_H

#include "gentools/app.h"
#include "gentools/tree.h"

#define APP_RELEASE_SIZE 17 /* 16 digits of the content's SHA-256, and NUL */

struct app {
	const struct app_options *options;
	const struct tree *tree;
	char release[APP_RELEASE_SIZE];
};

/* Install the package on a model of a module that has an older release, and compare. -ECANCELED, -EILSEQ. */
int app_check(const struct app *app, const char *package, const struct log *log, struct error *error);

#endif
