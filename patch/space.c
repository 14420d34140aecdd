/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/space.h"

#include "base/bytes.h"
#include "patch/codec.h"
#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What a kernel or loader may have behind the bytes of its image: zeroed data. */
#define ROOM_BEHIND (UINT32_C(8) << 20)

#define FIRST_ROOM 16

/* Of a region of which nothing was told yet. */
#define NO_PROGRAM UINT32_MAX

struct space_search {
	struct predict_space *space;
	struct image image;
	const uint8_t *is_changed;
	const struct regions *regions;
	uint64_t done;    /* up to here the image's bytes have their segments */
	size_t region;    /* that `done` is in */
	uint32_t program; /* what of that region is in no ELF file */
	size_t program_room;
	size_t segment_room;
	struct error *error;
};

static int grow(void **list, size_t count, size_t *room, size_t size, struct error *error)
{
	size_t more = *room > 0 ? 2 * *room : FIRST_ROOM;
	void *grown;

	if (count < *room)
		return 0;
	grown = realloc(*list, more * size);
	if (!grown)
		return patch_no_memory(error);
	*list = grown;
	*room = more;
	return 0;
}

static int add_program(struct space_search *search, uint32_t low, uint32_t end)
{
	struct predict_space *space = search->space;
	void *list = space->programs;
	int err = grow(&list, space->program_count, &search->program_room, sizeof(*space->programs), search->error);

	space->programs = list;
	if (err == 0)
		space->programs[space->program_count++] = (struct predict_program){.low = low, .end = end};
	return err;
}

static int add_segment(struct space_search *search, const struct predict_segment *segment)
{
	struct predict_space *space = search->space;
	void *list = space->segments;
	int err = grow(&list, space->segment_count, &search->segment_room, sizeof(*space->segments), search->error);

	space->segments = list;
	if (err == 0)
		space->segments[space->segment_count++] = *segment;
	return err;
}

static bool has_changed(const struct space_search *search, uint64_t from, uint64_t end)
{
	uint64_t first = from >> SPACE_BLOCK_LOG;

	return end > from &&
	       memchr(search->is_changed + first, 1, (size_t)(((end - 1) >> SPACE_BLOCK_LOG) - first + 1)) != NULL;
}

/* Go on to the region that `done` is in; returns where it ends. */
static uint64_t enter_region(struct space_search *search)
{
	const struct regions *regions = search->regions;

	while (search->region + 1 < regions->count && regions->list[search->region + 1].begin <= search->done) {
		search->region++;
		search->program = NO_PROGRAM;
	}
	return search->region + 1 < regions->count ? regions->list[search->region + 1].begin
	                                           : (uint64_t)search->image.size;
}

/* The region's program, up to this offset of the region, which ends there. */
static int add_region(struct space_search *search, uint64_t end, uint64_t region_end)
{
	const struct region *region = &search->regions->list[search->region];
	struct predict_segment segment = {.offset = (uint32_t)search->done,
	                                  .length = (uint32_t)(end - search->done),
	                                  .address = (uint32_t)(search->done - region->begin)};
	uint32_t last =
		region->origin + (uint32_t)(region_end - region->begin) + (region->origin > 0 ? ROOM_BEHIND : 0);
	int err = 0;

	if (search->program == NO_PROGRAM) {
		search->program = (uint32_t)search->space->program_count;
		err = add_program(search, region->origin, last > region->origin ? last : UINT32_MAX);
	}
	segment.program = search->program;
	return err == 0 ? add_segment(search, &segment) : err;
}

/* What lies before this offset and behind what has its segments. */
static int add_rest(struct space_search *search, uint64_t end)
{
	int err = 0;

	while (err == 0 && search->done < end) {
		uint64_t region_end = enter_region(search);
		uint64_t stop = end < region_end ? end : region_end;

		if (has_changed(search, search->done, stop))
			err = add_region(search, stop, region_end);
		search->done = stop;
	}
	return err;
}

static uint32_t word_at(const struct space_search *search, uint64_t at, size_t field)
{
	return get_le32(search->image.data + at + field);
}

static unsigned half_at(const struct space_search *search, uint64_t at, size_t field)
{
	return get_le16(search->image.data + at + field);
}

static bool is_program(const struct space_search *search, uint64_t at)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT};
	uint64_t left = (uint64_t)search->image.size - at;
	unsigned type;

	if (left < sizeof(Elf32_Ehdr) || memcmp(search->image.data + at, ident, sizeof(ident)) != 0)
		return false;
	type = half_at(search, at, offsetof(Elf32_Ehdr, e_type));
	return (type == ET_EXEC || type == ET_DYN) && half_at(search, at, offsetof(Elf32_Ehdr, e_machine)) == EM_ARM &&
	       half_at(search, at, offsetof(Elf32_Ehdr, e_phentsize)) == sizeof(Elf32_Phdr) &&
	       word_at(search, at, offsetof(Elf32_Ehdr, e_phoff)) < left;
}

struct elf {
	uint64_t at;   /* of its first byte in the image */
	uint64_t most; /* where the next ELF file begins, or the image ends */
	uint64_t header;
	unsigned headers;
	uint32_t low;
	uint32_t end;
};

