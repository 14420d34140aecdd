/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/summary.h"

#include "gentools/mix.h"
#include "gentools/plan.h"
#include "gentools/volumes.h"
#include "package/package.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes of the UTF-8 sequence that starts here, 0 when none does. Surrogates and overlong forms are none. */
static size_t sequence_length(const unsigned char *at)
{
	size_t length = *at < 0x80                  ? 1
	                : *at >= 0xc2 && *at < 0xe0 ? 2
	                : (*at & 0xf0) == 0xe0      ? 3
	                : *at >= 0xf0 && *at < 0xf5 ? 4
	                                            : 0;

	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] >= 0xa0) || (*at == 0xf0 && at[1] < 0x90) ||
	    (*at == 0xf4 && at[1] >= 0x90))
		return 0;
	return length;
}

static void put_text(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	(void)fputc('"', out);
	while (*at) {
		size_t length = sequence_length(at);

		if (length == 0)
			(void)fputs("\\ufffd", out);
		else if (*at == '"' || *at == '\\')
			(void)fprintf(out, "\\%c", *at);
		else if (*at < 0x20)
			(void)fprintf(out, "\\u%04x", *at);
		else
			(void)fwrite(at, 1, length, out);
		at += length ? length : 1;
	}
	(void)fputc('"', out);
}

/* What stands behind "Project Rev" and its colon; NULL when nothing does. The caller frees it. */
static char *find_version(const struct tree *tree)
{
	static const char label[] = "Project Rev";
	const struct object *object = volumes_find_file(tree, PLAN_VERSION_FILE);
	struct mapping mapping;
	char *text = NULL;
	char *version = NULL;
	char *line;

	if (!object || object->type != OBJECT_FILE || extent_map(&object->data, &mapping) < 0)
		return NULL;
	text = strndup(mapping.data, mapping.size);
	extent_unmap(&mapping);
	line = text ? strstr(text, label) : NULL;
	if (line && (line == text || line[-1] == '\n')) {
		line += strlen(label);
		line += strspn(line, " \t");
		line += *line == ':';
		line += strspn(line, " \t");
		line[strcspn(line, "\r\n")] = '\0';
		for (size_t end = strlen(line); end > 0 && (line[end - 1] == ' ' || line[end - 1] == '\t'); end--)
			line[end - 1] = '\0';
		version = *line ? strdup(line) : NULL;
	}
	free(text);
	return version;
}

static void put_tree(FILE *out, const char *name, const struct tree *tree)
{
	char *version = find_version(tree);

	(void)fprintf(out, "  \"%s\": {\"file\": ", name);
	put_text(out, tree->name);
	(void)fputs(", \"version\": ", out);
	if (version)
		put_text(out, version);
	else
		(void)fputs("null", out);
	(void)fputs("},\n", out);
	free(version);
}

static void put_parts(FILE *out, const char *name, unsigned parts)
{
	const char *comma = "";

	(void)fprintf(out, "  \"%s\": [", name);
	for (unsigned i = 0; mix_part_name(i); i++) {
		if (!(parts & 1u << i))
			continue;
		(void)fprintf(out, "%s\"%s\"", comma, mix_part_name(i));
		comma = ", ";
	}
	(void)fputs("],\n", out);
}

static unsigned long long bytes_of(const struct object *object)
{
	return object ? object->data.size : 0;
}

/* What the package has for it alone. */
static unsigned long long packed_bytes(const struct step *step)
{
	return step->same ? 0 : step->data.size;
}

static void put_kinds(FILE *out, const struct plan *plan)
{
	(void)fputs("  \"kinds\": {", out);
	for (int kind = 0; kind <= STEP_RAW_WHOLE; kind++) {
		unsigned long long bytes = 0;
		size_t count = 0;

		for (size_t i = 0; i < plan->count; i++) {
			if ((int)plan->steps[i].kind != kind)
				continue;
			count++;
			bytes += packed_bytes(&plan->steps[i]);
		}
		(void)fprintf(out, "%s\n    \"%s\": {\"objects\": %zu, \"package_bytes\": %llu}", kind ? "," : "",
		              step_kind_name((enum step_kind)kind), count, bytes);
	}
	(void)fputs("\n  },\n", out);
}

static void put_objects(FILE *out, const struct plan *plan)
{
	(void)fputs("  \"objects\": [", out);
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		(void)fprintf(out, "%s\n    {\"kind\": \"%s\", \"path\": ", i ? "," : "", step_kind_name(step->kind));
		put_text(out, step->path);
		if (step->from) {
			(void)fputs(", \"from\": ", out);
			put_text(out, step->old->path);
		}
		(void)fprintf(out, ", \"old_bytes\": %llu, \"new_bytes\": %llu, \"package_bytes\": %llu}",
		              bytes_of(step->old), bytes_of(step->new), packed_bytes(step));
	}
	(void)fputs("\n  ]\n", out);
}

/* Of the target: names that share a file with others, and whether they do so on the module. */
static void put_hard_links(FILE *out, const struct tree *target, bool carried)
{
	(void)fprintf(out, "  \"hard_links\": {\"files\": %zu, \"names\": %zu, \"carried\": %s},\n",
	              target->linked_files, target->hard_links, carried ? "true" : "false");
}

static void put_needs(FILE *out, const struct needs *needs)
{
	(void)fprintf(out,
	              "  \"needs\": {\"scratch_bytes\": %llu, \"memory_bytes\": %llu, \"system_room_bytes\": %llu, "
	              "\"firmware_room_bytes\": %llu, \"written_bytes\": %llu, \"erases\": %llu, "
	              "\"seconds\": %llu},\n",
	              (unsigned long long)needs->scratch, (unsigned long long)needs->memory,
	              (unsigned long long)needs->system, (unsigned long long)needs->firmware,
	              (unsigned long long)needs->written, (unsigned long long)needs->erases,
	              (unsigned long long)needs->seconds);
}

static void put_summary(FILE *out, const struct plan *plan, const struct verify_inputs *trees,
                        const struct gen_options *options, const struct needs *needs, unsigned long long size)
{
	(void)fputs("{\n  \"package\": ", out);
	put_text(out, options->output);
	(void)fprintf(out, ",\n  \"bytes\": %llu,\n  \"verified\": %s,\n", size, options->no_verify ? "false" : "true");
	put_tree(out, "source", trees->source);
	put_tree(out, "target", trees->target);
	put_parts(out, "parts", options->parts);
	put_parts(out, "left_out", options->source ? mix_left_out(trees->source, trees->target, options->parts) : 0);
	put_hard_links(out, trees->target, options->native);
	if (needs)
		put_needs(out, needs);
	put_kinds(out, plan);
	put_objects(out, plan);
	(void)fputs("}\n", out);
}

int summary_write(const struct plan *plan, const struct verify_inputs *trees, const struct gen_options *options,
                  const struct needs *needs, struct error *error)
{
	bool standard = strcmp(options->summary, "-") == 0;
	FILE *out = standard ? stdout : fopen(options->summary, "we");
	struct stat status;
	int err = 0;

	if (!out || stat(options->output, &status) < 0) {
		err = -errno;
	} else {
		put_summary(out, plan, trees, options, needs, (unsigned long long)status.st_size);
		if (ferror(out))
			err = -EIO;
	}
	if (out && (standard ? fflush(out) : fclose(out)) != 0 && err == 0)
		err = -errno;
	return err < 0 ? error_set(error, 0, -err, "%s: cannot write the summary: %s", options->summary, strerror(-err))
	               : 0;
}
