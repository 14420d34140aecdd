/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACKAGE_CRAFT_H
#define TESTS_PACKAGE_CRAFT_H

/* Zip archives byte by byte, with every structure's place known, so that a test can break exactly one field. */
#include "base/io.h"
#include "package/package.h"

#define CRAFT_ENTRIES 16

enum craft_method { CRAFT_STORED = 0, CRAFT_DEFLATED = 8 };

struct craft {
	uint8_t *bytes;
	size_t size;
	unsigned count;
	size_t local[CRAFT_ENTRIES];  /* offsets of local headers */
	size_t data[CRAFT_ENTRIES];   /* offsets of packed data */
	size_t record[CRAFT_ENTRIES]; /* offsets of directory records, after craft_finish() */
	size_t end;                   /* offset of the end record, after craft_finish() */
	struct memory_block block;
	struct reader reader; /* over the finished archive */
};

void craft_start(struct craft *craft);
/* mode: st_mode as Unix writes it, 0 for an archive made on FAT. */
void craft_add(struct craft *craft, const char *name, enum craft_method method, const void *data, size_t size,
               uint32_t mode);
void craft_add_text(struct craft *craft, const char *name, const char *text);
void craft_finish(struct craft *craft, const void *comment, size_t comment_size);
void craft_free(struct craft *craft);

/* After a change of bytes or size: a reader for what is there now. */
const struct reader *craft_reader(struct craft *craft);

/* File "a" stored, directory "d", file "d/b" deflated, symbolic link "d/l": 500 bytes or so. */
void craft_sample(struct craft *craft);

/* Bytes that deflate badly enough to fill several buffers, the same every time. */
void craft_noise(uint8_t *bytes, size_t size);

/* Content of an entry from its first byte; fails the test when anything is wrong. */
void check_content(struct package *package, const char *name, const void *expected, size_t size);

/* Opening fails with this code and a message, or succeeds and so does package_test(). */
void check_refused(const struct reader *reader, int code);
void check_accepted(const struct reader *reader);

/* With the default limits; fails the test when it is refused. */
struct package *open_package(const struct reader *reader);

/* NOISE_SIZE bytes of craft_noise() as the entries "stored" and "deflated". */
#define NOISE_SIZE 300000
void noise_package(struct craft *craft, uint8_t noise[NOISE_SIZE]);

#endif
