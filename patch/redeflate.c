/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/redeflate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#define OUTPUT_SIZE 32768

struct redeflate {
	z_stream z;
	const struct sink *sink;
	struct error *error;
	uint8_t output[OUTPUT_SIZE];
};

/* zlib refuses the same; to know them here tells a bad parameter from a lack of memory, and admits raw only. */
static int check_params(const struct deflate_params *p, struct error *error)
{
	if (p->method != Z_DEFLATED || p->level < Z_DEFAULT_COMPRESSION || p->level > Z_BEST_COMPRESSION ||
	    p->window_bits < -MAX_WBITS || p->window_bits > -9 || p->mem_level < 1 || p->mem_level > MAX_MEM_LEVEL ||
	    p->strategy < Z_DEFAULT_STRATEGY || p->strategy > Z_FIXED)
		return patch_broken(error,
		                    "patch: level %" PRId32 ", method %" PRId32 ", windowBits %" PRId32
		                    ", memLevel %" PRId32 ", strategy %" PRId32 " are not raw deflate parameters",
		                    p->level, p->method, p->window_bits, p->mem_level, p->strategy);
	return 0;
}

int redeflate_open(struct redeflate **redeflate, const struct deflate_params *params, const struct sink *sink,
                   struct error *error)
{
	struct redeflate *r;
	int err;

	*redeflate = NULL;
	err = check_params(params, error);
	if (err < 0)
		return err;
	r = calloc(1, sizeof(*r));
	if (!r)
		return patch_no_memory(error);
	r->sink = sink;
	r->error = error;
	if (deflateInit2(&r->z, params->level, params->method, params->window_bits, params->mem_level,
	                 params->strategy) != Z_OK) {
		free(r);
		return patch_no_memory(error);
	}
	*redeflate = r;
	return 0;
}

/* Deflate what next_in holds and pass on all that comes out of it. */
static int pump(struct redeflate *r, int flush)
{
	size_t made;
	int err, ret;

	do {
		r->z.next_out = r->output;
		r->z.avail_out = sizeof(r->output);
		ret = deflate(&r->z, flush);
		if (ret == Z_STREAM_ERROR)
			return error_set(r->error, 0, EINVAL, "patch: zlib cannot go on deflating");
		made = sizeof(r->output) - r->z.avail_out;
		err = made > 0 ? r->sink->write(r->sink->ctx, r->output, made) : 0;
		if (err < 0)
			return err;
	} while (r->z.avail_out == 0);
	return 0;
}

static int redeflate_write(void *ctx, const void *data, size_t length)
{
	struct redeflate *r = ctx;

	r->z.next_in = (Bytef *)data; /* zlib only reads it */
	r->z.avail_in = (uInt)length;
	return pump(r, Z_NO_FLUSH);
}

struct sink redeflate_sink(struct redeflate *redeflate)
{
	return (struct sink){.write = redeflate_write, .ctx = redeflate};
}

int redeflate_finish(struct redeflate *redeflate)
{
	redeflate->z.avail_in = 0;
	return pump(redeflate, Z_FINISH);
}

void redeflate_close(struct redeflate *redeflate)
{
	if (!redeflate)
		return;
	(void)deflateEnd(
		&redeflate->z); /* complains of unfinished data, which is the caller's intent after a failure */
	free(redeflate);
}
