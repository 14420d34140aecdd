/* SPDX-License-Identifier: Apache-2.0 */
/* Where programs are, and where what they have went. */
#include "patch/predict.h"

/* Programs lie in a space as they lie in pages of their own. */
#define PAGE UINT32_C(4096)

void predict_lay_out(const struct predict_space *space)
{
	uint32_t end = 0;

	for (size_t i = 0; i < space->program_count; i++) {
		struct predict_program *program = &space->programs[i];
		uint32_t low = ((end + PAGE - 1) & ~(PAGE - 1)) + program->low % PAGE;

		program->bias = low - program->low;
		program->low = low;
		program->end += program->bias;
		end = program->end;
	}
	for (size_t i = 0; i < space->segment_count; i++)
		space->segments[i].address += space->programs[space->segments[i].program].low;
}

size_t predict_find_segment(const struct predict_space *space, uint64_t offset)
{
	size_t low = 0, high = space->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct predict_segment *segment = &space->segments[middle];

		if ((uint64_t)segment->offset + segment->length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct predict_place predict_locate(const struct predict_space *space, uint64_t offset)
{
	size_t at = predict_find_segment(space, offset);
	const struct predict_segment *segment = &space->segments[at];

	if (at == space->segment_count || segment->offset > offset)
		return (struct predict_place){.address = (uint32_t)offset};
	return (struct predict_place){.address = segment->address + (uint32_t)(offset - segment->offset),
	                              .program = &space->programs[segment->program]};
}

void predict_index(struct predict_shifts *shifts)
{
	uint32_t first = shifts->count > 0 ? shifts->list[0].from : 0;
	/* A few addresses may lie far behind all others, where the parts need not reach. */
	uint32_t span = shifts->count > 0 ? shifts->list[shifts->count - 1 - shifts->count / 16].from - first : 0;
	size_t at = 0;

	shifts->part_log = 0;
	while (span >> shifts->part_log >= PREDICT_PARTS)
		shifts->part_log++;
	for (uint32_t part = 0; part < PREDICT_PARTS; part++) {
		while (at < shifts->count && (shifts->list[at].from - first) >> shifts->part_log <= part)
			at++;
		shifts->ends[part] = (uint32_t)at;
	}
	shifts->is_indexed = true;
}

/* Leave only the shifts of an address's part, behind the last one before these. */
static const struct predict_shift *search_part(const struct predict_shifts *shifts, uint32_t value, size_t *count)
{
	uint32_t part = (value - shifts->list[0].from) >> shifts->part_log;
	size_t end = part < PREDICT_PARTS ? shifts->ends[part] : shifts->count;
	size_t first = 0;

	if (part >= PREDICT_PARTS)
		part = PREDICT_PARTS;
	if (part > 0)
		first = shifts->ends[part - 1] - 1;
	*count = end - first;
	return shifts->list + first;
}

uint32_t predict_shifted(const struct predict_shifts *shifts, uint32_t value)
{
	const struct predict_shift *shift = shifts->list;
	size_t left = shifts->count;

	if (left == 0 || value < shift->from)
		return value;
	if (shifts->is_indexed)
		shift = search_part(shifts, value, &left);
	/* What follows has no pattern that a processor could foresee: each step is to be one without a branch. */
	while (left > 1) {
		size_t half = left / 2;

		shift += shift[half].from <= value ? half : 0;
		left -= half;
	}
	return value + shift->by;
}
