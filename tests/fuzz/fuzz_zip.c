/* SPDX-License-Identifier: Apache-2.0 */
#include "package/package.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes as a package: opened, listed, looked up by name, unpacked, read from the middle. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_limits limits = {.max_entries = 64, .max_unpacked = 1 << 20};
	struct memory_block block = {.data = data, .size = size};
	struct reader reader = reader_from_memory(&block);
	struct package_entry entry;
	struct package *package;
	struct error error;

	if (package_open(&reader, &limits, &package, &error) < 0)
		return 0;
	for (uint32_t i = 0; i < package_count(package); i++) {
		struct content content = package_content(package, i);
		struct stream stream;
		uint32_t found;

		if (package_entry(package, i, &entry, &error) < 0 || package_find(package, entry.name, &found) < 0 ||
		    found != i)
			abort();
		if (content.open(content.ctx, content.size / 2, &stream) == 0) {
			uint8_t byte;

			(void)stream.read(stream.ctx, &byte, 1); /* may fail, must not crash */
			stream_close(&stream);
		}
	}
	(void)package_test(package, NULL, NULL, &error); /* as above */
	package_close(package);
	return 0;
}
