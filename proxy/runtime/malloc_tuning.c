#include "proxy/runtime/malloc_tuning.h"

#include <malloc.h>

/* Left to itself, glibc lets the size from which a thing is mapped alone grow to 32 MB with the
 * bodies it sees. What a long memory takes to be ranked is smaller, and its pages stay: to get them
 * anew for each request took a fifth of its time. */
enum {
	MAPPED_ALONE = 1024 * 1024,
	KEPT_AT_TOP = 1024 * 1024,
	SPARE_MEMORY = 4 * 1024 * 1024,
};

void malloc_set_up(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_ALONE);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_AT_TOP);
}

/* Small things that live on keep glibc from giving back by itself what a peak of connections has
 * left free. */
void malloc_give_back(void)
{
	if (mallinfo2().fordblks > SPARE_MEMORY)
		(void)malloc_trim(0);
}
