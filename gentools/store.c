/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/store.h"

#include "gentools/compose.h"

/* What the data are stored for is done. */
static void put_done(const struct step *step, FILE *out)
{
	char hex[DIGEST_TEXT_SIZE];

	(void)digest_format(&step->new->digest, hex);
	(void)fputs("apply_patch_check(", out);
	if (step_is_image(step))
		compose_partition(out, step, false);
	else
		compose_quoted(out, step->device);
	(void)fprintf(out, ", \"%s\")", hex);
}

void store_put_checks(const struct plan *plan, FILE *out)
{
	char hex[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (!step->stored)
			continue;
		(void)fprintf(out, "assert(sha1_check(read_file(\"%s\"), \"%s\") ||\n       ", step->stored,
		              digest_format(&step->stored_digest, hex));
		put_done(step, out);
		(void)fputs(");\n", out);
	}
}

void store_put_guard(const struct step *step, FILE *out)
{
	char hex[DIGEST_TEXT_SIZE];

	if (step->stored)
		(void)fprintf(out, "sha1_check(read_file(\"%s\"), \"%s\") && ", step->stored,
		              digest_format(&step->stored_digest, hex));
}

void store_put_alternative(const struct step *step, FILE *out)
{
	if (!step->stored)
		return;
	(void)fputs(" ||\n    ", out);
	put_done(step, out);
}

void store_put_data(const struct step *step, FILE *out)
{
	(void)fputs(step->stored ? "read_file(" : "package_extract_file(", out);
	compose_quoted(out, step->stored ? step->stored : step->entry);
	(void)fputc(')', out);
}

void store_put_rename(const struct step *step, FILE *out)
{
	(void)fprintf(out, "rename(\"%s\", ", step->stored);
	compose_quoted(out, step->device);
	(void)fputs(");\n", out);
}

void store_put_end(const struct plan *plan, FILE *out)
{
	if (plan->has_store)
		(void)fputs("delete_recursive(\"" STORE_PLACE "\");\n", out);
}
