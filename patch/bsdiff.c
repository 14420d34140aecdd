/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/bsdiff.h"

#include "base/bytes.h"
#include "patch/bunzip.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_SIZE 32768

struct bsdiff_run {
	const struct reader *old;
	const struct sink *sink;
	struct error *error;
	struct bunzip control;
	struct bunzip diff;
	struct bunzip extra;
	uint64_t left;  /* bytes of new content still to come */
	int64_t old_at; /* may lie outside of the old content */
	size_t filled;  /* bytes in out[] */
	uint8_t out[PIECE_SIZE];
	uint8_t old_piece[PIECE_SIZE];
};

/* Sign and magnitude, not two's complement. */
static int64_t get_signed(const uint8_t *p)
{
	uint64_t raw = get_le64(p);
	int64_t magnitude = (int64_t)(raw & INT64_MAX);

	return raw >> 63 ? -magnitude : magnitude;
}

int bsdiff_read_header(const struct content *patch, uint64_t offset, struct bsdiff_header *header, struct error *error)
{
	uint8_t raw[BSDIFF_HEADER_SIZE];
	int64_t control, diff, size;
	uint64_t room;
	int err;

	if (offset > patch->size || patch->size - offset < sizeof(raw))
		return patch_broken(error, "patch: no room for a BSDIFF40 header at %" PRIu64, offset);
	err = patch_read_at(patch, offset, raw, sizeof(raw), error);
	if (err < 0)
		return err;
	if (memcmp(raw, BSDIFF_MAGIC, PATCH_MAGIC_SIZE) != 0)
		return patch_broken(error, "patch: no BSDIFF40 magic at %" PRIu64, offset);
	control = get_signed(raw + 8);
	diff = get_signed(raw + 16);
	size = get_signed(raw + 24);
	room = patch->size - offset - sizeof(raw);
	if (control < 0 || diff < 0 || size < 0 || (uint64_t)control > room ||
	    (uint64_t)diff > room - (uint64_t)control)
		return patch_broken(error,
		                    "patch: BSDIFF40 header of control %" PRId64 ", diff %" PRId64 ", new size %" PRId64
		                    " does not fit %" PRIu64 " bytes",
		                    control, diff, size, room);
	header->control_at = offset + sizeof(raw);
	header->diff_at = header->control_at + (uint64_t)control;
	header->extra_at = header->diff_at + (uint64_t)diff;
	header->new_size = (uint64_t)size;
	return 0;
}

/* Add to the piece what old content lies below it; outside of the old content that is nothing. */
static int add_old(struct bsdiff_run *run, uint8_t *piece, size_t length)
{
	uint64_t at = run->old_at < 0 ? 0 : (uint64_t)run->old_at;
	uint64_t skip = run->old_at < 0 ? 0 - (uint64_t)run->old_at : 0;
	size_t n;
	int err;

	if (skip >= length || at >= run->old->size)
		return 0;
	piece += skip;
	n = length - (size_t)skip;
	if (n > run->old->size - at)
		n = (size_t)(run->old->size - at);
	err = run->old->read_at(run->old->ctx, at, run->old_piece, n);
	if (err < 0)
		return err;
	for (size_t i = 0; i < n; i++)
		piece[i] = (uint8_t)(piece[i] + run->old_piece[i]);
	return 0;
}

static int flush(struct bsdiff_run *run)
{
	int err = run->filled > 0 ? run->sink->write(run->sink->ctx, run->out, run->filled) : 0;

	run->filled = 0;
	return err;
}

/* The next `length` bytes of new content come from this stream; those of the diff stream are added to old content. */
static int produce(struct bsdiff_run *run, struct bunzip *from, uint64_t length)
{
	int err;

	run->left -= length;
	while (length > 0) {
		uint8_t *piece = run->out + run->filled;
		size_t n = sizeof(run->out) - run->filled;

		if (n > length)
			n = (size_t)length;
		err = bunzip_read(from, piece, n);
		if (err == 0 && from == &run->diff) {
			err = add_old(run, piece, n);
			run->old_at += (int64_t)n;
		}
		if (err < 0)
			return err;
		run->filled += n;
		length -= n;
		if (run->filled == sizeof(run->out))
			err = flush(run);
		if (err < 0)
			return err;
	}
	return 0;
}

static int run_entry(struct bsdiff_run *run, int64_t add, int64_t copy, int64_t seek)
{
	int64_t next;
	int err;

	if (add < 0 || copy < 0 || (uint64_t)add > run->left || (uint64_t)copy > run->left - (uint64_t)add)
		return patch_broken(run->error,
		                    "patch: control entry of %" PRId64 " and %" PRId64 " bytes with %" PRIu64 " to go",
		                    add, copy, run->left);
	if (__builtin_add_overflow(run->old_at, add, &next) || __builtin_add_overflow(next, seek, &next))
		return patch_broken(run->error, "patch: control entry moves the old position by %" PRId64, seek);
	err = produce(run, &run->diff, (uint64_t)add);
	if (err == 0)
		err = produce(run, &run->extra, (uint64_t)copy);
	run->old_at = next;
	return err;
}

static int run_all(struct bsdiff_run *run)
{
	uint8_t entry[BSDIFF_ENTRY_SIZE];
	uint64_t idle = run->left; /* entries without a byte: rare, so a patch that needs more of them is a bomb */
	uint64_t before;
	int err;

	while (run->left > 0) {
		before = run->left;
		err = bunzip_read(&run->control, entry, sizeof(entry));
		if (err == 0)
			err = run_entry(run, get_signed(entry), get_signed(entry + 8), get_signed(entry + 16));
		if (err < 0)
			return err;
		if (run->left == before && idle-- == 0)
			return patch_broken(run->error, "patch: the control stream leads nowhere");
	}
	return flush(run);
}

int bsdiff_apply(const struct reader *old, const struct content *patch, const struct bsdiff_header *header,
                 const struct sink *sink, struct error *error)
{
	uint64_t control_size = header->diff_at - header->control_at;
	uint64_t diff_size = header->extra_at - header->diff_at;
	uint64_t extra_size = patch->size - header->extra_at;
	struct bsdiff_run *run;
	int err;

	run = calloc(1, sizeof(*run));
	if (!run)
		return patch_no_memory(error);
	run->old = old;
	run->sink = sink;
	run->error = error;
	run->left = header->new_size;

	err = bunzip_open(&run->control, patch, header->control_at, control_size, "control", error);
	if (err == 0)
		err = bunzip_open(&run->diff, patch, header->diff_at, diff_size, "diff", error);
	if (err == 0)
		err = bunzip_open(&run->extra, patch, header->extra_at, extra_size, "extra", error);
	if (err == 0)
		err = run_all(run);
	/* Nothing may be left over: this also makes bzip2 check the last block of each stream. */
	if (err == 0)
		err = bunzip_finish(&run->control);
	if (err == 0)
		err = bunzip_finish(&run->diff);
	if (err == 0)
		err = bunzip_finish(&run->extra);

	bunzip_close(&run->extra);
	bunzip_close(&run->diff);
	bunzip_close(&run->control);
	free(run);
	return err;
}
