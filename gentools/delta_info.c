/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/delta_info.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NATIVE_NAMED_STREAMS 3u

static const char *const kind_names[PATCH_NATIVE_KINDS] = {
	"a32", "t32", "literals", "addresses", "distances", "offsets", "rel", "rel_odd",
};

struct named_stream {
	const char *name;
	const struct patch_native_stream *stream;
};

static void print_text(const struct patch_native_info *info, uint64_t patch_size, const struct named_stream *streams)
{
	char digest[DIGEST_TEXT_SIZE];

	printf("patch       %12" PRIu64 " bytes\n", patch_size);
	printf("source      %12" PRIu64 " bytes%s%s\n", info->source_size, info->has_digests ? "  SHA-256 " : "",
	       info->has_digests ? digest_format(&info->source, digest) : "");
	printf("target      %12" PRIu64 " bytes%s%s\n", info->target_size, info->has_digests ? "  SHA-256 " : "",
	       info->has_digests ? digest_format(&info->target, digest) : "");
	printf("memory      %12" PRIu64 " bytes of heap, at most\n", info->memory);
	if (info->in_place)
		printf("in place    %12" PRIu64 " units of %" PRIu32 " bytes are written, %" PRIu64
		       " bytes are kept between them\n",
		       info->changed, info->unit, info->kept);
	printf("frames      %12" PRIu64 " of %" PRIu32 " bytes of the target each\n", info->frames, info->unit);
	printf("stretches   %12" PRIu64 "\n", info->stretches);
	printf("model       %12" PRIu64 " bytes, %" PRIu64 " shifts\n", info->models, info->shifts);
	for (unsigned i = 0; i < NATIVE_NAMED_STREAMS; i++)
		printf("%-12s%12" PRIu64 " bytes of %" PRIu64 ", %s\n", streams[i].name, streams[i].stream->packed,
		       streams[i].stream->plain, streams[i].stream->coder);
	printf("predicted   %12" PRIu64 " bytes lie in blocks with\n", info->predicted);
	for (unsigned i = 0; i < PATCH_NATIVE_KINDS; i++)
		if (info->kinds[i] > 0)
			printf("  %-10s%12" PRIu64 "\n", kind_names[i], info->kinds[i]);
}

static void print_json(const struct patch_native_info *info, uint64_t patch_size, const struct named_stream *streams)
{
	char digest[DIGEST_TEXT_SIZE];

	printf("{\"format\": \"FOTADLT1\", \"patch\": %" PRIu64 ", \"source\": %" PRIu64 ", \"target\": %" PRIu64,
	       patch_size, info->source_size, info->target_size);
	if (info->has_digests)
		printf(", \"source_sha256\": \"%s\"", digest_format(&info->source, digest));
	if (info->has_digests)
		printf(", \"target_sha256\": \"%s\"", digest_format(&info->target, digest));
	printf(", \"memory\": %" PRIu64 ", \"in_place\": %s, \"unit\": %" PRIu32 ", \"changed\": %" PRIu64
	       ", \"kept\": %" PRIu64 ", \"frames\": %" PRIu64 ", \"stretches\": %" PRIu64,
	       info->memory, info->in_place ? "true" : "false", info->unit, info->changed, info->kept, info->frames,
	       info->stretches);
	printf(", \"model\": {\"packed\": %" PRIu64 ", \"shifts\": %" PRIu64 "}", info->models, info->shifts);
	for (unsigned i = 0; i < NATIVE_NAMED_STREAMS; i++)
		printf(", \"%s\": {\"coder\": \"%s\", \"packed\": %" PRIu64 ", \"plain\": %" PRIu64 "}",
		       streams[i].name, streams[i].stream->coder, streams[i].stream->packed, streams[i].stream->plain);
	printf(", \"predicted\": {\"bytes\": %" PRIu64, info->predicted);
	for (unsigned i = 0; i < PATCH_NATIVE_KINDS; i++)
		printf(", \"%s\": %" PRIu64, kind_names[i], info->kinds[i]);
	puts("}}");
}

int delta_print_info(const struct patch_native_info *info, uint64_t patch_size, bool json)
{
	const struct named_stream streams[NATIVE_NAMED_STREAMS] = {
		{"control", &info->control}, {"residue", &info->residue}, {"literals", &info->literals}};

	if (json)
		print_json(info, patch_size, streams);
	else
		print_text(info, patch_size, streams);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}
