/* The process's threads; each has a name, by which top -H, perf and gdb tell them apart. */
#ifndef RECALLD_STORAGE_LMDB_THREAD_H
#define RECALLD_STORAGE_LMDB_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* What the kernel keeps of a name, its end included. */
enum { THREAD_NAME_SIZE = 16 };

/* Runs `run(cookie)` in a thread that the caller joins. `name` is without "recalld-", which is put
 * before it; what is too long of it is left out. False: the thread cannot be started. */
bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *cookie);

/* The calling thread's work can wait: where the processor is short, others' comes first. */
void thread_give_way(void);

#endif
