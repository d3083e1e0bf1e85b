#include "proxy/heap.h"

#include <malloc.h>

/* Left to itself, glibc lets the size from which a thing is mapped alone grow to 32 MB with the
 * bodies it sees. */
enum { MAPPED_ALONE = 256 * 1024, SPARE_MEMORY = 8 * 1024 * 1024 };

void heap_set_up(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_ALONE);
}

/* Small things that live on keep glibc from giving back by itself what a peak of connections has
 * left free. */
void heap_give_back(void)
{
	if (mallinfo2().fordblks > SPARE_MEMORY)
		(void)malloc_trim(0);
}