/* The next segment that is loaded, with its address counted from the program's lowest. False: there is none. */
static bool next_segment(const struct space_search *search, struct elf *elf, struct predict_segment *segment)
{
	for (; elf->headers > 0; elf->headers--, elf->header += sizeof(Elf32_Phdr)) {
		uint64_t at = elf->header;
		uint64_t offset;
		uint32_t length;

		if (at + sizeof(Elf32_Phdr) > (uint64_t)search->image.size)
			return false;
		if (word_at(search, at, offsetof(Elf32_Phdr, p_type)) != PT_LOAD)
			continue;
		offset = elf->at + word_at(search, at, offsetof(Elf32_Phdr, p_offset));
		length = word_at(search, at, offsetof(Elf32_Phdr, p_filesz));
		if (offset >= elf->most)
			continue;
		if (length > elf->most - offset)
			length = (uint32_t)(elf->most - offset);
		*segment = (struct predict_segment){.offset = (uint32_t)offset,
		                                    .length = length,
		                                    .address = word_at(search, at, offsetof(Elf32_Phdr, p_vaddr)) -
		                                               elf->low};
		elf->headers--;
		elf->header += sizeof(Elf32_Phdr);
		return true;
	}
	return false;
}

/* The next ELF file from *at on. */
static bool find_elf(const struct space_search *search, uint64_t *at)
{
	const uint8_t *data = search->image.data;

	for (; *at < (uint64_t)search->image.size; ++*at) {
		const uint8_t *found = memchr(data + *at, ELFMAG0, (size_t)((uint64_t)search->image.size - *at));

		if (!found)
			return false;
		*at = (uint64_t)(found - data);
		if (is_program(search, *at))
			return true;
	}
	return false;
}

/* The addresses of the program at this offset, and where the headers of its segments are. */
static struct elf read_elf(const struct space_search *search, uint64_t at)
{
	struct elf elf = {.at = at,
	                  .header = at + word_at(search, at, offsetof(Elf32_Ehdr, e_phoff)),
	                  .headers = half_at(search, at, offsetof(Elf32_Ehdr, e_phnum)),
	                  .low = UINT32_MAX,
	                  .most = at + 1};
	uint64_t header = elf.header;

	if (!find_elf(search, &elf.most))
		elf.most = (uint64_t)search->image.size;

	for (unsigned i = 0; i < elf.headers; i++, header += sizeof(Elf32_Phdr)) {
		uint32_t low, end;

		if (header + sizeof(Elf32_Phdr) > (uint64_t)search->image.size)
			break;
		low = word_at(search, header, offsetof(Elf32_Phdr, p_vaddr));
		end = low + word_at(search, header, offsetof(Elf32_Phdr, p_memsz));
		if (word_at(search, header, offsetof(Elf32_Phdr, p_type)) != PT_LOAD || end < low)
			continue;
		elf.low = low < elf.low ? low : elf.low;
		elf.end = end > elf.end ? end : elf.end;
	}
	return elf;
}

/* What is in the file only, up to the table of its sections, speaks of its addresses, too. It is given some behind
 * them. */
static int add_tail(struct space_search *search, const struct elf *elf, uint32_t program)
{
	uint64_t end = elf->at + word_at(search, elf->at, offsetof(Elf32_Ehdr, e_shoff)) +
	               (uint64_t)half_at(search, elf->at, offsetof(Elf32_Ehdr, e_shnum)) * sizeof(Elf32_Shdr);
	struct predict_segment segment = {.offset = (uint32_t)search->done,
	                                  .length = (uint32_t)(end - search->done),
	                                  .address = elf->end - elf->low,
	                                  .program = program};

	if (end > elf->most || !has_changed(search, search->done, end))
		return 0;
	search->done = end;
	return add_segment(search, &segment);
}

/* Its segments, when something in them has changed; the bytes are its own in any case. */
static int add_elf(struct space_search *search, uint64_t at)
{
	struct elf elf = read_elf(search, at);
	uint32_t program = NO_PROGRAM;
	struct predict_segment segment;
	int err = 0;

	while (err == 0 && elf.low < elf.end && next_segment(search, &elf, &segment)) {
		uint64_t end = (uint64_t)segment.offset + segment.length;

		if (segment.offset < search->done || segment.length == 0)
			continue;
		err = add_rest(search, segment.offset);
		search->done = end;
		if (err < 0 || !has_changed(search, segment.offset, end))
			continue;
		if (program == NO_PROGRAM) {
			program = (uint32_t)search->space->program_count;
			err = add_program(search, elf.low, elf.end);
		}
		segment.program = program;
		if (err == 0)
			err = add_segment(search, &segment);
	}
	return err < 0 || program == NO_PROGRAM ? err : add_tail(search, &elf, program);
}

int space_find(struct predict_space *space, const struct image *image, const uint8_t *is_changed,
               const struct regions *regions, struct error *error)
{
	struct space_search search = {.space = space,
	                              .image = *image,
	                              .is_changed = is_changed,
	                              .regions = regions,
	                              .program = NO_PROGRAM,
	                              .error = error};
	int err = 0;

	*space = (struct predict_space){.programs = NULL};
	for (uint64_t at = 0; err == 0 && find_elf(&search, &at); at = search.done > at ? search.done : at + 1)
		err = add_elf(&search, at);
	if (err == 0)
		err = add_rest(&search, (uint64_t)image->size);
	if (err == 0)
		predict_lay_out(space);
	return err;
}

bool space_is_told(const struct image *image)
{
	struct space_search search = {.image = *image};

	return is_program(&search, 0);
}

void space_free(struct predict_space *space)
{
	free(space->programs);
	free(space->segments);
	*space = (struct predict_space){.programs = NULL};
}
