/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_GENTOOLS_H
#define GENTOOLS_GENTOOLS_H

/*
 * The host side: two full images (targetfiles.zip, spec/requirements.md B) in, one update.zip with only the
 * differences out. Needs memory in the order of the largest changed files, five times over, and room for both unpacked
 * images in TMPDIR (/tmp), where nothing is left behind even when the program is killed.
 */
#include "base/error.h"
#include "base/log.h"
#include <stdbool.h>
#include <stdint.h>

/* What may be upgraded; the letters are those of the lineage's update_gen.sh. */
enum gen_part {
	GEN_MODEM = 1,  /* m: SYSTEM/firmware */
	GEN_LINUX = 2,  /* l: SYSTEM without firmware and dev */
	GEN_KERNEL = 4, /* o: BOOTABLE_IMAGES/boot.img */
	GEN_MULTI = 8,  /* only with a: MULTIFOTA */
	GEN_ALL = 15,   /* a */
};

/* The lists of gentools/lists.h, named as in the documents. */
enum gen_list {
	GEN_FULLOTA,   /* what is replaced whole, whatever the module has there */
	GEN_NOOTA,     /* what stays as it is on the module, unchecked */
	GEN_CHMOD,     /* modes and owners over those of the target */
	GEN_MULTIFOTA, /* which images of MULTIFOTA are upgraded, and where to */
	GEN_LISTS,
};

/* What the modules have, in bytes; 0: no matter (gentools/needs.h). */
struct gen_limits {
	uint64_t package; /* for the package */
	uint64_t scratch; /* beside it, in /cache */
	uint64_t memory;  /* for the updater */
};

/* What a module's flash changes at a time, in bytes; 0: not known, and nothing is changed in place there then. */
struct gen_units {
	uint32_t leb;         /* of UBI volumes */
	uint32_t erase_block; /* of raw partitions */
};

#define GEN_UNIT_MIN 1024u
#define GEN_UNIT_MAX (16u << 20)

/* For whoever waits. Called by the thread that called in. */
struct gen_progress {
	void (*show)(void *ctx, const char *what, double done); /* what is going on, and 0 to 1 of it are done */
	void *ctx;
};

struct gen_options {
	const char *source; /* of a full package: what it is tried out on, or NULL */
	const char *target;
	const char *output;           /* replaced when there is a whole new one that was tried out */
	const char *lists[GEN_LISTS]; /* files, NULL for none; by enum gen_list */
	const char *lists_folder; /* where lists that are not given lie under their documented names; NULL for none */
	const char *sign;         /* private key's file; NULL: the package stays unsigned */
	const struct recipients *recipients; /* gentools/encrypt.h; NULL: the package stays readable */
	const char *key;     /* private key's file, of a package that is encrypted; for verify, or NULL */
	const char *summary; /* file for the package in figures (gentools/summary.h), "-": standard output, or NULL */
	struct gen_progress progress;
	struct gen_limits limits;
	int64_t time; /* of all entries, seconds since 1970, as the time zone shows it, if has_time; else 1980 */
	struct gen_units units; /* of the modules' flash, where the images do not tell */
	unsigned parts;         /* of enum gen_part, or-ed */
	unsigned jobs;          /* patches that are made at a time, each in memory of its own; 0: one */
	bool has_time;          /* see time */
	bool full;              /* the package asks for nothing of the source (gentools/full.h) */
	bool allow_empty;       /* a package that changes nothing is wanted all the same */
	bool native;      /* for this project's updaters alone: FOTADLT1, SHA-256, copies, nodes, links, attributes */
	bool no_verify;   /* do not try the package out: its needs are not known then */
	bool installable; /* what modules refuse for its rollback index is an error, and not only a warning */
	bool minimal;     /* an upgrade of two packages, each within limits.package (gentools/minimal.h) */
};

/* Letters, like "a" or "ml", or-ed into *parts. -EINVAL for any other letter, and for no letters. */
int gen_parse_parts(const char *letters, unsigned *parts);

/*
 * Make the package, install it on a model of the source with the updater's own code, and compare the result with the
 * target. The log gets one line per object. The same inputs yield the same bytes. -ENODATA when nothing differs and
 * allow_empty is not set; -ECANCELED when it does not
 * install and -EILSEQ when the result is not the target, -EFBIG when it needs more than the limits; the error says
 * what is wrong with the inputs otherwise.
 */
int gen_make_package(const struct gen_options *options, const struct log *log, struct error *error);

/*
 * The last part of that alone, for the package at options->output. Without options->target it is only installed. The
 * parts are those that the package was made of: nothing else may differ from the source.
 */
int gen_verify_package(const struct gen_options *options, const struct log *log, struct error *error);

void gen_show_progress(const struct gen_progress *progress, const char *what, double done);

#endif
