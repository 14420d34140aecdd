/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/space.h"

#include "base/bytes.h"
#include "patch/origin.h"
#include <elf.h>
#include <stddef.h>
#include <string.h>

/* What a kernel or loader may have behind the bytes of its image: zeroed data. */
#define ROOM_BEHIND (UINT32_C(8) << 20)

static bool is_program(const struct image *image)
{
	uint16_t type;

	if (image->size < (int64_t)sizeof(Elf32_Ehdr) || memcmp(image->data, ELFMAG, SELFMAG) != 0 ||
	    image->data[EI_CLASS] != ELFCLASS32 || image->data[EI_DATA] != ELFDATA2LSB)
		return false;
	type = get_le16(image->data + offsetof(Elf32_Ehdr, e_type));
	return type == ET_EXEC || type == ET_DYN;
}

static void add_segment(struct predict_space *space, const uint8_t *header)
{
	uint32_t address = get_le32(header + offsetof(Elf32_Phdr, p_vaddr));
	uint32_t end = address + get_le32(header + offsetof(Elf32_Phdr, p_memsz));

	if (space->count == 0)
		space->low = address;
	space->end = end > space->end ? end : space->end;
	space->segments[space->count++] = (struct predict_segment){
		.offset = get_le32(header + offsetof(Elf32_Phdr, p_offset)),
		.length = get_le32(header + offsetof(Elf32_Phdr, p_filesz)),
		.address = address,
	};
}

static void read_program(struct predict_space *space, const struct image *image)
{
	uint64_t at = get_le32(image->data + offsetof(Elf32_Ehdr, e_phoff));
	unsigned count = get_le16(image->data + offsetof(Elf32_Ehdr, e_phnum));

	for (; count > 0 && at + sizeof(Elf32_Phdr) <= (uint64_t)image->size; count--, at += sizeof(Elf32_Phdr)) {
		const uint8_t *header = image->data + at;

		if (get_le32(header + offsetof(Elf32_Phdr, p_type)) == PT_LOAD && space->count < PREDICT_SEGMENTS)
			add_segment(space, header);
	}
}

static void read_piece(struct predict_space *space, const struct image *image, uint32_t base)
{
	space->segments[0] = (struct predict_segment){.length = (uint32_t)image->size, .address = base};
	space->count = 1;
	space->low = base;
	space->end = base + (uint32_t)image->size + (base > 0 ? ROOM_BEHIND : 0);
}

static void read_space(struct predict_space *space, const struct image *image, uint32_t base)
{
	*space = (struct predict_space){.count = 0};
	if (is_program(image))
		read_program(space, image);
	else
		read_piece(space, image, base);
}

int spaces_find(struct prediction *prediction, const struct image *old, const struct image *new,
                const struct alignment *alignment, struct error *error)
{
	uint32_t base = 0;
	int err = is_program(old) && is_program(new) ? 0 : origin_find(old, new, alignment, &base, error);

	if (err == 0) {
		read_space(&prediction->old, old, base);
		read_space(&prediction->new, new, base);
	}
	return err;
}
