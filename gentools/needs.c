/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/needs.h"

#include "patch/patch.h"

#include <errno.h>
#include <string.h>

/*
 * The updater without a script and a patch at work: the static program, of 1 MiB, and the package's directory.
 * tests/updater/memory.sh and resume measure whole runs.
 */
#define UPDATER_MEMORY ((uint64_t)2 << 20)

/* A script's tree, for each byte of text; and how much text there will be, rather more: as it is, and for a patch. */
#define MEMORY_PER_BYTE    6
#define SCRIPT_SIZE        4096
#define SCRIPT_FOR_A_PATCH 600

/* Bytes a second of a Cortex-A7 of 1.2 GHz with raw NAND: rough, and rather too slow. */
#define READ_RATE  8000000u
#define WRITE_RATE 3000000u

static uint64_t rounded_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit;
}

/* Heap for the script and the most demanding of the package's patches. */
static int count_memory(struct package *package, uint64_t *memory, struct error *error)
{
	uint64_t script = 0;
	uint64_t most = 0;
	int err = 0;

	for (uint32_t i = 0; err == 0 && i < package_count(package); i++) {
		struct content content = package_content(package, i);
		struct package_entry entry;
		enum patch_format format;
		uint64_t heap = 0;

		err = package_entry(package, i, &entry, error);
		if (err == 0 && strcmp(entry.name, PACKAGE_SCRIPT) == 0)
			script = entry.size * MEMORY_PER_BYTE;
		if (err < 0 || entry.type != PACKAGE_FILE || patch_identify(&content, &format, NULL) < 0)
			continue;
		err = patch_memory(&content, &heap, error);
		if (heap > most)
			most = heap;
	}
	*memory = UPDATER_MEMORY + script + most;
	return err;
}

uint64_t needs_patch_memory(const struct gen_limits *limits, size_t patches)
{
	uint64_t others = UPDATER_MEMORY + (SCRIPT_SIZE + patches * SCRIPT_FOR_A_PATCH) * MEMORY_PER_BYTE;

	if (limits->memory == 0)
		return 0;
	return limits->memory > others ? limits->memory - others : 1;
}

static uint64_t peak_of(const struct model *model, enum model_area area)
{
	return (uint64_t)model->accounts[area].peak;
}

int needs_count(struct package *package, uint64_t package_bytes, const struct model *model, struct needs *needs,
                struct error *error)
{
	uint64_t read = package_bytes;
	uint64_t written = 0;

	for (int area = 0; area < MODEL_AREAS; area++) {
		read += model->accounts[area].read;
		written += model->accounts[area].written;
	}
	*needs = (struct needs){
		.package = package_bytes,
		.scratch = peak_of(model, MODEL_CACHE),
		.system = peak_of(model, MODEL_SYSTEM),
		.firmware = peak_of(model, MODEL_FIRMWARE),
		.written = written,
		.erases = rounded_up(written, NEEDS_ERASE_BLOCK),
		.seconds = rounded_up(read, READ_RATE) + rounded_up(written, WRITE_RATE),
	};
	if (count_memory(package, &needs->memory, error) < 0)
		return -EINVAL;
	return 0;
}

void needs_log(const struct needs *needs, const struct log *log)
{
	log_printf(log,
	           "needs: package %llu bytes, in /cache %llu more, memory %llu, room of the root file system %llu, "
	           "of the modem's %llu",
	           (unsigned long long)needs->package, (unsigned long long)needs->scratch,
	           (unsigned long long)needs->memory, (unsigned long long)needs->system,
	           (unsigned long long)needs->firmware);
	log_printf(log, "costs: %llu bytes written, about %llu erases of blocks of %llu KiB, about %llu s in recovery",
	           (unsigned long long)needs->written, (unsigned long long)needs->erases,
	           (unsigned long long)NEEDS_ERASE_BLOCK >> 10, (unsigned long long)needs->seconds);
}

static int check(const char *what, uint64_t need, uint64_t limit, struct error *error)
{
	if (limit == 0 || need <= limit)
		return 0;
	return error_set(error, RESULT_TOO_LARGE, EFBIG, "%s: %llu bytes are needed, at most %llu are allowed", what,
	                 (unsigned long long)need, (unsigned long long)limit);
}

int needs_check(const struct needs *needs, const struct gen_limits *limits, struct error *error)
{
	int err = check("package", needs->package, limits->package, error);

	if (err == 0)
		err = check("room in /cache beside the package", needs->scratch, limits->scratch, error);
	return err == 0 ? check("memory", needs->memory, limits->memory, error) : err;
}
