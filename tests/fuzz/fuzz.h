/* Shared by all fuzz targets: libFuzzer's entry point, and an assertion that stays in any build. */
#ifndef RECALLD_TESTS_FUZZ_H
#define RECALLD_TESTS_FUZZ_H

#include "core/base/bytes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* The bytes in memory that ends where they do, so that a sanitizer sees an over-read. To be freed.
 */
static inline char *fuzz_copy(struct slice bytes)
{
	char *copy = xmalloc(bytes.size);
	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	return copy;
}

/* How an input is torn: sizes from 1 to `most`, as a seed has it. */
struct fuzz_tear {
	uint32_t state;
	uint32_t most;
};

static inline struct fuzz_tear fuzz_tear(unsigned seed)
{
	static const uint32_t most[] = {1, 2, 5, 16, 64, 256, 1024, UINT32_MAX};
	return (struct fuzz_tear){seed + 1, most[seed % 8]};
}

static inline size_t fuzz_next_piece(struct fuzz_tear *tear, size_t left)
{
	tear->state = tear->state * 1664525 + 1013904223;
	size_t size = tear->most == UINT32_MAX ? left : 1 + (tear->state >> 8) % tear->most;
	return size < left ? size : left;
}

#endif
