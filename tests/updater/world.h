/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UPDATER_WORLD_H
#define TESTS_UPDATER_WORLD_H

/*
 * A module in a temporary directory: real storage below a root, behind a medium that can lose power at any durable
 * operation and lie about free space; packages made on the spot; what the updater told and logged.
 */
#include "updater/updater.h"

#include <check.h>
#include <sys/stat.h>

#define WORLD_ENTRIES 15
#define WORLD_PATHS   128
#define WORLD_HANDLES 256

struct world_entry {
	char name[128];
	void *data;
	size_t size;
	uint32_t mode;
};

struct world {
	char root[64];
	struct storage *base; /* over the directory */
	struct storage_ops ops;
	struct storage *storage; /* what the updater gets: over `ops`, below */

	/* Power: the operation number cut_at (from 1) is torn, nothing after it happens; 0: never. */
	unsigned steps;
	unsigned cut_at;

	uint64_t free_system;        /* bytes free below /system; 0: as it is */
	uint64_t free_cache;         /* the same below /cache, which is another file system then */
	unsigned opened_for_writing; /* times the backup was opened for writing */
	unsigned renamed_backups;    /* times a new backup got its name */

	bool full_journal; /* no room for it */

	struct { /* of the last run */
		char path[256];
		uint64_t bytes;
	} reads[WORLD_PATHS];
	unsigned read_count;
	unsigned read_by[WORLD_HANDLES]; /* index into reads */

	struct world_entry entries[WORLD_ENTRIES];
	unsigned entry_count;

	unsigned runs; /* so far: all but the first are resumed */
	bool dry_run;
	bool unconfined;  /* programs run */
	char told[16384]; /* "line\n" each */
	char log[65536];
	struct error error;
};

extern const struct storage_ops world_ops; /* over a struct world */

void world_start(struct world *world);
void world_end(struct world *world);

/* The file below the root, parents made; mode 0644. */
void world_put(struct world *world, const char *path, const void *data, size_t size);
void world_put_text(struct world *world, const char *path, const char *text);
char *world_get(struct world *world, const char *path, size_t *size); /* NULL: none; caller frees */
bool world_exists(struct world *world, const char *path);
void world_expect(struct world *world, const char *path, const void *data, size_t size);
void world_expect_text(struct world *world, const char *path, const char *text);
const char *world_path(struct world *world, const char *path, char real[512]);
struct stat world_stat(struct world *world, const char *path); /* of a link: its own */
unsigned world_mode(struct world *world, const char *path);    /* permission bits */

/* One line per file of the tree but the journal: path, inode, mode, size, time of change. Caller frees. */
char *world_snapshot(struct world *world);

void world_add(struct world *world, const char *name, const void *data, size_t size, uint32_t mode);
void world_add_text(struct world *world, const char *name, const char *text);

/* Run a script with the entries; NULL: a package without a script. told, log, error and steps start anew. */
enum updater_exit world_run(struct world *world, const char *script);
/* Power goes at operation 1, at 2 of the next run, and so on until a run gets through; the number of that run. */
unsigned world_run_with_cuts(struct world *world, const char *script);
void world_succeeds(struct world *world, const char *script);
/* The script aborts, and the cause holds this text. */
void world_aborts(struct world *world, const char *script, const char *cause);
/* The script yields this value. */
void world_yields(struct world *world, const char *script, const char *value);

/* Bytes that the last run read of a file or, as "/dev/NAME", of a partition. */
uint64_t world_bytes_read(const struct world *world, const char *path);

bool world_told(const struct world *world, const char *line); /* this whole line */

/* The hex digest of bytes; one of a few static places. */
const char *sha1_of(const void *data, size_t size);
const char *sha256_of(const void *data, size_t size);

/* ---- An old and a new version of something, and the patch between them ---- */

struct versions {
	uint8_t *old_data, *new_data;
	size_t old_size, new_size;
	char old_sha1[DIGEST_TEXT_SIZE];
	char new_sha1[DIGEST_TEXT_SIZE];
	uint8_t *patch;
	size_t patch_size;
};

void versions_make(struct versions *versions, size_t old_size, size_t new_size, unsigned seed);
void versions_between(struct versions *versions, const void *old_data, size_t old_size, const void *new_data,
                      size_t new_size);
void versions_make_in_place(struct versions *versions, uint32_t unit); /* another patch, by such units */
void versions_free(struct versions *versions);

/* The name of the partition "part" with both contents, as the lineage has it. */
void versions_name_partition(const struct versions *versions, char name[512]);

/* A script that patches the object (in place) with the package's entry "p"; the result is discarded. */
const char *versions_script(const struct versions *versions, const char *object, char script[1024]);

/* Add a line to a script that has `used` of its size bytes: the check, the patch by this entry. Returns the new length.
 */
size_t versions_add_check(const struct versions *versions, const char *object, char *script, size_t size, size_t used);
size_t versions_add_patch(const struct versions *versions, const char *object, const char *patch, char *script,
                          size_t size, size_t used);

Suite *suite_apply(void);
Suite *suite_check(void);
Suite *suite_power(void);
Suite *suite_files(void);
Suite *suite_keep(void);
Suite *suite_links(void);
Suite *suite_system(void);
Suite *suite_run(void);
Suite *suite_rehearsal(void);
Suite *suite_programs(void);
Suite *suite_imgdiff(void);
Suite *suite_lineage(void);
Suite *suite_journal(void);
Suite *suite_resume(void);
Suite *suite_evidence(void);
Suite *suite_in_place(void);

#endif
