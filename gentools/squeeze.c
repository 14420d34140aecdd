/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/squeeze.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>

#define BEST_LEVEL 12

int squeeze(const void *data, size_t size, void **squeezed, size_t *squeezed_size)
{
	struct libdeflate_compressor *compressor;
	void *buffer;

	*squeezed = NULL;
	*squeezed_size = 0;
	if (size == 0)
		return 0;
	compressor = libdeflate_alloc_compressor(BEST_LEVEL);
	buffer = compressor ? malloc(size) : NULL;
	if (buffer)
		*squeezed_size = libdeflate_deflate_compress(compressor, data, size, buffer, size - 1);
	libdeflate_free_compressor(compressor);
	if (!buffer)
		return -ENOMEM;
	if (*squeezed_size == 0)
		free(buffer);
	else
		*squeezed = buffer;
	return 0;
}

int squeeze_size(const struct extent *data, uint64_t *size)
{
	struct mapping mapping;
	size_t squeezed_size = 0;
	void *squeezed = NULL;
	int err = extent_map(data, &mapping);

	*size = data->size;
	if (err == 0)
		err = squeeze(mapping.data, mapping.size, &squeezed, &squeezed_size);
	if (squeezed)
		*size = squeezed_size;
	free(squeezed);
	extent_unmap(&mapping);
	return err;
}
