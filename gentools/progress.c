/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/gentools.h"

void gen_show_progress(const struct gen_progress *progress, const char *what, double done)
{
	if (progress && progress->show)
		progress->show(progress->ctx, what, done);
}
