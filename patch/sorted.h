/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_SORTED_H
#define PATCH_SORTED_H

/* An image some LEBs of which are sorted (patch/nodes.h), each in its place: what a view of UBIFS is a view of. */
#include "patch/codec.h"
#include <stdbool.h>

#define SORTED_RUNS_MAX 32
#define SORTED_LEB_MIN  (UINT32_C(1) << 12)
#define SORTED_LEB_MAX  (UINT32_C(1) << 22)

/* LEBs one behind the other, counted from the image's begin. */
struct sorted_run {
	uint32_t first;
	uint32_t count; /* at least 1 */
};

struct sorted {
	uint32_t leb_size; /* bytes; 0: nothing is sorted */
	size_t count;
	struct sorted_run runs[SORTED_RUNS_MAX]; /* by first; none touch each other */
};

/* Whether there are so many such LEBs in an image of so many bytes; if not, it is a broken patch. */
int sorted_check(const struct sorted *sorted, uint64_t image_size, struct error *error);

/* Whether a sorted LEB begins there. */
bool sorted_begins(const struct sorted *sorted, uint64_t at);

/* Widen a range of the image to what its bytes depend on. */
void sorted_widen(const struct sorted *sorted, uint64_t *begin, uint64_t *end);

/*
 * Random access to the sorted image, where something is sorted. Its reader fills the error no more than the image's
 * does. `sorted` and the image must outlive it and stay where they are.
 */
struct sorted_reader;
int sorted_reader_open(struct sorted_reader **reader, const struct sorted *sorted, const struct reader *image,
                       struct error *error);
struct reader sorted_reader(struct sorted_reader *reader);
void sorted_reader_close(struct sorted_reader *reader); /* tolerates NULL */

/*
 * A sink for the sorted image that makes the image of it, where something is sorted. It begins at `at`, and neither
 * begins nor ends inside a sorted LEB.
 */
struct sorted_writer;
int sorted_writer_open(struct sorted_writer **writer, const struct sorted *sorted, uint64_t at, const struct sink *sink,
                       struct error *error);
struct sink sorted_writer_sink(struct sorted_writer *writer);
int sorted_writer_finish(struct sorted_writer *writer);
void sorted_writer_close(struct sorted_writer *writer); /* tolerates NULL */

/* The heap that they take. */
uint64_t sorted_reader_memory(const struct sorted *sorted);
uint64_t sorted_writer_memory(const struct sorted *sorted);

#endif
