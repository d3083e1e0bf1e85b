/* Tunes how much freed memory the process keeps. */
#ifndef RECALLD_PROXY_RUNTIME_MALLOC_TUNING_H
#define RECALLD_PROXY_RUNTIME_MALLOC_TUNING_H

/* Call before any thread starts. Large allocations get their own mapping and are returned to the
 * system when freed. */
void malloc_set_up(void);
/* Returns free memory to the system if there is much of it. Any thread. Blocks malloc meanwhile, so
 * call it rarely. */
void malloc_give_back(void);

#endif
