/* What every fuzz target shares: libFuzzer's entry point, and an assertion that stays in any build.
 */
#ifndef RECALLD_TESTS_FUZZ_H
#define RECALLD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
