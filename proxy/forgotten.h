/* How many facts and texts users' wishes to forget have taken, until a reply tells of it. A restart
 * forgets the counts. Any thread may call. */
#ifndef RECALLD_PROXY_FORGOTTEN_H
#define RECALLD_PROXY_FORGOTTEN_H

#include "storage/store.h"

#include <pthread.h>

enum { FORGOTTEN_SLOTS = 1024 };

/* A user whose slot another one takes is told nothing. All zero at first. */
struct forgotten {
	pthread_mutex_t lock;
	struct forgotten_count {
		struct user_key user;
		unsigned count;
	} counts[FORGOTTEN_SLOTS];
};

void forgotten_add(struct forgotten *forgotten, struct user_key user, unsigned count);
/* Takes the user's count: the next call gets 0. */
unsigned forgotten_take(struct forgotten *forgotten, struct user_key user);

#endif
