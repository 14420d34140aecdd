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
	const struct extents *extents;
	size_t extent;    /* the first one that is not before what is looked at */
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
	uint64_t at; /* of its first byte in the image */
	uint64_t header;
	unsigned headers;
	uint32_t low;
	uint32_t end;
	const struct extent *extents; /* where the file is */
	size_t extent_count;
	struct extent whole; /* if it lies there as a whole, for all that is known */
	uint32_t program;    /* of the space; NO_PROGRAM: nothing was told of it */
};

/* Bytes of a file that a program finds at an address, which counts from the program's lowest. */
struct loaded {
	uint64_t from;
	uint64_t end;
	uint32_t address;
};

/* The next segment that is loaded. False: there is none. */
static bool next_loaded(const struct space_search *search, struct elf *elf, struct loaded *loaded)
{
	for (; elf->headers > 0; elf->headers--, elf->header += sizeof(Elf32_Phdr)) {
		uint64_t at = elf->header;

		if (at + sizeof(Elf32_Phdr) > (uint64_t)search->image.size)
			return false;
		if (word_at(search, at, offsetof(Elf32_Phdr, p_type)) != PT_LOAD)
			continue;
		loaded->from = word_at(search, at, offsetof(Elf32_Phdr, p_offset));
		loaded->end = loaded->from + word_at(search, at, offsetof(Elf32_Phdr, p_filesz));
		loaded->address = word_at(search, at, offsetof(Elf32_Phdr, p_vaddr)) - elf->low;
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

/* The extents of the file that begins there; without any it goes on up to the next one, or to the image's end. */
static void find_extents(struct space_search *search, struct elf *elf)
{
	const struct extents *extents = search->extents;
	const struct extent *first;
	uint64_t next = elf->at + 1;

	while (search->extent < extents->count && extents->list[search->extent].at < elf->at)
		search->extent++;
	first = extents->list + search->extent;
	if (search->extent < extents->count && first->at == elf->at && first->file_at == 0) {
		elf->extents = first;
		while (search->extent + elf->extent_count < extents->count &&
		       first[elf->extent_count].file == first->file)
			elf->extent_count++;
		return;
	}
	if (!find_elf(search, &next))
		next = (uint64_t)search->image.size;
	elf->whole = (struct extent){.at = elf->at, .size = next - elf->at};
	elf->extents = &elf->whole;
	elf->extent_count = 1;
}

/* The addresses of the program at this offset, and where the headers of its segments are. */
static void read_elf(struct space_search *search, uint64_t at, struct elf *elf)
{
	uint64_t header;

	*elf = (struct elf){.at = at,
	                    .header = at + word_at(search, at, offsetof(Elf32_Ehdr, e_phoff)),
	                    .headers = half_at(search, at, offsetof(Elf32_Ehdr, e_phnum)),
	                    .low = UINT32_MAX,
	                    .program = NO_PROGRAM};
	find_extents(search, elf);
	header = elf->header;
	for (unsigned i = 0; i < elf->headers; i++, header += sizeof(Elf32_Phdr)) {
		uint32_t low, end;

		if (header + sizeof(Elf32_Phdr) > (uint64_t)search->image.size)
			break;
		low = word_at(search, header, offsetof(Elf32_Phdr, p_vaddr));
		end = low + word_at(search, header, offsetof(Elf32_Phdr, p_memsz));
		if (word_at(search, header, offsetof(Elf32_Phdr, p_type)) != PT_LOAD || end < low)
			continue;
		elf->low = low < elf->low ? low : elf->low;
		elf->end = end > elf->end ? end : elf->end;
	}
}

/* What of it lies in this extent, when something in that has changed; the bytes are its own in any case. */
static int add_piece(struct space_search *search, struct elf *elf, const struct loaded *loaded,
                     const struct extent *extent)
{
	uint64_t from = loaded->from > extent->file_at ? loaded->from : extent->file_at;
	uint64_t end = extent->file_at + extent->size < loaded->end ? extent->file_at + extent->size : loaded->end;
	struct predict_segment segment;
	uint64_t offset = extent->at + (from - extent->file_at);
	int err;

	if (from >= end || offset < search->done)
		return 0;
	err = add_rest(search, offset);
	search->done = offset + (end - from);
	if (err < 0 || !has_changed(search, offset, search->done))
		return err;
	if (elf->program == NO_PROGRAM) {
		elf->program = (uint32_t)search->space->program_count;
		err = add_program(search, elf->low, elf->end);
	}
	segment = (struct predict_segment){.offset = (uint32_t)offset,
	                                   .length = (uint32_t)(end - from),
	                                   .address = loaded->address + (uint32_t)(from - loaded->from),
	                                   .program = elf->program};
	return err == 0 ? add_segment(search, &segment) : err;
}

static int add_loaded(struct space_search *search, struct elf *elf, const struct loaded *loaded)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < elf->extent_count; i++)
		err = add_piece(search, elf, loaded, &elf->extents[i]);
	return err;
}

/* Its segments. What is in the file only, up to the table of its sections, speaks of its addresses, too, and is given
 * some behind them. */
static int add_elf(struct space_search *search, uint64_t at)
{
	struct loaded loaded, tail;
	const struct extent *last;
	struct elf elf;
	int err = 0;

	read_elf(search, at, &elf);
	last = &elf.extents[elf.extent_count - 1];
	tail = (struct loaded){.end = word_at(search, at, offsetof(Elf32_Ehdr, e_shoff)) +
	                              (uint64_t)half_at(search, at, offsetof(Elf32_Ehdr, e_shnum)) * sizeof(Elf32_Shdr),
	                       .address = elf.end - elf.low};
	while (err == 0 && elf.low < elf.end && next_loaded(search, &elf, &loaded)) {
		err = add_loaded(search, &elf, &loaded);
		tail.from = loaded.end > tail.from ? loaded.end : tail.from;
	}
	if (err < 0 || elf.program == NO_PROGRAM || tail.end > last->file_at + last->size)
		return err;
	return add_loaded(search, &elf, &tail);
}

int space_find(struct predict_space *space, const struct region_image *image, const uint8_t *is_changed,
               const struct regions *regions, struct error *error)
{
	struct space_search search = {.space = space,
	                              .image = image->image,
	                              .is_changed = is_changed,
	                              .regions = regions,
	                              .extents = &image->extents,
	                              .program = NO_PROGRAM,
	                              .error = error};
	int err = 0;

	*space = (struct predict_space){.programs = NULL};
	for (uint64_t at = 0; err == 0 && find_elf(&search, &at); at = search.done > at ? search.done : at + 1)
		err = add_elf(&search, at);
	if (err == 0)
		err = add_rest(&search, (uint64_t)image->image.size);
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
