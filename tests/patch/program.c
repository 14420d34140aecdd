/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/program.h"

#include "base/bytes.h"
#include <elf.h>
#include <stddef.h>
#include <string.h>

#define FUNCTIONS PROGRAM_FUNCTIONS
#define CODE_AT   0x100

static uint32_t function_length(uint32_t function)
{
	return 8 + function * 7 % 23;
}

static void put_program_header(struct program *program)
{
	uint8_t *header = program->bytes.data;
	uint8_t *segment = header + sizeof(Elf32_Ehdr);

	memcpy(header, (const uint8_t[]){0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT}, 7);
	put_le16(header + offsetof(Elf32_Ehdr, e_type), ET_EXEC);
	put_le16(header + offsetof(Elf32_Ehdr, e_machine), EM_ARM);
	put_le32(header + offsetof(Elf32_Ehdr, e_phoff), sizeof(Elf32_Ehdr));
	put_le16(header + offsetof(Elf32_Ehdr, e_phentsize), sizeof(Elf32_Phdr));
	put_le16(header + offsetof(Elf32_Ehdr, e_phnum), 1);
	put_le32(segment + offsetof(Elf32_Phdr, p_type), PT_LOAD);
	put_le32(segment + offsetof(Elf32_Phdr, p_vaddr), program->address);
	put_le32(segment + offsetof(Elf32_Phdr, p_filesz), (uint32_t)program->bytes.size);
	put_le32(segment + offsetof(Elf32_Phdr, p_memsz), (uint32_t)program->bytes.size);
}

/* Every third instruction is a call; the others tell nothing of addresses. */
static uint32_t instruction(const struct program *program, uint32_t function, uint32_t n, uint32_t at)
{
	uint32_t random = program->seed + function * 131 + n;
	uint32_t called = random * 17 % FUNCTIONS;

	next_random(&random);
	if (n % 3 == 2)
		return 0xeb000000 | ((program->starts[called] - at - 8) >> 2 & 0xffffff);
	return 0xe0800000 | (next_random(&random) & 0x000fff0f);
}

void program_build(struct program *program, bool is_elf)
{
	uint32_t at = CODE_AT;

	for (uint32_t i = 0; i <= FUNCTIONS; i++) {
		program->starts[i] = at;
		at += 4 * (function_length(i) + (i == program->grown ? program->more : 0));
	}
	program->bytes = bytes_new(program->starts[FUNCTIONS] + sizeof(uint32_t) * FUNCTIONS);
	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		uint32_t more = i == program->grown ? program->more : 0;

		for (uint32_t n = 0; n < function_length(i) + more; n++) {
			at = program->starts[i] + 4 * n;
			put_le32(program->bytes.data + at,
			         n < more ? 0xe1a00000 + n : instruction(program, i, n - more, at));
		}
		put_le32(program->bytes.data + program->starts[FUNCTIONS] + sizeof(uint32_t) * i,
		         program->address + program->starts[i]);
	}
	if (is_elf)
		put_program_header(program);
}
