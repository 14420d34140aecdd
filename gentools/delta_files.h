/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_DELTA_FILES_H
#define GENTOOLS_DELTA_FILES_H

/* The files of the delta command. */
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"

/* A whole file in memory, mapped; to be closed in any case. */
struct mapped_file {
	void *data;
	size_t size;
};
int mapped_file_open(struct mapped_file *file, const char *path, struct error *error);
void mapped_file_close(struct mapped_file *file);

/* A file that is read where it lies. Readers and contents refer to it. */
struct open_file {
	int fd;
	struct reader reader;
};
int open_file_open(struct open_file *file, const char *path, struct error *error);
void open_file_close(struct open_file *file);

/* A new file. It gets its name when it is whole; before that, and after a failure, who had the name still has it. */
struct new_file {
	const char *path;
	char *part;
	int fd;
	struct digest digest; /* SHA-256 of what was written */
	size_t held;          /* bytes that wait for more, so that few large pieces are written */
	uint8_t data[64 << 10];
	struct error *error;
};
int new_file_open(struct new_file *file, const char *path, struct error *error);
struct sink new_file_sink(struct new_file *file);
/* err says how the work on it went. Returns that, or what failed now. */
int new_file_close(struct new_file *file, int err, struct error *error);

#endif
