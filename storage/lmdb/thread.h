/* The process's threads. Each has a name that top -H, perf and gdb show. */
#ifndef RECALLD_STORAGE_LMDB_THREAD_H
#define RECALLD_STORAGE_LMDB_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* The kernel's limit for a name, with its terminating NUL. */
enum { THREAD_NAME_SIZE = 16 };

/* Runs `run(cookie)` in a thread that the caller joins. The thread is called "recalld-" plus
 * `name`, cut to the limit. False: the thread could not be started. */
bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *cookie);

/* Lowers the calling thread's priority: when CPU is short, other threads run first. */
void thread_give_way(void);

#endif
