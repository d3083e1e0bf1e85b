#include "storage/thread.h"

#include <stdio.h>

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *cookie)
{
	char full[THREAD_NAME_SIZE];
	(void)snprintf(full, sizeof(full), "recalld-%s", name);
	if (pthread_create(thread, NULL, run, cookie) != 0)
		return false;
	(void)pthread_setname_np(*thread, full);
	return true;
}
