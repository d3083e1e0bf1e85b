#include "storage/lmdb/thread.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICER_BY = 10 };

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *cookie)
{
	char full[THREAD_NAME_SIZE];
	(void)snprintf(full, sizeof(full), "recalld-%s", name);
	if (pthread_create(thread, NULL, run, cookie) != 0)
		return false;
	(void)pthread_setname_np(*thread, full);
	return true;
}

/* On Linux each thread has its own niceness; the kernel caps it at 19. */
void thread_give_way(void)
{
	const id_t thread = (id_t)gettid();
	(void)setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + NICER_BY);
}
